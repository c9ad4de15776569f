//! One finding with everything that deciding asks about it.

use super::shared::told;
use super::*;

pub(in crate::decide) const BOT: &str = "bot";
pub(in crate::decide) const REVIEWER: &str = "reviewer";
pub(in crate::decide) const TEAM: &str = "team";

pub(in crate::decide) fn t(hours: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
}

pub(in crate::decide) fn finding(compliance: &str, record: &str, w: WorkflowStatus) -> Finding {
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
pub(in crate::decide) fn agreed_on(ticket: BaseTicket, workflow: WorkflowStatus) -> Base {
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
pub(in crate::decide) fn moves(all: &[(&str, TicketState, TicketState, i64)]) -> Vec<Move> {
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

pub(in crate::decide) const RESOLVED: WorkflowStatus = WorkflowStatus::Resolved;

/// Failing since hour 10, with an open ticket on which both sides agree.
pub(in crate::decide) fn open() -> State {
    State::failing(Notified)
        .base(OPEN, Notified)
        .ticket(Open, BOT)
}

/// A complete read at hour 20 that shows nothing yet.
pub(in crate::decide) fn complete() -> Snapshot {
    let mut snapshot = Snapshot {
        taken_at: t(20),
        ..Snapshot::default()
    };
    snapshot.people.bot = BOT.to_owned();
    snapshot.people.reviewers = Some([REVIEWER.to_owned()].into());
    snapshot.coverage.full = true;
    snapshot
}

/// One link with everything that deciding asks about it.
pub(in crate::decide) struct State {
    pub(in crate::decide) finding: Option<Finding>,
    pub(in crate::decide) link: Link,
    pub(in crate::decide) snapshot: Snapshot,
    pub(in crate::decide) policy: Policy,
    pub(in crate::decide) now: Timestamp,
}

impl State {
    /// A finding that has failed since hour 10, with a ticket on which both sides agreed as open and NOTIFIED.
    pub(in crate::decide) fn failing(w: WorkflowStatus) -> Self {
        let finding = finding("FAILED", "ACTIVE", w);
        let mut link = Link::new(finding.alias.clone(), finding.severity);
        link.track(finding.key.clone());
        link.content =
            crate::decide::content::content_hash(&finding, finding.account_name.as_deref(), "");
        let state = State {
            finding: Some(finding),
            link,
            snapshot: complete(),
            policy: Policy::default(),
            now: t(20),
        };
        state.base(BaseTicket::None, New)
    }

    pub(in crate::decide) fn base(mut self, ticket: BaseTicket, workflow: WorkflowStatus) -> Self {
        self.link.base = Some(agreed_on(ticket, workflow));
        self
    }

    pub(in crate::decide) fn base_finding(mut self, finding: FindingState) -> Self {
        self.link.base.as_mut().unwrap().finding = finding;
        self
    }

    pub(in crate::decide) fn by_aws(mut self) -> Self {
        self.link.base.as_mut().unwrap().workflow_by = Author::Aws;
        self
    }

    pub(in crate::decide) fn is(mut self, compliance: &str, record: &str) -> Self {
        let w = self.finding.as_ref().unwrap().workflow;
        self.finding = Some(finding(compliance, record, w));
        self
    }

    /// A ticket in this state, last moved by this person at hour 15.
    pub(in crate::decide) fn ticket(mut self, state: TicketState, by: &str) -> Self {
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

    pub(in crate::decide) fn missing(mut self, reads: u32) -> Self {
        self.link.ticket = Some(TicketRef {
            id: 1,
            key: "SEC-1".to_owned(),
        });
        self.link.ticket_absent_reads = reads;
        self.snapshot.missing.insert(1, Missing::NotFound);
        self
    }

    /// Somebody set the status in Security Hub at this hour.
    pub(in crate::decide) fn set_by_hand(mut self, hour: i64) -> Self {
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
    pub(in crate::decide) fn decided(mut self) -> Self {
        self.link.decision = Some(crate::model::Decision {
            kind: crate::model::DecisionKind::Closed,
            by: REVIEWER.to_owned(),
            at: t(15),
            episode: 1,
            ticket_key: None,
        });
        self
    }

    pub(in crate::decide) fn resource_deleted(mut self) -> Self {
        self.snapshot.resources.insert(
            self.link.marker.clone(),
            vec![ResourceFact::Deleted { at: t(16) }],
        );
        self
    }

    pub(in crate::decide) fn rule(mut self) -> Self {
        let rule = RuleMatch {
            rule: "r".to_owned(),
            reason: "public on purpose".to_owned(),
            expires: jiff::civil::date(2027, 1, 31),
            origin: Some("pull request #12".to_owned()),
        };
        self.snapshot.ignored = Ignoring::Known([(self.link.marker.clone(), rule)].into());
        self
    }

    /// So many complete reads before this one did not show the finding; what Organizations says of its account.
    pub(in crate::decide) fn absent(mut self, reads: u32, active: Option<bool>) -> Self {
        self.finding = None;
        self.link.absent_reads = reads;
        let (account, region) = (&self.link.alias.account, &self.link.alias.region);
        let place = (account.clone(), region.clone());
        self.snapshot.coverage.seen.insert(place, 1);
        let fact = active.map(|active| AccountFact {
            id: account.clone(),
            name: "a".to_owned(),
            active,
        });
        self.snapshot.accounts = fact.map(|fact| [(account.clone(), fact)].into());
        self
    }

    /// Another finding of the same link, with an id of its own.
    pub(in crate::decide) fn twin(mut self, w: WorkflowStatus) -> Self {
        let mut twin = self.finding.clone().unwrap();
        twin.key.id = "twin".to_owned();
        twin.workflow = w;
        self.link.track(twin.key.clone());
        let findings = &mut self.snapshot.findings;
        findings.insert(twin.key.clone(), Box::new(twin));
        self
    }

    /// The first change of compliance that AWS tells of since both sides agreed was at hour 17.
    pub(in crate::decide) fn fails_anew(mut self) -> Self {
        self.finding.as_mut().unwrap().first_observed_at = Some(t(17));
        self
    }

    pub(in crate::decide) fn policy(mut self, change: impl Fn(&mut Policy)) -> Self {
        change(&mut self.policy);
        self
    }

    pub(in crate::decide) fn status(mut self, w: WorkflowStatus) -> Self {
        self.finding.as_mut().unwrap().workflow = w;
        self
    }

    pub(in crate::decide) fn plan(self) -> Plan {
        let (snapshot, policy, now) = self.seen();
        decide(&snapshot, &policy, now)
    }

    /// The link's next row, or the one that it has, and what is done.
    pub(in crate::decide) fn outcome(self) -> (Link, Vec<String>) {
        let known = self.link.clone();
        let plan = self.plan();
        let done = told(&plan);
        let rows = plan.actions.into_iter().filter_map(|action| action.after);
        let mut rows = rows.chain(plan.noted);
        (rows.next().map_or(known, |row| *row), done)
    }

    /// The link's next row, or the one that it has.
    pub(in crate::decide) fn after(self) -> Link {
        self.outcome().0
    }

    /// What a run sees.
    pub(in crate::decide) fn seen(mut self) -> (Snapshot, Policy, Timestamp) {
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

pub(in crate::decide) fn only(plan: Plan) -> Action {
    assert!(plan.held.is_empty(), "{:?}", plan.held);
    assert_eq!(plan.actions.len(), 1, "{plan:?}");
    plan.actions.into_iter().next().unwrap()
}

pub(in crate::decide) const OPEN: BaseTicket = BaseTicket::Is(Open);
pub(in crate::decide) const AT_RESOLVED: BaseTicket = BaseTicket::Is(Resolved);
pub(in crate::decide) const AT_CLOSED: BaseTicket = BaseTicket::Is(Closed);
pub(in crate::decide) const AT_IGNORED: BaseTicket = BaseTicket::Is(Ignored);
