//! Tickets of several findings. Each member is decided about by itself first: it fails, or it goes its own way (fixed,
//! ignored, suppressed, accepted). The ticket then follows those that fail; once none does, what is left of them.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{
    AliasKey, Author, BaseTicket, Decision, Finding, FindingState, InFlight, Link, Marker, Member,
    Standing, TicketState, WorkflowStatus,
};
use crate::plan::{Action, Expect, Held, HeldReason, Plan, Reason, TicketStep, WorkflowStep};
use crate::read::snapshot::Snapshot;

use super::case::{self, Case, Shared};
use super::grouping::{self, Place, place};
use super::members::{
    About, Seen, counts_for_all, forget_what_is_over, reopened_by_a_person, row, ruling, spoken_of,
    standing, statuses, table_order,
};
use super::outcome::{self, Outcome, comment_key};
use super::policy::Policy;
use super::verdict::{Ruling, Verdict};
use super::view::{self, View};
use super::{hold, joint, note, table};

/// One member of a group.
pub(super) struct Sub<'a> {
    /// As a case without a ticket of its own.
    pub(super) case: Case<'a>,
    /// It was a member before.
    pub(super) known: bool,
    /// The link with the ticket of its own that it gives up.
    gives_up: Option<Link>,
    /// The group that it leaves.
    leaves: Option<Marker>,
}

/// A group with those that belong to it now.
pub(super) struct Group<'a> {
    /// The case of its link, where that is known.
    pub(super) known: Option<Case<'a>>,
    alias: AliasKey,
    /// Its members.
    pub(super) subs: Vec<Sub<'a>>,
}

/// Every case that is decided by itself goes to `alone`, with the group that it leaves; the others come back by group.
pub(super) fn arrange<'a>(
    snapshot: &'a Snapshot,
    policy: &Policy,
    mut alone: impl FnMut(Case<'a>, Option<Marker>),
) -> BTreeMap<Marker, Group<'a>> {
    let mut groups: BTreeMap<Marker, Group<'a>> = BTreeMap::new();
    let mut of = |alias: AliasKey, add: &mut dyn FnMut(&mut Group<'a>)| {
        let group = groups.entry(Marker::of(&alias));
        add(group.or_insert_with(|| Group {
            known: None,
            alias,
            subs: Vec::new(),
        }));
    };
    for mut case in case::pair(snapshot) {
        if case.link.alias.is_group() {
            let mut case = Some(case);
            let alias = case.as_ref().map(|case| case.link.alias.clone());
            if let Some(alias) = alias {
                of(alias, &mut |group| group.known = case.take());
            }
            continue;
        }
        match place(&case, snapshot, policy) {
            Place::Alone { leaves } => {
                case.link.member = None;
                alone(case, leaves);
            }
            Place::In { group, leaves } => {
                let marker = Marker::of(&group);
                let mut sub = Some(enter(case, marker, leaves));
                of(group, &mut |group| group.subs.extend(sub.take()));
            }
        }
    }
    for group in groups.values_mut() {
        let link = group.known.as_ref().map(|case| &case.link);
        let key = link.and_then(|link| case::key(link, snapshot));
        for sub in &mut group.subs {
            sub.case.key.clone_from(&key);
        }
    }
    groups
}

fn enter<'a>(mut case: Case<'a>, of: Marker, leaves: Option<Marker>) -> Sub<'a> {
    let gives_up = case.link.ticket.is_some().then(|| case.link.clone());
    let before = case.link.member.take();
    let known = before.as_ref().is_some_and(|member| member.of == of);
    let named = known && before.as_ref().is_some_and(|member| member.named);
    let account_name = case.account_name.map(str::to_owned);
    case.link.member = Some(Box::new(Member {
        of,
        standing: before
            .as_ref()
            .map_or(Standing::Fails { unclear: false }, |member| {
                member.standing.clone()
            }),
        account_name: account_name
            .or_else(|| before.map(|member| member.account_name))
            .unwrap_or_default(),
        named,
    }));
    case.link.ticket = None;
    case.link.ticket_absent_reads = 0;
    case.link.shown = None;
    case.link.changes = Vec::new();
    if let Some(base) = &mut case.link.base {
        base.ticket = BaseTicket::None;
    }
    Sub {
        case,
        known,
        gives_up,
        leaves,
    }
}

