//! Line charts: what an operation costs as the work around it grows.
//!
//! The sizes are on a logarithmic axis. A cost that is constant is a level line,
//! and one of O(log n) a straight one, where the other axis is linear; that one
//! is logarithmic where the costs are too far apart to be seen otherwise.

use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBColor};

use crate::area::Axis;
use crate::chart::{
    self, CAPTION, FAINT, GRID, MARGIN, OURS, Panel, Place, TOP, WIDTH, linear_ticks,
    logarithmic_ticks,
};
use crate::number::{round, unit};
use crate::results::{Failure, Row};

const HEIGHT: i32 = 420;

/// The axis of sizes, with its labels and its name below.
const BOTTOM: i32 = HEIGHT - CAPTION - 44;

/// Costs farther apart than this are drawn on a logarithmic axis.
const LINEAR_MAX: f64 = 30.0;

/// Between two labels one above the other.
const LABEL_HEIGHT: i32 = 17;

/// Who is drawn in which colour; they can be told apart without seeing red and
/// green as two.
const COLORS: [(&str, RGBColor); 12] = [
    ("greenling", OURS),
    ("greenling-aws-lc", RGBColor(0x66, 0xc2, 0xa5)),
    ("may", RGBColor(0x8c, 0x56, 0x4b)),
    ("may-openssl", RGBColor(0xb0, 0x7a, 0x70)),
    ("hyper", RGBColor(0xe6, 0x9f, 0x00)),
    ("hyper-rustls", RGBColor(0xd5, 0x5e, 0x00)),
    ("hyper-openssl", RGBColor(0xb6, 0x5a, 0x8f)),
    ("nginx", RGBColor(0x00, 0x72, 0xb2)),
    ("go", RGBColor(0x35, 0x9b, 0xd6)),
    ("epoll", RGBColor(0x44, 0x44, 0x44)),
    ("rustls", RGBColor(0xd5, 0x5e, 0x00)),
    ("raw-openssl", RGBColor(0x44, 0x44, 0x44)),
];

/// The chart of `rows`, which are all of one case and have sizes.
pub(crate) fn draw(
    title: &str,
    machine: &str,
    axis: Axis,
    rows: &[&Row],
) -> Result<String, Failure> {
    let scales = Scales::of(rows).ok_or("a chart without points")?;
    let runs = rows.iter().map(|row| row.values.len()).min().unwrap_or(0);
    let caption = format!(
        "{}{}, less is better; medians of {runs} runs or more, from the lowest to the highest",
        rows.first().map_or("", |row| unit(&row.unit)),
        if scales.logarithmic {
            " (logarithmic)"
        } else {
            ""
        },
    );
    let mut svg = String::new();
    let panel = Panel::new(&mut svg, HEIGHT as u32, title, [&caption, machine])?;
    scales.draw(&panel, axis)?;

    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        if !names.contains(&row.who.as_str()) {
            names.push(&row.who);
        }
    }
    // Ours last, and so above the others.
    names.sort_by_key(|&name| name == "greenling");
    let mut ends = Vec::new();
    for name in names {
        let mut own: Vec<&&Row> = rows.iter().filter(|row| row.who == name).collect();
        own.sort_by_key(|row| row.x);
        let color = color(name);
        let thickness = if name.starts_with("greenling") { 3 } else { 2 };
        let mut points = Vec::new();
        for row in own {
            let x = scales.x(row.x.unwrap_or(1));
            points.push((x, scales.y(row.median())));
            let spread = [(x, scales.y(row.lowest())), (x, scales.y(row.highest()))];
            panel.line(&spread, color.stroke_width(1))?;
        }
        panel.line(&points, color.stroke_width(thickness))?;
        for &point in &points {
            panel.dot(point, color)?;
        }
        ends.extend(points.last().map(|&end| (end, name)));
    }
    for (place, name) in apart(ends) {
        panel.label(name, place, HPos::Left, &color(name))?;
    }
    panel.finish()?;
    Ok(svg)
}

fn color(name: &str) -> RGBColor {
    COLORS
        .iter()
        .find(|(who, _)| *who == name)
        .map_or(FAINT, |&(_, color)| color)
}

/// Labels beside the ends of their lines, moved until none covers another. Lines
/// that end at another size have room of their own.
fn apart(mut ends: Vec<(Place, &str)>) -> Vec<(Place, &str)> {
    ends.sort_by_key(|&((x, y), _)| (x, y));
    let mut labels: Vec<(Place, &str)> = Vec::new();
    for ends in ends.chunk_by(|a, b| a.0.0 == b.0.0) {
        let first = labels.len();
        let mut free = i32::MIN;
        for &((x, y), name) in ends {
            labels.push(((x + 10, y.max(free)), name));
            free = y.max(free) + LABEL_HEIGHT;
        }
        // Those that were pushed below the axis go up again.
        let mut limit = BOTTOM;
        for ((_, y), _) in labels[first..].iter_mut().rev() {
            *y = (*y).min(limit);
            limit = *y - LABEL_HEIGHT;
        }
    }
    labels
}

