//! Atlassian Document Format as types: the few nodes that tickets and comments need.
//!
//! Text from findings only ever becomes a `text` node. There are no nodes for mentions, cards, media or extensions, so
//! no text can become one. Structure: <https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/>.

pub mod markdown;
pub mod section;
mod text;

use serde_json::{Value, json};

pub use text::{SafeUrl, Text};

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
    /// A numbered list.
    Numbered(Vec<Vec<Block>>),
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
    if text.as_str().is_empty() {
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
        /// Room for the note.
        const NOTE: usize = 40;
        if self.text_chars() <= longest {
            return self;
        }
        let mut left_out = 0_usize;
        while self.text_chars() > longest.saturating_sub(NOTE) && self.blocks.pop().is_some() {
            left_out += 1;
        }
        let note = format!("… (cut, {left_out} blocks more)");
        self.paragraph([Inline::text(&note)])
    }

    /// The JSON that Jira takes. It is not cut here: see [`Doc::cut_to`].
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
            Block::Numbered(items) => {
                let items: Vec<Value> = items.iter().filter_map(|item| list_item(item)).collect();
                (!items.is_empty()).then(|| json!({"type": "orderedList", "content": items}))
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
                            Block::Paragraph(_)
                                | Block::Heading(..)
                                | Block::Bullets(_)
                                | Block::Numbered(_)
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
                Block::Paragraph(_) | Block::Code(_) | Block::Bullets(_) | Block::Numbered(_)
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
