//! The small picture of a digest: open tickets over time, stacked by severity. From numbers to a PNG; nothing is read.
//!
//! Bands are named at their end and divided by light lines, so that the picture does not rest on colour alone.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::{FontRef, MetadataProvider};
use tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, Stroke, Transform};

use crate::model::Severity;

/// A face with every letter that pictures use, from a crate.
const FONT: &[u8] = epaint_default_fonts::UBUNTU_LIGHT;

/// Width of the picture in pixels: twice the 480 that Slack shows, for sharp screens.
pub const WIDTH: u32 = 960;
/// Height in pixels.
pub const HEIGHT: u32 = 340;

const LEFT: f32 = 64.0;
const RIGHT: f32 = 220.0;
const TOP: f32 = 24.0;
const BOTTOM: f32 = 46.0;
const LETTERS: f32 = 21.0;

/// Open tickets on several days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trend {
    /// The days, oldest first.
    pub days: Vec<Date>,
    /// For each severity that occurs, worst first, the number on each of the days.
    pub bands: Vec<(Severity, Vec<u64>)>,
}

impl Trend {
    /// Open on the nth day, all severities.
    pub fn total(&self, day: usize) -> u64 {
        self.bands
            .iter()
            .filter_map(|(_, open)| open.get(day))
            .sum()
    }

    /// Adds another team's numbers on the same days.
    pub fn add(&mut self, other: &Trend) {
        if self.days.is_empty() {
            self.days.clone_from(&other.days);
        }
        for (severity, open) in &other.bands {
            match self.bands.iter_mut().find(|(known, _)| known == severity) {
                Some((_, sums)) => sums.iter_mut().zip(open).for_each(|(sum, n)| *sum += n),
                None => self.bands.push((*severity, open.clone())),
            }
        }
        self.bands
            .sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
    }

    /// The highest total.
    fn most(&self) -> u64 {
        (0..self.days.len())
            .map(|day| self.total(day))
            .max()
            .unwrap_or(0)
    }

    /// The picture as PNG; `None` for fewer than two days, which show no trend.
    pub fn png(&self) -> Option<Vec<u8>> {
        if self.days.len() < 2 {
            return None;
        }
        let mut canvas = Canvas::new()?;
        let top = nice_ceiling(self.most());
        canvas.grid(top);
        let mut floor = vec![0_u64; self.days.len()];
        // The worst severity lies at the bottom, where its size can be read off.
        for (severity, open) in &self.bands {
            let ceiling: Vec<u64> = floor.iter().zip(open).map(|(low, n)| low + n).collect();
            canvas.band(*severity, &floor, &ceiling, top);
            floor = ceiling;
        }
        canvas.names(&self.bands, top);
        canvas.days(&self.days);
        canvas.pixels.encode_png().ok()
    }
}

/// The next round number, at least 4, whose half is whole.
pub(crate) fn nice_ceiling(most: u64) -> u64 {
    if most <= 8 {
        return most.max(4).next_multiple_of(2);
    }
    let mut step = 10_u64;
    loop {
        let nice = [1, 2, 3, 4, 5, 6, 8].map(|n| step.saturating_mul(n));
        if let Some(found) = nice.into_iter().find(|nice| *nice >= most) {
            return found;
        }
        step = step.saturating_mul(10);
    }
}

fn colour(severity: Severity) -> Color {
    let (r, g, b) = match severity {
        Severity::Critical => (164, 28, 48),
        Severity::High => (226, 110, 46),
        Severity::Medium => (240, 184, 72),
        Severity::Low => (120, 162, 204),
        Severity::Informational => (176, 184, 194),
    };
    Color::from_rgba8(r, g, b, 255)
}

struct Canvas {
    pixels: Pixmap,
    width: f32,
    height: f32,
}

// The sizes of a picture fit an f32 many times over.
#[allow(clippy::cast_precision_loss)]
impl Canvas {
    fn new() -> Option<Self> {
        let mut pixels = Pixmap::new(WIDTH, HEIGHT)?;
        pixels.fill(Color::WHITE);
        Some(Canvas {
            pixels,
            width: WIDTH as f32 - LEFT - RIGHT,
            height: HEIGHT as f32 - TOP - BOTTOM,
        })
    }

