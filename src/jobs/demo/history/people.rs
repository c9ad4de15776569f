//! Who and what the invented history is about: teams, accounts with names and units, controls as they fail in practice.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::ticket;
use crate::emulators::world::seed::{Dice, account_id};
use crate::model::owner::{AccountRecord, Organisation};
use crate::model::{
    AliasKey, Author, Base, BaseTicket, FindingKey, FindingState, Link, LinkOwner, Severity,
    WorkflowStatus,
};

/// Accounts.
const ACCOUNTS: usize = 30;
/// Days after which every account has been taken in.
const TAKEN_IN: i64 = 150;

/// Teams: name, project, and how long they take.
const TEAMS: [(&str, &str, u64); 6] = [
    ("payments", "PAY", 1),
    ("web", "WEB", 2),
    ("data", "DATA", 3),
    ("mobile", "MOB", 2),
    ("platform", "PLAT", 2),
    ("security", "SEC", 1),
];
/// What accounts are for.
const STAGES: [&str; 5] = ["prod", "staging", "dev", "sandbox", "shared"];

use Severity::{Critical, High, Low, Medium};

/// Controls, how severe, how often of 100, and of which kind of resource.
const CONTROLS: [(&str, Severity, u64, &str); 14] = [
    ("IAM.3", Medium, 13, "iam:user/app"),
    ("IAM.5", Medium, 9, "iam:user/dev"),
    ("IAM.8", Medium, 7, "iam:user/old"),
    (
        "iam-policy-no-statements-with-admin-access",
        High,
        6,
        "iam:policy/admin",
    ),
    ("S3.8", High, 11, "s3:bucket"),
    ("S3.5", Medium, 9, "s3:bucket"),
    ("EC2.19", High, 8, "ec2:security-group/sg"),
    ("EC2.13", High, 6, "ec2:security-group/sg"),
    ("EC2.2", Low, 8, "ec2:security-group/default"),
    ("RDS.3", Medium, 7, "rds:db/orders"),
    ("Lambda.2", Medium, 6, "lambda:function/job"),
    ("KMS.4", Low, 5, "kms:key"),
    ("S3.2", Critical, 3, "s3:bucket"),
    ("EC2.25", Critical, 2, "ec2:launch-template/lt"),
];

fn team_of(account: usize) -> (&'static str, &'static str, u64) {
    TEAMS[account % TEAMS.len()]
}

fn stage_of(account: usize) -> &'static str {
    STAGES[account / TEAMS.len()]
}

/// What Organizations would say.
pub(super) fn organisation(now: Timestamp) -> Organisation {
    let record = |account: usize| {
        let (team, ..) = team_of(account);
        let record = AccountRecord {
            name: format!("{team}-{}", stage_of(account)),
            active: true,
            unit: Some(format!("/{}/{team}", stage_of(account))),
            tags: None,
        };
        (account_id(account), record)
    };
    Organisation {
        read_at: now,
        accounts: (0..ACCOUNTS).map(record).collect(),
    }
}

/// A configuration for looking at it; its addresses lead nowhere, so nothing can be run with it.
pub fn config_text() -> String {
    let mut text = "# A year of invented history, made by `asaf demo --history`. It is for looking only: the addresses\n\
         # lead nowhere.\n\
         [aws]\nregion = \"eu-west-1\"\naggregator = \"org\"\nendpoint_url = \"http://127.0.0.1:9\"\n\n\
         [jira]\nurl = \"http://127.0.0.1:9\"\nemail = \"demo@example.com\"\ntoken = \"env:ASAF_JIRA_TOKEN\"\n\
         reviewers = { group = \"security-reviewers\" }\n\n\
         [jira.statuses]\nopen = [\"Open\"]\nresolved = [\"Resolved\"]\nclosed = [\"Closed\"]\nignored = [\"Ignored\"]\n\n\
         [store]\npath = \"asaf.sqlite3\"\n\n[sla]\n\n\
         [owners]\ndefault = { team = \"security\", project = \"SEC\" }\n"
        .to_owned();
    for (index, (team, project, _)) in TEAMS.iter().enumerate() {
        let own: Vec<String> = (0..ACCOUNTS)
            .filter(|account| account % TEAMS.len() == index)
            .map(|account| format!("\"{}\"", account_id(account)))
            .collect();
        let _ = write!(
            text,
            "\n[[owners.rules]]\naccounts = [{}]\nteam = \"{team}\"\nproject = \"{project}\"\n",
            own.join(", ")
        );
    }
    text
}

/// The nth finding of the history, on an account that was taken in by that day, and how long its team takes.
pub(super) fn link(n: usize, day: i64, dice: &mut Dice, at: Timestamp) -> (Link, u64) {
    let known = (ACCOUNTS as i64 * (day + 8) / TAKEN_IN).clamp(3, ACCOUNTS as i64);
    let (first, second) = (dice.below(known as u64), dice.below(known as u64));
    // Accounts that were taken in early have more.
    let account = if dice.below(3) == 0 {
        first
    } else {
        first.min(second)
    };
    let account = usize::try_from(account).unwrap_or(0);
    let (team, project, slowness) = team_of(account);
    let (control, severity, resource) = control(dice.below(100));
    let region = if dice.below(5) == 0 {
        "us-east-1"
    } else {
        "eu-west-1"
    };
    let id = account_id(account);
    let alias = AliasKey {
        account: id.clone(),
        region: region.to_owned(),
        rule: control.to_lowercase(),
        resource: format!("arn:aws:{resource}-{n}"),
    };
    let is_config = control.starts_with("iam-");
    let product = if is_config { "config" } else { "securityhub" };
    let mut link = Link::new(alias, severity);
    link.rule = control.to_owned();
    link.title = format!("{control} (invented)");
    link.track(FindingKey {
        product_arn: format!("arn:aws:securityhub:{region}::product/aws/{product}"),
        id: format!("arn:aws:securityhub:{region}:{id}:invented/finding/{n}"),
    });
    link.ticket = Some(ticket(n, project));
    link.owner = Some(LinkOwner {
        team: team.to_owned(),
        project: project.to_owned(),
    });
    link.base = Some(Base {
        ticket: BaseTicket::None,
        workflow: WorkflowStatus::New,
        workflow_by: Author::Ours,
        finding: FindingState::Failing,
        episode: 1,
        episode_started_at: at,
        first_observed_at: Some(at),
    });
    (link, slowness)
}

fn control(roll: u64) -> (&'static str, Severity, &'static str) {
    let mut below = 0;
    for (control, severity, often, resource) in CONTROLS {
        below += often;
        if roll < below {
            return (control, severity, resource);
        }
    }
    ("S3.8", High, "s3:bucket")
}
