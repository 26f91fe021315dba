//! One verification.

use openssl::error::ErrorStack;
use openssl::stack::Stack;
use openssl::x509::verify::X509VerifyParamRef;
use openssl::x509::{X509, X509Ref, X509StoreContext, X509StoreContextRef};

use super::builder::small;
use super::options::Names;
use super::{TrustStore, VerifyFlags, VerifyOptions, sys};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::call::call;
use crate::crypto::cert::Cert;
use crate::crypto::time::Timestamp;
use crate::error::{Error, VerifyError};

/// More than any chain has. OpenSSL looks at all of them for every step that it takes.
const CHAIN_MAX: usize = 1000;

/// `X509_V_ERR_UNSPECIFIED`.
const UNSPECIFIED: i32 = 1;

impl TrustStore {
    /// Whether a path leads from `certificate` over some of `chain` to a certificate of
    /// the store, and all of it was valid at the time `at`.
    ///
    /// Returns the path, with `certificate` first and the trusted one last. The order
    /// of `chain` does not matter, nor what else is in it. To ask for a name or a
    /// purpose as well, use [`verify_for`](TrustStore::verify_for).
    ///
    /// # Scheduling
    ///
    /// Never switches. It takes about as long as one check of a signature for each
    /// certificate; directories are read with blocking system calls.
    ///
    /// # Errors
    ///
    /// [`Error::Certificate`] with the first fault that OpenSSL finds and the
    /// certificate where it is. [`Error::Config`] when `chain` has more than 1000.
    #[doc(alias = "verify_certificate")]
    #[doc(alias = "get_verified_chain")]
    #[doc(alias = "X509_verify_cert")]
    #[doc(alias = "X509_STORE_CTX_init")]
    pub fn verify(
        &self,
        certificate: &Cert,
        chain: &[Cert],
        at: Timestamp,
    ) -> Result<Vec<Cert>, Error> {
        self.verify_for(certificate, chain, &VerifyOptions::new().at(at))
    }

    /// As [`verify`](TrustStore::verify), for a name, a purpose and more.
    ///
    /// # Scheduling
    ///
    /// Never switches, as there.
    ///
    /// # Errors
    ///
    /// Also [`Error::Config`] for names that no certificate could be for, such as an
    /// empty one.
    #[doc(alias = "X509StoreContext.verify_certificate")]
    #[doc(alias = "X509_verify_cert")]
    pub fn verify_for(
        &self,
        certificate: &Cert,
        chain: &[Cert],
        options: &VerifyOptions,
    ) -> Result<Vec<Cert>, Error> {
        if chain.len() > CHAIN_MAX {
            let detail = format!("has more than {CHAIN_MAX} certificates");
            return Err(ConfigError::new(ConfigErrorKind::TooLarge, "chain", detail).into());
        }
        let names = options.names()?;
        if let Some(depth) = options.depth {
            small(depth, "depth")?;
        }
        let outcome = call(|| {
            let mut untrusted = Stack::new()?;
            for certificate in chain {
                untrusted.push(X509Ref::to_owned(certificate.as_x509()))?;
            }
            let mut context = X509StoreContext::new()?;
            context.init(
                &self.shared.store,
                certificate.as_x509(),
                &untrusted,
                |context| {
                    self.set_rules(options, &names, sys::parameters(context))?;
                    judge(context)
                },
            )
        })?;
        let path = outcome.map_err(Error::Certificate)?;
        Ok(path.into_iter().map(Cert::from).collect())
    }

    fn set_rules(
        &self,
        options: &VerifyOptions,
        names: &Names,
        parameters: &mut X509VerifyParamRef,
    ) -> Result<(), ErrorStack> {
        parameters.set_flags(options.flags.as_openssl())?;
        // OpenSSL looks at a time that is given whatever its flags say.
        if !(self.shared.flags | options.flags).contains(VerifyFlags::NO_CHECK_TIME) {
            let at = options.at.unwrap_or_else(Timestamp::now);
            parameters.set_time(at.as_unix());
        }
        if let Some(purpose) = options.purpose.or(self.shared.purpose) {
            parameters.set_purpose(purpose.id())?;
            if let Some(trust) = purpose.trust() {
                sys::set_trust(parameters, trust)?;
            }
        }
        if let Some(depth) = options.depth {
            parameters.set_depth(depth as std::ffi::c_int);
        }
        if let Some(peer) = &names.peer {
            peer.demand(parameters)?;
        }
        if let Some(email) = &names.email {
            parameters.set_email(email)?;
        }
        Ok(())
    }
}

/// The verified path, or the first fault.
fn judge(context: &mut X509StoreContextRef) -> Result<Result<Vec<X509>, VerifyError>, ErrorStack> {
    let valid = context.verify_cert();
    let code = context.error().as_raw();
    match valid {
        Ok(true) if code == 0 => {
            let path = context
                .chain()
                .map(|path| path.iter().map(X509Ref::to_owned));
            Ok(Ok(path.into_iter().flatten().collect()))
        }
        // OpenSSL could not even try, which it also has codes for.
        Err(stack) if code == 0 => Err(stack),
        _ => {
            let code = if code == 0 { UNSPECIFIED } else { code };
            let fault = VerifyError::from_code(code);
            Ok(Err(fault.at(context.error_depth(), context.current_cert())))
        }
    }
}
