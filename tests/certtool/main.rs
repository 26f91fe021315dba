//! The example `certtool` as a user runs it; what it makes is judged by the program
//! `openssl`, and what `openssl` makes is read by it.

mod containers;
mod inspecting;
mod making;
mod rehashing;
mod requests;
mod revoking;
mod simple;
mod verifying;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;
use tests::example;
use tests::tools::{self, Finished};

fn executable() -> &'static Path {
    static EXECUTABLE: OnceLock<PathBuf> = OnceLock::new();
    EXECUTABLE.get_or_init(|| example::build("certtool"))
}

/// A folder to work in, gone afterwards.
struct Folder {
    directory: TempDir,
}

impl Folder {
    /// None if there is no `openssl` to judge what is made.
    fn new(test: &str) -> Option<Folder> {
        tools::find(test, "openssl")?;
        Some(Folder {
            directory: tempfile::tempdir().expect("a temporary folder"),
        })
    }

    /// As [`Folder::new`], with an authority in `ca.pem` and `ca.key`.
    fn with_ca(test: &str) -> Option<Folder> {
        let folder = Folder::new(test)?;
        folder.certtool("ca --subject /O=Tests/CN=Root --out ca.pem");
        Some(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).expect("a file is written");
    }

    fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    fn mode(&self, name: &str) -> u32 {
        let metadata = std::fs::metadata(self.path(name)).expect("the file is there");
        metadata.permissions().mode() & 0o777
    }

    fn command(&self, program: &Path, line: &str) -> Command {
        let mut command = Command::new(program);
        // What the machine is set up to do is not what is tested.
        command
            .current_dir(self.directory.path())
            .env_remove("OPENSSL_CONF")
            .args(words(line));
        command
    }

    /// Runs it with words that blanks separate, but for those between quotes.
    fn run(&self, line: &str) -> Finished {
        tools::run(&mut self.command(executable(), line), b"")
    }

    /// Runs it well; returns what it printed.
    #[track_caller]
    fn certtool(&self, line: &str) -> String {
        let finished = self.run(line);
        assert!(finished.status.success(), "{line}: {}", finished.text());
        String::from_utf8(finished.stdout).expect("text")
    }

    /// Runs it to its end with `code`; returns what it complained of.
    #[track_caller]
    fn refused(&self, code: i32, line: &str) -> String {
        let finished = self.run(line);
        let complaint = finished.text();
        assert_eq!(finished.status.code(), Some(code), "{line}: {complaint}");
        assert!(!finished.stderr.is_empty(), "{line}: without a word");
        String::from_utf8(finished.stderr).expect("text")
    }

    /// Runs `openssl` well; returns all that it printed, with names as OpenSSL 3.2 and
    /// later write them.
    #[track_caller]
    fn openssl(&self, line: &str) -> String {
        let finished = self.run_openssl(line);
        assert!(
            finished.status.success(),
            "openssl {line}: {}",
            finished.text()
        );
        finished.text().replace(" = ", "=")
    }

    fn run_openssl(&self, line: &str) -> Finished {
        tools::run(&mut self.command(Path::new("openssl"), line), b"")
    }
}

fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for character in line.chars() {
        match character {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            _ => words.last_mut().expect("there is one").push(character),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Asserts that a text has all of these parts.
#[track_caller]
fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}
