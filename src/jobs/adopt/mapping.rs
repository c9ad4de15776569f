//! Where a ticket that others made says which finding it is about: `--map`. Pure: a ticket's words in, clues out.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use regex::{Captures, Regex};
use serde_json::Value;

use crate::model::Ticket;
use crate::wire::jira::adopting::Said;

/// What a ticket says of its finding; every part must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clue {
    /// The finding's id, or its last part.
    pub finding: Option<String>,
    /// The control, rule, type or CVE.
    pub control: Option<String>,
    /// A resource's id, or its last part.
    pub resource: Option<String>,
    /// The account's id.
    pub account: Option<String>,
    /// The Region.
    pub region: Option<String>,
}

/// One `--map`.
#[derive(Clone, Debug)]
pub enum Mapping {
    /// A field's text, or a part of it.
    Field(String, Option<Regex>),
    /// A part of a label.
    Label(Regex),
    /// A part of the summary.
    Summary(Regex),
    /// Parts of the description.
    Description(Regex),
    /// Finding ids by ticket key.
    Listed(BTreeMap<String, String>),
}

/// The names that a pattern may use.
const NAMES: [&str; 5] = ["finding", "control", "resource", "account", "region"];

impl Mapping {
    /// Reads a mapping as it was typed.
    ///
    /// # Errors
    /// A form that does not exist, a pattern that is wrong, a file that cannot be read; the message says which.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        if rest.is_empty() {
            bail!("--map {text}: what follows the colon is missing, as in field:customfield_10050");
        }
        Ok(match kind {
            "field" => match rest.split_once(':') {
                Some((id, of)) => Mapping::Field(id.to_owned(), Some(pattern(text, of)?)),
                None => Mapping::Field(rest.to_owned(), None),
            },
            "label" => Mapping::Label(pattern(text, rest)?),
            "summary" => Mapping::Summary(pattern(text, rest)?),
            "description" => Mapping::Description(pattern(text, rest)?),
            "csv" => Mapping::Listed(listed(Path::new(rest))?),
            _ => {
                bail!("--map {text}: {kind} is none of field, label, summary, description and csv")
            }
        })
    }

    /// The field that must be read for it.
    pub fn field(&self) -> Option<&String> {
        match self {
            Mapping::Field(id, _) => Some(id),
            _ => None,
        }
    }

    /// What it finds in a ticket, each once.
    pub fn clues(&self, ticket: &Ticket, said: &Said) -> Vec<Clue> {
        let mut found = match self {
            Mapping::Field(id, of) => {
                let value = said.fields.get(id).unwrap_or(&Value::Null);
                texts(value)
                    .iter()
                    .flat_map(|text| match of {
                        Some(of) => all(of, text),
                        None => whole(text).into_iter().collect(),
                    })
                    .collect()
            }
            Mapping::Label(of) => {
                let labels = ticket.labels.iter();
                labels.flat_map(|label| all(of, label)).collect()
            }
            Mapping::Summary(of) => all(of, &said.summary),
            Mapping::Description(of) => all(of, &said.description),
            Mapping::Listed(ids) => {
                let id = ids.get(&ticket.at.key.to_ascii_uppercase());
                id.and_then(|id| whole(id)).into_iter().collect()
            }
        };
        found.sort();
        found.dedup();
        found
    }
}

fn pattern(text: &str, of: &str) -> anyhow::Result<Regex> {
    let pattern = Regex::new(of).with_context(|| format!("--map {text}: the pattern is wrong"))?;
    let unknown = pattern
        .capture_names()
        .flatten()
        .find(|name| !NAMES.contains(name));
    if let Some(name) = unknown {
        bail!(
            "--map {text}: a pattern may name {}, and not {name}",
            NAMES.join(", ")
        );
    }
    if pattern.captures_len() == 1 {
        bail!("--map {text}: the pattern has no group: put what names the finding in brackets");
    }
    Ok(pattern)
}

fn listed(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("--map csv:{}: the file cannot be read", path.display()))?;
    let mut ids = BTreeMap::new();
    for (n, line) in text.lines().enumerate() {
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() {
            continue;
        }
        let pair = line.split_once([',', ';', '\t']);
        let (key, id) = pair.map_or((line, ""), |(key, id)| (unquoted(key), unquoted(id)));
        let is_key = key
            .rsplit_once('-')
            .is_some_and(|(_, n)| n.parse::<u64>().is_ok());
        if !is_key && n == 0 {
            // A line of titles.
            continue;
        }
        if !is_key || id.is_empty() {
            bail!(
                "{}:{}: a line is a ticket's key and a finding's id, with a comma between",
                path.display(),
                n + 1
            );
        }
        let key = key.to_ascii_uppercase();
        if let Some(other) = ids.insert(key.clone(), id.to_owned())
            && other != id
        {
            bail!(
                "{}:{}: {key} stands for two findings",
                path.display(),
                n + 1
            );
        }
    }
    Ok(ids)
}

/// Neither keys nor ids contain quotation marks or separators, so that nothing else of CSV is needed.
fn unquoted(text: &str) -> &str {
    text.trim().trim_matches('"').trim()
}

