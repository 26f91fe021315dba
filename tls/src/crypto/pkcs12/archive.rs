//! An archive taken apart with OpenSSL, piece by piece.
//!
//! `PKCS12_parse(3)` would do it in one call, and would also derive keys as often
//! as the file says, before anybody could look at the number. Nothing here decides
//! anything: what to open, and with what, is up to the caller, who is on the system
//! stack with an empty error queue.
//!
//! Decryption happens in the archive's library context. Keys and certificates are
//! made from the outcome in the default one.

use std::ffi::{c_int, c_long};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use foreign_types::ForeignType;
use openssl::error::ErrorStack;
use openssl::lib_ctx::LibCtxRef;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use openssl_sys::{ASN1_STRING, OPENSSL_STACK, PKCS7};

use super::secret::Text;
use crate::crypto::sealed::{decrypt_key, der, encryption, parse_key, pointer};
use crate::ffi;

/// ASN.1's tag of a `BMPString`.
const BMP_STRING: c_int = 30;
/// ASN.1's tag of a `UTF8String`.
const UTF8_STRING: c_int = 12;

/// A decoded archive, nothing of which has been decrypted.
pub(super) struct Archive {
    inner: Pkcs12,
    library: Option<&'static LibCtxRef>,
}

/// What protects an archive against changes.
pub(super) struct Mac {
    pub(super) iterations: u64,
    /// The `AlgorithmIdentifier`, in DER.
    pub(super) algorithm: Vec<u8>,
}

impl Archive {
    /// Decodes the DER or BER form, to be decrypted in `library`, or else in the
    /// default library context. Also returns how many bytes follow it.
    pub(super) fn decode(
        bytes: &[u8],
        library: Option<&'static LibCtxRef>,
    ) -> Result<(Archive, usize), ErrorStack> {
        let length = c_long::try_from(bytes.len()).map_err(|_| ErrorStack::get())?;
        // SAFETY: the library context lives as long as the process; null stands for
        // the default one and for no properties.
        let mut made =
            unsafe { ffi::PKCS12_init_ex(Nid::PKCS7_DATA.as_raw(), pointer(library), ptr::null()) };
        if made.is_null() {
            return Err(ErrorStack::get());
        }
        let mut next = bytes.as_ptr();
        // SAFETY: `next` has `length` bytes; the object is ours. It is decoded into
        // that object, which keeps its library context, or is freed.
        let read = unsafe { openssl_sys::d2i_PKCS12(&mut made, &mut next, length) };
        if read.is_null() {
            return Err(ErrorStack::get());
        }
        // SAFETY: an archive that is ours to free.
        let inner = unsafe { Pkcs12::from_ptr(read) };
        let rest = bytes.len() - (next.addr() - bytes.as_ptr().addr());
        Ok((Archive { inner, library }, rest))
    }

    /// How the archive is protected against changes, if it is.
    pub(super) fn mac(&self) -> Result<Option<Mac>, ErrorStack> {
        let (mut algorithm, mut iterations) = (ptr::null(), ptr::null());
        // SAFETY: the archive is alive; the others are out parameters or not wanted.
        unsafe {
            ffi::PKCS12_get0_mac(
                ptr::null_mut(),
                &mut algorithm,
                ptr::null_mut(),
                &mut iterations,
                self.inner.as_ptr(),
            )
        };
        let Some(algorithm) = NonNull::new(algorithm.cast_mut()) else {
            return Ok(None);
        };
        let iterations = if iterations.is_null() {
            1
        } else {
            // SAFETY: a number that belongs to the archive. It is -1 if it is too
            // large, and so the largest there is.
            let iterations = unsafe { openssl_sys::ASN1_INTEGER_get(iterations) };
            u64::try_from(iterations).unwrap_or(u64::MAX)
        };
        Ok(Some(Mac {
            iterations,
            // SAFETY: it belongs to the archive, which is alive.
            algorithm: unsafe { der(algorithm) }?,
        }))
    }

