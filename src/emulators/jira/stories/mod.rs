//! Stories about the emulated site: what a caller reads back, and what the journal then holds.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod bulk;
mod comments;
mod configuration;
pub(super) mod every;
mod issues;
mod limits;
mod people;
mod permissions;
mod projects;
mod properties;
mod schemes;
mod search;
mod transitions;
mod webhooks;
mod workflows;

use base64::Engine as _;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::workflows::{CLOSED, ConditionGroup, OPEN, RESOLVED, Rule};
use super::{Answered, FaultKind, Jira, Role, Workflow};
use crate::emulators::journal::Journal;

/// A site with one project, one user of each part, and a clock that only tests move.
pub(super) struct Site {
    pub(super) jira: Jira,
    pub(super) journal: Journal,
    pub(super) now: Timestamp,
}

/// The `Authorization` header of a user.
fn basic(email: &str, token: &str) -> String {
    let secret = base64::engine::general_purpose::STANDARD.encode(format!("{email}:{token}"));
    format!("Basic {secret}")
}

impl Site {
    /// Prepared for `asaf`.
    pub(super) fn new() -> Site {
        Site::of(Jira::new("https://emulated.example"))
    }

    /// As Atlassian hands it out.
    fn untouched() -> Site {
        Site::of(Jira::untouched("https://emulated.example"))
    }

    fn of(mut jira: Jira) -> Site {
        jira.add_project("SEC", "Security");
        for (role, name) in [
            (Role::Bot, "Sync Bot"),
            (Role::Product, "Paula"),
            (Role::Reviewer, "Rita"),
            (Role::Admin, "Ada"),
        ] {
            jira.add_user(role, name);
        }
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        Site {
            jira,
            journal: Journal::default(),
            now,
        }
    }

    pub(super) fn answer(
        &mut self,
        role: Role,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Answered {
        let user = self.jira.user(role).unwrap();
        let authorization = basic(&user.email, &user.token);
        let bytes = if body.is_null() {
            Bytes::new()
        } else {
            Bytes::from(body.to_string())
        };
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", authorization)
            .body(bytes)
            .unwrap();
        let answered = self.jira.handle(&request, self.now, &mut self.journal);
        super::shapes::check(&answered);
        answered
    }

    pub(super) fn call(
        &mut self,
        role: Role,
        method: &str,
        path: &str,
        body: Value,
    ) -> (u16, Value) {
        let response = self.answer(role, method, path, &body).response;
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        (response.status().as_u16(), body)
    }

    pub(super) fn bot(&mut self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.call(Role::Bot, method, path, body)
    }

    fn admin(&mut self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.call(Role::Admin, method, path, body)
    }

    /// The same, insisting on a status.
    fn must(&mut self, status: u16, method: &str, path: &str, body: Value) -> Value {
        let (found, answer) = self.admin(method, path, body);
        assert_eq!(found, status, "{method} {path}: {answer}");
        answer
    }

    /// Creates an issue with a label and gives its key.
    pub(super) fn issue(&mut self, label: &str) -> String {
        let (status, body) = self.bot("POST", "/rest/api/3/issue", element("A finding", &[label]));
        assert_eq!(status, 201, "{body}");
        body["key"].as_str().unwrap().to_owned()
    }

    fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    fn account(&self, role: Role) -> String {
        self.jira.user(role).unwrap().account_id.clone()
    }

    fn status(&self, key: &str) -> u64 {
        self.jira.issue(key).unwrap().status
    }

    fn go(&mut self, role: Role, key: &str, transition: &str) -> (u16, Value) {
        let path = format!("/rest/api/3/issue/{key}/transitions");
        self.call(
            role,
            "POST",
            &path,
            json!({"transition": {"id": transition}}),
        )
    }

    fn ids(&mut self, jql: &str) -> Vec<String> {
        let (status, body) = self.bot(
            "POST",
            "/rest/api/3/search/jql",
            json!({"jql": jql, "fields": ["key"], "maxResults": 5000}),
        );
        assert_eq!(status, 200, "{jql}: {body}");
        body["issues"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["key"].as_str().unwrap().to_owned())
            .collect()
    }
}

pub(super) fn adf(text: &str) -> Value {
    json!({"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]}]})
}

pub(super) fn element(summary: &str, labels: &[&str]) -> Value {
    json!({"fields": {
        "project": {"key": "SEC"}, "issuetype": {"name": "Task"}, "summary": summary, "labels": labels,
        "description": adf("What AWS says"), "priority": {"id": "2"},
    }})
}
