//! What waits, in which order, and what the evidence says to a claim: one link and what was read of it in, one row out.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use jiff::{SignedDuration, Timestamp};

use super::{ConfigSays, Evidence, How, Review, Source, Verdict, Waiting, Why, render};
use crate::decide::Policy;
use crate::decide::policy::CloseWhileFailing;
use crate::model::{
    Author, Base, BaseTicket, Decision, DecisionKind, Dispute, Finding, FindingState, Link, Move,
    Ticket, TicketRef, TicketState, WorkflowStatus,
};
use crate::ports::ResourceFact;
use crate::read::snapshot::Snapshot;

use TicketState::{Closed, Open, Resolved};

const BOT: &str = "bot";

fn t(hours: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
}

fn finding(compliance: &str, evaluated_at: Timestamp) -> Finding {
    let value = serde_json::json!({
        "Id": "f", "AwsAccountId": "123456789012", "AwsAccountName": "shop", "Title": "Buckets must not be public",
        "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub", "RecordState": "ACTIVE",
        "Compliance": { "Status": compliance, "SecurityControlId": "S3.8" }, "Severity": { "Label": "HIGH" },
        "Workflow": { "Status": "RESOLVED" }, "FirstObservedAt": t(1).to_string(),
        "UpdatedAt": evaluated_at.to_string(), "LastObservedAt": evaluated_at.to_string(),
        "Resources": [{ "Type": "AwsS3Bucket", "Id": "arn:aws:s3:::b" }],
    });
    crate::model::finding::asff::parse(&value).unwrap().finding
}

/// A failing finding, checked at hour 5, whose ticket Pat resolved at hour 10; it is hour 20.
struct State {
    link: Link,
    snapshot: Snapshot,
    policy: Policy,
    is_fresh: bool,
}

impl State {
    fn claimed() -> Self {
        let finding = finding("FAILED", t(5));
        let mut link = Link::new(finding.alias.clone(), finding.severity);
        link.track(finding.key.clone());
        link.ticket = Some(TicketRef {
            id: 7,
            key: "PAY-7".to_owned(),
        });
        let mut snapshot = Snapshot {
            taken_at: t(20),
            ..Snapshot::default()
        };
        snapshot.people.bot = BOT.to_owned();
        snapshot
            .findings
            .insert(finding.key.clone(), Box::new(finding));
        let state = State {
            link,
            snapshot,
            policy: Policy::default(),
            is_fresh: true,
        };
        state
            .agreed(Resolved)
            .stands(Resolved)
            .moved("pat", Resolved, 10)
    }

    /// Both sides agreed on this.
    fn agreed(mut self, ticket: TicketState) -> Self {
        self.link.base = Some(Base {
            ticket: BaseTicket::Is(ticket),
            workflow: WorkflowStatus::Resolved,
            workflow_by: Author::Ours,
            finding: FindingState::Failing,
            episode: 1,
            episode_started_at: t(1),
            first_observed_at: Some(t(1)),
        });
        self
    }

    fn stands(mut self, state: TicketState) -> Self {
        let ticket = Ticket {
            at: self.link.ticket.clone().unwrap(),
            project: "PAY".to_owned(),
            status_id: "1".to_owned(),
            status_name: state.word().to_owned(),
            state: Some(state),
            labels: Vec::new(),
            updated_at: None,
            property: None,
        };
        self.snapshot.tickets.insert(7, ticket);
        self
    }

    fn moved(mut self, by: &str, to: TicketState, hour: i64) -> Self {
        let moves = self.snapshot.moves.entry(7).or_default();
        moves.push(Move {
            changelog_id: moves.len().to_string(),
            by: by.to_owned(),
            by_name: format!("{by}'s name"),
            at: t(hour),
            from: None,
            to: Some(to),
        });
        self
    }

    fn found(mut self, compliance: &str, hour: i64) -> Self {
        let finding = finding(compliance, t(hour));
        self.snapshot
            .findings
            .insert(finding.key.clone(), Box::new(finding));
        self
    }

    fn decided(mut self, kind: DecisionKind, hour: i64) -> Self {
        self.link.decision = Some(Decision {
            kind,
            by: "kim".to_owned(),
            at: t(hour),
            episode: 1,
            ticket_key: None,
        });
        self
    }

    fn config(mut self, facts: &[ResourceFact]) -> Self {
        let marker = self.link.marker.clone();
        self.snapshot.resources.insert(marker, facts.to_vec());
        self
    }

    fn offline(mut self) -> Self {
        self.is_fresh = false;
        self.link.evaluated_at = Some(t(5));
        self.snapshot.findings.clear();
        self.snapshot.tickets.clear();
        self.snapshot.moves.clear();
        self
    }

    fn rows(&self) -> Vec<Waiting> {
        let mut snapshot = self.snapshot.clone();
        snapshot.keep(self.link.clone());
        let evidence = Evidence {
            snapshot: &snapshot,
            is_fresh: self.is_fresh,
            policy: &self.policy,
            team_of: &|_| "payments".to_owned(),
        };
        evidence.waiting()
    }

