//! Copies from files to sockets, of which the kernel does the work: with the
//! outcome of a loop of reads and writes.

use greenling::fs::{self, OpenOptions};
use greenling::io::{Copier, copy};
use greenling::net::{OwnedWriteHalf, TcpStream, UnixStream};
use greenling::time::timeout;
use greenling::{JoinHandle, offload, schedule, spawn};
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tests::isolated;
use tests::sockets::{half_pair, pair};

const SOON: Duration = Duration::from_millis(2);

/// So many bytes, no two neighbouring words of which are the same.
fn pattern(length: usize) -> Vec<u8> {
    let words = (0u32..).flat_map(|number| number.to_be_bytes());
    words.take(length).collect()
}

/// A file with these bytes, which stands at its beginning.
fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

/// How to copy.
trait Way {
    fn copy<R: Read, W: Write>(&self, reader: &mut R, writer: &mut W) -> io::Result<u64>;
}

/// As programs do.
struct AsIs;

impl Way for AsIs {
    fn copy<R: Read, W: Write>(&self, reader: &mut R, writer: &mut W) -> io::Result<u64> {
        copy(reader, writer)
    }
}

/// Without a look at what the two are.
struct Plain;

impl Way for Plain {
    fn copy<R: Read, W: Write>(&self, mut reader: &mut R, mut writer: &mut W) -> io::Result<u64> {
        copy::<dyn Read, dyn Write>(&mut reader, &mut writer)
    }
}

/// What is left of a reader after a copy, as text.
trait Left {
    fn left(&mut self) -> String;
}

impl Left for File {
    fn left(&mut self) -> String {
        format!("{:?}", self.stream_position().map_err(|error| error.kind()))
    }
}

impl Left for fs::File {
    fn left(&mut self) -> String {
        format!("{:?}", self.stream_position().map_err(|error| error.kind()))
    }
}

impl Left for &File {
    fn left(&mut self) -> String {
        format!("{:?}", self.stream_position().map_err(|error| error.kind()))
    }
}

impl Left for &fs::File {
    fn left(&mut self) -> String {
        format!("{:?}", self.stream_position().map_err(|error| error.kind()))
    }
}

impl<T: Left> Left for &mut T {
    fn left(&mut self) -> String {
        (**self).left()
    }
}

impl<T: Left> Left for io::Take<T> {
    fn left(&mut self) -> String {
        format!("{} of {}", self.limit(), self.get_mut().left())
    }
}

impl<T: Read + Left> Left for io::BufReader<T> {
    fn left(&mut self) -> String {
        format!("{} of {}", self.buffer().len(), self.get_mut().left())
    }
}

/// What came of the copies, one after the other.
type Seen = Vec<String>;

/// Copies to `writer`; the peer's side is read by another tasklet.
fn copy_to<W: Write>(
    way: &impl Way,
    reader: &mut (impl Read + Left),
    (mut writer, peer): (W, impl Read + 'static),
    seen: &mut Seen,
) {
    let reading = spawn(move || {
        let (mut peer, mut got) = (peer, Vec::new());
        peer.read_to_end(&mut got).unwrap();
        got
    });
    let copied = way.copy(reader, &mut writer).map_err(|error| error.kind());
    drop(writer);
    let got = reading.join().unwrap();
    let sum = got.iter().fold(7u64, |sum, &byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    });
    let left = reader.left();
    seen.push(format!("{copied:?}, {} bytes, {sum}, {left}", got.len()));
}

/// Copies from readers that `make` makes to every kind of writer.
fn to_all<R: Read + Left>(way: &impl Way, seen: &mut Seen, make: impl Fn() -> R) {
    copy_to(way, &mut make(), pair(), seen);
    copy_to(way, &mut make(), UnixStream::pair().unwrap(), seen);
    let (tcp, peer) = pair();
    copy_to(way, &mut make(), (tcp.split().1, peer), seen);
    let (unix, peer) = UnixStream::pair().unwrap();
    copy_to(way, &mut make(), (unix.split().1, peer), seen);
    let (tcp, peer) = pair();
    copy_to(way, &mut make(), (Owning(tcp), peer), seen);
    let mut reader = make();
    copy_to(way, &mut &mut reader, pair(), seen);
    seen.push(reader.left());
}

