//! `asaf ignore ls` and `asaf ignore why`, answered from the store: the rules as they were read last, and what they
//! cover since.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::bail;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::json;

use super::today;
use crate::cli::{Exit, LsArgs, TextOrJson, WhyArgs};
use crate::config::{Config, Ignore};
use crate::ignore::RuleSet;
use crate::ignore::effect::counted;
use crate::model::ignore_rule::{Facts, Unit};
use crate::model::{FindingState, IgnoreRule, Link, RuleOrigin};
use crate::read::rules::last;
use crate::store::Store as _;
use crate::store::rules::{RememberedRules, RuleMemory as _};
use crate::store::sqlite::Sqlite;
use crate::talk::{self, plain};

/// The rules and links as the store knows them.
pub(super) struct Known {
    pub(super) remembered: RememberedRules,
    pub(super) set: RuleSet,
    pub(super) links: Vec<Link>,
}

pub(super) async fn known(path: &Path) -> anyhow::Result<Known> {
    let config = Config::load(path)?;
    let store = Sqlite::open_beside(&config.store.path)?;
    let Some(remembered) = store.remembered_rules().await? else {
        bail!(
            "no run has read ignore rules yet: write [ignore] into the configuration and run `asaf reconcile`"
        );
    };
    let policy = config
        .ignore
        .as_ref()
        .map(Ignore::policy)
        .unwrap_or_default();
    let Some(set) = last(&remembered, &policy, today()) else {
        bail!(
            "the rules that were read last cannot be used any more: run `asaf reconcile` to read them again"
        );
    };
    let links = store.links().await?;
    Ok(Known {
        remembered,
        set: *set,
        links,
    })
}

/// One rule as it is listed.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) owner: String,
    pub(super) requested_by: String,
    pub(super) reason: String,
    pub(super) expires: Date,
    pub(super) days_left: i32,
    /// Failing findings that it hides, as the last runs saw them.
    pub(super) hides: usize,
    pub(super) tickets: usize,
    pub(super) origin: Option<RuleOrigin>,
}

/// Every rule with what it hides, in the order of the files.
pub(super) fn listed(known: &Known, today: Date) -> Vec<Listed> {
    let mut hides: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for link in &known.links {
        let failing = link
            .base
            .as_ref()
            .is_some_and(|base| base.finding == FindingState::Failing);
        if let Some(by) = link.ignored_by.as_ref().filter(|_| failing) {
            let of = hides.entry(&by.rule).or_default();
            of.0 += 1;
            of.1 += usize::from(link.ticket.is_some());
        }
    }
    let of = |rule: &IgnoreRule| {
        let (hides, tickets) = hides.get(rule.id.as_str()).copied().unwrap_or_default();
        Listed {
            id: rule.id.clone(),
            owner: rule.owner.clone(),
            requested_by: rule.requested_by.clone(),
            reason: rule.reason.clone(),
            expires: rule.expires,
            days_left: rule.days_left(today),
            hides,
            tickets,
            origin: known.set.origins.get(&rule.id).cloned(),
        }
    };
    known.set.rules.iter().map(of).collect()
}

/// # Errors
/// Configuration, the store, rules that were never read.
pub(super) async fn ls(args: &LsArgs, path: &Path) -> anyhow::Result<Exit> {
    let known = known(path).await?;
    let mut rules = listed(&known, today());
    rules.retain(|rule| {
        let ends = args
            .ending
            .is_none_or(|days| rule.days_left <= i32::from(days));
        let owner = args.owner.as_ref().is_none_or(|owner| rule.owner == *owner);
        ends && owner && (!args.unused || (rule.hides == 0 && rule.days_left >= 0))
    });
    let text = match args.output {
        TextOrJson::Json => {
            let value = json!({ "source": known.remembered.source, "commit": known.remembered.commit,
                "read_at": known.remembered.read_at, "rules": rules });
            serde_json::to_string_pretty(&value)? + "\n"
        }
        TextOrJson::Text => table(&rules, &known),
    };
    talk::data(&text)?;
    Ok(Exit::Ok)
}

