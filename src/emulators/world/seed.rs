//! Worlds to begin with: an organisation of so many accounts with so many findings, the same for the same seed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::World;
use crate::emulators::config::Item;
use crate::emulators::github::{GitHub, Part, Protection};

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

/// (control, severity, title, ASFF type, Config type, ARN with `{r}` Region, `{a}` account, `{n}` number)
pub(super) const CONTROLS: [(&str, &str, &str, &str, &str, &str); 12] = [
    (
        "S3.8",
        "HIGH",
        "S3 buckets should block public access",
        "AwsS3Bucket",
        "AWS::S3::Bucket",
        "arn:aws:s3:::{a}-data-{n}",
    ),
    (
        "S3.5",
        "MEDIUM",
        "S3 buckets should require TLS",
        "AwsS3Bucket",
        "AWS::S3::Bucket",
        "arn:aws:s3:::{a}-logs-{n}",
    ),
    (
        "EC2.19",
        "CRITICAL",
        "Security groups should not open high-risk ports to the world",
        "AwsEc2SecurityGroup",
        "AWS::EC2::SecurityGroup",
        "arn:aws:ec2:{r}:{a}:security-group/sg-{n}",
    ),
    (
        "EC2.3",
        "MEDIUM",
        "EBS volumes should be encrypted",
        "AwsEc2Volume",
        "AWS::EC2::Volume",
        "arn:aws:ec2:{r}:{a}:volume/vol-{n}",
    ),
    (
        "EC2.8",
        "HIGH",
        "EC2 instances should use IMDSv2",
        "AwsEc2Instance",
        "AWS::EC2::Instance",
        "arn:aws:ec2:{r}:{a}:instance/i-{n}",
    ),
    (
        "Lambda.1",
        "CRITICAL",
        "Lambda functions should not be public",
        "AwsLambdaFunction",
        "AWS::Lambda::Function",
        "arn:aws:lambda:{r}:{a}:function:job-{n}",
    ),
    (
        "KMS.4",
        "MEDIUM",
        "KMS keys should rotate",
        "AwsKmsKey",
        "AWS::KMS::Key",
        "arn:aws:kms:{r}:{a}:key/key-{n}",
    ),
    (
        "SNS.1",
        "MEDIUM",
        "SNS topics should be encrypted",
        "AwsSnsTopic",
        "AWS::SNS::Topic",
        "arn:aws:sns:{r}:{a}:topic-{n}",
    ),
    (
        "DynamoDB.2",
        "MEDIUM",
        "DynamoDB tables should have backups",
        "AwsDynamoDbTable",
        "AWS::DynamoDB::Table",
        "arn:aws:dynamodb:{r}:{a}:table/table-{n}",
    ),
    (
        "IAM.3",
        "MEDIUM",
        "IAM users' access keys should be rotated",
        "AwsIamUser",
        "AWS::IAM::User",
        "arn:aws:iam::{a}:user/user-{n}",
    ),
    (
        "CloudTrail.2",
        "MEDIUM",
        "CloudTrail should be encrypted",
        "AwsCloudTrailTrail",
        "AWS::CloudTrail::Trail",
        "arn:aws:cloudtrail:{r}:{a}:trail/trail-{n}",
    ),
    (
        "Config.1",
        "LOW",
        "AWS Config should be enabled",
        "AwsAccount",
        "",
        "AWS::::Account:{a}",
    ),
];

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
    world.aws.hub.announces = false;
    world.aws.config.announces = false;
    let now = world.now();
    let mut dice = Dice::new(seed);
    for n in 0..findings {
        let account = usize::try_from(dice.below(accounts as u64)).unwrap_or(0);
        let region = REGIONS[usize::try_from(dice.below(10).saturating_sub(7)).unwrap_or(0)];
        let age_h = i64::try_from(2 + dice.below(18)).unwrap_or(2);
        let place = Place {
            n,
            account: account_id(account),
            account_name: account_name(account),
            region: region.to_owned(),
            resource: None,
            updated: now - SignedDuration::from_hours(age_h),
        };
        let finding = match dice.below(20) {
            0 => guardduty(&place),
            1 => inspector(&place),
            _ => {
                let pick = usize::try_from(dice.below(CONTROLS.len() as u64)).unwrap_or(0);
                let passed = dice.below(20) == 0;
                control(world, &place, pick, passed)
            }
        };
        let first = place.updated;
        world.aws.hub.import(finding, first, &mut world.journal);
    }
    world.aws.hub.announces = true;
    world.aws.config.announces = true;
}

/// Where and when a finding is found.
pub(super) struct Place {
    /// Its number; ids and ARNs are made from it.
    pub(super) n: usize,
    pub(super) account: String,
    pub(super) account_name: String,
    pub(super) region: String,
    /// The ARN of what it is found in; default a new one of the control's kind.
    pub(super) resource: Option<String>,
    pub(super) updated: Timestamp,
}

