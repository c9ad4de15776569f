//! What reviewers may do here. Each wish is written into the audit log with their name, and into the store, from where the
//! process that runs takes it; nothing is sent to Jira or AWS from a page.

use axum::response::Response;
use serde_json::{Value, json};

use super::answer::{Failure, Visit, see};
use super::runs::braked;
use crate::jobs::pause::end;
use crate::jobs::reconcile::FULL_WANTED;
use crate::jobs::{quarantine, unread};
use crate::model::{Marker, Pause, PauseScope};
use crate::store::access::Sessions as _;
use crate::store::release::Releases as _;
use crate::store::{AuditEntry, Store as _};
use crate::talk::plain;

/// The longest reason.
const WHY_CHARS_MOST: usize = 300;

/// An entry of the audit log about a person's wish; it is no row of the decision table.
fn entry(visit: &Visit<'_>, action: &str, about: Marker, reason: String) -> AuditEntry {
    AuditEntry {
        at: visit.now,
        run: String::new(),
        action: action.to_owned(),
        marker: about,
        ticket: None,
        finding: None,
        before: None,
        after: None,
        row: 0,
        reason,
    }
}

async fn note(
    visit: &Visit<'_>,
    action: &str,
    about: Marker,
    reason: String,
) -> Result<(), Failure> {
    tracing::info!(person = visit.by(), action, "{reason}");
    let entry = entry(visit, action, about, reason);
    Ok(visit.dashboard.store.audit(&[entry]).await?)
}

pub(super) async fn retry(visit: &Visit<'_>) -> Result<Response, Failure> {
    let store = &*visit.dashboard.store;
    let item = visit.field("item");
    let about = Marker(item.to_owned());
    let refused = |error: anyhow::Error| Failure::Refused(format!("{error:#}."));
    if item.starts_with(unread::PREFIX) {
        let most = visit.setup.config.serve.queue_most;
        unread::read_again(store, item, most, visit.now)
            .await
            .map_err(refused)?;
        note(
            visit,
            "read-again",
            about,
            format!("{} had {item} read again", visit.by()),
        )
        .await?;
    } else {
        let known = store.quarantine().await?;
        let failed = known.into_iter().find(|known| known.marker == about);
        let gone = || Failure::Refused("It is not in quarantine any more.".to_owned());
        let failed = failed.ok_or_else(gone)?;
        let reason = format!("{} had {} tried again", visit.by(), plain(&failed.subject));
        note(visit, "retry", about, reason).await?;
        quarantine::release(store, &failed, visit.now).await?;
    }
    Ok(see("/quarantine"))
}

pub(super) async fn release(visit: &Visit<'_>) -> Result<Response, Failure> {
    let store = &*visit.dashboard.store;
    let wanted = visit.field("plan");
    let runs = store.runs(500).await?;
    let Some((_, digest)) = braked(&runs).filter(|(_, digest)| *digest == wanted) else {
        return Err(Failure::Refused(
            "The brake holds another plan by now, or none: look at the runs again.".to_owned(),
        ));
    };
    let reason = format!(
        "{} released plan {digest}, which the brake had stopped",
        visit.by()
    );
    let entry = entry(visit, "release", Marker(format!("plan-{digest}")), reason);
    store
        .ask_release(digest, visit.by(), visit.now, &entry)
        .await?;
    Ok(see("/runs"))
}

pub(super) async fn full_run(visit: &Visit<'_>) -> Result<Response, Failure> {
    let reason = format!("{} asked for a complete run", visit.by());
    note(visit, "full-run", Marker("dashboard".to_owned()), reason).await?;
    visit
        .dashboard
        .store
        .set_instant(FULL_WANTED, visit.now)
        .await?;
    Ok(see("/runs"))
}

