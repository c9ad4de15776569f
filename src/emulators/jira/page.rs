//! Documents as Jira shows them, for the pages of the emulated world: no script, nothing loaded from elsewhere, every word
//! escaped. Nodes that the engine never makes show their words only.

use std::fmt::Write as _;

use serde_json::Value;

const STYLE: &str = include_str!("page/ticket.css");

/// One ticket by itself: key and summary, a line of facts, and its description.
pub fn one(key: &str, summary: &str, facts: &[(&str, &str)], document: &Value) -> String {
    let mut shown = String::new();
    for (name, value) in facts {
        let _ = write!(
            shown,
            "<span><b>{}</b> {}</span>",
            escaped(name),
            escaped(value)
        );
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>A ticket</title>\
         <style>{STYLE}</style></head><body><main><p class=\"key\">{}</p><h1>{}</h1>\
         <p class=\"facts\">{shown}</p><div class=\"document\">{}</div></main></body></html>\n",
        escaped(key),
        escaped(summary),
        html(document)
    )
}

/// A document (ADF) as HTML.
pub fn html(document: &Value) -> String {
    let mut page = String::new();
    node(document, &mut page);
    page
}

fn node(node: &Value, page: &mut String) {
    let attribute = |name: &str| node["attrs"][name].as_str().unwrap_or_default();
    let level = node["attrs"]["level"].as_u64().unwrap_or(3).clamp(1, 6);
    let heading = format!("h{level}");
    let (open, tag) = match node["type"].as_str().unwrap_or_default() {
        "text" => return text(node, page),
        "hardBreak" => return page.push_str("<br>"),
        "rule" => return page.push_str("<hr>"),
        "paragraph" => ("<p>".to_owned(), "p"),
        "heading" => (format!("<{heading}>"), heading.as_str()),
        "bulletList" => ("<ul>".to_owned(), "ul"),
        "orderedList" => ("<ol>".to_owned(), "ol"),
        "listItem" => ("<li>".to_owned(), "li"),
        "table" => ("<table>".to_owned(), "table"),
        "tableRow" => ("<tr>".to_owned(), "tr"),
        "tableHeader" => ("<th>".to_owned(), "th"),
        "tableCell" => ("<td>".to_owned(), "td"),
        "codeBlock" => ("<pre>".to_owned(), "pre"),
        "panel" => {
            let class = escaped(attribute("panelType"));
            (format!("<div class=\"panel {class}\">"), "div")
        }
        _ => return children(node, page),
    };
    page.push_str(&open);
    children(node, page);
    let _ = write!(page, "</{tag}>");
}

fn children(parent: &Value, page: &mut String) {
    for child in parent["content"].as_array().into_iter().flatten() {
        node(child, page);
    }
}

fn text(node: &Value, page: &mut String) {
    let mut shown = escaped(node["text"].as_str().unwrap_or_default());
    for mark in node["marks"].as_array().into_iter().flatten() {
        shown = match mark["type"].as_str().unwrap_or_default() {
            "strong" => format!("<strong>{shown}</strong>"),
            "em" => format!("<em>{shown}</em>"),
            "code" => format!("<code>{shown}</code>"),
            "link" => match mark["attrs"]["href"].as_str() {
                Some(href) if href.starts_with("https://") => {
                    format!(
                        "<a href=\"{}\" rel=\"noreferrer\">{shown}</a>",
                        escaped(href)
                    )
                }
                _ => shown,
            },
            _ => shown,
        };
    }
    page.push_str(&shown);
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_shown_with_its_form_and_its_words_are_only_words() {
        let document = json!({ "type": "doc", "version": 1, "content": [
            { "type": "heading", "attrs": { "level": 3 }, "content": [{ "type": "text", "text": "<b>Where</b>" }] },
            { "type": "panel", "attrs": { "panelType": "note\" onload=\"x" }, "content": [
                { "type": "paragraph", "content": [
                    { "type": "text", "text": "here", "marks": [
                        { "type": "link", "attrs": { "href": "https://example.com/?a=\"b" } }] },
                    { "type": "text", "text": "not here", "marks": [
                        { "type": "link", "attrs": { "href": "javascript:alert(1)" } }] },
                    { "type": "mention", "attrs": { "id": "x" } },
                ] },
            ] },
        ] });
        assert_eq!(
            html(&document),
            "<h3>&lt;b&gt;Where&lt;/b&gt;</h3><div class=\"panel note&quot; onload=&quot;x\"><p>\
             <a href=\"https://example.com/?a=&quot;b\" rel=\"noreferrer\">here</a>not here</p></div>"
        );
    }
}