/// Where sizes and costs are on the panel.
struct Scales {
    sizes: Vec<u64>,
    ticks: Vec<f64>,
    logarithmic: bool,
    /// Where the costs' labels end and the lines begin.
    left: i32,
    right: i32,
}

impl Scales {
    fn of(rows: &[&Row]) -> Option<Scales> {
        let mut sizes: Vec<u64> = rows.iter().filter_map(|row| row.x).collect();
        sizes.sort();
        sizes.dedup();
        sizes.first()?;
        let highest = rows.iter().map(|row| row.highest()).fold(0.0, f64::max);
        let lowest = rows
            .iter()
            .map(|row| row.lowest())
            .fold(f64::INFINITY, f64::min);
        let logarithmic = lowest > 0.0 && highest / lowest > LINEAR_MAX;
        let ticks = if logarithmic {
            logarithmic_ticks(lowest, highest)
        } else {
            // A line of nothing but zeros has an axis, too.
            linear_ticks(if highest > 0.0 { highest } else { 1.0 })
        };
        let costs: Vec<String> = ticks.iter().map(|&tick| round(tick)).collect();
        let names = chart::width(rows.iter().map(|row| row.who.as_str()));
        Some(Scales {
            sizes,
            ticks,
            logarithmic,
            left: MARGIN + chart::width(costs.iter().map(String::as_str)) + 8,
            right: WIDTH as i32 - MARGIN - names - 10,
        })
    }

    fn x(&self, size: u64) -> i32 {
        let log = |size: u64| (size.max(1) as f64).ln();
        let (first, last) = (log(self.sizes[0]), log(self.sizes[self.sizes.len() - 1]));
        let share = if last > first {
            (log(size) - first) / (last - first)
        } else {
            0.5
        };
        // The first point is not on the axis of costs.
        let left = f64::from(self.left + 12);
        (left + share * (f64::from(self.right) - left)).round() as i32
    }

    fn y(&self, cost: f64) -> i32 {
        let (first, last) = (self.ticks[0], self.ticks[self.ticks.len() - 1]);
        let share = if self.logarithmic {
            (cost / first).ln() / (last / first).ln()
        } else {
            cost / last
        };
        BOTTOM - (share.clamp(0.0, 1.0) * f64::from(BOTTOM - TOP)).round() as i32
    }

    fn draw(&self, panel: &Panel<'_>, axis: Axis) -> Result<(), Failure> {
        for &tick in &self.ticks {
            let y = self.y(tick);
            panel.line(&[(self.left, y), (self.right, y)], GRID.stroke_width(1))?;
            panel.tick(&round(tick), (self.left - 8, y), HPos::Right)?;
        }
        panel.line(
            &[(self.left, BOTTOM), (self.right, BOTTOM)],
            FAINT.stroke_width(1),
        )?;
        let mut free = i32::MIN;
        let last = self.sizes[self.sizes.len() - 1];
        let half = |size: u64| chart::width([axis.label(size).as_str()]) / 2;
        for &size in &self.sizes {
            let (x, half_width) = (self.x(size), half(size));
            panel.line(&[(x, BOTTOM), (x, BOTTOM + 4)], FAINT.stroke_width(1))?;
            // The last one is always named.
            let end = self.x(last) - half(last);
            if size == last || (x - half_width >= free && x + half_width <= end) {
                panel.tick(&axis.label(size), (x, BOTTOM + 14), HPos::Center)?;
                free = x + half_width;
            }
        }
        let middle = (self.left + self.right) / 2;
        panel.tick(axis.name, (middle, BOTTOM + 34), HPos::Center)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(who: &str, cost: fn(f64) -> f64) -> Vec<Row> {
        [10, 100, 1000]
            .map(|x| Row {
                case: "growth".into(),
                who: who.into(),
                unit: "ns".into(),
                x: Some(x),
                values: vec![cost(x as f64)],
            })
            .into()
    }

    #[test]
    fn labels_of_lines_that_end_together_are_apart() {
        let ends = vec![((500, 200), "a"), ((500, 201), "b"), ((500, BOTTOM), "c")];
        let labels = apart(ends);
        let heights: Vec<i32> = labels.iter().map(|((_, y), _)| *y).collect();
        assert_eq!(heights, [200, 200 + LABEL_HEIGHT, BOTTOM]);
        let elsewhere = apart(vec![((300, 200), "a"), ((500, 201), "b")]);
        assert_eq!(elsewhere[1].0.1, 201);
        let low = apart(vec![((500, BOTTOM), "a"), ((500, BOTTOM), "b")]);
        assert_eq!(low[0].0.1, BOTTOM - LABEL_HEIGHT);
    }

    #[test]
    fn far_costs_make_the_axis_logarithmic() {
        let near = series("greenling", |_| 8.0);
        let far = series("go", |x| x);
        let rows: Vec<&Row> = near.iter().chain(&far).collect();
        let axis = Axis::of("growth");
        let svg = draw("Switch", "", axis, &rows).unwrap();
        assert!(svg.contains("ns (logarithmic), less is better"));
        let rows: Vec<&Row> = near.iter().collect();
        let svg = draw("Switch", "", axis, &rows).unwrap();
        assert!(svg.contains("ns, less is better"));
        assert!(svg.contains("\n1k\n"));
    }
}
