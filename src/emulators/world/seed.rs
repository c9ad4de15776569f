//! Worlds to begin with: an organisation of so many accounts with so many findings, the same for the same seed.

mod documents;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use super::World;
use crate::emulators::config::Item;
use crate::emulators::github::{GitHub, Part, Protection};

pub(super) use documents::{CONTROLS, Form, Place, item};

/// The delegated administrator of the emulated organisation.
pub const HOME_ACCOUNT: &str = "111111111111";
/// Its home Region.
pub const REGION: &str = "eu-west-1";

/// The role in member accounts that may read AWS Config.
pub const MEMBER_ROLE: &str = "asaf-config-read";

/// The secret in the home account that holds the bot's Jira token, where a world is served.
pub const JIRA_SECRET: &str = "asaf/jira";

/// Teams, with their Jira projects; the first one owns what nobody else does.
pub const TEAMS: [(&str, &str); 8] = [
    ("security", "SEC"),
    ("payments", "PAY"),
    ("web", "WEB"),
    ("data", "DATA"),
    ("mobile", "MOB"),
    ("platform", "PLAT"),
    ("search", "SRCH"),
    ("ml", "ML"),
];

const REGIONS: [&str; 3] = [REGION, "us-east-1", "ap-northeast-1"];

/// The engine's own user on GitHub.
pub const GITHUB_BOT: &str = "asaf[bot]";

/// Everybody on GitHub.
pub const GITHUB_USERS: [(&str, Part); 5] = [
    (GITHUB_BOT, Part::Bot),
    ("github-actions[bot]", Part::Bot),
    ("pat", Part::Product),
    ("robin", Part::Security),
    ("mallory", Part::Outsider),
];

/// The repository with ignore rules.
pub const RULES: &str = "acme/rules";

/// A repository for ignore rules: empty, protected, with security as code owner.
pub fn rules(world: &mut World, site: &str) {
    let now = world.now();
    world.github = GitHub::new(site);
    world.github.add_user("acme", Part::Bot);
    for (login, part) in GITHUB_USERS {
        world.github.add_user(login, part);
    }
    let files = [
        ("README.md", "# Ignore rules of acme\n"),
        (
            "ignore/README.md",
            "Reviewed rules stand here, one file for each team.\n",
        ),
        (
            ".github/CODEOWNERS",
            "/ignore/ @acme/security\n/.github/ @acme/security\n",
        ),
    ];
    let protection = Protection {
        approvals: 1,
        code_owners: true,
        by_ruleset: false,
    };
    world
        .github
        .add_repository(RULES, &files, Some(protection), now);
}

/// The part of an `asaf.toml` that reads the rules of [`rules`].
pub fn ignore_text(github_url: &str) -> String {
    format!(
        "\n[ignore]\nrepository = \"{RULES}\"\nurl = \"{github_url}\"\ntoken = \"env:ASAF_GITHUB_TOKEN\"\n\
         approvers = [\"@acme/security\"]\n"
    )
}

/// A small generator with a fixed sequence for each seed (64-bit LCG, Knuth's constants).
pub struct Dice(u64);

impl Dice {
    /// Seeds the generator.
    pub fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(2).wrapping_add(1))
    }

    /// A number below `n`; 0 if `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        if n == 0 { 0 } else { (self.0 >> 33) % n }
    }
}

/// The id of the nth member account.
pub fn account_id(n: usize) -> String {
    format!("{:012}", 200_000_000_000_u64 + n as u64)
}

/// The team of the nth member account.
pub fn team_of(n: usize) -> (&'static str, &'static str) {
    TEAMS[n % TEAMS.len()]
}

fn stage_of(n: usize) -> &'static str {
    ["prod", "staging", "dev"][n % 3]
}

fn account_name(n: usize) -> String {
    format!("{}-{}-{n}", team_of(n).0, stage_of(n))
}

