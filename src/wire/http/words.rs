//! Foreign text made fit for messages and URLs: error bodies in the shapes that Atlassian sends, HTML included.

use std::fmt::Write as _;

use serde_json::Value;

/// The longest error text that is kept, in characters.
const LONGEST: usize = 200;

/// What an error body says, in one line. Understands Jira's `errorMessages`, `warningMessages` and `errors`, the bulk
/// endpoints' list of `errors[].message`, problem documents and plain `message`; anything else is shown as text without tags.
pub fn error_words(body: &[u8]) -> String {
    let words = match serde_json::from_slice::<Value>(body) {
        Ok(json) => json_words(&json),
        Err(_) => {
            let text = String::from_utf8_lossy(&body[..body.len().min(64 * 1024)]);
            return plain(&without_tags(&text), LONGEST);
        }
    };
    if words.is_empty() {
        return plain(&String::from_utf8_lossy(body), LONGEST);
    }
    let line = words.join("; ");
    // Several fields can be wrong at once, and each names what to correct.
    plain(&line, 5 * LONGEST)
}

fn json_words(json: &Value) -> Vec<String> {
    let mut words = Vec::new();
    for name in ["errorMessages", "warningMessages"] {
        if let Some(messages) = json.get(name).and_then(Value::as_array) {
            words.extend(messages.iter().filter_map(Value::as_str).map(str::to_owned));
        }
    }
    match json.get("errors") {
        Some(Value::Object(fields)) => words.extend(fields.iter().map(|(field, why)| {
            let why = why.as_str().map_or_else(|| why.to_string(), str::to_owned);
            format!("{field}: {why}")
        })),
        Some(Value::Array(errors)) => words.extend(errors.iter().map(|error| {
            let message = error.get("message").and_then(Value::as_str);
            message.map_or_else(|| error.to_string(), str::to_owned)
        })),
        _ => {}
    }
    let single = ["detail", "message", "title"].into_iter();
    if words.is_empty()
        && let Some(text) = single
            .filter_map(|name| json.get(name))
            .find_map(Value::as_str)
    {
        words.push(text.to_owned());
    }
    words
}

/// The text of HTML: scripts, styles and tags are dropped.
fn without_tags(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        text.push(' ');
        rest = &rest[start..];
        let hidden = ["script", "style"].into_iter().find(|name| {
            rest.get(1..=name.len())
                .is_some_and(|tag| tag.eq_ignore_ascii_case(name))
        });
        let end = match hidden {
            Some(name) => rest
                .to_ascii_lowercase()
                .find(&format!("</{name}"))
                .and_then(|close| rest[close..].find('>').map(|end| close + end)),
            None => rest.find('>'),
        };
        rest = end.map_or("", |end| &rest[end + 1..]);
    }
    text.push_str(rest);
    text
}

/// One line without control or bidirectional-override characters, cut after `longest` characters.
pub fn plain(text: &str, longest: usize) -> String {
    let visible: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_bidi_control(*c))
        .collect();
    let line = visible.split(' ').filter(|word| !word.is_empty());
    let line = line.collect::<Vec<_>>().join(" ");
    let mut cut: String = line.chars().take(longest).collect();
    if cut.len() < line.len() {
        cut.push('…');
    }
    cut
}

/// Characters that reorder the text around them (Unicode's bidirectional controls), used to disguise names.
pub(crate) fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Percent-encodes everything but RFC 3986's unreserved characters: for path segments and query values.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => {
                // Writing into a String cannot fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}
