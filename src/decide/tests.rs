//! The decision table, row by row: one state in, one ruling out.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod after;
mod asked;
mod both_moved;
mod counted;
mod episodes;
mod handed_over;
mod ignoring;
mod left;
mod part_read;
mod placed;
mod remembered;
mod shared;
mod standings;
mod together;

use jiff::{SignedDuration, Timestamp};

use super::{Policy, decide};
use crate::decide::policy::{CloseWhileFailing, Recheck, SuppressedByHand};
use crate::model::{
    Author, Base, BaseTicket, Finding, FindingState, Ignoring, Link, Marker, Move, RuleMatch,
    Ticket, TicketRef, TicketState, WorkflowStatus,
};
use crate::plan::{Action, HeldReason, Plan, TicketStep};
use crate::ports::{AccountFact, ResourceFact, WorkflowWrite};
use crate::read::snapshot::{Missing, Snapshot};

use TicketState::{Closed, Ignored, Open, Resolved};
use WorkflowStatus::{New, Notified, Suppressed};

pub(super) const BOT: &str = "bot";
pub(super) const REVIEWER: &str = "reviewer";
pub(super) const TEAM: &str = "team";

pub(super) fn t(hours: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
}

fn finding(compliance: &str, record: &str, w: WorkflowStatus) -> Finding {
    let value = serde_json::json!({
        "Id": "f", "AwsAccountId": "123456789012", "Title": "t", "RecordState": record,
        "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub",
        "Compliance": { "Status": compliance, "SecurityControlId": "S3.8" }, "Severity": { "Label": "HIGH" },
        "Workflow": { "Status": w.as_str() }, "FirstObservedAt": t(10).to_string(), "UpdatedAt": t(10).to_string(),
        "LastObservedAt": t(10).to_string(), "Resources": [{ "Type": "AwsS3Bucket", "Id": "arn:aws:s3:::b" }],
    });
    crate::model::finding::asff::parse(&value).unwrap().finding
}

/// What both sides agreed on since the finding has failed, from hour 10 on.
fn agreed_on(ticket: BaseTicket, workflow: WorkflowStatus) -> Base {
    Base {
        ticket,
        workflow,
        workflow_by: Author::Ours,
        finding: FindingState::Failing,
        episode: 1,
        episode_started_at: t(10),
        first_observed_at: Some(t(10)),
    }
}

/// By whom a ticket was moved, from where to where, and at which hour.
pub(super) fn moves(all: &[(&str, TicketState, TicketState, i64)]) -> Vec<Move> {
    let all = all.iter().enumerate();
    all.map(|(n, (by, from, to, hour))| Move {
        changelog_id: n.to_string(),
        by: (*by).to_owned(),
        by_name: (*by).to_owned(),
        at: t(*hour),
        from: Some(*from),
        to: Some(*to),
    })
    .collect()
}

/// One link with everything that deciding asks about it.
pub(super) struct State {
    pub(super) finding: Option<Finding>,
    pub(super) link: Link,
    pub(super) snapshot: Snapshot,
    pub(super) policy: Policy,
    pub(super) now: Timestamp,
}

impl State {
    /// A finding that has failed since hour 10, with a ticket on which both sides agreed as open and NOTIFIED.
    pub(super) fn failing(w: WorkflowStatus) -> Self {
        let finding = finding("FAILED", "ACTIVE", w);
        let mut link = Link::new(finding.alias.clone(), finding.severity);
        link.track(finding.key.clone());
        link.content = super::content::content_hash(&finding, finding.account_name.as_deref(), "");
        let mut snapshot = Snapshot {
            taken_at: t(20),
            ..Snapshot::default()
        };
        snapshot.people.bot = BOT.to_owned();
        snapshot.people.reviewers = Some([REVIEWER.to_owned()].into());
        snapshot.coverage.full = true;
        let state = State {
            finding: Some(finding),
            link,
            snapshot,
            policy: Policy::default(),
            now: t(20),
        };
        state.base(BaseTicket::None, New)
    }

    pub(super) fn base(mut self, ticket: BaseTicket, workflow: WorkflowStatus) -> Self {
        self.link.base = Some(agreed_on(ticket, workflow));
        self
    }

    pub(super) fn base_finding(mut self, finding: FindingState) -> Self {
        self.link.base.as_mut().unwrap().finding = finding;
        self
    }

