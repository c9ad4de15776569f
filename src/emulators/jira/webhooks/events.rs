//! What webhooks are told of a change: version 2 bodies, with plain text instead of documents (Jira Cloud: webhooks).

use serde_json::{Value, json};

use crate::emulators::jira::Jira;
use crate::emulators::jira::changes::Stamp;
use crate::emulators::jira::index::Document;
use crate::emulators::jira::issue::{Comment, HistoryItem, Issue};
use crate::emulators::jira::render::Wanted;
use crate::emulators::jira::webhooks::hooks::Hook;
use crate::emulators::jira::webhooks::outbox::Lane;
use crate::emulators::jira::workflows::{Transition, Workflow};

/// Something that happened to an issue.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Created,
    Updated {
        items: Vec<HistoryItem>,
        /// By a transition.
        is_move: bool,
    },
    /// Told before the issue is gone.
    Deleted,
    /// Comment id.
    Commented(u64),
    CommentEdited(u64),
    /// Told after the comment is gone.
    CommentDeleted(Comment),
}

impl Event {
    fn name(&self) -> &'static str {
        match self {
            Event::Created => "jira:issue_created",
            Event::Updated { .. } => "jira:issue_updated",
            Event::Deleted => "jira:issue_deleted",
            Event::Commented(_) => "comment_created",
            Event::CommentEdited(_) => "comment_updated",
            Event::CommentDeleted(_) => "comment_deleted",
        }
    }
}

impl Jira {
    /// Tells every webhook that asked for the event and whose JQL the issue meets now.
    pub(crate) fn tell(&mut self, stamp: &Stamp, event: Event, id: u64) {
        if self.webhooks.hooks.is_empty() {
            return;
        }
        let Some(issue) = self.issues.get(&id) else {
            return;
        };
        let mut told = Vec::new();
        self.tell_one(stamp, &event, issue, Lane::Primary, &mut told);
        if matches!(event, Event::Deleted) {
            // What depended on the issue follows (Jira Cloud: webhooks, secondary flow).
            for comment in &issue.comments {
                let event = Event::CommentDeleted(comment.clone());
                self.tell_one(stamp, &event, issue, Lane::Secondary, &mut told);
            }
        }
        for (hook, event, body, lane) in told {
            self.enqueue(hook, event, body, lane, stamp.at);
        }
    }

    fn tell_one(
        &self,
        stamp: &Stamp,
        event: &Event,
        issue: &Issue,
        lane: Lane,
        told: &mut Vec<(u64, &'static str, Option<Value>, Lane)>,
    ) {
        let name = event.name();
        let mut body = None;
        for hook in self.webhooks.hooks.values() {
            if !hook.enabled || !hook.events.iter().any(|one| one == name) {
                continue;
            }
            if self.meets(hook, issue, stamp) {
                let body = body.get_or_insert_with(|| self.event_json(stamp, event, issue));
                let body = (!hook.exclude_body).then(|| body.clone());
                told.push((hook.id, name, body, lane));
            }
        }
    }

    /// The JQL runs for each event, against the issue as it is.
    fn meets(&self, hook: &Hook, issue: &Issue, stamp: &Stamp) -> bool {
        hook.jql.as_ref().is_none_or(|jql| {
            let user = self.account(&hook.by);
            self.document_matches(jql, &Document::from(issue), stamp.at, user)
        })
    }

    fn event_json(&self, stamp: &Stamp, event: &Event, issue: &Issue) -> Value {
        let mut body =
            json!({"timestamp": stamp.at.as_millisecond(), "webhookEvent": event.name()});
        let comment = match event {
            Event::Commented(id) | Event::CommentEdited(id) => {
                issue.comments.iter().find(|comment| comment.id == *id)
            }
            Event::CommentDeleted(comment) => Some(comment),
            _ => None,
        };
        if let Some(comment) = comment {
            body["comment"] = self.comment_json(issue.id, comment, "2", false);
            body["issue"] = self.short_issue_json(issue);
            return body;
        }
        if let Some(name) = event_type(event) {
            body["issue_event_type_name"] = json!(name);
        }
        body["user"] = self.webhook_user(&stamp.account);
        body["issue"] = self.webhook_issue(issue);
        if let Event::Updated { items, .. } = event {
            body["changelog"] = self.changelog_json(issue, items);
        }
        if let Some(sends_mail) = stamp.bulk {
            body["bulkOperationMetaData"] = json!({ "sendMail": sends_mail });
        }
        body
    }

    fn changelog_json(&self, issue: &Issue, items: &[HistoryItem]) -> Value {
        let id = issue.history.last().map_or(0, |history| history.id);
        let items: Vec<Value> = items.iter().map(HistoryItem::json).collect();
        json!({"id": id.to_string(), "items": items})
    }

    /// Without e-mail address, locale and groups.
    fn webhook_user(&self, account: &str) -> Value {
        let mut user = self.person_json(account, "2");
        if let Some(user) = user.as_object_mut() {
            user.remove("emailAddress");
        }
        user
    }

    /// The whole issue, without its properties and with comments left out.
    fn webhook_issue(&self, issue: &Issue) -> Value {
        let wanted = Wanted {
            fields: vec!["*navigable".into()],
            ..Wanted::default()
        };
        let mut body = self.issue_json(issue, &wanted, "2");
        if let Some(body) = body.as_object_mut() {
            body.remove("expand");
        }
        body
    }

    /// What comes beside a comment: six fields, and a link that leads nowhere (seen in webhooks of Jira Cloud).
    fn short_issue_json(&self, issue: &Issue) -> Value {
        let six = [
            "summary",
            "issuetype",
            "project",
            "assignee",
            "priority",
            "status",
        ];
        let wanted = Wanted {
            fields: six.map(ToOwned::to_owned).into(),
            ..Wanted::default()
        };
        let full = self.issue_json(issue, &wanted, "2");
        json!({
            "id": issue.id.to_string(), "self": format!("{}/rest/api/2/{}", self.site, issue.id), "key": issue.key,
            "fields": full["fields"],
        })
    }

    /// What `system:trigger-webhook` sends: the issue and the transition that was taken.
    pub(crate) fn trigger_webhook(
        &mut self,
        stamp: &Stamp,
        hook: u64,
        id: u64,
        from: u64,
        (workflow, transition): (&Workflow, &Transition),
    ) {
        let Some(issue) = self.issues.get(&id) else {
            return;
        };
        let body = json!({
            "timestamp": stamp.at.as_millisecond(), "user": self.webhook_user(&stamp.account),
            "issue": self.webhook_issue(issue),
            "transition": {
                "workflowId": workflow.id, "workflowName": workflow.name, "transitionId": transition.id,
                "transitionName": transition.name, "from_status": self.status_name(from),
                "to_status": self.status_name(issue.status),
            },
        });
        if self.webhooks.hooks.contains_key(&hook) {
            self.enqueue(hook, "transition", Some(body), Lane::Primary, stamp.at);
        }
    }
}

/// `issue_generic` for a transition: what it did is told by the changelog alone.
fn event_type(event: &Event) -> Option<&'static str> {
    match event {
        Event::Created => Some("issue_created"),
        Event::Updated { is_move: true, .. } => Some("issue_generic"),
        Event::Updated { items, .. } if items.iter().all(|item| item.field_id == "assignee") => {
            Some("issue_assigned")
        }
        Event::Updated { items, .. } if items.iter().any(|item| item.field_id == "Key") => {
            Some("issue_moved")
        }
        Event::Updated { .. } => Some("issue_updated"),
        _ => None,
    }
}
