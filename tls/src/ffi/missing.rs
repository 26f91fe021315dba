//! Methods that the `openssl` crate has for OpenSSL only, under their own names.

use std::ffi::{CStr, CString, c_int};
use std::ptr;

use foreign_types::ForeignTypeRef;
use openssl::asn1::{Asn1EnumeratedRef, Asn1ObjectRef};
use openssl::error::ErrorStack;
use openssl::pkey::{HasPublic, Id, PKeyRef};
use openssl::ssl::{
    SslCipherRef, SslContextBuilder, SslContextRef, SslRef, SslSessionRef, SslVersion,
};
use openssl::stack::StackRef;
use openssl::x509::{X509, X509Ref};

pub(crate) trait SslRefExt {
    fn ocsp_status(&self) -> Option<&[u8]>;
    fn set_ocsp_status(&mut self, response: &[u8]) -> Result<(), ErrorStack>;
    fn verified_chain(&self) -> Option<&StackRef<X509>>;
    fn num_tickets(&self) -> usize;
    fn set_num_tickets(&mut self, count: usize) -> Result<(), ErrorStack>;
    fn extms_support(&self) -> Option<bool>;
    fn client_random(&self, buf: &mut [u8]) -> usize;
    fn server_random(&self, buf: &mut [u8]) -> usize;
}

impl SslRefExt for SslRef {
    fn ocsp_status(&self) -> Option<&[u8]> {
        let mut start = ptr::null();
        // SAFETY: the object is alive; the other is an out parameter.
        let length =
            unsafe { openssl_sys::SSL_get_tlsext_status_ocsp_resp(self.as_ptr(), &mut start) };
        if start.is_null() || length == 0 {
            return None;
        }
        #[allow(clippy::disallowed_methods, reason = "checked for null just above")]
        // SAFETY: `length` bytes, which only a handshake changes.
        Some(unsafe { std::slice::from_raw_parts(start, length) })
    }

    fn set_ocsp_status(&mut self, response: &[u8]) -> Result<(), ErrorStack> {
        // SAFETY: the object is alive and copies the bytes.
        check(unsafe {
            openssl_sys::SSL_set_ocsp_response(self.as_ptr(), response.as_ptr(), response.len())
        })
    }

    fn verified_chain(&self) -> Option<&StackRef<X509>> {
        // SAFETY: the object is alive; this only looks.
        let chain = unsafe { openssl_sys::SSL_get0_verified_chain(self.as_ptr()) };
        if chain.is_null() {
            return None;
        }
        // SAFETY: the chain belongs to the object, which only a handshake changes.
        Some(unsafe { StackRef::from_ptr(chain) })
    }

    /// AWS-LC has one number for all connections of a context.
    fn num_tickets(&self) -> usize {
        self.ssl_context().num_tickets()
    }

    fn set_num_tickets(&mut self, _count: usize) -> Result<(), ErrorStack> {
        Err(ErrorStack::get())
    }