    fn x(&self, n: usize, of: usize) -> f32 {
        LEFT + self.width * n as f32 / (of.max(2) - 1) as f32
    }

    fn y(&self, open: u64, top: u64) -> f32 {
        TOP + self.height * (1.0 - open as f32 / top.max(1) as f32)
    }

    fn grid(&mut self, top: u64) {
        for open in [0, top / 2, top] {
            let y = self.y(open, top);
            let mut path = PathBuilder::new();
            path.move_to(LEFT, y);
            path.line_to(LEFT + self.width, y);
            self.stroke(path, Color::from_rgba8(214, 218, 224, 255), 1.5);
            let label = open.to_string();
            let at = LEFT - 12.0 - width_of(&label);
            self.write(&label, at, y + LETTERS * 0.36, ink(110));
        }
    }

    fn band(&mut self, severity: Severity, floor: &[u64], ceiling: &[u64], top: u64) {
        let days = ceiling.len();
        let mut area = PathBuilder::new();
        let mut edge = PathBuilder::new();
        for (n, open) in ceiling.iter().enumerate() {
            let (x, y) = (self.x(n, days), self.y(*open, top));
            if n == 0 {
                area.move_to(x, y);
                edge.move_to(x, y);
            } else {
                area.line_to(x, y);
                edge.line_to(x, y);
            }
        }
        for (n, open) in floor.iter().enumerate().rev() {
            area.line_to(self.x(n, days), self.y(*open, top));
        }
        area.close();
        if let Some(path) = area.finish() {
            self.fill(&path, colour(severity));
        }
        self.stroke(edge, Color::WHITE, 2.5);
    }

    /// The name and the last number of each band, beside its end, pushed apart where they would touch.
    fn names(&mut self, bands: &[(Severity, Vec<u64>)], top: u64) {
        let mut low = 0;
        let mut places: Vec<(f32, String, Severity)> = Vec::new();
        for (severity, open) in bands {
            let n = open.last().copied().unwrap_or(0);
            let middle = self.y(low + n / 2, top);
            low += n;
            let lowest = places.last().map_or(f32::MAX, |(y, ..)| y - LETTERS * 1.3);
            let floor = TOP + self.height + LETTERS * 0.1;
            places.push((
                middle.min(lowest).min(floor),
                format!("{} {n}", severity.label()),
                *severity,
            ));
        }
        let x = LEFT + self.width + 16.0;
        for (y, label, severity) in places {
            let mut mark = PathBuilder::new();
            mark.move_to(x, y);
            mark.line_to(x + 14.0, y);
            self.stroke(mark, colour(severity), 12.0);
            self.write(&label, x + 24.0, y + LETTERS * 0.36, ink(40));
        }
    }

    fn days(&mut self, days: &[Date]) {
        let last = days.len() - 1;
        let y = HEIGHT as f32 - 14.0;
        for n in [0, last / 2, last] {
            let label = days[n].strftime("%-d %b").to_string();
            let x = self.x(n, days.len()) - width_of(&label) / 2.0;
            self.write(&label, x, y, ink(110));
        }
    }

    fn fill(&mut self, path: &tiny_skia::Path, colour: Color) {
        let mut paint = Paint::default();
        paint.set_color(colour);
        paint.anti_alias = true;
        self.pixels
            .fill_path(path, &paint, FillRule::Winding, Transform::identity(), None);
    }

    fn stroke(&mut self, path: PathBuilder, colour: Color, width: f32) {
        let Some(path) = path.finish() else { return };
        let mut paint = Paint::default();
        paint.set_color(colour);
        paint.anti_alias = true;
        let stroke = Stroke {
            width,
            ..Stroke::default()
        };
        self.pixels
            .stroke_path(&path, &paint, &stroke, Transform::identity(), None);
    }

