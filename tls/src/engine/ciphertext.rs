//! The transport's side of an engine: ciphertext in and out, and the rings.

use openssl_sys::{BIO, SSL};

use super::Engine;
use super::decisions::Replay;
use crate::bio::{RingSizes, Rings};
use crate::ssl::RECORD_MAX;

/// Room for the header, the padding and the tag of a record, and for a queued
/// message such as a session ticket.
const RECORD_OVERHEAD: usize = 256;

impl Engine {
    /// The free part of the in-ring that is contiguous: put ciphertext there and
    /// call [`Engine::commit_in`]. It may be less than all free room.
    ///
    /// Empty when the ring is full, or the input was closed.
    #[doc(alias = "BIO_nwrite0")]
    #[inline]
    pub fn in_space(&mut self) -> &mut [u8] {
        if self.plug().is_err() {
            return &mut [];
        }
        self.feed_recorded();
        // What comes now has to wait for what came before.
        let room = self.recorded().is_none();
        match &mut self.rings {
            Some(rings) if room => rings.in_space(),
            _ => &mut [],
        }
    }

    /// Hands over the first `n` bytes of [`Engine::in_space`].
    ///
    /// # Panics
    ///
    /// Panics if the space was smaller.
    #[doc(alias = "BIO_nwrite")]
    #[inline]
    pub fn commit_in(&mut self, n: usize) {
        if n > 0 {
            self.record_space(n);
            let rings = self.rings.as_mut().expect("in_space has plugged them");
            rings.commit_in(n);
            self.state.received_any = true;
        }
    }

    /// Copies ciphertext in; says how much fitted.
    #[doc(alias = "bio_write")]
    pub fn feed(&mut self, data: &[u8]) -> usize {
        if let Some(recorded) = self.recorded() {
            // A tasklet that received while the context was exchanged.
            recorded.extend(data);
            return data.len();
        }
        if data.is_empty() {
            return 0;
        }
        let fed = self.plug().map_or(0, |rings| rings.write_in(data));
        if fed > 0 {
            self.record(&data[..fed]);
            self.state.received_any = true;
        }
        fed
    }

    /// The transport has ended: nothing more will be fed.
    ///
    /// Without the peer's `close_notify` in what was fed, reads then fail with
    /// [`Error::Truncated`](crate::Error::Truncated) or
    /// [`Error::ClosedBeforeHello`](crate::Error::ClosedBeforeHello).
    #[doc(alias = "bio_shutdown")]
    pub fn close_in(&mut self) {
        self.state.in_closed = true;
        let later = self.recorded().is_some();
        if let (Ok(rings), false) = (self.plug(), later) {
            rings.close_in();
        }
    }

    /// Ciphertext to send, one contiguous piece of it; empty when there is none.
    #[doc(alias = "BIO_nread0")]
    #[inline]
    pub fn out_data(&mut self) -> &[u8] {
        if self.spill.is_empty() {
            return self.rings.as_mut().map_or(&[], Rings::out_data);
        }
        // The ring buffer of the spill may wrap too.
        self.spill.as_slices().0
    }

    /// Removes the first `n` bytes of [`Engine::out_data`]: they were sent.
    ///
    /// # Panics
    ///
    /// Panics if there were fewer.
    #[doc(alias = "BIO_nread")]
    #[inline]
    pub fn consume_out(&mut self, n: usize) {
        if n == 0 {
            return;
        }
        if self.spill.is_empty() {
            let rings = self.rings.as_mut().expect("out_data came from them");
            rings.consume_out(n);
        } else {
            self.spill.drain(..n);
            if self.spill.is_empty() {
                self.spill.shrink_to_fit();
            }
        }
    }

    /// Copies ciphertext out; says how much there was.
    #[doc(alias = "bio_read")]
    pub fn drain(&mut self, buf: &mut [u8]) -> usize {
        let mut drained = 0;
        while drained < buf.len() {
            let data = self.out_data();
            let n = data.len().min(buf.len() - drained);
            if n == 0 {
                break;
            }
            buf[drained..drained + n].copy_from_slice(&data[..n]);
            self.consume_out(n);
            drained += n;
        }
        drained
    }

