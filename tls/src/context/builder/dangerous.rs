//! Options that switch off what TLS is for, behind a name that says so.

use super::ContextBuilder;

impl ContextBuilder {
    /// Options that switch off what TLS is for.
    pub fn dangerous(self) -> Dangerous {
        Dangerous { builder: self }
    }
}

/// Options of a client that let an attacker in the middle go unnoticed; see
/// [`ContextBuilder::dangerous`].
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Debug)]
#[must_use]
pub struct Dangerous {
    builder: ContextBuilder,
}

impl Dangerous {
    /// Clients: accepts every certificate for every name. For tests only: whoever
    /// can reach the connection can read and change it.
    #[doc(alias = "VERIFY_NONE")]
    pub fn no_verify(mut self) -> ContextBuilder {
        self.builder.verification.verify = false;
        self.builder
    }

    /// Clients: checks that the certificate leads to a trust anchor, but not whom
    /// it names. That is sound only if every certificate under the anchors may
    /// act as this server.
    ///
    /// There is nothing in between: a name in the subject's common name never
    /// counts (RFC 9525, section 6.3), so Python's `hostname_checks_common_name` has
    /// no counterpart that could be switched on.
    #[doc(alias = "check_hostname")]
    #[doc(alias = "hostname_checks_common_name")]
    pub fn skip_hostname(mut self) -> ContextBuilder {
        self.builder.verification.check_name = false;
        self.builder
    }
}
