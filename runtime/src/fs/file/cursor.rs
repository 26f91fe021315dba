//! Where a file is read and written next, and what was read ahead.
//!
//! The position is kept here, not in the kernel: a read at a position that was
//! never reported back has taken nothing, and a write that is repeated at the
//! same one writes the same bytes to the same place. Files that are open for
//! appending are written where the kernel says. Whoever uses the cursor holds
//! its lock from the look at the position to the change of it.

use super::File;
use super::job::{Access, PIECE_MAX, Shared, read_piece};
use rustix::io::{Errno, pwrite};
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Read at least, where there is as much.
const AHEAD: usize = 64 << 10;

/// Where the next operation goes on.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    pub(super) position: u64,
    /// Bytes that were read, and the position of the first.
    ahead: Vec<u8>,
    ahead_at: u64,
}

impl Cursor {
    pub(super) fn at(position: u64) -> Cursor {
        Cursor {
            position,
            ..Cursor::default()
        }
    }

    /// Takes what was read ahead.
    fn take(&mut self, buffer: &mut [u8]) -> usize {
        let skip = self.position.checked_sub(self.ahead_at);
        let left = skip.and_then(|skip| self.ahead.get(usize::try_from(skip).ok()?..));
        let left = left.unwrap_or_default();
        let (available, count) = (left.len(), left.len().min(buffer.len()));
        buffer[..count].copy_from_slice(&left[..count]);
        self.position += count as u64;
        if count == available && self.ahead.capacity() > AHEAD {
            // Large buffers are for large reads, not for every open file.
            self.forget();
        }
        count
    }

    /// What was read ahead may not be true any more.
    pub(super) fn forget(&mut self) {
        self.ahead = Vec::new();
    }
}

impl Read for &File {
    #[track_caller]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.shared.access == Access::Stream {
            return self.shared.read_stream(buffer);
        }
        let mut cursor = self.cursor.lock()?;
        let count = cursor.take(buffer);
        if count > 0 {
            return Ok(count);
        }
        let (offset, mut bytes) = (cursor.position, std::mem::take(&mut cursor.ahead));
        let want = buffer.len().clamp(AHEAD, PIECE_MAX);
        cursor.ahead = self.shared.after_changes(move |shared| {
            bytes.clear();
            bytes.reserve_exact(want);
            read_piece(shared, &mut bytes, offset)?;
            Ok(bytes)
        })?;
        cursor.ahead_at = offset;
        let count = cursor.take(buffer);
        if count == 0 {
            // The end: a file that is read no more keeps no memory.
            cursor.forget();
        }
        Ok(count)
    }
}

impl Write for &File {
    #[track_caller]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let bytes = bytes[..bytes.len().min(PIECE_MAX)].to_vec();
        if self.shared.access == Access::Stream {
            return self
                .shared
                .change(move |shared| (&shared.file).write(&bytes));
        }
        let mut cursor = self.cursor.lock()?;
        let offset = cursor.position;
        cursor.forget();
        let (count, position) = self.shared.change(move |shared| {
            let mut file = &shared.file;
            if shared.access == Access::Appending {
                return Ok((file.write(&bytes)?, file.stream_position()?));
            }
            let count = pwrite(file, &bytes, offset)?;
            Ok((count, offset + count as u64))
        })?;
        cursor.position = position;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for &File {
    #[track_caller]
    fn seek(&mut self, target: SeekFrom) -> io::Result<u64> {
        if self.shared.access == Access::Stream {
            return Err(Errno::SPIPE.into());
        }
        let mut cursor = self.cursor.lock()?;
        let (base, distance) = match target {
            SeekFrom::Current(0) => return Ok(cursor.position),
            SeekFrom::Start(position) => (position, 0),
            SeekFrom::Current(distance) => (cursor.position, distance),
            SeekFrom::End(distance) => {
                // Devices have an end that only a seek finds.
                let end = |shared: &Shared| (&shared.file).seek(SeekFrom::End(0));
                (self.shared.after_changes(end)?, distance)
            }
        };
        let position = base.checked_add_signed(distance);
        let position = position.filter(|&position| i64::try_from(position).is_ok());
        cursor.position = position.ok_or(Errno::INVAL)?;
        cursor.forget();
        Ok(cursor.position)
    }
}

impl Read for File {
    #[track_caller]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }
}

impl Write for File {
    #[track_caller]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for File {
    #[track_caller]
    fn seek(&mut self, target: SeekFrom) -> io::Result<u64> {
        (&*self).seek(target)
    }
}