fn table(rules: &[Listed], known: &Known) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header([
        "rule",
        "team",
        "hides",
        "tickets",
        "ends",
        "by",
        "approved by",
        "reason",
    ]);
    for rule in rules {
        let ends = match rule.days_left {
            days if days < 0 => format!("{} (ended)", rule.expires),
            days => format!("{} ({days} d)", rule.expires),
        };
        let origin = rule.origin.as_ref();
        let approved = origin.map_or_else(String::new, |origin| origin.approved_by.join(", "));
        let cells = [
            rule.id.clone(),
            rule.owner.clone(),
            rule.hides.to_string(),
            rule.tickets.to_string(),
            ends,
            origin.map_or_else(|| "-".to_owned(), RuleOrigin::name),
            if approved.is_empty() {
                "-".to_owned()
            } else {
                approved
            },
            rule.reason.clone(),
        ];
        table.add_row(cells.iter().map(|cell| plain(cell).into_owned()));
    }
    let commit = &known.remembered.commit;
    format!(
        "{table}\n{} of {} at commit {}.\n",
        counted(rules.len(), "rule"),
        plain(&known.remembered.source),
        &commit[..commit.floor_char_boundary(10)]
    )
}

/// # Errors
/// Configuration, the store, a subject that no link knows.
pub(super) async fn why(args: &WhyArgs, path: &Path) -> anyhow::Result<Exit> {
    let known = known(path).await?;
    let about = |link: &&Link| {
        let ticket = link
            .ticket
            .as_ref()
            .is_some_and(|at| at.key.eq_ignore_ascii_case(&args.subject));
        ticket
            || link.alias.resource == args.subject
            || link.marker.as_str() == args.subject
            || link.findings.iter().any(|key| key.id == args.subject)
    };
    let links: Vec<&Link> = known.links.iter().filter(about).collect();
    if links.is_empty() {
        bail!(
            "nothing is known of {}. Give a finding's id, a ticket's key or a resource's ARN",
            plain(&args.subject)
        );
    }
    let today = today();
    for link in links {
        let answer = Answer::new(link, &known, today);
        let text = match args.output {
            TextOrJson::Json => serde_json::to_string_pretty(&answer)? + "\n",
            TextOrJson::Text => answer.text(),
        };
        talk::data(&text)?;
    }
    Ok(Exit::Ok)
}

/// Why a link is ignored, or is not.
#[derive(Debug, Serialize)]
struct Answer {
    ticket: Option<String>,
    control: String,
    account: String,
    region: String,
    resource: String,
    /// The rule that covered it when it was read last.
    covered_by: Option<crate::model::RuleMatch>,
    origin: Option<RuleOrigin>,
    /// Rules that nearly cover it, with the fields that keep them from it.
    nearly: Vec<Near>,
}

#[derive(Debug, Serialize)]
struct Near {
    rule: String,
    misses: Vec<&'static str>,
}

impl Answer {
    fn new(link: &Link, known: &Known, today: Date) -> Self {
        let alias = &link.alias;
        // A link knows no types, tags or units: what cannot be judged from it counts as met.
        let facts = Facts::of_gone(alias, Unit::Unknown);
        let mut nearly: Vec<Near> = known
            .set
            .rules
            .iter()
            .filter(|rule| link.ignored_by.as_ref().is_none_or(|by| by.rule != rule.id))
            .map(|rule| Near {
                rule: rule.id.clone(),
                misses: known
                    .set
                    .rules
                    .misses(&rule.id, &facts, today)
                    .iter()
                    .map(|field| field.key())
                    .collect(),
            })
            .filter(|near| near.misses.len() <= 1)
            .collect();
        nearly.truncate(10);
        let by = link.ignored_by.clone();
        Answer {
            ticket: link.ticket.as_ref().map(|at| at.key.clone()),
            control: alias.rule.clone(),
            account: alias.account.clone(),
            region: alias.region.clone(),
            resource: alias.resource.clone(),
            origin: by
                .as_ref()
                .and_then(|by| known.set.origins.get(&by.rule).cloned()),
            covered_by: by,
            nearly,
        }
    }

