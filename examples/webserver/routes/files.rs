//! `GET /files/PATH`: files below the directory of `--root`.
//!
//! Which file a path means is decided by `cap-std`, which resolves it one component at a time (in
//! one system call where the kernel offers it): neither `..` nor a symbolic link leads out of the
//! root, whoever changes the tree meanwhile. Links that stay inside are followed, absolute ones
//! never. Names that begin with a dot are not served, nor anything but regular files; a directory
//! answers with its `index.html`.
//!
//! Disks block, so every call on a file runs on the offload pool: one job opens the file and reads
//! its beginning, which for most files is all of it.

mod path;
mod range;

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, OpenOptions, OpenOptionsExt};
use examples::http::{Exchange, Method, Request, Status, format_date, parse_date};

use path::Asked;
use range::Range;

/// How much of a file is in memory at a time.
const PIECE: usize = 256 * 1024;

/// The directory below which files are served.
#[derive(Clone, Debug)]
pub(crate) struct Root(Arc<Dir>);

impl Root {
    /// Opens the directory; a later change of what its path means has no effect.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(Arc::new(Dir::open_ambient_dir(
            path,
            ambient_authority(),
        )?)))
    }
}

/// Answers a GET or HEAD for `path`, the percent-encoded rest of the target's path.
pub(super) fn serve<S: Read + Write>(
    root: &Root,
    path: &str,
    request: &Request,
    exchange: &mut Exchange<'_, S>,
) -> io::Result<()> {
    let Some(asked) = Asked::parse(path) else {
        return exchange.respond_plainly(Status::NOT_FOUND);
    };
    let job = Job {
        root: root.clone(),
        wants_body: request.method() == Method::Get,
        unless_newer_than: request.header_str("if-modified-since").and_then(parse_date),
        range: request.header_str("range").and_then(Range::parse),
        if_range: request.header_str("if-range").map(parse_date),
        asked,
    };
    let kind = job.asked.content_type();
    match greenling::offload(move || job.run()).map_err(io::Error::from)? {
        Ok(Found::File(opened)) => send(opened, kind, request, exchange),
        Ok(Found::NotModified(modified)) => exchange
            .respond(Status::NOT_MODIFIED)
            .header("last-modified", format_date(modified))
            .body(b""),
        Ok(Found::OutOfRange(length)) => exchange
            .respond(Status::RANGE_NOT_SATISFIABLE)
            .header("content-range", format!("bytes */{length}"))
            .body(b""),
        Ok(Found::Directory) => {
            // The relative links of an index page need the slash.
            let name = path.rsplit('/').next().unwrap_or_default();
            exchange
                .respond(Status::MOVED_PERMANENTLY)
                .header("location", format!("./{name}/"))
                .body(b"")
        }
        Err(error) => exchange.respond_plainly(status_of(&error)),
    }
}

fn send<S: Read + Write>(
    opened: Opened,
    kind: &str,
    request: &Request,
    exchange: &mut Exchange<'_, S>,
) -> io::Result<()> {
    let Opened {
        mut file,
        mut piece,
        length,
        modified,
        part,
    } = opened;
    let status = if part.is_some() {
        Status::PARTIAL_CONTENT
    } else {
        Status::OK
    };
    let mut response = exchange
        .respond(status)
        .header("content-type", kind)
        .header("x-content-type-options", "nosniff")
        .header("accept-ranges", "bytes")
        .header("last-modified", format_date(modified));
    let mut left = length;
    if let Some((first, last)) = part {
        response = response.header("content-range", format!("bytes {first}-{last}/{length}"));
        left = last - first + 1;
    }
    response.start(Some(left))?;
    if request.method() == Method::Head {
        return Ok(());
    }
    loop {
        // A file that grew meanwhile is sent as long as it was announced.
        let count = left.min(piece.len() as u64);
        exchange.write_all(&piece[..count as usize])?;
        left -= count;
        if left == 0 {
            return Ok(());
        }
        let more =
            greenling::offload(move || fill(&mut file, &mut piece, left).map(|()| (file, piece)));
        (file, piece) = more.map_err(io::Error::from)??;
        if piece.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file was truncated",
            ));
        }
    }
}

/// Everything that the offload pool needs to know.
struct Job {
    root: Root,
    asked: Asked,
    wants_body: bool,
    unless_newer_than: Option<SystemTime>,
    range: Option<Range>,
    /// The date of an `If-Range` field; `Some(None)` is one that is not a date, which no file
    /// matches.
    if_range: Option<Option<SystemTime>>,
}

enum Found {
    File(Opened),
    NotModified(SystemTime),
    OutOfRange(u64),
    Directory,
}

struct Opened {
    file: File,
    /// The first bytes of what is to be sent.
    piece: Vec<u8>,
    length: u64,
    modified: SystemTime,
    /// First and last byte of a partial response.
    part: Option<(u64, u64)>,
}

impl Job {
    fn run(self) -> io::Result<Found> {
        // A FIFO without a writer would hold the thread in `open` otherwise.
        let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(nonblocking);
        let mut file = self.root.0.open_with(self.asked.file(), &options)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() && !self.asked.is_directory() {
            return Ok(Found::Directory);
        }
        if !metadata.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let length = metadata.len();
        // HTTP dates have whole seconds.
        let modified = whole_seconds(metadata.modified()?.into_std());
        if self.unless_newer_than.is_some_and(|date| modified <= date) {
            return Ok(Found::NotModified(modified));
        }
        let applies = self.wants_body && self.if_range.is_none_or(|date| date == Some(modified));
        let part = match self
            .range
            .filter(|_| applies)
            .map(|range| range.within(length))
        {
            Some(None) => return Ok(Found::OutOfRange(length)),
            Some(part) => part,
            None => None,
        };
        let (first, count) = part.map_or((0, length), |(first, last)| (first, last - first + 1));
        let mut piece = Vec::new();
        if self.wants_body {
            if first > 0 {
                file.seek(SeekFrom::Start(first))?;
            }
            fill(&mut file, &mut piece, count)?;
        }
        Ok(Found::File(Opened {
            file,
            piece,
            length,
            modified,
            part,
        }))
    }
}

/// Replaces `piece` by the next bytes of `file`; nothing at its end.
fn fill(file: &mut File, piece: &mut Vec<u8>, left: u64) -> io::Result<()> {
    piece.clear();
    file.take(left.min(PIECE as u64)).read_to_end(piece)?;
    Ok(())
}

fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

/// What a file system's answer means for the client, who learns nothing of what lies outside.
fn status_of(error: &io::Error) -> Status {
    match error
        .raw_os_error()
        .map(rustix::io::Errno::from_raw_os_error)
    {
        Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE) => Status::SERVICE_UNAVAILABLE,
        Some(rustix::io::Errno::IO) => Status::INTERNAL_SERVER_ERROR,
        _ => Status::NOT_FOUND,
    }
}

#[cfg(test)]
mod tests;
