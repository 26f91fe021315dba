//! Options and contexts.

use std::ffi::{c_char, c_int};
use std::ops::RangeInclusive;
use std::ptr;
use std::sync::Arc;

use super::answer::{self, ErrorRecord, Fault, Result, guard};
use super::arguments::{bytes, optional, path, place, string};
use crate::context::{ClientAuth, Context, ContextBuilder, Version};
use crate::engine::Role;
use crate::identity::{Identity, PemFiles};

/// `greenling_tls_options`: a builder that is spent once it has built.
pub(super) struct RawOptions {
    builder: Option<ContextBuilder>,
}

/// `greenling_tls_context`: a counted context.
#[derive(Debug)]
pub struct RawContext {
    context: Context,
}

impl RawContext {
    pub(super) fn new(context: Context) -> RawContext {
        RawContext { context }
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }
}

/// Runs `body`, and fills the record if there is one.
///
/// # Safety
///
/// The record is null or the caller's to write.
pub(super) unsafe fn answer<T>(
    record: *mut ErrorRecord,
    body: impl FnOnce() -> Result<T>,
) -> c_int {
    let fault = match guard(body) {
        Ok(_) => Fault::none(),
        Err(fault) => fault,
    };
    // SAFETY: the caller's promise.
    if let Ok(mut place) = unsafe { place(record) } {
        place.put(fault.record());
    }
    fault.status
}

