//! Block Kit's rules (docs.slack.dev, "Blocks" and "Composition objects"), with messages as Slack words them: a sentence
//! and a pointer to the place, as reported in slackapi/bolt-js, python-slack-sdk and java-slack-sdk.

use serde_json::{Map, Value};

use super::rich_text;

/// Blocks in a message.
const MOST_BLOCKS: usize = 50;

/// Collects problems with their places.
pub(super) struct Found(pub(super) Vec<String>);

impl Found {
    pub(super) fn add(&mut self, what: impl AsRef<str>, place: &str) {
        self.0
            .push(format!("{} [json-pointer:{place}]", what.as_ref()));
    }

    /// A string within its bounds.
    pub(super) fn text(&mut self, value: Option<&Value>, longest: usize, place: &str) {
        match value {
            None => self.add("missing required field", place),
            Some(Value::String(text)) => {
                let length = text.chars().count();
                if length == 0 {
                    self.add("must be more than 0 characters", place);
                } else if length > longest {
                    let what = format!("must be less than {} characters", longest + 1);
                    self.add(what, place);
                }
            }
            Some(_) => self.add("must be a string", place),
        }
    }

    pub(super) fn only(&mut self, object: &Map<String, Value>, known: &[&str], place: &str) {
        for name in object.keys().filter(|name| !known.contains(&name.as_str())) {
            self.add(format!("invalid additional property: {name}"), place);
        }
    }

    fn items<'a>(&mut self, value: Option<&'a Value>, most: usize, place: &str) -> &'a [Value] {
        match value.and_then(Value::as_array) {
            None => {
                self.add("must be an array", place);
                &[]
            }
            Some(items) if items.is_empty() => {
                self.add("must contain at least 1 item", place);
                &[]
            }
            Some(items) if items.len() > most => {
                self.add(format!("no more than {most} items allowed"), place);
                &[]
            }
            Some(items) => items,
        }
    }
}

/// Everything that is wrong with a message's blocks. `can_show` says whether a file can be shown by now.
pub(super) fn problems(blocks: &[Value], can_show: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Found(Vec::new());
    if blocks.len() > MOST_BLOCKS {
        found.add(
            format!("no more than {MOST_BLOCKS} items allowed"),
            "/blocks",
        );
        return found.0;
    }
    for (n, one) in blocks.iter().enumerate() {
        let place = format!("/blocks/{n}");
        match one.as_object() {
            Some(object) => block(object, &place, &can_show, &mut found),
            None => found.add("must be an object", &place),
        }
    }
    found.0
}

fn block(
    object: &Map<String, Value>,
    place: &str,
    can_show: &impl Fn(&str) -> bool,
    found: &mut Found,
) {
    if let Some(id) = object.get("block_id") {
        found.text(Some(id), 255, &format!("{place}/block_id"));
    }
    let at = |member: &str| format!("{place}/{member}");
    match object.get("type").and_then(Value::as_str) {
        Some("divider") => found.only(object, &["type", "block_id"], place),
        Some("header") => {
            found.only(object, &["type", "block_id", "text", "level"], place);
            text_object(object.get("text"), &["plain_text"], 150, &at("text"), found);
        }
        Some("section") => section(object, place, found),
        Some("context") => {
            found.only(object, &["type", "block_id", "elements"], place);
            let elements = found.items(object.get("elements"), 10, &at("elements"));
            for (n, element) in elements.iter().enumerate() {
                let place = format!("{place}/elements/{n}");
                if element["type"] == "image" {
                    image(element, &place, can_show, found);
                } else {
                    text_object(
                        Some(element),
                        &["plain_text", "mrkdwn"],
                        3000,
                        &place,
                        found,
                    );
                }
            }
        }
        Some("actions") => {
            found.only(object, &["type", "block_id", "elements"], place);
            let elements = found.items(object.get("elements"), 25, &at("elements"));
            for (n, element) in elements.iter().enumerate() {
                button(element, &format!("{place}/elements/{n}"), found);
            }
        }
        Some("image") => image(&Value::Object(object.clone()), place, can_show, found),
        Some("rich_text") => {
            found.only(object, &["type", "block_id", "elements"], place);
            let elements = found.items(object.get("elements"), usize::MAX, &at("elements"));
            rich_text::elements(elements, place, found);
        }
        Some(other) => found.add(format!("unsupported type: {other}"), place),
        None => found.add("missing required field: type", place),
    }
}

