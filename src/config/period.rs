//! A length of time as people write it: `15m`, `24h`, `30d`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A whole number and a unit: `s`, `m`, `h`, `d` (24 hours) or `w` (7 days). At most 36,500 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period(SignedDuration);

const UNITS: [(char, i64); 5] = [
    ('w', 7 * 86_400),
    ('d', 86_400),
    ('h', 3_600),
    ('m', 60),
    ('s', 1),
];
const LONGEST_SECS: i64 = 36_500 * 86_400;

impl Period {
    /// Whole seconds.
    pub const fn from_seconds(seconds: u32) -> Self {
        Period(SignedDuration::from_secs(seconds as i64))
    }

    /// Whole minutes.
    pub const fn from_minutes(minutes: u32) -> Self {
        Period(SignedDuration::from_mins(minutes as i64))
    }

    /// Whole hours.
    pub const fn from_hours(hours: u32) -> Self {
        Period(SignedDuration::from_secs(hours as i64 * 3_600))
    }

    /// The same length for calculations.
    pub fn duration(self) -> SignedDuration {
        self.0
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no length of time; write a whole number and s, m, h, d or w, such as \"24h\""
            )
        };
        let unit = text.chars().last().ok_or_else(wrong)?;
        let (_, unit_secs) = UNITS
            .into_iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(wrong)?;
        let number = &text[..text.len() - unit.len_utf8()];
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let secs = number
            .parse::<i64>()
            .ok()
            .and_then(|n| n.checked_mul(unit_secs))
            .filter(|secs| *secs <= LONGEST_SECS)
            .ok_or_else(|| format!("`{text}` is longer than 36500d"))?;
        Ok(Period(SignedDuration::from_secs(secs)))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.0.as_secs();
        // 24h reads better than 1d, and weeks are only read, never written.
        let (unit, unit_secs) = UNITS
            .into_iter()
            .skip(1)
            .find(|(unit, unit_secs)| {
                secs % unit_secs == 0 && (*unit != 'd' || secs >= 2 * unit_secs)
            })
            .unwrap_or(('s', 1));
        write!(f, "{}{unit}", secs / unit_secs)
    }
}

impl TryFrom<String> for Period {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl JsonSchema for Period {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[0-9]+[smhdw]$",
            "examples": ["15m", "24h", "30d"],
        })
    }
}