/// Decides about a group and each of its members.
pub(super) fn decide<'a>(
    group: &Group<'a>,
    snapshot: &'a Snapshot,
    policy: &Policy,
    now: Timestamp,
    plan: &mut Plan,
) {
    if group.subs.is_empty() {
        return empty(group, snapshot, now, plan);
    }
    if let Err(why) = view::in_doubt(&Marker::of(&group.alias), snapshot) {
        // Neither may a ticket be made, nor may one that it would take the place of be closed.
        let lead = &group.subs[0].case;
        return plan.held.push(Held {
            marker: Marker::of(&group.alias),
            subject: lead.subject(),
            why,
        });
    }
    let reopened = reopened_by_a_person(group, snapshot);
    let (mut seen, mut unread, mut newcomer) = (Vec::new(), Vec::new(), None);
    for sub in &group.subs {
        match view::view(&sub.case, snapshot, policy, now) {
            Ok(view) => {
                let standing = standing(&view, sub, policy, reopened);
                seen.push(Seen {
                    sub,
                    view,
                    standing,
                });
            }
            Err(held) if sub.known => unread.push((sub, *held)),
            Err(held) => {
                newcomer = Some(held.why.clone());
                hold(&sub.case, held.why, plan);
            }
        }
    }
    forget_what_is_over(group, &mut seen, plan, now);
    seen.sort_by_key(|one| {
        (
            one.view.f,
            Reverse(one.sub.case.lead().map(|lead| lead.severity)),
            one.sub.case.link.marker.clone(),
        )
    });
    let mut rows: BTreeMap<Marker, Link> = seen
        .iter()
        .map(|one| (one.sub.case.link.marker.clone(), row(one, now)))
        .collect();
    let (ruling, about) = spoken_of(ruling(&seen), group, snapshot);
    let gone = ruling.first().is_some_and(|one| is_deleted(&one.standing));
    // What was not deleted when it was last seen keeps the ticket from being; where nothing is read, nothing is decided.
    let counts = |sub: &Sub<'_>| {
        ruling.is_empty() || was(sub, Standing::fails) || (gone && !was(sub, is_deleted))
    };
    let unsure = unread.iter().find(|(sub, _)| counts(sub));
    let unsure = unsure.map(|(_, held)| held.why.clone());
    let unsure = unsure.or(newcomer.filter(|_| gone));
    for (sub, held) in unread {
        rows.insert(sub.case.link.marker.clone(), held.link.clone());
        note(&sub.case, held.link, plan);
    }
    let fails = ruling.first().is_some_and(|one| one.standing.fails());
    let case = joint_case(group, &ruling, &seen, &rows);
    if let Some(why) = unsure.filter(|_| !fails || counts_for_all(group, snapshot)) {
        // Whether the last one that failed has stopped is not known, or what was said of the ticket is about it too.
        hold(&case, why, plan);
    } else if !ruling.is_empty() {
        together(&case, &ruling, about, snapshot, policy, now, plan);
    }
    if let (About::Some, Some(key)) = (about, &case.key) {
        hold(&case, HeldReason::FailsSince { key: key.clone() }, plan);
    }
    let decided: Vec<Marker> = ruling.iter().map(|one| marker(one).clone()).collect();
    let ticket = case.link.ticket.as_ref().map(|at| at.key.clone());
    for one in &seen {
        give_up(one, &rows, plan);
        if !decided.contains(marker(one)) {
            aside(one, ticket.as_deref(), policy, now, plan);
        }
    }
}

