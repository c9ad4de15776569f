#![allow(clippy::unwrap_used, clippy::expect_used)]
//! Recorded or documented payload in, value out; and what is sent for each operation.

mod reading;
mod specification;
mod walking;
mod writing;

use std::sync::Arc;

use serde_json::{Value, json as j};

use super::*;
use crate::clock::Clock;
use crate::model::{Ticket, TicketRef};
use crate::wire::scripted::{Reply, Scripted};

pub(super) const BULKFETCH: &str = "POST /rest/api/3/issue/bulkfetch";
pub(super) const SEARCH: &str = "POST /rest/api/3/search/jql";

pub(super) fn clock() -> Clock {
    Clock::manual("2026-11-24T12:00:00Z".parse().unwrap())
}

pub(super) fn config(reviewers: PeopleFrom) -> JiraConfig {
    let statuses = [
        ("10000", TicketState::Open),
        ("10001", TicketState::Resolved),
        ("10002", TicketState::Closed),
        ("10003", TicketState::Ignored),
    ];
    JiraConfig {
        url: "https://jira.example".to_owned(),
        email: "bot@example.com".to_owned(),
        token: SecretString::from("canary-token"),
        statuses: statuses
            .into_iter()
            .map(|(id, state)| (id.to_owned(), state))
            .collect(),
        via: Vec::new(),
        transition_fields: BTreeMap::new(),
        create_fields: Fields::new(),
        reviewers,
        teams: None,
    }
}

pub(super) fn client_with(config: JiraConfig, server: &Arc<Scripted>, clock: &Clock) -> JiraClient {
    let budget = Budget::new(clock.clone());
    JiraClient::new(config, server.transport(), budget, Counts::default()).unwrap()
}

pub(super) fn client(script: Vec<(&str, Reply)>) -> (JiraClient, Arc<Scripted>, Clock) {
    let clock = clock();
    let server = Scripted::new(&clock, script);
    let reviewers = PeopleFrom::AccountIds(vec!["rev".to_owned(), "bot".to_owned()]);
    let client = client_with(config(reviewers), &server, &clock);
    (client, server, clock)
}

pub(super) fn issue(id: u64, status: &str) -> Value {
    j!({
        "id": id.to_string(), "key": format!("SEC-{}", id - 10_000), "expand": "", "self": format!("https://jira.example/rest/api/3/issue/{id}"),
        "fields": {
            "status": {"id": status, "name": format!("Status {status}"), "statusCategory": {"id": 2, "key": "new"}},
            "labels": ["asaf", "asaf-00"],
            "project": {"id": "1", "key": "SEC"},
            "updated": "2026-11-24T10:11:12.345+0100",
        },
        "properties": {"asaf.link": {"v": 1}},
    })
}

pub(super) fn ticket(id: u64, status: &str, state: Option<TicketState>) -> Ticket {
    Ticket {
        at: TicketRef {
            id,
            key: format!("SEC-{}", id - 10_000),
        },
        project: "SEC".to_owned(),
        status_id: status.to_owned(),
        status_name: format!("Status {status}"),
        state,
        labels: vec!["asaf".to_owned(), "asaf-00".to_owned()],
        updated_at: Some("2026-11-24T09:11:12.345Z".parse().unwrap()),
        property: Some(j!({"v": 1})),
    }
}

pub(super) fn open(id: u64) -> Ticket {
    ticket(id, "10000", Some(TicketState::Open))
}

pub(super) fn transitions(steps: &[(&str, &str)]) -> Value {
    let steps = steps.iter().map(|(id, to)| {
        j!({"id": id, "name": "Step", "to": {"id": to, "name": "Target", "statusCategory": {"key": "done"}},
            "hasScreen": false, "isGlobal": false, "isInitial": false, "isAvailable": true, "isConditional": false, "looped": false})
    });
    j!({"expand": "transitions", "transitions": steps.collect::<Vec<_>>()})
}
