//! Markdown, as templates are written in, to a document. Values of findings do not come as Markdown: they stand in it as
//! [`placeholder`]s and become text when everything is parsed, so that nothing in them is ever markup.

use std::iter::Peekable;

use pulldown_cmark::{BlockQuoteKind, Event, Options, Parser, Tag, TagEnd, TextMergeStream};

use super::{Block, Doc, Inline, PanelKind, Row, Text};

/// Characters of Unicode's private use area: templates have no use for them.
const BEGIN: char = '\u{e000}';
const END: char = '\u{e001}';

/// A value in a form that Markdown cannot take for markup.
pub fn placeholder(value: &str) -> String {
    format!("{BEGIN}{}{END}", hex::encode(value))
}

/// The text with its values.
pub fn filled(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        out.push_str(before);
        let value = after.split_once(END).and_then(|(code, after)| {
            let bytes = hex::decode(code).ok()?;
            Some((String::from_utf8(bytes).ok()?, after))
        });
        match value {
            Some((value, after)) => {
                out.push_str(&value);
                rest = after;
            }
            None => rest = after,
        }
    }
    out + rest
}

/// The document of a text in CommonMark with tables; a block quote is a panel, `> [!WARNING]` says of which colour.
pub fn document(markdown: &str) -> Doc {
    let options = Options::ENABLE_TABLES | Options::ENABLE_GFM;
    let events = TextMergeStream::new(Parser::new_ext(markdown, options));
    let mut reader = Reader(events.peekable());
    let blocks = reader.blocks();
    blocks.into_iter().fold(Doc::new(), Doc::with)
}

struct Reader<'a, I: Iterator<Item = Event<'a>>>(Peekable<I>);

impl<'a, I: Iterator<Item = Event<'a>>> Reader<'a, I> {
    /// To the end of what is open.
    fn blocks(&mut self) -> Vec<Block> {
        let mut blocks = Vec::new();
        while let Some(event) = self.0.next() {
            match event {
                Event::End(_) => break,
                Event::Start(tag) => blocks.extend(self.block(tag)),
                Event::Rule => blocks.push(Block::Rule),
                Event::Html(html) => {
                    let line = Inline::text(&filled(html.trim()));
                    blocks.push(Block::Paragraph(vec![line]));
                }
                // Items of a tight list have no paragraphs.
                inline => {
                    let line = self.line(Some(inline));
                    blocks.push(Block::Paragraph(line));
                }
            }
        }
        blocks
    }

    fn block(&mut self, tag: Tag<'a>) -> Option<Block> {
        Some(match tag {
            Tag::Heading { level, .. } => Block::Heading(level as u8, self.inlines()),
            Tag::BlockQuote(kind) => Block::Panel(panel(kind), self.blocks()),
            Tag::CodeBlock(_) => Block::Code(Text::lines(&self.code(), usize::MAX)),
            Tag::List(first) => self.list(first.is_some()),
            Tag::Table(_) => Block::Table(self.table()),
            Tag::Paragraph => Block::Paragraph(self.inlines()),
            // Inlines of a tight list item.
            Tag::Emphasis | Tag::Strong | Tag::Link { .. } | Tag::Image { .. } => {
                let line = self.line(Some(Event::Start(tag)));
                Block::Paragraph(line)
            }
            _ => {
                let mut inside = self.blocks();
                (!inside.is_empty()).then(|| inside.remove(0))?
            }
        })
    }

    fn list(&mut self, is_numbered: bool) -> Block {
        let mut items = Vec::new();
        while let Some(event) = self.0.next() {
            match event {
                Event::Start(Tag::Item) => items.push(self.blocks()),
                Event::End(_) => break,
                _ => {}
            }
        }
        if is_numbered {
            Block::Numbered(items)
        } else {
            Block::Bullets(items)
        }
    }

    fn table(&mut self) -> Vec<Row> {
        let mut rows = Vec::new();
        while let Some(event) = self.0.next() {
            match event {
                Event::Start(Tag::TableHead) => rows.push(self.row(true)),
                Event::Start(Tag::TableRow) => rows.push(self.row(false)),
                Event::End(TagEnd::Table) => break,
                _ => {}
            }
        }
        // A header without words only made the Markdown a table.
        rows.retain(|row: &Row| !(row.header && row.cells.iter().all(Vec::is_empty)));
        rows
    }

    fn row(&mut self, header: bool) -> Row {
        let mut cells = Vec::new();
        while let Some(event) = self.0.next() {
            match event {
                Event::Start(Tag::TableCell) => cells.push(self.inlines()),
                Event::End(_) => break,
                _ => {}
            }
        }
        Row { header, cells }
    }

    fn code(&mut self) -> String {
        let mut text = String::new();
        for event in self.0.by_ref() {
            match event {
                Event::Text(part) => text.push_str(&filled(&part)),
                Event::End(_) => break,
                _ => {}
            }
        }
        text.trim_end_matches('\n').to_owned()
    }

    /// To the end of what is open.
    fn inlines(&mut self) -> Vec<Inline> {
        let line = self.line(None);
        self.0.next();
        line
    }

    /// To what is no inline; that is left.
    fn line(&mut self, first: Option<Event<'a>>) -> Vec<Inline> {
        let mut line = Vec::new();
        if let Some(first) = first {
            self.inline(first, &mut line);
        }
        loop {
            let goes_on = match self.0.peek() {
                None | Some(Event::End(_) | Event::Rule) => false,
                Some(Event::Start(tag)) => is_inline(tag),
                Some(_) => true,
            };
            match self.0.next_if(|_| goes_on) {
                Some(event) => self.inline(event, &mut line),
                None => return line,
            }
        }
    }

    fn inline(&mut self, event: Event<'a>, line: &mut Vec<Inline>) {
        match event {
            Event::Text(text) => line.push(Inline::text(&filled(&text))),
            Event::Code(text) => line.push(Inline::code(&filled(&text))),
            Event::SoftBreak => line.push(Inline::text(" ")),
            Event::HardBreak => line.push(Inline::Break),
            Event::Html(html) | Event::InlineHtml(html) => line.push(Inline::text(&filled(&html))),
            Event::Start(Tag::Strong) => line.push(Inline::strong(&self.plain())),
            Event::Start(Tag::Emphasis) => line.push(Inline::em(&self.plain())),
            Event::Start(Tag::Link { dest_url, .. }) => {
                let url = filled(&dest_url);
                line.push(Inline::link(&self.plain(), &url));
            }
            Event::Start(Tag::Image { .. }) => line.push(Inline::text(&self.plain())),
            _ => {}
        }
    }

    /// ADF's marks are one a text here: what is inside keeps its words.
    fn plain(&mut self) -> String {
        let words = self.inlines();
        let parts = words.iter().map(|inline| match inline {
            Inline::Plain(text)
            | Inline::Strong(text)
            | Inline::Em(text)
            | Inline::Code(text)
            | Inline::Link(text, _) => text.as_str(),
            Inline::Break => " ",
        });
        parts.collect()
    }
}

