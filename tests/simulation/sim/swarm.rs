//! What a seed chooses: how large the world is, which kinds of trouble it has, and how often. Some kinds are always off:
//! a world with everything in it never gets far (Groce et al. 2012, "Swarm testing").

use asaf::emulators::aws::AwsFault;
use asaf::emulators::faults::{Fault, When};
use asaf::emulators::jira::FaultKind;
use asaf::emulators::world::World;

use super::Mode;
use super::dice::Dice;
use super::process::Kind;

/// The choices of one seed.
#[derive(Clone, Debug)]
pub(crate) struct Swarm {
    pub(crate) accounts: usize,
    pub(crate) findings: usize,
    pub(crate) rounds: u64,
    pub(crate) kinds: [Kind; 2],
    /// Findings of one control in one account share a ticket.
    pub(crate) shares: bool,
    /// With the vendors' budgets, and quotas that keep them.
    pub(crate) budgets: bool,
    /// Weights of [`super::acts::ACTS`].
    pub(crate) acts: Vec<u32>,
    // How often, of 1,000 steps or rounds.
    pub(crate) crash: u32,
    pub(crate) pause: u32,
    pub(crate) refused: u32,
    pub(crate) lost: u32,
    pub(crate) late: u32,
    pub(crate) store_fails: u32,
    pub(crate) act_between: u32,
    pub(crate) mail_lost: u32,
    pub(crate) mail_doubled: u32,
    pub(crate) mail_delayed: u32,
    pub(crate) reload: u32,
    pub(crate) jump: u32,
    pub(crate) backup: u32,
    pub(crate) restore: u32,
    pub(crate) store_lost: u32,
}

impl Swarm {
    pub(crate) fn of(dice: &mut Dice, mode: Mode) -> Self {
        let mut some = |most: u64| {
            let on = dice.permille(600);
            let rate = dice.below(most + 1) as u32;
            if on { rate } else { 0 }
        };
        let (crash, refused, lost, late) = (some(25), some(30), some(30), some(30));
        let (store_fails, reload, jump) = (some(15), some(150), some(200));
        let (mail_lost, mail_doubled, mail_delayed) = (some(1_000), some(500), some(700));
        let (backup, restore, store_lost) = (some(400), some(150), some(60));
        let (pause, act_between) = (some(15), some(60));
        let hostile = mode == Mode::Hostile;
        let kind = |dice: &mut Dice| dice.pick(&[Kind::Serve, Kind::Serve, Kind::Timer]);
        let acts = super::acts::ACTS.iter().map(|(_, weight)| {
            let on = dice.permille(750);
            if on { *weight } else { 0 }
        });
        let acts = acts.collect();
        Swarm {
            accounts: 1 + dice.index(2),
            findings: 2 + dice.index(5),
            rounds: 4 + dice.below(7),
            kinds: [kind(dice), kind(dice)],
            shares: false,
            budgets: dice.permille(300),
            acts,
            crash,
            pause: if hostile { pause } else { 0 },
            refused,
            lost,
            late,
            store_fails,
            act_between: if hostile { act_between } else { 0 },
            mail_lost,
            mail_doubled,
            mail_delayed,
            reload,
            jump,
            backup,
            restore,
            store_lost,
        }
    }

    /// Findings share tickets, and there are more that can. Drawn apart: the rest of the history is that of the same seed
    /// without.
    pub(crate) fn share(&mut self, seed: u64) {
        let mut dice = Dice::new(seed.wrapping_add(0x5eee));
        self.shares = true;
        self.findings += 4 + dice.index(5);
    }

    /// Nobody takes a label off.
    pub(crate) fn keep_labels(&mut self) {
        for ((act, _), weight) in super::acts::ACTS.iter().zip(&mut self.acts) {
            if *act == super::acts::Act::Relabel {
                *weight = 0;
            }
        }
    }
}

/// Kinds of fault, with the operations that they are for and the highest rate of 1,000.
const AWS: &[(&str, u32)] = &[("", 20), ("BatchUpdateFindings", 80), ("GetFindings", 60)];

