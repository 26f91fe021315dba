//! What one connection can be asked.

use std::ffi::{CStr, c_int, c_long};
use std::ptr;

use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::nid::Nid;
use openssl::ssl::{SslCipher, SslRef};
use openssl::stack::{Stack, StackRef};
use openssl::x509::X509Ref;

use super::{Connection, clear_error_queue, on_system_stack};
use crate::ffi;

impl Connection {
    /// Asks something that takes OpenSSL more than a look.
    pub(crate) fn inquire<R>(&self, f: impl FnOnce(&SslRef) -> R) -> R {
        on_system_stack(|| {
            clear_error_queue();
            let answer = f(&self.ssl);
            clear_error_queue();
            answer
        })
    }

    /// The enabled cipher suites in order of preference (`SSL_get_ciphers(3)`).
    pub(crate) fn ciphers(&self) -> Option<&StackRef<SslCipher>> {
        // SAFETY: the object is alive; this only looks.
        let list = unsafe { ffi::SSL_get_ciphers(self.as_ptr()) };
        if list.is_null() {
            return None;
        }
        // SAFETY: the list belongs to the object, or to its context, and is not
        // changed while `self` is borrowed: that takes `&mut self`.
        Some(unsafe { StackRef::from_ptr(list) })
    }

    /// What the client of a server's connection offered
    /// (`SSL_get_client_ciphers(3)`).
    pub(crate) fn client_ciphers(&self) -> Option<&StackRef<SslCipher>> {
        // SAFETY: the object is alive; this only looks.
        let list = unsafe { ffi::SSL_get_client_ciphers(self.as_ptr()) };
        if list.is_null() {
            return None;
        }
        // SAFETY: the list belongs to the object, which only a handshake changes.
        Some(unsafe { StackRef::from_ptr(list) })
    }

    /// The enabled suites that the versions and the security level leave
    /// (`SSL_get1_supported_ciphers(3)`).
    pub(crate) fn supported_ciphers(&self) -> Option<Stack<SslCipher>> {
        self.inquire(|ssl| {
            // SAFETY: the object is alive; this only looks.
            let list = unsafe { ffi::SSL_get1_supported_ciphers(ssl.as_ptr()) };
            if list.is_null() {
                return None;
            }
            // SAFETY: the list is the caller's to free; its members are static.
            Some(unsafe { Stack::from_ptr(list) })
        })
    }

    /// The name of the group of the key exchange, by its numbers in
    /// `SSL_get_negotiated_group(3)` and `SSL_group_to_name(3)`:
    /// `SSL_get0_group_name(3)` begins with OpenSSL 3.2.
    pub(crate) fn group(&self) -> Option<String> {
        let id = self.number(ffi::SSL_CTRL_GET_NEGOTIATED_GROUP);
        let id = c_int::try_from(id).ok().filter(|id| *id != 0)?;
        // SAFETY: the object is alive; this only looks.
        let name = unsafe { ffi::SSL_group_to_name(self.as_ptr(), id) };
        if name.is_null() {
            return None;
        }
        // SAFETY: a string of the context's table of groups; it is copied at once.
        let name = unsafe { CStr::from_ptr(name) };
        Some(name.to_str().ok()?.to_owned())
    }

    /// The type of key, and the digest if it has one, of the signature that the
    /// peer made in the handshake (`SSL_get_peer_signature_type_nid(3)`).
    pub(crate) fn peer_signature(&self) -> Option<(Nid, Option<Nid>)> {
        let mut kind = 0;
        // SAFETY: the object is alive; the other is an out parameter.
        let known = unsafe { ffi::SSL_get_peer_signature_type_nid(self.as_ptr(), &mut kind) };
        self.signature(known, kind, ffi::SSL_CTRL_GET_PEER_SIGNATURE_NID)
    }

    /// The same for the signature that we made.
    pub(crate) fn own_signature(&self) -> Option<(Nid, Option<Nid>)> {
        let mut kind = 0;
        // SAFETY: the object is alive; the other is an out parameter.
        let known = unsafe { ffi::SSL_get_signature_type_nid(self.as_ptr(), &mut kind) };
        self.signature(known, kind, ffi::SSL_CTRL_GET_SIGNATURE_NID)
    }

