//! Which ticket a Jira webhook names (developer.atlassian.com/cloud/jira/platform/webhooks/).
//!
//! Only the ticket's id is taken. Status, actor and changelog of a payload are never believed: deliveries come late,
//! twice and out of order, and the signature covers a body that anyone may have recorded. What is true is read from
//! the API by the same path as the scheduled job.

use serde::{Deserialize, Deserializer};

use crate::wire::unread::{self, Unreadable};

/// What a payload is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// A ticket was created, changed or deleted.
    Ticket {
        /// Its numeric id, which survives a move to another project.
        id: u64,
        /// It carries our label, as far as the payload says: it may be ours even if the store does not know it yet.
        labelled: bool,
    },
    /// Something that no decision depends on: comments, worklogs, issue links, versions, users, …
    Other,
}

/// The label of every ticket of ours.
const LABEL: &str = "asaf";

/// Reads a payload.
///
/// # Errors
/// [`Unreadable`], when it is no webhook payload or an issue event without an issue id.
pub fn named(body: &[u8]) -> Result<Named, Unreadable> {
    let payload: Payload = unread::read(body)?;
    if payload.event.is_empty() {
        return Err(Unreadable::new("webhookEvent is empty"));
    }
    // Comments and worklogs have events of their own, without a prefix; an event that comes with a new name
    // (`jira:issue_…`) is about an issue too.
    if !payload.event.starts_with("jira:issue_") {
        return Ok(Named::Other);
    }
    let Some(issue) = payload.issue else {
        return Err(Unreadable::new("an issue event has no issue"));
    };
    Ok(Named::Ticket {
        id: issue.id.0,
        labelled: issue.labelled,
    })
}

#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "webhookEvent")]
    event: String,
    issue: Option<Issue>,
}

#[derive(Deserialize)]
struct Issue {
    id: Id,
    #[serde(default, rename = "fields", deserialize_with = "labelled")]
    labelled: bool,
}

/// Jira writes ids as text, and in a few places as numbers.
struct Id(u64);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u64),
            Text(String),
        }
        let wrong = || serde::de::Error::custom("an issue id is a number");
        match Written::deserialize(deserializer).map_err(|_| wrong())? {
            Written::Number(id) => Ok(Id(id)),
            // `parse` alone would take a sign.
            Written::Text(id) if id.bytes().all(|b| b.is_ascii_digit()) => {
                id.parse().map(Id).map_err(|_| wrong())
            }
            Written::Text(_) => Err(wrong()),
        }
    }
}

/// Labels are only a hint: an odd one must not lose the key.
fn labelled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let fields = serde_json::Value::deserialize(deserializer)?;
    let labels = fields["labels"].as_array();
    Ok(labels.is_some_and(|labels| labels.iter().any(|label| label == LABEL)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]
    use serde_json::json;

    use super::*;

    fn read(body: &serde_json::Value) -> Result<Named, Unreadable> {
        named(body.to_string().as_bytes())
    }

    #[test]
    fn an_issue_event_names_its_ticket_by_id() {
        for (id, labels, labelled) in [
            (json!("10001"), json!(["asaf", "asaf-0123"]), true),
            (json!(10001), json!(["asaf-0123", "other"]), false),
            (json!("10001"), json!(null), false),
            (json!("10001"), json!([7, "asaf"]), true),
        ] {
            let body = json!({ "timestamp": 1, "webhookEvent": "jira:issue_updated",
                "issue": { "id": id, "key": "SEC-1", "fields": { "labels": labels, "status": { "name": "Erledigt" } } },
                "changelog": { "id": 10124, "items": [] } });
            assert_eq!(
                read(&body),
                Ok(Named::Ticket {
                    id: 10_001,
                    labelled
                }),
                "{body}"
            );
        }
    }

    #[test]
    fn events_that_no_decision_depends_on_are_told_apart() {
        for event in [
            "comment_created",
            "worklog_created",
            "jira:worklog_updated",
            "user_deleted",
            "jira:version_released",
        ] {
            assert_eq!(
                read(&json!({ "webhookEvent": event })),
                Ok(Named::Other),
                "{event}"
            );
        }
    }

    #[test]
    fn what_is_no_payload_is_unreadable_and_says_where() {
        for (body, place) in [
            (json!([]), "documented form"),
            (json!({}), "documented form"),
            (json!({ "webhookEvent": 7 }), "webhookEvent"),
            (json!({ "webhookEvent": "" }), "webhookEvent"),
            (json!({ "webhookEvent": "jira:issue_updated" }), "no issue"),
            (
                json!({ "webhookEvent": "jira:issue_updated", "issue": { "key": "SEC-1" } }),
                "issue",
            ),
            (
                json!({ "webhookEvent": "jira:issue_updated", "issue": { "id": "SEC-1" } }),
                "issue.id",
            ),
            (
                json!({ "webhookEvent": "jira:issue_updated", "issue": { "id": "+1" } }),
                "issue.id",
            ),
            (
                json!({ "webhookEvent": "jira:issue_updated", "issue": { "id": -1 } }),
                "issue.id",
            ),
            (
                json!({ "webhookEvent": "jira:issue_updated", "issue": { "id": "99999999999999999999" } }),
                "issue.id",
            ),
        ] {
            let error = read(&body).expect_err("refused").to_string();
            assert!(error.contains(place), "{body}: {error}");
        }
        for text in [
            "",
            "{",
            "null",
            "hello",
            "{\"webhookEvent\":\"x\"}{}",
            "\u{feff}{}",
        ] {
            assert!(named(text.as_bytes()).is_err(), "{text}");
        }
        assert!(named(&[0xff, 0xfe, 0x00]).is_err());
    }

    #[test]
    fn a_key_given_twice_is_refused_not_guessed() {
        let twice =
            br#"{"webhookEvent":"jira:issue_updated","issue":{"id":"1"},"issue":{"id":"2"}}"#;
        assert!(named(twice).is_err());
        let twice = br#"{"webhookEvent":"jira:issue_updated","issue":{"id":"1","id":"2"}}"#;
        assert!(named(twice).is_err());
    }

    #[test]
    fn every_sample_found_in_public_places_is_read() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../shared/data/samples/jira/webhooks");
        let Ok(files) = std::fs::read_dir(&folder) else {
            eprintln!("skipped: the samples are not there ({})", folder.display());
            return;
        };
        let (mut tickets, mut others) = (0, 0);
        for file in files {
            let path = file.unwrap().path();
            let body = std::fs::read(&path).unwrap();
            match named(&body) {
                Ok(Named::Ticket { id, .. }) => {
                    let written: serde_json::Value = serde_json::from_slice(&body).unwrap();
                    assert_eq!(written["issue"]["id"], id.to_string(), "{}", path.display());
                    tickets += 1;
                }
                Ok(Named::Other) => others += 1,
                Err(error) => panic!("{}: {error}", path.display()),
            }
        }
        assert!(
            tickets >= 25 && others >= 6,
            "{tickets} tickets, {others} others"
        );
    }
}
