//! What the pump's tests of streams run over here: an object whose `read` and `write`
//! do the waiting, around the transport that follows a script.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::ops::Deref;
use std::rc::Rc;
use std::time::Instant;

use greenling_tls::{Blocking, Interest, Ready, Transport};

use crate::support::Scripted;

/// A [`Blocking`] object and, for the test, what is inside.
pub(crate) struct Under {
    transport: Blocking<Object>,
    scripted: Rc<Scripted>,
}

pub(crate) fn under(scripted: Scripted) -> Under {
    let scripted = Rc::new(scripted);
    let transport = Blocking::new(Object(scripted.clone()));
    Under {
        transport,
        scripted,
    }
}

/// Waits where the transport would say `WouldBlock`.
struct Object(Rc<Scripted>);

impl Object {
    fn until_done<R>(
        &self,
        interest: Interest,
        mut attempt: impl FnMut(&Scripted) -> io::Result<R>,
    ) -> io::Result<R> {
        loop {
            match attempt(&self.0) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.0.wait(interest, None)?;
                }
                done => return done,
            }
        }
    }
}

impl Read for Object {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.until_done(Interest::READ, |scripted| scripted.try_recv(buf))
    }
}

impl Write for Object {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.until_done(Interest::WRITE, |scripted| scripted.try_send(data))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Under {
    const MAY_SUSPEND: bool = Blocking::<Object>::MAY_SUSPEND;

    fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.transport.try_recv(buf)
    }

    fn try_send(&self, data: &[u8]) -> io::Result<usize> {
        self.transport.try_send(data)
    }

    fn wait(&self, interest: Interest, deadline: Option<Instant>) -> io::Result<Ready> {
        self.transport.wait(interest, deadline)
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.scripted.shutdown(how)
    }
}

impl Deref for Under {
    type Target = Scripted;

    fn deref(&self) -> &Scripted {
        &self.scripted
    }
}
