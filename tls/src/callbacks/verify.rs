//! The application's word in the check of the peer's chain.
//!
//! OpenSSL asks once for every certificate of the chain, from the anchor to the
//! peer's own, and once for every fault that it finds. The answer decides whether
//! it goes on.

use std::fmt;
use std::sync::Arc;

use openssl::ssl::SslRef;
use openssl::x509::X509Ref;

use super::{ConnectionView, Hooks, Rejection, attached_mut};
use crate::crypto::Cert;
use crate::error::{Alert, VerifyError};
use crate::panics::guard_callback;

/// Has a say in the check of a chain.
pub(crate) type VerifyWith = Arc<dyn Fn(&VerifyStep<'_>) -> Verdict + Send + Sync>;

/// One step in the check of the peer's chain; see
/// [`ContextBuilder::verify_with`](crate::ContextBuilder::verify_with).
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "X509_STORE_CTX")]
pub struct VerifyStep<'a> {
    connection: ConnectionView<'a>,
    certificate: Option<&'a X509Ref>,
    error: Option<VerifyError>,
    depth: u32,
}

impl<'a> VerifyStep<'a> {
    pub(super) fn new(
        connection: ConnectionView<'a>,
        certificate: Option<&'a X509Ref>,
        error: Option<VerifyError>,
        depth: u32,
    ) -> VerifyStep<'a> {
        VerifyStep {
            connection,
            certificate,
            error,
            depth,
        }
    }

    /// The connection.
    pub fn connection(&self) -> ConnectionView<'a> {
        self.connection
    }

    /// The certificate that this step is about. A fault of the chain as a whole may
    /// have none.
    #[doc(alias = "X509_STORE_CTX_get_current_cert")]
    pub fn certificate(&self) -> Option<Cert> {
        self.certificate.map(Cert::from)
    }

    /// The fault that OpenSSL has found.
    #[doc(alias = "X509_STORE_CTX_get_error")]
    pub fn error(&self) -> Option<&VerifyError> {
        self.error.as_ref()
    }

    /// Where in the chain it is: 0 is the peer's own certificate.
    #[doc(alias = "X509_STORE_CTX_get_error_depth")]
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// Whether OpenSSL would go on: it has found no fault here.
    #[doc(alias = "preverify_ok")]
    pub fn preverified(&self) -> bool {
        self.error.is_none()
    }
}

impl fmt::Debug for VerifyStep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyStep")
            .field("connection", &self.connection)
            .field("subject", &self.certificate.map(X509Ref::subject_name))
            .field("error", &self.error)
            .field("depth", &self.depth)
            .finish()
    }
}

/// What becomes of one step in the check of a chain.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// What OpenSSL has found: go on where there is no fault, refuse where there is.
    AsOpenSsl,
    /// Go on, even over a fault. Dangerous: whoever accepts a fault without looking
    /// at the certificate talks to anybody. Compare the certificate with one that is
    /// known, byte by byte, before this.
    Accept,
    /// Refuse the connection. OpenSSL can send these alerts for a certificate:
    /// `bad_certificate`, `unsupported_certificate`, `certificate_revoked`,
    /// `certificate_expired`, `unknown_ca`, `decrypt_error`, `handshake_failure` and
    /// `internal_error`; all others become `certificate_unknown`.
    Reject(Rejection),
}

/// What OpenSSL is told of a step.
pub(super) enum Answer {
    /// Go on, as if there were no fault.
    GoOn,
    /// Refuse, for the fault that OpenSSL has found.
    Fault,
    /// Refuse with this alert.
    Refuse(Alert),
}

/// Asks the application, and remembers what the connection fails for.
pub(super) fn judge(
    ssl: &mut SslRef,
    certificate: Option<&X509Ref>,
    error: Option<VerifyError>,
    depth: u32,
) -> Answer {
    let verdict = match Hooks::of(ssl).and_then(|hooks| hooks.verify_with.clone()) {
        None => Verdict::AsOpenSsl,
        Some(verify_with) => {
            let connection = ConnectionView::new(ssl);
            let step = VerifyStep::new(connection, certificate, error.clone(), depth);
            let panicked = Verdict::Reject(Rejection::new(Alert::INTERNAL_ERROR));
            guard_callback(panicked, || verify_with(&step))
        }
    };
    match (verdict, error) {
        (Verdict::Accept, _) | (Verdict::AsOpenSsl, None) => Answer::GoOn,
        (Verdict::AsOpenSsl, Some(error)) => {
            // Without memory the fault is told without its place.
            if let Ok(attached) = attached_mut(ssl) {
                attached.fault = Some(error.at(depth, certificate));
            }
            Answer::Fault
        }
        (Verdict::Reject(rejection), _) => {
            let alert = rejection.alert();
            if let Ok(attached) = attached_mut(ssl) {
                attached.rejection = Some(rejection);
            }
            Answer::Refuse(alert)
        }
    }
}
