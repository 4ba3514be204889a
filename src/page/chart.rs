//! Charts as SVG, drawn once for wide and once for narrow screens, so that their text stays readable on both.

#![allow(clippy::cast_precision_loss, reason = "these are points of a drawing")]

use std::fmt::Write;

use jiff::civil::Date;

/// The margin left of the drawing, for the numbers, in points.
const LEFT: f64 = 44.0;
/// The margin below the drawing, for the labels, in points.
const BOTTOM: f64 = 22.0;
const TOP: f64 = 10.0;
const RIGHT: f64 = 12.0;
/// How wide a column is at most, in points.
const WIDEST: f64 = 40.0;

/// The drawings of a chart: the class that says on which screens it is shown, width, height, and how many labels there is room
/// for.
const SIZES: [(&str, f64, f64, usize); 2] = [("wide", 760.0, 240.0, 11), ("narrow", 360.0, 200.0, 5)];

/// One series of values to draw.
pub(super) struct Series<'a> {
    /// Its class, which determines its colour.
    pub(super) class: &'static str,
    /// Its values.
    pub(super) values: &'a [u64],
}

/// A text below the drawing, and its position there, between 0 and 1.
pub(super) type Label = (f64, String);

/// One chart in both sizes; `draw` draws into a canvas.
fn both(most: u64, labels: &[Label], draw: impl Fn(&mut Canvas)) -> String {
    let mut all = String::new();
    for (class, width, height, room) in SIZES {
        let mut canvas = Canvas { width, height, most: round_up(most), svg: String::new() };
        canvas.add(format_args!(r#"<svg class="{class}" viewBox="0 0 {width} {height}" role="img">"#));
        canvas.grid();
        draw(&mut canvas);
        canvas.labels(labels, room);
        canvas.add(format_args!("</svg>"));
        all += &canvas.svg;
    }
    all
}

/// Areas under lines, one in front of the other.
pub(super) fn areas(series: &[Series<'_>], labels: &[Label]) -> String {
    let most = series.iter().flat_map(|series| series.values).copied().max().unwrap_or_default();
    both(most, labels, |canvas| {
        for Series { class, values } in series {
            canvas.area(class, values);
        }
    })
}

/// Stacked columns: those of later series stand on those of earlier ones.
pub(super) fn columns(series: &[Series<'_>], labels: &[Label]) -> String {
    let length = series.iter().map(|series| series.values.len()).max().unwrap_or_default();
    let value = |series: &Series<'_>, at: usize| series.values.get(at).copied().unwrap_or_default();
    let sum = |at: usize| series.iter().map(|series| value(series, at)).sum::<u64>();
    let most = (0..length).map(sum).max().unwrap_or_default();
    both(most, labels, |canvas| {
        for at in 0..length {
            let mut below = 0;
            for series in series {
                let value = value(series, at);
                canvas.column(series.class, (at, length), below, value);
                below += value;
            }
        }
    })
}

/// A label below the column of each day.
pub(super) fn day_labels(days: &[Date]) -> Vec<Label> {
    let place = |at: usize| (at as f64 + 0.5) / days.len() as f64;
    days.iter().enumerate().map(|(at, day)| (place(at), day.strftime("%m-%d").to_string())).collect()
}

struct Canvas {
    width: f64,
    height: f64,
    most: u64,
    svg: String,
}

impl Canvas {
    fn x(&self, part: f64) -> f64 {
        LEFT + (self.width - LEFT - RIGHT) * part
    }

    fn y(&self, value: u64) -> f64 {
        let height = self.height - TOP - BOTTOM;
        TOP + height * (1.0 - value as f64 / self.most.max(1) as f64)
    }

    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a `String` cannot fail.
        let _ = self.svg.write_fmt(element);
    }

    /// Lines at round numbers.
    fn grid(&mut self) {
        let steps = if self.most >= 4 { 4 } else { self.most.max(1) };
        for step in 0..=steps {
            let value = self.most * step / steps;
            let (y, right, end) = (self.y(value), self.x(1.0), LEFT - 6.0);
            self.add(format_args!(
                r#"<line class="grid" x1="{LEFT}" x2="{right:.1}" y1="{y:.1}" y2="{y:.1}"/>"#
            ));
            self.add(format_args!(
                r#"<text class="end" x="{end}" y="{:.1}">{}</text>"#,
                y + 4.0,
                short(value)
            ));
        }
    }

    /// As many labels as there is room for.
    fn labels(&mut self, labels: &[Label], room: usize) {
        let every = labels.len().div_ceil(room).max(1);
        let y = self.height - 6.0;
        for (part, text) in labels.iter().step_by(every) {
            let x = self.x(*part);
            self.add(format_args!(r#"<text class="middle" x="{x:.1}" y="{y}">{text}</text>"#));
        }
    }

    fn area(&mut self, class: &str, values: &[u64]) {
        let last = values.len().saturating_sub(1).max(1) as f64;
        let mut line = String::new();
        for (at, value) in values.iter().enumerate() {
            let _ = write!(line, "{:.1},{:.1} ", self.x(at as f64 / last), self.y(*value));
        }
        let (left, right, base) = (self.x(0.0), self.x(1.0), self.y(0));
        self.add(format_args!(
            r#"<polygon class="{class} area" points="{left:.1},{base:.1} {line}{right:.1},{base:.1}"/>"#
        ));
        self.add(format_args!(r#"<polyline class="{class} line" points="{line}"/>"#));
    }

    fn column(&mut self, class: &str, (at, of): (usize, usize), below: u64, value: u64) {
        if value == 0 {
            return;
        }
        let each = 1.0 / of as f64;
        let middle = self.x(each * (at as f64 + 0.5));
        let width = (self.x(each * 0.8) - LEFT).min(WIDEST);
        let (left, top, bottom) = (middle - width / 2.0, self.y(below + value), self.y(below));
        self.add(format_args!(
            r#"<rect class="{class}" x="{left:.1}" y="{top:.1}" width="{width:.1}" height="{:.1}"/>"#,
            bottom - top
        ));
    }
}

/// The next number whose quarters are easy to read; for a number up to 4, itself.
fn round_up(number: u64) -> u64 {
    if number <= 4 {
        return number.max(1);
    }
    let mut ten: u64 = 1;
    loop {
        for quarter in [1, 2, 3, 5] {
            let round = ten.saturating_mul(4 * quarter);
            if number <= round {
                return round;
            }
        }
        ten = ten.saturating_mul(10);
    }
}

/// A number in a few characters.
fn short(number: u64) -> String {
    match number {
        0..10_000 => number.to_string(),
        10_000..1_000_000 => format!("{}k", number / 1000),
        _ => format!("{}.{}M", number / 1_000_000, number / 100_000 % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_from_ten_thousand_on_is_abbreviated() {
        for (number, text) in [(9_999, "9999"), (10_000, "10k"), (999_999, "999k"), (1_250_000, "1.2M")] {
            assert_eq!(short(number), text);
        }
    }

    #[test]
    fn the_axis_ends_at_a_number_that_is_easy_to_read() {
        for (number, round) in
            [(0, 1), (1, 1), (3, 3), (5, 8), (9, 12), (13, 20), (41, 80), (799, 800), (801, 1200)]
        {
            assert_eq!(round_up(number), round, "{number}");
        }
    }

    #[test]
    fn columns_are_stacked_on_each_other() {
        let svg = columns(
            &[Series { class: "live", values: &[2] }, Series { class: "replay", values: &[2] }],
            &[(0.5, "10-26".to_owned())],
        );
        // The drawing reaches from 10 to 218 points, for the number four: each column takes half of it.
        assert!(
            svg.contains(r#"<rect class="live" x="376.0" y="114.0" width="40.0" height="104.0"/>"#),
            "{svg}"
        );
        assert!(
            svg.contains(r#"<rect class="replay" x="376.0" y="10.0" width="40.0" height="104.0"/>"#),
            "{svg}"
        );
        assert!(svg.contains(">10-26</text>"), "{svg}");
    }
}