/// A writer that is no socket by its type.
struct Owning(TcpStream);

impl Write for Owning {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Writers that are references, which must end the stream themselves.
fn to_references(way: &impl Way, seen: &mut Seen, file: &File) {
    let (tcp, peer) = pair();
    copy_to(way, &mut { file }, (Ending(&tcp), peer), seen);
    let (mut tcp, peer) = pair();
    let copied = way.copy(&mut { file }, &mut &tcp).unwrap();
    file.write_all_at(b"!", 0).unwrap();
    (&mut { file }).rewind().unwrap();
    let again = way.copy(&mut { file }, &mut &mut tcp).unwrap();
    drop(tcp);
    let mut got = Vec::new();
    { peer }.read_to_end(&mut got).unwrap();
    seen.push(format!("{copied}, {again}, {got:?}"));
}

/// A wrapper around a reference, which ends the stream when it is dropped.
struct Ending<'a>(&'a TcpStream);

impl Write for Ending<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.shutdown(std::net::Shutdown::Write).unwrap();
    }
}

/// Everything that can be copied from, in either way.
fn play(way: &impl Way) -> Seen {
    let mut seen = Seen::new();
    let bytes = pattern(700_001);
    let (whole, short) = (file_of(&bytes), file_of(b"short"));
    let at = |file: &File, position| {
        let mut file = file.try_clone().unwrap();
        file.seek(SeekFrom::Start(position)).unwrap();
        file
    };
    let ours = |file: &File, position| fs::File::from(at(file, position));
    // From where it stands: the beginning, the middle, the end, past the end.
    for position in [0, 300_000, 700_001, 900_000] {
        to_all(way, &mut seen, || at(&whole, position));
        to_all(way, &mut seen, || ours(&whole, position));
    }
    for file in [&short, &file_of(b"")] {
        to_all(way, &mut seen, || at(file, 0));
        to_all(way, &mut seen, || ours(file, 0));
    }
    // A part: nothing, some, more than a piece, more than there is.
    for limit in [0, 3, 262_144, 400_000, 700_001, 1 << 40, u64::MAX] {
        to_all(way, &mut seen, || at(&whole, 5).take(limit));
        to_all(way, &mut seen, || ours(&whole, 5).take(limit));
        to_all(way, &mut seen, || {
            at(&whole, 5);
            (&whole).take(limit)
        });
        let (mut file, mut our_file) = (at(&whole, 5), ours(&whole, 5));
        copy_to(way, &mut Read::take(&mut file, limit), pair(), &mut seen);
        copy_to(
            way,
            &mut Read::take(&mut our_file, limit),
            pair(),
            &mut seen,
        );
        copy_to(way, &mut (&our_file).take(limit), pair(), &mut seen);
        seen.extend([file.left(), our_file.left()]);
    }
    // Behind what was read ahead.
    let ahead = || {
        let mut file = ours(&whole, 0);
        file.read_exact(&mut [0; 10]).unwrap();
        file
    };
    to_all(way, &mut seen, ahead);
    to_all(way, &mut seen, || ahead().take(100_000));
    // Readers of files by other names.
    to_all(way, &mut seen, || io::BufReader::new(at(&whole, 1)));
    to_references(way, &mut seen, &short);
    odd_files(way, &mut seen);
    seen
}

