//! The engine's own part of a description: between two lines that say so. What people write above or below stays.

use serde_json::{Value, json};

use super::{LONGEST_DOCUMENT, plain_text};

/// The line above.
const ABOVE: &str = "Kept up to date by asaf from here …";
/// The line below.
const BELOW: &str = "… to here. Write above or below: that stays.";

/// A whole description of ours: the lines with the section between them.
pub fn framed(section: &Value) -> Value {
    placed(&Value::Null, section)
}

/// The description with our section in the place of the earlier one; where it has none, what is there stays above. When
/// both together are too long for Jira, our section is cut.
pub fn placed(description: &Value, section: &Value) -> Value {
    let mut nodes = list(description);
    let above = nodes.iter().position(|node| is_line(node, ABOVE));
    let below = nodes.iter().rposition(|node| is_line(node, BELOW));
    let (before, after) = match (above, below) {
        (Some(above), Some(below)) if above < below => {
            let after = nodes.split_off(below + 1);
            nodes.truncate(above);
            (nodes, after)
        }
        // Where a line was taken away, nobody can tell what is whose: everything stays, and may be tidied by hand.
        _ => {
            nodes.retain(|node| !is_line(node, ABOVE) && !is_line(node, BELOW));
            (nodes, Vec::new())
        }
    };
    let theirs: usize = before.iter().chain(&after).map(chars).sum();
    let room = LONGEST_DOCUMENT.saturating_sub(theirs);
    let content: Vec<Value> = before
        .into_iter()
        .chain([line(ABOVE)])
        .chain(fitting(&list(section), room))
        .chain([line(BELOW)])
        .chain(after)
        .collect();
    json!({ "type": "doc", "version": 1, "content": content })
}

/// Whole blocks, as many as there is room for.
fn fitting(blocks: &[Value], room: usize) -> Vec<Value> {
    /// Room for the two lines and the note.
    const FRAME: usize = 160;
    let room = room.saturating_sub(FRAME);
    let mut used = 0;
    let mut kept = Vec::new();
    for block in blocks {
        used += chars(block);
        if used > room {
            let more = blocks.len() - kept.len();
            kept.push(line(&format!("… (cut, {more} blocks more)")));
            break;
        }
        kept.push(block.clone());
    }
    kept
}

fn list(document: &Value) -> Vec<Value> {
    document["content"].as_array().cloned().unwrap_or_default()
}

fn chars(node: &Value) -> usize {
    plain_text(node).chars().count() + 1
}

fn line(text: &str) -> Value {
    json!({ "type": "paragraph", "content": [{ "type": "text", "text": text, "marks": [{ "type": "em" }] }] })
}

/// Jira may add attributes, and split or join texts: the words tell.
fn is_line(node: &Value, text: &str) -> bool {
    node["type"] == "paragraph" && plain_text(node).trim() == text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::wire::adf::{Doc, Inline};

    fn doc(words: &[&str]) -> Value {
        let doc = words
            .iter()
            .fold(Doc::new(), |doc, word| doc.paragraph([Inline::text(word)]));
        doc.to_value()
    }

    fn words(document: &Value) -> Vec<String> {
        plain_text(document).lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_people_wrote_above_and_below_stays_word_for_word() {
        let mut description = framed(&doc(&["old one", "old two"]));
        let nodes = description["content"].as_array_mut().unwrap();
        nodes.insert(0, line("their plan"));
        let table = json!({ "type": "table", "attrs": { "localId": "x" }, "content": [] });
        nodes.push(table.clone());
        let updated = placed(&description, &doc(&["new"]));
        assert_eq!(words(&updated), ["their plan", ABOVE, "new", BELOW]);
        assert_eq!(updated["content"].as_array().unwrap().last(), Some(&table));
        assert_eq!(placed(&updated, &doc(&["new"])), updated);
    }

    #[test]
    fn a_description_without_our_lines_is_kept_whole_above_our_section() {
        let updated = placed(&doc(&["made by hand"]), &doc(&["ours"]));
        assert_eq!(words(&updated), ["made by hand", ABOVE, "ours", BELOW]);
    }

    #[test]
    fn a_line_that_was_taken_away_costs_nobody_a_word() {
        let mut description = framed(&doc(&["old"]));
        let nodes = description["content"].as_array_mut().unwrap();
        nodes.pop();
        nodes.push(line("theirs"));
        let updated = placed(&description, &doc(&["new"]));
        assert_eq!(words(&updated), ["old", "theirs", ABOVE, "new", BELOW]);
    }

    #[test]
    fn a_long_text_of_theirs_leaves_less_room_for_ours_and_says_so() {
        let long = "x".repeat(LONGEST_DOCUMENT - 1_000);
        let ours: Vec<String> = (0..20)
            .map(|n| format!("{n} {}", "y".repeat(200)))
            .collect();
        let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
        let updated = placed(&doc(&[&long]), &doc(&ours));
        assert!(plain_text(&updated).chars().count() <= LONGEST_DOCUMENT);
        let shown = words(&updated);
        assert_eq!(shown[0], long);
        assert!(shown[shown.len() - 2].starts_with("… (cut, 1"), "{shown:?}");
        assert_eq!(shown.last().unwrap(), BELOW);
    }
}
