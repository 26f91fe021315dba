//! `may_minihttp` on one worker, a rival of `compare http`. `rival_may PORT`.

use std::error::Error;
use std::io;

use may_minihttp::{HttpServer, HttpService, Request, Response};

/// Answers `/hello` and nothing else.
#[derive(Clone)]
struct Hello;

impl HttpService for Hello {
    fn call(
        &mut self,
        request: Request<'_, '_, '_>,
        response: &mut Response<'_>,
    ) -> io::Result<()> {
        if request.path() == "/hello" {
            response
                .header("Content-Type: text/plain")
                .body("Hello, world!");
        } else {
            response.status_code(404, "Not Found");
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).ok_or("usage: rival_may PORT")?;
    may::config().set_workers(1);
    let server = HttpServer(Hello).start(format!("127.0.0.1:{port}"))?;
    server.join().map_err(|_| "the server panicked")?;
    Ok(())
}
