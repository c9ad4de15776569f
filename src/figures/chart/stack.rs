//! Numbers over time, stacked: how much is open, and of what.

use std::fmt::Write as _;

use super::{LETTERS, Part, WIDTH, at, frame_of_time, hit, real, rule, times, total, write_at};
use crate::notify::trend::nice_ceiling;

const HEIGHT: f64 = 300.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 148.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 30.0;

/// A stack of areas. The first part lies at the bottom, where its size can be read off.
#[derive(Clone, Debug)]
pub struct Stack<'a> {
    /// Begins the ids of its elements.
    pub id: &'a str,
    /// What it shows.
    pub title: &'a str,
    /// The same in a sentence, with its main numbers.
    pub says: &'a str,
    /// The label of each place in time.
    pub times: Vec<String>,
    /// What is stacked: as many numbers as times.
    pub parts: Vec<Part>,
}

impl Stack<'_> {
    /// The picture; without times an empty frame.
    pub fn svg(&self) -> String {
        let count = self.times.len();
        let totals: Vec<u64> = (0..count).map(|n| total(&self.parts, n)).collect();
        let top = nice_ceiling(totals.iter().copied().max().unwrap_or(0));
        let mut inside = String::new();
        for value in [0, top / 2, top] {
            let label = super::super::grouped(value);
            rule(
                &mut inside,
                LEFT,
                WIDTH - RIGHT,
                y(value, top),
                &label,
                value == 0,
            );
        }
        let mut floor = vec![0_u64; count];
        for part in &self.parts {
            let ceiling: Vec<u64> = floor.iter().zip(&part.values).map(|(a, b)| a + b).collect();
            area(&mut inside, part, &floor, &ceiling, top);
            floor = ceiling;
        }
        rule(&mut inside, LEFT, WIDTH - RIGHT, y(0, top), "", true);
        self.most(&mut inside, &totals, top);
        self.names(&mut inside, top);
        let place = |n: usize| (x(n, count), "middle");
        times(&mut inside, &self.times, 6, HEIGHT - 9.0, place);
        self.hits(&mut inside);
        frame_of_time(self.id, self.title, self.says, HEIGHT, &inside)
    }

    /// How many were most, where that was neither the first nor the last.
    fn most(&self, out: &mut String, totals: &[u64], top: u64) {
        let most = totals.iter().copied().enumerate().max_by_key(|(_, n)| *n);
        let ends = [totals.first().copied(), totals.last().copied()];
        if let Some((n, most)) = most.filter(|(_, most)| !ends.contains(&Some(*most))) {
            let label = super::super::grouped(most);
            let above = (y(most, top) - 6.0).max(LETTERS);
            let place = x(n, totals.len()).clamp(LEFT + 24.0, WIDTH - RIGHT - 24.0);
            write_at(out, place, above, "middle", &label, "c-name");
        }
    }

    /// The name and last number of each part, with their sum above where there are several, beside its end, pushed apart where they would touch.
    fn names(&self, out: &mut String, top: u64) {
        let left = WIDTH - RIGHT + 14.0;
        let (mut low, mut lowest) = (0, HEIGHT - BOTTOM + LETTERS * 1.3);
        for part in &self.parts {
            let last = part.values.last().copied().unwrap_or(0);
            let middle = y(low, top) - (y(low, top) - y(low + last, top)) / 2.0;
            low += last;
            lowest = (middle + LETTERS * 0.35).min(lowest - LETTERS * 1.35);
            let label = format!("{} {}", super::super::grouped(last), part.name);
            super::key(out, left, lowest, part.class, &label);
        }
        if self.parts.len() > 1 {
            let label = format!("{} in all", super::super::grouped(low));
            write_at(
                out,
                left + 16.0,
                lowest - LETTERS * 1.5,
                "start",
                &label,
                "c-name c-sum",
            );
        }
    }

    /// What to read at each time, under the pointer.
    fn hits(&self, out: &mut String) {
        let count = self.times.len();
        let width = (WIDTH - LEFT - RIGHT) / real(count.max(1) as u64);
        for (n, time) in self.times.iter().enumerate() {
            let parts = self.parts.iter().rev().map(|part| {
                let value = part.values.get(n).copied().unwrap_or(0);
                format!("{} {value}", part.name)
            });
            let parts: Vec<String> = parts.collect();
            let words = format!("{time}: {} ({})", total(&self.parts, n), parts.join(", "));
            let left = (x(n, count) - width / 2.0).clamp(LEFT, WIDTH - RIGHT - width);
            hit(out, (left, TOP, width, HEIGHT - TOP - BOTTOM), &words);
        }
    }
}

