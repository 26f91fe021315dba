//! Structures on their way by electronic mail: S/MIME (RFC 8551).

use super::{Pkcs7, Pkcs7Flags, sys};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::call::{call, check_size};
use crate::error::Error;
use openssl::pkcs7;

impl Pkcs7 {
    /// Reads a message: the structure and, if the message is in plain beside its
    /// signature, the content for [`verify`](Pkcs7::verify).
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind `Malformed` or `TooLarge`.
    #[doc(alias = "SMIME_read_PKCS7")]
    pub fn from_smime(message: &[u8]) -> Result<(Pkcs7, Option<Vec<u8>>), Error> {
        check_size("S/MIME message", message)?;
        // OpenSSL repeats the type in its errors, and `openssl` takes only UTF-8 there.
        if message
            .split(|byte| *byte == b'\n')
            .any(is_type_beyond_ascii)
        {
            let detail = "has a content type that is not ASCII";
            let kind = ConfigErrorKind::Malformed;
            return Err(ConfigError::new(kind, "S/MIME message", detail).into());
        }
        let read = call(|| pkcs7::Pkcs7::from_smime(message));
        let (structure, content) = read.map_err(|stack| {
            let detail = "holds no PKCS #7 structure, or a damaged one";
            ConfigError::new(ConfigErrorKind::Malformed, "S/MIME message", detail)
                .because_ssl(stack)
        })?;
        Ok((Pkcs7::from_openssl(&structure)?, content))
    }

    /// Writes a message. A [detached](Pkcs7::is_detached) structure needs its
    /// `content`, which goes along in plain; lines end with CRLF in a message, so it
    /// should have been signed with [`Pkcs7Flags::CRLF`].
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind `Missing` (the content), `BadValue` (content was given
    /// for a structure that has its own), or `TooLarge`.
    #[doc(alias = "SMIME_write_PKCS7")]
    pub fn to_smime(&self, content: Option<&[u8]>) -> Result<Vec<u8>, Error> {
        self.check_content(content)?;
        let mut flags = Pkcs7Flags::CRLF;
        if content.is_some() {
            flags |= Pkcs7Flags::DETACHED;
        }
        Ok(call(|| {
            let (structure, _) = sys::decode(&self.shared.der)?;
            structure.to_smime(content.unwrap_or_default(), flags.openssl())
        })?)
    }
}

/// Whether a line may be a header field with a content type, and has bytes beyond ASCII.
fn is_type_beyond_ascii(line: &[u8]) -> bool {
    let field = b"content-type";
    let names_type = |part: &[u8]| part.eq_ignore_ascii_case(field);
    !line.is_ascii() && line.windows(field.len()).any(names_type)
}
