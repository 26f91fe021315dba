//! One input, given to both sides: what differs, and the smallest input that shows it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use greenling_tls::{ConfigErrorKind, Error};

use crate::keys::Keys;
use crate::known;
use crate::python::{Arguments, Outcome, Python};
use crate::random::Random;
use crate::value::Value;

/// Operations that are compared: how inputs are drawn, and what is done with them.
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) draw: fn(&mut Random) -> Value,
    pub(crate) check: fn(&Value, &mut Trial<'_>),
}

/// A disagreement.
pub(crate) struct Difference {
    pub(crate) family: &'static str,
    pub(crate) input: Value,
    /// What of it, as "hash".
    pub(crate) what: &'static str,
    pub(crate) ours: Outcome,
    pub(crate) theirs: Outcome,
}

impl Difference {
    /// Differences of one sort probably have one cause.
    pub(crate) fn sort(&self) -> String {
        let [ours, theirs] = [&self.ours, &self.theirs].map(|outcome| match outcome {
            Ok(_) => "",
            Err(reason) => reason,
        });
        // What follows is often of this one input.
        let kind = ours.split(':').next().unwrap_or_default();
        format!("{} {} {kind} {theirs}", self.family, self.what)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.family, self.what)?;
        writeln!(f, "  input: {:?}", self.input)?;
        for (who, outcome) in [("ours", &self.ours), ("theirs", &self.theirs)] {
            match outcome {
                Ok(value) => writeln!(f, "  {who}: {value:?}")?,
                Err(reason) => writeln!(f, "  {who} refused: {reason}")?,
            }
        }
        Ok(())
    }
}

/// Both sides, while they are given one input.
pub(crate) struct Trial<'a> {
    python: &'a mut Python,
    keys: &'a Keys,
    family: &'static str,
    input: Value,
    differences: Vec<Difference>,
}

impl<'a> Trial<'a> {
    /// What the sides disagree about.
    pub(crate) fn of(
        family: &Family,
        input: &Value,
        python: &'a mut Python,
        keys: &'a Keys,
    ) -> Vec<Difference> {
        let mut trial = Trial {
            python,
            keys,
            family: family.name,
            input: input.clone(),
            differences: Vec::new(),
        };
        let attempt = catch_unwind(AssertUnwindSafe(|| (family.check)(input, &mut trial)));
        if let Err(payload) = attempt {
            let text = payload.downcast_ref::<String>().cloned();
            let text = text.unwrap_or_else(|| format!("{:?}", payload.downcast_ref::<&str>()));
            trial.differ("a panic", Err(text), Ok(Value::Nothing));
        }
        trial.differences
    }

    pub(crate) fn keys(&self) -> &'a Keys {
        self.keys
    }

    /// Has Python do an operation of `driver.py`.
    pub(crate) fn ask(&mut self, operation: &str, arguments: impl Into<Arguments>) -> Outcome {
        self.python.ask(operation, arguments)
    }

    /// Notes when results differ, or one side refuses what the other does, or says
    /// another reason. The result, if both have the same.
    pub(crate) fn compare<E: Refusal>(
        &mut self,
        what: &'static str,
        ours: Result<Value, E>,
        theirs: Outcome,
    ) -> Option<Value> {
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) if ours == theirs => return Some(ours),
            (Err(ours), Err(theirs)) if is_same_refusal(&ours, &theirs) => {}
            (ours, theirs) => self.differ(what, ours.map_err(|refusal| refusal.reason()), theirs),
        }
        None
    }

    /// As [`Trial::compare`], of results that consist of fields.
    pub(crate) fn compare_fields(
        &mut self,
        names: &[&'static str],
        ours: Result<Value, Error>,
        theirs: Outcome,
    ) {
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => {
                let fields = ours.parts().iter().zip(theirs.parts());
                assert_eq!(ours.parts().len(), names.len());
                assert_eq!(theirs.parts().len(), names.len());
                for ((ours, theirs), what) in fields.zip(names) {
                    self.expect(what, ours.clone(), Ok(theirs.clone()));
                }
            }
            (ours, theirs) => {
                self.compare("the result", ours, theirs);
            }
        }
    }

    /// Notes when Python does not answer with `expected`.
    pub(crate) fn expect(&mut self, what: &'static str, expected: Value, theirs: Outcome) {
        self.compare::<Error>(what, Ok(expected), theirs);
    }

    pub(crate) fn differ(&mut self, what: &'static str, ours: Outcome, theirs: Outcome) {
        self.differences.push(Difference {
            family: self.family,
            input: self.input.clone(),
            what,
            ours,
            theirs,
        });
    }
}

