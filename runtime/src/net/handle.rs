//! What the public types of sockets have in common, as macros: each type has
//! methods of its own, with their documentation, and all have the same.

/// Handles, conversion to and from std, readiness.
///
/// The type is a struct with a field `endpoint`.
macro_rules! handle_methods {
    ($type:ident, $std:path) => {
        impl $type {
            #[doc = concat!("Takes over a [`", stringify!($std), "`] and sets it to non-blocking mode.")]
            ///
            /// Clones that std has made of it share that mode and should not
            /// be used any more.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// When the mode can't be set or the reactor can't watch it.
            pub fn from_std(socket: $std) -> io::Result<$type> {
                let endpoint = Endpoint::new(socket)?;
                Ok($type { endpoint })
            }

            /// Gives the socket back to std, in blocking mode.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// `ResourceBusy` while other handles share the socket, which stays
            /// theirs; else when the mode can't be set.
            pub fn into_std(self) -> io::Result<$std> {
                self.endpoint.into_socket()
            }

            /// Another handle of the same socket.
            ///
            /// Both share the descriptor, which is closed with the last handle,
            /// the time limits and the mode; [`close`](Self::close) closes it
            /// for all. Nothing is duplicated, so it costs no descriptor.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// None: the result is std's signature.
            pub fn try_clone(&self) -> io::Result<$type> {
                let endpoint = self.endpoint.share();
                Ok($type { endpoint })
            }

            /// The pending error of the socket (`SO_ERROR`), which is cleared.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// Those of `getsockopt(2)`.
            pub fn take_error(&self) -> io::Result<Option<io::Error>> {
                self.endpoint.options().take_error()
            }

            /// Readiness to [`select!`](crate::select!), which the kernel has
            /// confirmed: an operation in that direction does not wait then.
            ///
            /// # Scheduling
            ///
            /// Never switches by itself.
            pub fn readiness(&self, interest: Interest) -> $crate::io::Readiness<'_> {
                self.endpoint.source().readiness(interest)
            }

            /// Parks until one of the directions may be ready. None is when
            /// [`wake`](Self::wake) has ended the wait.
            ///
            /// # Scheduling
            ///
            /// Switches unless a direction is not known to block, and then, too, after
            /// 32 successes in a row.
            ///
            /// # Cancellation
            ///
            /// Nothing is lost.
            ///
            /// # Errors
            ///
            /// `TimedOut` after `deadline` or that of a scope,
            /// `ConnectionAborted` once the socket is closed; those of the wait.
            #[track_caller]
            pub fn wait(&self, interest: Interest, deadline: Option<Instant>) -> io::Result<Ready> {
                self.endpoint
                    .source()
                    .wait(interest, deadline, Location::caller())
            }

            /// Ends every [`wait`](Self::wait) in progress without readiness,
            /// for programs in which one tasklet has news for another that
            /// waits here. Other operations in progress go on waiting.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            pub fn wake(&self) {
                self.endpoint.source().wake();
            }

            /// Its place among what the reactor watches.
            pub(crate) fn source(&self) -> &Source<$std> {
                self.endpoint.source()
            }
        }

        /// Takes over a descriptor, which is set to non-blocking mode. What kind
        /// it is of shows in its first use.
        impl TryFrom<OwnedFd> for $type {
            type Error = io::Error;

            fn try_from(descriptor: OwnedFd) -> io::Result<$type> {
                <$type>::from_std(descriptor.into())
            }
        }

        #[doc = concat!("As [`into_std`](", stringify!($type), "::into_std).")]
        impl TryFrom<$type> for OwnedFd {
            type Error = io::Error;

            fn try_from(socket: $type) -> io::Result<OwnedFd> {
                Ok(socket.into_std()?.into())
            }
        }

        impl AsFd for $type {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.endpoint.socket().as_fd()
            }
        }

        impl AsRawFd for $type {
            fn as_raw_fd(&self) -> RawFd {
                self.endpoint.socket().as_raw_fd()
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.endpoint.fmt(f)
            }
        }
    };
}

/// Time limits and the mode of sockets that carry data.
macro_rules! mode_methods {
    ($type:ident) => {
        impl $type {
            /// Time limit of each operation that receives; when it passes, the
            /// operation fails with `WouldBlock`, as std's does. `None` is no
            /// limit.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// `InvalidInput` for a limit of zero.
            pub fn set_read_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
                self.endpoint.mode().limits().set_read(limit)
            }

            /// Time limit of each operation that sends, as
            /// [`set_read_timeout`](Self::set_read_timeout).
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// `InvalidInput` for a limit of zero.
            pub fn set_write_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
                self.endpoint.mode().limits().set_write(limit)
            }

            /// Time limit of each operation that receives.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// None: the result is std's signature.
            pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
                Ok(self.endpoint.mode().limits().read())
            }

            /// Time limit of each operation that sends.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// None: the result is std's signature.
            pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
                Ok(self.endpoint.mode().limits().write())
            }

            /// With `true`, operations that would wait fail with `WouldBlock`,
            /// for code that polls std's sockets in this way. The descriptor is
            /// in non-blocking mode either way.
            ///
            /// # Scheduling
            ///
            /// Never switches, nor do operations in this mode.
            ///
            /// # Errors
            ///
            /// None: the result is std's signature.
            pub fn set_nonblocking(&self, on: bool) -> io::Result<()> {
                self.endpoint.mode().set_nonblocking(on);
                Ok(())
            }

            /// Whether operations that would wait fail instead.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            pub fn is_nonblocking(&self) -> bool {
                self.endpoint.mode().is_nonblocking()
            }
        }
    };
}

pub(super) use {handle_methods, mode_methods};
