//! What a program finds out: figures, and everything that went wrong.
//!
//! With a file to keep them in, one environment object is appended to it and
//! then each value as it is measured, one JSON object a line:
//!
//! ```text
//! {"environment":{"cpu":"...","cores":"2","kernel":"...","commit":"...",...}}
//! {"case":"switch-pair","run":0,"unit":"ns","value":8.1,"who":"greenling"}
//! {"case":"growth-ring","run":0,"unit":"ns","value":7.9,"who":"greenling","x":1000}
//! ```
//!
//! So what was measured before a run is cut short is kept.

use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::environment;
use crate::figure::{self, Series};
use crate::who::Who;

/// The figures of a program so far.
#[derive(Debug, Default)]
pub struct Record {
    all: Vec<Series>,
    failures: Vec<String>,
    file: Option<File>,
}

impl Record {
    /// Keeps what is measured from now on in `path` too, after an environment
    /// object. What the file holds already stays.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or written.
    pub fn keep_in(&mut self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        self.file = Some(file);
        self.append(&json!({ "environment": environment::describe() }))
    }

    /// Adds the value of one run of `who` in `case`.
    pub fn add(&mut self, case: &str, who: Who, unit: &'static str, value: f64) {
        self.add_series(Series::new(case, who.name(), unit), value);
    }

    /// Adds the value of one run of `who` in `case`, whose work had the size `x`.
    pub fn add_at(&mut self, case: &str, x: u64, who: Who, unit: &'static str, value: f64) {
        self.add_series(Series::new(case, who.name(), unit).at(x), value);
    }

    fn add_series(&mut self, series: Series, value: f64) {
        let place = self.all.iter().position(|other| other.is_same(&series));
        let place = place.unwrap_or_else(|| {
            self.all.push(series);
            self.all.len() - 1
        });
        let series = &mut self.all[place];
        let line = series.run_json(value);
        series.push(value);
        if let Err(error) = self.append(&line) {
            // The figures are still printed.
            self.file = None;
            self.failures.push(format!("the record ends here: {error}"));
        }
    }

    fn append(&mut self, object: &Value) -> io::Result<()> {
        match &mut self.file {
            Some(file) => writeln!(file, "{object}"),
            None => Ok(()),
        }
    }

    /// Notes that a measurement failed: the exit status will tell.
    pub fn fail(&mut self, case: &str, who: Who, reason: impl Display) {
        self.failures
            .push(format!("{} in {case}: {reason}", who.name()));
    }

    /// Says that `who` cannot take part in `case`, which is no failure.
    pub fn leave_out(&self, case: &str, who: Who, reason: impl Display) {
        eprintln!("{} is left out of {case}: {reason}", who.name());
    }

    /// What was measured.
    pub fn all(&self) -> &[Series] {
        &self.all
    }

    /// Prints figures, with ratios to Greenling, and failures; the exit status of
    /// the program.
    pub fn finish(&self) -> ExitCode {
        figure::print(&self.all, Who::Greenling.name());
        for failure in &self.failures {
            eprintln!("FAILED: {failure}");
        }
        if self.failures.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_one_case_contender_and_size_are_one_series() {
        let mut record = Record::default();
        record.add("spawn-join", Who::Greenling, "ns", 40.0);
        record.add("spawn-join", Who::Greenling, "ns", 42.0);
        record.add("spawn-join", Who::May, "ns", 900.0);
        record.add_at("growth-ring", 10, Who::Greenling, "ns", 8.0);
        record.add_at("growth-ring", 100, Who::Greenling, "ns", 9.0);
        assert_eq!(record.all().len(), 4);
        assert_eq!(record.all()[0].median(), Some(41.0));
    }

    #[test]
    fn a_record_begins_with_the_environment_and_numbers_the_runs() {
        let name = format!("greenling-record-{}.jsonl", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mut record = Record::default();
        record.keep_in(&path).unwrap();
        record.add("spawn-join", Who::Greenling, "ns", 40.5);
        record.add("spawn-join", Who::Greenling, "ns", 42.0);
        record.add_at("growth-ring", 10, Who::Greenling, "ns", 8.0);
        let text = fs::read_to_string(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert!(lines[0]["environment"]["kernel"].is_string());
        assert_eq!(lines[1]["value"], 40.5);
        assert_eq!((&lines[1]["run"], &lines[2]["run"]), (&json!(0), &json!(1)));
        assert_eq!(lines[1].get("x"), None);
        assert_eq!(lines[3]["x"], 10);
    }
}
