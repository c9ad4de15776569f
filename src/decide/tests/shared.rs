//! Tickets that several findings share: which of them speak for the ticket, and whom a person's word on it is about.

use super::*;
use crate::decide::grouping::home;
use crate::model::{Grouping, Intent, Member, Standing};

/// Findings of one control in one account, with the ticket that they share.
pub(super) struct Shared {
    pub(super) snapshot: Snapshot,
    policy: Policy,
    pub(super) group: Link,
    pub(super) members: Vec<(Finding, Link)>,
}

fn finding_of(n: usize, w: WorkflowStatus) -> Finding {
    let mut finding = finding("FAILED", "ACTIVE", w);
    finding.key.id = format!("f{n}");
    let resource = format!("arn:aws:s3:::b{n}");
    finding.resources[0].id.clone_from(&resource);
    finding.alias.resource = resource;
    finding
}

/// A ticket in this state, on which both sides agreed, of so many findings that fail since hour 10.
pub(super) fn agreed(n: usize, state: TicketState, w: WorkflowStatus) -> Shared {
    let snapshot = complete();
    let policy = Policy {
        grouping: Grouping::AccountControl,
        ..Policy::default()
    };
    let alias = home(&finding_of(0, w), &snapshot.owners, policy.grouping).unwrap();
    let mut group = Link::new(alias, finding_of(0, w).severity);
    group.base = Some(agreed_on(BaseTicket::Is(state), w));
    let mut shared = Shared {
        snapshot,
        policy,
        group,
        members: Vec::new(),
    }
    .ticket(state, BOT);
    for n in 0..n {
        let finding = finding_of(n, w);
        let mut link = Link::new(finding.alias.clone(), finding.severity);
        link.track(finding.key.clone());
        link.base = Some(agreed_on(BaseTicket::None, w));
        link.member = Some(Box::new(Member {
            of: shared.group.marker.clone(),
            standing: Standing::Fails { unclear: false },
            account_name: String::new(),
            named: true,
        }));
        shared.group.members.push(link.marker.clone());
        shared.members.push((finding, link));
    }
    shared
}

impl Shared {
    /// The ticket as read, last moved by this person at hour 15.
    pub(super) fn ticket(mut self, state: TicketState, by: &str) -> Self {
        let read = State::failing(New).ticket(state, by).snapshot;
        self.snapshot.tickets = read.tickets;
        self.snapshot.moves = read.moves;
        self.group.ticket = Some(self.snapshot.tickets[&1].at.clone());
        self
    }

    pub(super) fn without_ticket(mut self) -> Self {
        (self.group.ticket, self.group.base) = (None, None);
        self.snapshot.tickets.clear();
        self.snapshot.moves.clear();
        self
    }

    pub(super) fn is(mut self, n: usize, compliance: &str, record: &str) -> Self {
        let known = &mut self.members[n].0;
        let read = finding(compliance, record, known.workflow);
        (known.compliance, known.record) = (read.compliance, read.record);
        self
    }

    pub(super) fn status(mut self, n: usize, w: WorkflowStatus) -> Self {
        self.members[n].0.workflow = w;
        self
    }

    /// Somebody set the status in Security Hub at this hour.
    pub(super) fn set_by_hand(self, n: usize, w: WorkflowStatus, hour: i64) -> Self {
        let mut state = self.status(n, w);
        let write = WorkflowWrite {
            identity: Some("kim".to_owned()),
            ours: false,
            at: t(hour),
            to: w,
        };
        let key = state.members[n].0.key.clone();
        state.snapshot.writes.insert(key, Some(write));
        state
    }

    /// One more that fails, which no link knows.
    pub(super) fn more(mut self) -> Self {
        let finding = finding_of(self.members.len(), New);
        let link = Link::new(finding.alias.clone(), finding.severity);
        self.members.push((finding, link));
        self
    }

    /// Another finding of the same link, with an id of its own.
    pub(super) fn twin(mut self, n: usize, w: WorkflowStatus) -> Self {
        let (finding, link) = &mut self.members[n];
        let mut twin = Finding::clone(finding);
        twin.key.id += "-twin";
        twin.workflow = w;
        link.track(twin.key.clone());
        let findings = &mut self.snapshot.findings;
        findings.insert(twin.key.clone(), Box::new(twin));
        self
    }

    /// What a reviewer accepted when the ticket was closed.
    pub(super) fn accepted(mut self) -> Self {
        let decision = State::failing(New).decided().link.decision;
        self.group.decision.clone_from(&decision);
        for (_, link) in &mut self.members {
            link.decision.clone_from(&decision);
        }
        self
    }

    pub(super) fn deleted(mut self, n: usize) -> Self {
        let marker = self.members[n].1.marker.clone();
        let proof = vec![ResourceFact::Deleted { at: t(16) }];
        self.snapshot.resources.insert(marker, proof);
        self
    }

