//! Who and what the invented history is about: teams, accounts with names and units, controls as they fail in practice.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::ticket;
use crate::emulators::world::seed::{Dice, account_id};
use crate::model::owner::{AccountRecord, Organisation};
use crate::model::{
    AliasKey, Author, Base, BaseTicket, Decision, DecisionKind, FindingKey, FindingState, Link,
    LinkOwner, Severity, WorkflowStatus,
};
use crate::store::rules::{RememberedFile, RememberedRules};

/// Accounts.
pub(in crate::jobs::demo) const ACCOUNTS: usize = 30;
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
/// Somebody of each team, in the same order.
const PEOPLE: [&str; 6] = [
    "Pat Payments",
    "Wanda Web",
    "Dana Data",
    "Mo Mobile",
    "Pia Platform",
    "Sasha Security",
];
/// What accounts are for.
const STAGES: [&str; 5] = ["prod", "staging", "dev", "sandbox", "shared"];

use Severity::{Critical, High, Low, Medium};

/// Controls, how severe, how often of 100, of which kind of resource, and what fails.
const CONTROLS: [(&str, Severity, u64, &str, &str); 14] = [
    (
        "IAM.3",
        Medium,
        13,
        "iam:user/app",
        "An access key is older than 90 days",
    ),
    (
        "IAM.5",
        Medium,
        9,
        "iam:user/dev",
        "A user logs in without a second factor",
    ),
    (
        "IAM.8",
        Medium,
        7,
        "iam:user/old",
        "A user has not been used for 90 days",
    ),
    (
        "iam-policy-no-statements-with-admin-access",
        High,
        6,
        "iam:policy/admin",
        "A policy allows everything",
    ),
    (
        "S3.8",
        High,
        11,
        "s3:bucket",
        "A bucket does not block public access",
    ),
    (
        "S3.5",
        Medium,
        9,
        "s3:bucket",
        "A bucket takes requests without TLS",
    ),
    (
        "EC2.19",
        High,
        8,
        "ec2:security-group/sg",
        "A security group opens a risky port to everybody",
    ),
    (
        "EC2.13",
        High,
        6,
        "ec2:security-group/sg",
        "A security group opens SSH to everybody",
    ),
    (
        "EC2.2",
        Low,
        8,
        "ec2:security-group/default",
        "A default security group lets traffic through",
    ),
    (
        "RDS.3",
        Medium,
        7,
        "rds:db/orders",
        "A database is not encrypted",
    ),
    (
        "Lambda.2",
        Medium,
        6,
        "lambda:function/job",
        "A function uses a runtime that has ended",
    ),
    ("KMS.4", Low, 5, "kms:key", "A key is never rotated"),
    (
        "S3.2",
        Critical,
        3,
        "s3:bucket",
        "A bucket can be read by everybody",
    ),
    (
        "EC2.25",
        Critical,
        2,
        "ec2:launch-template/lt",
        "A launch template gives public addresses",
    ),
];

/// Ignore rules: their id, how the controls begin that they cover, who answers for them, why, and days until they end. The
/// last one covers the rest.
const RULES: [(&str, &str, &str, &str, i64); 3] = [
    (
        "public-website",
        "S3.",
        "web",
        "These buckets hold the public website.",
        163,
    ),
    (
        "users-until-sso",
        "IAM.",
        "platform",
        "Users of build servers go when single sign-on comes.",
        26,
    ),
    (
        "sandbox-networks",
        "",
        "platform",
        "Sandboxes have no way in from outside, and hold nothing of value.",
        91,
    ),
];

/// The rule that covers a control.
pub(super) fn rule_of(control: &str) -> &'static str {
    let mut rules = RULES.iter();
    let found = rules.find(|(_, begins, ..)| control.starts_with(begins));
    found.map_or("", |(id, ..)| id)
}

/// Why a control is ignored.
pub(super) fn reason_of(control: &str) -> &'static str {
    let id = rule_of(control);
    let found = RULES.iter().find(|(known, ..)| *known == id);
    found.map_or("", |(_, _, _, reason, _)| reason)
}

/// The last day of a rule.
pub(super) fn ends(rule: &str, now: Timestamp) -> Date {
    let today = TimeZone::UTC.to_datetime(now).date();
    let found = RULES.iter().find(|(known, ..)| *known == rule);
    today.saturating_add(found.map_or(0, |(.., days)| *days).days())
}

/// Why something was done.
pub(super) fn why(action: &str) -> &'static str {
    match action {
        "create" => "The finding fails, and nothing tracks it.",
        "resolve" => "The team has resolved the ticket; security reviews it.",
        "close" => "A reviewer has closed the ticket.",
        "reopen" => "A reviewer has opened the ticket again.",
        "ignore" => "An ignore rule covers the finding.",
        "delete" => "AWS Config recorded that the resource was deleted.",
        _ => "",
    }
}

/// The rules as they would have been read.
pub(super) fn rules(now: Timestamp) -> RememberedRules {
    let mut text = String::new();
    for (id, _, owner, reason, _) in RULES {
        let covered = CONTROLS.iter().map(|(control, ..)| *control);
        let covered = covered.filter(|control| rule_of(control) == id);
        let covered: Vec<&str> = covered.collect();
        let _ = write!(
            text,
            "[[ignore]]\nid = \"{id}\"\ncontrols = {covered:?}\nreason = \"{reason}\"\nowner = \"{owner}\"\nrequested_by = \"{}\"\nexpires = {}\n\n",
            person_of(owner),
            ends(id, now)
        );
    }
    RememberedRules {
        source: "invented/ignore-rules".to_owned(),
        commit: "invented".to_owned(),
        etag: None,
        read_at: now,
        files: vec![RememberedFile {
            path: "rules/invented.toml".to_owned(),
            sha: "invented".to_owned(),
            text,
        }],
        origins: BTreeMap::new(),
        applied: None,
    }
}

fn person_of(team: &str) -> &'static str {
    let known = TEAMS.iter().position(|(name, ..)| *name == team);
    known.map_or("somebody", |n| PEOPLE[n])
}

/// Somebody of the link's team has resolved its ticket.
pub(super) fn resolved(link: &Link, at: Timestamp) -> Decision {
    let team = link.owner.as_ref().map_or("", |owner| owner.team.as_str());
    Decision {
        kind: DecisionKind::Resolved,
        by: person_of(team).to_owned(),
        at,
        episode: 1,
        ticket_key: link.ticket.as_ref().map(|ticket| ticket.key.clone()),
    }
}

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
    let (control, severity, resource, title) = control(dice.below(100));
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
        resource: arn(resource, region, &id, n),
    };
    let is_config = control.starts_with("iam-");
    let product = if is_config { "config" } else { "securityhub" };
    let mut link = Link::new(alias, severity);
    link.rule = control.to_owned();
    link.title = title.to_owned();
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

fn arn(resource: &str, region: &str, account: &str, n: usize) -> String {
    let (service, name) = resource.split_once(':').unwrap_or((resource, ""));
    match service {
        "s3" => format!("arn:aws:s3:::{name}-{n}"),
        "iam" => format!("arn:aws:iam::{account}:{name}-{n}"),
        _ => format!("arn:aws:{service}:{region}:{account}:{name}-{n}"),
    }
}

fn control(roll: u64) -> (&'static str, Severity, &'static str, &'static str) {
    let mut below = 0;
    for (control, severity, often, resource, title) in CONTROLS {
        below += often;
        if roll < below {
            return (control, severity, resource, title);
        }
    }
    let (control, severity, _, resource, title) = CONTROLS[4];
    (control, severity, resource, title)
}
