//! A message as Block Kit JSON. Words of others stand only in `text` elements of `rich_text` blocks and in `plain_text`
//! objects, which Slack does not parse: no formatting, mention, channel or link comes out of them
//! (docs.slack.dev, rich text block; text object). The one parsed field, `text`, is escaped.

use serde_json::{Value, json};

use crate::notify::message::{Line, Message, Part, Span};

/// Blocks in a message (docs.slack.dev, "Blocks": up to 50).
const MOST_BLOCKS: usize = 50;
/// All blocks as JSON, in characters. Slack refuses about 13,200 with `msg_blocks_too_long` and documents no number
/// (slackapi/bolt-js issue 2509).
const LONGEST_BLOCKS: usize = 11_000;
/// The fallback text: `chat.update` refuses more than 4,000 characters (docs.slack.dev, chat.update, `msg_too_long`).
const LONGEST_TEXT: usize = 3_800;
/// One text of a context block (docs.slack.dev, text object: 3,000).
const LONGEST_SMALL: usize = 2_000;
/// The words for a picture (docs.slack.dev, image block: 2,000; files.getUploadURLExternal: 1,000).
pub(super) const LONGEST_ALT: usize = 1_000;

/// What a message becomes: `text` and `blocks` of `chat.postMessage` and `chat.update`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// For notifications and screen readers: the same facts.
    pub text: String,
    /// Block Kit.
    pub blocks: Vec<Value>,
}

/// Renders within Slack's limits; lists are shortened until the message fits. `picture` is the uploaded file's id;
/// without it a picture's words take its place.
pub fn render(message: &Message, picture: Option<&str>) -> Rendered {
    let text = escaped(&message.as_text(), LONGEST_TEXT);
    let mut message = message.clone();
    loop {
        let blocks = blocks(&message, picture);
        let characters: usize = blocks.iter().map(|b| b.to_string().chars().count()).sum();
        if (blocks.len() <= MOST_BLOCKS && characters <= LONGEST_BLOCKS) || !message.shorten() {
            return Rendered { text, blocks };
        }
    }
}

fn blocks(message: &Message, picture: Option<&str>) -> Vec<Value> {
    let mut blocks = Vec::new();
    if !message.title.is_empty() {
        blocks.push(json!({ "type": "header", "text": plain_text(&message.title) }));
    }
    for part in &message.parts {
        blocks.push(match part {
            Part::Line(line) => rich(vec![section(line)]),
            Part::List {
                heading,
                items,
                more,
            } => list(heading, items, *more),
            Part::Facts(facts) => rich(vec![self::facts(facts)]),
            Part::Picture { alt, .. } => match picture {
                Some(id) => {
                    let alt: String = alt.chars().take(LONGEST_ALT).collect();
                    json!({ "type": "image", "slack_file": { "id": id }, "alt_text": alt })
                }
                None => small(alt),
            },
            Part::Links(links) => rich(vec![section(&side_by_side(links))]),
            Part::Small(words) => small(words),
        });
    }
    blocks
}

/// `emoji: false`: a `:colon:` in a title stays what it is.
fn plain_text(words: &str) -> Value {
    let words = if words.is_empty() { " " } else { words };
    json!({ "type": "plain_text", "text": words, "emoji": false })
}

fn small(words: &str) -> Value {
    let words: String = words.chars().take(LONGEST_SMALL).collect();
    json!({ "type": "context", "elements": [plain_text(&words)] })
}

fn rich(elements: Vec<Value>) -> Value {
    json!({ "type": "rich_text", "elements": elements })
}

fn section(line: &[Span]) -> Value {
    json!({ "type": "rich_text_section", "elements": line.iter().filter_map(element).collect::<Vec<Value>>() })
}

fn list(heading: &str, items: &[Line], more: usize) -> Value {
    let mut elements = Vec::new();
    if !heading.is_empty() {
        elements.push(section(&[Span::Strong(heading.to_owned())]));
    }
    let items: Vec<Value> = items.iter().map(|item| section(item)).collect();
    elements.push(json!({ "type": "rich_text_list", "style": "bullet", "elements": items }));
    if more > 0 {
        elements.push(section(&[Span::Text(format!("… and {more} more"))]));
    }
    rich(elements)
}

fn facts(facts: &[(String, Line)]) -> Value {
    let mut line: Line = Vec::new();
    for (n, (name, value)) in facts.iter().enumerate() {
        let lead = if n == 0 { "" } else { "\n" };
        line.push(Span::Strong(format!("{lead}{name}  ")));
        line.extend(value.iter().cloned());
    }
    section(&line)
}

fn side_by_side(links: &[(String, String)]) -> Line {
    let mut line = Vec::new();
    for (n, (label, url)) in links.iter().enumerate() {
        if n > 0 {
            line.push(Span::Text("  ·  ".to_owned()));
        }
        line.push(Span::Link {
            label: label.clone(),
            url: url.clone(),
        });
    }
    line
}

/// Slack refuses empty text elements.
fn element(span: &Span) -> Option<Value> {
    Some(match span {
        span if span.words().is_empty() => return None,
        Span::Text(words) => json!({ "type": "text", "text": words }),
        Span::Strong(words) => json!({ "type": "text", "text": words, "style": { "bold": true } }),
        Span::Code(words) => json!({ "type": "text", "text": words, "style": { "code": true } }),
        Span::Link { label, url } => json!({ "type": "link", "url": url, "text": label }),
    })
}

/// Text for a parsed field: `&`, `<` and `>` as entities (docs.slack.dev, "Formatting message text"), cut so that no
/// entity is torn.
fn escaped(words: &str, longest: usize) -> String {
    let mut shown = String::new();
    let mut length = 0;
    for c in words.chars() {
        let piece = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            _ => {
                if length + 1 >= longest {
                    break;
                }
                shown.push(c);
                length += 1;
                continue;
            }
        };
        if length + piece.len() >= longest {
            break;
        }
        shown.push_str(piece);
        length += piece.len();
    }
    shown
}

#[cfg(test)]
mod tests;
