//! What streams of bytes have in common, as a macro, so that each type has
//! methods of its own; see `handle`.
//!
//! An empty buffer neither waits nor asks the kernel whether it may: reading
//! into one gives `Ok(0)`, and writing one gives what `send(2)` says, which
//! never blocks for it.
//!
//! A short read from a TCP socket tells that its queue is empty, which saves the
//! call that would say so. One from a Unix socket does not: it ends behind bytes
//! that came with descriptors, and where the next ones are another sender's
//! (unix(7)). No edge would follow for what was there before. A socket that was
//! taken over as a stream of TCP may be none, so it is asked at its first short
//! read; that somebody puts another protocol on top of it (kernel TLS) through
//! its descriptor can't be seen.

/// Reading, writing, peeking and shutting down; what a short read does.
macro_rules! byte_stream_methods {
    ($type:ident, short_read_empties: $empties:literal) => {
        impl $type {
            /// Shuts down one or both directions. Waiting tasklets wake up:
            /// readers see the end of the stream, writers an error.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// Those of `shutdown(2)`.
            pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
                self.endpoint.socket().shutdown(how)
            }

            /// Shuts the connection down and wakes every tasklet that waits for
            /// it with an error, for all handles. The descriptor is released
            /// when the last is dropped.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            pub fn close(&self) {
                // Not connected any more: then there is nothing to shut down.
                let _ = self.endpoint.socket().shutdown(Shutdown::Both);
                self.endpoint.source().close();
            }

            /// Receives without taking the bytes out of the queue.
            ///
            /// # Scheduling
            ///
            /// Switches until there is something to receive.
            ///
            /// # Cancellation
            ///
            /// No byte is lost.
            ///
            /// # Errors
            ///
            /// Those of `recv(2)` and of the wait.
            #[track_caller]
            pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
                if buffer.is_empty() {
                    return Ok(0);
                }
                self.endpoint
                    .read(Location::caller(), |socket| endpoint::peek(socket, buffer))
            }

            /// As [`peek`](Self::peek), with `WouldBlock` instead of a wait.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// Those of `recv(2)`.
            pub fn try_peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
                if buffer.is_empty() {
                    return Ok(0);
                }
                let source = self.endpoint.source();
                source.try_read_op(|socket| endpoint::peek(socket, buffer))
            }

            /// Reads what is there; `WouldBlock` instead of a wait, and without
            /// a system call if the socket is known to be drained.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// Those of `recv(2)`.
            #[inline]
            pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
                if buffer.is_empty() {
                    return Ok(0);
                }
                let (source, asked) = (self.endpoint.source(), buffer.len());
                let got = source.try_read_op(|socket| endpoint::receive(socket, buffer))?;
                if $empties {
                    self.endpoint.note_short_read(got, asked);
                }
                Ok(got)
            }

            /// As [`try_read`](Self::try_read), into several buffers.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// Those of `readv(2)`.
            pub fn try_read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                let asked = buffers.iter().map(|buffer| buffer.len()).sum();
                if asked == 0 {
                    return Ok(0);
                }
                let source = self.endpoint.source();
                let got = source.try_read_op(|mut socket| socket.read_vectored(buffers))?;
                if $empties {
                    self.endpoint.note_short_read(got, asked);
                }
                Ok(got)
            }

            /// Writes what fits; `WouldBlock` instead of a wait.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// Those of `send(2)`; no signal is raised.
            #[inline]
            pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
                if bytes.is_empty() {
                    return endpoint::send(self.endpoint.socket(), bytes);
                }
                let source = self.endpoint.source();
                source.try_write_op(|socket| endpoint::send(socket, bytes))
            }

            /// As [`try_write`](Self::try_write), from several buffers.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// Those of `writev(2)`; no signal is raised.
            pub fn try_write_vectored(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
                if buffers.iter().all(|buffer| buffer.is_empty()) {
                    return self.endpoint.socket().write_vectored(buffers);
                }
                let source = self.endpoint.source();
                source.try_write_op(|mut socket| socket.write_vectored(buffers))
            }

            /// Two objects, one to read with and one to write with, for two
            /// tasklets; dropping the second shuts writing down.
            ///
            /// Where a reference will do, `&` of the stream reads and writes
            /// as well.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            pub fn split(self) -> (OwnedReadHalf<$type>, OwnedWriteHalf<$type>) {
                let other = $type {
                    endpoint: self.endpoint.share(),
                };
                (OwnedReadHalf::new(self), OwnedWriteHalf::new(other))
            }
        }

        impl SplitStream for $type {}

        impl Halved for $type {
            fn is_same(&self, other: &$type) -> bool {
                self.endpoint.is_same(&other.endpoint)
            }

            fn end_writing(&self) {
                // Not connected any more: then nobody waits for the end.
                let _ = self.endpoint.socket().shutdown(Shutdown::Write);
            }
        }

        impl Read for &$type {
            #[track_caller]
            #[inline]
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let asked = buffer.len();
                if asked == 0 {
                    return Ok(0);
                }
                let location = Location::caller();
                let got = self
                    .endpoint
                    .read(location, |socket| endpoint::receive(socket, buffer))?;
                if $empties {
                    self.endpoint.note_short_read(got, asked);
                }
                Ok(got)
            }

            #[track_caller]
            fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                let asked = buffers.iter().map(|buffer| buffer.len()).sum();
                if asked == 0 {
                    return Ok(0);
                }
                let location = Location::caller();
                let got = self
                    .endpoint
                    .read(location, |mut socket| socket.read_vectored(buffers))?;
                if $empties {
                    self.endpoint.note_short_read(got, asked);
                }
                Ok(got)
            }
        }

        impl Write for &$type {
            #[track_caller]
            #[inline]
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                if bytes.is_empty() {
                    return endpoint::send(self.endpoint.socket(), bytes);
                }
                self.endpoint
                    .write(Location::caller(), |socket| endpoint::send(socket, bytes))
            }

            #[track_caller]
            fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
                if buffers.iter().all(|buffer| buffer.is_empty()) {
                    return self.endpoint.socket().write_vectored(buffers);
                }
                self.endpoint.write(Location::caller(), |mut socket| {
                    socket.write_vectored(buffers)
                })
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        impl Read for $type {
            #[track_caller]
            #[inline]
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                (&*self).read(buffer)
            }

            #[track_caller]
            fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                (&*self).read_vectored(buffers)
            }
        }

        impl Write for $type {
            #[track_caller]
            #[inline]
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                (&*self).write(bytes)
            }

            #[track_caller]
            fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
                (&*self).write_vectored(buffers)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        impl $crate::io::pollable::Watched for $type {
            fn read_by(
                &self,
                location: &'static Location<'static>,
                operation: $crate::io::pollable::Operation<'_>,
            ) -> io::Result<usize> {
                let operation = |socket: &_| operation(std::os::fd::AsFd::as_fd(socket));
                self.endpoint.read(location, operation)
            }

            fn write_by(
                &self,
                location: &'static Location<'static>,
                operation: $crate::io::pollable::Operation<'_>,
            ) -> io::Result<usize> {
                let operation = |socket: &_| operation(std::os::fd::AsFd::as_fd(socket));
                self.endpoint.write(location, operation)
            }
        }
    };
}

pub(super) use byte_stream_methods;
