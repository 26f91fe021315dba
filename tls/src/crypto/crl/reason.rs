//! Why certificates are revoked.

use std::fmt;
use std::str::FromStr;

use crate::config_error::{ConfigError, ConfigErrorKind};

/// Why a certificate is revoked (RFC 5280, section 5.3.1).
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "set_reason")]
#[doc(alias = "all_reasons")]
#[doc(alias = "CRL_REASON")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RevokedReason {
    /// For no reason that is told. Leaving the reason out is better.
    Unspecified,
    /// Others have the private key.
    KeyCompromise,
    /// Others have the private key of an authority.
    CaCompromise,
    /// The subject's name or what else the certificate says has changed.
    AffiliationChanged,
    /// There is another one in its place.
    Superseded,
    /// It is needed no more.
    CessationOfOperation,
    /// For now: it may come back.
    CertificateHold,
    /// In lists of changes: a certificate that was on hold has come back.
    RemoveFromCrl,
    /// What it allows, its subject may no longer.
    PrivilegeWithdrawn,
    /// Others have the private key of an authority for attributes.
    AaCompromise,
}

/// Numbers and names of RFC 5280.
const TABLE: [(i64, &str, RevokedReason); 10] = [
    (0, "unspecified", RevokedReason::Unspecified),
    (1, "keyCompromise", RevokedReason::KeyCompromise),
    (2, "cACompromise", RevokedReason::CaCompromise),
    (3, "affiliationChanged", RevokedReason::AffiliationChanged),
    (4, "superseded", RevokedReason::Superseded),
    (
        5,
        "cessationOfOperation",
        RevokedReason::CessationOfOperation,
    ),
    (6, "certificateHold", RevokedReason::CertificateHold),
    (8, "removeFromCRL", RevokedReason::RemoveFromCrl),
    (9, "privilegeWithdrawn", RevokedReason::PrivilegeWithdrawn),
    (10, "aACompromise", RevokedReason::AaCompromise),
];

impl RevokedReason {
    /// All reasons.
    pub fn all() -> impl Iterator<Item = RevokedReason> {
        TABLE.iter().map(|(_, _, reason)| *reason)
    }

    /// The name that RFC 5280 gives it, such as `keyCompromise`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The number that stands in a list.
    pub fn number(self) -> i64 {
        self.row().0
    }

    pub(super) fn from_number(number: i64) -> Option<RevokedReason> {
        TABLE
            .iter()
            .find(|(known, _, _)| *known == number)
            .map(|(_, _, reason)| *reason)
    }

    fn row(self) -> &'static (i64, &'static str, RevokedReason) {
        TABLE
            .iter()
            .find(|(_, _, reason)| *reason == self)
            .expect("the table has all of them")
    }
}

/// The name, whatever its case and with or without spaces: `keyCompromise` as
/// OpenSSL's configuration files have it, and `Key Compromise` as pyOpenSSL.
impl FromStr for RevokedReason {
    type Err = crate::error::Error;

    fn from_str(name: &str) -> Result<RevokedReason, Self::Err> {
        let plain: String = name.chars().filter(|c| *c != ' ').take(40).collect();
        let found = TABLE
            .iter()
            .find(|(_, known, _)| known.eq_ignore_ascii_case(&plain));
        let (_, _, reason) = found.ok_or_else(|| {
            ConfigError::new(
                ConfigErrorKind::BadValue,
                format!("reason {plain:?}"),
                "is none of those of RFC 5280",
            )
        })?;
        Ok(*reason)
    }
}

impl fmt::Display for RevokedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