fn is_inline(tag: &Tag<'_>) -> bool {
    matches!(
        tag,
        Tag::Emphasis | Tag::Strong | Tag::Link { .. } | Tag::Image { .. }
    )
}

fn panel(kind: Option<BlockQuoteKind>) -> PanelKind {
    match kind {
        Some(BlockQuoteKind::Warning) => PanelKind::Warning,
        Some(BlockQuoteKind::Caution) => PanelKind::Error,
        Some(BlockQuoteKind::Tip) => PanelKind::Success,
        Some(BlockQuoteKind::Important) => PanelKind::Note,
        Some(BlockQuoteKind::Note) | None => PanelKind::Info,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;
    use crate::wire::adf::plain_text;

    fn blocks(markdown: &str) -> Value {
        document(markdown).to_value()["content"].clone()
    }

    fn kinds(markdown: &str) -> Vec<String> {
        let blocks = blocks(markdown);
        let kinds = blocks.as_array().unwrap().iter();
        kinds
            .map(|block| block["type"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn every_kind_of_block_becomes_its_node() {
        let markdown = "# One\n\ntext **bold** *slanted* `code` [here](https://example.com/a)\n\n- a\n- b\n  - c\n\n\
             1. first\n2. second\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> [!WARNING]\n> careful\n\n---\n\n```\nx = 1\n```\n";
        assert_eq!(
            kinds(markdown),
            [
                "heading",
                "paragraph",
                "bulletList",
                "orderedList",
                "table",
                "panel",
                "rule",
                "codeBlock"
            ]
        );
        let line = &blocks(markdown)[1]["content"];
        let marks: Vec<&Value> = line
            .as_array()
            .unwrap()
            .iter()
            .map(|n| &n["marks"])
            .collect();
        let href = json!([{ "type": "link", "attrs": { "href": "https://example.com/a" } }]);
        assert!(marks.contains(&&json!([{ "type": "strong" }])));
        assert!(marks.contains(&&json!([{ "type": "em" }])));
        assert!(marks.contains(&&json!([{ "type": "code" }])));
        assert!(marks.contains(&&href), "{marks:?}");
        assert_eq!(blocks(markdown)[5]["attrs"]["panelType"], "warning");
        assert_eq!(plain_text(&blocks("- a\n- b **c**\n")[0]), "a\nb c");
    }

    #[test]
    fn a_value_is_text_wherever_it_stands() {
        let hostile = "**x** [y](https://evil.example) | <b> \n# z @[~admin] {{ 7 }} \\";
        let value = placeholder(hostile);
        let markdown = format!(
            "# {value}\n\n{value}\n\n| a | {value} |\n|---|---|\n| `{value}` | **{value}** |\n"
        );
        let shown = document(&markdown).to_value();
        let text = shown.to_string();
        assert!(!text.contains("\"link\""), "{text}");
        let clean = Text::new(hostile);
        assert_eq!(plain_text(&shown).matches(clean.as_str()).count(), 5);
    }

    #[test]
    fn a_value_is_a_link_only_where_the_template_makes_one_and_it_is_safe() {
        let safe = placeholder("https://docs.example/fix?a=(b)");
        let shown = blocks(&format!("[How]({safe})")).to_string();
        assert!(shown.contains("https://docs.example/fix?a=(b)"), "{shown}");
        let unsafe_ = placeholder("javascript:alert(1)");
        let shown = blocks(&format!("[How]({unsafe_})")).to_string();
        assert!(!shown.contains("javascript"), "{shown}");
    }

    #[test]
    fn what_looks_like_a_placeholder_and_is_none_leaves_no_trace() {
        assert_eq!(filled("a\u{e000}zz\u{e001}b"), "azz\u{e001}b");
        assert_eq!(filled("a\u{e000}b"), "ab");
        assert_eq!(filled(&placeholder("é\u{e000}")), "é\u{e000}");
    }
}
