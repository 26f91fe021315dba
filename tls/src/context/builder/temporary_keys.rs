//! Parameters for key exchange by finite-field Diffie-Hellman in TLS 1.2.

use std::path::{Path, PathBuf};

use openssl::dh::Dh;
use openssl::ssl::SslContextBuilder;

use super::ContextBuilder;
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::context::sys;
use crate::crypto;
use crate::engine::Role;
use crate::identity;

/// Parameters of 8192 bits take 1.5 KB.
const FILE_SIZE_MAX: usize = 1 << 20;

/// Where the parameters of DHE come from.
pub(super) enum TmpDh {
    Auto,
    File(PathBuf),
    Pem(Vec<u8>),
}

impl ContextBuilder {
    /// Servers: switches DHE on, with the parameters of a PEM file
    /// (`openssl-dhparam(1)`).
    ///
    /// DHE is off unless this or [`tmp_dh_auto`](ContextBuilder::tmp_dh_auto) is
    /// called: ECDHE does the same in a tenth of the time. It needs an identity
    /// with an RSA key. Its suites are added to the default list; a list given by
    /// [`ciphers12`](ContextBuilder::ciphers12) stays as it is.
    #[doc(alias = "load_tmp_dh")]
    #[doc(alias = "load_dh_params")]
    #[doc(alias = "SSL_CTX_set_tmp_dh")]
    #[doc(alias = "SSL_CTX_set0_tmp_dh_pkey")]
    pub fn tmp_dh_file(mut self, path: impl AsRef<Path>) -> ContextBuilder {
        self.tmp_dh = Some(TmpDh::File(path.as_ref().to_owned()));
        self
    }

    /// As [`tmp_dh_file`](ContextBuilder::tmp_dh_file), with parameters in memory.
    #[doc(alias = "SSL_CTX_set_tmp_dh")]
    pub fn tmp_dh_pem(mut self, pem: impl Into<Vec<u8>>) -> ContextBuilder {
        self.tmp_dh = Some(TmpDh::Pem(pem.into()));
        self
    }

    /// As [`tmp_dh_file`](ContextBuilder::tmp_dh_file), with well-known parameters
    /// as strong as the identity's key.
    #[doc(alias = "SSL_CTX_set_dh_auto")]
    pub fn tmp_dh_auto(mut self) -> ContextBuilder {
        self.tmp_dh = Some(TmpDh::Auto);
        self
    }
}

impl TmpDh {
    pub(super) fn apply(
        &self,
        role: Role,
        context: &mut SslContextBuilder,
    ) -> Result<(), ConfigError> {
        if role != Role::Server {
            let detail = "is for servers; a client takes what the server sends";
            return Err(ConfigError::new(
                ConfigErrorKind::BadValue,
                "tmp_dh",
                detail,
            ));
        }
        match self {
            TmpDh::Auto => {
                sys::set_dh_auto(context);
                Ok(())
            }
            TmpDh::File(path) => {
                let pem = identity::read(path, FILE_SIZE_MAX, |_| Ok(()))?;
                set(&path.display().to_string(), &pem, context)
            }
            TmpDh::Pem(pem) => set("tmp_dh", pem, context),
        }
    }
}

fn set(subject: &str, pem: &[u8], context: &mut SslContextBuilder) -> Result<(), ConfigError> {
    let labels = ["DH PARAMETERS", "X9.42 DH PARAMETERS"];
    let plain = crypto::pem_without_headers(pem, &labels).ok_or_else(|| {
        let detail = "holds parameters with a header, as encrypted keys have";
        ConfigError::new(ConfigErrorKind::Malformed, subject, detail)
    })?;
    let parameters = Dh::params_from_pem(&plain).map_err(|stack| {
        let detail = "holds no parameters for Diffie-Hellman in PEM form";
        ConfigError::new(ConfigErrorKind::Malformed, subject, detail).because_ssl(stack)
    })?;
    context
        .set_tmp_dh(&parameters)
        .map_err(|stack| ConfigError::rejected(subject, "OpenSSL does not accept it", stack))
}
