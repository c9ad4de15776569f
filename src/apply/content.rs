//! What tickets and comments say. Text from findings only ever becomes text: see [`crate::wire::adf`].

use jiff::civil::Date;
use serde_json::Value;

use crate::config::owners::named;
use crate::config::{Config, Fields};
use crate::model::{Finding, Link, Owner, Routing, Severity};
use crate::notify::policy::due_date;
use crate::plan::Reason;
use crate::ports::{Content, Draft};
use crate::read::adopt::property;
use crate::template::data::{
    AccountShown, Change, Data, MemberShown, Notice, OwnerShown, short_name,
};
use crate::template::{Templates, is_mapped};
use crate::wire::adf::section::framed;
use crate::wire::adf::{Doc, Inline, LONGEST_DOCUMENT, Text};
use crate::wire::aws::console::resource_url;

/// Rows of the table of a ticket that several findings share: more make a description that nobody reads, and in time one
/// that Jira refuses.
const MEMBERS_MOST: usize = 50;

/// Jira's limit for a summary.
const LONGEST_SUMMARY: usize = 255;

/// Where a ticket belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Project key.
    pub project: String,
    /// Issue type name.
    pub issue_type: String,
    /// An account id, or `lead` for the project's lead.
    pub assignee: Option<String>,
}

/// How tickets look and where they go.
pub trait Style: Sync {
    /// A new ticket; `members` are the links of all findings that share it, if several do.
    fn draft(&self, finding: &Finding, link: &Link, members: &[Link], reason: &Reason) -> Draft;
    /// New content of an existing ticket: its description is our section alone.
    fn content(&self, finding: &Finding, link: &Link, members: &[Link]) -> Content;
    /// Where the ticket of a link belongs.
    fn place(&self, finding: &Finding, link: &Link) -> Place;
    /// When the ticket of a link is due, by what the team has to keep.
    fn due(&self, link: &Link) -> Option<Date>;
    /// A comment that says why (ADF). `next` is the key of the ticket that takes this one's place.
    fn comment(&self, reason: &Reason, finding: Option<&Finding>, next: Option<&str>) -> Value;
}

/// The default style, from the configuration.
pub struct Tickets<'a> {
    /// Issue type, priorities and fields.
    pub config: &'a Config,
    /// Who answers for a finding.
    pub owners: &'a Routing,
    /// What tickets say.
    pub templates: &'a Templates,
}

impl Style for Tickets<'_> {
    fn draft(&self, finding: &Finding, link: &Link, members: &[Link], reason: &Reason) -> Draft {
        let owner = self.owner_of(finding, link);
        let data = self.shared(self.data(finding, link, Some(reason)), link, members);
        Draft {
            marker: link.marker.clone(),
            project: owner.project.clone(),
            issue_type: self.issue_type(owner).to_owned(),
            summary: self.summary(finding, link, members),
            description: framed(&self.section(finding, owner, &data)),
            priority: self.priority(finding),
            labels: owner.labels.clone(),
            component: owner.component.clone(),
            assignee: owner.assignee.clone(),
            fields: self.fields(&data, |_| true),
            property: property(link, members),
            due: self.due(link),
        }
    }

    fn content(&self, finding: &Finding, link: &Link, members: &[Link]) -> Content {
        let owner = self.owner_of(finding, link);
        let data = self.shared(self.data(finding, link, None), link, members);
        Content {
            summary: self.summary(finding, link, members),
            description: self.section(finding, owner, &data),
            priority: self.priority(finding),
            fields: self.fields(&data, is_mapped),
            component: owner.component.clone(),
            assignee: None,
        }
    }

    fn place(&self, finding: &Finding, link: &Link) -> Place {
        let owner = self.owner_of(finding, link);
        Place {
            project: owner.project.clone(),
            issue_type: self.issue_type(owner).to_owned(),
            assignee: owner.assignee.clone(),
        }
    }

    fn due(&self, link: &Link) -> Option<Date> {
        let team = &self.config.owners.of_link(link).team;
        due_date(self.config, team, link.severity, link.opened_at?)
    }

    fn comment(&self, reason: &Reason, finding: Option<&Finding>, next: Option<&str>) -> Value {
        let mut line = vec![Inline::text(&reason.sentence())];
        if let Some(next) = next {
            let page = self.page(next);
            line.push(Inline::text(" It continues in "));
            line.extend([Inline::link(next, &page), Inline::text(".")]);
        }
        let doc = Doc::new().paragraph(line);
        let doc = match (reason, finding) {
            (Reason::ClaimedResolved { .. }, Some(finding)) => evidence(doc, finding),
            _ => doc,
        };
        doc.cut_to(LONGEST_DOCUMENT).to_value()
    }
}