    fn row(&self) -> Waiting {
        let mut rows = self.rows();
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0)
    }

    fn review(&self) -> Review {
        Review {
            at: self.snapshot.taken_at,
            source: Source::Now,
            waiting: self.rows(),
            paused: Vec::new(),
            gaps: Vec::new(),
        }
    }
}

#[test]
fn a_claim_names_who_and_when_and_waits_since_then() {
    let row = State::claimed().row();
    let claim = row.claim.unwrap();
    assert_eq!((claim.how, claim.by.as_str()), (How::Jira, "pat's name"));
    assert_eq!((claim.at, row.since), (t(10), t(10)));
    assert_eq!((row.why, row.team.as_str()), (Why::Review, "payments"));
    assert_eq!(row.account_name.as_deref(), Some("shop"));
}

#[test]
fn the_evidence_answers_the_claim() {
    let deleted = |hour| ResourceFact::Deleted { at: t(hour) };
    let unknown = ResourceFact::Unknown {
        why: "no aggregator".to_owned(),
    };
    let claimed = State::claimed;
    let cases = [
        (
            "failed before the claim",
            claimed(),
            Verdict::NotCheckedSince,
        ),
        (
            "failed after it",
            claimed().found("FAILED", 12),
            Verdict::StillFailing,
        ),
        (
            "warns after it",
            claimed().found("WARNING", 12),
            Verdict::StillFailing,
        ),
        ("passes", claimed().found("PASSED", 12), Verdict::Verified),
        (
            "cannot be checked",
            claimed().found("NOT_AVAILABLE", 12),
            Verdict::Unclear,
        ),
        (
            "the resource went after the check",
            claimed().config(&[deleted(6)]),
            Verdict::ResourceDeleted,
        ),
        (
            "it was checked after the resource went",
            claimed().found("FAILED", 12).config(&[deleted(6)]),
            Verdict::StillFailing,
        ),
        (
            "one of two resources exists",
            claimed().config(&[deleted(6), ResourceFact::Exists]),
            Verdict::NotCheckedSince,
        ),
        (
            "Config knows only one of two",
            claimed().config(&[deleted(6), unknown]),
            Verdict::NotCheckedSince,
        ),
    ];
    for (case, state, expected) in cases {
        assert_eq!(state.row().verdict, expected, "{case}");
    }
    let mut unseen = claimed();
    unseen.snapshot.findings.clear();
    assert_eq!(unseen.row().verdict, Verdict::Unknown);
    unseen.link.base.as_mut().unwrap().finding = FindingState::Gone;
    assert_eq!(unseen.row().verdict, Verdict::Stopped);
}

#[test]
fn the_worst_of_several_findings_speaks() {
    let mut state = State::claimed().found("PASSED", 12);
    let mut second = finding("FAILED", t(13));
    second.key.id = "g".to_owned();
    state.link.track(second.key.clone());
    state
        .snapshot
        .findings
        .insert(second.key.clone(), Box::new(second));
    assert_eq!(state.row().verdict, Verdict::StillFailing);
}

#[test]
fn where_the_engine_moved_the_ticket_the_decision_behind_it_is_the_claim() {
    let by_engine = |state: State| {
        let mut state = state;
        state.snapshot.moves.clear();
        state.moved(BOT, Resolved, 11)
    };
    let claim = by_engine(State::claimed()).row().claim.unwrap();
    assert_eq!((claim.how, claim.by.as_str()), (How::Stopped, "asaf"));
    let decided = State::claimed().decided(DecisionKind::ResolvedInSecurityHub, 9);
    let claim = by_engine(decided).row().claim.unwrap();
    assert_eq!(
        (claim.how, claim.by.as_str(), claim.at),
        (How::SecurityHub, "kim", t(9))
    );
    // A reviewer's reopening is no claim, and neither is a decision of an earlier episode.
    let reopened = State::claimed().decided(DecisionKind::Reopened, 9);
    assert_eq!(by_engine(reopened).row().claim.unwrap().how, How::Stopped);
    let mut earlier = State::claimed().decided(DecisionKind::Resolved, 9);
    earlier.link.decision.as_mut().unwrap().episode = 0;
    assert_eq!(by_engine(earlier).row().claim.unwrap().how, How::Stopped);
}

#[test]
fn only_what_waits_is_listed() {
    assert!(State::claimed().stands(Open).rows().is_empty());
    assert!(
        State::claimed().stands(Closed).rows().is_empty(),
        "by default a close counts"
    );
    let mut deleted = State::claimed();
    deleted.link.ticket = None;
    assert!(deleted.rows().is_empty());
    let mut hidden = State::claimed();
    hidden.snapshot.tickets.clear();
    assert!(hidden.rows().is_empty());
}