/// The texts of a field's value: texts, options by their name or value, lists of them.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Number(number) => vec![number.to_string()],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(object) if object.get("type").is_some_and(|kind| kind == "doc") => {
            vec![crate::wire::adf::plain_text(value)]
        }
        Value::Object(object) => ["value", "name"]
            .iter()
            .filter_map(|key| object.get(*key)?.as_str().map(str::to_owned))
            .take(1)
            .collect(),
        Value::Null | Value::Bool(_) => Vec::new(),
    }
}

fn whole(text: &str) -> Option<Clue> {
    let id = text.trim();
    (!id.is_empty()).then(|| Clue {
        finding: Some(id.to_owned()),
        ..Clue::default()
    })
}

fn all(of: &Regex, text: &str) -> Vec<Clue> {
    let found = of.captures_iter(text);
    found.filter_map(|captures| clue(of, &captures)).collect()
}

fn clue(of: &Regex, captures: &Captures<'_>) -> Option<Clue> {
    let named = |name: &str| {
        let found = captures.name(name)?.as_str().trim();
        (!found.is_empty()).then(|| found.to_owned())
    };
    let unnamed = || {
        let mut groups = of.capture_names().enumerate().skip(1);
        let (n, _) = groups.find(|(_, name)| name.is_none())?;
        let found = captures.get(n)?.as_str().trim();
        (!found.is_empty()).then(|| found.to_owned())
    };
    let clue = Clue {
        finding: named("finding").or_else(unnamed),
        control: named("control"),
        resource: named("resource"),
        account: named("account"),
        region: named("region"),
    };
    (clue != Clue::default()).then_some(clue)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use serde_json::json;

    use super::*;
    use crate::model::TicketRef;

    fn ticket(labels: &[&str]) -> Ticket {
        Ticket {
            at: TicketRef {
                id: 1,
                key: "SEC-1".to_owned(),
            },
            project: "SEC".to_owned(),
            status_id: "1".to_owned(),
            status_name: "Open".to_owned(),
            state: None,
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            updated_at: None,
            property: None,
        }
    }

    fn said() -> Said {
        let fields = json!({
            "customfield_1": "finding-1",
            "customfield_2": { "value": "from finding-2" },
            "customfield_3": null,
        });
        Said {
            id: 1,
            summary: "[HIGH] S3.8 in arn:aws:s3:::logs (111122223333)".to_owned(),
            description: "see finding-3, and finding-3, and finding-4".to_owned(),
            fields: fields.as_object().unwrap().clone(),
        }
    }

    fn findings(map: &str) -> Vec<String> {
        let clues = Mapping::parse(map)
            .unwrap()
            .clues(&ticket(&["asff-finding-5"]), &said());
        clues.into_iter().filter_map(|clue| clue.finding).collect()
    }

    #[test]
    fn each_place_of_a_ticket_can_name_its_finding() {
        assert_eq!(findings("field:customfield_1"), ["finding-1"]);
        assert_eq!(findings("field:customfield_2:(finding-.*)"), ["finding-2"]);
        assert!(findings("field:customfield_3").is_empty());
        assert!(findings("field:customfield_9").is_empty());
        assert_eq!(findings("label:^asff-(.*)$"), ["finding-5"]);
        assert_eq!(
            findings("description:(finding-[0-9])"),
            ["finding-3", "finding-4"]
        );
        let by = r"summary:(?<control>\w+\.\d+) in (?<resource>\S+) \((?<account>\d{12})\)";
        let clues = Mapping::parse(by).unwrap().clues(&ticket(&[]), &said());
        let wanted = Clue {
            finding: None,
            control: Some("S3.8".to_owned()),
            resource: Some("arn:aws:s3:::logs".to_owned()),
            account: Some("111122223333".to_owned()),
            region: None,
        };
        assert_eq!(clues, [wanted]);
    }

    #[test]
    fn a_wrong_mapping_says_what_is_wrong_with_it() {
        for (map, why) in [
            ("summary", "what follows the colon is missing"),
            ("title:(.*)", "title is none of"),
            ("summary:(", "the pattern is wrong"),
            ("summary:S3", "has no group"),
            ("summary:(?<bucket>.*)", "may name finding, control"),
            ("csv:/no/such/file", "cannot be read"),
        ] {
            let error = Mapping::parse(map).unwrap_err().to_string();
            assert!(error.contains(why), "{map}: {error}");
        }
    }

    #[test]
    fn a_file_of_keys_and_ids_is_read_with_its_faults_named_by_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.csv");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            listed(&path).map_err(|error| error.to_string())
        };
        let ids = read("key,finding\nSEC-1,finding-1\n\"sec-2\", \"finding-2\"\n\n").unwrap();
        assert_eq!(ids.len(), 2);
        assert_eq!(ids["SEC-2"], "finding-2");
        assert!(read("SEC-1,a\nSEC-2\n").unwrap_err().contains("list.csv:2"));
        assert!(
            read("SEC-1,a\nSEC-1,b\n")
                .unwrap_err()
                .contains("two findings")
        );
    }
}
