//! The pages: tables of everything that was recorded, with the charts below.

use std::fmt::Write;

use crate::area::{Area, Axis, is_proportional};
use crate::goals::GOALS;
use crate::growth::{Growth, MEMORY_NS};
use crate::number::{number, separated, unit};
use crate::results::{Environment, Results, Row};
use crate::title;

/// Whose cost is 1 in the column of ratios.
const OURS: &str = "greenling";

const DATE: &str = "date";

/// What is told of a machine first, in this order; the rest follows by name.
const FIRST: [&str; 6] = [DATE, "commit", "cpu", "cores", "memory", "kernel"];

/// The page of `area`; `None` when nothing of it was recorded.
pub(crate) fn page(area: Area, results: &Results, charts: &[&str]) -> Option<String> {
    let cases: Vec<&str> = results
        .cases()
        .into_iter()
        .filter(|case| Area::of(case) == area)
        .collect();
    if cases.is_empty() {
        return None;
    }
    let mut page = begin(area.title(), results);
    if area == Area::Growth {
        page += &growth(&cases, results, charts);
        return Some(page);
    }
    page += "Ratios are to Greenling's median. All values are costs, above 1 is dearer; of \
             rates more is better.\n\n";
    page += "| case | contender | median | lowest | highest | unit | runs | ratio |\n";
    page += "|---|---|--:|--:|--:|---|--:|--:|\n";
    for case in &cases {
        let base = results.find(case, OURS).map(Row::median);
        for row in results.of_case(case) {
            let ratio = match base {
                Some(base) if base > 0.0 => number(row.median() / base),
                _ => String::new(),
            };
            let _ = writeln!(
                page,
                "| `{case}` | {} | {} | {} | {} | {} | {} | {ratio} |",
                contender(&row.who),
                number(row.median()),
                number(row.lowest()),
                number(row.highest()),
                unit(&row.unit),
                row.values.len(),
            );
        }
    }
    for case in cases.iter().filter(|case| charts.contains(case)) {
        let _ = write!(page, "\n{}", picture(case));
    }
    Some(page)
}

/// The page of goals.
pub(crate) fn goals(results: &Results) -> String {
    let mut page = begin("Goals", results);
    page += "All values are costs; a ratio is the one median over the other.\n\n";
    page += "| what | case | goal | measured | |\n|---|---|---|---|---|\n";
    for goal in GOALS {
        let outcome = goal.judge(results);
        let _ = writeln!(
            page,
            "| {} | `{}` | {} | {} | {} |",
            outcome.what,
            goal.case(),
            outcome.goal,
            outcome.measured,
            outcome.verdict
        );
    }
    page
}

fn begin(title: &str, results: &Results) -> String {
    let mut page = format!(
        "# {title}\n\nMade by the program `report` of `benches` from `results/`; changes belong \
         there.\n\n"
    );
    for environment in grouped(&results.environments) {
        page += &machine(&environment);
    }
    page
}

/// Environments that differ by their dates only are one, of a first and a last date.
fn grouped(environments: &[Environment]) -> Vec<Environment> {
    let undated = |environment: &Environment| {
        let mut environment = environment.clone();
        let date = environment.remove(DATE);
        (environment, date)
    };
    let mut groups: Vec<(Environment, Vec<String>)> = Vec::new();
    // The oldest comes first.
    for (environment, date) in environments.iter().map(undated) {
        match groups.iter_mut().find(|(other, _)| *other == environment) {
            Some((_, dates)) => dates.extend(date),
            None => groups.push((environment, date.into_iter().collect())),
        }
    }
    let dated = |(mut environment, dates): (Environment, Vec<String>)| {
        let date = match &dates[..] {
            [] => None,
            [only] => Some(only.clone()),
            [first, .., last] => Some(format!("{first} to {last}")),
        };
        environment.extend(date.map(|date| (DATE.into(), date)));
        environment
    };
    groups.into_iter().map(dated).collect()
}

