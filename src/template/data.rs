//! What a template can name: the facts of a finding, its owner and its ticket, in the words of people.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{Finding, Resource};
use crate::wire::aws::console::{console_url, resource_url};

/// Everything that a template can name. Each member is documented in docs/tickets.md.
#[derive(Clone, Debug, Serialize)]
pub struct Data {
    /// The finding's id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Description.
    pub description: String,
    /// `CRITICAL` to `INFORMATIONAL`.
    pub severity: &'static str,
    /// The priority that the severity becomes, if any.
    pub priority: Option<String>,
    /// The product, as people call it.
    pub product: String,
    /// The control, rule, type or CVE.
    pub rule: String,
    /// How to fix it.
    pub remediation: Remediation,
    /// At least one.
    pub resources: Vec<Shown>,
    /// What is said of each finding that shares the ticket; empty where it is one finding's alone.
    pub members: Vec<MemberShown>,
    /// How many of them fail.
    pub failing: usize,
    /// How many are not named.
    pub members_more: usize,
    /// The account.
    pub account: AccountShown,
    /// Region.
    pub region: String,
    /// When it was first seen, UTC; empty where unknown.
    pub first_seen: String,
    /// When it was last seen, UTC; empty where unknown.
    pub last_seen: String,
    /// The finding's page in the console.
    pub console: String,
    /// Details of the product.
    pub evidence: Vec<Detail>,
    /// Who answers for it.
    pub owner: OwnerShown,
    /// Who reviews, such as `members of the Jira group security-reviewers`.
    pub reviewers: String,
    /// When the ticket is due; empty where it is not.
    pub due: String,
    /// What a new ticket must say first.
    pub notice: Option<Notice>,
    /// What has changed since the ticket was made, newest first.
    pub changes: Vec<Change>,
}

/// How to fix it; empty texts where the product says nothing.
#[derive(Clone, Debug, Serialize)]
pub struct Remediation {
    /// Text.
    pub text: String,
    /// Page.
    pub url: String,
}

/// A resource.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// What people recognise: the end of the ARN.
    pub name: String,
    /// Type, such as `AwsS3Bucket`.
    pub kind: String,
    /// ARN, or what stands in its place.
    pub id: String,
    /// Its page in the console; empty for what is no ARN.
    pub console: String,
    /// Tags, at most ten.
    pub tags: BTreeMap<String, String>,
}

/// One of several findings that share a ticket.
#[derive(Clone, Debug, Serialize)]
pub struct MemberShown {
    /// What people recognise of the resource.
    pub name: String,
    /// ARN, or what stands in its place.
    pub id: String,
    /// The resource's page in the console; empty for what is no ARN.
    pub console: String,
    /// The account.
    pub account: AccountShown,
    /// Region.
    pub region: String,
    /// `CRITICAL` to `INFORMATIONAL`.
    pub severity: &'static str,
    /// What is with it, such as `fails` or `fixed`.
    pub state: String,
}

/// An account.
#[derive(Clone, Debug, Serialize)]
pub struct AccountShown {
    /// 12 digits.
    pub id: String,
    /// Name; empty where unknown.
    pub name: String,
}

/// A detail of the product.
#[derive(Clone, Debug, Serialize)]
pub struct Detail {
    /// Such as `Package`.
    pub label: String,
    /// Such as `openssl 3.0.1 (fixed in 3.0.9)`.
    pub value: String,
}

/// Who answers for it.
#[derive(Clone, Debug, Serialize)]
pub struct OwnerShown {
    /// Team.
    pub team: String,
    /// Project key.
    pub project: String,
}

/// A sentence with the key of an earlier ticket in it.
#[derive(Clone, Debug, Serialize)]
pub struct Notice {
    /// Before the key.
    pub before: String,
    /// The key; empty where it leads nowhere.
    pub key: String,
    /// Its page.
    pub url: String,
    /// After the key.
    pub after: String,
}

/// One change of what the ticket says.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// When, UTC.
    pub at: String,
    /// What.
    pub what: String,
}

/// Tags that are shown of one resource.
const MOST_TAGS: usize = 10;

