//! A rule's keys as they stand in a file: what serde reads, and what the JSON Schema describes. Nothing is checked here
//! but types.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// A file of ignore rules.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct FileAsWritten {
    /// The rules. Within a list any entry may match; across keys all must.
    #[serde(default)]
    ignore: Vec<RuleAsWritten>,
}

/// One ignore rule: what is ignored, where, why, who answers for it, and until when.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "IgnoreRule")]
#[serde(deny_unknown_fields)]
pub(super) struct RuleAsWritten {
    /// Unique among all rules: lower-case letters, digits and hyphens, at most 64 characters.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9-]{0,63}$"))]
    pub(super) id: String,
    /// Controls, Config rules, CVEs or finding types, in the short form that tickets show, such as `S3.8`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) controls: Vec<String>,
    /// Products: security-hub, config, guardduty, access-analyzer, inspector, macie, custom, or company/product.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) products: Vec<String>,
    /// ASFF types, or their beginnings up to a `/`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) types: Vec<String>,
    /// AWS account ids: 12 digits, as text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = r"^[0-9]{12}$")))]
    pub(super) accounts: Vec<String>,
    /// Paths of organisational units, such as `/prod/payments`; accounts below count too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = r"^/")))]
    pub(super) ou: Vec<String>,
    /// Regions, such as `eu-west-1`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) regions: Vec<String>,
    /// Globs over resource ids (ARNs): `*` is any text, `?` one character. Every resource of a finding must match one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) resources: Vec<String>,
    /// Tags that every resource of a finding must carry.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) tags: BTreeMap<String, String>,
    /// Why it is intended, for the reader of the note in Security Hub and of the ticket.
    #[schemars(length(min = 10, max = 500))]
    pub(super) reason: String,
    /// The team that answers for the rule.
    #[schemars(length(min = 1, max = 100))]
    pub(super) owner: String,
    /// Who asked for it: a name or an e-mail address.
    #[schemars(length(min = 1, max = 100))]
    pub(super) requested_by: String,
    /// The last day on which the rule applies (UTC), a date without quotes.
    pub(super) expires: Day,
    /// A ticket with the background, such as `PAY-12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Z][A-Z0-9_]+-[0-9]+$"))]
    pub(super) ticket: Option<String>,
}

/// A TOML date without time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Day(pub(super) Date);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let written = toml_edit::Datetime::deserialize(from)?;
        let (Some(date), None, None) = (written.date, written.time, written.offset) else {
            return Err(D::Error::custom("expected a date without a time"));
        };
        let number = |n: u8| i8::try_from(n).unwrap_or(0);
        let year = i16::try_from(date.year).unwrap_or(i16::MAX);
        Date::new(year, number(date.month), number(date.day))
            .map(Day)
            .map_err(|_| D::Error::custom("there is no such day"))
    }
}

impl Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0.to_string())
    }
}

impl JsonSchema for Day {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Day".into()
    }

    // TOML tools show dates to a schema as text.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })
    }
}
