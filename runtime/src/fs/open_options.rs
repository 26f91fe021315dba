//! How a file is to be opened.

use super::{File, run};
use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// How a file is to be opened, as [`std::fs::OpenOptions`].
///
/// # Examples
///
/// ```
/// use greenling::fs::OpenOptions;
/// let missing = OpenOptions::new().read(true).open("/no/such/file");
/// assert_eq!(missing.unwrap_err().kind(), std::io::ErrorKind::NotFound);
/// ```
#[derive(Clone, Debug)]
pub struct OpenOptions(fs::OpenOptions);

/// Setters that pass their argument on.
macro_rules! setters {
    ($($(#[doc = $text:literal])+ $name:ident: $type:ty;)+) => {
        $($(#[doc = $text])+
        ///
        /// # Scheduling
        ///
        /// Never switches.
        pub fn $name(&mut self, value: $type) -> &mut OpenOptions {
            self.0.$name(value);
            self
        })+
    };
}

impl OpenOptions {
    /// Nothing is set.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    #[expect(clippy::new_without_default, reason = "std's has no default either")]
    pub fn new() -> OpenOptions {
        OpenOptions(fs::OpenOptions::new())
    }

    setters! {
        /// For reading.
        read: bool;
        /// For writing.
        write: bool;
        /// For writing at the end, wherever that is by then.
        append: bool;
        /// Emptied when it is opened.
        truncate: bool;
        /// Made if it is not there.
        create: bool;
        /// Made, and an error if it is there.
        create_new: bool;
        /// The permissions of a file that is made.
        mode: u32;
        /// More flags for `open(2)`.
        custom_flags: i32;
    }

    /// Opens the file.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// The file may still be made or emptied; it is closed again.
    ///
    /// # Errors
    ///
    /// Those of `open(2)` and of the wait.
    #[track_caller]
    pub fn open(&self, path: impl AsRef<Path>) -> io::Result<File> {
        let (options, path) = (self.0.clone(), path.as_ref().to_owned());
        run(move || options.open(path)).map(File::from)
    }
}

impl From<fs::OpenOptions> for OpenOptions {
    fn from(options: fs::OpenOptions) -> OpenOptions {
        OpenOptions(options)
    }
}
