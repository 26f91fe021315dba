//! Identities from files: what may be opened, and how secrets are read.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::source::Source;
use super::{Encoding, Identity};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::Passphrase;
use crate::error::Error;

/// More than any chain or key needs; bounds what a wrong path can make us read.
pub(super) const SIZE_MAX: usize = 1 << 20;

const OTHERS_WRITE: u32 = 0o002;
const GROUP_OR_OTHERS: u32 = 0o077;

/// How to read an [`Identity`] from files.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```no_run
/// use greenling_tls::PemFiles;
///
/// let identity = PemFiles::new("server.pem", "server.key")
///     .passphrase("correct horse")
///     .strict_key_perms()
///     .load()?;
/// # Ok::<(), greenling_tls::Error>(())
/// ```
pub struct PemFiles {
    chain: PathBuf,
    key: PathBuf,
    encoding: Encoding,
    passphrase: Passphrase<'static>,
    strict: bool,
}

impl PemFiles {
    /// The files of the chain and of the key; they may be one and the same.
    pub fn new(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> PemFiles {
        PemFiles {
            chain: chain.as_ref().to_owned(),
            key: key.as_ref().to_owned(),
            encoding: Encoding::Pem,
            passphrase: Passphrase::None,
            strict: false,
        }
    }

    /// The passphrase of an encrypted key. It is zeroised with this object.
    ///
    /// Nothing ever asks for one on the terminal: without this call an
    /// encrypted key is an error.
    #[doc(alias = "set_passwd_cb")]
    #[doc(alias = "SSL_CTX_set_default_passwd_cb")]
    pub fn passphrase(mut self, passphrase: impl AsRef<[u8]>) -> PemFiles {
        self.passphrase = Passphrase::Owned(Zeroizing::new(passphrase.as_ref().to_vec()));
        self
    }

    /// Asks for the passphrase if the key turns out to be encrypted.
    ///
    /// `ask` runs on the calling tasklet, before OpenSSL sees the key. So it may
    /// wait, as for a person or a server of secrets, and its panics are its
    /// caller's.
    #[doc(alias = "set_passwd_cb")]
    #[doc(alias = "SSL_CTX_set_default_passwd_cb")]
    #[doc(alias = "SSL_CTX_set_default_passwd_cb_userdata")]
    pub fn passphrase_from(
        mut self,
        ask: impl FnOnce() -> io::Result<Zeroizing<Vec<u8>>> + 'static,
    ) -> PemFiles {
        self.passphrase = Passphrase::ask(ask);
        self
    }

    /// The form of both files. Default: [`Encoding::Pem`], whence the name.
    #[doc(alias = "FILETYPE_ASN1")]
    pub fn encoding(mut self, encoding: Encoding) -> PemFiles {
        self.encoding = encoding;
        self
    }

    /// Refuses a key file that group or others have any access to.
    ///
    /// Without it such a file is used with a warning in the log, because
    /// orchestrators mount keys that way; one that everyone may write to is
    /// always refused.
    pub fn strict_key_perms(mut self) -> PemFiles {
        self.strict = true;
        self
    }

    /// Reads the files.
    ///
    /// Symbolic links are followed. FIFOs may be used in place of files, and
    /// block the OS thread until they have a writer.
    ///
    /// # Scheduling
    ///
    /// Never switches, unless the function given to
    /// [`passphrase_from`](PemFiles::passphrase_from) does.
    ///
    /// # Errors
    ///
    /// [`Error::Config`], as listed at [`Identity::from_pem_files`].
    pub fn load(self) -> Result<Identity, Error> {
        let chain = read(&self.chain, SIZE_MAX, |_| Ok(()))?;
        let key = read(&self.key, SIZE_MAX, |metadata| {
            check_key_perms(&self.key, metadata, self.strict)
        })?;
        let chain_name = self.chain.display().to_string();
        let key_name = self.key.display().to_string();
        let source = Source {
            chain_name: &chain_name,
            key_name: &key_name,
            encoding: self.encoding,
        };
        source.parse(&chain, &key, self.passphrase)
    }
}

/// Whether a file with a key in it may be used; warns where it should not be.
pub(super) fn check_key_perms(
    path: &Path,
    metadata: &Metadata,
    strict: bool,
) -> Result<(), ConfigError> {
    let mode = metadata.permissions().mode() & 0o777;
    let error = |detail: String| {
        let kind = ConfigErrorKind::Permissions;
        Err(ConfigError::new(kind, path.display().to_string(), detail))
    };
    if mode & OTHERS_WRITE != 0 {
        return error(format!("everyone may write to the key (mode {mode:03o})"));
    }
    if mode & GROUP_OR_OTHERS != 0 {
        if strict {
            return error(format!("others have access to the key (mode {mode:03o})"));
        }
        log::warn!(
            "private key {}: others have access to it (mode {mode:03o})",
            path.display()
        );
    }
    Ok(())
}

/// Shows the paths, never the passphrase.
impl std::fmt::Debug for PemFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PemFiles")
            .field("chain", &self.chain)
            .field("key", &self.key)
            .field("encoding", &self.encoding)
            .field("passphrase", &self.passphrase)
            .field("strict", &self.strict)
            .finish()
    }
}

/// Reads all of `path`, at most `size_max` bytes, after `check` has approved of
/// the opened file. Checking what was opened, not the path, leaves no moment to
/// exchange it.
pub(crate) fn read(
    path: &Path,
    size_max: usize,
    check: impl FnOnce(&Metadata) -> Result<(), ConfigError>,
) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    let error = |kind, detail: &str| ConfigError::new(kind, path.display().to_string(), detail);
    let mut file = File::open(path).map_err(|e| ConfigError::unreadable(path, e))?;
    let metadata = file
        .metadata()
        .map_err(|e| ConfigError::unreadable(path, e))?;
    if !(metadata.is_file() || metadata.file_type().is_fifo()) {
        return Err(error(
            ConfigErrorKind::Unreadable,
            "is neither a file nor a FIFO",
        ));
    }
    check(&metadata)?;
    let too_large = || {
        error(
            ConfigErrorKind::TooLarge,
            &format!("is larger than {} MiB", size_max >> 20),
        )
    };
    let size = usize::try_from(metadata.len()).map_err(|_| too_large())?;
    if size > size_max {
        return Err(too_large());
    }
    // One byte more than expected, so that a file of the expected size is read
    // to its end without growing the buffer.
    let mut content = Zeroizing::new(vec![0; (size + 1).max(4096)]);
    let mut filled = 0;
    loop {
        match file.read(&mut content[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(ConfigError::unreadable(path, e)),
        }
        if filled > size_max {
            return Err(too_large());
        }
        if filled == content.len() {
            // A vector that grows by itself leaves its old bytes in freed memory.
            let mut larger = Zeroizing::new(vec![0; filled * 2]);
            larger[..filled].copy_from_slice(&content);
            content = larger;
        }
    }
    content.truncate(filled);
    Ok(content)
}
