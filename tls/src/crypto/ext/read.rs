//! The extensions that certificates and revocation lists have.

use openssl::stack::StackRef;
use openssl::x509::X509Extension;

use super::{Ext, Oid, sys};
use crate::crypto::cert::Cert;
use crate::crypto::crl::Crl;
use crate::error::Error;

impl Cert {
    /// Its extensions, in their order.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when OpenSSL is out of memory.
    #[doc(alias = "get_extension")]
    #[doc(alias = "get_extension_count")]
    #[doc(alias = "X509_get0_extensions")]
    pub fn extensions(&self) -> Result<Vec<Ext>, Error> {
        all(sys::of_certificate(self.as_x509()))
    }

    /// Its extension of this kind, the first if a damaged certificate has several.
    ///
    /// # Errors
    ///
    /// As [`Cert::extensions`].
    #[doc(alias = "X509_get_ext_by_OBJ")]
    pub fn extension(&self, oid: &Oid) -> Result<Option<Ext>, Error> {
        let all = self.extensions()?;
        Ok(all.into_iter().find(|ext| ext.oid() == oid))
    }
}

impl Crl {
    /// Its extensions, in their order; those of its entries are not among them.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when OpenSSL is out of memory.
    #[doc(alias = "X509_CRL_get0_extensions")]
    pub fn extensions(&self) -> Result<Vec<Ext>, Error> {
        all(sys::of_crl(self.as_x509_crl()))
    }
}

fn all(list: Option<&StackRef<X509Extension>>) -> Result<Vec<Ext>, Error> {
    list.into_iter().flatten().map(Ext::from_openssl).collect()
}