/// Why we have refused something.
pub(crate) trait Refusal {
    /// The kind, if it was the input's fault.
    fn kind(&self) -> Option<ConfigErrorKind>;

    fn reason(&self) -> String;
}

impl Refusal for Error {
    fn kind(&self) -> Option<ConfigErrorKind> {
        match self {
            Error::Config(fault) => Some(fault.kind()),
            _ => None,
        }
    }

    fn reason(&self) -> String {
        match self.kind() {
            Some(kind) => format!("{kind:?}: {self}"),
            None => format!("{self:?}"),
        }
    }
}

/// There is no such thing, as types say it.
impl Refusal for &'static str {
    fn kind(&self) -> Option<ConfigErrorKind> {
        None
    }

    fn reason(&self) -> String {
        (*self).to_owned()
    }
}

/// What pyOpenSSL says, and what we call it. The rest of its reasons is compared no
/// further than that both refuse.
const REASONS: &[(&str, &[ConfigErrorKind])] = &[
    ("string too long", &[ConfigErrorKind::BadValue]),
    ("string too short", &[ConfigErrorKind::BadValue]),
    ("illegal characters", &[ConfigErrorKind::BadValue]),
    (
        "AttributeError: No such attribute",
        &[ConfigErrorKind::BadValue],
    ),
    ("ValueError: Invalid string", &[ConfigErrorKind::BadValue]),
    (
        "no start line",
        &[ConfigErrorKind::Malformed, ConfigErrorKind::WrongObject],
    ),
    ("mac verify failure", &[ConfigErrorKind::WrongPassphrase]),
    ("bad decrypt", &[ConfigErrorKind::WrongPassphrase]),
    (NO_PASSPHRASE, &[ConfigErrorKind::EncryptedKey]),
];

/// In place of Python's answer where it would ask on the terminal.
pub(crate) const NO_PASSPHRASE: &str = "no passphrase is given";

fn is_same_refusal(ours: &impl Refusal, theirs: &str) -> bool {
    let row = REASONS.iter().find(|(reason, _)| theirs.contains(reason));
    row.is_none_or(|(_, kinds)| ours.kind().is_some_and(|kind| kinds.contains(&kind)))
}

/// The differences of an input that are not known.
pub(crate) fn unknown(
    family: &Family,
    input: &Value,
    python: &mut Python,
    keys: &Keys,
) -> Vec<Difference> {
    let mut differences = Trial::of(family, input, python, keys);
    differences.retain(|difference| known::row(difference).is_none());
    differences
}

/// Smaller inputs that are tried.
const ATTEMPTS: usize = 500;

/// The smallest input found that shows the same kind of difference, and that.
pub(crate) fn smallest(
    family: &Family,
    first: Difference,
    python: &mut Python,
    keys: &Keys,
) -> Difference {
    let mut best = first;
    let mut attempts = 0..ATTEMPTS;
    let sort = best.sort();
    'smaller: loop {
        for input in best.input.smaller() {
            if attempts.next().is_none() {
                return best;
            }
            let found = unknown(family, &input, python, keys);
            if let Some(same) = found.into_iter().find(|one| one.sort() == sort) {
                best = same;
                continue 'smaller;
            }
        }
        return best;
    }
}