pub(super) async fn pause(visit: &Visit<'_>) -> Result<Response, Failure> {
    let (kind, name) = (visit.field("kind"), visit.field("name"));
    let scope = match kind {
        // Nothing is written anywhere until somebody resumes: that takes more than one click.
        "all" if visit.field("sure") != "yes" => {
            return Err(Failure::Refused(
                "Nothing is paused: to pause everything, tick that you mean it.".to_owned(),
            ));
        }
        "all" => Some(PauseScope::All),
        _ => scope(&format!("{kind}:{name}")),
    };
    let wrong = || {
        Failure::Refused(
            "Say what: an account by its 12 digits, or a project by its key.".to_owned(),
        )
    };
    let scope = scope.ok_or_else(wrong)?;
    let why = plain(visit.field("why")).into_owned();
    if why.is_empty() || why.chars().count() > WHY_CHARS_MOST {
        return Err(Failure::Refused(
            "Say why, in at most 300 characters: others will read it.".to_owned(),
        ));
    }
    let reason = format!("{} paused {scope}: {why}", visit.by());
    note(visit, "pause", Marker("dashboard".to_owned()), reason).await?;
    let pause = Pause {
        scope,
        why,
        by: visit.by().to_owned(),
        since: visit.now,
    };
    visit.dashboard.store.pause(&pause).await?;
    Ok(see("/integrations"))
}

pub(super) async fn resume(visit: &Visit<'_>) -> Result<Response, Failure> {
    let gone = || Failure::Refused("That is not paused.".to_owned());
    let scope = scope(visit.field("scope")).ok_or_else(gone)?;
    let reason = format!("{} resumed {scope}", visit.by());
    let ended = end(&visit.dashboard.store, &scope, visit.now).await;
    if !ended.map_err(|error| Failure::Refused(format!("{error:#}")))? {
        return Err(gone());
    }
    note(visit, "resume", Marker("dashboard".to_owned()), reason).await?;
    Ok(see("/integrations"))
}

pub(super) async fn end_session(visit: &Visit<'_>) -> Result<Response, Failure> {
    let mut hash = [0; 32];
    let known = hex::decode_to_slice(visit.field("session"), &mut hash).is_ok();
    if !known || !visit.dashboard.store.end_session(hash).await? {
        return Err(Failure::Refused(
            "That log-in has ended already.".to_owned(),
        ));
    }
    let reason = format!("{} ended a log-in", visit.by());
    note(visit, "end-session", Marker("dashboard".to_owned()), reason).await?;
    Ok(see("/sessions"))
}

/// What is paused, as a form carries it.
pub(super) fn word_of(scope: &PauseScope) -> String {
    match scope {
        PauseScope::All => "all".to_owned(),
        PauseScope::Account(id) => format!("account:{id}"),
        PauseScope::Project(key) => format!("project:{key}"),
    }
}

fn scope(word: &str) -> Option<PauseScope> {
    match word.split_once(':') {
        None => (word == "all").then_some(PauseScope::All),
        Some(("account", id)) => {
            let shaped = id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit());
            shaped.then(|| PauseScope::Account(id.into()))
        }
        Some(("project", key)) => {
            let shaped = (1..=60).contains(&key.len())
                && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            shaped.then(|| PauseScope::Project(key.to_owned()))
        }
        Some(_) => None,
    }
}

fn field(name: &str, label: &str, kind: &str) -> Value {
    json!({ "name": name, "label": label, "kind": kind, "value": "", "options": [] })
}

/// A field that the form carries, and nobody sees.
pub(super) fn carried(name: &str, value: &str) -> Value {
    let mut carried = field(name, "", "hidden");
    carried["value"] = json!(value);
    carried
}

/// One for a part, one for everything: the latter has no name, and wants to be meant.
pub(super) fn pause_forms() -> Vec<Value> {
    let mut kind = field("kind", "What", "options");
    kind["options"] = json!([["account", "an account"], ["project", "a Jira project"]]);
    let mut sure = field("sure", "I mean every account and every project", "tick");
    sure["value"] = json!("yes");
    let why = || field("why", "Why", "text");
    vec![
        json!({ "title": "Pause an account or a project", "to": "/pause", "button": "Pause",
            "says": "Nothing is written for what is paused, on either side; reading goes on.",
            "fields": [kind, field("name", "Account id or project key", "text"), why()] }),
        json!({ "title": "Pause everything", "to": "/pause", "button": "Pause everything",
            "says": "Nothing is written on either side, for anybody, until somebody resumes; reading goes on.",
            "fields": [carried("kind", "all"), why(), sure] }),
    ]
}