    pub(super) fn rule(mut self, n: usize) -> Self {
        let mut rules = match self.snapshot.ignored {
            Ignoring::Known(rules) => rules,
            Ignoring::Unknown { .. } => Default::default(),
        };
        let rule = State::failing(New).rule();
        let Ignoring::Known(one) = rule.snapshot.ignored else {
            unreachable!("a rule was given")
        };
        let marker = self.members[n].1.marker.clone();
        rules.extend(one.into_values().map(|rule| (marker.clone(), rule)));
        self.snapshot.ignored = Ignoring::Known(rules);
        self
    }

    pub(super) fn narrow(mut self) -> Self {
        self.snapshot.coverage.full = false;
        self
    }

    /// The finding is not among those that were read.
    pub(super) fn absent(mut self, n: usize) -> Self {
        self.members[n].0.sample = true;
        self
    }

    pub(super) fn policy(mut self, change: impl Fn(&mut Policy)) -> Self {
        change(&mut self.policy);
        self
    }

    pub(super) fn plan(self) -> Plan {
        let (snapshot, policy) = self.seen();
        decide(&snapshot, &policy, t(20))
    }

    /// What a run sees.
    pub(super) fn seen(mut self) -> (Snapshot, Policy) {
        let place =
            |finding: &Finding| (finding.alias.account.clone(), finding.alias.region.clone());
        for (finding, link) in self.members {
            if !finding.sample {
                self.snapshot.coverage.seen.insert(place(&finding), 1);
                let key = finding.key.clone();
                self.snapshot.findings.insert(key, Box::new(finding));
            }
            if link.base.is_some() {
                self.snapshot.keep(link);
            }
        }
        if self.group.base.is_some() {
            self.snapshot.keep(self.group);
        }
        (self.snapshot, self.policy)
    }
}

/// Each action as `row, what happens to the ticket, status and the findings that get it`, and what is held.
pub(super) fn told(plan: &Plan) -> Vec<String> {
    let mut told: Vec<String> = plan
        .actions
        .iter()
        .map(|action| {
            let mut text = format!("{} {:?}", action.row, action.ticket);
            if let Some(step) = &action.workflow {
                text += &format!(" {}", step.to.as_str());
                for key in &step.findings {
                    text += &format!(" {}", key.id);
                }
            }
            text
        })
        .collect();
    told.sort();
    told.extend(
        plan.held
            .iter()
            .map(|held| format!("held {}", held.why.word())),
    );
    told
}

/// The next row of a finding's link: its action's, or what is noted, or else what its ticket's action says.
pub(super) fn next(plan: &Plan, n: usize) -> Option<&Link> {
    let marker = Marker::of(&finding_of(n, New).alias);
    let is = |link: &&Link| link.marker == marker;
    let own = plan
        .actions
        .iter()
        .find_map(|action| action.after.as_deref().filter(is));
    let noted = plan.noted.iter().map(Box::as_ref).find(is);
    assert!(own.is_none() || noted.is_none(), "{marker} has two rows");
    let mut shared = plan.actions.iter().flat_map(|action| &action.members);
    own.or(noted).or_else(|| shared.find(is))
}

/// What the next row of a finding says that it is to its ticket.
fn standing(plan: &Plan, n: usize) -> Option<String> {
    Some(next(plan, n)?.member.as_ref()?.standing.sentence())
}

