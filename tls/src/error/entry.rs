//! One entry of OpenSSL's error queue, as a value.

use std::fmt;

/// One entry of OpenSSL's error queue.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "ERR_get_error")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SslErrorEntry {
    code: u64,
    library: Option<&'static str>,
    function: Option<String>,
    reason: Option<&'static str>,
    data: Option<String>,
}

impl SslErrorEntry {
    /// The packed code, as `openssl errstr` takes it.
    pub fn code(&self) -> u64 {
        self.code
    }

    /// The part of OpenSSL that failed, such as `SSL routines`.
    #[doc(alias = "ERR_lib_error_string")]
    pub fn library(&self) -> Option<&str> {
        self.library
    }

    /// The C function that failed.
    #[doc(alias = "ERR_func_error_string")]
    pub fn function(&self) -> Option<&str> {
        self.function.as_deref()
    }

    /// What failed, such as `wrong version number`.
    #[doc(alias = "ERR_reason_error_string")]
    pub fn reason(&self) -> Option<&str> {
        self.reason
    }

    /// Details that OpenSSL added, such as a file name.
    pub fn data(&self) -> Option<&str> {
        self.data.as_deref()
    }
}

impl From<&openssl::error::Error> for SslErrorEntry {
    fn from(error: &openssl::error::Error) -> SslErrorEntry {
        SslErrorEntry {
            // `c_ulong` is 32 bits wide on some platforms.
            #[allow(clippy::useless_conversion, reason = "u64 on 64-bit Unix only")]
            code: u64::from(error.code()),
            library: error.library(),
            function: error.function().map(str::to_owned),
            reason: error.reason(),
            data: error.data().map(str::to_owned),
        }
    }
}

impl fmt::Display for SslErrorEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.reason, self.library) {
            (Some(reason), Some(library)) => write!(f, "{reason} ({library}")?,
            (Some(reason), None) => write!(f, "{reason} (unknown library")?,
            (None, library) => write!(
                f,
                "error {:08x} ({}",
                self.code,
                library.unwrap_or("unknown library")
            )?,
        }
        if let Some(function) = &self.function {
            write!(f, ", {function}")?;
        }
        if let Some(data) = &self.data {
            write!(f, ", {data}")?;
        }
        f.write_str(")")
    }
}
