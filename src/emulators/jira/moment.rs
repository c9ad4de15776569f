//! Points in time as JQL writes them.

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};

/// `2026/01/31`, `2026-01-31 12:30`, or relative to now: `-15m`, `-1w 2d`. Minute-grained, in the caller's time zone.
pub(super) fn instant(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    let dashed = text.replace('/', "-");
    for form in ["%Y-%m-%d %H:%M", "%Y-%m-%d"] {
        let date = civil::DateTime::strptime(form, &dashed)
            .or_else(|_| civil::Date::strptime(form, &dashed).map(civil::DateTime::from));
        if let Ok(date) = date {
            return Some(date.to_zoned_datetime(zone.clone()).ok()?.timestamp());
        }
    }
    let (sign, amounts) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut minutes = 0_i64;
    for amount in amounts.split_whitespace() {
        let unit = amount.chars().last()?;
        let count: i64 = amount.strip_suffix(unit)?.parse().ok()?;
        let unit_minutes = match unit {
            'm' => 1,
            'h' => 60,
            'd' => 1_440,
            'w' => 10_080,
            _ => return None,
        };
        minutes = minutes.checked_add(count.checked_mul(unit_minutes)?)?;
    }
    if amounts.trim().is_empty() {
        return None;
    }
    now.checked_add(SignedDuration::from_mins(sign * minutes))
        .ok()
}
