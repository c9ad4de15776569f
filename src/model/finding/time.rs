//! Times as findings carry them: RFC 3339 with up to nanoseconds, offsets in three spellings, a blank for the `T`, or
//! seconds since 1970.

use jiff::Timestamp;
use serde_json::Value;

/// Reads a time leniently, to the millisecond (Security Hub API: nanoseconds are rounded to milliseconds).
pub(super) fn parse(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text_time(text.trim()),
        Value::Number(number) => {
            let n = number.as_f64()?;
            let seconds = if n.abs() > 1e11 { n / 1000.0 } else { n };
            #[allow(clippy::cast_possible_truncation)]
            Timestamp::from_millisecond((seconds * 1000.0) as i64).ok()
        }
        _ => None,
    }
}

fn text_time(text: &str) -> Option<Timestamp> {
    let mut text = text.replacen(' ', "T", 1);
    if let Some((head, tail)) = text.rsplit_once(' ') {
        // "2020-01-01T00:00:00 +0000": the blank before the offset goes too.
        text = format!("{head}{tail}");
    }
    let zoned = text.ends_with(['Z', 'z']) || offset_start(&text).is_some();
    let spelled = match offset_start(&text) {
        Some(at) => format!("{}{}", &text[..at], full_offset(&text[at..])),
        None if zoned => text,
        None if text.len() == 10 => format!("{text}T00:00:00Z"),
        None => format!("{text}Z"),
    };
    let at: Timestamp = spelled.parse().ok()?;
    Timestamp::from_millisecond(at.as_millisecond()).ok()
}

/// Where `+hh`, `-hhmm` or `+hh:mm` begins, after the time of day.
fn offset_start(text: &str) -> Option<usize> {
    let day_ends = text.find(['T', 't'])?;
    text[day_ends..].rfind(['+', '-']).map(|at| day_ends + at)
}

fn full_offset(offset: &str) -> String {
    match offset.len() {
        3 => format!("{offset}:00"),
        5 => format!("{}:{}", &offset[..3], &offset[3..]),
        _ => offset.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use serde_json::json;

    #[test]
    fn every_spelling_means_the_same_instant() {
        let expected = "2022-10-06T02:18:23.076Z".parse().unwrap();
        for spelling in [
            json!("2022-10-06T02:18:23.076Z"),
            json!("2022-10-06T02:18:23.076999999Z"),
            json!("2022-10-06 02:18:23.076Z"),
            json!("2022-10-06T04:18:23.076+02:00"),
            json!("2022-10-06T04:18:23.076+0200"),
            json!("2022-10-06T04:18:23.076+02"),
            json!("2022-10-06 04:18:23.076 +0200"),
            json!("2022-10-06T02:18:23.076"),
            json!(1_665_022_703.076),
            json!(1_665_022_703_076_i64),
        ] {
            assert_eq!(super::parse(&spelling), Some(expected), "{spelling}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for nonsense in [
            json!("yesterday"),
            json!(""),
            json!(null),
            json!("2022-13-06T00:00:00Z"),
            json!({}),
        ] {
            assert_eq!(super::parse(&nonsense), None, "{nonsense}");
        }
    }
}