fn machine(environment: &Environment) -> String {
    let mut text = String::from("| | |\n|---|---|\n");
    let first = FIRST.iter().map(|&name| String::from(name));
    let rest = environment
        .keys()
        .filter(|name| !FIRST.contains(&name.as_str()))
        .cloned();
    for name in first.chain(rest) {
        if let Some(value) = environment.get(&name) {
            let _ = writeln!(text, "| {name} | {} |", value.replace('|', "\\|"));
        }
    }
    text + "\n"
}

fn contender(who: &str) -> String {
    if who.starts_with(OURS) {
        format!("**{who}**")
    } else {
        who.into()
    }
}

fn picture(case: &str) -> String {
    format!("![{}]({case}.svg)\n", title::of(case))
}

fn growth(cases: &[&str], results: &Results, charts: &[&str]) -> String {
    let mut text = format!(
        "## Verdicts\n\nThe cost of one operation among n may be that of the cheapest size, times \
         the growth of log n from there to the largest size, and {MEMORY_NS:.0} ns for memory \
         that no longer fits the caches. What costs more is flagged. `per tenfold` is what ten \
         times the size multiplies the cost by, on average. The kernel and the machine grow \
         dearer for everybody, so rivals are judged as well.\n\n| case | contender | sizes | \
         lowest | at the end | limit | ratio | per tenfold | |\n\
         |---|---|---|--:|--:|--:|--:|--:|---|\n"
    );
    for case in cases.iter().filter(|case| !is_proportional(case)) {
        let axis = Axis::of(case);
        for who in contenders(results, case) {
            let rows: Vec<&Row> = of_contender(results, case, who);
            let Some(growth) = Growth::of(&rows) else {
                continue;
            };
            let _ = writeln!(
                text,
                "| `{case}` | {} | {} to {} | {} | {} {} | {} | {} | {} | {} |",
                contender(who),
                axis.label(growth.x_first),
                axis.label(growth.x_last),
                number(growth.lowest),
                number(growth.last),
                unit(&rows[0].unit),
                number(growth.limit),
                number(growth.ratio),
                number(growth.per_tenfold()),
                if growth.is_within() {
                    "within"
                } else {
                    "**worse than O(log n)**"
                },
            );
        }
    }
    for case in cases {
        let _ = write!(text, "\n## {}\n\n", title::of(case));
        if charts.contains(case) {
            let _ = writeln!(text, "{}", picture(case));
        }
        text += &by_size(case, results);
    }
    text
}

/// The table of a growth case: a row for each size, a column for each contender.
fn by_size(case: &str, results: &Results) -> String {
    let axis = Axis::of(case);
    let rows = results.of_case(case);
    let unit = rows.first().map_or("", |row| unit(&row.unit));
    let runs = rows.iter().map(|row| row.values.len()).min().unwrap_or(0);
    let names = contenders(results, case);
    let mut text = format!(
        "`{case}`, {unit}: the median of {runs} runs or more (lowest to highest).\n\n| {} |",
        axis.name
    );
    for who in &names {
        let _ = write!(text, " {} |", contender(who));
    }
    text += "\n|--:|";
    text += &"--:|".repeat(names.len());
    text.push('\n');
    let mut sizes: Vec<u64> = rows.iter().filter_map(|row| row.x).collect();
    sizes.sort();
    sizes.dedup();
    for size in sizes {
        let label = if axis.counts_bytes() {
            axis.label(size)
        } else {
            separated(&size.to_string())
        };
        let _ = write!(text, "| {label} |");
        for who in &names {
            let row = rows
                .iter()
                .find(|row| row.who == *who && row.x == Some(size));
            let cell = row.map_or(String::new(), |row| {
                format!(
                    "{} ({} to {})",
                    number(row.median()),
                    number(row.lowest()),
                    number(row.highest())
                )
            });
            let _ = write!(text, " {cell} |");
        }
        text.push('\n');
    }
    text
}

/// Who took part in `case`, Greenling first.
fn contenders<'a>(results: &'a Results, case: &str) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for row in results.of_case(case) {
        if !names.contains(&row.who.as_str()) {
            names.push(&row.who);
        }
    }
    names.sort_by_key(|&name| name != OURS);
    names
}

