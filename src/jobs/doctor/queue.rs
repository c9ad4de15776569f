//! The event queue: can it be worked off, who may write into it, and where goes what nobody can read.

use serde_json::Value;

use crate::wire::sqs::Queue;

use super::report::{Found, Problem};
use super::subject::Subject;

/// Fewer receives than this, and a message is put aside before asaf has kept it for people.
const RECEIVES_LEAST: u32 = 5;
/// A shorter memory loses events during an outage of a weekend.
const KEPT_LEAST_HOURS: u64 = 72;

pub(super) async fn reachable(subject: &Subject) -> Found {
    let Some(config) = &subject.config.queue else {
        return Found::off("no [queue]: changes in AWS are seen by the scheduled runs only");
    };
    let queue = Queue::new(&subject.aws, &config.url);
    let setup = match queue.setup().await {
        Ok(setup) => setup,
        Err(error) => return Found::refused(&error),
    };
    let mut problems = Vec::new();
    let mut tried = vec![queue.may_delete().await, queue.may_keep().await];
    // A receive counts against the message: it is tried where there is none.
    let empty = setup.visible == 0;
    if empty {
        tried.push(queue.may_receive().await);
    }
    let refused = tried.iter().filter_map(|one| one.as_ref().err());
    problems.extend(refused.map(Problem::refused));
    let says = match (problems.is_empty(), empty) {
        (false, _) => String::new(),
        (true, true) => "can be received from, deleted from and kept; nothing waits".to_owned(),
        (true, false) => format!(
            "about {} messages wait; whether they may be received is not tried, because that counts",
            setup.visible
        ),
    };
    subject.known().queue = setup;
    Found::of(says, problems)
}

pub(super) async fn dead_letters(subject: &Subject) -> Found {
    let known = subject.known();
    let mut problems = Vec::new();
    let hours = known.queue.kept.as_secs() / 3600;
    if hours < KEPT_LEAST_HOURS {
        problems.push(Problem::warning(
            format!("the queue keeps messages for {hours} hours only"),
            "keep them for at least three days: MessageRetentionPeriod",
        ));
    }
    let target = known.queue.dead_letters.as_deref().unwrap_or_default();
    match known.queue.dead_letters_after {
        None => problems.push(Problem::warning(
            "the queue has no dead-letter queue: what cannot be read is kept in the store only",
            format!("give it one with maxReceiveCount {RECEIVES_LEAST}"),
        )),
        Some(after) if after < RECEIVES_LEAST => problems.push(Problem::warning(
            format!("messages are put aside after {after} receives, so a short outage of asaf loses them there"),
            format!("set maxReceiveCount to {RECEIVES_LEAST} or more"),
        )),
        Some(_) => {}
    }
    Found::of(target, problems)
}

pub(super) async fn policy(subject: &Subject) -> Found {
    let known = subject.known();
    let fix = "make it that of `asaf doctor --print-iam queue`";
    let Some(policy) = &known.queue.policy else {
        return Found::wrong(
            "the queue has no policy, so EventBridge may not put events into it",
            fix,
        );
    };
    let mut sends = false;
    let mut problems = Vec::new();
    let statements = policy["Statement"].as_array().into_iter().flatten();
    for one in statements.filter(|one| one["Effect"] == "Allow" && may_send(&one["Action"])) {
        let bound = names_source(&one["Condition"]);
        if is_anybody(&one["Principal"]) && !bound {
            problems.push(Problem::wrong(
                "anybody may write into the queue, and a deletion that an event reports is believed",
                fix,
            ));
        } else if is_events(&one["Principal"]) {
            sends = true;
            if !bound {
                problems.push(Problem::wrong(
                    "any account's EventBridge rules may write into the queue: aws:SourceArn is not asked for",
                    fix,
                ));
            }
        }
    }
    if !sends && problems.is_empty() {
        problems.push(Problem::wrong(
            "the queue's policy does not let EventBridge write into it",
            fix,
        ));
    }
    let says = if problems.is_empty() {
        "only named EventBridge rules may write into it"
    } else {
        ""
    };
    Found::of(says, problems)
}

fn each(value: &Value) -> Vec<&str> {
    match value {
        Value::String(one) => vec![one],
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn may_send(action: &Value) -> bool {
    each(action).iter().any(|one| {
        let one = one.to_ascii_lowercase();
        matches!(
            one.as_str(),
            "*" | "sqs:*" | "sqs:sendmessage" | "sqs:send*"
        )
    })
}

fn is_anybody(principal: &Value) -> bool {
    principal == "*" || each(&principal["AWS"]).contains(&"*")
}

fn is_events(principal: &Value) -> bool {
    each(&principal["Service"]).contains(&"events.amazonaws.com")
}

/// A condition on where the event comes from (IAM user guide: The confused deputy problem).
fn names_source(condition: &Value) -> bool {
    let tests = condition.as_object().into_iter().flatten();
    let mut keys = tests.flat_map(|(_, keys)| keys.as_object().into_iter().flatten());
    keys.any(|(key, _)| {
        let key = key.to_ascii_lowercase();
        matches!(
            key.as_str(),
            "aws:sourcearn" | "aws:sourceaccount" | "aws:sourceorgid"
        )
    })
}