fn section(object: &Map<String, Value>, place: &str, found: &mut Found) {
    let known = ["type", "block_id", "text", "fields", "accessory", "expand"];
    found.only(object, &known, place);
    let text = object.get("text");
    let fields = object.get("fields");
    if text.is_none() && fields.is_none() {
        found.add("must define either `text` or `fields`", place);
    }
    let both = ["plain_text", "mrkdwn"];
    if text.is_some() {
        text_object(text, &both, 3000, &format!("{place}/text"), found);
    }
    if fields.is_some() {
        let items = found.items(fields, 10, &format!("{place}/fields"));
        for (n, field) in items.iter().enumerate() {
            text_object(
                Some(field),
                &both,
                2000,
                &format!("{place}/fields/{n}"),
                found,
            );
        }
    }
    if let Some(accessory) = object.get("accessory") {
        button(accessory, &format!("{place}/accessory"), found);
    }
}

fn text_object(
    value: Option<&Value>,
    kinds: &[&str],
    longest: usize,
    place: &str,
    found: &mut Found,
) {
    let Some(object) = value.and_then(Value::as_object) else {
        return found.add("missing required field: text", place);
    };
    let kind = object
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !kinds.contains(&kind) {
        return found.add(format!("unsupported type: {kind}"), place);
    }
    let known: &[&str] = if kind == "mrkdwn" {
        &["type", "text", "verbatim"]
    } else {
        &["type", "text", "emoji"]
    };
    found.only(object, known, place);
    found.text(object.get("text"), longest, &format!("{place}/text"));
}

fn button(value: &Value, place: &str, found: &mut Found) {
    let Some(object) = value
        .as_object()
        .filter(|object| object.get("type") == Some(&"button".into()))
    else {
        return found.add(format!("unsupported type: {}", value["type"]), place);
    };
    let known = [
        "type",
        "text",
        "action_id",
        "url",
        "value",
        "style",
        "confirm",
        "accessibility_label",
    ];
    found.only(object, &known, place);
    let text = object.get("text");
    text_object(text, &["plain_text"], 75, &format!("{place}/text"), found);
    for (member, longest) in [("action_id", 255), ("url", 3000), ("value", 2000)] {
        if let Some(value) = object.get(member) {
            found.text(Some(value), longest, &format!("{place}/{member}"));
        }
    }
}

fn image(value: &Value, place: &str, can_show: &impl Fn(&str) -> bool, found: &mut Found) {
    let Some(object) = value.as_object() else {
        return found.add("must be an object", place);
    };
    let known = [
        "type",
        "block_id",
        "image_url",
        "slack_file",
        "alt_text",
        "title",
    ];
    found.only(object, &known, place);
    found.text(object.get("alt_text"), 2000, &format!("{place}/alt_text"));
    match (object.get("image_url"), object.get("slack_file")) {
        (Some(url), None) => found.text(Some(url), 3000, &format!("{place}/image_url")),
        (None, Some(file)) => {
            let id = file["id"].as_str().unwrap_or_default();
            let shaped = id.len() >= 9
                && id.starts_with('F')
                && id
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
            if !shaped {
                let what = "input must match regex pattern: ^[F][A-Z0-9]{8,}$";
                found.add(what, &format!("{place}/slack_file/id"));
            } else if !can_show(id) {
                found.add("invalid slack file", &format!("{place}/slack_file"));
            }
        }
        _ => found.add("must define either `image_url` or `slack_file`", place),
    }
}
