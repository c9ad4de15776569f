//! Atlassian Document Format as types: the few nodes that tickets and comments need.
//!
//! Text from findings only ever becomes a `text` node. There are no nodes for mentions, cards, media or extensions, so
//! no text can become one. Structure: <https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/>.

use serde_json::{Value, json};

use crate::wire::http::is_bidi_control;

/// The most characters of text that a document may carry: Jira refuses descriptions above 32,767.
pub const LONGEST_DOCUMENT: usize = 32_000;

/// A document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doc {
    blocks: Vec<Block>,
}

/// A block of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Running text.
    Paragraph(Vec<Inline>),
    /// A heading of level 1 to 6.
    Heading(u8, Vec<Inline>),
    /// A bullet list; each item is a list of blocks.
    Bullets(Vec<Vec<Block>>),
    /// A table; the first row may be a header.
    Table(Vec<Row>),
    /// A coloured box. ADF allows only paragraphs, headings and lists in it: other blocks are left out.
    Panel(PanelKind, Vec<Block>),
    /// Preformatted text.
    Code(Text),
    /// A horizontal line.
    Rule,
}

/// The colour of a panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PanelKind {
    /// Blue.
    Info,
    /// Purple.
    Note,
    /// Yellow.
    Warning,
    /// Green.
    Success,
    /// Red.
    Error,
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Cells are headings.
    pub header: bool,
    /// Each cell is one paragraph.
    pub cells: Vec<Vec<Inline>>,
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {
    /// Plain text.
    Plain(Text),
    /// Bold.
    Strong(Text),
    /// Italics.
    Em(Text),
    /// Monospaced.
    Code(Text),
    /// A link.
    Link(Text, SafeUrl),
    /// A line break.
    Break,
}

/// Text without control characters and without bidirectional overrides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// Cleans text; line breaks become spaces.
    pub fn new(text: &str) -> Self {
        Text(
            text.chars()
                .map(|c| {
                    if matches!(c, '\n' | '\r' | '\t') {
                        ' '
                    } else {
                        c
                    }
                })
                .filter(is_shown)
                .collect(),
        )
    }

    /// Cleans text and cuts it after `longest` characters, saying how much was left out.
    pub fn cut(text: &str, longest: usize) -> Self {
        Text(cut(&Text::new(text).0, longest))
    }

    /// Cleans text for a code block: line breaks and tabs stay. Cut after `longest` characters.
    pub fn lines(text: &str, longest: usize) -> Self {
        let text: String = text
            .chars()
            .filter(|c| matches!(c, '\n' | '\t') || is_shown(c))
            .collect();
        Text(cut(&text, longest))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text::new(text)
    }
}

fn is_shown(c: &char) -> bool {
    // Byte-order mark and the Unicode tag characters are invisible: they could hide text from the reader.
    !c.is_control() && !is_bidi_control(*c) && !matches!(c, '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some((end, _)) => {
            let more = text[end..].chars().count();
            format!("{}… (cut, {more} characters more)", &text[..end])
        }
    }
}

/// An https URL with a host and without user information.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeUrl(String);

impl SafeUrl {
    /// `None` for anything but `https://host/…` without user information, as a browser would read it.
    pub fn parse(url: &str) -> Option<Self> {
        if url
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || is_bidi_control(c))
        {
            return None;
        }
        let parsed = reqwest::Url::parse(url).ok()?;
        let safe = parsed.scheme() == "https"
            && parsed.host_str().is_some_and(|host| !host.is_empty())
            && parsed.username().is_empty()
            && parsed.password().is_none();
        safe.then(|| SafeUrl(parsed.to_string()))
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Inline {
    /// Plain text.
    pub fn text(text: &str) -> Self {
        Inline::Plain(Text::new(text))
    }

    /// Bold text.
    pub fn strong(text: &str) -> Self {
        Inline::Strong(Text::new(text))
    }

    /// Italics.
    pub fn em(text: &str) -> Self {
        Inline::Em(Text::new(text))
    }

    /// Monospaced text.
    pub fn code(text: &str) -> Self {
        Inline::Code(Text::new(text))
    }

    /// A link where the URL is safe, else its text alone.
    pub fn link(text: &str, url: &str) -> Self {
        match SafeUrl::parse(url) {
            Some(url) => Inline::Link(Text::new(text), url),
            None => Inline::text(text),
        }
    }

    fn to_value(&self) -> Option<Value> {
        let (text, mark) = match self {
            Inline::Break => return Some(json!({"type": "hardBreak"})),
            Inline::Plain(text) => (text, None),
            Inline::Strong(text) => (text, Some(json!({"type": "strong"}))),
            Inline::Em(text) => (text, Some(json!({"type": "em"}))),
            Inline::Code(text) => (text, Some(json!({"type": "code"}))),
            Inline::Link(text, url) => {
                let mark = json!({"type": "link", "attrs": {"href": url.as_str()}});
                (text, Some(mark))
            }
        };
        text_node(text, mark)
    }
}

/// ADF refuses empty text nodes.
fn text_node(text: &Text, mark: Option<Value>) -> Option<Value> {
    if text.0.is_empty() {
        return None;
    }
    let mut node = json!({"type": "text", "text": text.as_str()});
    if let Some(mark) = mark {
        node["marks"] = json!([mark]);
    }
    Some(node)
}

impl Doc {
    /// An empty document.
    pub fn new() -> Self {
        Doc::default()
    }

