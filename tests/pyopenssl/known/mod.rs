//! Where we differ from pyOpenSSL 23, and why: `fields.rs` has what certificates are made
//! of, `objects.rs` what they are and come in.

mod fields;
mod objects;

use crate::trial::Difference;
use crate::value::Value;

/// A difference that is meant.
pub(crate) struct Row {
    pub(crate) family: &'static str,
    /// What of the result may differ; the example shows the first.
    pub(crate) what: &'static [&'static str],
    pub(crate) because: &'static str,
    /// Whether a difference of that is this one.
    pub(crate) is_it: fn(&Difference) -> bool,
    /// An input that shows it.
    pub(crate) example: fn() -> Value,
}

/// All of them.
pub(crate) fn table() -> impl Iterator<Item = &'static Row> {
    fields::TABLE.iter().chain(objects::TABLE)
}

/// The part of an input at the end of a path.
fn part<'a>(difference: &'a Difference, path: &[usize]) -> &'a Value {
    let step = |value: &'a Value, at: &usize| value.parts().get(*at).unwrap_or(&Value::Nothing);
    path.iter().fold(&difference.input, step)
}

fn has_nul(value: &Value) -> bool {
    value.bytes().contains(&0)
}

/// Whether we have refused it as a fault of this kind, and Python has not refused it.
fn only_ours_is(difference: &Difference, kind: &str) -> bool {
    let is_ours = difference
        .ours
        .as_ref()
        .is_err_and(|why| why.starts_with(kind));
    is_ours && difference.theirs.is_ok()
}

/// The row of a difference.
pub(crate) fn row(difference: &Difference) -> Option<&'static Row> {
    table().find(|row| {
        let is_of = row.family == difference.family && row.what.contains(&difference.what);
        is_of && (row.is_it)(difference)
    })
}