/// Arms some faults of both sides; each strikes by chance, the same for the same seed.
pub(crate) fn arm(world: &mut World, dice: &mut Dice) {
    for kind in aws_kinds() {
        let (operation, most) = match kind {
            AwsFault::Unprocessed { .. } => AWS[1],
            AwsFault::EmptyListing
            | AwsFault::TruncatedListing
            | AwsFault::EmptyPage
            | AwsFault::LostRegion { .. }
            | AwsFault::StaleRead { .. } => AWS[2],
            _ => AWS[0],
        };
        if let Some(when) = chance(dice, most) {
            let operation = operation.to_owned();
            world.aws.faults.arm(Fault {
                operation,
                kind,
                when,
            });
        }
    }
    for (kind, operation, most) in jira_kinds() {
        if let Some(when) = chance(dice, most) {
            let operation = operation.to_owned();
            world.jira.faults.arm(Fault {
                operation,
                kind,
                when,
            });
        }
    }
}

fn chance(dice: &mut Dice, most: u32) -> Option<When> {
    let on = dice.permille(350);
    let permille = 1 + dice.below(u64::from(most)) as u32;
    let seed = dice.number();
    on.then_some(When::Chance { permille, seed })
}

fn aws_kinds() -> Vec<AwsFault> {
    let region = |name: &str| AwsFault::LostRegion {
        region: name.to_owned(),
    };
    let unprocessed = |code: &str, every_nth| AwsFault::Unprocessed {
        code: code.to_owned(),
        every_nth,
    };
    vec![
        AwsFault::Throttled,
        AwsFault::InternalError,
        AwsFault::Unavailable,
        AwsFault::AccessDenied,
        AwsFault::ExpiredToken,
        AwsFault::DropBefore,
        AwsFault::ApplyThenDrop,
        unprocessed("ConcurrentUpdateError", 2),
        unprocessed("InternalFailure", 1),
        AwsFault::EmptyListing,
        AwsFault::TruncatedListing,
        AwsFault::EmptyPage,
        region("eu-west-1"),
        region("us-east-1"),
        AwsFault::StaleRead { seconds: 60 },
        AwsFault::StaleRead { seconds: 300 },
    ]
}

fn jira_kinds() -> Vec<(FaultKind, &'static str, u32)> {
    let throttled = |reason: &str, retry_after_s| FaultKind::TooManyRequests {
        reason: reason.to_owned(),
        retry_after_s,
    };
    vec![
        (throttled("jira-burst-based", 7), "", 25),
        (throttled("jira-quota-global-based", 90), "", 10),
        (throttled("jira-quota-tenant-based", 30), "", 10),
        (throttled("jira-per-issue-on-write", 4), "issue/", 25),
        (FaultKind::NearLimit, "", 25),
        (FaultKind::Unavailable { retry_after_s: 5 }, "", 25),
        (FaultKind::ServerError(500), "", 20),
        (FaultKind::ServerError(502), "issue/bulk$", 80),
        (FaultKind::HtmlError(503), "", 15),
        (FaultKind::HtmlError(504), "issue/bulk$", 80),
        (FaultKind::Unauthorized, "", 10),
        (FaultKind::ScopeMissing, "issue/bulk$", 20),
        (FaultKind::Forbidden, "issue/bulk$", 30),
        (FaultKind::NotFound, "/comment", 30),
        (FaultKind::Conflict, "transition", 60),
        (FaultKind::ApplyThenDrop, "", 15),
        (FaultKind::ApplyThenDrop, "issue/bulk$", 250),
        (FaultKind::DropBefore, "", 15),
        (FaultKind::SearchLag { seconds: 180 }, "issue/bulk$", 400),
        (FaultKind::SearchLag { seconds: 1_800 }, "issue/bulk$", 100),
        (FaultKind::SearchLag { seconds: 120 }, "transition", 300),
        (FaultKind::SearchFlicker { permille: 400 }, "search/jql", 80),
        (FaultKind::BulkTaskDies { after: 1 }, "bulk/issues", 100),
        (FaultKind::BulkTaskFails { issues: 1 }, "bulk/issues", 100),
        (FaultKind::BulkTaskSlow { seconds: 45 }, "bulk/issues", 200),
    ]
}
