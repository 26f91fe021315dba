//! The calls on stores that the `openssl` crate lacks.

use std::ffi::{CStr, c_int};
use std::ptr;

use foreign_types::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::x509::store::X509StoreBuilderRef;
use openssl::x509::verify::X509VerifyParamRef;
use openssl::x509::{X509CrlRef, X509StoreContextRef};

use crate::ffi;

/// Adds a revocation list to those that chains are checked with.
pub(crate) fn add_crl(store: &mut X509StoreBuilderRef, crl: &X509CrlRef) -> Result<(), ErrorStack> {
    // SAFETY: both are alive for the call, and the store takes a reference of its own.
    check(unsafe { ffi::X509_STORE_add_crl(store.as_ptr(), crl.as_ptr()) })
}

/// Has a store read a PEM file now.
#[cfg(any(feature = "vendored", feature = "aws-lc"))]
pub(super) fn add_file(store: &mut X509StoreBuilderRef, path: &CStr) -> Result<(), ErrorStack> {
    // SAFETY: the store is alive and not yet shared; the path is copied.
    check(unsafe { ffi::X509_STORE_load_locations(store.as_ptr(), path.as_ptr(), ptr::null()) })
}

/// Has a store look into a directory whenever it lacks a certificate.
pub(super) fn add_dir(store: &mut X509StoreBuilderRef, path: &CStr) -> Result<(), ErrorStack> {
    // SAFETY: the store is alive and not yet shared; the path is copied.
    check(unsafe { ffi::X509_STORE_load_locations(store.as_ptr(), ptr::null(), path.as_ptr()) })
}

/// The rules of one verification.
pub(super) fn parameters(context: &mut X509StoreContextRef) -> &mut X509VerifyParamRef {
    // SAFETY: the context is alive and initialised, so it has parameters.
    let parameters = unsafe { ffi::X509_STORE_CTX_get0_param(context.as_ptr()) };
    // SAFETY: they belong to the context, which stays borrowed for as long as they are.
    unsafe { X509VerifyParamRef::from_ptr_mut(parameters) }
}

/// What an anchor that comes with settings must be trusted for.
pub(super) fn set_trust(
    parameters: &mut X509VerifyParamRef,
    trust: c_int,
) -> Result<(), ErrorStack> {
    // SAFETY: the parameters are alive and ours alone.
    check(unsafe { ffi::X509_VERIFY_PARAM_set_trust(parameters.as_ptr(), trust) })
}

fn check(done: c_int) -> Result<(), ErrorStack> {
    if done == 1 {
        Ok(())
    } else {
        Err(ErrorStack::get())
    }
}