    /// Whether the passphrase is that of the MAC. The error says that OpenSSL cannot
    /// compute such a MAC.
    pub(super) fn verify_mac(&self, passphrase: Option<&Text>) -> Result<bool, ErrorStack> {
        let (text, length) = Text::parts(passphrase);
        // SAFETY: the archive is alive, and the text has that length or is null.
        let right = unsafe { ffi::PKCS12_verify_mac(self.inner.as_ptr(), text, length) };
        let stack = ErrorStack::get();
        match right {
            1 => Ok(true),
            _ if stack.errors().is_empty() => Ok(false),
            _ => Err(stack),
        }
    }

    pub(super) fn safes(&self) -> Result<Safes, ErrorStack> {
        // SAFETY: the archive is alive.
        let list = unsafe { ffi::PKCS12_unpack_authsafes(self.inner.as_ptr()) };
        NonNull::new(list).map(Safes).ok_or_else(ErrorStack::get)
    }
}

/// The parts of an archive, each of which may be encrypted.
pub(super) struct Safes(NonNull<ffi::stack_st_PKCS7>);

impl Safes {
    pub(super) fn iter(&self) -> impl Iterator<Item = Safe<'_>> {
        // SAFETY: the list is alive and does not change.
        let elements = unsafe { elements::<PKCS7>(self.0.as_ptr().cast()) };
        elements.map(|element| Safe(element, PhantomData))
    }
}

impl Drop for Safes {
    fn drop(&mut self) {
        // SAFETY: the list is ours, with its elements.
        unsafe {
            openssl_sys::OPENSSL_sk_pop_free(self.0.as_ptr().cast(), Some(ffi::free_safe));
        }
    }
}

/// One part of an archive.
pub(super) struct Safe<'a>(NonNull<PKCS7>, PhantomData<&'a Safes>);

/// How a part is protected.
pub(super) enum Protection {
    None,
    /// By a passphrase, with this `AlgorithmIdentifier` in DER.
    Passphrase(Vec<u8>),
    /// In a way that needs somebody's private key (RFC 7292, section 3.1).
    Other,
}

impl Safe<'_> {
    pub(super) fn protection(&self) -> Result<Protection, ErrorStack> {
        // SAFETY: the part is alive, and nothing changes it meanwhile.
        let part = unsafe { self.0.as_ref() };
        // SAFETY: the type belongs to the part.
        let kind = unsafe { openssl_sys::OBJ_obj2nid(part.type_) };
        if kind == Nid::PKCS7_DATA.as_raw() {
            return Ok(Protection::None);
        }
        if kind != Nid::PKCS7_ENCRYPTED.as_raw() {
            return Ok(Protection::Other);
        }
        // SAFETY: by its type this member of the union is the one in use.
        let encrypted = unsafe { part.d.encrypted };
        if encrypted.is_null() {
            return Err(ErrorStack::get());
        }
        // SAFETY: not null, and it belongs to the part.
        let content = unsafe { (*encrypted).enc_data };
        if content.is_null() {
            return Err(ErrorStack::get());
        }
        // SAFETY: not null, and it belongs to the part.
        let algorithm = unsafe { (*content).algorithm };
        let algorithm = NonNull::new(algorithm).ok_or_else(ErrorStack::get)?;
        // SAFETY: it belongs to the part, which is alive.
        Ok(Protection::Passphrase(unsafe { der(algorithm) }?))
    }

    /// The content of a part that is not encrypted.
    pub(super) fn bags(&self) -> Result<Bags, ErrorStack> {
        // SAFETY: the part is alive; it is only looked at.
        let list = unsafe { ffi::PKCS12_unpack_p7data(self.0.as_ptr()) };
        NonNull::new(list).map(Bags).ok_or_else(ErrorStack::get)
    }

    /// The content of an encrypted part.
    pub(super) fn decrypt(&self, passphrase: Option<&Text>) -> Result<Bags, ErrorStack> {
        let (text, length) = Text::parts(passphrase);
        // SAFETY: the part is alive, and the text has that length or is null.
        let list = unsafe { ffi::PKCS12_unpack_p7encdata(self.0.as_ptr(), text, length) };
        NonNull::new(list).map(Bags).ok_or_else(ErrorStack::get)
    }
}