/// Fills a world: accounts with owners, findings of several products, their resources in Config, Jira projects. All
/// this was there before anybody listened to events.
pub fn fill(world: &mut World, accounts: usize, findings: usize, seed: u64) {
    let accounts = accounts.max(1);
    for (team, key) in TEAMS {
        world.jira.add_project(key, team);
    }
    for n in 0..accounts {
        let (team, _) = team_of(n);
        let id = account_id(n);
        let tags = BTreeMap::from([("owner".to_owned(), team.to_owned())]);
        world.aws.organizations.add_account(
            &id,
            &account_name(n),
            &format!("/{}/{team}", stage_of(n)),
            tags,
        );
        world.aws.hub.add_member(&id);
    }
    let found = found(accounts, findings, seed, world.now());
    let World { aws, journal, .. } = world;
    aws.hub.announces = false;
    aws.config.announces = false;
    // The two services know nothing of each other.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let items = found.iter().filter_map(Found::item);
            items.for_each(|item| aws.config.discover(item));
        });
        let mut moulds = HashMap::new();
        for one in &found {
            let mould = moulds
                .entry(one.form)
                .or_insert_with(|| aws.hub.mould(one.form.document(&Place::marked())));
            aws.hub.cast(mould, &one.place().texts(), one.at, journal);
        }
    });
    aws.hub.announces = true;
    aws.config.announces = true;
}

/// A finding that a seed has chosen.
struct Found {
    form: Form,
    /// Which finding, and of which account.
    n: usize,
    account: usize,
    region: &'static str,
    at: Timestamp,
}

impl Found {
    fn place(&self) -> Place {
        let (id, name) = (account_id(self.account), account_name(self.account));
        Place::new(self.n, id, name, self.region, self.at)
    }

    fn item(&self) -> Option<Item> {
        match self.form {
            Form::Control { pick, .. } => item(&self.place(), pick, self.at),
            Form::GuardDuty | Form::Inspector => None,
        }
    }
}

/// What is found where, the same for the same seed.
fn found(accounts: usize, findings: usize, seed: u64, now: Timestamp) -> Vec<Found> {
    let mut dice = Dice::new(seed);
    let mut below = |n: usize| usize::try_from(dice.below(n as u64)).unwrap_or(0);
    let one = |n: usize| {
        let account = below(accounts);
        let region = REGIONS[below(10).saturating_sub(7)];
        let hours = i64::try_from(2 + below(18)).unwrap_or(2);
        let at = now - SignedDuration::from_hours(hours);
        let form = match below(20) {
            0 => Form::GuardDuty,
            1 => Form::Inspector,
            _ => Form::Control {
                pick: below(CONTROLS.len()),
                passed: below(20) == 0,
            },
        };
        Found {
            form,
            n,
            account,
            region,
            at,
        }
    };
    (0..findings).map(one).collect()
}

/// An `asaf.toml` that works against a world of so many accounts.
pub fn config_text(
    aws_url: &str,
    jira_url: &str,
    bot_email: &str,
    store: &str,
    accounts: usize,
) -> String {
    let mut text = format!(
        "[aws]\nregion = \"{REGION}\"\naggregator = \"org\"\nmember_role = \"{MEMBER_ROLE}\"\nendpoint_url = \"{aws_url}\"\n\n\
         [jira]\nurl = \"{jira_url}\"\nemail = \"{bot_email}\"\ntoken = \"env:ASAF_JIRA_TOKEN\"\nissue_type = \"Task\"\n\
         reviewers = {{ group = \"security-reviewers\" }}\n\n\
         [jira.statuses]\nopen = [\"Open\", \"In Progress\"]\nresolved = [\"Resolved\"]\nclosed = [\"Closed\"]\nignored = [\"Ignored\"]\n\n\
         [store]\npath = \"{store}\"\n\n[run]\nunlimited = true\ncreate_quarantine = \"2s\"\n\n\
         [owners]\ndefault = {{ team = \"security\", project = \"SEC\" }}\n"
    );
    for (index, (team, project)) in TEAMS.iter().enumerate().skip(1) {
        let own: Vec<String> = (0..accounts)
            .filter(|n| n % TEAMS.len() == index)
            .map(|n| format!("\"{}\"", account_id(n)))
            .collect();
        if !own.is_empty() {
            let _ = write!(
                text,
                "\n[[owners.rules]]\naccounts = [{}]\nteam = \"{team}\"\nproject = \"{project}\"\n",
                own.join(", ")
            );
        }
    }
    text
}