/// A state, what is done, and what the first findings are to the ticket then.
pub(super) type Row = (Shared, &'static [&'static str], [Option<&'static str>; 2]);

pub(super) fn assert_all(rows: Vec<Row>) {
    for (n, (state, done, standings)) in rows.into_iter().enumerate() {
        let plan = state.plan();
        assert_eq!(told(&plan), done, "case {n}: {plan:#?}");
        for (member, expected) in standings.into_iter().enumerate() {
            let found = standing(&plan, member);
            if let Some(expected) = expected {
                assert_eq!(
                    found.as_deref(),
                    Some(expected),
                    "finding {member} of case {n}"
                );
            }
        }
    }
}

#[test]
fn the_ticket_follows_those_that_fail_and_the_others_go_their_own_way() {
    let open = || agreed(2, Open, Notified);
    let passes = |state: Shared, n| state.is(n, "PASSED", "ACTIVE");
    let by_kim = |state: Shared, n, w| state.set_by_hand(n, w, 16);
    let (fails, fixed, gone) = (Some("fails"), Some("fixed"), Some("resource deleted"));
    let ruled = Some("ignored until 2027-01-31 by the rule r");
    let hidden = Some("suppressed in Security Hub by kim");
    let set = Some("set to RESOLVED in Security Hub by kim");
    assert_all(vec![
        (open(), &[], [fails, fails]),
        (
            open().is(0, "NOT_AVAILABLE", "ACTIVE"),
            &[],
            [Some("could not be checked"), fails],
        ),
        (passes(open(), 0), &["18 Keep RESOLVED f0"], [fixed, fails]),
        (
            passes(passes(open(), 0), 1),
            &["18 Move { to: Resolved } RESOLVED f0 f1"],
            [fixed, fixed],
        ),
        (open().deleted(0), &["4 Keep RESOLVED f0"], [gone, fails]),
        (
            open().deleted(0).deleted(1),
            &["4 Delete RESOLVED f0 f1"],
            [gone, gone],
        ),
        (
            passes(open(), 0).deleted(1),
            &["18 Move { to: Resolved } RESOLVED f0", "4 Keep RESOLVED f1"],
            [fixed, gone],
        ),
        (open().rule(0), &["5 Keep SUPPRESSED f0"], [ruled, fails]),
        (
            open().rule(0).rule(1),
            &["5 Move { to: Ignored } SUPPRESSED f0 f1"],
            [ruled, ruled],
        ),
        (by_kim(open(), 0, Suppressed), &[], [hidden, fails]),
        (
            by_kim(by_kim(open(), 0, Suppressed), 1, Suppressed),
            &["9 Move { to: Ignored }"],
            [hidden, hidden],
        ),
        // A rule speaks for the ticket rather than a hand.
        (
            by_kim(open().rule(1), 0, Suppressed),
            &["5 Move { to: Ignored } SUPPRESSED f1"],
            [hidden, ruled],
        ),
        (by_kim(open(), 0, RESOLVED), &[], [set, fails]),
        (
            by_kim(by_kim(open(), 0, RESOLVED), 1, RESOLVED),
            &["11 Move { to: Resolved }"],
            [set, set],
        ),
        // What somebody suppressed after it had stopped says nothing of the others that did.
        (
            by_kim(passes(passes(open(), 0), 1), 0, Suppressed),
            &["18 Move { to: Resolved } RESOLVED f1"],
            [fixed, fixed],
        ),
    ]);
}

#[test]
fn a_word_on_the_ticket_is_about_those_that_failed_when_it_was_said() {
    let open = || agreed(2, Open, Notified);
    let closed = || agreed(2, Resolved, RESOLVED).ticket(Closed, REVIEWER);
    let taken_back = |hour| closed().set_by_hand(0, New, hour);
    let (fails, accepted) = (Some("fails"), Some("accepted by reviewer"));
    assert_all(vec![
        (
            open().ticket(Resolved, TEAM),
            &["6 Keep RESOLVED f0 f1"],
            [fails, fails],
        ),
        (
            open().ticket(Closed, TEAM),
            &["2 Move { to: Open }"],
            [fails, fails],
        ),
        (closed(), &[], [fails, fails]),
        (
            agreed(2, Closed, RESOLVED).accepted(),
            &[],
            [accepted, accepted],
        ),
        (
            agreed(2, Closed, RESOLVED)
                .accepted()
                .ticket(Open, REVIEWER),
            &["8 Keep NOTIFIED f0 f1"],
            [fails, fails],
        ),
        (open().more(), &["16 Keep NOTIFIED f2"], [fails, fails]),
        // What the ticket did not name waits for the next run, which opens the ticket for it.
        (closed().more(), &["held fails_since"], [fails, fails]),
        (
            open().ticket(Resolved, TEAM).more(),
            &["6 Keep RESOLVED f0 f1", "held fails_since"],
            [fails, fails],
        ),
        (
            agreed(2, Closed, RESOLVED).accepted().more(),
            &["14 Move { to: Open } NOTIFIED f2"],
            [accepted, accepted],
        ),
        // Nothing of what it was said of fails any more.
        (
            agreed(1, Open, Notified)
                .is(0, "PASSED", "ACTIVE")
                .ticket(Resolved, TEAM)
                .more(),
            &["14 Move { to: Open } NOTIFIED f1", "18 Keep RESOLVED f0"],
            [Some("fixed"), fails],
        ),
        (taken_back(16), &["held fails_since"], [fails, fails]),
        (taken_back(14), &["7 Keep RESOLVED f0"], [fails, fails]),
        (
            taken_back(16).set_by_hand(1, New, 16),
            &["14 Move { to: Open } NOTIFIED f0 f1"],
            [fails, fails],
        ),
    ]);
}

/// The findings that the next rows of members name, with whether the ticket names them.
pub(super) fn named(plan: &Plan) -> Vec<(&str, bool)> {
    let members = plan.actions.iter().flat_map(|action| &action.members);
    members
        .map(|link| {
            let named = link.member.as_ref().is_some_and(|member| member.named);
            (link.findings[0].id.as_str(), named)
        })
        .collect()
}

#[test]
fn a_new_ticket_names_all_of_them_and_one_that_stands_what_is_written_into_it() {
    let mut made = agreed(2, Open, New).without_ticket();
    for (_, link) in &mut made.members {
        link.member.as_mut().unwrap().named = false;
    }
    let plan = made.plan();
    assert_eq!(told(&plan), ["15 Create NOTIFIED f0 f1"]);
    assert_eq!(named(&plan), [("f0", true), ("f1", true)]);
    assert_eq!(plan.actions[0].after.as_ref().unwrap().members.len(), 2);
    let mut shared = agreed(1, Open, Notified).more();
    let plan = {
        shared.group.content = "another".to_owned();
        shared.plan()
    };
    assert_eq!(told(&plan), ["16 Update NOTIFIED f1"]);
    assert_eq!(named(&plan), [("f0", true), ("f1", true)]);
    let plan = agreed(1, Open, Notified).more().plan();
    assert_eq!(told(&plan), ["16 Keep NOTIFIED f1"]);
    assert_eq!(named(&plan), [("f0", true), ("f1", false)]);
}

#[test]
fn who_leaves_or_joins_a_shared_ticket_waits_until_the_one_before_is_closed() {
    let split = agreed(2, Open, Notified).policy(|policy| policy.grouping = Grouping::Finding);
    let group = split.group.marker.clone();
    let plan = split.plan();
    assert_eq!(told(&plan), ["15 Create", "15 Create", "16 Merge"]);
    let markers = plan.actions.iter().map(|action| &action.marker);
    assert!(markers.is_sorted());
    let mut creates = plan.actions.iter().filter(|action| action.row == 15);
    assert!(creates.all(|action| action.waits_for == [group.clone()]));
    // What has a ticket of its own gives it up.
    let mut joins = agreed(2, Open, Notified);
    let (_, link) = &mut joins.members[0];
    link.member = None;
    link.ticket = Some(TicketRef {
        id: 2,
        key: "SEC-2".to_owned(),
    });
    link.base = Some(agreed_on(OPEN, Notified));
    let own = link.marker.clone();
    let mut ticket = joins.snapshot.tickets[&1].clone();
    ticket.at = link.ticket.clone().unwrap();
    joins.snapshot.tickets.insert(2, ticket);
    joins.group.content = "another".to_owned();
    let plan = joins.plan();
    assert_eq!(told(&plan), ["16 Merge", "16 Update"]);
    let update = plan
        .actions
        .iter()
        .find(|action| action.ticket == TicketStep::Update);
    assert_eq!(update.unwrap().waits_for, [own]);
}

#[test]
fn nothing_is_done_to_a_shared_ticket_whose_create_is_in_doubt() {
    let mut state = agreed(2, Open, Notified).ticket(Resolved, TEAM);
    let intent = Intent {
        marker: state.group.marker.clone(),
        project: "SEC".to_owned(),
        attempt: "1".to_owned(),
        at: t(19),
        link: Box::new(state.group.clone()),
        highest_known: 0,
    };
    state.snapshot.intents.insert(intent.marker.clone(), intent);
    assert_eq!(told(&state.plan()), ["held intent_in_doubt"]);
}

#[test]
fn people_read_how_many_resources_fail_and_in_which_accounts() {
    let mut shared = agreed(3, Open, Notified)
        .ticket(Resolved, TEAM)
        .is(2, "PASSED", "ACTIVE");
    for (n, account) in ["111111111111", "222222222222", "111111111111"]
        .iter()
        .enumerate()
    {
        let (finding, link) = &mut shared.members[n];
        (*account).clone_into(&mut finding.alias.account);
        link.alias = finding.alias.clone();
        let marker = Marker::of(&link.alias);
        shared.group.members[n] = marker.clone();
        link.marker = marker;
    }
    let alias = crate::model::AliasKey::of_team("", "s3.8");
    shared.group.marker = Marker::of(&alias);
    shared.group.alias = alias;
    for (_, link) in &mut shared.members {
        link.member.as_mut().unwrap().of = shared.group.marker.clone();
    }
    let plan = shared
        .policy(|policy| policy.grouping = Grouping::ControlTeam)
        .plan();
    let action = plan.actions.iter().find(|action| action.row == 6).unwrap();
    let subject = &action.subject;
    assert_eq!(subject.resource, "2 resources");
    assert_eq!(subject.account, "111111111111");
    assert_eq!(subject.other_accounts, ["222222222222"]);
    assert_eq!(subject.ticket.as_deref(), Some("SEC-1"));
    let one = agreed(2, Open, Notified)
        .is(0, "PASSED", "ACTIVE")
        .ticket(Resolved, TEAM)
        .plan();
    let action = one.actions.iter().find(|action| action.row == 6).unwrap();
    assert_eq!(action.subject.resource, "1 resource");
}