    pub(super) fn by_aws(mut self) -> Self {
        self.link.base.as_mut().unwrap().workflow_by = Author::Aws;
        self
    }

    pub(super) fn is(mut self, compliance: &str, record: &str) -> Self {
        let w = self.finding.as_ref().unwrap().workflow;
        self.finding = Some(finding(compliance, record, w));
        self
    }

    /// A ticket in this state, last moved by this person at hour 15.
    pub(super) fn ticket(mut self, state: TicketState, by: &str) -> Self {
        let at = TicketRef {
            id: 1,
            key: "SEC-1".to_owned(),
        };
        self.link.ticket = Some(at.clone());
        let moved = Move {
            changelog_id: "c".to_owned(),
            by: by.to_owned(),
            by_name: by.to_owned(),
            at: t(15),
            from: None,
            to: Some(state),
        };
        self.snapshot.moves.insert(1, vec![moved]);
        let ticket = Ticket {
            at,
            project: "SEC".to_owned(),
            status_id: "1".to_owned(),
            status_name: state.word().to_owned(),
            state: Some(state),
            labels: Vec::new(),
            updated_at: None,
            property: None,
        };
        self.snapshot.tickets.insert(1, ticket);
        self
    }

    pub(super) fn missing(mut self, reads: u32) -> Self {
        self.link.ticket = Some(TicketRef {
            id: 1,
            key: "SEC-1".to_owned(),
        });
        self.link.ticket_absent_reads = reads;
        self.snapshot.missing.insert(1, Missing::NotFound);
        self
    }

    /// Somebody set the status in Security Hub at this hour.
    pub(super) fn set_by_hand(mut self, hour: i64) -> Self {
        let finding = self.finding.as_ref().unwrap();
        let write = WorkflowWrite {
            identity: Some("kim".to_owned()),
            ours: false,
            at: t(hour),
            to: finding.workflow,
        };
        self.snapshot
            .writes
            .insert(finding.key.clone(), Some(write));
        self
    }

    /// A reviewer has closed it in this episode.
    pub(super) fn decided(mut self) -> Self {
        self.link.decision = Some(crate::model::Decision {
            kind: crate::model::DecisionKind::Closed,
            by: REVIEWER.to_owned(),
            at: t(15),
            episode: 1,
            ticket_key: None,
        });
        self
    }

    pub(super) fn resource_deleted(mut self) -> Self {
        self.snapshot.resources.insert(
            self.link.marker.clone(),
            vec![ResourceFact::Deleted { at: t(16) }],
        );
        self
    }

    pub(super) fn rule(mut self) -> Self {
        let rule = RuleMatch {
            rule: "r".to_owned(),
            reason: "public on purpose".to_owned(),
            expires: jiff::civil::date(2027, 1, 31),
            origin: Some("pull request #12".to_owned()),
        };
        self.snapshot.ignored = Ignoring::Known([(self.link.marker.clone(), rule)].into());
        self
    }

    /// Another finding of the same link, with an id of its own.
    pub(super) fn twin(mut self, w: WorkflowStatus) -> Self {
        let mut twin = self.finding.clone().unwrap();
        twin.key.id = "twin".to_owned();
        twin.workflow = w;
        self.link.track(twin.key.clone());
        let findings = &mut self.snapshot.findings;
        findings.insert(twin.key.clone(), Box::new(twin));
        self
    }

    /// The first change of compliance that AWS tells of since both sides agreed was at hour 17.
    pub(super) fn fails_anew(mut self) -> Self {
        self.finding.as_mut().unwrap().first_observed_at = Some(t(17));
        self
    }

    pub(super) fn policy(mut self, change: impl Fn(&mut Policy)) -> Self {
        change(&mut self.policy);
        self
    }

    pub(super) fn status(mut self, w: WorkflowStatus) -> Self {
        self.finding.as_mut().unwrap().workflow = w;
        self
    }

    pub(super) fn plan(self) -> Plan {
        let (snapshot, policy, now) = self.seen();
        decide(&snapshot, &policy, now)
    }

