//! How the program talks: stdout is data, stderr is talk. Progress is drawn on a terminal only, colour follows
//! `NO_COLOR`, and text that others wrote is shown only through [`plain`].

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Text as it may be shown to people: no control characters (C0, DEL, C1, so no escape sequence starts), no
/// bidirectional overrides or isolates, no invisible format characters that reorder or hide text. Line breaks and tabs
/// become blanks: one value stays on one line.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    // Once a search for the end of a control string has failed, others on the same line fail too: text full of openings
    // must not cost a search each.
    let mut unended = false;
    while let Some(c) = rest.next() {
        unended &= c != '\n';
        match c {
            '\u{1b}' => {
                if skip_escape(&mut rest) && !unended {
                    unended = !skip_string(&mut rest);
                }
            }
            '\u{9b}' => skip_csi(&mut rest),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' if !unended => {
                unended = !skip_string(&mut rest);
            }
            '\r' if rest.peek() == Some(&'\n') => {}
            '\n' | '\r' | '\t' | '\u{0b}' | '\u{0c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                shown.push(' ');
            }
            c if is_unsafe(c) => {}
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Text of others in Markdown: in a code span nothing is a mention, a reference, a link, HTML or a table cell.
pub fn code_span(text: &str) -> String {
    let inner = plain(text).replace('`', "'").replace('|', "¦");
    if inner.trim().is_empty() {
        return "` `".to_owned();
    }
    format!("`{inner}`")
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{061c}' // Arabic letter mark
            | '\u{200b}' // zero width space
            | '\u{200e}' | '\u{200f}' // left-to-right, right-to-left mark
            | '\u{2028}' | '\u{2029}' // line and paragraph separator
            | '\u{202a}'..='\u{202e}' // embeddings and overrides
            | '\u{2060}'..='\u{206f}' // word joiner, invisible operators, isolates, deprecated controls
            | '\u{feff}' // byte order mark
            | '\u{fff9}'..='\u{fffb}' // interlinear annotation
            | '\u{e0000}'..='\u{e007f}' // tags
        )
}

type Rest<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// After ESC: the sequence belongs to the terminal, not to the reader. True when a control string starts here.
fn skip_escape(rest: &mut Rest<'_>) -> bool {
    match rest.peek() {
        Some('[') => {
            rest.next();
            skip_csi(rest);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            rest.next();
            return true;
        }
        Some(' '..='~') => {
            while rest.next_if(|c| matches!(c, ' '..='/')).is_some() {}
            rest.next_if(|c| matches!(c, '0'..='~'));
        }
        _ => {}
    }
    false
}

/// A control sequence: parameters, intermediates, one final character (ECMA-48 §5.4).
fn skip_csi(rest: &mut Rest<'_>) {
    while rest.next_if(|c| matches!(c, ' '..='?')).is_some() {}
    rest.next_if(|c| matches!(c, '@'..='~'));
}

/// A control string such as OSC, if BEL or ST ends it on this line; one without an end would swallow honest text. False
/// when there is no end.
fn skip_string(rest: &mut Rest<'_>) -> bool {
    let mut ahead = rest.clone();
    while let Some(c) = ahead.next() {
        match c {
            '\u{07}' | '\u{9c}' => {
                *rest = ahead;
                return true;
            }
            '\u{1b}' => {
                ahead.next_if_eq(&'\\');
                *rest = ahead;
                return true;
            }
            '\n' => return false,
            _ => {}
        }
    }
    false
}

/// How much is said on stderr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loudness {
    /// Errors only.
    Quiet,
    /// Progress and results.
    #[default]
    Normal,
    /// Each step.
    Verbose,
}

/// Where a run talks to people. Cheap to copy; it holds no state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Talk {
    loudness: Loudness,
}

impl Talk {
    /// Talks this loudly.
    pub fn new(loudness: Loudness) -> Self {
        Talk { loudness }
    }

    /// How loudly.
    pub fn loudness(self) -> Loudness {
        self.loudness
    }

