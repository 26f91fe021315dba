//! The log of session keys, by which a recorded connection can be decrypted.
//!
//! Never switched on by the environment: whoever could set a variable for this
//! process could otherwise read its traffic.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use openssl::ssl::{SslContextBuilder, SslRef};

use super::ContextBuilder;
use crate::callbacks::ConnectionView;
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::panics::{FreedByC, guard_callback};

const GROUP_OR_OTHERS: u32 = 0o077;

/// Takes one line without its end.
type Sink = Arc<dyn Fn(&SslRef, &str) + Send + Sync>;

/// Where the lines go.
pub(super) enum KeyLog {
    Sink(Sink),
    File(PathBuf),
}

impl ContextBuilder {
    /// Writes the keys of all connections to `writer`, a line at a time, in the
    /// format that browsers have for `SSLKEYLOGFILE`. Default: nowhere, whatever
    /// the environment says.
    ///
    /// For debugging with programs like Wireshark: whoever has these lines can
    /// read all that was or will be sent. Building the context logs a warning.
    /// The writer is called from inside OpenSSL. It may block the OS thread, but
    /// it must not wait as a tasklet. Its errors are logged and change nothing.
    #[doc(alias = "keylog_filename")]
    #[doc(alias = "SSL_CTX_set_keylog_callback")]
    pub fn keylog(self, writer: impl Write + Send + 'static) -> ContextBuilder {
        let sink = to_writer(writer, "a writer of the program".to_owned());
        self.add_keylog(KeyLog::Sink(sink))
    }

    /// Appends the keys of all connections to a file, as
    /// [`keylog`](ContextBuilder::keylog) does.
    ///
    /// The file is made for its owner alone (mode 0600); one that others have
    /// access to, or own, is refused when the context is built.
    #[doc(alias = "keylog_filename")]
    #[doc(alias = "SSLKEYLOGFILE")]
    pub fn keylog_file(self, path: impl AsRef<Path>) -> ContextBuilder {
        self.add_keylog(KeyLog::File(path.as_ref().to_owned()))
    }

    /// Tells `callback` the keys of each connection, as
    /// [`keylog`](ContextBuilder::keylog) does, with the connection they are of.
    #[doc(alias = "set_keylog_callback")]
    #[doc(alias = "SSL_CTX_set_keylog_callback")]
    pub fn on_keylog(
        self,
        callback: impl Fn(ConnectionView<'_>, &str) + Send + Sync + 'static,
    ) -> ContextBuilder {
        let sink = move |ssl: &SslRef, line: &str| callback(ConnectionView::new(ssl), line);
        self.add_keylog(KeyLog::Sink(Arc::new(sink)))
    }

    fn add_keylog(mut self, keylog: KeyLog) -> ContextBuilder {
        self.keylogs.push(keylog);
        self
    }

    pub(super) fn set_keylogs(&self, context: &mut SslContextBuilder) -> Result<(), ConfigError> {
        let mut sinks = Vec::new();
        for keylog in &self.keylogs {
            match keylog {
                KeyLog::Sink(sink) => {
                    log::warn!("the keys of all connections of a TLS context are handed out");
                    sinks.push(Arc::clone(sink));
                }
                KeyLog::File(path) => {
                    let path_text = path.display().to_string();
                    log::warn!("the keys of all connections of a TLS context go to {path_text}");
                    sinks.push(to_writer(open(path)?, path_text));
                }
            }
        }
        if !sinks.is_empty() {
            let sinks = FreedByC::new(sinks);
            context.set_keylog_callback(move |ssl, line| {
                guard_callback((), || sinks.iter().for_each(|sink| sink(ssl, line)));
            });
        }
        Ok(())
    }
}

/// Whole lines, so that several connections, and with a file several processes,
/// do not tear each other's.
fn to_writer(writer: impl Write + Send + 'static, name: String) -> Sink {
    let writer = Mutex::new(writer);
    Arc::new(move |_, line| {
        let line = zeroize::Zeroizing::new(format!("{line}\n"));
        // A writer that panicked is asked again: its lines are its own business.
        let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
        let written = writer.write_all(line.as_bytes());
        if let Err(error) = written.and_then(|()| writer.flush()) {
            log::error!("key log {name}: {error}");
        }
    })
}

fn open(path: &Path) -> Result<std::fs::File, ConfigError> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| ConfigError::unreadable(path, error))?;
    let metadata = file
        .metadata()
        .map_err(|error| ConfigError::unreadable(path, error))?;
    let refused = |detail: String| {
        let kind = ConfigErrorKind::Permissions;
        Err(ConfigError::new(kind, path.display().to_string(), detail))
    };
    let (owner, ourselves) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != ourselves {
        // Who puts a file in the way of the superuser could read the keys.
        return refused(format!("the key log belongs to user {owner}"));
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & GROUP_OR_OTHERS != 0 {
        return refused(format!(
            "others have access to the key log (mode {mode:03o})"
        ));
    }
    Ok(file)
}
