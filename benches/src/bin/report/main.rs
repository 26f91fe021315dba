//! Makes Markdown pages and SVG charts of recorded results.
//!
//! ```text
//! cargo run --release -p benches --features rivals --bin report -- [FOLDER]
//! ```
//!
//! Reads `FOLDER/results/*.jsonl`, which `compare --record` writes, and makes
//! `FOLDER/*.md` and `FOLDER/*.svg`: a page for each area, the goals, a chart
//! for each case with several contenders and for each case that grows. The same
//! results give the same bytes.

mod area;
mod bars;
mod chart;
mod goals;
mod growth;
mod lines;
mod markdown;
mod number;
mod results;
mod title;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use area::{Area, Axis};
use results::{Failure, Results, Row};

/// What the units of costs begin with. Of these there are charts; the others only
/// count what happened.
const COSTS: [&str; 4] = ["ns", "us", "ms", "bytes"];

/// Markdown pages and SVG charts of recorded results.
#[derive(Debug, Parser)]
struct Options {
    /// Where `results/` is, and where the pages and charts go.
    #[arg(value_name = "FOLDER", default_value = "docs/performance")]
    folder: PathBuf,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match make(&options.folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("report: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn make(folder: &Path) -> Result<(), Failure> {
    let results = Results::read(&folder.join("results"))?;
    remove_old(folder)?;
    let mut charts = Vec::new();
    for case in results.cases() {
        if let Some(svg) = chart(case, &results)? {
            write(folder, &format!("{case}.svg"), &svg)?;
            charts.push(case);
        }
    }
    for area in Area::ALL {
        if let Some(page) = markdown::page(area, &results, &charts) {
            write(folder, &format!("{}.md", area.file()), &page)?;
        }
    }
    write(folder, "goals.md", &markdown::goals(&results))
}

/// The chart of `case`, where one shows more than a number.
fn chart(case: &str, results: &Results) -> Result<Option<String>, Failure> {
    let rows = results.of_case(case);
    let machine = results.environment_of(case).map(chart::machine);
    let machine = machine.unwrap_or_default();
    let is_cost = |unit: &str| COSTS.iter().any(|cost| unit.starts_with(cost));
    if !rows.iter().all(|row| is_cost(&row.unit)) {
        return Ok(None);
    }
    let sized: Vec<&Row> = rows.iter().copied().filter(|row| row.x.is_some()).collect();
    if sized.len() > 1 {
        return lines::draw(title::of(case), &machine, Axis::of(case), &sized).map(Some);
    }
    if rows.len() > 1 {
        return bars::draw(title::of(case), &machine, &rows).map(Some);
    }
    Ok(None)
}

/// Removes the charts of an earlier report, so that none stays of a case that is
/// no longer measured.
fn remove_old(folder: &Path) -> Result<(), Failure> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "svg") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), Failure> {
    let file = folder.join(name);
    fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()).into())
}
