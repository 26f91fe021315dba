//! The OCSP response that goes with a certificate.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use openssl::ocsp::OcspResponse;

use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::error::Error;
use crate::ssl::on_system_stack;

/// Newer releases of OpenSSL refuse to send what is no OCSP response.
fn check(response: &[u8]) -> Result<(), ConfigError> {
    on_system_stack(|| match OcspResponse::from_der(response) {
        Ok(_) => Ok(()),
        Err(stack) => {
            let what = "is not in the DER form of one";
            let error = ConfigError::new(ConfigErrorKind::Malformed, "OCSP response", what);
            Err(error.because_ssl(stack))
        }
    })
}

/// An OCSP response for a server to send along with its certificate ("stapling",
/// RFC 6066, section 8), so that clients need not ask the authority.
///
/// Clones share the response: replace it while the server runs, for every context
/// and every thread at once. A certificate that demands a staple (RFC 7633) is
/// useless to clients that know of that while there is none, or an old one.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```no_run
/// use greenling_tls::{ContextBuilder, Identity, OcspStaple};
///
/// let staple = OcspStaple::new(std::fs::read("server.ocsp")?)?;
/// let identity = Identity::from_pem_files("server.pem", "server.key")?
///     .with_ocsp_staple(&staple);
/// let context = ContextBuilder::server().identity(identity).build()?;
/// // Later, before the old one expires:
/// staple.set(std::fs::read("server.ocsp")?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "set_ocsp_server_callback")]
#[doc(alias = "SSL_set_tlsext_status_ocsp_resp")]
#[derive(Clone, Default)]
pub struct OcspStaple {
    response: Arc<RwLock<Option<Arc<[u8]>>>>,
}

impl OcspStaple {
    /// A response in DER form, as the authority sends it.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when it is none.
    pub fn new(response: impl Into<Vec<u8>>) -> Result<OcspStaple, Error> {
        let staple = OcspStaple::default();
        staple.set(response)?;
        Ok(staple)
    }

    /// Sends this one from now on.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when it is none; the old one stays.
    pub fn set(&self, response: impl Into<Vec<u8>>) -> Result<(), Error> {
        let response = response.into();
        check(&response)?;
        self.put(Some(Arc::from(response)));
        Ok(())
    }

    /// Sends none from now on.
    pub fn clear(&self) {
        self.put(None);
    }

    /// The response of now.
    pub(crate) fn get(&self) -> Option<Arc<[u8]>> {
        // There is no statement in the middle of which one could panic.
        let response = self.response.read().unwrap_or_else(PoisonError::into_inner);
        response.clone()
    }

    fn put(&self, response: Option<Arc<[u8]>>) {
        let mut current = self
            .response
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = response;
    }
}

impl fmt::Debug for OcspStaple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.get().map(|response| response.len());
        f.debug_struct("OcspStaple")
            .field("length", &length)
            .finish()
    }
}
