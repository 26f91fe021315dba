//! How chains are judged, in OpenSSL's flags.

use std::ops::{BitOr, BitOrAssign};

use openssl::x509::verify::X509VerifyFlags;

/// How a [`TrustStore`](super::TrustStore) judges chains
/// (`X509_VERIFY_PARAM_set_flags(3)`).
///
/// Sets are joined with `|`. The default is none of them. Some of them switch
/// protections off, and say so.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "X509StoreFlags")]
#[doc(alias = "X509Store.set_flags")]
#[doc(alias = "X509_V_FLAG")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct VerifyFlags(u32);

impl VerifyFlags {
    /// Looks the certificate itself up in a revocation list of its issuer. Without a
    /// list that is in force it is refused.
    #[doc(alias = "X509_V_FLAG_CRL_CHECK")]
    pub const CRL_CHECK: VerifyFlags = VerifyFlags(0x4);
    /// As [`CRL_CHECK`](VerifyFlags::CRL_CHECK), for every certificate of the chain,
    /// the root's included. In OpenSSL the second flag does nothing without the first;
    /// here it brings it along.
    #[doc(alias = "X509_V_FLAG_CRL_CHECK_ALL")]
    pub const CRL_CHECK_ALL: VerifyFlags = VerifyFlags(0x4 | 0x8);
    /// Dangerous: accepts critical extensions that OpenSSL does not understand.
    #[doc(alias = "X509_V_FLAG_IGNORE_CRITICAL")]
    pub const IGNORE_CRITICAL: VerifyFlags = VerifyFlags(0x10);
    /// Refuses chains that violate RFC 5280 in ways that OpenSSL otherwise tolerates.
    #[doc(alias = "X509_V_FLAG_X509_STRICT")]
    pub const X509_STRICT: VerifyFlags = VerifyFlags(0x20);
    /// Accepts proxy certificates (RFC 3820).
    #[doc(alias = "X509_V_FLAG_ALLOW_PROXY_CERTS")]
    pub const ALLOW_PROXY_CERTS: VerifyFlags = VerifyFlags(0x40);
    /// Checks certificate policies (RFC 5280, section 6.1).
    #[doc(alias = "X509_V_FLAG_POLICY_CHECK")]
    pub const POLICY_CHECK: VerifyFlags = VerifyFlags(0x80);
    /// Demands a policy that the whole chain has. Brings
    /// [`POLICY_CHECK`](VerifyFlags::POLICY_CHECK) along, as OpenSSL does.
    #[doc(alias = "X509_V_FLAG_EXPLICIT_POLICY")]
    pub const EXPLICIT_POLICY: VerifyFlags = VerifyFlags(0x80 | 0x100);
    /// The policy `anyPolicy` does not count.
    #[doc(alias = "X509_V_FLAG_INHIBIT_ANY")]
    pub const INHIBIT_ANY: VerifyFlags = VerifyFlags(0x80 | 0x200);
    /// Policies are not mapped to others.
    #[doc(alias = "X509_V_FLAG_INHIBIT_MAP")]
    pub const INHIBIT_MAP: VerifyFlags = VerifyFlags(0x80 | 0x400);
    /// Understands indirect revocation lists and such for some reasons only.
    #[doc(alias = "X509_V_FLAG_EXTENDED_CRL_SUPPORT")]
    pub const EXTENDED_CRL_SUPPORT: VerifyFlags = VerifyFlags(0x1000);
    /// Uses delta lists, where there are such, together with the list that they extend.
    #[doc(alias = "X509_V_FLAG_USE_DELTAS")]
    pub const USE_DELTAS: VerifyFlags = VerifyFlags(0x2000);
    /// Checks also what a root has signed of itself. It shows nothing that its being
    /// trusted does not.
    #[doc(alias = "X509_V_FLAG_CHECK_SS_SIGNATURE")]
    pub const CHECK_SS_SIGNATURE: VerifyFlags = VerifyFlags(0x4000);
    /// Algorithms of Suite B for 128 bits only (RFC 5759).
    #[doc(alias = "X509_V_FLAG_SUITEB_128_LOS_ONLY")]
    pub const SUITEB_128_ONLY: VerifyFlags = VerifyFlags(0x10000);
    /// Algorithms of Suite B for 192 bits (RFC 5759).
    #[doc(alias = "X509_V_FLAG_SUITEB_192_LOS")]
    pub const SUITEB_192: VerifyFlags = VerifyFlags(0x20000);
    /// Algorithms of Suite B for 128 bits or more (RFC 5759).
    #[doc(alias = "X509_V_FLAG_SUITEB_128_LOS")]
    pub const SUITEB_128: VerifyFlags = VerifyFlags(0x30000);
    /// Every certificate of the store ends a chain, not only a root. A
    /// [`ContextBuilder`](crate::ContextBuilder) has this by default.
    #[doc(alias = "X509_V_FLAG_PARTIAL_CHAIN")]
    pub const PARTIAL_CHAIN: VerifyFlags = VerifyFlags(0x8_0000);
    /// Dangerous: accepts certificates and lists that have expired.
    #[doc(alias = "X509_V_FLAG_NO_CHECK_TIME")]
    pub const NO_CHECK_TIME: VerifyFlags = VerifyFlags(0x20_0000);

    /// The flags by their bits, as in OpenSSL's headers, without
    /// `X509_V_FLAG_USE_CHECK_TIME`: a time to check by is given as a time.
    pub const fn from_bits(bits: u32) -> VerifyFlags {
        VerifyFlags(bits & !0x2)
    }

    /// The bits.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether all of `flags` are among these.
    pub const fn contains(self, flags: VerifyFlags) -> bool {
        self.0 & flags.0 == flags.0
    }

    pub(super) fn as_openssl(self) -> X509VerifyFlags {
        X509VerifyFlags::from_bits_retain(self.0.into())
    }
}

impl BitOr for VerifyFlags {
    type Output = VerifyFlags;

    fn bitor(self, other: VerifyFlags) -> VerifyFlags {
        VerifyFlags(self.0 | other.0)
    }
}

impl BitOrAssign for VerifyFlags {
    fn bitor_assign(&mut self, other: VerifyFlags) {
        self.0 |= other.0;
    }
}
