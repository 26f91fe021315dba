//! What is said on a connection: one request after the other, and the silence in between.
//!
//! A connection that is silent for a while gives its tasklet back and rests: most connections are
//! kept open for nothing, and a stack is a third of what one takes. The first byte of another
//! request has it go on, on a new tasklet.

use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use examples::http::{Connection, Exchange, Request, is_timeout};
use greenling::TaskletExit;
use greenling::server::{self, Roused};

use crate::link::{Link, Shared, limited, linger};
use crate::serving::Service;

/// A connection that has made its handshake, and how its requests are answered.
#[derive(Debug)]
pub(crate) struct Conversation<T: Link, H> {
    link: Rc<T>,
    connection: Connection<Shared<T>>,
    place: server::Connection,
    service: Arc<Service>,
    handler: H,
    /// When the silence since the last request was first noticed.
    silent_since: Option<Instant>,
}

/// What came of waiting.
enum Next {
    Request,
    Closed,
    /// Nothing, for so long that the tasklet is not worth its stack.
    Silence,
}

impl<T, H> Conversation<T, H>
where
    T: Link + 'static,
    for<'t> &'t T: Read + Write,
    H: Fn(&Request, &mut Exchange<'_, Shared<T>>) -> io::Result<()> + 'static,
{
    pub(crate) fn new(
        link: Rc<T>,
        place: server::Connection,
        service: Arc<Service>,
        handler: H,
    ) -> Self {
        Self {
            connection: Connection::new(Shared::new(link.clone()), service.settings.clone()),
            link,
            place,
            service,
            handler,
            silent_since: None,
        }
    }

    /// Answers requests until one side has had enough, or there are none for a while.
    pub(crate) fn go_on(mut self) -> io::Result<()> {
        self.link.limit_writes(self.service.idle_timeout)?;
        self.link.limit_reads(self.service.idle_timeout)?;
        loop {
            match self.next_request() {
                Ok(Next::Request) => {}
                Ok(Next::Closed) => break,
                Ok(Next::Silence) => {
                    // Parts of a record are no request: they have it go on, and end nothing.
                    let since = *self.silent_since.get_or_insert_with(Instant::now);
                    if since.elapsed() >= self.service.idle_timeout {
                        break;
                    }
                    // Nobody would send it meanwhile.
                    if self.link.has_unsent() {
                        continue;
                    }
                    return self.rest();
                }
                // Nothing was asked for lately, so there is nothing to say either.
                Err(error) if is_timeout(&error) => break,
                Err(error) => return Err(error),
            }
            match self.answer() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    // The kernel would keep what the peer does not take, for long.
                    if is_timeout(&error) {
                        self.link.socket().set_linger(Some(Duration::ZERO))?;
                    }
                    return Err(error);
                }
            }
        }
        self.finish()
    }

    /// Answers one request. Returns whether the connection goes on.
    fn answer(&mut self) -> io::Result<bool> {
        self.silent_since = None;
        let connection = &mut self.connection;
        let request = if connection.has_request() {
            connection.read_request()
        } else {
            limited(self.service.header_timeout, || connection.read_request())
        };
        if let Err(refused) = request {
            connection.refuse(refused)?;
            return Ok(false);
        }
        let handler = &self.handler;
        let goes_on = connection
            .answer(|request, exchange| surviving_panics(|| handler(request, exchange)))?;
        if goes_on && !connection.has_input() {
            connection.flush()?;
        }
        Ok(goes_on)
    }

    /// Waits for a request; when the server stops, takes one that is already here.
    fn next_request(&mut self) -> io::Result<Next> {
        let (rest_after, idle_timeout) = (self.service.rest_after, self.service.idle_timeout);
        self.link.limit_reads(rest_after.min(idle_timeout))?;
        let waited = self.place.idle(|| self.connection.wait());
        // One that came together with the word to stop may not have been noticed.
        let waited = match waited {
            Ok(None) => self.place.idle(|| self.connection.wait()),
            waited => waited,
        };
        self.link.limit_reads(idle_timeout)?;
        match waited {
            Ok(Some(true)) => Ok(Next::Request),
            Ok(Some(false) | None) => Ok(Next::Closed),
            Err(error) if is_timeout(&error) && rest_after < idle_timeout => Ok(Next::Silence),
            Err(error) => Err(error),
        }
    }

    /// Gives the tasklet back until there is something to do.
    fn rest(self) -> io::Result<()> {
        self.link.give_buffers_back();
        let (link, place) = (self.link.clone(), self.place.clone());
        place.rest(link.socket(), move |roused, _| match roused {
            Roused::TimedOut => self.finish(),
            _ => self.go_on(),
        })
    }

    fn finish(self) -> io::Result<()> {
        if self.connection.leaves_unread() {
            linger(&*self.link)
        } else {
            self.link.finish_writing()
        }
    }
}

