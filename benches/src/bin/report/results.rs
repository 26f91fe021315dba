//! Recorded results: JSON lines, read back and put together.
//!
//! A recording is an environment object and the values that follow it:
//!
//! ```text
//! {"environment":{"date":"2026-01-31T12:00:00Z","cpu":"...",...}}
//! {"case":"switch-pair","who":"greenling","unit":"ns","value":8.1,"run":0}
//! {"case":"growth-ring","who":"greenling","unit":"ns","value":7.9,"run":0,"x":1000}
//! ```
//!
//! A case that is in several recordings counts as it is in the latest one, with
//! all its contenders: values of different days are no comparison.

use std::collections::BTreeMap;
use std::path::Path;
use std::{error, fs};

use benches::figure;
use serde_json::Value;

/// Why results cannot be read.
pub(crate) type Failure = Box<dyn error::Error>;

/// What the machine and the programs of a recording were, by name.
pub(crate) type Environment = BTreeMap<String, String>;

/// All runs of one contender in one case, at one size of the work.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) case: String,
    pub(crate) who: String,
    pub(crate) unit: String,
    /// The size of the work, in cases that vary it.
    pub(crate) x: Option<u64>,
    pub(crate) values: Vec<f64>,
}

impl Row {
    pub(crate) fn median(&self) -> f64 {
        // A row is made with its first value.
        figure::median(&self.values).unwrap_or(f64::NAN)
    }

    pub(crate) fn lowest(&self) -> f64 {
        self.values.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(crate) fn highest(&self) -> f64 {
        self.values
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max)
    }
}

/// The newest values of every case, in the order in which they were recorded.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Results {
    /// Where the values come from, oldest first; only what still counts.
    pub(crate) environments: Vec<Environment>,
    pub(crate) rows: Vec<Row>,
    /// Which of the environments each case was measured in.
    places: BTreeMap<String, usize>,
}

/// One environment and what was measured in it.
#[derive(Debug, Default)]
struct Recording {
    environment: Environment,
    rows: Vec<Row>,
}

impl Results {
    /// Reads every `*.jsonl` of `folder`.
    pub(crate) fn read(folder: &Path) -> Result<Results, Failure> {
        let listing =
            fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut files = Vec::new();
        for entry in listing {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "jsonl")
            {
                files.push(path);
            }
        }
        files.sort();
        let mut recordings = Vec::new();
        for file in files {
            let text = fs::read_to_string(&file)?;
            let of_file = parse(&text).map_err(|reason| format!("{}: {reason}", file.display()))?;
            recordings.extend(of_file);
        }
        Ok(Results::newest(recordings))
    }

    /// The results in `text`, as those of a folder with one file.
    #[cfg(test)]
    pub(crate) fn of(text: &str) -> Result<Results, Failure> {
        Ok(Results::newest(parse(text)?))
    }

    fn newest(mut recordings: Vec<Recording>) -> Results {
        // Stable: where dates are equal or missing, the order of the files decides.
        recordings.sort_by_key(|recording| recording.environment.get("date").cloned());
        let mut newest = BTreeMap::new();
        for (index, recording) in recordings.iter().enumerate() {
            for row in &recording.rows {
                newest.insert(row.case.clone(), index);
            }
        }
        let mut results = Results::default();
        for (index, recording) in recordings.into_iter().enumerate() {
            let mut rows = recording.rows;
            rows.retain(|row| newest.get(&row.case) == Some(&index));
            if rows.is_empty() {
                continue;
            }
            let environments = &mut results.environments;
            let known = environments
                .iter()
                .position(|other| *other == recording.environment);
            let place = known.unwrap_or_else(|| {
                environments.push(recording.environment);
                environments.len() - 1
            });
            for row in &rows {
                results.places.insert(row.case.clone(), place);
            }
            results.rows.extend(rows);
        }
        results
    }

    /// What `case` was measured in.
    pub(crate) fn environment_of(&self, case: &str) -> Option<&Environment> {
        self.environments.get(*self.places.get(case)?)
    }

    /// The names of all cases, in the order in which they were recorded.
    pub(crate) fn cases(&self) -> Vec<&str> {
        let mut cases: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !cases.contains(&row.case.as_str()) {
                cases.push(&row.case);
            }
        }
        cases
    }

    /// The rows of `case`.
    pub(crate) fn of_case(&self, case: &str) -> Vec<&Row> {
        self.rows.iter().filter(|row| row.case == case).collect()
    }

    /// The row of `who` in `case`, where the work has no size.
    pub(crate) fn find(&self, case: &str, who: &str) -> Option<&Row> {
        self.rows
            .iter()
            .find(|row| row.case == case && row.who == who && row.x.is_none())
    }
}