    fn signature(
        &self,
        known: c_int,
        kind: c_int,
        digest_command: c_int,
    ) -> Option<(Nid, Option<Nid>)> {
        if known != 1 {
            return None;
        }
        let mut digest: c_int = 0;
        // SAFETY: the object is alive, and both commands write one int.
        let known = unsafe {
            ffi::SSL_ctrl(
                self.as_ptr(),
                digest_command,
                0,
                ptr::from_mut(&mut digest).cast(),
            )
        };
        // Schemes such as Ed25519 have no digest of their own.
        let digest = (known == 1 && digest != 0).then(|| Nid::from_raw(digest));
        Some((Nid::from_raw(kind), digest))
    }

    /// Whether the state machine has not taken its first step (`SSL_in_before(3)`).
    pub(crate) fn is_unstarted(&self) -> bool {
        // SAFETY: the object is alive; this only looks.
        unsafe { ffi::SSL_in_before(self.as_ptr()) == 1 }
    }

    /// Whether the last call wanted input (`SSL_want(3)`).
    pub(crate) fn wants_input(&self) -> bool {
        // SAFETY: the object is alive; this only looks.
        unsafe { ffi::SSL_want(self.as_ptr()) == ffi::SSL_READING }
    }

    /// Whether a renegotiation was asked for and is not done
    /// (`SSL_renegotiate_pending(3)`).
    pub(crate) fn is_renegotiating(&self) -> bool {
        // SAFETY: the object is alive; this only looks.
        unsafe { ffi::SSL_renegotiate_pending(self.as_ptr()) == 1 }
    }

    /// The `SSL_OP_*` bits in force (`SSL_get_options(3)`).
    pub(crate) fn options(&self) -> u64 {
        // SAFETY: the object is alive; this only looks.
        unsafe { ffi::SSL_get_options(self.as_ptr()) }
    }

    /// How many renegotiations have begun (`SSL_total_renegotiations(3)`).
    pub(crate) fn total_renegotiations(&self) -> u64 {
        u64::try_from(self.number(ffi::SSL_CTRL_GET_TOTAL_RENEGOTIATIONS)).unwrap_or(0)
    }

    /// Whether the peer knows RFC 5746
    /// (`SSL_get_secure_renegotiation_support(3)`).
    pub(crate) fn peer_renegotiates_securely(&self) -> bool {
        self.number(ffi::SSL_CTRL_GET_RI_SUPPORT) == 1
    }

    /// The answer to a command of `SSL_ctrl(3)` that takes no argument and only
    /// looks.
    fn number(&self, command: c_int) -> c_long {
        // SAFETY: the object is alive; the commands used here take no pointer.
        unsafe { ffi::SSL_ctrl(self.as_ptr(), command, 0, ptr::null_mut()) }
    }

    /// Whether certificates for more than one type of key are set. Leaves the first
    /// of them as the current one, which only matters to calls that set more.
    pub(crate) fn has_several_identities(&mut self) -> bool {
        let ssl = self.as_ptr();
        let select = |which| {
            // SAFETY: the object is alive, `&mut self` keeps others out, and the
            // command takes a number.
            let done = unsafe {
                ffi::SSL_ctrl(ssl, ffi::SSL_CTRL_SET_CURRENT_CERT, which, ptr::null_mut())
            };
            done == 1
        };
        let several = select(ffi::SSL_CERT_SET_FIRST) && select(ffi::SSL_CERT_SET_NEXT);
        select(ffi::SSL_CERT_SET_FIRST);
        clear_error_queue();
        several
    }
}

/// The digest in a certificate's signature (`X509_get_signature_info(3)`), also
/// where the algorithm has it as a parameter.
pub(crate) fn signature_digest(certificate: &X509Ref) -> Option<Nid> {
    on_system_stack(|| {
        clear_error_queue();
        let mut digest = 0;
        // SAFETY: the certificate is alive, the digest is an out parameter, and what
        // is not asked for may be null.
        let known = unsafe {
            ffi::X509_get_signature_info(
                certificate.as_ptr(),
                &mut digest,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        clear_error_queue();
        (known == 1 && digest != 0).then(|| Nid::from_raw(digest))
    })
}
