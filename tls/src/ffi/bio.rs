//! `BIO_s_bio(3)`.

use std::ffi::{c_char, c_int};

use openssl_sys::BIO;
pub(crate) use openssl_sys::{
    BIO_meth_set_ctrl__fixed_rust as BIO_meth_set_ctrl,
    BIO_meth_set_destroy__fixed_rust as BIO_meth_set_destroy,
    BIO_meth_set_read__fixed_rust as BIO_meth_set_read,
    BIO_meth_set_write__fixed_rust as BIO_meth_set_write,
};

/// `BIO_C_SHUTDOWN_WR` (`BIO_s_bio(3)`): the other half reads end of file.
pub(crate) const BIO_C_SHUTDOWN_WR: c_int = 142;
/// `BIO_CTRL_PENDING`: bytes that can be read from this half.
pub(crate) const BIO_CTRL_PENDING: c_int = 10;
/// `BIO_TYPE_BIO`: what both halves of a pair are.
pub(crate) const BIO_TYPE_BIO: c_int = 19 | 0x0400;
/// `BIO_FLAGS_SHOULD_RETRY`: the last call failed for want of room or data only.
pub(crate) const BIO_FLAGS_SHOULD_RETRY: c_int = 0x08;
/// `BIO_C_GET_WRITE_BUF_SIZE`: the capacity of the ring that this half writes to.
pub(crate) const BIO_C_GET_WRITE_BUF_SIZE: c_int = 137;
/// `BIO_C_GET_WRITE_GUARANTEE`: bytes that can be written to this half.
pub(crate) const BIO_C_GET_WRITE_GUARANTEE: c_int = 140;
/// `BIO_C_GET_READ_REQUEST`: bytes that the other half wanted and did not find.
pub(crate) const BIO_C_GET_READ_REQUEST: c_int = 141;

unsafe extern "C" {
    pub(crate) fn BIO_new_bio_pair(
        bio1: *mut *mut BIO,
        writebuf1: usize,
        bio2: *mut *mut BIO,
        writebuf2: usize,
    ) -> c_int;
    pub(crate) fn BIO_nread0(bio: *mut BIO, buf: *mut *mut c_char) -> c_int;
    pub(crate) fn BIO_nread(bio: *mut BIO, buf: *mut *mut c_char, num: c_int) -> c_int;
    pub(crate) fn BIO_nwrite0(bio: *mut BIO, buf: *mut *mut c_char) -> c_int;
    pub(crate) fn BIO_nwrite(bio: *mut BIO, buf: *mut *mut c_char, num: c_int) -> c_int;
    pub(crate) fn BIO_method_type(bio: *const BIO) -> c_int;
    pub(crate) fn BIO_number_read(bio: *mut BIO) -> u64;
    pub(crate) fn BIO_test_flags(bio: *const BIO, flags: c_int) -> c_int;
    pub(crate) fn BIO_free(bio: *mut BIO) -> c_int;
    pub(crate) fn BIO_up_ref(bio: *mut BIO) -> c_int;
}
