//! Inputs and results, as both sides have them, and the little of JSON that they take.

use std::fmt;

/// What operations take and give.
#[derive(Clone)]
pub(crate) enum Value {
    Nothing,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
    /// Things that belong together: as many as there are.
    Tuple(Vec<Value>),
    /// Things of which there may be fewer.
    List(Vec<Value>),
}

impl Value {
    /// The number; of anything else 0.
    pub(crate) fn number(&self) -> i64 {
        match self {
            Value::Number(number) => *number,
            _ => 0,
        }
    }

    pub(crate) fn is_true(&self) -> bool {
        self.number() != 0
    }

    /// The number as one of `count` places.
    pub(crate) fn index(&self, count: usize) -> usize {
        self.number().unsigned_abs() as usize % count
    }

    /// The content of text or bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Value::Text(text) => text.as_bytes(),
            Value::Bytes(bytes) => bytes,
            _ => &[],
        }
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(self.bytes()).expect("text is UTF-8")
    }

    /// What it consists of.
    pub(crate) fn parts(&self) -> &[Value] {
        match self {
            Value::Tuple(parts) | Value::List(parts) => parts,
            _ => &[],
        }
    }

    /// This, unless it is [`Value::Nothing`].
    pub(crate) fn some(&self) -> Option<&Value> {
        (!matches!(self, Value::Nothing)).then_some(self)
    }

    /// As JSON, in which bytes and text are hexadecimal digits.
    pub(crate) fn write_json(&self, json: &mut String) {
        match self {
            Value::Nothing => json.push_str("null"),
            Value::Number(number) => json.push_str(&number.to_string()),
            Value::Text(_) | Value::Bytes(_) => {
                json.push('"');
                json.push_str(&hex(self.bytes()));
                json.push('"');
            }
            Value::Tuple(parts) | Value::List(parts) => {
                json.push('[');
                for (number, part) in parts.iter().enumerate() {
                    if number > 0 {
                        json.push(',');
                    }
                    part.write_json(json);
                }
                json.push(']');
            }
        }
    }

    /// The other way round, of what Python's `json` writes.
    ///
    /// # Panics
    ///
    /// When it is anything else.
    pub(crate) fn from_json(json: &str) -> Value {
        let mut rest = json.trim();
        let value = read(&mut rest);
        assert_eq!(rest, "", "{json}");
        value
    }

    /// Everything that has one thing less, the largest things first.
    pub(crate) fn smaller(&self) -> Vec<Value> {
        let mut found = Vec::new();
        match self {
            Value::Nothing | Value::Number(0) => {}
            Value::Number(number) => found.extend([0, number / 2].map(Value::Number)),
            Value::Text(text) => {
                let mut chars: Vec<char> = text.chars().collect();
                if chars.len() > 2 {
                    found.push(Value::Text(chars[chars.len() / 2..].iter().collect()));
                }
                chars.pop();
                found.push(Value::Text(chars.iter().collect()));
                found.retain(|smaller| smaller.bytes().len() < text.len());
            }
            Value::Bytes(bytes) => {
                if let [first @ .., _] = bytes.as_slice() {
                    found.push(Value::Bytes(bytes[bytes.len().div_ceil(2)..].to_vec()));
                    found.push(Value::Bytes(first.to_vec()));
                }
            }
            Value::Tuple(parts) => {
                for (number, part) in parts.iter().enumerate() {
                    for smaller in part.smaller() {
                        let mut parts = parts.clone();
                        parts[number] = smaller;
                        found.push(Value::Tuple(parts));
                    }
                }
            }
            Value::List(parts) => {
                for number in 0..parts.len() {
                    let mut fewer = parts.clone();
                    fewer.remove(number);
                    found.push(Value::List(fewer));
                }
                for (number, part) in parts.iter().enumerate() {
                    for smaller in part.smaller() {
                        let mut parts = parts.clone();
                        parts[number] = smaller;
                        found.push(Value::List(parts));
                    }
                }
            }
        }
        found
    }
}

fn read(rest: &mut &str) -> Value {
    let text = *rest;
    let end_of = |ends: &[char]| text.find(ends).unwrap_or(text.len());
    if let Some(after) = text.strip_prefix("null") {
        *rest = after;
        return Value::Nothing;
    }
    if let Some(digits) = text.strip_prefix('"') {
        let (digits, after) = digits.split_once('"').expect("a closing quote");
        *rest = after;
        return Value::Bytes(from_hex(digits));
    }
    if let Some(mut inner) = text.strip_prefix('[') {
        let mut parts = Vec::new();
        loop {
            inner = inner.trim_start_matches([',', ' ']);
            if let Some(after) = inner.strip_prefix(']') {
                *rest = after;
                return Value::List(parts);
            }
            parts.push(read(&mut inner));
        }
    }
    let (number, after) = text.split_at(end_of(&[',', ']', ' ']));
    *rest = after;
    Value::Number(number.parse().unwrap_or_else(|_| panic!("{text:?}")))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn from_hex(digits: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("two digits");
    (0..digits.len()).step_by(2).map(digit).collect()
}

/// Text is equal to its bytes, and a tuple to a list: on the way they are the same.
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Nothing, Value::Nothing) => true,
            (Value::Number(a), Value::Number(b)) => a == b,
            (Value::Text(_) | Value::Bytes(_), Value::Text(_) | Value::Bytes(_)) => {
                self.bytes() == other.bytes()
            }
            (Value::Tuple(_) | Value::List(_), Value::Tuple(_) | Value::List(_)) => {
                self.parts() == other.parts()
            }
            _ => false,
        }
    }
}

/// Bytes that are text are shown as text.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Nothing => f.write_str("nothing"),
            Value::Number(number) => number.fmt(f),
            Value::Text(text) => text.fmt(f),
            Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) if !text.contains(|c: char| c.is_control() && c != '\n') => text.fmt(f),
                _ => f.write_str(&hex(bytes)),
            },
            Value::Tuple(parts) | Value::List(parts) => f.debug_list().entries(parts).finish(),
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Number(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Value {
        Value::Number(number.into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Value {
        Value::Number(number as i64)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Number(truth.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Value {
        Value::Bytes(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Value {
        Value::Bytes(bytes)
    }
}

impl From<Vec<Value>> for Value {
    fn from(parts: Vec<Value>) -> Value {
        Value::List(parts)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(maybe: Option<T>) -> Value {
        maybe.map_or(Value::Nothing, Into::into)
    }
}

/// A tuple of what can become values.
macro_rules! tuple {
    ($($part:expr),* $(,)?) => {
        $crate::value::Value::Tuple(vec![$($crate::value::Value::from($part)),*])
    };
}

pub(crate) use tuple;
