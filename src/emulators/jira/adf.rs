//! The Atlassian Document Format as far as Jira checks it: what is a document, and what plain text it holds.

use serde_json::{Value, json};

/// Node types that Jira Cloud accepts in descriptions and comments (Atlassian Document Format: nodes).
const NODES: [&str; 31] = [
    "doc",
    "paragraph",
    "text",
    "heading",
    "bulletList",
    "orderedList",
    "listItem",
    "codeBlock",
    "blockquote",
    "rule",
    "hardBreak",
    "panel",
    "table",
    "tableRow",
    "tableCell",
    "tableHeader",
    "mention",
    "emoji",
    "inlineCard",
    "blockCard",
    "embedCard",
    "date",
    "status",
    "expand",
    "nestedExpand",
    "taskList",
    "taskItem",
    "decisionList",
    "decisionItem",
    "mediaSingle",
    "media",
];

/// Whether `value` is a document: version 1, known nodes, no empty text node.
pub(super) fn is_document(value: &Value) -> bool {
    value["type"] == "doc" && value["version"] == 1 && value["content"].is_array() && is_node(value)
}

fn is_node(node: &Value) -> bool {
    let Some(kind) = node["type"].as_str() else {
        return false;
    };
    if !NODES.contains(&kind) {
        return false;
    }
    if kind == "text" && node["text"].as_str().is_none_or(str::is_empty) {
        return false;
    }
    match node.get("content") {
        None => true,
        Some(Value::Array(children)) => children.iter().all(is_node),
        Some(_) => false,
    }
}

/// The plain text, one line for each block.
pub(super) fn text(value: &Value) -> String {
    let mut out = String::new();
    collect(value, &mut out);
    out.trim_end_matches('\n').to_owned()
}

fn collect(node: &Value, out: &mut String) {
    match node["type"].as_str() {
        Some("text") => out.push_str(node["text"].as_str().unwrap_or_default()),
        Some("hardBreak") => out.push('\n'),
        _ => {}
    }
    for child in node["content"].as_array().into_iter().flatten() {
        collect(child, out);
    }
    if matches!(
        node["type"].as_str(),
        Some("paragraph" | "heading" | "codeBlock" | "rule")
    ) {
        out.push('\n');
    }
}

/// A document of plain paragraphs: what a REST v2 string becomes.
pub(super) fn from_text(text: &str) -> Value {
    let paragraphs: Vec<Value> = text
        .lines()
        .map(|line| {
            let content = if line.is_empty() {
                json!([])
            } else {
                json!([{"type": "text", "text": line}])
            };
            json!({"type": "paragraph", "content": content})
        })
        .collect();
    json!({"type": "doc", "version": 1, "content": paragraphs})
}
