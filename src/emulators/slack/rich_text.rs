//! The rules of `rich_text` blocks (docs.slack.dev, rich text block and its elements).

use serde_json::Value;

use super::blocks::Found;

/// The parts of a block.
pub(super) fn elements(elements: &[Value], place: &str, found: &mut Found) {
    for (n, element) in elements.iter().enumerate() {
        let place = format!("{place}/elements/{n}");
        let Some(object) = element.as_object() else {
            found.add("must be an object", &place);
            continue;
        };
        match element["type"].as_str() {
            Some("rich_text_section") => {
                found.only(object, &["type", "elements"], &place);
                inlines(&element["elements"], &place, found);
            }
            Some("rich_text_quote" | "rich_text_preformatted") => {
                found.only(object, &["type", "elements", "border"], &place);
                inlines(&element["elements"], &place, found);
            }
            Some("rich_text_list") => list(element, &place, found),
            other => found.add(
                format!("unsupported type: {}", other.unwrap_or("none")),
                &place,
            ),
        }
    }
}

fn list(element: &Value, place: &str, found: &mut Found) {
    if let Some(object) = element.as_object() {
        let known = ["type", "style", "elements", "indent", "offset", "border"];
        found.only(object, &known, place);
    }
    if !matches!(element["style"].as_str(), Some("bullet" | "ordered")) {
        found.add("must be a valid enum value", &format!("{place}/style"));
    }
    let sections = element["elements"].as_array().cloned().unwrap_or_default();
    if sections.is_empty() {
        found.add("must contain at least 1 item", &format!("{place}/elements"));
    }
    let only_sections = sections.iter().all(|s| s["type"] == "rich_text_section");
    if !only_sections {
        found.add("must be a rich_text_section", &format!("{place}/elements"));
    }
    elements(&sections, place, found);
}

fn inlines(value: &Value, place: &str, found: &mut Found) {
    let Some(inlines) = value.as_array() else {
        return found.add("must be an array", &format!("{place}/elements"));
    };
    for (n, inline) in inlines.iter().enumerate() {
        let place = format!("{place}/elements/{n}");
        let Some(object) = inline.as_object() else {
            found.add("must be an object", &place);
            continue;
        };
        let at = |member: &str| format!("{place}/{member}");
        match inline["type"].as_str() {
            Some("text") => {
                found.only(object, &["type", "text", "style"], &place);
                found.text(object.get("text"), usize::MAX - 1, &at("text"));
            }
            Some("link") => {
                let known = ["type", "url", "text", "unsafe", "style"];
                found.only(object, &known, &place);
                found.text(object.get("url"), 3000, &at("url"));
            }
            Some("user") => found.text(object.get("user_id"), 255, &at("user_id")),
            Some("usergroup") => found.text(object.get("usergroup_id"), 255, &at("usergroup_id")),
            Some("channel") => found.text(object.get("channel_id"), 255, &at("channel_id")),
            Some("emoji") => found.text(object.get("name"), 255, &at("name")),
            Some("broadcast") => {
                if !matches!(
                    inline["range"].as_str(),
                    Some("here" | "channel" | "everyone")
                ) {
                    found.add("must be a valid enum value", &at("range"));
                }
            }
            Some("date" | "color") => {}
            other => found.add(
                format!("unsupported type: {}", other.unwrap_or("none")),
                &place,
            ),
        }
        style(inline, &place, found);
    }
}

fn style(inline: &Value, place: &str, found: &mut Found) {
    let Some(style) = inline.get("style") else {
        return;
    };
    match style.as_object() {
        Some(object) => {
            let known = [
                "bold",
                "italic",
                "strike",
                "code",
                "underline",
                "highlight",
                "client_highlight",
                "unlink",
            ];
            found.only(object, &known, &format!("{place}/style"));
        }
        None => found.add("must be an object", &format!("{place}/style")),
    }
}
