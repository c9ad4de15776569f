//! The channels as one page, so that a newcomer sees the messages: no script, nothing loaded from elsewhere, every word
//! escaped.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Channel, Message, Slack};

const STYLE: &str = include_str!("page/style.css");

/// The page, with a way back to where the rest of the world is shown.
pub fn html(slack: &Slack, home: &str) -> String {
    let mut channels: Vec<&Channel> = slack.channels().collect();
    channels.sort_by(|a, b| a.name.cmp(&b.name));
    let mut nav = String::new();
    let mut main = String::new();
    for channel in channels {
        // Writing to a String cannot fail.
        let _ = write!(
            nav,
            "<a href=\"#{0}\"><span># {1}</span><span class=\"count\">{2}</span></a>",
            escaped(&channel.id),
            escaped(&channel.name),
            tops(channel).count(),
        );
        section(slack, channel, &mut main);
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Emulated Slack channels</title><style>{STYLE}</style></head><body>\
         <nav aria-label=\"Channels\"><h1>Emulated Slack</h1><p>What asaf wrote, channel by channel. <a href=\"{home}\">Tickets and findings</a></p>{nav}</nav>\
         <main>{main}</main></body></html>\n"
    )
}

/// One message by itself, as in its channel.
pub fn one(slack: &Slack, message: &Message) -> String {
    let mut main = String::new();
    self::message(slack, message, &[], &mut main);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>A message</title>\
         <style>{STYLE}body {{ display: block; min-height: 0 }}</style></head><body><main>{main}</main></body></html>\n"
    )
}

fn tops(channel: &Channel) -> impl Iterator<Item = &Message> {
    channel
        .messages
        .iter()
        .filter(|message| message.thread_ts.is_none())
}

fn section(slack: &Slack, channel: &Channel, page: &mut String) {
    let archived = if channel.is_archived {
        " (archived)"
    } else {
        ""
    };
    let _ = write!(
        page,
        "<section id=\"{}\"><h2># {}{archived}</h2>",
        escaped(&channel.id),
        escaped(&channel.name)
    );
    if channel.messages.is_empty() {
        page.push_str("<p class=\"empty\">No messages.</p>");
    }
    for message in tops(channel) {
        let replies: Vec<&Message> = channel
            .messages
            .iter()
            .filter(|reply| reply.thread_ts.as_deref() == Some(&message.ts))
            .collect();
        self::message(slack, message, &replies, page);
    }
    page.push_str("</section>");
}

fn message(slack: &Slack, message: &Message, replies: &[&Message], page: &mut String) {
    let when = message.at.strftime("%a %-d %b, %H:%M UTC");
    let _ = write!(
        page,
        "<article class=\"message\"><div class=\"avatar\" aria-hidden=\"true\">a</div><div>\
         <div><span class=\"by\">asaf</span><span class=\"app\">APP</span><span class=\"when\">{when}</span></div>"
    );
    if message.blocks.is_empty() {
        let _ = write!(
            page,
            "<div class=\"rich\">{}</div>",
            fallback(&message.text)
        );
    }
    for block in &message.blocks {
        self::block(slack, block, page);
    }
    if !replies.is_empty() {
        let noun = if replies.len() == 1 {
            "reply"
        } else {
            "replies"
        };
        let _ = write!(
            page,
            "<div class=\"replies\">{} {noun}</div><div class=\"thread\">",
            replies.len()
        );
        for reply in replies {
            self::message(slack, reply, &[], page);
        }
        page.push_str("</div>");
    }
    page.push_str("</div></article>");
}

/// The fallback text is escaped already, as Slack wants it.
fn fallback(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">");
    escaped(&text.replace("&amp;", "&"))
}

fn block(slack: &Slack, block: &Value, page: &mut String) {
    let words = |value: &Value| escaped(value["text"].as_str().unwrap_or_default());
    let _ = match block["type"].as_str() {
        Some("header") => write!(page, "<h3>{}</h3>", words(&block["text"])),
        Some("section") => write!(page, "<div class=\"rich\">{}</div>", words(&block["text"])),
        Some("context") => {
            let elements = block["elements"].as_array();
            let texts: Vec<String> = elements.into_iter().flatten().map(words).collect();
            write!(page, "<div class=\"context\">{}</div>", texts.join(" "))
        }
        Some("divider") => write!(page, "<hr>"),
        Some("image") => write!(page, "{}", picture(slack, block)),
        Some("rich_text") => {
            for element in block["elements"].as_array().into_iter().flatten() {
                rich(element, page);
            }
            Ok(())
        }
        _ => write!(page, "<pre>{}</pre>", escaped(&block.to_string())),
    };
}

fn picture(slack: &Slack, block: &Value) -> String {
    let alt = escaped(block["alt_text"].as_str().unwrap_or_default());
    let file = block["slack_file"]["id"]
        .as_str()
        .and_then(|id| slack.file(id));
    match file.and_then(|file| file.bytes.as_ref()) {
        Some(bytes) => format!(
            "<img alt=\"{alt}\" src=\"data:image/png;base64,{}\">",
            STANDARD.encode(bytes)
        ),
        None => format!("<div class=\"context\">{alt}</div>"),
    }
}

fn rich(element: &Value, page: &mut String) {
    if element["type"] == "rich_text_list" {
        page.push_str("<ul>");
        for item in element["elements"].as_array().into_iter().flatten() {
            let _ = write!(page, "<li>{}</li>", inlines(item));
        }
        page.push_str("</ul>");
    } else {
        let _ = write!(page, "<div class=\"rich\">{}</div>", inlines(element));
    }
}

fn inlines(element: &Value) -> String {
    let parts = element["elements"].as_array().into_iter().flatten();
    parts
        .map(|part| {
            let words = escaped(part["text"].as_str().unwrap_or_default());
            let url = part["url"].as_str().unwrap_or_default();
            let web = url.starts_with("https://") || url.starts_with("http://127.0.0.1");
            if part["type"] == "link" && web {
                format!("<a href=\"{}\">{words}</a>", escaped(url))
            } else if part["style"]["bold"] == true {
                format!("<strong>{words}</strong>")
            } else if part["style"]["code"] == true {
                format!("<code>{words}</code>")
            } else {
                words
            }
        })
        .collect()
}

fn escaped(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            '\'' => "&#39;".to_owned(),
            c => c.to_string(),
        })
        .collect()
}