    /// Writes with the baseline at `y`; characters that the font lacks are left out.
    fn write(&mut self, words: &str, x: f32, y: f32, colour: Color) {
        let Ok(font) = FontRef::new(FONT) else { return };
        let size = Size::new(LETTERS);
        let (glyphs, outlines) = (font.charmap(), font.outline_glyphs());
        let metrics = font.glyph_metrics(size, LocationRef::default());
        let mut pen = Pen {
            path: PathBuilder::new(),
            x,
            y,
        };
        for glyph in words.chars().filter_map(|c| glyphs.map(c)) {
            if let Some(outline) = outlines.get(glyph) {
                // A glyph that cannot be drawn leaves a gap; the words stand in the alt text too.
                let _ = outline.draw(
                    DrawSettings::unhinted(size, LocationRef::default()),
                    &mut pen,
                );
            }
            pen.x += metrics.advance_width(glyph).unwrap_or(0.0);
        }
        if let Some(path) = pen.path.finish() {
            self.fill(&path, colour);
        }
    }
}

fn ink(shade: u8) -> Color {
    Color::from_rgba8(shade, shade, shade, 255)
}

fn width_of(words: &str) -> f32 {
    let Ok(font) = FontRef::new(FONT) else {
        return 0.0;
    };
    let glyphs = font.charmap();
    let metrics = font.glyph_metrics(Size::new(LETTERS), LocationRef::default());
    words
        .chars()
        .filter_map(|c| glyphs.map(c))
        .filter_map(|glyph| metrics.advance_width(glyph))
        .sum()
}

/// Glyph outlines, which count upwards, onto a canvas that counts downwards.
struct Pen {
    path: PathBuilder,
    x: f32,
    y: f32,
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.path.move_to(self.x + x, self.y - y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.path.line_to(self.x + x, self.y - y);
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        self.path
            .quad_to(self.x + cx, self.y - cy, self.x + x, self.y - y);
    }

    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        self.path.cubic_to(
            self.x + ax,
            self.y - ay,
            self.x + bx,
            self.y - by,
            self.x + x,
            self.y - y,
        );
    }

    fn close(&mut self) {
        self.path.close();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn trend(days: usize) -> Trend {
        let first = Date::constant(2026, 9, 2);
        let day = |n: usize| first.saturating_add(jiff::Span::new().days(7 * n as i64));
        Trend {
            days: (0..days).map(day).collect(),
            bands: vec![
                (
                    Severity::Critical,
                    (0..days as u64).map(|n| 14 - n).collect(),
                ),
                (
                    Severity::High,
                    (0..days as u64).map(|n| 60 - 3 * n).collect(),
                ),
                (
                    Severity::Medium,
                    (0..days as u64).map(|n| 160 + n).collect(),
                ),
            ],
        }
    }

    #[test]
    fn the_picture_shows_each_band_where_its_numbers_are() {
        let png = trend(13).png().unwrap();
        assert!(png.len() < 28_000, "{} bytes", png.len());
        let picture = Pixmap::decode_png(&png).unwrap();
        let at = |x: u32, y: u32| {
            let pixel = picture.pixel(x, y).unwrap();
            (pixel.red(), pixel.green(), pixel.blue())
        };
        // Near the left edge: 14 CRITICAL at the bottom, then 60 HIGH, then 160 MEDIUM, of 300.
        let y = |open: f32| (TOP + (HEIGHT as f32 - TOP - BOTTOM) * (1.0 - open / 300.0)) as u32;
        assert_eq!(at(80, y(6.0)), (164, 28, 48));
        assert_eq!(at(80, y(40.0)), (226, 110, 46));
        assert_eq!(at(80, y(150.0)), (240, 184, 72));
        assert_eq!(at(80, y(270.0)), (255, 255, 255));
    }

    #[test]
    fn one_day_is_no_trend() {
        assert_eq!(trend(1).png(), None);
        assert_eq!(Trend::default().png(), None);
    }

    #[test]
    fn the_scale_ends_above_the_most() {
        for (most, top) in [
            (0, 4),
            (4, 4),
            (5, 6),
            (9, 10),
            (61, 80),
            (81, 100),
            (234, 300),
        ] {
            assert_eq!(nice_ceiling(most), top, "{most}");
        }
    }
}