/// What a part of an archive holds.
pub(super) struct Bags(NonNull<ffi::stack_st_PKCS12_SAFEBAG>);

impl Bags {
    pub(super) fn iter(&self) -> impl Iterator<Item = Bag<'_>> {
        // SAFETY: the list is alive and does not change.
        let elements = unsafe { elements(self.0.as_ptr().cast()) };
        elements.map(|element| Bag(element, PhantomData))
    }
}

impl Drop for Bags {
    fn drop(&mut self) {
        // SAFETY: the list is ours, with its elements.
        unsafe {
            openssl_sys::OPENSSL_sk_pop_free(self.0.as_ptr().cast(), Some(ffi::free_bag));
        }
    }
}

/// A key, a certificate or another thing, with its attributes.
pub(super) struct Bag<'a>(NonNull<ffi::PKCS12_SAFEBAG>, PhantomData<&'a Bags>);

/// What a bag holds.
pub(super) enum Content {
    /// A private key in the clear.
    Key,
    /// A private key encrypted with this `AlgorithmIdentifier`, in DER.
    ShroudedKey(Vec<u8>),
    Certificate,
    Bags,
    /// A revocation list, a secret, or something unknown.
    Other,
}

impl<'a> Bag<'a> {
    pub(super) fn content(&self) -> Result<Content, ErrorStack> {
        let bag = self.0.as_ptr();
        // SAFETY: the bag is alive.
        let content = match unsafe { ffi::PKCS12_SAFEBAG_get_nid(bag) } {
            ffi::NID_KEY_BAG => Content::Key,
            ffi::NID_SHROUDED_KEY_BAG => {
                // SAFETY: the bag is alive, and of this kind.
                let key = unsafe { ffi::PKCS12_SAFEBAG_get0_pkcs8(bag) };
                let key = NonNull::new(key.cast_mut()).ok_or_else(ErrorStack::get)?;
                // SAFETY: the key belongs to the bag.
                Content::ShroudedKey(unsafe { encryption(key) }?)
            }
            ffi::NID_CERT_BAG => {
                // SAFETY: the bag is alive, and of this kind.
                match unsafe { ffi::PKCS12_SAFEBAG_get_bag_nid(bag) } {
                    ffi::NID_X509_CERTIFICATE => Content::Certificate,
                    _ => Content::Other,
                }
            }
            ffi::NID_SAFE_CONTENTS_BAG => Content::Bags,
            _ => Content::Other,
        };
        Ok(content)
    }

    /// The name for people (RFC 2985, section 5.5.1).
    pub(super) fn friendly_name(&self) -> Option<String> {
        // SAFETY: the bag is alive.
        let value =
            unsafe { ffi::PKCS12_SAFEBAG_get0_attr(self.0.as_ptr(), ffi::NID_FRIENDLY_NAME) };
        let value = NonNull::new(value.cast_mut())?;
        // SAFETY: the value belongs to the bag, which does not change.
        let value = unsafe { value.as_ref() };
        let kind = value.type_;
        if kind != BMP_STRING && kind != UTF8_STRING {
            return None;
        }
        // SAFETY: by its type the value is a string.
        let text = NonNull::new(unsafe { value.value.asn1_string })?;
        // SAFETY: the string belongs to the bag.
        let text = unsafe { bytes(text) };
        if kind == UTF8_STRING {
            return Some(String::from_utf8_lossy(text).into_owned());
        }
        let units = text
            .chunks_exact(2)
            .map(|unit| u16::from_be_bytes([unit[0], unit[1]]));
        let characters = char::decode_utf16(units);
        Some(
            characters
                .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect(),
        )
    }