fn marker<'v>(one: &'v Seen<'_, '_>) -> &'v Marker {
    &one.sub.case.link.marker
}

/// What it was when it was last seen.
fn was(sub: &Sub<'_>, what: fn(&Standing) -> bool) -> bool {
    let member = sub.case.link.member.as_ref();
    member.is_some_and(|member| what(&member.standing))
}

fn is_deleted(standing: &Standing) -> bool {
    *standing == Standing::Deleted
}

/// The group as a case: its members are the findings that rule.
fn joint_case<'a>(
    group: &Group<'a>,
    ruling: &[&Seen<'_, 'a>],
    seen: &[Seen<'_, 'a>],
    rows: &BTreeMap<Marker, Link>,
) -> Case<'a> {
    let known = group.known.as_ref();
    let lead = ruling.first().and_then(|one| one.sub.case.lead());
    let severity = lead.map_or(crate::model::Severity::Medium, |lead| lead.severity);
    let mut link = known.map_or_else(
        || Link::new(group.alias.clone(), severity),
        |case| case.link.clone(),
    );
    if let Some(lead) = lead {
        link.rule = lead.rule.id.clone();
        link.title = case::shortened(&lead.title);
        lead.product.word().clone_into(&mut link.product);
    }
    link.members = rows.keys().cloned().collect();
    let members: Vec<&'a Finding> = ruling
        .iter()
        .flat_map(|one| one.sub.case.members.iter().copied())
        .collect();
    let read = seen
        .iter()
        .flat_map(|one| statuses(&one.sub.case, &one.view));
    let corrected = ruling.iter().flat_map(|one| {
        let findings = one.sub.case.members.iter();
        findings.map(move |finding| (finding.key.clone(), one.view.link.corrected.clone()))
    });
    let owners: Vec<_> = ruling
        .iter()
        .map(|one| one.sub.case.owner.clone())
        .collect();
    Case {
        owner: grouping::owner(&link, &owners),
        account_name: ruling.first().and_then(|one| one.sub.case.account_name),
        key: known.and_then(|case| case.key.clone()),
        known: known.and_then(|case| case.known),
        members,
        shared: Some(Shared {
            rows: table_order(rows),
            read: read.collect(),
            corrected: corrected.collect(),
        }),
        link,
    }
}

/// The ticket, and those that rule.
fn together<'a>(
    case: &Case<'a>,
    ruling: &[&Seen<'_, 'a>],
    about: About,
    snapshot: &'a Snapshot,
    policy: &Policy,
    now: Timestamp,
    plan: &mut Plan,
) {
    let views: Vec<&View<'a>> = ruling.iter().map(|one| &one.view).collect();
    let members = case.shared.as_ref().map_or(&[][..], |shared| &shared.rows);
    let view = match joint::joint(case, &views, about, snapshot, policy, now) {
        Ok(view) => view,
        Err(held) => {
            hold(case, held.why, plan);
            return note(case, held.link, plan);
        }
    };
    if view.is_hidden_by_hand() {
        plan.seen.hidden_by_hand += 1;
    }
    let decision = table::rule(&view, policy, now);
    match outcome::outcome(case, &view, decision, policy, now) {
        Outcome::Write(action)
            if action.ticket == TicketStep::Delete && !snapshot.coverage.full =>
        {
            let key = case.key.clone().unwrap_or_default();
            hold(case, HeldReason::SharedWithMore { key }, plan);
            note(case, view.link, plan);
        }
        Outcome::Write(mut action) => {
            let leaves = ruling.iter().filter_map(|one| one.sub.leaves.clone());
            let own = ruling.iter().filter(|one| one.sub.gives_up.is_some());
            action.waits_for = own.map(|one| marker(one).clone()).chain(leaves).collect();
            action.waits_for.sort();
            action.waits_for.dedup();
            let decision = decided_now(case, action.after.as_deref());
            let step = action.workflow.as_ref();
            let members = members
                .iter()
                .map(|link| written(link, step, decision.as_ref(), ruling, now));
            action.members = members.collect();
            if action.ticket.renames() || action.ticket == TicketStep::Update {
                let members = action.members.iter_mut();
                let members = members.filter_map(|link| link.member.as_mut());
                members.for_each(|member| member.named = true);
            }
            plan.actions.push(*action);
        }
        Outcome::Agree(link) => {
            let decision = decided_now(case, Some(&link));
            for one in ruling.iter().filter(|one| one.sub.gives_up.is_none()) {
                if let Some(row) = members.iter().find(|row| row.marker == *marker(one)) {
                    let row = written(row, None, decision.as_ref(), ruling, now);
                    note(&one.sub.case, row, plan);
                }
            }
            note(case, link, plan);
        }
        Outcome::Held(why, link) => {
            hold(case, why, plan);
            note(case, link, plan);
        }
    }
}

