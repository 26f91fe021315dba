//! PKCS #12 archives bag by bag, and PKCS #8 in another library context.

use std::ffi::{c_char, c_int, c_long, c_uchar, c_void};

use openssl_sys::{
    ASN1_INTEGER, ASN1_OCTET_STRING, ASN1_TYPE, OSSL_LIB_CTX, PKCS7, PKCS8_PRIV_KEY_INFO, PKCS12,
    X509, X509_ALGOR,
};

/// `NID_keyBag`: a private key in the clear.
pub(crate) const NID_KEY_BAG: c_int = 150;
/// `NID_pkcs8ShroudedKeyBag`: an encrypted private key.
pub(crate) const NID_SHROUDED_KEY_BAG: c_int = 151;
/// `NID_certBag`.
pub(crate) const NID_CERT_BAG: c_int = 152;
/// `NID_safeContentsBag`: more bags.
pub(crate) const NID_SAFE_CONTENTS_BAG: c_int = 155;
/// `NID_friendlyName`.
pub(crate) const NID_FRIENDLY_NAME: c_int = 156;
/// `NID_x509Certificate`.
pub(crate) const NID_X509_CERTIFICATE: c_int = 158;

pub(crate) enum PKCS12_SAFEBAG {}
pub(crate) enum X509_SIG {}
pub(crate) enum stack_st_PKCS12_SAFEBAG {}
pub(crate) enum stack_st_PKCS7 {}

unsafe extern "C" {
    pub(crate) fn PKCS12_init_ex(
        mode: c_int,
        library: *mut OSSL_LIB_CTX,
        properties: *const c_char,
    ) -> *mut PKCS12;
    pub(crate) fn PKCS12_get0_mac(
        mac: *mut *const ASN1_OCTET_STRING,
        algorithm: *mut *const X509_ALGOR,
        salt: *mut *const ASN1_OCTET_STRING,
        iterations: *mut *const ASN1_INTEGER,
        archive: *const PKCS12,
    );
    pub(crate) fn PKCS12_verify_mac(
        archive: *mut PKCS12,
        passphrase: *const c_char,
        length: c_int,
    ) -> c_int;
    pub(crate) fn PKCS12_unpack_authsafes(archive: *const PKCS12) -> *mut stack_st_PKCS7;
    pub(crate) fn PKCS12_unpack_p7data(safe: *mut PKCS7) -> *mut stack_st_PKCS12_SAFEBAG;
    pub(crate) fn PKCS12_unpack_p7encdata(
        safe: *mut PKCS7,
        passphrase: *const c_char,
        length: c_int,
    ) -> *mut stack_st_PKCS12_SAFEBAG;
    pub(crate) fn PKCS12_SAFEBAG_free(bag: *mut PKCS12_SAFEBAG);
    pub(crate) fn PKCS12_SAFEBAG_get_nid(bag: *const PKCS12_SAFEBAG) -> c_int;
    pub(crate) fn PKCS12_SAFEBAG_get_bag_nid(bag: *const PKCS12_SAFEBAG) -> c_int;
    pub(crate) fn PKCS12_SAFEBAG_get0_attr(
        bag: *const PKCS12_SAFEBAG,
        nid: c_int,
    ) -> *const ASN1_TYPE;
    pub(crate) fn PKCS12_SAFEBAG_get1_cert(bag: *const PKCS12_SAFEBAG) -> *mut X509;
    pub(crate) fn PKCS12_SAFEBAG_get0_safes(
        bag: *const PKCS12_SAFEBAG,
    ) -> *const stack_st_PKCS12_SAFEBAG;
    pub(crate) fn PKCS12_SAFEBAG_get0_p8inf(
        bag: *const PKCS12_SAFEBAG,
    ) -> *const PKCS8_PRIV_KEY_INFO;
    pub(crate) fn PKCS12_SAFEBAG_get0_pkcs8(bag: *const PKCS12_SAFEBAG) -> *const X509_SIG;
    pub(crate) fn PKCS8_decrypt_ex(
        key: *const X509_SIG,
        passphrase: *const c_char,
        length: c_int,
        library: *mut OSSL_LIB_CTX,
        properties: *const c_char,
    ) -> *mut PKCS8_PRIV_KEY_INFO;
    pub(crate) fn X509_SIG_get0(
        key: *const X509_SIG,
        algorithm: *mut *const X509_ALGOR,
        content: *mut *const ASN1_OCTET_STRING,
    );
    pub(crate) fn d2i_X509_SIG(
        key: *mut *mut X509_SIG,
        next: *mut *const c_uchar,
        length: c_long,
    ) -> *mut X509_SIG;
    pub(crate) fn X509_SIG_free(key: *mut X509_SIG);
    pub(crate) fn i2d_X509_ALGOR(algorithm: *const X509_ALGOR, out: *mut *mut c_uchar) -> c_int;
    pub(crate) fn X509_alias_set1(
        certificate: *mut X509,
        name: *const c_uchar,
        length: c_int,
    ) -> c_int;
}

/// `PKCS12_SAFEBAG_free` in the shape that `OPENSSL_sk_pop_free` wants.
pub(crate) unsafe extern "C" fn free_bag(bag: *mut c_void) {
    // SAFETY: the caller gives a bag away.
    unsafe { PKCS12_SAFEBAG_free(bag.cast()) }
}

/// The same for `PKCS7_free`.
pub(crate) unsafe extern "C" fn free_safe(safe: *mut c_void) {
    // SAFETY: the caller gives a structure away.
    unsafe { openssl_sys::PKCS7_free(safe.cast()) }
}
