//! What is counted, as it stands in a URL: `team=payments&severity=CRITICAL&severity=HIGH&from=2026-01-01`.

use std::fmt;

use form_urlencoded::Serializer;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::model::{Link, Product, Severity, owner};

/// More values in one URL than anybody picks.
const VALUES_MOST: usize = 50;
/// The longest value.
const CHARS_MOST: usize = 200;

/// What is counted. Values of one name are alternatives, names narrow each other; nothing given is everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Teams.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub team: Vec<String>,
    /// Account ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub account: Vec<String>,
    /// Paths of organisational units, with all that is below them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ou: Vec<String>,
    /// Regions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub region: Vec<String>,
    /// Severities.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub severity: Vec<Severity>,
    /// Products, such as `guardduty`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub product: Vec<String>,
    /// Controls, in any case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub control: Vec<String>,
    /// The first day; without it since counting began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The last day; without it today.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
}

/// A value that says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}={value}: {problem}")]
pub struct BadFilter {
    /// The name in the URL.
    pub name: String,
    /// The value, cut short.
    pub value: String,
    /// What is wrong, and what is right.
    pub problem: String,
}

impl Filter {
    /// The names that a URL may use.
    pub const NAMES: [&'static str; 9] = [
        "team", "account", "ou", "region", "severity", "product", "control", "from", "to",
    ];

