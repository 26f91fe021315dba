//! What sockets for datagrams have in common, as a macro, so that each type
//! has methods of its own; see `handle`.
//!
//! Where it is used, `peek_from` is what std lacks for some of them, and `nobody`
//! the address that stands for no sender.

/// Sending to and receiving from the connected peer, and receiving from
/// anybody.
macro_rules! datagram_methods {
    ($type:ident, $address:path) => {
        impl $type {
            /// Receives a datagram from the peer it is connected to, or from
            /// anybody if it is not connected. What does not fit is cut off.
            ///
            /// # Scheduling
            ///
            /// Switches until a datagram is there.
            ///
            /// # Cancellation
            ///
            /// No datagram is lost.
            ///
            /// # Errors
            ///
            /// Those of `recv(2)` and of the wait; `WouldBlock` by the read
            /// timeout.
            #[track_caller]
            pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
                self.endpoint
                    .receive(Location::caller(), |socket| socket.recv(buffer), || 0)
            }

            /// Receives a datagram and tells whom it is from. What does not fit
            /// is cut off.
            ///
            /// # Scheduling
            ///
            /// Switches until a datagram is there.
            ///
            /// # Cancellation
            ///
            /// No datagram is lost.
            ///
            /// # Errors
            ///
            /// Those of `recvfrom(2)` and of the wait; `WouldBlock` by the read
            /// timeout.
            #[track_caller]
            pub fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, $address)> {
                self.endpoint.receive(
                    Location::caller(),
                    |socket| socket.recv_from(buffer),
                    || (0, nobody()),
                )
            }

            /// Receives without taking the datagram out of the queue.
            ///
            /// # Scheduling
            ///
            /// Switches until a datagram is there.
            ///
            /// # Cancellation
            ///
            /// No datagram is lost.
            ///
            /// # Errors
            ///
            /// Those of `recv(2)` and of the wait.
            #[track_caller]
            pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
                self.endpoint.receive(
                    Location::caller(),
                    |socket| endpoint::peek(socket, buffer),
                    || 0,
                )
            }

            /// As [`recv_from`](Self::recv_from), without taking the datagram
            /// out of the queue.
            ///
            /// # Scheduling
            ///
            /// Switches until a datagram is there.
            ///
            /// # Cancellation
            ///
            /// No datagram is lost.
            ///
            /// # Errors
            ///
            /// Those of `recvfrom(2)` and of the wait.
            #[track_caller]
            pub fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(usize, $address)> {
                self.endpoint.receive(
                    Location::caller(),
                    |socket| peek_from(socket, buffer),
                    || (0, nobody()),
                )
            }

            /// Sends a datagram to the peer it is connected to.
            ///
            /// # Scheduling
            ///
            /// Switches until there is room for it.
            ///
            /// # Cancellation
            ///
            /// Nothing was sent.
            ///
            /// # Errors
            ///
            /// Those of `send(2)`, also what came back for an earlier datagram,
            /// such as `ConnectionRefused`, and those of the wait; `WouldBlock`
            /// by the write timeout.
            #[track_caller]
            pub fn send(&self, bytes: &[u8]) -> io::Result<usize> {
                self.endpoint
                    .write(Location::caller(), |socket| socket.send(bytes))
            }

            /// As [`recv`](Self::recv), with `WouldBlock` instead of a wait.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// Those of `recv(2)`.
            pub fn try_recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
                self.endpoint
                    .try_receive(|socket| socket.recv(buffer), || 0)
            }

            /// As [`recv_from`](Self::recv_from), with `WouldBlock` instead of
            /// a wait.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// Those of `recvfrom(2)`.
            pub fn try_recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, $address)> {
                let end = || (0, nobody());
                self.endpoint
                    .try_receive(|socket| socket.recv_from(buffer), end)
            }

            /// As [`send`](Self::send), with `WouldBlock` instead of a wait.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// Those of `send(2)`.
            pub fn try_send(&self, bytes: &[u8]) -> io::Result<usize> {
                let source = self.endpoint.source();
                source.try_write_op(|socket| socket.send(bytes))
            }
        }
    };
}

pub(super) use datagram_methods;
