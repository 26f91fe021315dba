//! A library context of our own in which OpenSSL's legacy algorithms exist.
//!
//! RC2, RC4 and single DES live in OpenSSL's legacy provider. To load that into
//! the default library context would allow them in the whole process, so it is
//! loaded into another one, in which nothing is done but to take old encryptions
//! off: the keys that come out belong to the default context.

use std::sync::OnceLock;

use openssl::error::ErrorStack;
use openssl::lib_ctx::{LibCtx, LibCtxRef};
use openssl::provider::Provider;

/// Lives as long as the process, so nothing is ever unloaded below an object.
struct Library {
    context: LibCtx,
    _providers: [Provider; 2],
}

static LIBRARY: OnceLock<Result<Library, ErrorStack>> = OnceLock::new();

/// The context with the legacy provider, made when it is first asked for. The error
/// says why there is none: the provider is not installed, as with an OpenSSL that
/// was built from source. Call it where OpenSSL may be called.
pub(crate) fn with_legacy() -> Result<&'static LibCtxRef, ErrorStack> {
    match LIBRARY.get_or_init(Library::new) {
        Ok(library) => Ok(&library.context),
        Err(stack) => Err(stack.clone()),
    }
}

impl Library {
    fn new() -> Result<Library, ErrorStack> {
        let context = LibCtx::new()?;
        let default = Provider::load(Some(&context), "default")?;
        let legacy = Provider::load(Some(&context), "legacy")?;
        Ok(Library {
            context,
            _providers: [default, legacy],
        })
    }
}
