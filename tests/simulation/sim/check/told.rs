//! What Slack's channels show in the end: each message once, and each ticket that burnt when it was made.

use std::collections::BTreeMap;

use asaf::emulators::journal::{Actor, Change};
use asaf::store::outbox::Outbox;
use asaf::store::sqlite::Sqlite;
use serde_json::Value;

use crate::sim::stage::Stage;

impl Stage {
    pub(crate) async fn check_told(&mut self, store: &Sqlite) {
        for said in self.said() {
            self.note(&format!("told: {said}"));
        }
        let waiting = store.waiting().await.unwrap();
        if !waiting.is_empty() {
            self.violations
                .push(format!("notices: still to be told {waiting:?}"));
        }
        let (doubled, untold) = (self.doubled(), self.untold());
        if self.slack.may_double && !doubled.is_empty() {
            self.counts.reach("message doubled, excused");
        } else {
            self.violations.extend(doubled);
        }
        // A store that was lost took with it what was still to be told.
        if self.store_was_lost && !untold.is_empty() {
            self.counts.reach("message lost with its store");
        } else {
            self.violations.extend(untold);
        }
    }

    fn doubled(&self) -> Vec<String> {
        let world = self.scene.world.lock();
        let mut times: BTreeMap<(String, String), usize> = BTreeMap::new();
        for channel in world.slack.channels() {
            for message in &channel.messages {
                let key = message
                    .metadata
                    .as_ref()
                    .and_then(|m| m["event_payload"]["key"].as_str());
                let key = key.unwrap_or_default().to_owned();
                *times.entry((channel.id.clone(), key)).or_default() += 1;
            }
        }
        let doubled = times.into_iter().filter(|(_, times)| *times > 1);
        doubled
            .map(|((channel, key), times)| {
                format!("notices: {key} stands {times} times in {channel}")
            })
            .collect()
    }

    /// Every message, with all that it shows.
    fn said(&self) -> Vec<String> {
        let world = self.scene.world.lock();
        let messages = world.slack.channels().flat_map(|channel| &channel.messages);
        messages
            .map(|message| format!("{} {}", message.text, Value::from(message.blocks.clone())))
            .collect()
    }

    /// What burns (findings of critical controls and of GuardDuty) and has a ticket still, of whose tickets no message names
    /// one.
    fn untold(&self) -> Vec<String> {
        let said = self.said();
        let world = self.scene.world.lock();
        let mut tickets: BTreeMap<String, (Vec<String>, bool)> = BTreeMap::new();
        for entry in &world.journal.entries {
            let Change::TicketCreated {
                id,
                key,
                properties,
                ..
            } = &entry.change
            else {
                continue;
            };
            let about = properties["asaf.link"]["alias"].to_string();
            let burns = ["lambda.1", "ec2.19", "guardduty"];
            if entry.actor == Actor::Engine && burns.iter().any(|name| about.contains(name)) {
                let (keys, is_there) = tickets.entry(about).or_default();
                keys.push(key.clone());
                // It may have moved to other projects since.
                let entries = world.journal.entries.iter();
                keys.extend(entries.filter_map(|entry| key_of(&entry.change, *id)));
                let now = world.jira.issue(&id.to_string());
                keys.extend(now.map(|now| now.key.clone()));
                *is_there |= now.is_some();
            }
        }
        let is_told = |key: &String| said.iter().any(|text| names(text, key));
        tickets
            .into_values()
            .filter(|(keys, is_there)| *is_there && !keys.iter().any(is_told))
            .map(|(keys, _)| format!("notices: nobody was told of {keys:?}"))
            .collect()
    }
}

/// Not as a part of a longer key.
fn names(text: &str, key: &str) -> bool {
    text.match_indices(key).any(|(at, _)| {
        let after = text[at + key.len()..].chars().next();
        !after.is_some_and(|next| next.is_ascii_digit())
    })
}

/// What a change calls a ticket.
fn key_of(change: &Change, ticket: u64) -> Option<String> {
    match change {
        Change::TicketMoved { id, key, .. }
        | Change::TicketEdited { id, key, .. }
        | Change::TicketCommented { id, key, .. }
        | Change::TicketDeleted { id, key }
            if *id == ticket =>
        {
            Some(key.clone())
        }
        _ => None,
    }
}