    fn text(&self) -> String {
        let mut out = String::new();
        let line = format!(
            "{} · {} · {} · account {}, {}",
            self.ticket.as_deref().unwrap_or("no ticket"),
            self.control,
            self.resource,
            self.account,
            self.region
        );
        let _ = writeln!(out, "{}", plain(&line));
        match &self.covered_by {
            None => out.push_str("  No ignore rule covers it.\n"),
            Some(by) => {
                let line = format!(
                    "  Ignored by rule {} until {}: {}",
                    by.rule, by.expires, by.reason
                );
                let _ = writeln!(out, "{}", plain(&line));
                if let Some(origin) = &self.origin {
                    let _ = writeln!(out, "{}", plain(&format!("  {}", review(origin))));
                }
            }
        }
        for near in &self.nearly {
            let line = match near.misses.as_slice() {
                [] => format!(
                    "  Rule {} may cover it too; types, tags and units are not known here.",
                    near.rule
                ),
                [field] => format!("  Rule {} would cover it, but for {field}.", near.rule),
                _ => continue,
            };
            let _ = writeln!(out, "{}", plain(&line));
        }
        out
    }
}

/// `Merged by pull request #12 of pat, approved by robin`.
fn review(origin: &RuleOrigin) -> String {
    let mut words = match origin.pull_request {
        Some(number) => format!("Merged by pull request #{number}"),
        None => format!("Brought by {}", origin.name()),
    };
    if let Some(author) = &origin.author {
        let _ = write!(words, " of {author}");
    }
    if !origin.approved_by.is_empty() {
        let _ = write!(words, ", approved by {}", origin.approved_by.join(", "));
    }
    if let Some(url) = &origin.url {
        let _ = write!(words, " ({url})");
    }
    words
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use jiff::civil::date;

    use super::*;
    use crate::ignore::RuleFile;
    use crate::ignore::parse::parse;
    use crate::model::Marker;
    use crate::model::finding::asff;

    fn known(rules: &[(&str, &str)]) -> Known {
        let text = rules.iter().map(|(id, what)| {
            format!(
                "[[ignore]]\nid = \"{id}\"\n{what}\nreason = \"Intended, and reviewed.\"\nowner = \"web\"\n\
                 requested_by = \"pat\"\nexpires = 2027-03-01\n"
            )
        });
        let file = RuleFile {
            path: "ignore/web.toml".to_owned(),
            text: text.collect(),
        };
        let read = parse(vec![file]);
        assert!(read.are_valid(), "{:?}", read.problems);
        let finding = json!({
            "Id": "f", "AwsAccountId": "123456789012", "Title": "t", "RecordState": "ACTIVE", "Region": "eu-west-1",
            "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub", "Workflow": { "Status": "NEW" },
            "Compliance": { "Status": "FAILED", "SecurityControlId": "S3.8" }, "Severity": { "Label": "HIGH" },
            "Resources": [{ "Type": "AwsS3Bucket", "Id": "arn:aws:s3:::www" }],
        });
        let finding = asff::parse(&finding).unwrap().finding;
        let link = Link::new(finding.alias.clone(), finding.severity);
        assert_eq!(link.marker, Marker::of(&finding.alias));
        Known {
            remembered: RememberedRules {
                source: "acme/rules (main, ignore/)".to_owned(),
                commit: "0".repeat(40),
                etag: None,
                read_at: jiff::Timestamp::UNIX_EPOCH,
                files: Vec::new(),
                origins: BTreeMap::new(),
                applied: None,
            },
            set: RuleSet {
                commit: "0".repeat(40),
                rules: read.compile().unwrap(),
                origins: BTreeMap::new(),
            },
            links: vec![link],
        }
    }

    #[test]
    fn why_names_the_field_that_is_missed_and_what_cannot_be_judged() {
        let known = known(&[
            (
                "elsewhere",
                "controls = [\"S3.8\"]\naccounts = [\"012345678901\"]",
            ),
            ("unit", "controls = [\"S3.8\"]\nou = [\"/prod\"]"),
            (
                "tagged",
                "controls = [\"S3.8\"]\ntags = { public = \"yes\" }",
            ),
            (
                "far-off",
                "controls = [\"S3.5\"]\naccounts = [\"012345678901\"]",
            ),
        ]);
        let said = Answer::new(&known.links[0], &known, date(2026, 11, 24)).text();
        for line in [
            "No ignore rule covers it.",
            "Rule elsewhere would cover it, but for accounts.",
            "Rule unit may cover it too; types, tags and units are not known here.",
            "Rule tagged may cover it too; types, tags and units are not known here.",
        ] {
            assert!(said.contains(line), "{line} is not in {said}");
        }
        assert!(!said.contains("far-off"), "{said}");
        let said = Answer::new(&known.links[0], &known, date(2027, 3, 2)).text();
        assert!(
            said.contains("Rule unit would cover it, but for expires."),
            "{said}"
        );
    }
}