/// Turns a panic of a handler into an error, which becomes a 500 or, when the response has begun,
/// the end of the connection. A kill is not a panic and goes on.
fn surviving_panics(handler: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    // What the handler can have left half done is the exchange, which settles that by itself.
    match catch_unwind(AssertUnwindSafe(handler)) {
        Ok(outcome) => outcome,
        Err(payload) if payload.is::<TaskletExit>() => resume_unwind(payload),
        Err(_) => Err(io::Error::other("the handler panicked")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::tests::service;
    use examples::http::Status;
    use greenling::Shutdown;
    use greenling::net::{TcpListener, TcpStream};
    use greenling::server::{Connection, Limits, serve};

    fn sometimes_panics<S: Read + Write>(
        request: &Request,
        exchange: &mut Exchange<'_, S>,
    ) -> io::Result<()> {
        match request.path() {
            "/before" => panic!("before the response"),
            "/within" => {
                exchange.respond(Status::OK).start(Some(100))?;
                exchange.write_all(b"a part")?;
                panic!("within the response")
            }
            _ => exchange.respond(Status::OK).body(b"fine"),
        }
    }

    /// Serves `requests` on a socket with [`sometimes_panics`]; returns all that came back.
    fn answers(requests: &str) -> String {
        greenling::enter(|| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let shutdown = Shutdown::with_limits(Duration::MAX, Duration::MAX);
            let stop = shutdown.clone();
            let serving = greenling::spawn(move || {
                serve(
                    listener,
                    &Limits::new(),
                    &shutdown,
                    |socket, _, place: &Connection| {
                        let service = Arc::new(service());
                        let link = Rc::new(socket);
                        Conversation::new(link, place.clone(), service, sometimes_panics).go_on()
                    },
                )
            });
            (&client).write_all(requests.as_bytes()).unwrap();
            client.shutdown(std::net::Shutdown::Write).unwrap();
            let mut answers = String::new();
            (&client).read_to_string(&mut answers).unwrap();
            stop.trigger();
            // The panic ended nothing but the request.
            let report = serving.join().unwrap().unwrap();
            assert_eq!((report.total.finished, report.total.panicked), (1, 0));
            answers
        })
    }

    #[test]
    fn a_handler_that_panics_gives_500_and_the_connection_goes_on() {
        let answers = answers(
            "GET /before HTTP/1.1\r\nHost: x\r\n\r\nGET /after HTTP/1.1\r\nHost: x\r\n\r\n",
        );
        assert!(
            answers.starts_with("HTTP/1.1 500 Internal Server Error\r\n"),
            "{answers}"
        );
        assert!(
            answers.contains("HTTP/1.1 200 OK\r\n") && answers.ends_with("fine"),
            "{answers}"
        );
    }

    #[test]
    fn a_panic_within_the_response_cuts_it() {
        let answers = answers(
            "GET /within HTTP/1.1\r\nHost: x\r\n\r\nGET /after HTTP/1.1\r\nHost: x\r\n\r\n",
        );
        assert!(answers.ends_with("\r\n\r\na part"), "{answers}");
    }

    #[test]
    fn a_kill_is_not_taken_for_a_panic() {
        greenling::enter(|| {
            let waiting = greenling::spawn(|| {
                surviving_panics(|| {
                    greenling::time::sleep(Duration::from_secs(1000));
                    Ok(())
                })
            });
            greenling::schedule();
            waiting.tasklet().kill().unwrap();
            assert!(waiting.join().unwrap_err().is_killed());
        });
    }
}
