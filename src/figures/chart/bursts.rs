//! What came above a line, and what went below it, week by week.

use super::{Part, WIDTH, frame_of_time, hit, piece, real, rule, times, total};
use crate::notify::trend::nice_ceiling;

const HEIGHT: f64 = 270.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 30.0;

/// Columns in two directions.
#[derive(Clone, Debug)]
pub struct Bursts<'a> {
    /// Begins the ids of its elements.
    pub id: &'a str,
    /// What it shows.
    pub title: &'a str,
    /// The same in a sentence, with its main numbers.
    pub says: &'a str,
    /// The label of each place in time.
    pub times: Vec<String>,
    /// What came, from the line upwards.
    pub up: Vec<Part>,
    /// What went, from the line downwards.
    pub down: Vec<Part>,
}

impl Bursts<'_> {
    /// The picture.
    pub fn svg(&self) -> String {
        let count = self.times.len();
        let highest = |parts: &[Part]| (0..count).map(|n| total(parts, n)).max().unwrap_or(0);
        let (up, down) = (
            nice_ceiling(highest(&self.up)),
            nice_ceiling(highest(&self.down)),
        );
        let scale = (HEIGHT - TOP - BOTTOM) / real(up + down);
        let line = TOP + real(up) * scale;
        let mut inside = String::new();
        let marks = [
            (up, line - real(up) * scale),
            (down, line + real(down) * scale),
        ];
        for (value, y) in marks {
            let label = super::super::grouped(value);
            rule(&mut inside, LEFT, WIDTH - RIGHT, y, &label, false);
        }
        let step = (WIDTH - LEFT - RIGHT) / real(count.max(1) as u64);
        for n in 0..count {
            let left = LEFT + step * real(n as u64);
            self.column(&mut inside, n, (left, step), line, scale);
        }
        rule(&mut inside, LEFT, WIDTH - RIGHT, line, "0", true);
        let mut right = LEFT;
        for part in self.up.iter().chain(&self.down) {
            super::key(&mut inside, right, 16.0, part.class, &part.name);
            right += 30.0 + 7.0 * real(part.name.chars().count() as u64);
        }
        // The last stands at the edge, where its middle would lead beyond it.
        let place = |n: usize| match n + 1 == count && n > 0 {
            true => (WIDTH - RIGHT, "end"),
            false => (LEFT + step * (real(n as u64) + 0.5), "middle"),
        };
        times(&mut inside, &self.times, 5, HEIGHT - 9.0, place);
        frame_of_time(self.id, self.title, self.says, HEIGHT, &inside)
    }

    fn column(&self, out: &mut String, n: usize, (left, step): (f64, f64), line: f64, scale: f64) {
        let width = (step * 0.76).min(34.0);
        let left = left + (step - width) / 2.0;
        let mut words = Vec::new();
        let (mut top, mut bottom) = (line, line);
        for (part, goes_up) in self
            .up
            .iter()
            .map(|part| (part, true))
            .chain(self.down.iter().map(|part| (part, false)))
        {
            let value = part.values.get(n).copied().unwrap_or(0);
            words.push(format!("{} {value}", part.name));
            if value == 0 {
                continue;
            }
            let height = real(value) * scale;
            let y = if goes_up {
                top -= height;
                top
            } else {
                bottom += height;
                bottom - height
            };
            piece(out, part.class, (left, y, width, height));
        }
        let words = format!("{}: {}", self.times[n], words.join(", "));
        hit(out, (left, TOP, width, HEIGHT - TOP - BOTTOM), &words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_stands_above_the_line_and_what_went_below() {
        let part = |class, n| Part {
            class,
            name: class.to_owned(),
            values: vec![n],
        };
        let bursts = Bursts {
            id: "flows",
            title: "t",
            says: "s",
            times: vec!["2 Jun".to_owned()],
            up: vec![part("c-new", 10)],
            down: vec![part("c-fixed", 5), part("c-removed", 5)],
        };
        let svg = bursts.svg();
        // The line is halfway: 34 + 103.
        assert!(
            svg.contains("class=\"c-new c-part\" x=\"380\" y=\"34\" width=\"34\" height=\"103\""),
            "{svg}"
        );
        assert!(
            svg.contains(
                "class=\"c-fixed c-part\" x=\"380\" y=\"137\" width=\"34\" height=\"51.5\""
            ),
            "{svg}"
        );
        assert!(svg.contains("y=\"188.5\""), "{svg}");
        assert!(svg.contains("<title>2 Jun: c-new 10, c-fixed 5, c-removed 5</title>"));
    }
}
