//! A message as an Adaptive Card. Words of others stand only in `TextRun`s, in which Markdown is not supported, and no
//! `msteams.entities` are sent, so nothing becomes a mention (learn.microsoft.com, Adaptive Cards schema: TextRun).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::notify::message::{Line, Message, Part, Span};

/// The whole payload, in bytes: Teams refuses more than about 28 KB (learn.microsoft.com, Microsoft Teams connector,
/// known issues).
const LARGEST: usize = 24_000;
/// The version that Teams renders (learn.microsoft.com, Teams: cards reference).
const VERSION: &str = "1.4";
/// Buttons beyond this fold into a menu.
const MOST_ACTIONS: usize = 6;

/// The body of the request to a workflow's address; lists are shortened and the picture is left out until it fits.
pub fn payload(message: &Message) -> Value {
    let mut message = message.clone();
    let picture = picture(&message);
    let whole = wrapped(&message, picture.as_deref());
    if whole.to_string().len() <= LARGEST {
        return whole;
    }
    loop {
        let payload = wrapped(&message, None);
        if payload.to_string().len() <= LARGEST || !message.shorten() {
            return payload;
        }
    }
}

fn picture(message: &Message) -> Option<String> {
    let trend = message.parts.iter().find_map(|part| match part {
        Part::Picture { trend, .. } => Some(trend),
        _ => None,
    })?;
    Some(STANDARD.encode(trend.png()?))
}

fn wrapped(message: &Message, picture: Option<&str>) -> Value {
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card(message, picture),
        }],
    })
}

fn card(message: &Message, picture: Option<&str>) -> Value {
    let mut body = Vec::new();
    if !message.title.is_empty() {
        let title = run(
            &message.title,
            json!({ "weight": "Bolder", "size": "Large" }),
        );
        body.push(rich(vec![title]));
    }
    let mut actions = Vec::new();
    for part in &message.parts {
        match part {
            Part::Line(line) => body.push(rich(runs(line))),
            Part::List {
                heading,
                items,
                more,
            } => body.extend(list(heading, items, *more)),
            Part::Facts(facts) => body.extend(facts.iter().map(|(name, value)| {
                let mut line = vec![Span::Strong(format!("{name}  "))];
                line.extend(value.iter().cloned());
                tight(runs(&line))
            })),
            Part::Picture { alt, .. } => body.push(match picture {
                Some(data) => {
                    json!({ "type": "Image", "url": format!("data:image/png;base64,{data}"), "altText": alt })
                }
                None => subtle(alt),
            }),
            Part::Links(links) => actions.extend(links.iter().map(
                |(label, url)| json!({ "type": "Action.OpenUrl", "title": label, "url": url }),
            )),
            Part::Small(words) => body.push(subtle(words)),
        }
    }
    actions.truncate(MOST_ACTIONS);
    json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": VERSION,
        "msteams": { "width": "Full" },
        "fallbackText": message.title,
        "body": body,
        "actions": actions,
    })
}

fn list(heading: &str, items: &[Line], more: usize) -> Vec<Value> {
    let mut body = Vec::new();
    if !heading.is_empty() {
        body.push(rich(runs(&[Span::Strong(heading.to_owned())])));
    }
    for item in items {
        let mut line = vec![Span::Text("•  ".to_owned())];
        line.extend(item.iter().cloned());
        body.push(tight(runs(&line)));
    }
    if more > 0 {
        body.push(tight(runs(&[Span::Text(format!("… and {more} more"))])));
    }
    body
}

fn rich(inlines: Vec<Value>) -> Value {
    json!({ "type": "RichTextBlock", "inlines": inlines })
}

fn tight(inlines: Vec<Value>) -> Value {
    json!({ "type": "RichTextBlock", "inlines": inlines, "spacing": "Small" })
}

fn subtle(words: &str) -> Value {
    rich(vec![run(
        words,
        json!({ "isSubtle": true, "size": "Small" }),
    )])
}

fn runs(line: &[Span]) -> Vec<Value> {
    line.iter()
        .map(|span| match span {
            Span::Text(words) => run(words, json!({})),
            Span::Strong(words) => run(words, json!({ "weight": "Bolder" })),
            Span::Code(words) => run(words, json!({ "fontType": "Monospace" })),
            Span::Link { label, url } => run(
                label,
                json!({ "color": "Accent", "selectAction": { "type": "Action.OpenUrl", "url": url } }),
            ),
        })
        .collect()
}

fn run(words: &str, style: Value) -> Value {
    let mut run = style;
    run["type"] = json!("TextRun");
    run["text"] = json!(words);
    run
}
