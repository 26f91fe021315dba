//! What bar and line charts share: the panel, its texts and colours.
//!
//! The panel is white and opaque, so that a page in dark mode shows it as it is.
//! Fonts are the reader's; widths of texts are estimated, generously.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::results::{Environment, Failure};

pub(crate) const WIDTH: u32 = 760;

/// Between the edge of the panel and what is on it.
pub(crate) const MARGIN: i32 = 16;

/// Where the drawing begins, below the title.
pub(crate) const TOP: i32 = 52;

/// Below the drawing: the caption's lines.
pub(crate) const CAPTION: i32 = 44;

pub(crate) const OURS: RGBColor = RGBColor(0x1a, 0x7f, 0x37);
pub(crate) const RIVAL: RGBColor = RGBColor(0xa3, 0xb1, 0xbf);
pub(crate) const INK: RGBColor = RGBColor(0x1f, 0x23, 0x28);
pub(crate) const FAINT: RGBColor = RGBColor(0x59, 0x63, 0x6e);
pub(crate) const GRID: RGBColor = RGBColor(0xd8, 0xde, 0xe4);

const TEXT: f64 = 13.0;
const SMALL: f64 = 11.5;
const TITLE: f64 = 16.0;

/// Plotters divides the sizes of fonts by this.
const PLOTTERS_FONT: f64 = 1.24;

/// About what a character is wide, in parts of the font's size.
const CHARACTER: f64 = 0.58;

/// A place on the panel, in pixels.
pub(crate) type Place = (i32, i32);

/// A white panel that is being drawn on.
pub(crate) struct Panel<'a> {
    area: DrawingArea<SVGBackend<'a>, plotters::coord::Shift>,
}

impl<'a> Panel<'a> {
    /// A panel with a title above and two lines of caption below.
    pub(crate) fn new(
        svg: &'a mut String,
        height: u32,
        title: &str,
        caption: [&str; 2],
    ) -> Result<Panel<'a>, Failure> {
        let area = SVGBackend::with_string(svg, (WIDTH, height)).into_drawing_area();
        area.fill(&WHITE)?;
        let panel = Panel { area };
        panel.write(title, (MARGIN, 24), HPos::Left, TITLE, &INK)?;
        for (line, text) in caption.iter().enumerate() {
            let y = height as i32 - CAPTION + 12 + 17 * line as i32;
            panel.write(text, (MARGIN, y), HPos::Left, SMALL, &FAINT)?;
        }
        Ok(panel)
    }

    /// A label, whose middle is at the height of `place`.
    pub(crate) fn label(
        &self,
        text: &str,
        place: Place,
        side: HPos,
        color: &RGBColor,
    ) -> Result<(), Failure> {
        self.write(text, place, side, TEXT, color)
    }

    /// A label of an axis, which is smaller.
    pub(crate) fn tick(&self, text: &str, place: Place, side: HPos) -> Result<(), Failure> {
        self.write(text, place, side, SMALL, &FAINT)
    }

    fn write(
        &self,
        text: &str,
        place: Place,
        side: HPos,
        size: f64,
        color: &RGBColor,
    ) -> Result<(), Failure> {
        let style = TextStyle::from(("sans-serif", size * PLOTTERS_FONT))
            .color(color)
            .pos(Pos::new(side, VPos::Center));
        Ok(self.area.draw_text(text, &style, place)?)
    }

    pub(crate) fn line(&self, points: &[Place], style: ShapeStyle) -> Result<(), Failure> {
        Ok(self.area.draw(&PathElement::new(points.to_vec(), style))?)
    }

    pub(crate) fn rectangle(&self, corners: [Place; 2], color: RGBColor) -> Result<(), Failure> {
        Ok(self.area.draw(&Rectangle::new(corners, color.filled()))?)
    }

    pub(crate) fn dot(&self, place: Place, color: RGBColor) -> Result<(), Failure> {
        Ok(self.area.draw(&Circle::new(place, 3, color.filled()))?)
    }

    pub(crate) fn finish(self) -> Result<(), Failure> {
        Ok(self.area.present()?)
    }
}

/// About how wide the longest of `texts` is as a label.
pub(crate) fn width<'a>(texts: impl IntoIterator<Item = &'a str>) -> i32 {
    let longest = texts
        .into_iter()
        .map(|text| text.chars().count())
        .max()
        .unwrap_or(0);
    (longest as f64 * TEXT * CHARACTER).ceil() as i32
}

/// The machine in half a line.
pub(crate) fn machine(environment: &Environment) -> String {
    let known = |name: &str| environment.get(name).map(String::as_str);
    let mut parts = Vec::new();
    parts.extend(known("cpu").map(str::to_string));
    parts.extend(known("cores").map(|cores| format!("{cores} cores")));
    parts.extend(known("kernel").map(str::to_string));
    parts.extend(known("date").map(str::to_string));
    parts.join(", ")
}

/// Numbers for an axis that begins at 0 and reaches `highest`: at most seven,
/// each 1, 2 or 5 times a power of ten apart.
pub(crate) fn linear_ticks(highest: f64) -> Vec<f64> {
    let power = 10_f64.powf((highest / 6.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|step| highest / step <= 6.0)
        .unwrap_or(10.0 * power);
    let count = (highest / step).ceil() as u32;
    (0..=count).map(|index| f64::from(index) * step).collect()
}

/// Numbers for a logarithmic axis around `lowest` and `highest`: powers of ten,
/// and 2 and 5 times these where there are few.
pub(crate) fn logarithmic_ticks(lowest: f64, highest: f64) -> Vec<f64> {
    let (first, last) = (lowest.log10().floor() as i32, highest.log10().ceil() as i32);
    let factors: &[f64] = match last - first {
        ..=2 => &[1.0, 2.0, 5.0],
        _ => &[1.0],
    };
    let mut ticks = Vec::new();
    for power in first..last {
        ticks.extend(factors.iter().map(|factor| factor * 10_f64.powi(power)));
    }
    ticks.push(10_f64.powi(last));
    // The axis ends with the first tick on either side of all values.
    let from = ticks.iter().rposition(|&tick| tick <= lowest).unwrap_or(0);
    let to = ticks.iter().position(|&tick| tick >= highest);
    ticks[from..=to.unwrap_or(ticks.len() - 1)].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_holds_its_values() {
        assert_eq!(linear_ticks(9.0), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(
            linear_ticks(60.0),
            [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
        );
        assert_eq!(logarithmic_ticks(3.0, 40.0), [2.0, 5.0, 10.0, 20.0, 50.0]);
        assert_eq!(
            logarithmic_ticks(1.0, 2e4),
            [1.0, 10.0, 100.0, 1e3, 1e4, 1e5]
        );
    }

    #[test]
    fn a_machine_is_named_by_what_is_known() {
        let environment = [("cores", "2"), ("cpu", "fast")]
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .into();
        assert_eq!(machine(&environment), "fast, 2 cores");
    }
}
