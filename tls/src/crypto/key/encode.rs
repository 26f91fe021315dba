//! Private keys, as files have them.

use openssl::error::ErrorStack;
use openssl::pkey::Id;
use openssl::symm::Cipher;
use zeroize::Zeroizing;

use super::{PrivateKey, Protect, call, pbes2};
use crate::crypto::encoding::Encoding;
use crate::crypto::pem;
use crate::error::Error;
use crate::secret::Secret;

impl PrivateKey {
    /// Writes the key in the form of PKCS #8 (RFC 5958), which all kinds of keys have:
    /// encrypted as `protect` says, or in the clear.
    ///
    /// The result is wiped when dropped; what is copied out of it is not.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when the passphrase cannot be used, as
    /// [`Protect::new`] says. [`Error::Ssl`] when the key cannot be exported, as keys
    /// in hardware cannot.
    #[doc(alias = "dump_privatekey")]
    #[doc(alias = "PEM_write_bio_PKCS8PrivateKey")]
    #[doc(alias = "i2d_PKCS8PrivateKey_bio")]
    pub fn encode(&self, encoding: Encoding, protect: Option<&Protect>) -> Result<Secret, Error> {
        let key = self.as_pkey();
        let Some(protect) = protect else {
            let plain = call(|| match encoding {
                Encoding::Pem => key.private_key_to_pem_pkcs8(),
                Encoding::Der => key.private_key_to_pkcs8(),
            })?;
            return Ok(Secret::new(plain));
        };
        let (cipher, iterations, passphrase) = protect.parts()?;
        let sealed = call(|| {
            let plain = Zeroizing::new(key.private_key_to_pkcs8()?);
            pbes2::seal(&plain, cipher, iterations, passphrase)
        })?;
        Ok(Secret::new(match encoding {
            Encoding::Pem => pem::write("ENCRYPTED PRIVATE KEY", &sealed),
            Encoding::Der => sealed,
        }))
    }

    /// Writes the key in the traditional form of its kind, for old readers: RSA, EC
    /// and DSA keys have one.
    ///
    /// Only the PEM form can be encrypted, and weakly: whatever the cipher, the
    /// passphrase is hashed once, by MD5. [`PrivateKey::encode`] is better.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for other kinds of keys, and for an encrypted DER form.
    /// Else as [`PrivateKey::encode`].
    #[doc(alias = "dump_privatekey")]
    #[doc(alias = "PEM_write_bio_PrivateKey_traditional")]
    #[doc(alias = "PEM_write_bio_RSAPrivateKey")]
    #[doc(alias = "i2d_PrivateKey")]
    pub fn encode_traditional(
        &self,
        encoding: Encoding,
        protect: Option<&Protect>,
    ) -> Result<Secret, Error> {
        let key = self.as_pkey();
        if !matches!(key.id(), Id::RSA | Id::EC | Id::DSA) {
            let detail = format!("{} keys have no traditional form", self.algorithm());
            return Err(Error::unsupported(detail));
        }
        let text = match (encoding, protect) {
            (Encoding::Der, None) => call(|| key.private_key_to_der())?,
            (Encoding::Der, Some(_)) => {
                let detail = "the traditional form of a key is encrypted in PEM form only";
                return Err(Error::unsupported(detail));
            }
            (Encoding::Pem, None) => call(|| self.traditional_pem(None))?,
            (Encoding::Pem, Some(protect)) => {
                let (cipher, _, passphrase) = protect.parts()?;
                call(|| self.traditional_pem(Some((cipher.openssl(), passphrase))))?
            }
        };
        Ok(Secret::new(text))
    }

    fn traditional_pem(&self, protect: Option<(Cipher, &[u8])>) -> Result<Vec<u8>, ErrorStack> {
        let key = self.as_pkey();
        // The types differ, and a key has the one that its identifier says.
        match (key.id(), protect) {
            (Id::RSA, None) => key.rsa()?.private_key_to_pem(),
            (Id::RSA, Some((cipher, with))) => {
                key.rsa()?.private_key_to_pem_passphrase(cipher, with)
            }
            (Id::DSA, None) => key.dsa()?.private_key_to_pem(),
            (Id::DSA, Some((cipher, with))) => {
                key.dsa()?.private_key_to_pem_passphrase(cipher, with)
            }
            (_, None) => key.ec_key()?.private_key_to_pem(),
            (_, Some((cipher, with))) => key.ec_key()?.private_key_to_pem_passphrase(cipher, with),
        }
    }
}