/// A person's decision about the ticket that the group's link did not know before: later members are not part of it.
fn decided_now(case: &Case<'_>, after: Option<&Link>) -> Option<Decision> {
    let decision = after.and_then(|after| after.decision.clone());
    decision.filter(|decision| case.link.decision.as_ref() != Some(decision))
}

/// A member's link after what its group does: the status that was written, and the decision that was taken.
fn written(
    link: &Link,
    step: Option<&WorkflowStep>,
    decision: Option<&Decision>,
    ruling: &[&Seen<'_, '_>],
    now: Timestamp,
) -> Link {
    let mut link = link.clone();
    let Some(one) = ruling.iter().find(|one| *marker(one) == link.marker) else {
        return link;
    };
    let step = step.filter(|step| link.findings.iter().any(|key| step.findings.contains(key)));
    if let Some(step) = step {
        link.corrected = one.sub.case.noted_in(step);
    }
    if let (Some(step), Some(base)) = (step, &mut link.base) {
        let was = one.view.w.unwrap_or(base.workflow);
        let read = one.sub.case.members.iter().map(|finding| finding.workflow);
        link.in_flight = Some(InFlight::new(step.to, was, read, now));
        let is_rule = matches!(one.standing, Standing::Ignored { .. });
        let stays = one.view.w == Some(step.to) && one.view.w_by.is_theirs() && !is_rule;
        base.workflow = step.to;
        if !stays {
            base.workflow_by = Author::Ours;
        }
    }
    if let Some(decision) = decision {
        link.decision = Some(Decision {
            episode: one.view.episode,
            ..decision.clone()
        });
    }
    link
}

/// A member that goes its own way: its status in Security Hub says so.
fn aside(
    one: &Seen<'_, '_>,
    ticket: Option<&str>,
    policy: &Policy,
    now: Timestamp,
    plan: &mut Plan,
) {
    let (v, case) = (&one.view, &one.sub.case);
    let resolved = WorkflowStatus::Resolved;
    let verdict = match &one.standing {
        Standing::Stopped { finding } => {
            let stale = v.ours(WorkflowStatus::Suppressed);
            let reason = Reason::Stopped {
                finding: *finding,
                archival: v.archival.clone(),
            };
            (v.unsettled() || stale).then(|| Verdict::new(18, reason).status(resolved))
        }
        Standing::Deleted => v
            .deleted_at
            .filter(|_| v.unsettled())
            .map(|at| Verdict::new(4, Reason::ResourceDeleted { at }).status(resolved)),
        _ => None,
    };
    let verdict = match (&one.standing, verdict) {
        (_, Some(verdict)) => Ruling::Row(verdict),
        (Standing::Ignored { .. }, None) => table::ignored_by_rule(v).unwrap_or(Ruling::Agree),
        _ => Ruling::Agree,
    };
    let told = |mut link: Link| {
        if let Some(member) = &mut link.member {
            member.standing = one.standing.clone();
        }
        link
    };
    match outcome::outcome(case, v, verdict, policy, now) {
        Outcome::Write(mut action) => {
            action.after = action.after.map(|link| Box::new(told(*link)));
            action.subject.ticket = ticket.map(str::to_owned);
            plan.actions.push(*action);
        }
        Outcome::Agree(link) if one.sub.gives_up.is_none() => note(case, told(link), plan),
        Outcome::Agree(_) => {}
        Outcome::Held(why, link) => {
            hold(case, why, plan);
            note(case, link, plan);
        }
    }
}