    /// What a run sees.
    pub(super) fn seen(mut self) -> (Snapshot, Policy, Timestamp) {
        if let Some(finding) = self.finding {
            let place = (finding.alias.account.clone(), finding.alias.region.clone());
            self.snapshot.coverage.seen.insert(place, 1);
            self.snapshot
                .findings
                .insert(finding.key.clone(), Box::new(finding));
        }
        self.snapshot.keep(self.link);
        (self.snapshot, self.policy, self.now)
    }
}

pub(super) fn only(plan: Plan) -> Action {
    assert!(plan.held.is_empty(), "{:?}", plan.held);
    assert_eq!(plan.actions.len(), 1, "{plan:?}");
    plan.actions.into_iter().next().unwrap()
}

pub(super) const OPEN: BaseTicket = BaseTicket::Is(Open);
pub(super) const AT_RESOLVED: BaseTicket = BaseTicket::Is(Resolved);
const AT_CLOSED: BaseTicket = BaseTicket::Is(Closed);
const AT_IGNORED: BaseTicket = BaseTicket::Is(Ignored);

#[test]
fn each_row_does_what_the_table_says() {
    let moved = |to| TicketStep::Move { to };
    let resolved = Some(WorkflowStatus::Resolved);
    let hold = |p: &mut Policy| p.suppressed_by_hand = SuppressedByHand::Revert;
    let closed_long_ago = |mut state: State| {
        state.link.closed_at = Some(t(11));
        state.now = t(11 + 31 * 24);
        state
    };
    // (row, state, ticket, status written, a comment is made)
    let rows: Vec<(u8, State, TicketStep, Option<WorkflowStatus>, bool)> = vec![
        (
            2,
            State::failing(Notified)
                .base(OPEN, Notified)
                .ticket(Closed, TEAM),
            moved(Open),
            None,
            true,
        ),
        (
            2,
            State::failing(WorkflowStatus::Resolved)
                .base(AT_RESOLVED, WorkflowStatus::Resolved)
                .decided()
                .ticket(Closed, TEAM),
            moved(Resolved),
            None,
            true,
        ),
        (
            2,
            State::failing(Notified)
                .base(OPEN, Notified)
                .ticket(Ignored, TEAM),
            moved(Open),
            None,
            true,
        ),
        (
            3,
            State::failing(Notified)
                .is("FAILED", "ARCHIVED")
                .base(AT_RESOLVED, Notified)
                .ticket(Open, REVIEWER),
            TicketStep::Keep,
            resolved,
            false,
        ),
        (
            4,
            State::failing(Notified)
                .base(OPEN, Notified)
                .ticket(Open, BOT)
                .resource_deleted(),
            TicketStep::Delete,
            resolved,
            false,
        ),
        (
            4,
            State::failing(Notified)
                .is("FAILED", "ARCHIVED")
                .base(OPEN, Notified)
                .ticket(Open, BOT)
                .resource_deleted(),
            TicketStep::Delete,
            None,
            false,
        ),
        (
            5,
            State::failing(Notified)
                .base(OPEN, Notified)
                .ticket(Open, BOT)
                .rule(),
            moved(Ignored),
            Some(Suppressed),
            true,
        ),
        (
            5,
            State::failing(New).rule(),
            TicketStep::Keep,
            Some(Suppressed),
            false,
        ),
        (
            6,
            State::failing(Notified)
                .base(OPEN, Notified)
                .ticket(Resolved, TEAM),
            TicketStep::Keep,
            resolved,
            true,
        ),
        (
            7,
            State::failing(WorkflowStatus::Resolved)
                .base(AT_RESOLVED, Notified)
                .ticket(Closed, REVIEWER)
                .set_by_hand(12),
            TicketStep::Keep,
            None,
            false,
        ),
        (
            7,
            State::failing(Notified)
                .base(AT_RESOLVED, Notified)
                .ticket(Closed, REVIEWER),
            TicketStep::Keep,
            resolved,
            false,
        ),
        (
            7,
            State::failing(Notified)
                .base(AT_RESOLVED, Notified)
                .ticket(Closed, REVIEWER)
                .policy(|p| p.close_while_failing = CloseWhileFailing::Reopen),
            moved(Open),
            None,
            true,
        ),
        (
            8,
            State::failing(WorkflowStatus::Resolved)
                .base(AT_RESOLVED, WorkflowStatus::Resolved)
                .ticket(Open, REVIEWER),
            TicketStep::Keep,
            Some(Notified),
            false,
        ),
        (
            9,
            State::failing(Suppressed)
                .base(OPEN, Notified)
                .ticket(Open, BOT)
                .set_by_hand(15),
            moved(Ignored),
            None,
            true,
        ),
        (
            10,
            State::failing(Suppressed)
                .base(OPEN, Notified)
                .ticket(Open, BOT)
                .set_by_hand(15)
                .policy(hold),
            TicketStep::Keep,
            Some(Notified),
            false,
        ),
        (
            10,
            State::failing(Suppressed)
                .base(AT_IGNORED, Notified)
                .ticket(Ignored, BOT)
                .set_by_hand(15)
                .policy(hold),
            moved(Open),
            Some(Notified),
            true,
        ),
        (
            11,
            State::failing(WorkflowStatus::Resolved)
                .base(OPEN, Notified)
                .ticket(Open, BOT)
                .set_by_hand(15),
            moved(Resolved),
            None,
            true,
        ),
        // It fails again since it was closed, and somebody has said in Security Hub what they think of that.
        (
            11,
            State::failing(WorkflowStatus::Resolved)
                .base(AT_CLOSED, WorkflowStatus::Resolved)
                .base_finding(FindingState::Passing)
                .ticket(Closed, REVIEWER)
                .set_by_hand(16),
            moved(Resolved),
            None,
            true,
        ),
        (
            9,
            State::failing(Suppressed)
                .base(AT_CLOSED, WorkflowStatus::Resolved)
                .base_finding(FindingState::Passing)
                .ticket(Closed, REVIEWER)
                .set_by_hand(16),
            moved(Ignored),
            None,
            true,
        ),
        (
            12,
            State::failing(Notified).base(OPEN, Notified).missing(1),
            TicketStep::Create,
            None,
            false,
        ),
        (
            13,
            State::failing(Suppressed)
                .base(AT_IGNORED, Suppressed)
                .ticket(Ignored, BOT),
            moved(Open),
            Some(Notified),
            true,
        ),
        (
            13,
            State::failing(Suppressed).base(BaseTicket::None, Suppressed),
            TicketStep::Create,
            Some(Notified),
            false,
        ),
        (
            14,
            State::failing(New)
                .base(AT_RESOLVED, WorkflowStatus::Resolved)
                .base_finding(FindingState::Passing)
                .ticket(Resolved, BOT),
            moved(Open),
            Some(Notified),
            true,
        ),
        (
            14,
            State::failing(New)
                .base(AT_CLOSED, WorkflowStatus::Resolved)
                .base_finding(FindingState::Passing)
                .ticket(Closed, REVIEWER),
            moved(Open),
            Some(Notified),
            true,
        ),
        (
            14,
            closed_long_ago(
                State::failing(New)
                    .base(AT_CLOSED, WorkflowStatus::Resolved)
                    .base_finding(FindingState::Passing)
                    .ticket(Closed, REVIEWER),
            ),
            TicketStep::Create,
            Some(Notified),
            false,
        ),
        (
            15,
            State::failing(New),
            TicketStep::Create,
            Some(Notified),
            false,
        ),
        (
            15,
            State::failing(WorkflowStatus::Resolved)
                .base(BaseTicket::None, WorkflowStatus::Resolved)
                .by_aws(),
            TicketStep::Create,
            Some(Notified),
            false,
        ),
        (
            16,
            State::failing(New).base(OPEN, New).ticket(Open, BOT),
            TicketStep::Keep,
            Some(Notified),
            false,
        ),
        (
            18,
            State::failing(WorkflowStatus::Resolved)
                .is("PASSED", "ACTIVE")
                .base(OPEN, Notified)
                .ticket(Open, BOT),
            moved(Resolved),
            None,
            true,
        ),
        (
            18,
            State::failing(Notified)
                .is("FAILED", "ARCHIVED")
                .base(OPEN, Notified)
                .ticket(Open, BOT),
            moved(Resolved),
            resolved,
            true,
        ),
        (
            18,
            State::failing(Suppressed)
                .is("PASSED", "ACTIVE")
                .base(AT_IGNORED, Suppressed)
                .ticket(Ignored, BOT),
            moved(Resolved),
            resolved,
            true,
        ),
        (
            19,
            State::failing(WorkflowStatus::Resolved)
                .is("PASSED", "ACTIVE")
                .base(AT_RESOLVED, WorkflowStatus::Resolved)
                .ticket(Resolved, TEAM),
            TicketStep::Keep,
            None,
            true,
        ),
        (
            19,
            State::failing(WorkflowStatus::Resolved)
                .is("PASSED", "ACTIVE")
                .base(AT_RESOLVED, WorkflowStatus::Resolved)
                .ticket(Resolved, TEAM)
                .policy(|p| p.auto_close_verified = true),
            moved(Closed),
            None,
            true,
        ),
        (
            20,
            State::failing(Notified)
                .is("FAILED", "ARCHIVED")
                .base(AT_CLOSED, Notified)
                .ticket(Closed, REVIEWER),
            TicketStep::Keep,
            resolved,
            false,
        ),
    ];
    for (n, (row, state, ticket, workflow, comment)) in rows.into_iter().enumerate() {
        let plan = state.plan();
        let quiet = ticket == TicketStep::Keep && workflow.is_none() && !comment;
        if quiet {
            assert!(
                plan.actions.is_empty() && plan.held.is_empty(),
                "case {n}, row {row}: {plan:?}"
            );
            continue;
        }
        let action = only(plan);
        let written = action.workflow.as_ref().map(|step| step.to);
        let found = (action.row, action.ticket, written, action.comment.is_some());
        assert_eq!(
            found,
            (row, ticket, workflow, comment),
            "case {n}: {}",
            action.reason.sentence()
        );
    }
}

