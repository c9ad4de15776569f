//! What every parser of outside bytes keeps to, whatever it is given: it ends, it does not panic, and nothing that a
//! terminal, Jira or a query would obey comes out. The long form with coverage is `make fuzz`.

use std::path::Path;

use asaf::config::Config;
use asaf::ignore::code_owners::CodeOwners;
use asaf::ignore::{RuleFile, parse};
use asaf::model::Finding;
use asaf::model::finding::asff;
use asaf::template::data::Data;
use asaf::wire::adf::{LONGEST_DOCUMENT, markdown, plain_text, section};
use asaf::wire::events::event;
use asaf::wire::jira::jql::{Field, Jql};
use asaf::wire::jira::webhook;
use asaf::wire::lambda::invocation;
use asaf::wire::signature::Secrets;
use secrecy::SecretString;
use serde_json::{Value, json};

/// A parser, by its name, and what must hold.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// All of them; each has a folder of first inputs in `fuzz/seeds`.
pub(crate) const TARGETS: [Target; 8] = [
    ("asff", asff_findings),
    ("event", queue_messages),
    ("webhook", deliveries),
    ("jql", queries),
    ("config", configurations),
    ("rules", ignore_rules),
    ("owners", code_owners),
    ("document", documents),
];

/// Nothing that a terminal obeys; lines end as lines do.
fn for_people(text: &str, what: &str) {
    let obeyed = |c: char| (c.is_control() && c != '\n') || is_bidi(c);
    assert!(!text.contains(obeyed), "{what}: {text:?}");
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

fn asff_findings(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let Ok(findings) = asff::unwrap_envelopes(value) else {
        return;
    };
    for value in findings {
        match asff::parse(&value) {
            Err(problems) => assert!(!problems.is_empty(), "refused without a reason: {value}"),
            Ok(parsed) => usable(&parsed.finding),
        }
    }
}

/// What can be used has an identity, and whatever stands in it can be decided and told.
fn usable(finding: &Finding) {
    assert!(!finding.key.id.is_empty(), "{finding:?}");
    let account = &finding.alias.account;
    let digits = account.bytes().all(|b| b.is_ascii_digit());
    assert!(account.len() == 12 && digits, "{account:?}");
    let _ = finding.state();
    let data = Data::of(finding, None);
    let shown = serde_json::to_string(&data);
    assert!(shown.is_ok(), "{shown:?}");
}

fn queue_messages(bytes: &[u8]) {
    if let Err(unreadable) = event(bytes) {
        for_people(&unreadable.to_string(), "why a message was not read");
    }
    if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
        let _ = invocation(&value);
    }
}

fn deliveries(bytes: &[u8]) {
    if let Err(unreadable) = webhook::named(bytes) {
        for_people(&unreadable.to_string(), "why a delivery was not read");
    }
    // Half of it as a header: it is not signed, whatever it says.
    let (head, body) = bytes.split_at(bytes.len() / 2);
    let secrets = Secrets::new(vec![SecretString::from(
        "a secret of thirty-two characters",
    )]);
    let mut headers = http::HeaderMap::new();
    if let Ok(value) = http::HeaderValue::from_bytes(head) {
        headers.insert("x-hub-signature", value);
    }
    if let Ok(claimed) = secrets.claimed(&headers) {
        assert!(
            secrets.verify(&claimed, body).is_err(),
            "a forgery was accepted"
        );
    }
}

fn queries(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Jql::equals(Field::Labels, &text) {
        Err(_) => assert!(text.contains(char::is_control), "{text:?} was refused"),
        Ok(jql) => assert_eq!(value_of(&jql.to_string()), text, "another value"),
    }
}

/// The value of `labels = "…"`, read as Jira's lexer does; nothing may follow it.
fn value_of(jql: &str) -> String {
    let quoted = jql
        .strip_prefix("labels = \"")
        .unwrap_or_else(|| panic!("{jql}"));
    let (mut value, mut rest) = (String::new(), quoted.chars());
    loop {
        match rest.next() {
            None => panic!("the value does not end: {jql}"),
            Some('"') => break,
            Some('\\') => value.extend(rest.next()),
            Some(c) => value.push(c),
        }
    }
    assert_eq!(rest.as_str(), "", "something follows the value: {jql}");
    value
}

fn configurations(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(error) = Config::parse(&text, Path::new("/nowhere/asaf.toml")) {
        for_people(&error.to_string(), "what is wrong with a configuration");
    }
}

fn ignore_rules(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let path = "ignore/team.toml".to_owned();
    let rules = parse::parse(vec![RuleFile { path, text }]);
    for problem in &rules.problems {
        for_people(&problem.show(&rules.files), "what is wrong with a rule");
    }
    if rules.are_valid() {
        assert!(rules.compile().is_ok(), "valid rules that do not compile");
    }
}

fn code_owners(bytes: &[u8]) {
    let owners = CodeOwners::parse(&String::from_utf8_lossy(bytes));
    for path in ["/", "ignore/team.toml", "a/b/c/d/e/f/g", "", "/ignore/"] {
        let _ = owners.of(path);
    }
}

/// Markdown of a template with a hostile value, and documents that come back from Jira.
fn documents(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    sound(&markdown::document(&text).to_value());
    let value = markdown::placeholder(&text);
    let whole = markdown::document(&format!(
        "# {value}\n\n> {value}\n\n| a |\n|---|\n| {value} |"
    ));
    sound(&whole.cut_to(LONGEST_DOCUMENT).to_value());
    if let Ok(theirs) = serde_json::from_slice::<Value>(bytes) {
        let _ = plain_text(&theirs);
        let ours = json!({ "type": "doc", "version": 1, "content": [] });
        let once = section::placed(&theirs, &ours);
        assert_eq!(
            section::placed(&once, &ours),
            once,
            "a second time changes more"
        );
    }
}

/// Only nodes that hold text, only links to https.
fn sound(node: &Value) {
    const KNOWN: [&str; 17] = [
        "doc",
        "paragraph",
        "heading",
        "text",
        "table",
        "tableRow",
        "tableCell",
        "tableHeader",
        "bulletList",
        "orderedList",
        "listItem",
        "panel",
        "hardBreak",
        "rule",
        "codeBlock",
        "blockquote",
        "expand",
    ];
    let kind = node["type"].as_str().unwrap_or_default();
    assert!(KNOWN.contains(&kind), "foreign node {kind}");
    if let Some(text) = node["text"].as_str() {
        assert!(!text.is_empty(), "an empty text node");
        assert!(!text.contains(['\u{1b}', '\u{0}', '\u{202e}']), "{text:?}");
    }
    for mark in node["marks"].as_array().into_iter().flatten() {
        let href = mark["attrs"]["href"].as_str();
        assert!(
            href.is_none_or(|href| href.starts_with("https://")),
            "{mark}"
        );
    }
    for child in node["content"].as_array().into_iter().flatten() {
        sound(child);
    }
}