/// Changes the options.
///
/// # Safety
///
/// `options` is null or alive and used by nobody else; the record is null or the
/// caller's to write.
unsafe fn change(
    options: *mut RawOptions,
    record: *mut ErrorRecord,
    body: impl FnOnce(ContextBuilder) -> Result<ContextBuilder>,
) -> c_int {
    // SAFETY: the caller's promise.
    let options = unsafe { options.as_mut() };
    let change = || {
        let options = options.ok_or_else(Fault::null)?;
        let spent = || Fault::misuse("the options have been used, or broken by an error");
        let builder = options.builder.take().ok_or_else(spent)?;
        options.builder = Some(body(builder)?);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { answer(record, change) }
}

/// The library that C code must be linked with to use raw pointers.
pub(super) unsafe extern "C" fn openssl_version() -> u64 {
    let number = guard(|| Ok(openssl::version::number()));
    number.map_or(0, |number| number.cast_unsigned())
}

pub(super) unsafe extern "C" fn options_new(role: c_int) -> *mut RawOptions {
    let made = guard(|| {
        let builder = match role {
            0 => ContextBuilder::client(),
            1 => ContextBuilder::server(),
            _ => return Err(Fault::misuse("a role is 0 or 1")),
        };
        Ok(Box::into_raw(Box::new(RawOptions {
            builder: Some(builder),
        })))
    });
    made.unwrap_or(ptr::null_mut())
}

pub(super) unsafe extern "C" fn options_free(options: *mut RawOptions) {
    if options.is_null() {
        return;
    }
    // SAFETY: the caller gives the object back, which `options_new` has boxed.
    let options = unsafe { Box::from_raw(options) };
    let _ = guard(|| {
        drop(options);
        Ok(())
    });
}

pub(super) unsafe extern "C" fn options_identity_files(
    options: *mut RawOptions,
    chain: *const c_char,
    key: *const c_char,
    passphrase: *const c_char,
    error: *mut ErrorRecord,
) -> c_int {
    let body = |builder: ContextBuilder| {
        // SAFETY: strings of the caller's, as the header says.
        let chain = unsafe { path(chain) }?;
        // SAFETY: as above.
        let key = unsafe { path(key) }?;
        // SAFETY: as above.
        let passphrase = unsafe { optional(passphrase) }?;
        let mut files = PemFiles::new(chain, key);
        if let Some(passphrase) = passphrase {
            files = files.passphrase(passphrase);
        }
        Ok(builder.identity(files.load()?))
    };
    // SAFETY: objects of the caller's, as the header says.
    unsafe { change(options, error, body) }
}

pub(super) unsafe extern "C" fn options_identity_pem(
    options: *mut RawOptions,
    chain: *const u8,
    chain_len: usize,
    key: *const u8,
    key_len: usize,
    passphrase: *const c_char,
    error: *mut ErrorRecord,
) -> c_int {
    let body = |builder: ContextBuilder| {
        // SAFETY: bytes of the caller's, as the header says.
        let chain = unsafe { bytes(chain, chain_len) }?;
        // SAFETY: as above.
        let key = unsafe { bytes(key, key_len) }?;
        // SAFETY: a string of the caller's.
        let passphrase = unsafe { optional(passphrase) }?;
        let identity = match passphrase {
            Some(passphrase) => {
                Identity::from_pem_with_passphrase(chain, key, passphrase.as_bytes())?
            }
            None => Identity::from_pem(chain, key)?,
        };
        Ok(builder.identity(identity))
    };
    // SAFETY: objects of the caller's, as the header says.
    unsafe { change(options, error, body) }
}

pub(super) unsafe extern "C" fn options_trust_file(
    options: *mut RawOptions,
    file: *const c_char,
    error: *mut ErrorRecord,
) -> c_int {
    // SAFETY: a string of the caller's.
    let body = |builder: ContextBuilder| Ok(builder.trust_file(unsafe { path(file) }?));
    // SAFETY: objects of the caller's, as the header says.
    unsafe { change(options, error, body) }
}

pub(super) unsafe extern "C" fn options_trust_dir(
    options: *mut RawOptions,
    directory: *const c_char,
    error: *mut ErrorRecord,
) -> c_int {
    // SAFETY: a string of the caller's.
    let body = |builder: ContextBuilder| Ok(builder.trust_dir(unsafe { path(directory) }?));
    // SAFETY: objects of the caller's, as the header says.
    unsafe { change(options, error, body) }
}

pub(super) unsafe extern "C" fn options_trust_pem(
    options: *mut RawOptions,
    pem: *const u8,
    len: usize,
    error: *mut ErrorRecord,
) -> c_int {
    // SAFETY: bytes of the caller's.
    let body = |builder: ContextBuilder| Ok(builder.trust_pem(unsafe { bytes(pem, len) }?));
    // SAFETY: objects of the caller's, as the header says.
    unsafe { change(options, error, body) }
}

pub(super) unsafe extern "C" fn options_trust_system(
    options: *mut RawOptions,
    error: *mut ErrorRecord,
) -> c_int {
    // SAFETY: objects of the caller's, as the header says.
    unsafe { change(options, error, |builder| Ok(builder.trust_system())) }
}

pub(super) unsafe extern "C" fn options_client_auth(
    options: *mut RawOptions,
    mode: c_int,
    error: *mut ErrorRecord,
) -> c_int {
    let body = |builder: ContextBuilder| {
        let mode = match mode {
            0 => ClientAuth::None,
            1 => ClientAuth::Optional,
            2 => ClientAuth::Required,
            _ => return Err(Fault::misuse("client authentication is 0, 1 or 2")),
        };
        Ok(builder.client_auth(mode))
    };
    // SAFETY: objects of the caller's, as the header says.
    unsafe { change(options, error, body) }
}

pub(super) unsafe extern "C" fn options_versions(
    options: *mut RawOptions,
    least: c_int,
    most: c_int,
    error: *mut ErrorRecord,
) -> c_int {
    let body = |builder: ContextBuilder| {
        let range: RangeInclusive<Version> = version(least)?..=version(most)?;
        Ok(builder.versions(range))
    };
    // SAFETY: objects of the caller's, as the header says.
    unsafe { change(options, error, body) }
}

/// The numbers of the wire, which are OpenSSL's too.
fn version(number: c_int) -> Result<Version> {
    match number {
        0x0303 => Ok(Version::Tls12),
        0x0304 => Ok(Version::Tls13),
        _ => Err(Fault::misuse("a version is 0x0303 or 0x0304")),
    }
}

pub(super) unsafe extern "C" fn options_ciphers(
    options: *mut RawOptions,
    tls12: *const c_char,
    tls13: *const c_char,
    error: *mut ErrorRecord,
) -> c_int {
    let body = |mut builder: ContextBuilder| {
        // SAFETY: a string of the caller's.
        if let Some(list) = unsafe { optional(tls12) }? {
            builder = builder.ciphers12(list);
        }
        // SAFETY: as above.
        if let Some(list) = unsafe { optional(tls13) }? {
            builder = builder.ciphers13(list);
        }
        Ok(builder)
    };
    // SAFETY: objects of the caller's, as the header says.
    unsafe { change(options, error, body) }
}

pub(super) unsafe extern "C" fn options_groups(
    options: *mut RawOptions,
    list: *const c_char,
    error: *mut ErrorRecord,
) -> c_int {
    // SAFETY: a string of the caller's.
    let body = |builder: ContextBuilder| Ok(builder.groups(unsafe { string(list) }?));
    // SAFETY: objects of the caller's, as the header says.
    unsafe { change(options, error, body) }
}

pub(super) unsafe extern "C" fn options_alpn(
    options: *mut RawOptions,
    protocols: *const u8,
    len: usize,
    error: *mut ErrorRecord,
) -> c_int {
    let body = |builder: ContextBuilder| {
        // SAFETY: bytes of the caller's.
        let mut rest = unsafe { bytes(protocols, len) }?;
        let mut list = Vec::new();
        while let Some((&len, tail)) = rest.split_first() {
            let bad = || Fault::misuse("protocols are a length byte and as many bytes each");
            let (name, tail) = tail.split_at_checked(len.into()).ok_or_else(bad)?;
            list.push(name);
            rest = tail;
        }
        Ok(builder.alpn(list))
    };
    // SAFETY: objects of the caller's, as the header says.
    unsafe { change(options, error, body) }
}

pub(super) unsafe extern "C" fn options_dangerous_no_verify(
    options: *mut RawOptions,
    error: *mut ErrorRecord,
) -> c_int {
    let body = |builder: ContextBuilder| Ok(builder.dangerous().no_verify());
    // SAFETY: objects of the caller's, as the header says.
    unsafe { change(options, error, body) }
}

pub(super) unsafe extern "C" fn context_build(
    options: *mut RawOptions,
    context: *mut *mut RawContext,
    error: *mut ErrorRecord,
) -> c_int {
    // SAFETY: the caller's object, as the header says.
    let options = unsafe { options.as_mut() };
    let body = || {
        let options = options.ok_or_else(Fault::null)?;
        // SAFETY: null or the caller's to write.
        let mut place = unsafe { place(context) }?;
        place.put(ptr::null_mut());
        let spent = || Fault::misuse("the options have been used, or broken by an error");
        let builder = options.builder.take().ok_or_else(spent)?;
        place.put(super::context_into_raw(builder.build()?));
        Ok(())
    };
    // SAFETY: a record of the caller's.
    unsafe { answer(error, body) }
}

pub(super) unsafe extern "C" fn context_retain(context: *mut RawContext) -> c_int {
    if context.is_null() {
        return answer::NULL;
    }
    // SAFETY: the caller holds a reference, which `Arc::into_raw` has made.
    unsafe { Arc::increment_strong_count(context.cast_const()) };
    answer::OK
}

pub(super) unsafe extern "C" fn context_release(context: *mut RawContext) {
    if context.is_null() {
        return;
    }
    // SAFETY: the caller gives its reference back.
    let shared = unsafe { Arc::from_raw(context.cast_const()) };
    let _ = guard(|| {
        drop(shared);
        Ok(())
    });
}

pub(super) unsafe extern "C" fn context_role(context: *const RawContext) -> c_int {
    // SAFETY: null or alive, as the header says.
    match unsafe { context.as_ref() } {
        None => answer::NULL,
        Some(shared) if shared.context.role() == Role::Client => 0,
        Some(_) => 1,
    }
}