    /// Reads a URL's query, with or without its `?`. Other names are left to others; empty values say nothing.
    ///
    /// # Errors
    /// [`BadFilter`] for the first value that cannot be.
    pub fn parse(query: &str) -> Result<Self, BadFilter> {
        let query = query.trim_start_matches('?');
        let mut filter = Filter::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            filter.take(&name, value.trim())?;
        }
        filter.checked()
    }

    /// The first name of a query that no filter has.
    pub fn unknown(query: &str) -> Option<String> {
        form_urlencoded::parse(query.trim_start_matches('?').as_bytes())
            .map(|(name, _)| name.into_owned())
            .find(|name| !Filter::NAMES.contains(&name.as_str()))
    }

    /// Takes one name and value in.
    ///
    /// # Errors
    /// [`BadFilter`].
    pub fn take(&mut self, name: &str, value: &str) -> Result<(), BadFilter> {
        let bad = |problem: &str| BadFilter {
            name: name.to_owned(),
            value: value.chars().take(40).collect(),
            problem: problem.to_owned(),
        };
        if value.is_empty() || !Filter::NAMES.contains(&name) {
            return Ok(());
        }
        if value.chars().count() > CHARS_MOST || value.chars().any(char::is_control) {
            return Err(bad("is no name: it is too long, or has control characters"));
        }
        let date = || {
            let parsed = value.parse::<Date>().ok().filter(|_| value.len() == 10);
            parsed.ok_or_else(|| bad("is no day; write it as 2026-11-24"))
        };
        match name {
            "from" => self.from = Some(date()?),
            "to" => self.to = Some(date()?),
            "severity" => {
                let severity = Severity::parse(value).ok_or_else(|| {
                    bad("is no severity; there are CRITICAL, HIGH, MEDIUM, LOW and INFORMATIONAL")
                })?;
                if !self.severity.contains(&severity) {
                    self.severity.push(severity);
                }
            }
            "account" if value.len() != 12 || !value.bytes().all(|b| b.is_ascii_digit()) => {
                return Err(bad("is no account; an account id has 12 digits"));
            }
            "ou" if !value.starts_with('/') => {
                return Err(bad(
                    "is no unit; its path begins with a slash, such as /prod/payments",
                ));
            }
            _ => {
                let list = match name {
                    "team" => &mut self.team,
                    "account" => &mut self.account,
                    "ou" => &mut self.ou,
                    "region" => &mut self.region,
                    "product" => &mut self.product,
                    _ => &mut self.control,
                };
                if !list.iter().any(|known| known == value) {
                    list.push(value.to_owned());
                }
                if list.len() > VALUES_MOST {
                    return Err(bad("is one too many: at most 50 values of one name"));
                }
            }
        }
        Ok(())
    }

    /// The whole makes sense.
    ///
    /// # Errors
    /// [`BadFilter`] when it ends before it begins.
    pub fn checked(self) -> Result<Self, BadFilter> {
        match (self.from, self.to) {
            (Some(from), Some(to)) if to < from => Err(BadFilter {
                name: "to".to_owned(),
                value: to.to_string(),
                problem: format!("is before from={from}"),
            }),
            _ => Ok(self),
        }
    }

    /// As a URL's query, without the `?`; empty for everything. Parsing it gives the same filter.
    pub fn to_query(&self) -> String {
        let mut query = Serializer::new(String::new());
        for (name, value) in self.pairs() {
            query.append_pair(name, &value);
        }
        query.finish()
    }

    /// Names and values, in the order of [`Filter::NAMES`]: for forms.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let Filter {
            team,
            account,
            ou,
            region,
            severity,
            product,
            control,
            from,
            to,
        } = self;
        let mut pairs = Vec::new();
        let mut each = |name: &'static str, values: &[String]| {
            pairs.extend(values.iter().map(|value| (name, value.clone())));
        };
        each("team", team);
        each("account", account);
        each("ou", ou);
        each("region", region);
        let severities: Vec<String> = severity.iter().map(|one| one.label().to_owned()).collect();
        each("severity", &severities);
        each("product", product);
        each("control", control);
        let days = [("from", from), ("to", to)];
        let days = days
            .into_iter()
            .filter_map(|(name, day)| Some((name, (*day)?.to_string())));
        pairs.extend(days);
        pairs
    }

    /// The same, of these teams only; `None` when it asks for another one.
    pub fn within(self, teams: &[String]) -> Option<Self> {
        let asks_for_all = self.team.is_empty();
        let seen = |team: &&String| asks_for_all || self.team.contains(team);
        let team: Vec<String> = teams.iter().filter(seen).cloned().collect();
        let sees_all_it_asks_for = asks_for_all || team.len() == self.team.len();
        (!team.is_empty() && sees_all_it_asks_for).then_some(Filter { team, ..self })
    }

    /// Whether a link that this team owns, in an account of this unit, is of it. Days are not asked: a link stands now.
    pub fn takes(&self, link: &Link, team: &str, unit: Option<&str>) -> bool {
        let among = |list: &[String], value: &str| {
            list.is_empty() || list.iter().any(|one| one.eq_ignore_ascii_case(value))
        };
        let product = link.findings.first();
        let product = product.map_or(String::new(), |key| {
            Product::of_arn(&key.product_arn).word().to_owned()
        });
        let below = |path: &String| unit.is_some_and(|unit| owner::is_below(unit, path));
        (self.team.is_empty() || self.team.iter().any(|one| one == team))
            && among(&self.account, link.alias.account.as_str())
            && (self.ou.is_empty() || self.ou.iter().any(below))
            && among(&self.region, &link.alias.region)
            && (self.severity.is_empty() || self.severity.contains(&link.severity))
            && among(&self.product, &product)
            && among(&self.control, link.rule_said())
    }

    /// Everything is counted.
    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }

    /// The same without its days.
    #[must_use]
    pub fn of_all_time(&self) -> Self {
        Filter {
            from: None,
            to: None,
            ..self.clone()
        }
    }
}

