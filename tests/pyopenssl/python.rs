//! The Python process, in which pyOpenSSL does what is asked of it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use tests::tools;

use crate::keys::Keys;
use crate::value::Value;

/// What came of an operation: a result, or the reason why it was refused.
pub(crate) type Outcome = Result<Value, String>;

/// Debian's, for which its package python3-openssl is.
const PROGRAM: &str = "/usr/bin/python3";

/// An operation that takes longer hangs. A generous limit.
const LIMIT: Duration = Duration::from_secs(60);

/// A running driver.py.
pub(crate) struct Python {
    child: Child,
    questions: ChildStdin,
    answers: Receiver<String>,
}

impl Python {
    /// Starts it, or says that the test is skipped.
    pub(crate) fn start(test: &str, keys: &Keys) -> Option<Python> {
        if !Path::new(PROGRAM).is_file() {
            tools::skip(test, &format!("{PROGRAM} missing"));
            return None;
        }
        let mut child = Command::new(PROGRAM)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/pyopenssl/driver.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, answers) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut python = Python {
            questions: child.stdin.take().expect("a pipe"),
            child,
            answers,
        };
        let ders = keys.all().iter().map(|key| Value::from(key.der.as_slice()));
        let version = python.question("start", ders.collect());
        match version {
            Some(Ok(version)) if version.text().starts_with("23.") => Some(python),
            Some(version) => {
                tools::skip(test, &format!("python3-openssl is not 23: {version:?}"));
                None
            }
            None => {
                tools::skip(test, "python3-openssl missing");
                None
            }
        }
    }

    /// Has it do an operation.
    ///
    /// # Panics
    ///
    /// When it does not answer.
    pub(crate) fn ask(&mut self, operation: &str, arguments: impl Into<Arguments>) -> Outcome {
        let answer = self.question(operation, arguments.into().0);
        answer.unwrap_or_else(|| panic!("Python ended in {operation}"))
    }

    fn question(&mut self, operation: &str, arguments: Vec<Value>) -> Option<Outcome> {
        let mut json = format!("[\"{operation}\"");
        for argument in arguments {
            json.push(',');
            argument.write_json(&mut json);
        }
        json.push_str("]\n");
        self.questions.write_all(json.as_bytes()).ok()?;
        let answer = match self.answers.recv_timeout(LIMIT) {
            Ok(answer) => Value::from_json(&answer),
            Err(mpsc::RecvTimeoutError::Disconnected) => return None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("Python hangs in {json}"),
        };
        let [is_done, result] = answer.parts() else {
            panic!("{answer:?}");
        };
        Some(match is_done.is_true() {
            true => Ok(result.clone()),
            false => Err(result.text().to_owned()),
        })
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // Whether it had ended already does not matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The arguments of an operation.
pub(crate) struct Arguments(Vec<Value>);

impl From<Value> for Arguments {
    fn from(value: Value) -> Arguments {
        match value {
            Value::Tuple(parts) => Arguments(parts),
            one => Arguments(vec![one]),
        }
    }
}

impl From<&Value> for Arguments {
    fn from(value: &Value) -> Arguments {
        value.clone().into()
    }
}