fn parse(text: &str) -> Result<Vec<Recording>, Failure> {
    let mut recordings: Vec<Recording> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let at = |reason: &str| Failure::from(format!("line {}: {reason}", index + 1));
        let object: Value = serde_json::from_str(line).map_err(|error| at(&error.to_string()))?;
        if let Some(environment) = object.get("environment") {
            let members = environment
                .as_object()
                .ok_or_else(|| at("the environment is no object"))?;
            let environment = members
                .iter()
                .map(|(name, value)| (name.clone(), plain(value)))
                .collect();
            recordings.push(Recording {
                environment,
                rows: Vec::new(),
            });
            continue;
        }
        let recording = recordings
            .last_mut()
            .ok_or_else(|| at("a value before the first environment"))?;
        recording.add(&object).map_err(at)?;
    }
    Ok(recordings)
}

/// A string without its quotes, anything else as in JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl Recording {
    fn add(&mut self, object: &Value) -> Result<(), &'static str> {
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        let case = text("case").ok_or("no case")?;
        let who = text("who").ok_or("no contender")?;
        let unit = text("unit").ok_or("no unit")?;
        let value = object.get("value").and_then(Value::as_f64);
        let value = value.ok_or("no value")?;
        let x = match object.get("x") {
            Some(x) => Some(x.as_u64().ok_or("x is no whole number")?),
            None => None,
        };
        let place = self
            .rows
            .iter_mut()
            .find(|row| row.case == case && row.who == who && row.x == x);
        match place {
            Some(row) if row.unit != unit => return Err("another unit than in earlier runs"),
            Some(row) => row.values.push(value),
            None => self.rows.push(Row {
                case: case.into(),
                who: who.into(),
                unit: unit.into(),
                x,
                values: vec![value],
            }),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(case: &str, who: &str, value: f64) -> String {
        format!(r#"{{"case":"{case}","who":"{who}","unit":"ns","value":{value},"run":0}}"#)
    }

    #[test]
    fn runs_become_rows() {
        let text = [
            r#"{"environment":{"cores":2,"cpu":"fast"}}"#.to_string(),
            value("switch", "go", 9.0),
            value("switch", "go", 5.0),
            value("switch", "go", 6.0),
        ]
        .join("\n");
        let results = Results::of(&text).unwrap();
        assert_eq!(results.environments[0]["cores"], "2");
        assert_eq!(results.environments[0]["cpu"], "fast");
        let row = results.find("switch", "go").unwrap();
        assert_eq!((row.median(), row.lowest(), row.highest()), (6.0, 5.0, 9.0));
    }

    #[test]
    fn runs_of_one_size_become_one_row() {
        let of = |x: u64, value: f64| {
            format!(r#"{{"case":"growth","who":"go","unit":"ns","run":0,"x":{x},"value":{value}}}"#)
        };
        let text = [
            r#"{"environment":{}}"#.to_string(),
            of(10, 1.0),
            of(100, 2.0),
            of(10, 3.0),
        ];
        let results = Results::of(&text.join("\n")).unwrap();
        let rows: Vec<_> = results
            .rows
            .iter()
            .map(|row| (row.x, &row.values[..]))
            .collect();
        assert_eq!(rows, [(Some(10), &[1.0, 3.0][..]), (Some(100), &[2.0][..])]);
    }

    #[test]
    fn the_latest_recording_of_a_case_counts_alone() {
        let text = [
            r#"{"environment":{"date":"2026-02-02"}}"#.to_string(),
            value("switch", "greenling", 8.0),
            r#"{"environment":{"date":"2026-01-01"}}"#.to_string(),
            value("switch", "greenling", 4.0),
            value("switch", "go", 9.0),
            value("spawn", "go", 7.0),
        ]
        .join("\n");
        let results = Results::of(&text).unwrap();
        assert_eq!(results.find("switch", "greenling").unwrap().values, [8.0]);
        assert_eq!(results.find("switch", "go"), None);
        assert_eq!(results.cases(), ["spawn", "switch"]);
        assert_eq!(results.environments.len(), 2);
    }

    #[test]
    fn what_cannot_be_understood_is_named_by_its_line() {
        let message = |text: &str| Results::of(text).unwrap_err().to_string();
        assert_eq!(
            message(&value("switch", "go", 1.0)),
            "line 1: a value before the first environment"
        );
        let begun = r#"{"environment":{}}"#;
        assert_eq!(
            message(&format!("{begun}\n\n{{\"case\":\"switch\"}}")),
            "line 3: no contender"
        );
        assert!(message(&format!("{begun}\nswitch 8")).starts_with("line 2: "));
    }
}
