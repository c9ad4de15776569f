//! Timestamps of the Security Finding Format (Security Hub API reference, "Timestamps"): `YYYY-MM-DDTHH:MM:SS`, up to
//! nine digits of a fraction, then `Z` or an offset of at most 18 hours with or without a colon.

use jiff::Timestamp;

/// Reads a timestamp; nanoseconds are rounded to milliseconds.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| {
        bytes
            .get(range)
            .is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    let shaped = digits(0..4)
        && digits(5..7)
        && digits(8..10)
        && digits(11..13)
        && digits(14..16)
        && digits(17..19)
        && [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')]
            .iter()
            .all(|(at, mark)| bytes[*at] == *mark);
    if !shaped || !is_tail(text.get(19..)?) {
        return None;
    }
    let at: Timestamp = text.parse().ok()?;
    let round = jiff::TimestampRound::new().smallest(jiff::Unit::Millisecond);
    at.round(round).ok()
}

/// A fraction and a zone.
fn is_tail(tail: &str) -> bool {
    let zone = match tail.strip_prefix('.') {
        Some(rest) => {
            let fraction = rest.bytes().take_while(u8::is_ascii_digit).count();
            if !(1..=9).contains(&fraction) {
                return false;
            }
            &rest[fraction..]
        }
        None => tail,
    };
    if zone == "Z" {
        return true;
    }
    let Some(offset) = zone.strip_prefix(['+', '-']) else {
        return false;
    };
    let plain: String = offset.split(':').collect();
    let shaped = offset.len() == plain.len() || offset.find(':') == Some(2);
    let number = plain.parse::<u32>().ok();
    plain.len() == 4 && shaped && number.is_some_and(|hhmm| hhmm <= 1800 && hhmm % 100 < 60)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_documented_forms_are_read_and_no_others() {
        for (text, milliseconds) in [
            ("1970-01-01T00:00:01Z", 1_000),
            ("1970-01-01T00:00:01.5Z", 1_500),
            ("1970-01-01T00:00:01.123456789Z", 1_123),
            ("1970-01-01T01:00:01+01:00", 1_000),
            ("1970-01-01T18:00:01+1800", 1_000),
        ] {
            let read = parse(text).map(|at| at.as_millisecond());
            assert_eq!(read, Some(milliseconds), "{text}");
        }
        for text in [
            "",
            "1970-01-01",
            "1970-01-01 00:00:01Z",
            "1970-01-01T00:00:01",
            "1970-01-01T00:00:01.Z",
            "1970-01-01T00:00:01.1234567890Z",
            "1970-01-01T00:00:01+18:01",
            "1970-01-01T00:00:01+1:800",
            "1970-13-01T00:00:01Z",
            "ü970-01-01T00:00:01Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
