//! From the path of a URL to the path of a file.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// A path that may be asked for; that it stays inside of the root is not decided here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    file: PathBuf,
    is_directory: bool,
}

impl Asked {
    /// Decodes the percent-encoded `path`; `None` for what is never served.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let decoded = decode(path)?;
        let mut file = PathBuf::new();
        for component in decoded.split(|&b| b == b'/').filter(|c| !c.is_empty()) {
            // Dots begin `.` and `..`, and files that are hidden, such as `.git` and `.htpasswd`.
            if component[0] == b'.' || component.contains(&0) {
                return None;
            }
            file.push(OsString::from_vec(component.to_vec()));
        }
        let is_directory = decoded.is_empty() || decoded.ends_with(b"/");
        if is_directory {
            file.push("index.html");
        }
        Some(Self { file, is_directory })
    }

    /// The file, relative to the root.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Whether the path ended in a slash, and the file is the index of the directory.
    pub(super) fn is_directory(&self) -> bool {
        self.is_directory
    }

    /// The media type that goes with the name's extension.
    pub(super) fn content_type(&self) -> &'static str {
        let extension = self
            .file
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "html" | "htm" => "text/html; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "js" | "mjs" => "text/javascript; charset=utf-8",
            "txt" | "md" | "rs" | "toml" | "log" => "text/plain; charset=utf-8",
            "csv" => "text/csv; charset=utf-8",
            "json" | "map" => "application/json",
            "xml" => "application/xml",
            "wasm" => "application/wasm",
            "pdf" => "application/pdf",
            "zip" => "application/zip",
            "gz" => "application/gzip",
            "svg" => "image/svg+xml",
            "png" => "image/png",
            "jpg" | "jpeg" => "image/jpeg",
            "gif" => "image/gif",
            "webp" => "image/webp",
            "avif" => "image/avif",
            "ico" => "image/vnd.microsoft.icon",
            "woff2" => "font/woff2",
            "woff" => "font/woff",
            "mp4" => "video/mp4",
            "webm" => "video/webm",
            "mp3" => "audio/mpeg",
            "ogg" => "audio/ogg",
            _ => "application/octet-stream",
        }
    }
}

/// Undoes percent-encoding (RFC 3986 section 2.1).
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digit = |b: u8| char::from(b).to_digit(16);
        decoded.push((digit(digits[0])? * 16 + digit(digits[1])?) as u8);
        rest = after;
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let file = |path| Asked::parse(path).map(|asked| asked.file.to_str().unwrap().to_owned());
        assert_eq!(file("a.txt").as_deref(), Some("a.txt"));
        assert_eq!(file("a%20b/c%2fd").as_deref(), Some("a b/c/d"));
        assert_eq!(file("//a//b").as_deref(), Some("a/b"));
        assert_eq!(file("").as_deref(), Some("index.html"));
        assert_eq!(file("dir/").as_deref(), Some("dir/index.html"));
        for never in [
            "..",
            "../a",
            "a/../b",
            "a/..",
            "%2e%2e/a",
            "%2E./a",
            "..%2fa",
            "a%2f..%2fb",
            ".",
            "./a",
            ".git/config",
            "a/.hidden",
            "a%00b",
            "%",
            "%4",
            "%zz",
            "%+1",
        ] {
            assert_eq!(file(never), None, "{never}");
        }
    }

    #[test]
    fn types() {
        let kind = |path| Asked::parse(path).unwrap().content_type();
        assert_eq!(kind("dir/"), "text/html; charset=utf-8");
        assert_eq!(kind("A.PNG"), "image/png");
        assert_eq!(kind("Makefile"), "application/octet-stream");
    }
}