/// The ticket of its own that a new member had is closed.
fn give_up(one: &Seen<'_, '_>, rows: &BTreeMap<Marker, Link>, plan: &mut Plan) {
    let Some(old) = &one.sub.gives_up else { return };
    let (Some(at), Some(after)) = (&old.ticket, rows.get(&old.marker)) else {
        return;
    };
    let reason = Reason::Consolidated {
        old_key: at.key.clone(),
    };
    plan.actions
        .push(merge(&one.sub.case, old, reason, after.clone()));
}

/// No finding belongs to the group any more: its ticket is closed.
fn empty(group: &Group<'_>, snapshot: &Snapshot, now: Timestamp, plan: &mut Plan) {
    let Some(case) = &group.known else { return };
    let link = &case.link;
    let Some(at) = link.ticket.as_ref().filter(|_| !link.members.is_empty()) else {
        return buried(case, snapshot, now, plan);
    };
    let ticket = snapshot.tickets.get(&at.id);
    if !snapshot.coverage.full || ticket.is_none() {
        return;
    }
    let mut after = link.clone();
    after.members = Vec::new();
    if let Some(base) = &mut after.base {
        base.ticket = BaseTicket::Is(TicketState::Closed);
    }
    let reason = Reason::Split {
        old_key: at.key.clone(),
    };
    plan.actions.push(merge(case, link, reason, after));
}

/// The ticket of a group that is no more is history, unless somebody deletes it.
fn buried(case: &Case<'_>, snapshot: &Snapshot, now: Timestamp, plan: &mut Plan) {
    let mut link = case.link.clone();
    match view::ticket_state(&mut link, snapshot, now) {
        Ok((BaseTicket::Deleted, _)) => {
            if let Some(base) = &mut link.base {
                base.ticket = BaseTicket::Deleted;
            }
        }
        Ok(_) => {}
        Err(why) => hold(case, why, plan),
    }
    note(case, link, plan);
}

fn merge(case: &Case<'_>, old: &Link, reason: Reason, after: Link) -> Action {
    let mut subject = case.subject();
    subject.ticket = old.ticket.as_ref().map(|at| at.key.clone());
    let episode = old.base.as_ref().map_or(0, |base| base.episode);
    Action {
        marker: old.marker.clone(),
        row: 16,
        reason,
        subject,
        expect: Expect {
            finding: case.state().unwrap_or(FindingState::Gone),
            ticket: Some(TicketState::Open),
            workflow: case.spokesman().map(|finding| finding.workflow),
        },
        ticket: TicketStep::Merge,
        comment: Some(comment_key(old, episode, 16, "merged")),
        workflow: None,
        alerts: Vec::new(),
        waits_for: Vec::new(),
        after: Some(Box::new(after)),
        members: Vec::new(),
    }
}

/// Whether nothing of a group fails as far as it is read: then its ticket's last move matters.
pub(super) fn may_be_over(group: &Group<'_>) -> bool {
    let fails = |sub: &Sub<'_>| sub.case.state() == Some(FindingState::Failing);
    !group.subs.iter().any(fails)
}

impl Group<'_> {
    /// The link of the group, where it is known.
    pub(super) fn link(&self) -> Option<&Link> {
        self.known.as_ref().map(|case| &case.link)
    }
}
