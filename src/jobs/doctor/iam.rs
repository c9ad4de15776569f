//! The IAM policies that asaf needs, exactly: of its own role, of the role in member accounts and who may assume it, and
//! of the event queue. They follow from the configuration; nobody is asked.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::{Exit, Policy};
use crate::config::{Config, ConfigError};
use crate::talk::{self, Talk};

/// Stands where only the adopter knows the account.
pub const ACCOUNT: &str = "ACCOUNT_ID";

/// The parts of a finding that a customer may set and asaf never does, as condition keys name them (Security Hub user
/// guide: BatchUpdateFindings, "Configuring access"; Service Authorization Reference: AWS Security Hub). A condition on a
/// whole object misses its members, so the members are named.
const NEVER_SET: [&str; 8] = [
    "Severity.Label",
    "Severity.Normalized",
    "Confidence",
    "Criticality",
    "Types",
    "VerificationState",
    "RelatedFindings.Id",
    "RelatedFindings.ProductArn",
];

/// What the policies depend on.
#[derive(Clone, Debug)]
pub struct Place {
    /// The account of the engine's role.
    pub account: String,
    /// The home Region.
    pub region: String,
    /// The name of the role in member accounts.
    pub member_role: String,
    /// The external id that its trust asks for.
    pub external_id: Option<String>,
    /// The queue: account and name.
    pub queue: Option<(String, String)>,
}

impl Place {
    /// Of a configuration.
    pub fn of(config: &Config) -> Self {
        let queue = config.queue.as_ref().and_then(|queue| {
            let mut steps = queue.url.rsplit('/');
            let (name, account) = (steps.next()?, steps.next()?);
            Some((account.to_owned(), name.to_owned()))
        });
        let account = queue.as_ref().map_or(ACCOUNT, |(account, _)| account);
        Place {
            account: account.to_owned(),
            region: config.aws.region.clone(),
            member_role: config.aws.member_role.clone(),
            external_id: config.aws.external_id.clone(),
            queue,
        }
    }

    fn queue_arn(&self) -> String {
        let (account, name) = match &self.queue {
            Some((account, name)) => (account.as_str(), name.as_str()),
            None => (self.account.as_str(), "asaf-events"),
        };
        format!("arn:aws:sqs:{}:{account}:{name}", self.region)
    }
}

/// `asaf doctor --print-iam`.
pub(super) fn print(which: Policy, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    let place = match Config::load(path) {
        Ok(config) => Place::of(&config),
        // The policy is needed before there is a configuration.
        Err(ConfigError::Missing { .. }) => Place {
            account: ACCOUNT.to_owned(),
            region: "eu-west-1".to_owned(),
            member_role: "asaf-config-read".to_owned(),
            external_id: None,
            queue: Some((ACCOUNT.to_owned(), "asaf-events".to_owned())),
        },
        Err(error) => return Err(error.into()),
    };
    let policy = policy(which, &place);
    let text = format!("{policy:#}\n");
    if text.contains(ACCOUNT) {
        talk.say(&format!(
            "Put the id of the account in which asaf runs in place of {ACCOUNT}."
        ));
    }
    talk::data(&text)?;
    Ok(Exit::Ok)
}

/// One of the policies.
pub fn policy(which: Policy, place: &Place) -> Value {
    match which {
        Policy::Engine => engine(place),
        Policy::MemberRole => member_role(),
        Policy::MemberTrust => member_trust(place),
        Policy::Queue => queue(place),
    }
}

fn document(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn engine(place: &Place) -> Value {
    let Place {
        account,
        region,
        member_role,
        external_id: _,
        queue,
    } = place;
    let mut statements = vec![
        json!({ "Sid": "ReadFindingsAndWhatIsCovered", "Effect": "Allow", "Action": [
            "securityhub:DescribeHub", "securityhub:GetFindingAggregator", "securityhub:GetFindingHistory",
            "securityhub:GetFindings", "securityhub:ListFindingAggregators", "securityhub:ListMembers"],
            "Resource": "*" }),
        json!({ "Sid": "SetWorkflowNoteAndOwnFields", "Effect": "Allow",
            "Action": "securityhub:BatchUpdateFindings", "Resource": "*" }),
    ];
    // The keys of one condition are ANDed, so each field has its own denial.
    statements.extend(NEVER_SET.iter().map(|field| {
        json!({ "Sid": format!("NeverSet{}", field.replace('.', "")), "Effect": "Deny",
            "Action": "securityhub:BatchUpdateFindings", "Resource": "*",
            "Condition": { "Null": { format!("securityhub:ASFFSyntaxPath/{field}"): "false" } } })
    }));
    statements.extend([
        json!({ "Sid": "AskWhatExists", "Effect": "Allow", "Action": [
            "config:BatchGetAggregateResourceConfig", "config:DescribeConfigurationAggregatorSourcesStatus",
            "config:SelectAggregateResourceConfig"],
            "Resource": format!("arn:aws:config:{region}:{account}:config-aggregator/*") }),
        // These take no resource (Service Authorization Reference: AWS Config, AWS Organizations).
        json!({ "Sid": "ListAggregatorsAccountsAndUnits", "Effect": "Allow", "Action": [
            "config:DescribeConfigurationAggregators", "organizations:ListAccounts",
            "organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent",
            "organizations:ListRoots"], "Resource": "*" }),
        json!({ "Sid": "AskMemberAccounts", "Effect": "Allow", "Action": "sts:AssumeRole",
            "Resource": format!("arn:aws:iam::*:role/{member_role}") }),
    ]);
    if queue.is_some() {
        // Sending is for the Lambda function alone, which passes webhooks on.
        statements.push(json!({ "Sid": "WorkOffEvents", "Effect": "Allow", "Action": [
            "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage",
            "sqs:SendMessage"], "Resource": place.queue_arn() }));
    }
    document(&statements)
}

fn member_role() -> Value {
    document(&[
        json!({ "Sid": "ProveThatAResourceIsGone", "Effect": "Allow", "Action": [
        "config:GetResourceConfigHistory", "config:ListDiscoveredResources"], "Resource": "*" }),
    ])
}

/// Only the engine's own role, and with the external id where there is one (IAM user guide: The confused deputy
/// problem).
fn member_trust(place: &Place) -> Value {
    let mut statement = json!({ "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": { "AWS": format!("arn:aws:iam::{}:role/asaf", place.account) } });
    if let Some(external_id) = &place.external_id {
        statement["Condition"] = json!({ "StringEquals": { "sts:ExternalId": external_id } });
    }
    document(&[statement])
}

/// Only our rules, by their ARN (EventBridge user guide: Resource-based policies for Amazon SQS).
fn queue(place: &Place) -> Value {
    let rules = format!(
        "arn:aws:events:{}:{}:rule/asaf-*",
        place.region, place.account
    );
    document(&[json!({ "Sid": "OnlyOurRules", "Effect": "Allow",
        "Principal": { "Service": "events.amazonaws.com" }, "Action": "sqs:SendMessage",
        "Resource": place.queue_arn(), "Condition": { "ArnLike": { "aws:SourceArn": rules } } })])
}