#[test]
fn nothing_is_done_where_both_sides_agree_or_nothing_can_be_concluded() {
    let resolved = WorkflowStatus::Resolved;
    let states = [
        State::failing(Notified)
            .base(OPEN, Notified)
            .ticket(Open, BOT),
        State::failing(resolved)
            .base(AT_CLOSED, resolved)
            .decided()
            .ticket(Closed, REVIEWER),
        State::failing(Suppressed)
            .base(AT_IGNORED, Suppressed)
            .ticket(Ignored, BOT)
            .rule(),
        State::failing(Notified)
            .is("NOT_AVAILABLE", "ACTIVE")
            .base(OPEN, Notified)
            .ticket(Open, BOT),
        // Row 3: a reviewer reopened it after the finding had passed.
        State::failing(resolved)
            .is("PASSED", "ACTIVE")
            .base(AT_RESOLVED, resolved)
            .ticket(Open, REVIEWER),
        // Below the threshold there is no ticket.
        State::failing(New).policy(|p| p.threshold = crate::model::Severity::Critical),
        // A status set by hand on a finding without a ticket stands.
        State::failing(Suppressed).set_by_hand(15),
    ];
    for (n, state) in states.into_iter().enumerate() {
        let plan = state.plan();
        assert!(
            plan.actions.is_empty() && plan.held.is_empty(),
            "case {n}: {plan:?}"
        );
    }
}

