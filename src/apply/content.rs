//! What tickets and comments say. Text from findings only ever becomes text: see [`crate::wire::adf`].

use jiff::civil::Date;
use serde_json::Value;

use crate::model::{Finding, Link, Severity};
use crate::notify::policy::due_date;
use crate::plan::Reason;
use crate::ports::{Content, Draft};
use crate::read::adopt::property;
use crate::wire::adf::{Block, Doc, Inline, LONGEST_DOCUMENT, PanelKind, Row, Text};

/// Jira's limit for a summary.
const LONGEST_SUMMARY: usize = 255;

/// How tickets look and where they go.
pub trait Style: Sync {
    /// The project key of an account's owner.
    fn project(&self, account: &str) -> &str;
    /// A new ticket.
    fn draft(&self, finding: &Finding, link: &Link, reason: &Reason) -> Draft;
    /// New content of an existing ticket.
    fn content(&self, finding: &Finding) -> Content;
    /// When the ticket of a link is due, by what the team has to keep.
    fn due(&self, link: &Link) -> Option<Date>;
    /// A comment that says why (ADF).
    fn comment(&self, reason: &Reason, finding: Option<&Finding>) -> Value;
}

/// The default style, from the configuration.
pub struct Tickets<'a> {
    /// Owners, issue type and priorities.
    pub config: &'a crate::config::Config,
}

impl Style for Tickets<'_> {
    fn project(&self, account: &str) -> &str {
        &self.config.owners.of(account).project
    }

    fn draft(&self, finding: &Finding, link: &Link, reason: &Reason) -> Draft {
        let owner = self.config.owners.of(&finding.alias.account);
        let Content {
            summary,
            description,
            priority,
        } = self.content_with(finding, Some(reason));
        Draft {
            marker: link.marker.clone(),
            project: owner.project.clone(),
            issue_type: self.config.jira.issue_type.clone(),
            summary,
            description,
            priority,
            labels: owner.labels.clone(),
            property: property(link),
            due: self.due(link),
        }
    }

    fn content(&self, finding: &Finding) -> Content {
        self.content_with(finding, None)
    }

    fn due(&self, link: &Link) -> Option<Date> {
        let team = &self.config.owners.of(&link.alias.account).team;
        due_date(self.config, team, link.severity, link.opened_at?)
    }

    fn comment(&self, reason: &Reason, finding: Option<&Finding>) -> Value {
        let doc = Doc::new().paragraph([Inline::text(&reason.sentence())]);
        let doc = match (reason, finding) {
            (Reason::ClaimedResolved { .. }, Some(finding)) => evidence(doc, finding),
            _ => doc,
        };
        doc.cut_to(LONGEST_DOCUMENT).to_value()
    }
}

impl Tickets<'_> {
    fn content_with(&self, finding: &Finding, reason: Option<&Reason>) -> Content {
        Content {
            summary: summary(finding),
            description: self
                .description(finding, reason)
                .cut_to(LONGEST_DOCUMENT)
                .to_value(),
            priority: self
                .config
                .jira
                .priorities
                .of(finding.severity)
                .map(str::to_owned),
        }
    }

    fn description(&self, finding: &Finding, reason: Option<&Reason>) -> Doc {
        let mut doc = Doc::new();
        if let Some(
            reason @ (Reason::TicketDeletedByPerson { .. } | Reason::FailsAgainAfterWindow { .. }),
        ) = reason
        {
            let line = Block::Paragraph(vec![Inline::text(&reason.sentence())]);
            doc = doc.with(Block::Panel(PanelKind::Warning, vec![line]));
        }
        doc = doc
            .heading(3, "What is wrong")
            .paragraph([Inline::text(&finding.title)]);
        if !finding.description.is_empty() && finding.description != finding.title {
            doc = doc.paragraph([Inline::text(&finding.description)]);
        }
        doc = fix(doc, finding);
        doc = doc.heading(3, "Where").with(Block::Table(where_rows(
            finding,
            &self.config.owners.of(&finding.alias.account).team,
        )));
        doc = evidence(doc, finding);
        let resolve = "Set this ticket to Resolved when it is fixed. The security team reviews and closes it, or reopens it. When the resource is deleted, the ticket goes too.";
        doc.with(Block::Panel(
            PanelKind::Info,
            vec![Block::Paragraph(vec![Inline::text(resolve)])],
        ))
    }
}

fn fix(doc: Doc, finding: &Finding) -> Doc {
    let mut line = Vec::new();
    if let Some(text) = &finding.remediation.text {
        line.push(Inline::text(text));
    }
    if let Some(url) = &finding.remediation.url {
        if !line.is_empty() {
            line.push(Inline::text(" "));
        }
        line.push(Inline::link("How to fix it", url));
    }
    if line.is_empty() {
        doc
    } else {
        doc.heading(3, "How to fix it").paragraph(line)
    }
}

fn where_rows(finding: &Finding, team: &str) -> Vec<Row> {
    let account = match &finding.account_name {
        Some(name) => format!("{name} ({})", finding.alias.account),
        None => finding.alias.account.clone(),
    };
    let row = |label: &str, cell: Inline| Row {
        header: false,
        cells: vec![vec![Inline::strong(label)], vec![cell]],
    };
    let mut rows = vec![
        row("Account", Inline::text(&account)),
        row("Region", Inline::text(&finding.alias.region)),
    ];
    for resource in finding.resources.iter().take(10) {
        rows.push(row(&resource.kind, Inline::code(&resource.id)));
    }
    if finding.resources.len() > 10 {
        let more = format!("{} more", finding.resources.len() - 10);
        rows.push(row("Resources", Inline::text(&more)));
    }
    rows.push(row("Severity", Inline::text(finding.severity.label())));
    rows.push(row(
        "Found by",
        Inline::text(&format!("{}, {}", finding.product.name(), finding.rule.id)),
    ));
    if let Some(at) = finding.first_observed_at {
        rows.push(row(
            "First seen",
            Inline::text(&at.strftime("%Y-%m-%d %H:%M UTC").to_string()),
        ));
    }
    rows.push(row("Team", Inline::text(team)));
    rows
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
pub fn summary(finding: &Finding) -> String {
    let account = finding
        .account_name
        .as_deref()
        .unwrap_or(&finding.alias.account);
    let resource = short_resource(&finding.alias.resource);
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

/// The end of an ARN is what people recognise.
fn short_resource(id: &str) -> String {
    let tail = id
        .rsplit([':', '/'])
        .find(|part| !part.is_empty())
        .unwrap_or(id);
    tail.chars().take(80).collect()
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
            assert_eq!(summary(&finding("S3.8", title)), shown);
        }
        let long = summary(&finding("S3.8", &"long ".repeat(200)));
        assert_eq!(long.chars().count(), 255);
        assert!(long.ends_with("… · logs · payments"), "{long}");
    }
}
