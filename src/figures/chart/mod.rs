//! Charts as SVG: no script and no inline style, so that they stand on a page with a strict content policy. Colours come
//! from the classes of [`STYLE`]; letters and lines take the colour of the text around them.
//!
//! A chart has a title and a description for those who hear it, names its parts beside them, and divides them by lines:
//! nothing rests on colour alone. A table with the same numbers belongs under each one.

mod bars;
mod bursts;
mod stack;

pub use bars::{Bar, Bars};
pub use bursts::Bursts;
pub use stack::Stack;

use std::fmt::Write as _;

use super::table::Cell;
use crate::model::Severity;
use crate::talk::plain;

/// The classes that charts use, for light and dark pages. `--surface` is the page's own background.
pub const STYLE: &str = include_str!("style.css");

/// The width of a chart in its own units.
const WIDTH: f64 = 760.0;
/// The size of letters in the same units.
const LETTERS: f64 = 12.5;

/// What stands for one part of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its class in [`STYLE`].
    pub class: &'static str,
    /// Its name.
    pub name: String,
    /// Its numbers.
    pub values: Vec<u64>,
}

/// The class of a severity.
pub fn class_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "c-critical",
        Severity::High => "c-high",
        Severity::Medium => "c-medium",
        Severity::Low => "c-low",
        Severity::Informational => "c-informational",
    }
}

/// The class of a cell's mark: severities have one besides their words, in the column `severity`.
pub fn mark_of(column: &str, cell: &Cell) -> Option<&'static str> {
    let Cell::Text(text) = cell else { return None };
    let severity = Severity::parse(text).filter(|_| column == "severity")?;
    Some(class_of(severity))
}

/// Text as XML takes it, and as people may be shown it; characters that XML has no place for are left out.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c => out.push(c),
        }
    }
    out
}

/// The frame of a chart: what it is called, for eyes and ears.
fn frame(id: &str, title: &str, says: &str, height: f64, inside: &str) -> String {
    framed("chart", id, title, says, height, inside)
}

/// The frame of a chart over time: where it is wider than its place, its end is seen first.
fn frame_of_time(id: &str, title: &str, says: &str, height: f64, inside: &str) -> String {
    framed("chart over-time", id, title, says, height, inside)
}

fn framed(class: &str, id: &str, title: &str, says: &str, height: f64, inside: &str) -> String {
    let (title, says) = (escaped(title), escaped(says));
    format!(
        "<svg class=\"{class}\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-says\" font-size=\"{LETTERS}\">\
<title id=\"{id}-title\">{title}</title><desc id=\"{id}-says\">{says}</desc>{inside}</svg>"
    )
}

/// A number with at most one decimal: a picture needs no more.
fn at(n: f64) -> String {
    let text = format!("{n:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[allow(clippy::cast_precision_loss)] // Counts and sizes of a picture fit an f64 many times over.
fn real(n: u64) -> f64 {
    n as f64
}

/// A line across, with its number at the left.
fn rule(out: &mut String, left: f64, right: f64, y: f64, label: &str, is_base: bool) {
    let class = if is_base { "c-base" } else { "c-grid" };
    let (a, b, y) = (at(left), at(right), y);
    let _ = write!(
        out,
        "<line class=\"{class}\" x1=\"{a}\" x2=\"{b}\" y1=\"{0}\" y2=\"{0}\"/>",
        at(y)
    );
    if !label.is_empty() {
        write_at(out, left - 8.0, y + LETTERS * 0.35, "end", label, "c-quiet");
    }
}

/// Letters with their baseline at `y`.
fn write_at(out: &mut String, x: f64, y: f64, anchor: &str, text: &str, class: &str) {
    let (x, y, text) = (at(x), at(y), escaped(text));
    let _ = write!(
        out,
        "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>"
    );
}

/// Places at which the horizontal axis is labelled: the last, and others at even distances before it.
fn labelled(count: usize, most: usize) -> Vec<usize> {
    if count == 0 {
        return Vec::new();
    }
    let step = (count - 1).div_ceil(most.max(2) - 1).max(1);
    let mut places: Vec<usize> = (0..count).rev().step_by(step).collect();
    places.reverse();
    places
}

/// Times below a picture, as many as are read easily; `place` says where each stands, and by which of its ends.
fn times(
    out: &mut String,
    times: &[String],
    most: usize,
    y: f64,
    place: impl Fn(usize) -> (f64, &'static str),
) {
    for n in labelled(times.len(), most) {
        let (x, anchor) = place(n);
        write_at(out, x, y, anchor, &times[n], "c-quiet");
    }
}

/// A place in a chart: left, top, width, height.
type Place = (f64, f64, f64, f64);

/// A piece of a part, parted from its neighbours by a line.
fn piece(out: &mut String, class: &str, (left, top, width, height): Place) {
    let _ = write!(
        out,
        "<rect class=\"{class} c-part\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
        at(left),
        at(top),
        at(width),
        at(height)
    );
}

/// What is read where the pointer stands.
fn hit(out: &mut String, (left, top, width, height): Place, words: &str) {
    let _ = write!(
        out,
        "<rect class=\"c-hit\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{}</title></rect>",
        at(left),
        at(top),
        at(width),
        at(height),
        escaped(words)
    );
}

/// All parts together at one place in time.
fn total(parts: &[Part], n: usize) -> u64 {
    parts.iter().filter_map(|part| part.values.get(n)).sum()
}

/// A square of a part's colour with its name.
fn key(out: &mut String, x: f64, y: f64, class: &str, label: &str) {
    let (left, top) = (at(x), at(y - 10.0));
    let _ = write!(
        out,
        "<rect class=\"{class}\" x=\"{left}\" y=\"{top}\" width=\"11\" height=\"11\" rx=\"2\"/>"
    );
    write_at(out, x + 16.0, y, "start", label, "c-name");
}

/// A label cut to so many characters.
fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let cut: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_only_text() {
        let text = escaped("</text><script>alert(1)</script>\u{1b}[31m\"'&");
        assert!(!text.contains('<') && !text.contains('\u{1b}'), "{text}");
        let bars = Bars {
            id: "x",
            title: "<b>",
            says: "\"&",
            names: vec![("c-high", "HIGH".to_owned())],
            bars: vec![Bar {
                label: "<img src=x onerror=alert(1)>".to_owned(),
                values: vec![3],
            }],
        };
        let svg = bars.svg();
        assert!(!svg.contains("<img") && !svg.contains("<b>"), "{svg}");
        assert!(!svg.contains("style=") && !svg.contains("<script"), "{svg}");
    }

    #[test]
    fn the_last_place_is_always_labelled_and_few_others() {
        assert_eq!(labelled(1, 6), [0]);
        assert_eq!(labelled(27, 6), [2, 8, 14, 20, 26]);
        assert_eq!(labelled(3, 6), [0, 1, 2]);
        assert!(labelled(0, 6).is_empty());
        for n in 1..400 {
            assert!(labelled(n, 6).len() <= 6 && labelled(n, 6).last() == Some(&(n - 1)));
        }
    }
}