#[test]
fn doubt_is_held_with_its_reason() {
    let unknown_reviewers = |mut state: State| {
        state.snapshot.people.reviewers = None;
        state
    };
    let unread_moves = |mut state: State| {
        state.snapshot.moves.clear();
        state
    };
    let absent = |mut state: State, reads: u32| {
        let finding = state.finding.take().unwrap();
        state
            .snapshot
            .coverage
            .seen
            .insert((finding.alias.account, finding.alias.region), 1);
        state.link.absent_reads = reads;
        state
    };
    let open = || {
        State::failing(Notified)
            .base(OPEN, Notified)
            .ticket(Open, BOT)
    };
    let deleted_thrice = |mut state: State| {
        state.link.deleted_by_people = 2;
        state.link.dispute = Some(crate::model::Dispute {
            row: 12,
            at: t(1),
            labelled: false,
        });
        state
    };
    let uncovered = |mut state: State| {
        state.finding = None;
        state
    };
    type Is = fn(&HeldReason) -> bool;
    let cases: Vec<(State, Is)> = vec![
        (
            unknown_reviewers(
                State::failing(Notified)
                    .base(OPEN, Notified)
                    .ticket(Closed, TEAM),
            ),
            |w| matches!(w, HeldReason::ReviewersUnknown { .. }),
        ),
        (
            unread_moves(
                State::failing(Notified)
                    .base(OPEN, Notified)
                    .ticket(Resolved, TEAM),
            ),
            |w| matches!(w, HeldReason::MoverUnknown { .. }),
        ),
        (
            State::failing(Suppressed)
                .base(OPEN, Notified)
                .ticket(Open, BOT),
            |w| matches!(w, HeldReason::WriterUnknown),
        ),
        // It fails again, so AWS has reset the status, and yet it is RESOLVED: somebody has set it, but who?
        (
            State::failing(WorkflowStatus::Resolved)
                .base(AT_CLOSED, WorkflowStatus::Resolved)
                .base_finding(FindingState::Passing)
                .ticket(Closed, REVIEWER),
            |w| matches!(w, HeldReason::WriterUnknown),
        ),
        (absent(open(), 0), |w| matches!(w, HeldReason::AbsentOnce)),
        (absent(open(), 1), |w| {
            matches!(w, HeldReason::AccountNotMember { .. })
        }),
        (uncovered(open()), |w| matches!(w, HeldReason::NotCovered)),
        (
            State::failing(Notified).base(OPEN, Notified).missing(0),
            |w| matches!(w, HeldReason::TicketNotFoundOnce { .. }),
        ),
        (
            deleted_thrice(State::failing(Notified).base(OPEN, Notified).missing(1)),
            |w| matches!(w, HeldReason::DeletedTooOften { .. }),
        ),
        (
            State::failing(Notified)
                .base(AT_RESOLVED, Notified)
                .ticket(Closed, REVIEWER)
                .policy(|p| p.close_while_failing = CloseWhileFailing::Hold),
            |w| matches!(w, HeldReason::ClosedWhileFailing { .. }),
        ),
    ];
    for (n, (state, is)) in cases.into_iter().enumerate() {
        let plan = state.plan();
        assert!(plan.actions.is_empty(), "case {n}: {plan:?}");
        assert!(
            plan.held.len() == 1 && is(&plan.held[0].why),
            "case {n}: {:?}",
            plan.held
        );
    }
}

