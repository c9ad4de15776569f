//! Both sides as far as the table sees them: one finding, one ticket, and what applying an action does to them. Reads
//! show what was written at once; what a decision needs is asked as the engine asks it.

use std::collections::BTreeMap;
use std::fmt;

use asaf::decide::needs::needs;
use asaf::decide::{Policy, decide};
use asaf::model::{
    Author, Base, BaseTicket, Decision, DecisionKind, Finding, FindingState, Ignoring, Link, Move,
    RuleMatch, Ticket, TicketRef, TicketState, WorkflowStatus,
};
use asaf::plan::{Action, HeldReason, TicketStep};
use asaf::ports::{AccountFact, ResourceFact, WorkflowWrite};
use asaf::read::snapshot::{Missing, Snapshot};
use jiff::{SignedDuration, Timestamp};

use super::inputs::{Actor, Decided, F, Input, Rule, T, W, Writer};

pub(crate) const BOT: &str = "bot";
pub(crate) const TEAM: &str = "team";
pub(crate) const REVIEWER: &str = "reviewer";
pub(crate) const KIM: &str = "kim";

/// Rounds are this far apart.
const EVERY: SignedDuration = SignedDuration::from_mins(20);
/// When the model begins; people have acted between hours 6 and 20.
const START: i64 = 21;
/// When F last changed, where it has, and was last evaluated.
const CHANGED: i64 = 16;
const RESOURCE_DELETED: i64 = 17;

pub(crate) fn t(hours: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
}

/// The ticket in Jira.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum InJira {
    Absent,
    Is(TicketState),
    /// In a status that means nothing to us.
    Unmapped,
    NotFound,
    Unreadable,
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) input: Input,
    pub(crate) policy: Policy,
    pub(crate) now: Timestamp,
    pub(crate) finding: Option<Finding>,
    pub(crate) written: Option<Option<WorkflowWrite>>,
    pub(crate) ticket: InJira,
    pub(crate) moves: Vec<Move>,
    pub(crate) labels: Vec<String>,
    /// Tickets that are not closed and that no link names any more.
    pub(crate) orphans: usize,
    pub(crate) link: Option<Link>,
    /// Why nothing is decided.
    pub(crate) held: Option<HeldReason>,
    empty: Finding,
}

/// What a round did.
pub(crate) enum Round {
    Wrote(Box<Action>),
    /// It learnt something that a later round needs.
    Looked,
    /// Both sides agree: row 21 or 22.
    Settled(u8),
    Held(HeldReason),
}

impl Round {
    pub(crate) fn rows(&self) -> Vec<u8> {
        match self {
            Round::Wrote(action) => vec![action.row],
            Round::Looked => vec![],
            Round::Settled(row) => vec![*row],
            Round::Held(HeldReason::ClosedWhileFailing { .. }) => vec![7],
            Round::Held(_) => vec![1],
        }
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Round::Wrote(action) => write!(
                f,
                "row {}: ticket {:?}, status {:?}: {}",
                action.row,
                action.ticket,
                action.workflow.as_ref().map(|step| step.to),
                action.reason.sentence()
            ),
            Round::Looked => write!(f, "looks again"),
            Round::Settled(row) => write!(f, "row {row}: nothing to do"),
            Round::Held(why) => write!(f, "held: {why:?}"),
        }
    }
}

fn finding(f: F, w: WorkflowStatus) -> Finding {
    let (compliance, record) = match f {
        F::Unclear => ("NOT_AVAILABLE", "ACTIVE"),
        F::Passing => ("PASSED", "ACTIVE"),
        F::Archived => ("FAILED", "ARCHIVED"),
        _ => ("FAILED", "ACTIVE"),
    };
    let observed = if matches!(f, F::FailingAnew | F::Passing) {
        CHANGED
    } else {
        10
    };
    let mut value = serde_json::json!({
        "Id": "f", "AwsAccountId": "123456789012", "Title": "t", "RecordState": record,
        "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub",
        "Compliance": { "Status": compliance, "SecurityControlId": "S3.8" }, "Severity": { "Label": "HIGH" },
        "Workflow": { "Status": w.as_str() }, "FirstObservedAt": t(observed).to_string(),
        "UpdatedAt": t(CHANGED).to_string(), "LastObservedAt": t(10).to_string(),
        "Resources": [{ "Type": "AwsS3Bucket", "Id": "arn:aws:s3:::b" }],
    });
    if f == F::Alert {
        value.as_object_mut().unwrap().remove("Compliance");
        value["ProductArn"] = "arn:aws:securityhub:eu-west-1::product/aws/guardduty".into();
        value["Types"] = serde_json::json!(["TTPs/UnauthorizedAccess/x"]);
    }
    asaf::model::finding::asff::parse(&value).unwrap().finding
}

