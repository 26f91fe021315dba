//! Figures: repeated values of one case for one contender.
//!
//! Each series becomes one JSON object a line on standard output, with the
//! median, and one row of a table on standard error, with the spread. Programs
//! read the first, people the second.

use serde_json::{Value, json};

/// The values that repeated runs gave for one case and one contender.
#[derive(Debug, Clone)]
pub struct Series {
    case: String,
    who: &'static str,
    unit: &'static str,
    /// The size of the work, in cases that vary it.
    x: Option<u64>,
    values: Vec<f64>,
}

impl Series {
    /// An empty series for `who` in `case`.
    pub fn new(case: impl Into<String>, who: &'static str, unit: &'static str) -> Series {
        Series {
            case: case.into(),
            who,
            unit,
            x: None,
            values: Vec::new(),
        }
    }

    /// The same for work of the size `x`.
    pub fn at(mut self, x: u64) -> Series {
        self.x = Some(x);
        self
    }

    /// Adds the value of one more run.
    pub fn push(&mut self, value: f64) {
        self.values.push(value);
    }

    /// Whether this is the series of `who` in `case`.
    pub fn is(&self, case: &str, who: &str) -> bool {
        self.case == case && self.who == who
    }

    /// Whether the values of `other` belong here.
    pub fn is_same(&self, other: &Series) -> bool {
        self.is(&other.case, other.who) && self.x == other.x
    }

    /// The case that was measured.
    pub fn case(&self) -> &str {
        &self.case
    }

    /// The median, or `None` when no run gave a value.
    pub fn median(&self) -> Option<f64> {
        median(&self.values)
    }

    fn sorted(&self) -> Vec<f64> {
        sorted(&self.values)
    }

    /// The JSON object of the median; `None` when no run gave a value.
    pub fn json(&self) -> Option<Value> {
        Some(self.object(rounded(self.median()?)))
    }

    /// The JSON object of the next run, which gives `value`.
    pub fn run_json(&self, value: f64) -> Value {
        let mut object = self.object(value);
        object["run"] = self.values.len().into();
        object
    }

    fn object(&self, value: f64) -> Value {
        let mut object = json!({
            "case": self.case, "who": self.who, "value": value, "unit": self.unit,
        });
        if let Some(x) = self.x {
            object["x"] = x.into();
        }
        object
    }

    /// The case with the size of the work.
    fn label(&self) -> String {
        match self.x {
            Some(x) => format!("{} {x}", self.case),
            None => self.case.clone(),
        }
    }
}

/// The median of `values`, or `None` when there are none.
pub fn median(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// Prints the JSON lines on standard output and the table on standard error.
///
/// The table's last column is the median over that of `subject` in the same
/// case: how many times dearer the contender is.
pub fn print(all: &[Series], subject: &str) {
    eprintln!(
        "{:<28} {:<16} {:>11} {:>11} {:>11} {:>4} {:<6} {:>7}",
        "case", "who", "median", "lowest", "highest", "runs", "unit", "ratio"
    );
    for series in all {
        let (Some(median), Some(json)) = (series.median(), series.json()) else {
            continue;
        };
        println!("{json}");
        let sorted = series.sorted();
        let base = all
            .iter()
            .find(|other| other.is(&series.case, subject) && other.x == series.x);
        let ratio = match base.and_then(Series::median) {
            Some(base) if base > 0.0 => format!("{:.2}", median / base),
            _ => String::new(),
        };
        eprintln!(
            "{:<28} {:<16} {:>11} {:>11} {:>11} {:>4} {:<6} {:>7}",
            series.label(),
            series.who,
            rounded(median),
            rounded(sorted[0]),
            rounded(sorted[sorted.len() - 1]),
            sorted.len(),
            series.unit,
            ratio
        );
    }
}

/// Two decimals are more than these measurements can resolve.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_odd_and_an_even_number_of_runs() {
        let mut series = Series::new("case", "who", "ns");
        assert_eq!(series.median(), None);
        for value in [9.0, 1.0, 5.0] {
            series.push(value);
        }
        assert_eq!(series.median(), Some(5.0));
        series.push(6.0);
        assert_eq!(series.median(), Some(5.5));
    }

    #[test]
    fn a_median_and_a_run_are_json_objects() {
        let mut series = Series::new("ring", "greenling", "ns").at(1000);
        series.push(8.104);
        assert_eq!(
            series.json().unwrap(),
            json!({"case": "ring", "who": "greenling", "unit": "ns", "value": 8.1, "x": 1000})
        );
        assert_eq!(series.run_json(8.2)["run"], 1);
        assert_eq!(series.run_json(8.2)["value"], 8.2);
    }

    #[test]
    fn sizes_keep_series_apart() {
        let series = Series::new("case", "who", "ns");
        assert!(series.is_same(&Series::new("case", "who", "ns")));
        assert!(!series.is_same(&series.clone().at(1)));
        assert!(!series.is_same(&Series::new("case", "another", "ns")));
    }
}