impl Data {
    /// A finding with everything in it, for checking templates and fields before the first real one comes.
    pub fn example() -> Self {
        let text = str::to_owned;
        Data {
            id: text("arn:aws:securityhub:eu-west-1:111122223333:security-control/S3.8/finding/1"),
            title: text("S3 buckets should block public access"),
            description: text("This control checks whether a bucket blocks public access."),
            severity: "HIGH",
            priority: Some(text("High")),
            product: text("Security Hub"),
            rule: text("S3.8"),
            remediation: Remediation {
                text: text("The control's page says how to correct this."),
                url: String::new(),
            },
            resources: vec![Shown {
                name: text("logs"),
                kind: text("AwsS3Bucket"),
                id: text("arn:aws:s3:::logs"),
                console: String::new(),
                tags: BTreeMap::from([(text("team"), text("web"))]),
            }],
            members: Vec::new(),
            failing: 0,
            members_more: 0,
            account: AccountShown {
                id: text("111122223333"),
                name: text("payments-prod"),
            },
            region: text("eu-west-1"),
            first_seen: text("2026-11-01 08:00 UTC"),
            last_seen: text("2026-11-24 08:00 UTC"),
            console: String::new(),
            evidence: vec![Detail {
                label: text("Annotation"),
                value: text("Public access is not blocked."),
            }],
            owner: OwnerShown {
                team: text("payments"),
                project: text("PAY"),
            },
            reviewers: text("members of the Jira group security-reviewers"),
            due: text("2026-12-24"),
            notice: Some(Notice {
                before: text("It takes the place of "),
                key: text("WEB-1"),
                url: String::new(),
                after: text("."),
            }),
            changes: vec![Change {
                at: text("2026-11-24 08:00 UTC"),
                what: text("severity MEDIUM → HIGH"),
            }],
        }
    }

    /// What a finding says by itself; the rest is the caller's.
    pub fn of(finding: &Finding, account_name: Option<&str>) -> Self {
        let region = &finding.alias.region;
        let time = |at: Option<jiff::Timestamp>| {
            at.map_or_else(String::new, |at| {
                at.strftime("%Y-%m-%d %H:%M UTC").to_string()
            })
        };
        Data {
            id: finding.key.id.clone(),
            title: finding.title.clone(),
            description: finding.description.clone(),
            severity: finding.severity.label(),
            priority: None,
            product: finding.product.name().to_owned(),
            rule: finding.rule.id.clone(),
            remediation: Remediation {
                text: finding.remediation.text.clone().unwrap_or_default(),
                url: finding.remediation.url.clone().unwrap_or_default(),
            },
            resources: finding
                .resources
                .iter()
                .map(|one| shown(one, region))
                .collect(),
            members: Vec::new(),
            failing: 0,
            members_more: 0,
            account: AccountShown {
                id: finding.alias.account.clone(),
                name: account_name.unwrap_or_default().to_owned(),
            },
            region: region.clone(),
            first_seen: time(finding.first_observed_at.or(finding.created_at)),
            last_seen: time(finding.last_observed_at.or(finding.updated_at)),
            console: console_url(region, &finding.key.id),
            evidence: finding
                .evidence
                .iter()
                .map(|(label, value)| Detail {
                    label: label.clone(),
                    value: value.clone(),
                })
                .collect(),
            owner: OwnerShown {
                team: String::new(),
                project: String::new(),
            },
            reviewers: String::new(),
            due: String::new(),
            notice: None,
            changes: Vec::new(),
        }
    }
}

fn shown(resource: &Resource, region: &str) -> Shown {
    let region = resource.region.as_deref().unwrap_or(region);
    Shown {
        name: short_name(&resource.id),
        kind: resource.kind.clone(),
        id: resource.id.clone(),
        console: resource_url(region, &resource.id).unwrap_or_default(),
        tags: resource
            .tags
            .iter()
            .take(MOST_TAGS)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
    }
}

/// The end of an ARN is what people recognise.
pub fn short_name(id: &str) -> String {
    let tail = id
        .rsplit([':', '/'])
        .find(|part| !part.is_empty())
        .unwrap_or(id);
    tail.chars().take(80).collect()
}