/// Files that are no files, or hide what they have.
fn odd_files(way: &impl Way, seen: &mut Seen) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, pattern(100_000)).unwrap();
    for path in [
        Path::new("/proc/version"),
        Path::new("/proc/self/limits"),
        Path::new("/proc/sys/kernel/ostype"),
        Path::new("/sys/kernel/notes"),
        Path::new("/sys/kernel/uevent_seqnum"),
        Path::new("/dev/null"),
        folder.path(),
    ] {
        if let Ok(file) = File::open(path) {
            let again = || file.try_clone().unwrap().take(50_000);
            to_all(way, seen, || {
                let mut file = again();
                let _ = file.get_mut().rewind();
                file
            });
            copy_to(
                way,
                &mut fs::File::from(File::open(path).unwrap()),
                pair(),
                seen,
            );
        }
    }
    let endless = || File::open("/dev/zero").unwrap().take(500_000);
    to_all(way, seen, endless);
    to_all(way, seen, || {
        fs::File::from(endless().into_inner()).take(500_000)
    });
    // Open for appending, or for writing only.
    let appending = || OpenOptions::new().read(true).append(true).open(&path);
    to_all(way, seen, || appending().unwrap());
    let writing = || File::options().append(true).open(&path);
    to_all(way, seen, || writing().unwrap());
    to_all(way, seen, || fs::File::from(writing().unwrap()));
    // A pipe by the type of a file.
    to_all(way, seen, || {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"in the pipe").unwrap();
        File::from(OwnedFd::from(reader))
    });
    to_all(way, seen, || {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"in the pipe").unwrap();
        fs::File::from(OwnedFd::from(reader))
    });
}

#[test]
fn copies_from_files_end_as_plain_ones_do() {
    isolated(|| {
        let (as_is, plain) = (play(&AsIs), play(&Plain));
        for (number, (as_is, plain)) in as_is.iter().zip(&plain).enumerate() {
            assert_eq!(as_is, plain, "number {number}");
        }
        assert_eq!(as_is.len(), plain.len());
        assert!(plain.len() > 300, "{}", plain.len());
    });
}

/// Whether the peer gets what is written to the file after the copy: then the
/// kernel has sent the file's pages, not bytes that were read before.
fn sends_pages<R: Read, S: Write + Read>(
    file: &File,
    reader: &mut R,
    (mut stream, mut peer): (impl Write, S),
) -> bool {
    file.write_all_at(b"before", 0).unwrap();
    assert_eq!(copy(reader, &mut stream).unwrap(), 6);
    file.write_all_at(b"behind", 0).unwrap();
    let mut got = [0; 6];
    peer.read_exact(&mut got).unwrap();
    assert!([b"before", b"behind"].contains(&&got));
    &got == b"behind"
}

#[test]
fn the_kernel_does_it_by_itself() {
    isolated(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "before").unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        let theirs = || File::open(&path).unwrap();
        let ours = || fs::File::open(&path).unwrap();
        let unix = || UnixStream::pair().unwrap();
        let half = |(stream, peer): (TcpStream, TcpStream)| (stream.split().1, peer);
        let quiet = |(half, peer): (OwnedWriteHalf<TcpStream>, _)| (half, peer);
        assert!(sends_pages(&file, &mut theirs(), pair()));
        assert!(sends_pages(&file, &mut &theirs(), unix()));
        assert!(sends_pages(&file, &mut &mut theirs(), quiet(half(pair()))));
        assert!(sends_pages(&file, &mut ours(), unix()));
        assert!(sends_pages(&file, &mut &ours(), pair()));
        assert!(sends_pages(&file, &mut theirs().take(9), pair()));
        assert!(sends_pages(&file, &mut (&theirs()).take(9), pair()));
        assert!(sends_pages(&file, &mut Read::take(&mut ours(), 6), pair()));
        let (unix, peer) = unix();
        assert!(sends_pages(&file, &mut theirs(), (&unix, peer)));
        let (mut tcp, peer) = pair();
        assert!(sends_pages(&file, &mut theirs(), (&mut tcp, peer)));
        // Not where nobody can see what the two are.
        let (mut tcp, peer) = pair();
        let tcp: &mut dyn Write = &mut tcp;
        assert!(!sends_pages(&file, &mut theirs(), (tcp, peer)));
    });
}

