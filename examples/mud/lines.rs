//! Lines of text from a peer that may send anything.

use std::io::{self, Read};
use std::rc::Rc;

use greenling::net::TcpStream;

/// The longest line that is taken, in bytes.
const LINE_MAX: usize = 400;

/// What a peer has sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Without control characters, and without space around it.
    Text(String),
    /// Longer than lines may be.
    TooLong,
    /// The end of the stream; half a line before it does not count.
    End,
}

/// Reads lines, and never keeps more than one piece beyond the longest.
#[derive(Debug)]
pub(crate) struct Lines<S> {
    stream: Rc<S>,
    rest: Vec<u8>,
}

impl Lines<TcpStream> {
    /// The next line. A time limit may cut it short; then it goes on where it
    /// was.
    pub(crate) fn next(&mut self) -> io::Result<Line> {
        self.next_from(|stream, piece| (&mut &*stream).read(piece))
    }
}

impl<S> Lines<S> {
    pub(crate) fn new(stream: Rc<S>) -> Lines<S> {
        Lines {
            stream,
            rest: Vec::new(),
        }
    }

    fn next_from(&mut self, read: impl Fn(&S, &mut [u8]) -> io::Result<usize>) -> io::Result<Line> {
        loop {
            let end = self.rest.iter().position(|&byte| byte == b'\n');
            if end.unwrap_or(self.rest.len()) > LINE_MAX {
                return Ok(Line::TooLong);
            }
            if let Some(end) = end {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Ok(Line::Text(clean(&line)));
            }
            let mut piece = [0; 512];
            match read(&self.stream, &mut piece)? {
                0 => return Ok(Line::End),
                count => self.rest.extend_from_slice(&piece[..count]),
            }
        }
    }
}

/// What may be shown to others: no escapes that would move their cursor.
fn clean(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let shown: String = text.chars().filter(|c| !c.is_control()).collect();
    shown.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn lines(text: &[u8]) -> Vec<Line> {
        let source = Rc::new(RefCell::new(text.to_vec()));
        let mut lines = Lines::new(source);
        let mut found = Vec::new();
        loop {
            let line = lines.next_from(|source, piece| {
                let mut source = source.borrow_mut();
                let count = source.len().min(piece.len()).min(7);
                piece[..count].copy_from_slice(&source[..count]);
                source.drain(..count);
                Ok(count)
            });
            found.push(line.expect("no error"));
            if matches!(found.last(), Some(Line::End | Line::TooLong)) {
                return found;
            }
        }
    }

    fn text(text: &str) -> Line {
        Line::Text(text.to_owned())
    }

    #[test]
    fn lines_come_one_by_one() {
        let found = lines(b"say hello\r\n\nwho\nhalf a line");
        assert_eq!(found, [text("say hello"), text(""), text("who"), Line::End]);
    }

    #[test]
    fn nothing_moves_the_cursor_of_others() {
        let found = lines(b"\x1b[2Jsay \x07hi\xff\n");
        assert_eq!(found, [text("[2Jsay hi\u{fffd}"), Line::End]);
    }

    #[test]
    fn a_line_has_an_end() {
        let longest = [b"x".repeat(LINE_MAX), b"\n".to_vec()].concat();
        assert_eq!(lines(&longest)[0], text(&"x".repeat(LINE_MAX)));
        let longer = [b"x".repeat(LINE_MAX + 1), b"\n".to_vec()].concat();
        assert_eq!(lines(&longer), [Line::TooLong]);
        assert_eq!(lines(&b"x".repeat(100_000)), [Line::TooLong]);
    }
}
