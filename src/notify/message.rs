//! One message model for every chat. A message is plain data: a title, parts, and the same facts as one text.
//!
//! What others wrote becomes a [`Span::Text`], never markup: no renderer may read formatting, mentions or links out of
//! it. Links are typed, and the addresses of findings must be https.

use serde::{Deserialize, Serialize};

use super::trend::Trend;
use crate::talk::plain;

/// The longest span, in characters.
const LONGEST_SPAN: usize = 600;
/// The longest title: Slack's limit for a header block (docs.slack.dev, header block).
const LONGEST_TITLE: usize = 150;

/// What people read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// One line at the top; news in a thread have none.
    pub title: String,
    /// Below it.
    pub parts: Vec<Part>,
}

/// One part of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// A paragraph.
    Line(Line),
    /// A heading and a list below it. `more` says how many items were left out.
    List {
        /// Above the list; may be empty.
        heading: String,
        /// The items.
        items: Vec<Line>,
        /// Items that are not shown.
        more: usize,
    },
    /// Names and values, one pair a line.
    Facts(Vec<(String, Line)>),
    /// A picture, with the words for those who do not see it.
    Picture {
        /// What is drawn.
        trend: Trend,
        /// The same in words.
        alt: String,
    },
    /// Where to go on, side by side.
    Links(Vec<(String, String)>),
    /// In small letters.
    Small(String),
}

/// A line of spans.
pub type Line = Vec<Span>;

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// Text, shown as it is.
    Text(String),
    /// Bold.
    Strong(String),
    /// Monospaced: ids and names of resources.
    Code(String),
    /// A link with its label.
    Link {
        /// What is shown.
        label: String,
        /// An address that was checked or configured.
        url: String,
    },
}

/// Text as it is.
pub fn text(words: impl AsRef<str>) -> Span {
    Span::Text(clean(words.as_ref(), LONGEST_SPAN))
}

/// Bold text.
pub fn strong(words: impl AsRef<str>) -> Span {
    Span::Strong(clean(words.as_ref(), LONGEST_SPAN))
}

/// Monospaced text.
pub fn code(words: impl AsRef<str>) -> Span {
    Span::Code(clean(words.as_ref(), LONGEST_SPAN))
}

/// A link; without an address only its label.
pub fn link(label: impl AsRef<str>, url: Option<&str>) -> Span {
    let label = clean(label.as_ref(), LONGEST_SPAN);
    match url {
        Some(url) => Span::Link {
            label,
            url: url.to_owned(),
        },
        None => Span::Text(label),
    }
}

/// One line without control characters, at most `longest` characters.
pub fn clean(words: &str, longest: usize) -> String {
    let shown = plain(words);
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    let keeps_edge = |edge: Option<char>| edge.is_some_and(char::is_whitespace);
    let lead = if keeps_edge(words.chars().next()) {
        " "
    } else {
        ""
    };
    let tail = if keeps_edge(words.chars().last()) && !shown.is_empty() {
        " "
    } else {
        ""
    };
    let shown = format!("{lead}{shown}{tail}");
    if shown.chars().count() <= longest {
        return shown;
    }
    let cut: String = shown.chars().take(longest.saturating_sub(1)).collect();
    cut + "…"
}

impl Span {
    /// What is read, without its form.
    pub fn words(&self) -> &str {
        match self {
            Span::Text(words) | Span::Strong(words) | Span::Code(words) => words,
            Span::Link { label, .. } => label,
        }
    }
}

/// What is read of a line, without its form.
pub fn words(line: &[Span]) -> String {
    line.iter().map(Span::words).collect()
}

impl Message {
    /// A message with a title.
    pub fn new(title: impl AsRef<str>) -> Self {
        Message {
            title: clean(title.as_ref(), LONGEST_TITLE).trim().to_owned(),
            parts: Vec::new(),
        }
    }

    /// Adds a part.
    #[must_use]
    pub fn with(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// Adds a paragraph.
    #[must_use]
    pub fn line(self, line: impl IntoIterator<Item = Span>) -> Self {
        self.with(Part::Line(line.into_iter().collect()))
    }

    /// Adds a list, unless it is empty.
    #[must_use]
    pub fn list(self, heading: impl AsRef<str>, items: Vec<Line>, more: usize) -> Self {
        if items.is_empty() {
            return self;
        }
        self.with(Part::List {
            heading: clean(heading.as_ref(), LONGEST_SPAN),
            items,
            more,
        })
    }

    /// The same facts as lines of plain text: for notifications, screen readers, the log and the terminal.
    pub fn as_text(&self) -> String {
        let mut lines = Vec::new();
        lines.extend((!self.title.is_empty()).then(|| self.title.clone()));
        for part in &self.parts {
            match part {
                Part::Line(line) => lines.push(words(line)),
                Part::List {
                    heading,
                    items,
                    more,
                } => {
                    lines.extend((!heading.is_empty()).then(|| heading.clone()));
                    lines.extend(items.iter().map(|item| format!("  • {}", words(item))));
                    lines.extend((*more > 0).then(|| format!("  … and {more} more")));
                }
                Part::Facts(facts) => lines.extend(
                    facts
                        .iter()
                        .map(|(name, value)| format!("{name}: {}", words(value))),
                ),
                Part::Picture { alt, .. } => lines.push(alt.clone()),
                Part::Links(links) => {
                    lines.extend(links.iter().map(|(label, url)| format!("{label}: {url}")));
                }
                Part::Small(words) => lines.push(words.clone()),
            }
        }
        lines.join("\n")
    }

    /// Leaves out one item of the longest list, and says so; false when no list has two items left.
    pub fn shorten(&mut self) -> bool {
        let lists = self.parts.iter_mut().filter_map(|part| match part {
            Part::List { items, more, .. } if items.len() > 1 => Some((items, more)),
            _ => None,
        });
        let Some((items, more)) = lists.max_by_key(|(items, _)| items.len()) else {
            return false;
        };
        items.pop();
        *more += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_message_reads_the_same_as_text() {
        let message = Message::new("Two  lines\nof title")
            .line([text("A "), strong("bold"), text(" word")])
            .list("Rules", vec![vec![text("one")], vec![text("two")]], 3)
            .with(Part::Links(vec![("Board".into(), "https://a/b".into())]));
        assert_eq!(
            message.as_text(),
            "Two lines of title\nA bold word\nRules\n  • one\n  • two\n  … and 3 more\nBoard: https://a/b"
        );
    }

    #[test]
    fn shortening_takes_from_the_longest_list_and_counts() {
        let items = |n: usize| (0..n).map(|i| vec![text(i.to_string())]).collect();
        let mut message = Message::new("t")
            .list("a", items(2), 0)
            .list("b", items(3), 1);
        while message.shorten() {}
        assert_eq!(
            message.as_text(),
            "t\na\n  • 0\n  … and 1 more\nb\n  • 0\n  … and 3 more"
        );
    }

    #[test]
    fn what_a_terminal_would_obey_is_gone_and_long_text_is_cut() {
        assert_eq!(text("a\u{1b}[31mb\u{202e}c"), Span::Text("abc".into()));
        assert_eq!(clean(&"x".repeat(10), 4), "xxx…");
    }
}
