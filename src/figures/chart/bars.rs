//! Bars beside names, each made of parts: who has how much, and of what.

use std::fmt::Write as _;

use super::{WIDTH, at, frame, hit, piece, real, short, write_at};

/// Room for names, at least and at most.
const LEFT: (f64, f64) = (90.0, 230.0);
/// The width of a letter.
const LETTER: f64 = 7.2;
const RIGHT: f64 = 56.0;
const TOP: f64 = 32.0;
const ROW: f64 = 27.0;
/// Characters of a name that fit beside a bar.
const NAME_CHARS: usize = 32;

/// One bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Its name.
    pub label: String,
    /// Its parts, in the order of the names.
    pub values: Vec<u64>,
}

/// Bars, in the order in which they are given.
#[derive(Clone, Debug)]
pub struct Bars<'a> {
    /// Begins the ids of its elements.
    pub id: &'a str,
    /// What it shows.
    pub title: &'a str,
    /// The same in a sentence, with its main numbers.
    pub says: &'a str,
    /// Class and name of each part.
    pub names: Vec<(&'static str, String)>,
    /// The bars.
    pub bars: Vec<Bar>,
}

impl Bars<'_> {
    /// The picture.
    pub fn svg(&self) -> String {
        let total = |bar: &Bar| -> u64 { bar.values.iter().sum() };
        let most = self.bars.iter().map(total).max().unwrap_or(0).max(1);
        let left = self.left();
        let scale = (WIDTH - left - RIGHT) / real(most);
        let mut inside = String::new();
        let used = |n: &usize| {
            let values = self.bars.iter().filter_map(|bar| bar.values.get(*n));
            values.sum::<u64>() > 0
        };
        let mut right = left;
        for n in (0..self.names.len()).filter(used) {
            let (class, name) = &self.names[n];
            super::key(&mut inside, right, 14.0, class, name);
            right += 30.0 + 8.0 * real(name.chars().count() as u64);
        }
        for (n, bar) in self.bars.iter().enumerate() {
            let top = TOP + ROW * real(n as u64);
            self.bar(&mut inside, bar, (left, top), scale);
        }
        let height = TOP + ROW * real(self.bars.len().max(1) as u64);
        let (x, y) = (at(left), at(height));
        let _ = write!(
            inside,
            "<line class=\"c-base\" x1=\"{x}\" x2=\"{x}\" y1=\"{TOP}\" y2=\"{y}\"/>"
        );
        frame(self.id, self.title, self.says, height + 4.0, &inside)
    }

    /// Where bars begin: beside the longest name.
    fn left(&self) -> f64 {
        let chars = self.bars.iter().map(|bar| bar.label.chars().count());
        let longest = chars.max().unwrap_or(0).min(NAME_CHARS);
        (24.0 + LETTER * real(longest as u64)).clamp(LEFT.0, LEFT.1)
    }

    fn bar(&self, out: &mut String, bar: &Bar, (left, top): (f64, f64), scale: f64) {
        let baseline = top + ROW * 0.66;
        let label = short(&bar.label, NAME_CHARS);
        write_at(out, left - 10.0, baseline, "end", &label, "c-name");
        let mut right = left;
        let mut words = Vec::new();
        for (value, (class, name)) in bar.values.iter().zip(&self.names) {
            if *value == 0 {
                continue;
            }
            words.push(format!("{name} {value}"));
            let width = real(*value) * scale;
            piece(out, class, (right, top + 3.0, width, ROW - 7.0));
            right += width;
        }
        let total: u64 = bar.values.iter().sum();
        write_at(
            out,
            right + 7.0,
            baseline,
            "start",
            &super::super::grouped(total),
            "c-name",
        );
        let words = format!("{}: {total} ({})", bar.label, words.join(", "));
        hit(out, (0.0, top, WIDTH, ROW), &words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fills_the_width_and_parts_follow_each_other() {
        let bars = Bars {
            id: "accounts",
            title: "t",
            says: "s",
            names: vec![
                ("c-critical", "CRITICAL".to_owned()),
                ("c-high", "HIGH".to_owned()),
                ("c-low", "LOW".to_owned()),
            ],
            bars: vec![
                Bar {
                    label: "prod".to_owned(),
                    values: vec![1, 3, 0],
                },
                Bar {
                    label: "a name that is far too long for its place".to_owned(),
                    values: vec![0, 2, 0],
                },
            ],
        };
        let svg = bars.svg();
        assert!(
            svg.contains("class=\"c-critical c-part\" x=\"230\" y=\"35\" width=\"118.5\""),
            "{svg}"
        );
        assert!(
            svg.contains("class=\"c-high c-part\" x=\"348.5\" y=\"35\" width=\"355.5\""),
            "{svg}"
        );
        assert!(!svg.contains(">LOW<"), "nothing is LOW: {svg}");
        assert!(svg.contains(">a name that is far too long for…<"), "{svg}");
        assert!(svg.contains("a name that is far too long for its place: 2 (HIGH 2)"));
    }
}
