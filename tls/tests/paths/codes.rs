//! The codes of `X509_STORE_CTX_get_error(3)` that rows expect.

/// One of OpenSSL's `X509_V_ERR_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    UnableToGetIssuerCert = 2,
    UnableToGetCrl = 3,
    CertSignatureFailure = 7,
    CrlSignatureFailure = 8,
    CertNotYetValid = 9,
    CertHasExpired = 10,
    CrlNotYetValid = 11,
    CrlHasExpired = 12,
    DepthZeroSelfSignedCert = 18,
    SelfSignedCertInChain = 19,
    UnableToGetIssuerCertLocally = 20,
    CertChainTooLong = 22,
    CertRevoked = 23,
    PathLengthExceeded = 25,
    InvalidPurpose = 26,
    UnhandledCriticalExtension = 34,
    KeyUsageNoCrlSign = 35,
    UnhandledCriticalCrlExtension = 36,
    PermittedViolation = 47,
    ExcludedViolation = 48,
    UnsupportedConstraintType = 51,
    HostnameMismatch = 62,
    EmailMismatch = 63,
    IpAddressMismatch = 64,
    EeKeyTooSmall = 66,
    CaKeyTooSmall = 67,
    CaMdTooWeak = 68,
    InvalidCa = 79,
    EmptySubjectSanNotCritical = 88,
    CaBconsNotCritical = 89,
    CaCertMissingKeyUsage = 92,
}

impl Code {
    pub(crate) fn number(self) -> i32 {
        self as i32
    }
}
