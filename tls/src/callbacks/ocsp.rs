//! OCSP responses that servers send along with their certificates (RFC 6066,
//! section 8): which one a server sends, and what a client makes of it.

use std::sync::Arc;

use foreign_types::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::ocsp::{OcspCertId, OcspCertStatus, OcspFlag, OcspResponse, OcspResponseStatus};
use openssl::ssl::{SslContextBuilder, SslRef};
use openssl::x509::X509;

use super::observers;
use super::{ConnectionView, Hooks, Rejection, attached, attached_mut};
use crate::crypto::Cert;
use crate::engine::Role;
use crate::error::Alert;
use crate::identity::OcspStaple;
use crate::panics::guard_callback;
#[cfg(feature = "aws-lc")]
use crate::ssl::missing::SslRefExt;

/// How far the clocks of an authority and of a client may be apart, in seconds.
const SKEW: u32 = 300;
/// How old a response may be that does not say when the next one is due.
const AGE_MAX: u32 = 7 * 24 * 60 * 60;
/// `OCSP_PARTIAL_CHAIN` of `OCSP_basic_verify(3)`: any anchor ends a chain.
const PARTIAL_CHAIN: std::ffi::c_ulong = 0x1000;

/// Judges the response of a server.
pub(crate) type OnOcsp =
    Arc<dyn Fn(&ConnectionView<'_>, Option<&[u8]>) -> Result<(), Rejection> + Send + Sync>;
/// Finds the response for a server's certificate.
pub(crate) type OcspResponder =
    Arc<dyn Fn(&ConnectionView<'_>, &Cert) -> Result<Option<Vec<u8>>, Rejection> + Send + Sync>;

/// What a context does about OCSP.
#[derive(Default, Clone)]
pub(crate) struct Ocsp {
    /// Clients: ask for a response.
    pub(crate) request: bool,
    /// Clients: no connection without a good response.
    pub(crate) require: bool,
    pub(crate) on_response: Option<OnOcsp>,
    pub(crate) responder: Option<OcspResponder>,
    /// Servers: what is sent with which certificate.
    pub(crate) staples: Vec<(X509, OcspStaple)>,
}

/// Makes OpenSSL ask for responses and call back about them.
pub(super) fn install(
    hooks: &Hooks,
    role: Role,
    context: &mut SslContextBuilder,
) -> Result<(), ErrorStack> {
    match role {
        Role::Client if hooks.ocsp.request => {
            observers::request_ocsp(context);
            context.set_status_callback(|ssl| {
                // An error makes OpenSSL fail with `internal_error`.
                guard_callback(Err(ErrorStack::get()), || judge(ssl))
            })
        }
        Role::Client => Ok(()),
        // Also without staples: an identity that comes late may have one.
        Role::Server => context.set_status_callback(|ssl| {
            // Likewise.
            guard_callback(Err(ErrorStack::get()), || respond(ssl))
        }),
    }
}

/// Whether a client goes on. `false` is `bad_certificate_status_response`.
fn judge(ssl: &mut SslRef) -> Result<bool, ErrorStack> {
    let Some(hooks) = Hooks::of(ssl) else {
        return Ok(false);
    };
    let response = ssl.ocsp_status();
    // A resumed session has no certificate to send a response for; it was checked
    // when the session began.
    let checked = if hooks.ocsp.require && !ssl.session_reused() {
        check(ssl, response).map_err(|what| {
            Rejection::new(Alert::BAD_CERTIFICATE_STATUS_RESPONSE).because(format!("OCSP: {what}"))
        })
    } else {
        Ok(())
    };
    let asked = checked.and_then(|()| match &hooks.ocsp.on_response {
        Some(on_response) => on_response(&ConnectionView::new(ssl), response),
        None => Ok(()),
    });
    match asked {
        Ok(()) => Ok(true),
        Err(rejection) => refuse(ssl, rejection),
    }
}

/// Whether a server sends a response, which it has set then.
fn respond(ssl: &mut SslRef) -> Result<bool, ErrorStack> {
    let Some(hooks) = Hooks::of(ssl) else {
        return Ok(false);
    };
    let found = match (&hooks.ocsp.responder, ssl.certificate()) {
        (Some(responder), Some(certificate)) => {
            match responder(&ConnectionView::new(ssl), &Cert::from(certificate)) {
                // Some releases of OpenSSL would send anything.
                Ok(Some(found)) => {
                    OcspResponse::from_der(&found)?;
                    Some(Arc::from(found))
                }
                Ok(None) => None,
                Err(rejection) => {
                    attached_mut(ssl)?.rejection = Some(rejection);
                    return Err(ErrorStack::get());
                }
            }
        }
        _ => None,
    };
    match found.or_else(|| staple(ssl, &hooks)) {
        Some(response) => ssl.set_ocsp_status(&response).map(|()| true),
        None => Ok(false),
    }
}

/// What goes with the certificate that the server has chosen.
fn staple(ssl: &SslRef, hooks: &Hooks) -> Option<Arc<[u8]>> {
    let chosen = ssl.certificate()?.as_ptr();
    let late = attached(ssl).and_then(|attached| attached.staple.as_ref());
    let mut all = late.into_iter().chain(&hooks.ocsp.staples);
    let (_, staple) = all.find(|(certificate, _)| certificate.as_ptr() == chosen)?;
    staple.get()
}

/// Only two alerts can be had here.
fn refuse(ssl: &mut SslRef, rejection: Rejection) -> Result<bool, ErrorStack> {
    let internal = rejection.alert() == Alert::INTERNAL_ERROR;
    attached_mut(ssl)?.rejection = Some(rejection);
    if internal {
        Err(ErrorStack::get())
    } else {
        Ok(false)
    }
}

/// Whether the response says that the server's certificate is good: signed by the
/// certificate's authority or one that it has empowered, about this certificate, and
/// of our time (RFC 6960, section 3.2).
fn check(ssl: &SslRef, response: Option<&[u8]>) -> Result<(), &'static str> {
    let response = response.ok_or("the server sent no response")?;
    let response = OcspResponse::from_der(response).map_err(|_| "the response is malformed")?;
    if response.status() != OcspResponseStatus::SUCCESSFUL {
        return Err("the response is an error of the responder");
    }
    let basic = response.basic().map_err(|_| "the response is malformed")?;
    let chain = ssl
        .verified_chain()
        .ok_or("the server has no verified chain")?;
    let (Some(leaf), Some(issuer)) = (chain.get(0), chain.get(1)) else {
        return Err("the server's certificate has no issuer");
    };
    let anchors = ssl.ssl_context().cert_store();
    basic
        .verify(chain, anchors, OcspFlag::from_bits_retain(PARTIAL_CHAIN))
        .map_err(|_| "the response is not signed by the certificate's authority")?;
    let digests = [
        MessageDigest::sha1(),
        MessageDigest::sha256(),
        MessageDigest::sha384(),
        MessageDigest::sha512(),
    ];
    let ids = digests
        .into_iter()
        .filter_map(|digest| OcspCertId::from_cert(digest, leaf, issuer).ok());
    for id in ids {
        let Some(status) = basic.find_status(&id) else {
            continue;
        };
        let age_max = match status.next_update() {
            Some(_) => None,
            None => Some(AGE_MAX),
        };
        status
            .check_validity(SKEW, age_max)
            .map_err(|_| "the response is not of this time")?;
        return match status.status {
            OcspCertStatus::GOOD => Ok(()),
            OcspCertStatus::REVOKED => Err("the certificate is revoked"),
            _ => Err("the authority does not know the certificate"),
        };
    }
    Err("the response is about another certificate")
}