/// In words for people: `team payments; severity CRITICAL or HIGH; from 2026-01-01`.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = self.pairs();
        if pairs.is_empty() {
            return f.write_str("everything");
        }
        let mut last = "";
        for (name, value) in &pairs {
            if *name == last {
                write!(f, " or {value}")?;
            } else {
                let begin = if last.is_empty() { "" } else { "; " };
                write!(f, "{begin}{name} {value}")?;
            }
            last = name;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_query_is_read_and_other_names_are_left_to_others() {
        let filter = Filter::parse(
            "?team=pay%20ments&severity=high&severity=CRITICAL&severity=HIGH&page=2&control=&from=2026-01-02",
        )
        .unwrap();
        assert_eq!(filter.team, ["pay ments"]);
        assert_eq!(filter.severity, [Severity::High, Severity::Critical]);
        assert_eq!(filter.from, Some(Date::constant(2026, 1, 2)));
        assert!(filter.control.is_empty());
        assert_eq!(
            filter.to_string(),
            "team pay ments; severity HIGH or CRITICAL; from 2026-01-02"
        );
        assert_eq!(Filter::unknown("team=a&page=2").unwrap(), "page");
        assert_eq!(Filter::parse("").unwrap().to_string(), "everything");
    }

    #[test]
    fn a_value_that_cannot_be_is_named_with_what_is_right() {
        for (query, said) in [
            (
                "account=12345",
                "account=12345: is no account; an account id has 12 digits",
            ),
            ("severity=SEVERE", "severity=SEVERE: is no severity"),
            (
                "from=yesterday",
                "from=yesterday: is no day; write it as 2026-11-24",
            ),
            ("from=2026-02-30", "is no day"),
            (
                "from=2026-02-02&to=2026-02-01",
                "to=2026-02-01: is before from=2026-02-02",
            ),
            ("ou=prod", "is no unit"),
            ("team=%00", "control characters"),
        ] {
            let error = Filter::parse(query).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn a_ticket_is_of_a_filter_when_every_name_has_a_value_for_it() {
        let alias = crate::model::AliasKey {
            account: "111111111111".into(),
            region: "eu-west-1".to_owned(),
            rule: "s3.8".to_owned(),
            resource: "arn:aws:s3:::b".to_owned(),
        };
        let mut link = Link::new(alias, Severity::High);
        link.rule = "S3.8".to_owned();
        link.track(crate::model::FindingKey {
            product_arn: "arn:aws:securityhub:eu-west-1::product/aws/securityhub".to_owned(),
            id: "f".to_owned(),
        });
        for (query, is) in [
            ("", true),
            ("from=2030-01-01", true),
            ("team=pay&severity=LOW&severity=HIGH&control=s3.8", true),
            (
                "account=111111111111&ou=/prod&region=eu-west-1&product=securityhub",
                true,
            ),
            ("team=web", false),
            ("severity=LOW", false),
            ("control=S3.80", false),
            ("account=222222222222", false),
            ("ou=/pro", false),
            ("region=eu-west-2", false),
            ("product=guardduty", false),
        ] {
            let filter = Filter::parse(query).unwrap();
            assert_eq!(filter.takes(&link, "pay", Some("/prod/pay")), is, "{query}");
        }
        let filter = Filter::parse("ou=/prod").unwrap();
        assert!(!filter.takes(&link, "pay", None));
    }

    #[test]
    fn who_sees_some_teams_sees_no_other() {
        let own = ["payments".to_owned(), "web".to_owned()];
        let asked = |query: &str| Filter::parse(query).unwrap().within(&own);
        assert_eq!(asked("severity=HIGH").unwrap().team, own);
        assert_eq!(asked("team=web").unwrap().team, ["web"]);
        assert_eq!(asked("team=web&team=security"), None);
        assert_eq!(asked("team=security"), None);
        assert_eq!(Filter::default().within(&[]), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_a_filter_writes_it_reads(
            team in proptest::collection::btree_set("[^\\p{C}]{1,20}", 0..4),
            control in proptest::collection::btree_set("[A-Za-z0-9.#&=+%-]{1,20}", 0..4),
            severity in proptest::collection::btree_set(0..5_usize, 0..5),
        ) {
            let trimmed = |set: std::collections::BTreeSet<String>| -> Vec<String> {
                let set: std::collections::BTreeSet<String> =
                    set.iter().map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect();
                set.into_iter().collect()
            };
            let filter = Filter {
                team: trimmed(team),
                control: trimmed(control),
                severity: severity.into_iter().map(|n| Severity::WORST_FIRST[n]).collect(),
                to: Some(Date::constant(2026, 11, 24)),
                ..Filter::default()
            };
            prop_assert_eq!(Filter::parse(&filter.to_query()).unwrap(), filter);
        }
    }
}