    /// The key of a bag of [`Content::Key`].
    pub(super) fn key(&self) -> Result<PKey<Private>, ErrorStack> {
        // SAFETY: the bag is alive, and of this kind.
        let key = unsafe { ffi::PKCS12_SAFEBAG_get0_p8inf(self.0.as_ptr()) };
        let key = NonNull::new(key.cast_mut()).ok_or_else(ErrorStack::get)?;
        // SAFETY: the key belongs to the bag.
        unsafe { parse_key(key) }
    }

    /// The key of a bag of [`Content::ShroudedKey`].
    pub(super) fn decrypt_key(
        &self,
        passphrase: Option<&Text>,
        archive: &Archive,
    ) -> Result<PKey<Private>, ErrorStack> {
        // SAFETY: the bag is alive, and of this kind.
        let key = unsafe { ffi::PKCS12_SAFEBAG_get0_pkcs8(self.0.as_ptr()) };
        let key = NonNull::new(key.cast_mut()).ok_or_else(ErrorStack::get)?;
        // SAFETY: the key belongs to the bag.
        unsafe { decrypt_key(key, passphrase, archive.library) }
    }

    /// The certificate of a bag of [`Content::Certificate`].
    pub(super) fn certificate(&self) -> Result<X509, ErrorStack> {
        // SAFETY: the bag is alive, and of this kind.
        let certificate = unsafe { ffi::PKCS12_SAFEBAG_get1_cert(self.0.as_ptr()) };
        if certificate.is_null() {
            return Err(ErrorStack::get());
        }
        // SAFETY: a certificate that is ours to free.
        let certificate = unsafe { X509::from_ptr(certificate) };
        if let Some(name) = self.friendly_name() {
            let length = c_int::try_from(name.len()).map_err(|_| ErrorStack::get())?;
            // SAFETY: nobody else has the certificate yet; it copies the name, which
            // has that length.
            let done = unsafe { ffi::X509_alias_set1(certificate.as_ptr(), name.as_ptr(), length) };
            if done != 1 {
                return Err(ErrorStack::get());
            }
        }
        Ok(certificate)
    }

    /// The bags of a bag of [`Content::Bags`].
    pub(super) fn bags(&self) -> impl Iterator<Item = Bag<'a>> + use<'a> {
        // SAFETY: the bag is alive, and of this kind.
        let list = unsafe { ffi::PKCS12_SAFEBAG_get0_safes(self.0.as_ptr()) };
        // SAFETY: the list belongs to the bag, which does not change.
        let elements = unsafe { elements(list.cast()) };
        elements.map(|element| Bag(element, PhantomData))
    }
}

/// # Safety
///
/// The string must be alive and stay unchanged for `'a`.
unsafe fn bytes<'a>(string: NonNull<ASN1_STRING>) -> &'a [u8] {
    // SAFETY: alive by the caller's word.
    let length = unsafe { openssl_sys::ASN1_STRING_length(string.as_ptr()) };
    // SAFETY: alive by the caller's word.
    let start = unsafe { openssl_sys::ASN1_STRING_get0_data(string.as_ptr()) };
    match usize::try_from(length) {
        #[allow(clippy::disallowed_methods, reason = "checked for null here")]
        // SAFETY: `length` bytes, unchanged for `'a` by the caller's word.
        Ok(length) if length > 0 && !start.is_null() => unsafe {
            std::slice::from_raw_parts(start, length)
        },
        _ => &[],
    }
}

/// # Safety
///
/// The list must hold elements of this type, or be null, and stay alive and unchanged
/// while the iterator is used.
unsafe fn elements<T>(list: *const OPENSSL_STACK) -> impl Iterator<Item = NonNull<T>> {
    // SAFETY: alive by the caller's word; null has no elements.
    let count = unsafe { openssl_sys::OPENSSL_sk_num(list) };
    (0..count).filter_map(move |index| {
        // SAFETY: alive and of that length by the caller's word.
        NonNull::new(unsafe { openssl_sys::OPENSSL_sk_value(list, index) }.cast())
    })
}
