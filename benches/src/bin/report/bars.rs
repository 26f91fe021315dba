//! Bar charts: the contenders of one case, cheapest first.

use plotters::style::Color;
use plotters::style::text_anchor::HPos;

use crate::chart::{self, CAPTION, INK, MARGIN, OURS, Panel, RIVAL, TOP, WIDTH};
use crate::number::{number, unit};
use crate::results::{Failure, Row};

const BAR: i32 = 22;
const STEP: i32 = 32;

/// Room for the number behind the longest bar.
const NUMBER: i32 = 110;

/// The chart of `rows`, which are all of one case.
pub(crate) fn draw(title: &str, machine: &str, rows: &[&Row]) -> Result<String, Failure> {
    let mut rows = rows.to_vec();
    rows.sort_by(|a, b| a.median().total_cmp(&b.median()));
    let height = TOP + STEP * rows.len() as i32 + CAPTION;
    let runs = rows.iter().map(|row| row.values.len()).min().unwrap_or(0);
    let caption = format!(
        "{}, less is better; median of {runs} runs, whiskers from the lowest to the highest",
        rows.first().map_or("", |row| unit(&row.unit))
    );
    let mut svg = String::new();
    let panel = Panel::new(&mut svg, height as u32, title, [&caption, machine])?;
    let left = MARGIN + chart::width(rows.iter().map(|row| row.who.as_str())) + 10;
    let room = f64::from(WIDTH as i32 - MARGIN - NUMBER - left);
    let highest = rows.iter().map(|row| row.highest()).fold(0.0, f64::max);
    let place = |value: f64| left + (value.max(0.0) / highest * room).round() as i32;
    for (index, row) in rows.iter().enumerate() {
        let top = TOP + STEP * index as i32;
        let middle = top + BAR / 2;
        let ours = row.who.starts_with("greenling");
        let color = if ours { OURS } else { RIVAL };
        panel.label(
            &row.who,
            (left - 10, middle),
            HPos::Right,
            if ours { &OURS } else { &INK },
        )?;
        panel.rectangle([(left, top), (place(row.median()), top + BAR)], color)?;
        let (from, to) = (place(row.lowest()), place(row.highest()));
        let thin = INK.stroke_width(1);
        panel.line(&[(from, middle), (to, middle)], thin)?;
        for end in [from, to] {
            panel.line(&[(end, middle - 4), (end, middle + 4)], thin)?;
        }
        let text = format!("{} {}", number(row.median()), unit(&row.unit));
        panel.label(&text, (to + 8, middle), HPos::Left, &INK)?;
    }
    let bottom = TOP + STEP * rows.len() as i32 - (STEP - BAR);
    panel.line(&[(left, TOP - 4), (left, bottom + 4)], INK.stroke_width(1))?;
    panel.finish()?;
    Ok(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(who: &str, values: &[f64]) -> Row {
        Row {
            case: "switch".into(),
            who: who.into(),
            unit: "ns".into(),
            x: None,
            values: values.into(),
        }
    }

    #[test]
    fn the_cheapest_is_on_top() {
        let rows = [row("go", &[160.0, 150.0]), row("greenling", &[8.0, 9.0])];
        let svg = draw("A switch", "fast & small", &[&rows[0], &rows[1]]).unwrap();
        let place = |text: &str| svg.find(text).unwrap();
        assert!(place("\ngreenling\n") < place("\ngo\n"));
        assert!(svg.contains("8.50 ns") && svg.contains("155 ns"));
        assert!(svg.contains("fast &amp; small"));
        assert!(svg.contains("median of 2 runs"));
    }
}
