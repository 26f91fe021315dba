//! A buffer between a network and an [`SslObject`](super::SslObject).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::SslError;

/// A buffer of bytes in memory with an end, Python's `ssl.MemoryBIO`.
///
/// A value is a handle: clones share one buffer, as the caller and the
/// [`SslObject`](super::SslObject) must. It is `Send` and `Sync`, so a connection may
/// move to another thread together with its buffers. It has no bound: who feeds it
/// from a network should read the connection often enough.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::MemoryBio;
///
/// let bio = MemoryBio::new();
/// bio.write(b"foobar")?;
/// assert_eq!(bio.read(3), b"foo");
/// bio.write_eof();
/// assert!(!bio.eof()); // there is something before the end
/// assert_eq!(bio.read(None), b"bar");
/// assert!(bio.eof());
/// # Ok::<(), greenling_tls::SslError>(())
/// ```
#[doc(alias = "ssl.MemoryBIO")]
#[doc(alias = "MemoryBIO")]
#[doc(alias = "BIO_s_mem")]
#[derive(Debug, Clone, Default)]
pub struct MemoryBio {
    buffer: Arc<Mutex<Buffer>>,
}

#[derive(Debug, Default)]
struct Buffer {
    content: VecDeque<u8>,
    /// Nothing may follow the content.
    ended: bool,
}

/// What a connection found in its incoming buffer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Supply {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Nothing yet.
    Nothing,
    /// Nothing, and nothing will come.
    End,
}

impl MemoryBio {
    /// An empty buffer.
    pub fn new() -> MemoryBio {
        MemoryBio::default()
    }

    /// Appends `data`, all of it; says how much that was.
    ///
    /// # Errors
    ///
    /// [`SslErrorKind::Ssl`](super::SslErrorKind::Ssl) after
    /// [`write_eof`](MemoryBio::write_eof).
    #[doc(alias = "bio_write")]
    #[doc(alias = "BIO_write")]
    pub fn write(&self, data: &[u8]) -> Result<usize, SslError> {
        let mut buffer = self.lock();
        if buffer.ended {
            return Err(SslError::misuse("cannot write() after write_eof()"));
        }
        buffer.content.extend(data);
        Ok(data.len())
    }

    /// Takes up to `limit` bytes out, or all with `None`. Empty when there is nothing.
    #[doc(alias = "bio_read")]
    #[doc(alias = "BIO_read")]
    pub fn read(&self, limit: impl Into<Option<usize>>) -> Vec<u8> {
        let mut buffer = self.lock();
        let len = buffer.content.len();
        let taken = limit.into().map_or(len, |limit| limit.min(len));
        let rest = buffer.content.split_off(taken);
        std::mem::replace(&mut buffer.content, rest).into()
    }

    /// Takes bytes out into `buf`; says how many. 0 when there is nothing.
    pub fn read_into(&self, buf: &mut [u8]) -> usize {
        let mut buffer = self.lock();
        let taken = buffer.content.len().min(buf.len());
        for (slot, byte) in buf.iter_mut().zip(buffer.content.drain(..taken)) {
            *slot = byte;
        }
        taken
    }

    /// Marks the end: a connection that reads past the content finds that its
    /// transport has ended. May be repeated.
    #[doc(alias = "bio_shutdown")]
    #[doc(alias = "BIO_set_mem_eof_return")]
    pub fn write_eof(&self) {
        self.lock().ended = true;
    }

    /// How many bytes are in it.
    #[doc(alias = "BIO_ctrl_pending")]
    pub fn pending(&self) -> usize {
        self.lock().content.len()
    }

    /// Whether the end was marked and everything before it has been read.
    #[doc(alias = "BIO_eof")]
    pub fn eof(&self) -> bool {
        let buffer = self.lock();
        buffer.ended && buffer.content.is_empty()
    }

    /// Offers up to `wanted` bytes to `take`, which says how many it took of them.
    pub(super) fn supply(&self, wanted: usize, take: impl FnOnce(&[u8]) -> usize) -> Supply {
        let mut buffer = self.lock();
        if buffer.content.is_empty() {
            return if buffer.ended {
                Supply::End
            } else {
                Supply::Nothing
            };
        }
        // The front piece may be shorter than what there is; the caller asks again.
        let front = buffer.content.as_slices().0;
        let taken = take(&front[..front.len().min(wanted)]);
        buffer.content.drain(..taken);
        if buffer.content.is_empty() {
            buffer.content.shrink_to(SMALL);
        }
        if taken == 0 {
            Supply::Nothing
        } else {
            Supply::Bytes(taken)
        }
    }

    /// Appends what a connection has to send, whether or not the end was marked.
    pub(super) fn append(&self, data: &[u8]) {
        self.lock().content.extend(data);
    }

    /// No code that runs under the lock can leave the buffer half changed.
    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So much of its memory an empty buffer keeps.
const SMALL: usize = 4096;

/// Lets functions take a buffer by value or by reference: either way it is shared.
impl From<&MemoryBio> for MemoryBio {
    fn from(bio: &MemoryBio) -> MemoryBio {
        bio.clone()
    }
}
