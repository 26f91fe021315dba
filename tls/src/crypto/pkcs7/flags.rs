//! How structures are made and verified.

use std::ops::{BitOr, BitOrAssign};

use openssl::pkcs7;

/// How a [`Pkcs7`](super::Pkcs7) is made or verified; sets are joined with `|`.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "PKCS7_sign")]
#[doc(alias = "PKCS7_verify")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Pkcs7Flags(u16);

impl Pkcs7Flags {
    /// Making: the content is left out, and travels in another way.
    #[doc(alias = "PKCS7_DETACHED")]
    pub const DETACHED: Pkcs7Flags = Pkcs7Flags(0x1);
    /// Making: line ends become CRLF before the content is signed, which S/MIME needs.
    /// Without it the bytes are signed as they are.
    #[doc(alias = "PKCS7_BINARY")]
    pub const CRLF: Pkcs7Flags = Pkcs7Flags(0x2);
    /// Making: the MIME header of plain text comes before the content. Verifying: it must
    /// be there, and is taken off. Brings [`CRLF`](Pkcs7Flags::CRLF) along.
    #[doc(alias = "PKCS7_TEXT")]
    pub const TEXT: Pkcs7Flags = Pkcs7Flags(0x2 | 0x4);
    /// Making: the signer's certificate and the chain are left out.
    #[doc(alias = "PKCS7_NOCERTS")]
    pub const NO_CERTS: Pkcs7Flags = Pkcs7Flags(0x8);
    /// Making: no attributes are signed along with the content, such as the time.
    #[doc(alias = "PKCS7_NOATTR")]
    pub const NO_ATTRIBUTES: Pkcs7Flags = Pkcs7Flags(0x10);
    /// Making: the list of ciphers that the signer would understand is left out.
    #[doc(alias = "PKCS7_NOSMIMECAP")]
    pub const NO_CAPABILITIES: Pkcs7Flags = Pkcs7Flags(0x20);
    /// Verifying: the certificates of the structure are not used to find signers; only
    /// those that were given are.
    #[doc(alias = "PKCS7_NOINTERN")]
    pub const NO_INTERN: Pkcs7Flags = Pkcs7Flags(0x40);
    /// Verifying: the certificates of the structure are not used to build chains.
    #[doc(alias = "PKCS7_NOCHAIN")]
    pub const NO_CHAIN: Pkcs7Flags = Pkcs7Flags(0x80);

    /// Whether all of `flags` are among these.
    pub const fn contains(self, flags: Pkcs7Flags) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// As the `openssl` crate has them.
    pub(super) fn openssl(self) -> pkcs7::Pkcs7Flags {
        let mut all = pkcs7::Pkcs7Flags::empty();
        for (ours, theirs) in [
            (Pkcs7Flags::DETACHED, pkcs7::Pkcs7Flags::DETACHED),
            (Pkcs7Flags::TEXT, pkcs7::Pkcs7Flags::TEXT),
            (Pkcs7Flags::NO_CERTS, pkcs7::Pkcs7Flags::NOCERTS),
            (Pkcs7Flags::NO_ATTRIBUTES, pkcs7::Pkcs7Flags::NOATTR),
            (Pkcs7Flags::NO_CAPABILITIES, pkcs7::Pkcs7Flags::NOSMIMECAP),
            (Pkcs7Flags::NO_INTERN, pkcs7::Pkcs7Flags::NOINTERN),
            (Pkcs7Flags::NO_CHAIN, pkcs7::Pkcs7Flags::NOCHAIN),
        ] {
            all.set(theirs, self.contains(ours));
        }
        all.set(pkcs7::Pkcs7Flags::BINARY, !self.contains(Pkcs7Flags::CRLF));
        all
    }
}

impl BitOr for Pkcs7Flags {
    type Output = Pkcs7Flags;

    fn bitor(self, other: Pkcs7Flags) -> Pkcs7Flags {
        Pkcs7Flags(self.0 | other.0)
    }
}

impl BitOrAssign for Pkcs7Flags {
    fn bitor_assign(&mut self, other: Pkcs7Flags) {
        self.0 |= other.0;
    }
}