#[test]
fn a_finding_is_gone_after_two_complete_reads_of_a_members_account() {
    let mut state = State::failing(Notified)
        .base(OPEN, Notified)
        .ticket(Open, BOT);
    let finding = state.finding.take().unwrap();
    let account = finding.alias.account.clone();
    state
        .snapshot
        .coverage
        .seen
        .insert((account.clone(), finding.alias.region), 1);
    state.link.absent_reads = 1;
    let fact = AccountFact {
        id: account.clone(),
        name: "a".to_owned(),
        active: true,
    };
    state.snapshot.accounts = Some([(account, fact)].into());
    let action = only(state.plan());
    assert_eq!(
        (action.row, action.ticket),
        (18, TicketStep::Move { to: Resolved })
    );
    assert!(action.workflow.is_none(), "what is gone is not written");
}

#[test]
fn a_status_that_sticks_on_a_failing_finding_is_flagged_once() {
    let resolved = WorkflowStatus::Resolved;
    let stuck = || {
        let mut state = State::failing(resolved)
            .base(AT_RESOLVED, resolved)
            .ticket(Resolved, TEAM);
        state.link.base.as_mut().unwrap().workflow_by = Author::Theirs {
            identity: "kim".to_owned(),
            at: t(12),
            record: "k".to_owned(),
        };
        state.link.resolved_since = Some(t(12));
        state.now = t(12 + 25);
        state
    };
    let action = only(stuck().plan());
    assert_eq!(
        (action.row, action.ticket, action.alerts.len()),
        (17, TicketStep::Keep, 1)
    );
    let mut again = stuck();
    again.link = *action.after.unwrap();
    assert!(again.plan().is_empty());
    let action = only(stuck().policy(|p| p.recheck = Recheck::Reopen).plan());
    assert_eq!(action.ticket, TicketStep::Move { to: Open });
}

#[test]
fn markers_follow_what_a_finding_is_about_and_not_its_id() {
    let a = finding("FAILED", "ACTIVE", New);
    let mut b = finding("PASSED", "ARCHIVED", Notified);
    b.key.id = "another".to_owned();
    assert_eq!(Marker::of(&a.alias), Marker::of(&b.alias));
}