/// A copy that is cut short again and again, and one of whom is killed.
fn goes_on<R: Read + 'static>(reader: R, bytes: &[u8], position: impl Fn(&mut R) -> u64) {
    let (to, from) = half_pair();
    let (to, reader) = (Rc::new(to), Rc::new(RefCell::new(reader)));
    let mut before = 0;
    // Nobody reads.
    for _ in 0..3 {
        let mut reader = reader.borrow_mut();
        let cut = timeout(SOON, || copy(&mut *reader, &mut &*to));
        let error = cut.unwrap_err().into_inner().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let now = position(&mut reader);
        assert!(now >= before && now > 0 && now < bytes.len() as u64);
        before = now;
    }
    let (theirs, sending) = (reader.clone(), to.clone());
    let victim = spawn(move || copy(&mut *theirs.borrow_mut(), &mut &*sending).map(drop));
    while reader.try_borrow().is_ok() {
        schedule();
    }
    victim.tasklet().kill().unwrap();
    assert!(victim.join().unwrap_err().is_killed());
    // Its own limits.
    to.set_write_timeout(Some(SOON)).unwrap();
    let mut copier = Copier::new();
    let error = copier.copy(&mut *reader.borrow_mut(), &mut &*to);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::WouldBlock);
    to.set_write_timeout(None).unwrap();
    to.set_nonblocking(true).unwrap();
    let error = copier.copy(&mut *reader.borrow_mut(), &mut &*to);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::WouldBlock);
    to.set_nonblocking(false).unwrap();
    assert!(copier.pending().is_empty());

    let sent = position(&mut reader.borrow_mut());
    let reading = std::thread::spawn(move || {
        let (mut from, mut got) = (from, Vec::new());
        from.read_to_end(&mut got).unwrap();
        got
    });
    let rest = copier.copy(&mut *reader.borrow_mut(), &mut &*to).unwrap();
    assert_eq!(sent + rest, bytes.len() as u64);
    assert_eq!(copier.copied(), rest);
    drop(to);
    assert!(reading.join().unwrap() == bytes);
}

#[test]
fn what_cuts_a_copy_from_a_file_short_loses_nothing() {
    isolated(|| {
        // More than sockets ever hold.
        let bytes = pattern(24_000_000);
        let file = file_of(&bytes);
        let again = || {
            let mut file = file.try_clone().unwrap();
            file.rewind().unwrap();
            file
        };
        let left = bytes.len() as u64;
        goes_on(again(), &bytes, |file| file.stream_position().unwrap());
        goes_on(fs::File::from(again()), &bytes, |file| {
            file.stream_position().unwrap()
        });
        goes_on(again().take(left), &bytes, |take| left - take.limit());
        let ours = fs::File::from(again()).take(left);
        goes_on(ours, &bytes, |take| left - take.limit());
    });
}

#[test]
fn files_grow_and_shrink_meanwhile() {
    isolated(|| {
        let bytes = pattern(12_000_000);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, &bytes).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        for new_length in [0, 3_000_000, 15_000_000] {
            file.write_all_at(&bytes, 0).unwrap();
            file.set_len(bytes.len() as u64).unwrap();
            let (to, from) = pair();
            let changing = file.try_clone().unwrap();
            let reading = spawn(move || {
                let (mut from, mut got) = (from, vec![0; 1000]);
                from.read_exact(&mut got).unwrap();
                changing.set_len(new_length).unwrap();
                from.read_to_end(&mut got).unwrap();
                got
            });
            let copied = copy(&mut fs::File::open(&path).unwrap(), &mut { to }).unwrap();
            let got = reading.join().unwrap();
            assert_eq!(got.len() as u64, copied);
            if new_length > bytes.len() as u64 {
                assert_eq!(copied, new_length);
                assert!(got[..bytes.len()] == bytes);
                assert!(got[bytes.len()..].iter().all(|&byte| byte == 0));
            } else {
                // Pages that were cut off on their way may be zeros, as with
                // any `sendfile`.
                assert!(copied <= bytes.len() as u64);
            }
        }
    });
}