impl Place {
    fn common(&self, product: &str, severity: &str, title: &str) -> Value {
        let created = self.updated - SignedDuration::from_hours(24 * 7);
        json!({
            "SchemaVersion": "2018-10-08",
            "ProductArn": format!("arn:aws:securityhub:{}::product/aws/{product}", self.region),
            "AwsAccountId": self.account,
            "AwsAccountName": self.account_name,
            "Region": self.region,
            "CreatedAt": created.to_string(),
            "UpdatedAt": self.updated.to_string(),
            "FirstObservedAt": created.to_string(),
            "LastObservedAt": self.updated.to_string(),
            "Severity": { "Label": severity, "Original": severity },
            "Title": title,
            "RecordState": "ACTIVE",
            "Workflow": { "Status": "NEW" },
        })
    }
}

/// A finding of the control at `pick`, whose resource AWS Config learns of.
pub(super) fn control(world: &mut World, place: &Place, pick: usize, passed: bool) -> Value {
    let (control, severity, title, kind, config_kind, arn) = CONTROLS[pick % CONTROLS.len()];
    let account = place.account.clone();
    let number = format!("{:08x}", place.n);
    let made = arn
        .replace("{r}", &place.region)
        .replace("{a}", &account)
        .replace("{n}", &number);
    let arn = place.resource.clone().unwrap_or(made);
    let mut finding = place.common(
        "securityhub",
        if passed { "INFORMATIONAL" } else { severity },
        title,
    );
    finding["Severity"]["Original"] = json!(severity);
    finding["Id"] = json!(format!(
        "arn:aws:securityhub:{}:{account}:security-control/{control}/finding/{:08x}-0000-4000-8000-000000000000",
        place.region, place.n
    ));
    finding["GeneratorId"] = json!(format!("security-control/{control}"));
    finding["Description"] = json!(format!(
        "Control {control} checks this setting of every resource of its kind."
    ));
    finding["Types"] =
        json!(["Software and Configuration Checks/Industry and Regulatory Standards"]);
    finding["Compliance"] =
        json!({ "Status": if passed { "PASSED" } else { "FAILED" }, "SecurityControlId": control });
    finding["Workflow"]["Status"] = json!(if passed { "RESOLVED" } else { "NEW" });
    finding["Remediation"]["Recommendation"] = json!({
        "Text": "The control's page says how to correct this.",
        "Url": format!("https://docs.aws.amazon.com/console/securityhub/{control}/remediation"),
    });
    finding["Resources"] =
        json!([{ "Type": kind, "Id": arn, "Partition": "aws", "Region": place.region }]);
    finding["ProductFields"] = json!({ "RelatedAWSResources:0/type": "AWS::Config::ConfigRule",
        "RelatedAWSResources:0/name": format!("securityhub-{}-{number}", control.to_lowercase()) });
    let is_new = world.aws.config.item(&arn).is_none_or(|item| item.deleted);
    if !config_kind.is_empty() && is_new {
        let tail = arn.rsplit([':', '/']).next().unwrap_or_default().to_owned();
        let id = if config_kind == "AWS::SNS::Topic" {
            arn.clone()
        } else {
            tail
        };
        world.aws.config.discover(Item {
            account,
            region: place.region.clone(),
            kind: config_kind.to_owned(),
            id,
            arn,
            captured_at: place.updated,
            deleted: false,
        });
    }
    finding
}

fn guardduty(place: &Place) -> Value {
    let account = &place.account;
    let mut finding = place.common(
        "guardduty",
        "HIGH",
        "An EC2 instance was probed by SSH brute force",
    );
    finding["Id"] = json!(format!(
        "arn:aws:guardduty:{}:{account}:detector/d/finding/{:08x}",
        place.region, place.n
    ));
    finding["GeneratorId"] = json!(format!(
        "arn:aws:guardduty:{}:{account}:detector/d",
        place.region
    ));
    finding["Description"] = json!("Many failed SSH logins came from one address.");
    finding["Types"] = json!(["TTPs/Initial Access/UnauthorizedAccess:EC2-SSHBruteForce"]);
    finding["ProductFields"] = json!({ "aws/guardduty/service/count": "12" });
    let arn = format!(
        "arn:aws:ec2:{}:{account}:instance/i-{:08x}",
        place.region, place.n
    );
    finding["Resources"] = json!([{ "Type": "AwsEc2Instance", "Id": arn, "Region": place.region }]);
    finding
}

fn inspector(place: &Place) -> Value {
    let account = &place.account;
    let cve = format!("CVE-2026-{:05}", place.n % 90_000);
    let mut finding = place.common("inspector", "HIGH", &format!("{cve} - openssl"));
    finding["Id"] = json!(format!(
        "arn:aws:inspector2:{}:{account}:finding/{:08x}",
        place.region, place.n
    ));
    finding["GeneratorId"] = json!("AWSInspector");
    finding["Description"] = json!("A package with a known vulnerability is installed.");
    finding["Types"] = json!(["Software and Configuration Checks/Vulnerabilities/CVE"]);
    finding["Vulnerabilities"] = json!([{ "Id": cve, "FixAvailable": "YES", "Cvss": [{ "BaseScore": 8.1 }],
        "VulnerablePackages": [{ "Name": "openssl", "Version": "3.0.1", "FixedInVersion": "3.0.9" }] }]);
    let arn = format!(
        "arn:aws:ec2:{}:{account}:instance/i-{:08x}",
        place.region, place.n
    );
    finding["Resources"] = json!([{ "Type": "AwsEc2Instance", "Id": arn, "Region": place.region }]);
    finding
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