#[test]
fn a_close_that_the_policy_holds_waits_until_the_finding_stops_or_it_is_taken_in() {
    let held = || {
        let mut state = State::claimed().stands(Closed).moved("robin", Closed, 15);
        state.policy.close_while_failing = CloseWhileFailing::Hold;
        state
    };
    let row = held().row();
    assert_eq!((row.why, row.since), (Why::ClosedWhileFailing, t(15)));
    assert!(held().found("PASSED", 16).rows().is_empty());
    assert!(held().agreed(Closed).rows().is_empty());
}

#[test]
fn a_dispute_waits_whatever_the_ticket_is() {
    let mut state = State::claimed().stands(Open);
    state.link.dispute = Some(Dispute {
        row: 2,
        at: t(18),
        labelled: true,
    });
    assert!(state.rows().is_empty(), "the label is off: it is settled");
    let ticket = state.snapshot.tickets.get_mut(&7).unwrap();
    ticket.labels.push("asaf-disputed".to_owned());
    let row = state.row();
    assert_eq!((row.why, row.since), (Why::Dispute { row: 2 }, t(18)));
    let text = render::text(&state.review(), None);
    assert!(text.contains("take the label asaf-disputed off"), "{text}");
}

#[test]
fn from_the_store_the_links_own_memory_speaks() {
    let row = State::claimed()
        .decided(DecisionKind::Resolved, 9)
        .offline()
        .row();
    assert_eq!(row.verdict, Verdict::NotCheckedSince);
    assert_eq!(row.claim.unwrap().at, t(9));
    assert_eq!(row.config, ConfigSays::NotAsked);
    assert_eq!(row.security_hub.workflow, Some(WorkflowStatus::Resolved));
    let mut deleted = State::claimed().offline();
    deleted.link.resource_deleted_at = Some(t(6));
    assert_eq!(deleted.row().verdict, Verdict::ResourceDeleted);
}

#[test]
fn the_longest_waiting_is_first() {
    let mut snapshot = State::claimed().snapshot;
    for (id, hour) in [(1, 12), (2, 8), (3, 10)] {
        let mut state = State::claimed();
        state.link.marker = crate::model::Marker(format!("asaf-{id}"));
        state.link.ticket = Some(TicketRef {
            id,
            key: format!("PAY-{id}"),
        });
        let mut ticket = state.snapshot.tickets.remove(&7).unwrap();
        ticket.at.id = id;
        snapshot.tickets.insert(id, ticket);
        let moved = State::claimed().snapshot.moves.remove(&7).unwrap().pop();
        let moved = Move {
            at: t(hour),
            ..moved.unwrap()
        };
        snapshot.moves.insert(id, vec![moved]);
        snapshot.keep(state.link);
    }
    let evidence = Evidence {
        snapshot: &snapshot,
        is_fresh: true,
        policy: &Policy::default(),
        team_of: &|_| String::new(),
    };
    let keys: Vec<String> = evidence
        .waiting()
        .into_iter()
        .map(|row| row.ticket)
        .collect();
    assert_eq!(keys, ["PAY-2", "PAY-3", "PAY-1"]);
}

#[test]
fn text_of_others_is_only_text() {
    let mut state = State::claimed();
    let key = state.link.findings.first().unwrap().clone();
    let hostile = "a\u{1b}[31m | b\n`c` [d](https://e.example)";
    state.snapshot.findings.get_mut(&key).unwrap().title = hostile.to_owned();
    hostile.clone_into(&mut state.snapshot.moves.get_mut(&7).unwrap()[0].by_name);
    let text = render::text(&state.review(), Some(120));
    assert!(!text.contains('\u{1b}'), "{text}");
    let markdown = render::markdown(&state.review());
    let rows: Vec<&str> = markdown
        .lines()
        .filter(|line| line.starts_with('|'))
        .collect();
    assert_eq!(rows.len(), 3, "one row for one ticket: {markdown}");
    let cells = rows[2].replace("\\|", "").matches('|').count();
    assert_eq!(cells, 8, "no cell ends early: {markdown}");
    assert!(!markdown.contains('\u{1b}'), "{markdown}");
}

#[test]
fn a_reviewer_reads_who_what_and_what_aws_says() {
    let text = render::text(&State::claimed().found("FAILED", 12).review(), None);
    for said in [
        "1 ticket waits for security (read now).",
        "10h 0m",
        "PAY-7",
        "HIGH",
        "payments",
        "S3.8",
        "Buckets must not be public",
        "shop (123456789012)",
        "resolved by pat's name, 1970-01-01 10:00 UTC",
        "STILL FAILING, checked after the claim",
        "Security Hub: FAILED, RESOLVED, checked 1970-01-01 12:00 UTC",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let nothing = State::claimed().stands(Open).review();
    assert_eq!(
        render::text(&nothing, None),
        "Nothing waits for security (read now).\n"
    );
}