fn x(n: usize, count: usize) -> f64 {
    let steps = real(count.max(2) as u64 - 1);
    LEFT + (WIDTH - LEFT - RIGHT) * real(n as u64) / steps
}

fn y(value: u64, top: u64) -> f64 {
    TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - real(value) / real(top.max(1)))
}

fn area(out: &mut String, part: &Part, floor: &[u64], ceiling: &[u64], top: u64) {
    let count = ceiling.len();
    if ceiling.iter().zip(floor).all(|(a, b)| a == b) {
        return;
    }
    let point = |n: usize, value: u64| format!("{} {}", at(x(n, count)), at(y(value, top)));
    let mut over: Vec<String> = (0..count).map(|n| point(n, ceiling[n])).collect();
    // One time alone is a column, not a line.
    if count == 1 {
        over.push(format!("{} {}", at(WIDTH - RIGHT), at(y(ceiling[0], top))));
    }
    let mut under: Vec<String> = (0..count).rev().map(|n| point(n, floor[n])).collect();
    if count == 1 {
        under.insert(0, format!("{} {}", at(WIDTH - RIGHT), at(y(floor[0], top))));
    }
    let (over, under) = (over.join("L"), under.join("L"));
    let _ = write!(
        out,
        "<path class=\"{}\" d=\"M{over}L{under}Z\"/><path class=\"c-edge\" d=\"M{over}\"/>",
        part.class
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_stands_on_the_one_before() {
        let part = |class, values: &[u64]| Part {
            class,
            name: "HIGH".to_owned(),
            values: values.to_vec(),
        };
        let stack = Stack {
            id: "burn-down",
            title: "Open",
            says: "From 20 to 10.",
            times: vec!["2 Jun".to_owned(), "9 Jun".to_owned()],
            parts: vec![part("c-critical", &[10, 5]), part("c-high", &[10, 5])],
        };
        let svg = stack.svg();
        // 20 is the top of the scale, 12 units below the edge; 10 is halfway down the 258 units of the picture.
        assert!(svg.contains("M46 141L612 205.5L612 270L46 270Z"), "{svg}");
        assert!(svg.contains("M46 12L612 141L612 205.5L46 141Z"), "{svg}");
        assert!(
            svg.contains("<title>9 Jun: 10 (HIGH 5, HIGH 5)</title>"),
            "{svg}"
        );
        assert!(svg.contains(">10 in all</text>"), "{svg}");
        assert!(svg.contains("aria-labelledby=\"burn-down-title burn-down-says\""));
    }

    #[test]
    fn the_most_is_written_where_it_was_unless_that_is_an_end() {
        let stack = |values: &[u64]| Stack {
            id: "s",
            title: "t",
            says: "s",
            times: vec!["then".to_owned(); values.len()],
            parts: vec![Part {
                class: "c-low",
                name: "LOW".to_owned(),
                values: values.to_vec(),
            }],
        };
        assert!(stack(&[3, 1733, 9]).svg().contains(">1,733</text>"));
        for ends in [&[1733, 3, 9][..], &[9, 3, 1733]] {
            assert!(!stack(ends).svg().contains(">1,733</text>"));
        }
    }

    #[test]
    fn nothing_and_a_single_time_can_be_drawn() {
        let stack = |times: usize| Stack {
            id: "s",
            title: "t",
            says: "s",
            times: vec!["now".to_owned(); times],
            parts: vec![Part {
                class: "c-low",
                name: "LOW".to_owned(),
                values: vec![7; times],
            }],
        };
        assert!(!stack(0).svg().contains("NaN"));
        assert!(stack(1).svg().contains("L612 "), "{}", stack(1).svg());
    }
}