    fn extms_support(&self) -> Option<bool> {
        // SAFETY: the object is alive; this only looks.
        match unsafe { openssl_sys::SSL_get_extms_support(self.as_ptr()) } {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn client_random(&self, buf: &mut [u8]) -> usize {
        // SAFETY: the object is alive, and the buffer has that length.
        unsafe { openssl_sys::SSL_get_client_random(self.as_ptr(), buf.as_mut_ptr(), buf.len()) }
    }

    fn server_random(&self, buf: &mut [u8]) -> usize {
        // SAFETY: the object is alive, and the buffer has that length.
        unsafe { openssl_sys::SSL_get_server_random(self.as_ptr(), buf.as_mut_ptr(), buf.len()) }
    }
}

pub(crate) trait SslContextRefExt {
    fn num_tickets(&self) -> usize;
    fn security_level(&self) -> u32;
}

impl SslContextRefExt for SslContextRef {
    fn num_tickets(&self) -> usize {
        // SAFETY: the context is alive; this only looks.
        unsafe { openssl_sys::SSL_CTX_get_num_tickets(self.as_ptr()) }
    }

    /// AWS-LC has no levels: it never does what the level 1 forbids.
    fn security_level(&self) -> u32 {
        // SAFETY: the context is alive; this only looks.
        let level = unsafe { openssl_sys::SSL_CTX_get_security_level(self.as_ptr()) };
        u32::try_from(level).unwrap_or(0)
    }
}

pub(crate) trait SslContextBuilderExt {
    fn min_proto_version(&mut self) -> Option<SslVersion>;
    fn set_security_level(&mut self, level: u32);
    fn set_ciphersuites(&mut self, list: &str) -> Result<(), ErrorStack>;
    fn set_sigalgs_list(&mut self, list: &str) -> Result<(), ErrorStack>;
    fn set_num_tickets(&mut self, count: usize) -> Result<(), ErrorStack>;
}

impl SslContextBuilderExt for SslContextBuilder {
    /// No configuration file asks for one.
    fn min_proto_version(&mut self) -> Option<SslVersion> {
        None
    }

    fn set_security_level(&mut self, _level: u32) {}

    fn set_ciphersuites(&mut self, list: &str) -> Result<(), ErrorStack> {
        let list = CString::new(list).map_err(|_| ErrorStack::get())?;
        // SAFETY: the context is alive and reads a C string.
        check(unsafe { openssl_sys::SSL_CTX_set_ciphersuites(self.as_ptr(), list.as_ptr()) })
    }

    fn set_sigalgs_list(&mut self, list: &str) -> Result<(), ErrorStack> {
        let list = CString::new(list).map_err(|_| ErrorStack::get())?;
        // SAFETY: the context is alive and reads a C string.
        check(unsafe { openssl_sys::SSL_CTX_set1_sigalgs_list(self.as_ptr(), list.as_ptr()) })
    }

    fn set_num_tickets(&mut self, count: usize) -> Result<(), ErrorStack> {
        // SAFETY: the context is alive and not yet shared.
        check(unsafe { openssl_sys::SSL_CTX_set_num_tickets(self.as_ptr(), count) })
    }
}

pub(crate) trait SslSessionRefExt {
    fn protocol_version(&self) -> SslVersion;
}

impl SslSessionRefExt for SslSessionRef {
    fn protocol_version(&self) -> SslVersion {
        // SAFETY: the session is alive; this only looks.
        match unsafe { openssl_sys::SSL_SESSION_get_protocol_version(self.as_ptr()) } {
            0x0304 => SslVersion::TLS1_3,
            0x0303 => SslVersion::TLS1_2,
            0x0302 => SslVersion::TLS1_1,
            _ => SslVersion::TLS1,
        }
    }
}

pub(crate) trait SslCipherRefExt {
    fn standard_name(&self) -> Option<&'static str>;
}

impl SslCipherRefExt for SslCipherRef {
    fn standard_name(&self) -> Option<&'static str> {
        // SAFETY: descriptions of ciphers are static.
        let name = unsafe { openssl_sys::SSL_CIPHER_standard_name(self.as_ptr()) };
        if name.is_null() {
            return None;
        }
        // SAFETY: a string constant.
        unsafe { CStr::from_ptr::<'static>(name) }.to_str().ok()
    }
}

pub(crate) trait X509RefExt {
    fn version(&self) -> i32;
}

impl X509RefExt for X509Ref {
    fn version(&self) -> i32 {
        // SAFETY: the certificate is alive; this only looks.
        let version = unsafe { openssl_sys::X509_get_version(self.as_ptr()) };
        i32::try_from(version).unwrap_or(0)
    }
}

fn check(done: c_int) -> Result<(), ErrorStack> {
    if done == 1 {
        Ok(())
    } else {
        Err(ErrorStack::get())
    }
}

pub(crate) trait Asn1ObjectRefExt {
    fn as_slice(&self) -> &[u8];
}

impl Asn1ObjectRefExt for Asn1ObjectRef {
    fn as_slice(&self) -> &[u8] {
        // SAFETY: the object is alive; this only looks.
        let start = unsafe { openssl_sys::OBJ_get0_data(self.as_ptr()) };
        // SAFETY: as above.
        let length = unsafe { openssl_sys::OBJ_length(self.as_ptr()) };
        if start.is_null() || length == 0 {
            return &[];
        }
        #[allow(clippy::disallowed_methods, reason = "checked for null just above")]
        // SAFETY: `length` bytes, which never change.
        unsafe {
            std::slice::from_raw_parts(start, length)
        }
    }
}

pub(crate) trait PKeyRefExt {
    fn security_bits(&self) -> u32;
}

impl<T: HasPublic> PKeyRefExt for PKeyRef<T> {
    /// By the tables of NIST SP 800-57, part 1, section 5.6.1.1.
    fn security_bits(&self) -> u32 {
        let bits = self.bits();
        match self.id() {
            Id::RSA | Id::DSA => match bits {
                15360.. => 256,
                7680.. => 192,
                3072.. => 128,
                2048.. => 112,
                1024.. => 80,
                _ => 0,
            },
            _ => bits.div_ceil(2),
        }
    }
}

pub(crate) trait Asn1EnumeratedRefExt {
    fn get_i64(&self) -> Result<i64, ErrorStack>;
}

impl Asn1EnumeratedRefExt for Asn1EnumeratedRef {
    fn get_i64(&self) -> Result<i64, ErrorStack> {
        let mut value = 0;
        // SAFETY: the number is alive; the other is an out parameter.
        check(unsafe { openssl_sys::ASN1_ENUMERATED_get_int64(&mut value, self.as_ptr()) })?;
        Ok(value)
    }
}