fn author(writer: Writer) -> Author {
    match writer {
        Writer::Ours => Author::Ours,
        Writer::Theirs(hour) => Author::Theirs {
            identity: KIM.to_owned(),
            at: t(hour),
            record: format!("{KIM}@{}", t(hour)),
        },
        Writer::Aws | Writer::Unknown => Author::Aws,
    }
}

fn write_of(writer: Writer, to: WorkflowStatus) -> Option<Option<WorkflowWrite>> {
    let write = |identity: Option<&str>, ours, hour| WorkflowWrite {
        identity: identity.map(str::to_owned),
        ours,
        at: t(hour),
        to,
    };
    match writer {
        Writer::Ours => Some(Some(write(Some("engine"), true, 11))),
        Writer::Theirs(hour) => Some(Some(write(Some(KIM), false, hour))),
        Writer::Aws => Some(Some(write(None, false, CHANGED))),
        Writer::Unknown => None,
    }
}

fn moved(actor: Actor, hour: i64, from: Option<TicketState>, to: TicketState) -> Move {
    let by = match actor {
        Actor::Bot => BOT,
        Actor::Team | Actor::Somebody => TEAM,
        Actor::Reviewer => REVIEWER,
    };
    Move {
        changelog_id: format!("{hour}"),
        by: by.to_owned(),
        by_name: by.to_owned(),
        at: t(hour),
        from,
        to: Some(to),
    }
}

fn rule() -> RuleMatch {
    RuleMatch {
        rule: "r".to_owned(),
        reason: "public on purpose".to_owned(),
        expires: jiff::civil::date(2027, 1, 31),
        origin: None,
    }
}

/// What the base says of T, and whether there is a link with a ticket.
fn before(ticket: T) -> Option<BaseTicket> {
    Some(match ticket {
        T::None | T::Unlinked => BaseTicket::None,
        T::Same(state, ..)
        | T::Moved(Some(state), ..)
        | T::DeletedOften(state)
        | T::NotFoundOnce(state)
        | T::Unreadable(state)
        | T::Unmapped(state) => BaseTicket::Is(state),
        T::Stale => BaseTicket::Is(TicketState::Open),
        T::ClosedLongAgo => BaseTicket::Is(TicketState::Closed),
        T::Deleted(state) => state.map_or(BaseTicket::Deleted, BaseTicket::Is),
        T::Moved(None, ..) => return None,
    })
}

fn link(input: &Input, finding: &Finding) -> Link {
    let mut link = Link::new(finding.alias.clone(), finding.severity);
    link.track(finding.key.clone());
    link.evaluated_at = Some(t(CHANGED));
    if input.t != T::None {
        link.ticket = Some(ticket_ref(1));
        link.content = match input.t {
            T::Stale => "older".to_owned(),
            _ => asaf::decide::content::content_hash(finding, finding.account_name.as_deref(), ""),
        };
    }
    link.base = before(input.t).map(|ticket| Base {
        ticket,
        workflow: input.w.base(),
        workflow_by: match input.w {
            W::Same(_, writer) => author(writer),
            W::Changed(..) => Author::Ours,
        },
        finding: input.base_f,
        episode: 1,
        episode_started_at: t(7),
        first_observed_at: (input.f != F::Alert).then(|| t(10)),
    });
    if input.w.base() == WorkflowStatus::Suppressed && author_is_ours(input.w) {
        link.ignored_by = Some(rule());
    }
    if before(input.t) == Some(BaseTicket::Is(TicketState::Closed)) {
        link.closed_at = Some(match input.t {
            T::ClosedLongAgo => t(START - 40 * 24),
            _ => t(6),
        });
    }
    match input.t {
        T::Deleted(Some(_)) | T::DeletedOften(_) => {
            link.ticket_absent_reads = 1;
            link.ticket_absent_at = Some(t(19));
        }
        _ => {}
    }
    if matches!(input.t, T::DeletedOften(_)) {
        link.deleted_by_people = 2;
    }
    if input.f.is_absent() && input.f != F::NotCovered {
        link.absent_reads = 1;
    }
    link.decision = decision(input);
    link
}

