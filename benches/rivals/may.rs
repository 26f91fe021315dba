//! `may_minihttp`, a rival of the plain HTTP cases. `rival_may PORT WORKERS`.
//!
//! `may_minihttp` takes no socket from its user and sets no `TCP_NODELAY`. It
//! sends each answer by one write, so small ones leave at once all the same.

use std::error::Error;
use std::io;

use benches::answers;
use may_minihttp::{HttpServer, HttpService, Request, Response};

/// Answers what all servers answer.
#[derive(Clone)]
struct Answers;

impl HttpService for Answers {
    fn call(
        &mut self,
        request: Request<'_, '_, '_>,
        response: &mut Response<'_>,
    ) -> io::Result<()> {
        match answers::body(request.path()).map(std::str::from_utf8) {
            Some(Ok(body)) => response.header("Content-Type: text/plain").body(body),
            _ => {
                response.status_code(404, "Not Found");
            }
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, workers] = &arguments[..] else {
        return Err("usage: rival_may PORT WORKERS".into());
    };
    may::config().set_workers(workers.parse()?);
    let server = HttpServer(Answers).start(format!("127.0.0.1:{port}"))?;
    server.join().map_err(|_| "the server panicked")?;
    Ok(())
}