impl Tickets<'_> {
    fn owner(&self, finding: &Finding) -> &Owner {
        named(&self.owners.of(finding), &self.config.owners)
    }

    /// A group keeps its team while that answers for one of its members.
    fn owner_of(&self, finding: &Finding, link: &Link) -> &Owner {
        match &link.owner {
            Some(owner) if link.alias.is_group() => {
                let mut all = self.config.owners.all();
                let same = |one: &&Owner| one.team == owner.team && one.project == owner.project;
                all.find(same).unwrap_or_else(|| self.owner(finding))
            }
            _ => self.owner(finding),
        }
    }

    fn summary(&self, finding: &Finding, link: &Link, members: &[Link]) -> String {
        if !link.alias.is_group() {
            return summary(finding, self.account_name(finding));
        }
        let failing = members.iter().filter(|link| fails(link)).count();
        let resources = match failing {
            1 => "1 resource".to_owned(),
            n => format!("{n} resources"),
        };
        let accounts: std::collections::BTreeSet<&str> = members
            .iter()
            .map(|link| link.alias.account.as_str())
            .collect();
        let place = match accounts.len() {
            1 => self
                .account_name(finding)
                .unwrap_or(&finding.alias.account)
                .to_owned(),
            n => format!("{n} accounts"),
        };
        headline(finding, &resources, &place)
    }

    /// What is said of each finding that shares the ticket. The evidence of one would speak for all.
    fn shared(&self, data: Data, link: &Link, members: &[Link]) -> Data {
        if !link.alias.is_group() {
            return data;
        }
        Data {
            failing: members.iter().filter(|link| fails(link)).count(),
            members: members
                .iter()
                .take(MEMBERS_MOST)
                .filter_map(member)
                .collect(),
            members_more: members.len().saturating_sub(MEMBERS_MOST),
            evidence: Vec::new(),
            ..data
        }
    }

    fn issue_type<'o>(&'o self, owner: &'o Owner) -> &'o str {
        let own = owner.issue_type.as_deref();
        own.unwrap_or(&self.config.jira.issue_type)
    }

    fn priority(&self, finding: &Finding) -> Option<String> {
        let priorities = &self.config.jira.priorities;
        priorities.of(finding.severity).map(str::to_owned)
    }

    /// As Security Hub names it, or Organizations.
    fn account_name<'f>(&'f self, finding: &'f Finding) -> Option<&'f str> {
        let own = finding.account_name.as_deref();
        own.or_else(|| self.owners.account_name(&finding.alias.account))
    }

    fn page(&self, key: &str) -> String {
        format!("{}/browse/{key}", self.config.jira.url)
    }

    /// Everything that a template can name.
    pub fn data(&self, finding: &Finding, link: &Link, reason: Option<&Reason>) -> Data {
        let owner = self.owner_of(finding, link);
        let changes = link.changes.iter().rev().map(|change| Change {
            at: change.at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
            what: change.what.clone(),
        });
        Data {
            priority: self.priority(finding),
            owner: OwnerShown {
                team: owner.team.clone(),
                project: owner.project.clone(),
            },
            reviewers: self.config.jira.reviewers.words(),
            due: self
                .due(link)
                .map_or_else(String::new, |due| due.to_string()),
            notice: reason.and_then(|reason| self.notice(reason)),
            changes: changes.collect(),
            ..Data::of(finding, self.account_name(finding))
        }
    }

    /// What a ticket that takes the place of another says of it. The key of one that is gone leads nowhere.
    fn notice(&self, reason: &Reason) -> Option<Notice> {
        let (key, is_gone) = match reason {
            Reason::TicketDeletedByPerson { old_key, .. } => (old_key, true),
            Reason::FailsAgainAfterWindow { old_key, .. }
            | Reason::OwnerChanged { old_key, .. }
            | Reason::OwnerMoveDenied { old_key, .. } => (old_key, false),
            _ => return None,
        };
        let sentence = reason.sentence();
        let (before, after) = match sentence.split_once(key.as_str()) {
            Some(parts) if !is_gone => parts,
            _ => (sentence.as_str(), ""),
        };
        let is_linked = !is_gone && before.len() < sentence.len();
        Some(Notice {
            before: before.to_owned(),
            key: if is_linked {
                key.clone()
            } else {
                String::new()
            },
            url: self.page(key),
            after: after.to_owned(),
        })
    }

    /// Our section of the description. A template that fails for one finding must not cost its ticket.
    pub fn section(&self, finding: &Finding, owner: &Owner, data: &Data) -> Value {
        let name = self.templates.of(finding, owner, self.issue_type(owner));
        let doc = self.templates.document(name, data).unwrap_or_else(|error| {
            tracing::error!(%error, "asaf's own template is used");
            Templates::default()
                .document("default.md", data)
                .unwrap_or_else(|_| Doc::new().paragraph([Inline::text(&finding.title)]))
        });
        doc.cut_to(LONGEST_DOCUMENT).to_value()
    }

    /// Configured fields, filled. What cannot be filled is left out: Jira says so where it is required.
    fn fields(&self, data: &Data, wanted: impl Fn(&Value) -> bool) -> Fields {
        let fields = self.config.jira.fields.iter();
        let filled = fields
            .filter(|(_, value)| wanted(value))
            .filter_map(|(id, value)| match self.templates.field(id, value, data) {
                Ok(value) => Some((id.clone(), value)),
                Err(error) => {
                    tracing::error!(%error, "the field is left out");
                    None
                }
            });
        filled.collect()
    }
}