    /// Ciphertext bytes that OpenSSL has not looked at yet.
    #[inline]
    pub fn in_pending(&self) -> usize {
        let recorded = match &self.replay {
            Replay::Feeding(left) => left.len(),
            Replay::None | Replay::Recording(_) => 0,
        };
        recorded + self.rings.as_ref().map_or(0, Rings::in_pending)
    }

    /// Ciphertext bytes that wait to be sent.
    #[inline]
    pub fn out_pending(&self) -> usize {
        self.spill.len() + self.rings.as_ref().map_or(0, Rings::out_pending)
    }

    /// How many bytes of ciphertext the out-ring still takes.
    #[doc(alias = "BIO_ctrl_get_write_guarantee")]
    #[inline]
    pub fn out_free(&self) -> usize {
        self.rings
            .as_ref()
            .map_or(self.sizes.outgoing, Rings::out_free)
    }

    /// Whether a write of `len` bytes fits the out-ring as one record, so that
    /// nothing spills. Larger writes count as one record of the largest size.
    #[inline]
    pub fn has_room_for(&self, len: usize) -> bool {
        self.spill.is_empty() && self.out_free() >= len.min(RECORD_MAX) + RECORD_OVERHEAD
    }

    /// How many bytes OpenSSL last looked for and did not find.
    #[doc(alias = "BIO_ctrl_get_read_request")]
    pub fn read_request(&self) -> usize {
        self.rings.as_ref().map_or(0, Rings::read_request)
    }

    /// Ciphertext that was fed and that OpenSSL has not read. After the peer's
    /// `close_notify` it is the beginning of what follows TLS on this transport.
    pub fn take_unread(&mut self) -> Vec<u8> {
        self.rings
            .as_mut()
            .map_or_else(Vec::new, Rings::take_unread)
    }

    /// Changes the capacity of the rings; says whether it could. It can not while
    /// they hold anything, nor after raw pointers were handed out.
    #[doc(alias = "BIO_set_write_buf_size")]
    pub fn set_rings(&mut self, rings: RingSizes) -> bool {
        if self.rings.is_some() && self.sizes != rings && !self.unplug() {
            return false;
        }
        self.sizes = rings;
        self.usual_sizes = rings;
        true
    }

    /// Takes larger rings for a bulk transfer, until the next [`Engine::park`],
    /// if the usual ones are the default and nothing is in them.
    pub(crate) fn grow_rings(&mut self) {
        let may = self.usual_sizes == RingSizes::RECORD && self.sizes != RingSizes::BULK;
        if may && (self.rings.is_none() || self.unplug()) {
            self.sizes = RingSizes::BULK;
        }
    }

    /// The capacity of the rings.
    pub fn rings(&self) -> RingSizes {
        self.sizes
    }

    /// Gives the rings and OpenSSL's record buffers back while the connection
    /// waits for its peer; says whether the rings went. The next call takes
    /// others.
    pub fn park(&mut self) -> bool {
        if !self.unplug() {
            return false;
        }
        self.sizes = self.usual_sizes;
        self.connection.free_buffers();
        true
    }

    /// Whether [`Engine::park`] took the rings and nothing has taken others since.
    pub fn is_parked(&self) -> bool {
        self.rings.is_none()
    }

    /// Counts a wait for the peer, and tells how many there were.
    pub(crate) fn count_wait(&mut self) -> u8 {
        self.waits = self.waits.saturating_add(1);
        self.waits
    }

    /// OpenSSL's own object, for foreign code. The engine keeps its rings for
    /// life from now on.
    ///
    /// Foreign code that empties the out-ring itself must drain the engine first
    /// whenever [`Engine::out_pending`] exceeds what its half holds: what spilled
    /// is older.
    pub fn as_ssl_ptr(&mut self) -> *mut SSL {
        // Without memory for rings the pointer is still good; calls on it fail.
        let _ = self.pin();
        self.connection.as_ptr()
    }

    /// The half of the pair that faces the transport, or null without memory.
    /// Pins the rings as [`Engine::as_ssl_ptr`] does.
    pub fn network_bio_ptr(&mut self) -> *mut BIO {
        match self.pin() {
            Ok(pair) => {
                pair.settle();
                pair.network_ptr()
            }
            Err(_) => std::ptr::null_mut(),
        }
    }
}
