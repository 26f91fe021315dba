//! What the TLS listener presents and demands: read from files at the start, and again at each
//! SIGHUP.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

use greenling_tls::{Alert, ClientAuth, Context, ContextBuilder, Identity, OcspStaple};

use crate::naming;
use crate::options::Options;

/// The context of the moment, and how to make the next.
#[derive(Debug)]
pub(crate) struct Certificates {
    files: Files,
    current: RwLock<Context>,
}

impl Certificates {
    /// Reads the files that the options name.
    pub(crate) fn load(options: &Options) -> io::Result<Self> {
        let files = Files::of(options)?;
        Ok(Self {
            current: RwLock::new(files.read()?),
            files,
        })
    }

    /// For a new connection. It keeps what it got whatever happens later.
    pub(crate) fn current(&self) -> Context {
        let current = self.current.read();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the files again, for connections from now on. If any is bad, all stays as it was:
    /// half of a renewal would be a certificate without its key.
    pub(crate) fn reload(&self) -> io::Result<()> {
        let context = self.files.read()?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = context;
        Ok(())
    }
}

/// Where the certificates are.
#[derive(Debug)]
struct Files {
    default: Source,
    /// By the names that clients ask for.
    vhosts: HashMap<String, Source>,
    client_ca: Option<PathBuf>,
}

#[derive(Debug)]
enum Source {
    Files {
        cert: PathBuf,
        key: PathBuf,
        ocsp: Option<PathBuf>,
    },
    /// One for localhost, made at the start.
    Made(Identity),
}

impl Source {
    fn read(&self) -> io::Result<Identity> {
        match self {
            Self::Files { cert, key, ocsp } => {
                let identity = Identity::from_pem_files(cert, key)?;
                let Some(path) = ocsp else {
                    return Ok(identity);
                };
                let response = std::fs::read(path).map_err(naming(path.display()))?;
                let staple = OcspStaple::new(response)
                    .map_err(io::Error::from)
                    .map_err(naming(path.display()))?;
                Ok(identity.with_ocsp_staple(&staple))
            }
            Self::Made(identity) => Ok(identity.clone()),
        }
    }
}

impl Files {
    fn of(options: &Options) -> io::Result<Self> {
        let default = match (&options.cert, &options.key) {
            (Some(cert), Some(key)) => Source::Files {
                cert: cert.clone(),
                key: key.clone(),
                ocsp: options.ocsp.clone(),
            },
            _ => Source::Made(Identity::self_signed(&["localhost", "127.0.0.1", "::1"])?),
        };
        let vhosts = options.vhost.chunks_exact(3).map(|words| {
            let source = Source::Files {
                cert: PathBuf::from(&words[1]),
                key: PathBuf::from(&words[2]),
                ocsp: None,
            };
            (words[0].to_ascii_lowercase(), source)
        });
        Ok(Self {
            default,
            vhosts: vhosts.collect(),
            client_ca: options.client_ca.clone(),
        })
    }

    /// A context for all names. Who asks for an unknown one, or for none, gets the default.
    fn read(&self) -> io::Result<Context> {
        let default = self.context(&self.default)?;
        if self.vhosts.is_empty() {
            return Ok(default);
        }
        let mut by_name = HashMap::new();
        for (name, source) in &self.vhosts {
            by_name.insert(name.clone(), self.context(source).map_err(naming(name))?);
        }
        let context = ContextBuilder::server().resolver(move |hello| {
            let name = hello.server_name().map(str::to_ascii_lowercase);
            let context = name.and_then(|name| by_name.get(&name));
            Ok::<_, Alert>(context.unwrap_or(&default).clone())
        });
        Ok(context.build()?)
    }

    fn context(&self, source: &Source) -> io::Result<Context> {
        let mut builder = ContextBuilder::server()
            .identity(source.read()?)
            .alpn(["http/1.1"])
            // All suites are good; scanners want to see an order all the same.
            .server_order();
        if let Some(authority) = &self.client_ca {
            builder = builder
                .trust_file(authority)
                .client_auth(ClientAuth::Required);
        }
        Ok(builder.build()?)
    }
}
