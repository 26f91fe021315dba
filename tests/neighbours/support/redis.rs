//! Has the `redis` crate speak over any stream.

use redis::{ConnectionLike, Parser, RedisResult, Value};
use std::fmt;
use std::io::{Read, Write};

/// A connection for `redis`' commands and pipelines: `cmd.query(&mut connection)`.
pub struct Connection<S> {
    stream: S,
    parser: Parser,
    /// Every command that was sent has had its reply.
    in_step: bool,
}

impl<S: Read + Write> Connection<S> {
    /// One over `stream`, which is connected.
    pub fn new(stream: S) -> Connection<S> {
        Connection {
            stream,
            parser: Parser::new(),
            in_step: true,
        }
    }

    /// The stream below.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// Sends commands without waiting for replies.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub fn send(&mut self, packed: &[u8]) -> RedisResult<()> {
        Ok(self.stream.write_all(packed)?)
    }

    /// Waits for the next reply, or for the next message of a subscription.
    ///
    /// # Errors
    ///
    /// Those of the stream and of the parser.
    pub fn receive(&mut self) -> RedisResult<Value> {
        self.parser.parse_value(&mut self.stream)
    }
}

impl<S: Read + Write> ConnectionLike for Connection<S> {
    fn req_packed_command(&mut self, command: &[u8]) -> RedisResult<Value> {
        let mut replies = self.req_packed_commands(command, 0, 1)?;
        Ok(replies.remove(0))
    }

    fn req_packed_commands(
        &mut self,
        commands: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        // An early end, by a time limit say, leaves replies that nobody awaits.
        self.in_step = false;
        self.send(commands)?;
        for _ in 0..offset {
            self.receive()?;
        }
        let replies = (0..count)
            .map(|_| self.receive())
            .collect::<RedisResult<_>>()?;
        self.in_step = true;
        Ok(replies)
    }

    fn get_db(&self) -> i64 {
        0
    }

    fn check_connection(&mut self) -> bool {
        redis::cmd("PING").query::<String>(self).is_ok()
    }

    fn is_open(&self) -> bool {
        self.in_step
    }
}

impl<S: fmt::Debug> fmt::Debug for Connection<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("stream", &self.stream)
            .field("in_step", &self.in_step)
            .finish_non_exhaustive()
    }
}
