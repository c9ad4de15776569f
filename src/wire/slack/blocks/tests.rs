//! Nothing of a finding can mention, link or format, and no message breaks Slack's limits.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::*;
use crate::notify::message::{code, link, strong, text};

const HOSTILE: [&str; 10] = [
    "<!channel> look",
    "<@U012AB3CD> and <#C012AB3CD|general>",
    "<https://evil.example|https://console.aws.amazon.com>",
    "*bold* _it_ ~no~ `code` ```block```",
    ":rotating_light: @here @channel #general",
    "&lt;!everyone&gt; &amp;",
    "> quote\n> two",
    "https://evil.example/path",
    "\u{202e}gnol\u{1b}[31m red",
    "[label](https://evil.example)",
];

fn about(words: &str) -> Message {
    Message::new(words)
        .line([text(words), strong(words), code(words)])
        .list(words, vec![vec![text(words)], vec![text("x")]], 2)
        .with(Part::Facts(vec![("Where".into(), vec![text(words)])]))
        .with(Part::Small(crate::notify::message::clean(words, 500)))
        .line([link("PAY-1", Some("https://jira.example/browse/PAY-1"))])
}

/// Every string of the blocks with the type of the object that holds it.
fn strings(value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            let kind = members.get("type").and_then(Value::as_str).unwrap_or("");
            for (name, member) in members {
                match member {
                    Value::String(words) if name != "type" => {
                        found.push((format!("{kind}.{name}"), words.clone()));
                    }
                    other => strings(other, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        _ => {}
    }
}

fn unescaped(words: &str) -> String {
    words
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

fn is_inert(rendered: &Rendered) -> Result<(), String> {
    let allowed = [
        "plain_text.text",
        "text.text",
        "link.url",
        "link.text",
        "rich_text_list.style",
    ];
    let mut found = Vec::new();
    strings(&json!(rendered.blocks), &mut found);
    for (place, words) in &found {
        if !allowed.contains(&place.as_str()) {
            return Err(format!("{place}: {words}"));
        }
        if place == "link.url" && words != "https://jira.example/browse/PAY-1" {
            return Err(format!("a link to {words}"));
        }
    }
    let parsed = rendered.text.contains('<') || rendered.text.contains('>');
    if parsed {
        return Err(format!("markup in the text: {}", rendered.text));
    }
    Ok(())
}

#[test]
fn nothing_of_a_finding_can_mention_link_or_format() {
    for words in HOSTILE {
        let message = about(words);
        let rendered = render(&message, None);
        is_inert(&rendered).unwrap();
        assert_eq!(unescaped(&rendered.text), message.as_text());
    }
}

#[test]
fn a_message_has_a_text_and_its_picture_has_words() {
    let message = Message::new("Digest").with(Part::Picture {
        trend: crate::notify::trend::Trend::default(),
        alt: "Open tickets fell from 9 to 4".into(),
    });
    let with = render(&message, Some("F0123456789"));
    assert_eq!(with.blocks[1]["slack_file"]["id"], "F0123456789");
    assert_eq!(with.blocks[1]["alt_text"], "Open tickets fell from 9 to 4");
    let without = render(&message, None);
    assert_eq!(without.blocks[1]["type"], "context");
    assert!(without.text.contains("Open tickets fell"));
}

#[test]
fn a_message_that_is_too_long_says_how_much_was_left_out() {
    let items: Vec<Line> = (0..400)
        .map(|n| vec![text(format!("finding number {n} of a storm"))])
        .collect();
    let rendered = render(&Message::new("Storm").list("All", items, 0), None);
    let length: usize = rendered.blocks.iter().map(|b| b.to_string().len()).sum();
    assert!(length <= LONGEST_BLOCKS, "{length}");
    let shown = rendered.blocks[1]["elements"][1]["elements"]
        .as_array()
        .unwrap()
        .len();
    let more = rendered.blocks[1]["elements"][2]["elements"][0]["text"].clone();
    assert_eq!(more, format!("… and {} more", 400 - shown));
    assert!(rendered.text.chars().count() < 4_000);
}

proptest! {
    #[test]
    fn any_text_is_inert_and_complete(words in "(\\PC|[<>&@#!*_~`:|]|<!|<@|&lt;){0,60}") {
        let message = about(&words);
        let rendered = render(&message, None);
        prop_assert_eq!(is_inert(&rendered), Ok(()));
        prop_assert_eq!(unescaped(&rendered.text), message.as_text());
    }

    #[test]
    fn no_cut_tears_an_entity(words in "[<>&ab]{0,80}", longest in 1_usize..60) {
        let cut = escaped(&words, longest);
        prop_assert!(cut.chars().count() < longest.max(1));
        prop_assert!(words.starts_with(&unescaped(&cut)));
    }
}