    /// A line on stderr, unless quiet. Text of others in it must have gone through [`plain`].
    pub fn say(self, line: &str) {
        if self.loudness >= Loudness::Normal {
            to_stderr(line);
        }
    }

    /// A line on stderr when verbose.
    pub fn detail(self, line: &str) {
        if self.loudness >= Loudness::Verbose {
            to_stderr(line);
        }
    }

    /// A line on stderr, always.
    pub fn error(self, line: &str) {
        to_stderr(line);
    }

    /// A progress bar for `total` steps: drawn on a terminal, silent elsewhere and when quiet.
    pub fn progress(self, label: &'static str, total: u64) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(total), self.draw_target());
        let style =
            ProgressStyle::with_template("{prefix:>12} [{bar:30}] {human_pos}/{human_len} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("=> "));
        bar.set_prefix(label);
        bar
    }

    /// A spinner for a step of unknown length: drawn on a terminal, silent elsewhere and when quiet.
    pub fn spinner(self, label: &'static str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(None, self.draw_target());
        let style = ProgressStyle::with_template("{prefix:>12} {spinner} {human_pos} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        bar.set_style(style);
        bar.set_prefix(label);
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        bar
    }

    fn draw_target(self) -> ProgressDrawTarget {
        if self.loudness >= Loudness::Normal && io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        }
    }
}

/// Writes data to stdout. A reader that went away (`| head`) is no error.
pub fn data(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// How many columns the terminal has that shows stdout; `None` when stdout goes elsewhere.
pub fn width() -> Option<u16> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0)
}

fn to_stderr(line: &str) {
    // When stderr is gone there is nobody left to tell.
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_vanish_and_their_neighbours_stay() {
        for (hostile, shown) in [
            ("a\u{1b}[31mred\u{1b}[0m b", "ared b"),
            (
                "\u{1b}]8;;https://evil.example\u{1b}\\click\u{1b}]8;;\u{1b}\\",
                "click",
            ),
            ("\u{1b}]0;title\u{07}text", "text"),
            ("\u{9b}2Jgone", "gone"),
            ("\u{1b}(Bplain", "plain"),
            ("user\u{202e}gpj.exe", "usergpj.exe"),
            ("two\r\nlines\tand a tab", "two lines and a tab"),
            ("open \u{1b}]0;no end", "open 0;no end"),
            ("\u{9d}no end\n\u{9d}an end\u{9c}kept", "no end kept"),
            ("nul\0 bell\u{7} del\u{7f}", "nul bell del"),
            ("Größe 12 µm, 漢字, 🦀", "Größe 12 µm, 漢字, 🦀"),
        ] {
            assert_eq!(plain(hostile), shown, "{hostile:?}");
        }
    }

    #[test]
    fn harmless_text_is_not_copied() {
        assert!(matches!(
            plain("S3 bucket logs-a is public"),
            Cow::Borrowed(_)
        ));
    }

    #[test]
    fn a_megabyte_of_openings_is_shown_in_linear_time() {
        for opening in ["\u{9d}", "\u{1b}]", "\u{1b}", "\u{9b}"] {
            let started = std::time::Instant::now();
            let text = opening.repeat(1_000_000);
            assert!(plain(&text).len() <= text.len());
            assert!(started.elapsed().as_secs() < 10, "{opening:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_unsafe_is_left(text in "(\\PC|[\u{0}-\u{a0}]|[\u{2028}-\u{206f}]|\u{1b}[\\[\\]P_a-z]){0,80}") {
            let shown = plain(&text).into_owned();
            prop_assert!(!shown.chars().any(is_unsafe), "{shown:?}");
            prop_assert_eq!(plain(&shown), shown.as_str());
        }

        #[test]
        fn text_without_controls_is_unchanged(text in "[ -~äöüß漢字]{0,80}") {
            prop_assert_eq!(plain(&text), text.as_str());
        }
    }
}