#[test]
fn tasklets_that_share_a_file_send_each_byte_once() {
    isolated(|| {
        let bytes = pattern(16_000_000);
        let file = Rc::new(fs::File::from(file_of(&bytes)));
        let copies = [(); 3].map(|()| {
            let (to, from) = pair();
            let file = file.clone();
            let sending = spawn(move || copy(&mut &*file, &mut { to }).unwrap());
            let reading = spawn(move || {
                let (mut from, mut got) = (from, Vec::new());
                from.read_to_end(&mut got).unwrap();
                got
            });
            (sending, reading)
        });
        // Another one reads them.
        let shared = file.clone();
        let reading = spawn(move || {
            let (mut buffer, mut got) = (vec![0; 100_000], Vec::new());
            for _ in 0..20 {
                let count = (&*shared).read(&mut buffer).unwrap();
                got.extend_from_slice(&buffer[..count]);
            }
            got
        });
        let (mut sent, mut words) = (0, Vec::new());
        let mut note = |got: Vec<u8>| {
            // Pieces may end within a word, so only their bytes are counted.
            let mut counts = [0u64; 256];
            got.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
            words.push(counts);
            got.len() as u64
        };
        for (sending, reading) in copies {
            let (count, got) = (sending.join().unwrap(), reading.join().unwrap());
            assert_eq!(count, got.len() as u64);
            sent += note(got);
        }
        sent += note(reading.join().unwrap());
        assert_eq!(sent, bytes.len() as u64);
        let mut expected = [0u64; 256];
        bytes
            .iter()
            .for_each(|&byte| expected[usize::from(byte)] += 1);
        let sum = |at: usize| words.iter().map(|counts| counts[at]).sum::<u64>();
        assert!((0..256).all(|at| sum(at) == expected[at]));
        assert_eq!((&*file).stream_position().unwrap(), bytes.len() as u64);
    });
}

/// Jobs that keep all threads of the pool busy until the lock is free.
fn busy_pool(lock: &Arc<Mutex<()>>) -> Vec<JoinHandle<()>> {
    let jobs = (0..64).map(|_| {
        let lock = lock.clone();
        spawn(move || offload(move || drop(lock.lock())).unwrap())
    });
    jobs.collect()
}

#[test]
fn a_copy_comes_after_a_write_that_was_cut_short() {
    isolated(|| {
        let file = Rc::new(fs::File::from(file_of(&pattern(1000))));
        let new = vec![b'n'; 1000];
        let lock = Arc::new(Mutex::new(()));
        let held = lock.lock().unwrap();
        let busy = busy_pool(&lock);
        schedule();
        let (writing, bytes) = (file.clone(), new.clone());
        let victim = spawn(move || (&*writing).write_all(&bytes).map(drop));
        schedule();
        victim.tasklet().kill().unwrap();
        assert!(victim.join().unwrap_err().is_killed());
        let (mut to, from) = UnixStream::pair().unwrap();
        // The position is that from before the write, which has not begun.
        let copying = spawn(move || copy(&mut &*file, &mut to).unwrap());
        schedule();
        drop(held);
        let mut got = Vec::new();
        { from }.read_to_end(&mut got).unwrap();
        assert_eq!(copying.join().unwrap(), 1000);
        assert!(got == new);
        busy.into_iter().for_each(|job| job.join().unwrap());
    });
}

#[test]
fn a_peer_that_is_gone_is_a_broken_pipe() {
    isolated(|| {
        let (to, from) = UnixStream::pair().unwrap();
        // A drop is not enough while another test's child has the descriptor.
        from.shutdown(std::net::Shutdown::Both).unwrap();
        let mut file = file_of(&pattern(1 << 20));
        let error = copy(&mut file, &mut &to).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        to.close();
        let error = copy(&mut file, &mut &to).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
    });
}
