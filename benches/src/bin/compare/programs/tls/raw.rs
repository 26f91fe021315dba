//! libssl on a BIO pair with nothing around it: the limit for whatever uses
//! OpenSSL so. Only contexts and the making of connections are the `openssl`
//! crate's.

use std::ffi::{c_char, c_int};
use std::ptr;

use foreign_types::ForeignType;
use openssl::ssl::{Ssl, SslContext, SslFiletype, SslMethod, SslSessionCacheMode, SslVersion};
use openssl_sys::{BIO, BIO_write, SSL_ERROR_WANT_READ};

use super::{Failure, Server};

/// The capacity of each ring of the pair: a record of the largest size.
const RING: usize = 17 * 1024;

// `openssl-sys` does not declare them.
unsafe extern "C" {
    fn BIO_new_bio_pair(
        first: *mut *mut BIO,
        first_size: usize,
        second: *mut *mut BIO,
        second_size: usize,
    ) -> c_int;
    fn BIO_nread(bio: *mut BIO, start: *mut *mut c_char, count: c_int) -> c_int;
    fn BIO_free(bio: *mut BIO) -> c_int;
}

/// Makes servers with the identity in these PEM files.
pub(super) fn server(
    certificate: &str,
    key: &str,
) -> Result<impl FnMut() -> Result<Raw, Failure> + use<>, Failure> {
    let mut builder = SslContext::builder(SslMethod::tls_server())?;
    builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    builder.set_certificate_chain_file(certificate)?;
    builder.set_private_key_file(key, SslFiletype::PEM)?;
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    builder.set_read_ahead(true);
    let context = builder.build();
    Ok(move || Raw::new(&context))
}

/// One connection.
pub(super) struct Raw {
    ssl: Ssl,
    /// The half of the pair that faces the client; ours to free.
    network: *mut BIO,
}

impl Raw {
    fn new(context: &SslContext) -> Result<Raw, Failure> {
        let mut ssl = Ssl::new(context)?;
        ssl.set_accept_state();
        let (mut internal, mut network) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: both out-pointers are valid.
        let made = unsafe { BIO_new_bio_pair(&mut internal, RING, &mut network, RING) };
        if made != 1 {
            return Err("no memory for a BIO pair".into());
        }
        // SAFETY: `ssl` is alive and takes over the one reference to `internal`, for
        // both directions.
        unsafe { openssl_sys::SSL_set_bio(ssl.as_ptr(), internal, internal) };
        Ok(Raw { ssl, network })
    }

    fn feed(&mut self, input: &[u8]) -> Result<(), Failure> {
        let length = c_int::try_from(input.len())?;
        // SAFETY: the half is ours; `input` is readable for its length.
        let fed = unsafe { BIO_write(self.network, input.as_ptr().cast(), length) };
        if fed == length || length == 0 {
            Ok(())
        } else {
            Err("the ring is full".into())
        }
    }

    /// Moves what there is for the client, by at most two pieces of the ring.
    #[allow(
        clippy::disallowed_methods,
        reason = "a positive count comes with a place in the ring"
    )]
    fn send(&mut self, output: &mut Vec<u8>) {
        loop {
            let mut start = ptr::null_mut();
            // SAFETY: the half is ours, and the out-pointer is valid.
            let count = unsafe { BIO_nread(self.network, &mut start, RING as c_int) };
            let Ok(count @ 1..) = usize::try_from(count) else {
                return;
            };
            // SAFETY: OpenSSL lends that many bytes there until the next call.
            let data = unsafe { std::slice::from_raw_parts(start.cast::<u8>(), count) };
            output.extend_from_slice(data);
        }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: our reference; the connection holds one to the other half only.
        unsafe { BIO_free(self.network) };
    }
}

impl Server for Raw {
    fn handshake(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<bool, Failure> {
        self.feed(input)?;
        // SAFETY: the connection is alive and has its BIOs.
        let result = unsafe { openssl_sys::SSL_do_handshake(self.ssl.as_ptr()) };
        if result != 1 {
            // SAFETY: the connection is alive, and `result` is of its last call.
            let error = unsafe { openssl_sys::SSL_get_error(self.ssl.as_ptr(), result) };
            if error != SSL_ERROR_WANT_READ {
                return Err("the handshake failed".into());
            }
        }
        self.send(output);
        Ok(result == 1)
    }

    fn read(&mut self, record: &mut Vec<u8>, plain: &mut [u8]) -> Result<usize, Failure> {
        self.feed(record)?;
        let (start, length) = (plain.as_mut_ptr().cast(), c_int::try_from(plain.len())?);
        // SAFETY: the connection is alive; `plain` is writable for its length.
        let count = unsafe { openssl_sys::SSL_read(self.ssl.as_ptr(), start, length) };
        usize::try_from(count).map_err(|_| "a read failed".into())
    }

    fn write(&mut self, plain: &[u8], output: &mut Vec<u8>) -> Result<(), Failure> {
        let (start, length) = (plain.as_ptr().cast(), c_int::try_from(plain.len())?);
        // SAFETY: the connection is alive; `plain` is readable for its length.
        let count = unsafe { openssl_sys::SSL_write(self.ssl.as_ptr(), start, length) };
        if count != length {
            return Err("a write failed".into());
        }
        self.send(output);
        Ok(())
    }
}