fn author_is_ours(w: W) -> bool {
    matches!(w, W::Same(_, Writer::Ours) | W::Changed(..))
}

fn decision(input: &Input) -> Option<Decision> {
    let kind = match input.decided {
        Decided::Nothing => return None,
        Decided::Accepted => DecisionKind::Resolved,
        Decided::Reopened => DecisionKind::Reopened,
    };
    Some(Decision {
        kind,
        by: TEAM.to_owned(),
        at: t(9),
        episode: 1,
        ticket_key: Some("SEC-1".to_owned()),
    })
}

fn ticket_ref(number: u64) -> TicketRef {
    TicketRef {
        id: number,
        key: format!("SEC-{number}"),
    }
}

impl World {
    pub(crate) fn of(input: &Input, policy: Policy) -> World {
        let shown = finding(input.f, input.w.now());
        let ticket = match input.t {
            T::None | T::Unlinked => InJira::Absent,
            T::Deleted(_) | T::DeletedOften(_) | T::NotFoundOnce(_) => InJira::NotFound,
            T::Unreadable(_) => InJira::Unreadable,
            T::Unmapped(_) => InJira::Unmapped,
            T::Same(..) | T::Moved(..) | T::Stale | T::ClosedLongAgo => {
                InJira::Is(input.t.state().unwrap())
            }
        };
        let moves = match input.t {
            T::Same(state, actor, hour) => vec![moved(actor, hour, None, state)],
            T::Moved(from, to, actor, hour) => vec![moved(actor, hour, from, to)],
            _ => vec![],
        };
        World {
            input: *input,
            policy,
            now: t(START),
            written: write_of(input.w.writer(), input.w.now()),
            ticket,
            moves,
            labels: vec![],
            orphans: 0,
            link: (input.t != T::Unlinked).then(|| link(input, &shown)),
            held: None,
            finding: (!input.f.is_absent()).then(|| shown.clone()),
            empty: shown,
        }
    }

    pub(crate) fn pass(&mut self, time: SignedDuration) {
        self.now += time;
    }

    /// F, as people would say it.
    pub(crate) fn state(&self) -> FindingState {
        self.finding
            .as_ref()
            .map_or(FindingState::Gone, Finding::state)
    }

    pub(crate) fn workflow(&self) -> Option<WorkflowStatus> {
        self.finding.as_ref().map(|finding| finding.workflow)
    }

    /// Reads, decides, applies.
    pub(crate) fn round(&mut self) -> Round {
        self.now += EVERY;
        let snapshot = self.snapshot();
        let plan = decide(&snapshot, &self.policy, self.now);
        assert!(
            plan.actions.len() + plan.held.len() <= 1,
            "one link, one decision"
        );
        let mut learnt = false;
        for noted in plan.noted {
            learnt = self.link.as_ref() != Some(&*noted);
            self.link = Some(*noted);
        }
        self.held = plan.held.into_iter().next().map(|held| held.why);
        if let Some(action) = plan.actions.into_iter().next() {
            self.apply(&action);
            return Round::Wrote(Box::new(action));
        }
        match &self.held {
            Some(_) if learnt => Round::Looked,
            Some(why) => Round::Held(why.clone()),
            None if self.state() == FindingState::Unclear => Round::Settled(21),
            None => Round::Settled(22),
        }
    }

    fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot {
            taken_at: self.now,
            ..Snapshot::default()
        };
        snapshot.people.bot = BOT.to_owned();
        let known = !matches!(self.input.t, T::Moved(_, _, Actor::Somebody, _));
        snapshot.people.reviewers = known.then(|| [REVIEWER.to_owned()].into());
        snapshot.coverage.full = true;
        let place = (
            self.empty.alias.account.clone(),
            self.empty.alias.region.clone(),
        );
        if self.input.f != F::NotCovered {
            snapshot.coverage.seen.insert(place.clone(), 1);
        }
        if let Some(finding) = &self.finding {
            snapshot
                .findings
                .insert(finding.key.clone(), Box::new(finding.clone()));
        }
        if let Some(link) = &self.link {
            self.read_ticket(link, &mut snapshot);
            snapshot.keep(link.clone());
        }
        if self.input.deleted {
            let resource = &self.empty.resources[0].id;
            snapshot
                .deletions
                .add(&place.0, &place.1, resource, t(RESOURCE_DELETED));
        }
        self.read_rules(&mut snapshot);
        self.answer(&mut snapshot);
        snapshot
    }

    fn read_ticket(&self, link: &Link, snapshot: &mut Snapshot) {
        let Some(at) = link.ticket.clone() else {
            return;
        };
        let state = match &self.ticket {
            InJira::Is(state) => Some(*state),
            InJira::Unmapped => None,
            InJira::NotFound => {
                snapshot.missing.insert(at.id, Missing::NotFound);
                return;
            }
            InJira::Unreadable | InJira::Absent => {
                snapshot.missing.insert(at.id, Missing::Unreadable);
                return;
            }
        };
        let ticket = Ticket {
            project: "SEC".to_owned(),
            status_id: "1".to_owned(),
            status_name: state.map_or("strange", TicketState::word).to_owned(),
            state,
            labels: self.labels.clone(),
            updated_at: None,
            property: None,
            at,
        };
        snapshot.tickets.insert(ticket.at.id, ticket);
    }

    fn read_rules(&self, snapshot: &mut Snapshot) {
        let marker = self.link.as_ref().map_or_else(
            || asaf::model::Marker::of(&self.empty.alias),
            |link| link.marker.clone(),
        );
        let covers = || BTreeMap::from([(marker.clone(), rule())]);
        snapshot.ignored = match self.input.rule {
            Rule::None => Ignoring::default(),
            Rule::Matches => Ignoring::Known(covers()),
            Rule::Unread { covered } => Ignoring::Unknown {
                why: "the branch is gone".to_owned(),
                last: if covered { covers() } else { BTreeMap::new() },
            },
        };
    }

    /// What the engine asks for besides, and no more.
    fn answer(&self, snapshot: &mut Snapshot) {
        let needs = needs(snapshot, &self.policy, self.now);
        for id in needs.moves {
            snapshot.moves.insert(id, self.moves.clone());
        }
        for key in needs.writers {
            if let Some(write) = &self.written {
                snapshot.writes.insert(key, write.clone());
            }
        }
        snapshot.resources.extend(needs.proven);
        for (marker, queries) in needs.resources {
            let fact = if self.input.deleted {
                ResourceFact::Deleted {
                    at: t(RESOURCE_DELETED),
                }
            } else {
                ResourceFact::Exists
            };
            snapshot
                .resources
                .insert(marker, queries.iter().map(|_| fact.clone()).collect());
        }
        if needs.accounts {
            let id = self.empty.alias.account.clone();
            let member = AccountFact {
                id: id.clone(),
                name: "payments".to_owned(),
                active: self.input.f != F::GoneWithItsAccount,
            };
            snapshot.accounts = Some([(id, member)].into());
        }
    }

    fn apply(&mut self, action: &Action) {
        let mut link = *action
            .after
            .clone()
            .expect("an action says what comes after");
        let number = self
            .link
            .as_ref()
            .and_then(|link| link.ticket.as_ref())
            .map_or(0, |ticket| ticket.id);
        match action.ticket {
            TicketStep::Keep | TicketStep::Update => {}
            TicketStep::Transfer => panic!("no policy of this model moves tickets: {action:?}"),
            TicketStep::Merge => panic!("no group is in this model: {action:?}"),
            TicketStep::Label => self.labels.push(asaf::model::DISPUTED_LABEL.to_owned()),
            TicketStep::Create | TicketStep::Replace => {
                if matches!(&self.ticket, InJira::Is(state) if *state != TicketState::Closed) {
                    self.orphans += 1;
                }
                self.ticket = InJira::Is(TicketState::Open);
                self.moves.clear();
                self.labels.clear();
                link.ticket = Some(ticket_ref(number + 1));
            }
            TicketStep::Move { to } => {
                let InJira::Is(from) = self.ticket else {
                    panic!("a ticket that is not there is moved: {action:?}")
                };
                self.moves.push(Move {
                    at: self.now,
                    ..moved(Actor::Bot, 0, Some(from), to)
                });
                self.ticket = InJira::Is(to);
            }
            TicketStep::Delete => {
                assert!(
                    matches!(self.ticket, InJira::Is(_)),
                    "deleted twice: {action:?}"
                );
                self.ticket = InJira::Absent;
                self.moves.clear();
            }
        }
        if let Some(step) = &action.workflow {
            let finding = self.finding.as_mut().expect("a finding that is there");
            finding.workflow = step.to;
            self.written = Some(Some(WorkflowWrite {
                identity: Some("engine".to_owned()),
                ours: true,
                at: self.now,
                to: step.to,
            }));
        }
        self.link = Some(link);
    }
}
