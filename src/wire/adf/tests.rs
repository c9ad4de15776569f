#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::wire::http::is_bidi_control;

const HOSTILE: [&str; 10] = [
    "[~accountid:5b10a2844c20165700ede21g] @all",
    "{code}rm -rf{code} !http://evil/x.png!",
    "[click](https://evil.example)",
    "<script>alert(1)</script>",
    "{\"type\":\"mention\",\"attrs\":{\"id\":\"1\"}}",
    "a\u{1b}[31mred\u{7}",
    "user\u{202e}gpj.exe",
    "zero\u{feff}\u{e0041}width",
    "https://evil.example/@x",
    "",
];

fn document(text: &str) -> Doc {
    let line = || {
        vec![
            Inline::text(text),
            Inline::strong(text),
            Inline::em(text),
            Inline::code(text),
            Inline::link(text, text),
            Inline::Break,
        ]
    };
    let row = |header| Row {
        header,
        cells: vec![line(), vec![]],
    };
    Doc::new()
        .heading(9, text)
        .paragraph(line())
        .bullets([line(), vec![]])
        .with(Block::Table(vec![row(true), row(false)]))
        .with(Block::Panel(
            PanelKind::Warning,
            vec![Block::Paragraph(line()), Block::Code(Text::new(text))],
        ))
        .with(Block::Code(Text::lines(text, 1_000)))
        .with(Block::Rule)
}

/// Checks every node: allowed type, its parent may hold it, text only in text nodes, and clean.
fn assert_node(node: &Value, parent: &str) {
    let kind = node["type"].as_str().unwrap();
    let parents: &[&str] = match kind {
        "doc" => &[""],
        "paragraph" => &["doc", "listItem", "panel", "tableCell", "tableHeader"],
        "heading" | "bulletList" => &["doc", "panel", "listItem"],
        "codeBlock" => &["doc", "listItem"],
        "table" | "panel" | "rule" => &["doc"],
        "listItem" => &["bulletList"],
        "tableRow" => &["table"],
        "tableCell" | "tableHeader" => &["tableRow"],
        "text" => &["paragraph", "heading", "codeBlock"],
        "hardBreak" => &["paragraph", "heading"],
        other => panic!("foreign node {other}"),
    };
    assert!(parents.contains(&parent), "{kind} in {parent}");
    if kind == "text" {
        let text = node["text"].as_str().unwrap();
        assert!(!text.is_empty(), "ADF refuses empty text nodes");
        let dirty = |c: char| {
            (c.is_control() && !(parent == "codeBlock" && "\n\t".contains(c))) || is_bidi_control(c)
        };
        assert!(!text.contains(dirty), "{text:?}");
        for mark in node["marks"].as_array().into_iter().flatten() {
            match mark["type"].as_str().unwrap() {
                "link" => assert!(
                    mark["attrs"]["href"]
                        .as_str()
                        .unwrap()
                        .starts_with("https://")
                ),
                plain => assert!(["strong", "em", "code"].contains(&plain)),
            }
        }
    }
    for child in node["content"].as_array().into_iter().flatten() {
        assert_node(child, kind);
    }
}

#[test]
fn hostile_text_only_becomes_clean_text_nodes() {
    for text in HOSTILE {
        assert_node(&document(text).to_value(), "");
    }
}

#[test]
fn only_https_links_with_a_plain_host_are_links() {
    for (url, safe) in [
        (
            "https://console.aws.amazon.com/securityhub/home?region=eu-west-1#/findings",
            true,
        ),
        ("https://example.com", true),
        ("http://example.com", false),
        ("javascript:alert(1)", false),
        ("https://user@evil.example/", false),
        ("https://a:b@evil.example/", false),
        ("https://", false),
        ("https://exam\u{202e}ple.com", false),
        ("https://example.com/\nHost: evil", false),
        ("//example.com", false),
        ("data:text/html,x", false),
    ] {
        assert_eq!(SafeUrl::parse(url).is_some(), safe, "{url:?}");
        let linked = Inline::link("text", url).to_value().unwrap();
        assert_eq!(linked.get("marks").is_some(), safe, "{url:?}");
    }
}

#[test]
fn cut_text_says_how_much_is_missing() {
    assert_eq!(
        Text::cut("äbcdef", 4).as_str(),
        "äbcd… (cut, 2 characters more)"
    );
    assert_eq!(Text::cut("äbcd", 4).as_str(), "äbcd");
    assert_eq!(Text::lines("a\r\nb\u{0}\tc", 100).as_str(), "a\nb\tc");
    assert_eq!(Text::new("a\r\nb").as_str(), "a  b");
}

#[test]
fn a_document_is_cut_by_whole_blocks_and_says_so() {
    let mut doc = Doc::new();
    for _ in 0..50 {
        doc = doc.paragraph([Inline::text(&"x".repeat(1_000))]);
    }
    let cut = doc.cut_to(LONGEST_DOCUMENT);
    assert!(cut.text_chars() <= LONGEST_DOCUMENT, "{}", cut.text_chars());
    let text = plain_text(&cut.to_value());
    assert!(
        text.ends_with("… (cut, 19 blocks more)"),
        "{}",
        &text[text.len() - 40..]
    );
    let short = Doc::new().paragraph([Inline::text("short")]);
    assert_eq!(short.clone().cut_to(100), short);
}

#[test]
fn plain_text_reads_blocks_as_lines_and_knows_foreign_nodes() {
    let foreign = json!({"type": "doc", "version": 1, "content": [
        {"type": "paragraph", "content": [
            {"type": "text", "text": "one "}, {"type": "text", "text": "line"},
            {"type": "hardBreak"}, {"type": "mention", "attrs": {"id": "1"}}]},
        {"type": "expand", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "two"}]}]},
        {"type": "orderedList", "content": [{"type": "listItem", "content": [
            {"type": "paragraph", "content": [{"type": "text", "text": "three"}]}]}]}]});
    assert_eq!(plain_text(&foreign), "one line\n\ntwo\nthree");
    assert_eq!(plain_text(&Value::Null), "");
}

#[test]
fn the_json_is_what_atlassian_documents() {
    let doc = Doc::new().paragraph([
        Inline::text("see "),
        Inline::link("docs", "https://docs.aws.amazon.com/x"),
    ]);
    let expected = json!({"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [
        {"type": "text", "text": "see "},
        {"type": "text", "text": "docs", "marks": [{"type": "link", "attrs": {"href": "https://docs.aws.amazon.com/x"}}]}]}]});
    assert_eq!(doc.to_value(), expected);
}

#[test]
fn each_panel_has_its_own_colour() {
    let all = [
        PanelKind::Info,
        PanelKind::Note,
        PanelKind::Warning,
        PanelKind::Success,
        PanelKind::Error,
    ];
    let words: BTreeSet<&str> = all.into_iter().map(PanelKind::word).collect();
    assert_eq!(words.len(), all.len());
}

proptest! {
    #[test]
    fn any_text_makes_a_sound_document(text in "\\PC{0,40}|.{0,40}") {
        assert_node(&document(&text).to_value(), "");
    }
}