/// The team has work with it.
fn fails(link: &Link) -> bool {
    let member = link.member.as_ref();
    member.is_some_and(|member| member.standing.fails())
}

/// A row of the table of a ticket that several findings share.
fn member(link: &Link) -> Option<MemberShown> {
    let member = link.member.as_ref()?;
    let alias = &link.alias;
    Some(MemberShown {
        name: short_name(&alias.resource),
        id: alias.resource.clone(),
        console: resource_url(&alias.region, &alias.resource).unwrap_or_default(),
        account: AccountShown {
            id: alias.account.clone(),
            name: member.account_name.clone(),
        },
        region: alias.region.clone(),
        severity: link.severity.label(),
        state: member.standing.sentence(),
    })
}

fn evidence(doc: Doc, finding: &Finding) -> Doc {
    if finding.evidence.is_empty() {
        return doc;
    }
    let items = finding
        .evidence
        .iter()
        .map(|(label, value)| vec![Inline::strong(&format!("{label}: ")), Inline::text(value)]);
    doc.heading(3, "Evidence").bullets(items)
}

/// Problem, resource and account at a glance, on one line of at most 255 characters.
pub fn summary(finding: &Finding, account_name: Option<&str>) -> String {
    let account = account_name.unwrap_or(&finding.alias.account);
    headline(finding, &short_name(&finding.alias.resource), account)
}

fn headline(finding: &Finding, resource: &str, account: &str) -> String {
    let tail = format!(" · {resource} · {account}");
    let rule = &finding.rule.id;
    // Titles of CVEs, and of controls before they were consolidated, begin with the rule themselves.
    let title = finding.title.strip_prefix(rule.as_str());
    let title = title.map_or(finding.title.as_str(), |rest| {
        rest.trim_start_matches([' ', '-', ':', '–'])
    });
    let head = format!("{} {rule}: {title}", severity_tag(finding.severity));
    let (tail, head) = (one_line(&tail), one_line(&head));
    let room = LONGEST_SUMMARY.saturating_sub(tail.chars().count());
    if head.chars().count() <= room {
        return format!("{head}{tail}")
            .chars()
            .take(LONGEST_SUMMARY)
            .collect();
    }
    let cut: String = head.chars().take(room.saturating_sub(1)).collect();
    format!("{cut}…{tail}")
        .chars()
        .take(LONGEST_SUMMARY)
        .collect()
}

fn severity_tag(severity: Severity) -> String {
    format!("[{}]", severity.label())
}

fn one_line(text: &str) -> String {
    let plain = Text::new(text);
    let words: Vec<&str> = plain.as_str().split_whitespace().collect();
    let lead = if text.starts_with(' ') { " " } else { "" };
    format!("{lead}{}", words.join(" "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use serde_json::json;

    use super::*;
    use crate::model::finding::asff;

    fn finding(rule: &str, title: &str) -> Finding {
        asff::parse(&json!({
            "Id": "f", "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub",
            "AwsAccountId": "012345678901", "AwsAccountName": "payments", "Title": title,
            "GeneratorId": format!("security-control/{rule}"), "Severity": { "Label": "HIGH" },
            "Resources": [{ "Type": "AwsS3Bucket", "Id": "arn:aws:s3:::logs" }],
        }))
        .unwrap()
        .finding
    }

    #[test]
    fn a_summary_names_the_rule_once_and_the_resource_and_account_at_its_end() {
        for (title, shown) in [
            (
                "Buckets should be private",
                "[HIGH] S3.8: Buckets should be private · logs · payments",
            ),
            (
                "S3.8 Buckets should be private",
                "[HIGH] S3.8: Buckets should be private · logs · payments",
            ),
            ("S3.8 - Buckets", "[HIGH] S3.8: Buckets · logs · payments"),
            ("two\nlines", "[HIGH] S3.8: two lines · logs · payments"),
        ] {
            assert_eq!(summary(&finding("S3.8", title), Some("payments")), shown);
        }
        let long = summary(&finding("S3.8", &"long ".repeat(200)), Some("payments"));
        assert_eq!(long.chars().count(), 255);
        assert!(long.ends_with("… · logs · payments"), "{long}");
    }
}
