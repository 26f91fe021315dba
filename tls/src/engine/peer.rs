//! Who the peer is, by its certificate.

use openssl::x509::X509;

use super::Engine;

impl Engine {
    /// The certificate that the peer showed. With a verifying context it has been
    /// checked; with others this may be anything.
    #[doc(alias = "SSL_get1_peer_certificate")]
    #[doc(alias = "get_peer_certificate")]
    #[doc(alias = "getpeercert")]
    pub fn peer_certificate(&self) -> Option<X509> {
        self.ssl().peer_certificate()
    }
}