fn of_contender<'a>(results: &'a Results, case: &str, who: &str) -> Vec<&'a Row> {
    let rows = results.of_case(case);
    rows.into_iter().filter(|row| row.who == who).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: &str = r#"
{"environment":{"cpu":"a | b","cores":2,"rustc":"1.95"}}
{"case":"http-hello","who":"greenling","unit":"us","value":6.0,"run":0}
{"case":"http-hello","who":"nginx","unit":"us","value":9.0,"run":0}
{"case":"http-hello","who":"nginx","unit":"us","value":7.5,"run":1}
{"case":"http-hello","who":"nginx","unit":"us","value":7.0,"run":2}
{"case":"growth-ring","who":"greenling","unit":"ns","value":5.0,"run":0,"x":10}
{"case":"growth-ring","who":"greenling","unit":"ns","value":6.0,"run":0,"x":1000}
{"case":"growth-ring","who":"go","unit":"ns","value":5.0,"run":0,"x":10}
{"case":"growth-ring","who":"go","unit":"ns","value":6000.0,"run":0,"x":1000}
"#;

    #[test]
    fn a_page_has_the_machine_all_rows_and_the_charts() {
        let results = Results::of(RECORDED).unwrap();
        let page = page(Area::Servers, &results, &["http-hello"]).unwrap();
        assert!(page.contains("| cpu | a \\| b |\n| cores | 2 |\n| rustc | 1.95 |\n"));
        assert!(
            page.contains("| `http-hello` | **greenling** | 6.00 | 6.00 | 6.00 | µs | 1 | 1.00 |")
        );
        assert!(page.contains("| `http-hello` | nginx | 7.50 | 7.00 | 9.00 | µs | 3 | 1.25 |"));
        assert!(page.contains("](http-hello.svg)"));
        assert!(!page.contains("growth-ring"));
    }

    #[test]
    fn equal_environments_are_one_table() {
        let of = |date: &str, case: &str, cpu: &str| {
            format!(
                "{{\"environment\":{{\"date\":\"{date}\",\"cpu\":\"{cpu}\"}}}}\n\
                 {{\"case\":\"{case}\",\"who\":\"go\",\"unit\":\"ns\",\"value\":1.0}}\n"
            )
        };
        let text = of("1", "a", "x") + &of("2", "b", "y") + &of("3", "c", "x") + &of("4", "d", "x");
        let page = goals(&Results::of(&text).unwrap());
        assert!(page.contains("| date | 1 to 4 |\n| cpu | x |\n"));
        assert!(page.contains("| date | 2 |\n| cpu | y |\n"));
        assert_eq!(page.matches("| cpu |").count(), 2);
    }

    #[test]
    fn an_area_without_results_has_no_page() {
        let results = Results::of(RECORDED).unwrap();
        assert_eq!(page(Area::Tls, &results, &[]), None);
    }

    #[test]
    fn growth_is_judged_and_shown_by_size() {
        let results = Results::of(RECORDED).unwrap();
        let page = page(Area::Growth, &results, &[]).unwrap();
        assert!(page.contains(
            "| `growth-ring` | **greenling** | 10 to 1k | 5.00 | 6.00 ns | 2,015 | 1.20 |"
        ));
        let go = page
            .lines()
            .find(|line| line.contains("| go | 10 to 1k"))
            .unwrap();
        assert!(go.ends_with("| **worse than O(log n)** |"));
        assert!(page.contains("| 1,000 | 6.00 (6.00 to 6.00) | 6,000 (6,000 to 6,000) |"));
    }

    #[test]
    fn the_table_of_goals_has_them_all() {
        let page = goals(&Results::of(RECORDED).unwrap());
        assert!(page.contains("| 0.800 (6.00 µs against 7.50) | reached |"));
        let rows = page.lines().filter(|line| line.contains(" | `")).count();
        assert_eq!(rows, GOALS.len());
    }
}