    /// Adds a block.
    #[must_use]
    pub fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    /// Adds a paragraph.
    #[must_use]
    pub fn paragraph(self, line: impl IntoIterator<Item = Inline>) -> Self {
        self.with(Block::Paragraph(line.into_iter().collect()))
    }

    /// Adds a heading of level 1 to 6.
    #[must_use]
    pub fn heading(self, level: u8, text: &str) -> Self {
        self.with(Block::Heading(level, vec![Inline::text(text)]))
    }

    /// Adds a bullet list with one line an item.
    #[must_use]
    pub fn bullets(self, items: impl IntoIterator<Item = Vec<Inline>>) -> Self {
        let items = items.into_iter();
        self.with(Block::Bullets(
            items.map(|line| vec![Block::Paragraph(line)]).collect(),
        ))
    }

    /// The characters of text in the document.
    pub fn text_chars(&self) -> usize {
        plain_text(&self.to_value()).chars().count()
    }

    /// The same document with at most `longest` characters: whole blocks are left out at the end, and it says how many.
    #[must_use]
    pub fn cut_to(mut self, longest: usize) -> Self {
        let mut left_out = 0_usize;
        while self.text_chars() > longest && self.blocks.pop().is_some() {
            left_out += 1;
        }
        if left_out == 0 {
            return self;
        }
        let note = format!("… (cut, {left_out} blocks more)");
        self.paragraph([Inline::text(&note)])
    }

    /// The JSON that Jira takes, at most [`LONGEST_DOCUMENT`] characters of text.
    pub fn to_value(&self) -> Value {
        json!({"type": "doc", "version": 1, "content": blocks(&self.blocks)})
    }
}

fn blocks(all: &[Block]) -> Vec<Value> {
    all.iter().filter_map(Block::to_value).collect()
}

fn inlines(line: &[Inline]) -> Vec<Value> {
    line.iter().filter_map(Inline::to_value).collect()
}

impl Block {
    /// `None` for what ADF does not allow to be empty.
    fn to_value(&self) -> Option<Value> {
        match self {
            Block::Paragraph(line) => Some(paragraph(line)),
            Block::Heading(level, line) => {
                let level = (*level).clamp(1, 6);
                Some(
                    json!({"type": "heading", "attrs": {"level": level}, "content": inlines(line)}),
                )
            }
            Block::Bullets(items) => {
                let items: Vec<Value> = items.iter().filter_map(|item| list_item(item)).collect();
                (!items.is_empty()).then(|| json!({"type": "bulletList", "content": items}))
            }
            Block::Table(rows) => {
                let rows: Vec<Value> = rows.iter().filter_map(Row::to_value).collect();
                (!rows.is_empty()).then(|| json!({"type": "table", "content": rows}))
            }
            Block::Panel(kind, inside) => {
                let inside: Vec<Value> = inside
                    .iter()
                    .filter(|block| {
                        matches!(
                            block,
                            Block::Paragraph(_) | Block::Heading(..) | Block::Bullets(_)
                        )
                    })
                    .filter_map(Block::to_value)
                    .collect();
                let attrs = json!({"panelType": kind.word()});
                (!inside.is_empty())
                    .then(|| json!({"type": "panel", "attrs": attrs, "content": inside}))
            }
            Block::Code(text) => {
                let content: Vec<Value> = text_node(text, None).into_iter().collect();
                Some(json!({"type": "codeBlock", "content": content}))
            }
            Block::Rule => Some(json!({"type": "rule"})),
        }
    }
}

fn paragraph(line: &[Inline]) -> Value {
    json!({"type": "paragraph", "content": inlines(line)})
}

/// A list item holds paragraphs, code blocks and lists, and begins with a paragraph.
fn list_item(item: &[Block]) -> Option<Value> {
    let inside: Vec<Value> = item
        .iter()
        .filter(|block| {
            matches!(
                block,
                Block::Paragraph(_) | Block::Code(_) | Block::Bullets(_)
            )
        })
        .filter_map(Block::to_value)
        .collect();
    (!inside.is_empty()).then(|| json!({"type": "listItem", "content": inside}))
}

impl Row {
    fn to_value(&self) -> Option<Value> {
        let kind = if self.header {
            "tableHeader"
        } else {
            "tableCell"
        };
        let cell =
            |line: &Vec<Inline>| json!({"type": kind, "attrs": {}, "content": [paragraph(line)]});
        let cells: Vec<Value> = self.cells.iter().map(cell).collect();
        (!cells.is_empty()).then(|| json!({"type": "tableRow", "content": cells}))
    }
}

impl PanelKind {
    fn word(self) -> &'static str {
        match self {
            PanelKind::Info => "info",
            PanelKind::Note => "note",
            PanelKind::Warning => "warning",
            PanelKind::Success => "success",
            PanelKind::Error => "error",
        }
    }
}

/// The text of a document that was read, one line a block; nodes of any type are walked.
pub fn plain_text(document: &Value) -> String {
    let mut text = String::new();
    collect(document, &mut text);
    text.trim_end().to_owned()
}

fn collect(node: &Value, text: &mut String) {
    match node.get("type").and_then(Value::as_str) {
        Some("text") => text.push_str(node.get("text").and_then(Value::as_str).unwrap_or("")),
        Some("hardBreak") => text.push('\n'),
        kind => {
            for child in node
                .get("content")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                collect(child, text);
            }
            let ends_line = matches!(kind, Some("paragraph" | "heading" | "codeBlock" | "rule"));
            if ends_line {
                text.push('\n');
            }
        }
    }
}

#[cfg(test)]
mod tests;
