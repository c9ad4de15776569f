//! What is told at once, and what waits for the morning; when a ticket is due. Pure: the time and the choices come in.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::config::{AtOnce, Config, Notices, QuietHours};
use crate::model::Severity;

/// What the choices of `[notices]` look at.
#[derive(Clone, Copy, Debug)]
pub struct Kind<'a> {
    /// Severity now.
    pub severity: Severity,
    /// The product's word, where the finding could be read.
    pub product: Option<&'a str>,
    /// Rule id.
    pub rule: &'a str,
    /// ASFF types.
    pub types: &'a [String],
}

/// A finding of this kind is told at once.
pub fn is_told_at_once(notices: &Notices, kind: Kind<'_>) -> bool {
    notices.at_once.iter().any(|rule| fits(rule, kind))
}

fn fits(rule: &AtOnce, kind: Kind<'_>) -> bool {
    let product = rule.products.is_empty()
        || kind
            .product
            .is_some_and(|product| rule.products.iter().any(|known| known == product));
    let types = rule.types.is_empty()
        || rule.types.iter().any(|start| {
            kind.rule.starts_with(start) || kind.types.iter().any(|one| one.starts_with(start))
        });
    kind.severity >= rule.severity && product && types
}

/// The time zone of people; UTC for a name that the configuration's check would have refused.
pub fn zone(notices: &Notices) -> TimeZone {
    TimeZone::get(&notices.timezone).unwrap_or(TimeZone::UTC)
}

/// When something may be told: now, or at the end of the quiet hours.
pub fn due_at(notices: &Notices, now: Timestamp, critical: bool) -> Timestamp {
    match &notices.quiet_hours {
        Some(quiet) if !critical => end_of_quiet(quiet, &zone(notices), now),
        _ => now,
    }
}

/// Hour by hour would be enough; day by day is exact: each day has at most two ends of quiet.
fn end_of_quiet(quiet: &QuietHours, zone: &TimeZone, now: Timestamp) -> Timestamp {
    let mut at = now;
    // A weekend and its nights end after at most three steps a day.
    for _ in 0..16 {
        let local = zone.to_datetime(at);
        let (date, time) = (local.date(), local.time());
        let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        let overnight = quiet.from > quiet.until;
        let next = if quiet.weekends && weekend {
            date.tomorrow().map(|day| day.at(0, 0, 0, 0))
        } else if overnight && time >= quiet.from {
            date.tomorrow().map(|day| day.to_datetime(quiet.until))
        } else if (overnight || time >= quiet.from) && time < quiet.until {
            Ok(date.to_datetime(quiet.until))
        } else {
            return at;
        };
        match next.and_then(|local| zone.to_timestamp(local)) {
            Ok(next) if next > at => at = next,
            _ => return at,
        }
    }
    at
}

/// The day on which a ticket of this severity is due for a team that has had it since `opened`.
pub fn due_date(
    config: &Config,
    team: &str,
    severity: Severity,
    opened: Timestamp,
) -> Option<Date> {
    let days = config.sla.as_ref()?.days_of(team, severity)?;
    let date = zone(&config.notices).to_datetime(opened).date();
    date.checked_add(i64::from(days).days()).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use jiff::civil::Time;

    use super::*;

    fn notices(weekends: bool) -> Notices {
        Notices {
            timezone: "Europe/Berlin".into(),
            quiet_hours: Some(QuietHours {
                from: Time::constant(22, 0, 0, 0),
                until: Time::constant(7, 0, 0, 0),
                weekends,
            }),
            ..Notices::default()
        }
    }

    #[test]
    fn quiet_hours_end_in_the_morning_and_after_the_weekend() {
        for (weekends, now, due) in [
            // Tuesday, in Berlin one hour later than UTC.
            (false, "2026-11-24T12:00:00Z", "2026-11-24T12:00:00Z"),
            (false, "2026-11-24T21:00:00Z", "2026-11-25T06:00:00Z"),
            (false, "2026-11-24T23:30:00Z", "2026-11-25T06:00:00Z"),
            (false, "2026-11-25T05:59:00Z", "2026-11-25T06:00:00Z"),
            // Friday evening: without weekends till Saturday, with them till Monday.
            (false, "2026-11-27T21:30:00Z", "2026-11-28T06:00:00Z"),
            (true, "2026-11-27T21:30:00Z", "2026-11-30T06:00:00Z"),
            (true, "2026-11-29T12:00:00Z", "2026-11-30T06:00:00Z"),
            // The night in which summer time ends has one hour more.
            (false, "2026-10-24T20:30:00Z", "2026-10-25T06:00:00Z"),
        ] {
            let (now, due): (Timestamp, Timestamp) = (now.parse().unwrap(), due.parse().unwrap());
            assert_eq!(due_at(&notices(weekends), now, false), due, "{now}");
            assert_eq!(
                due_at(&notices(weekends), now, true),
                now,
                "CRITICAL at {now}"
            );
        }
    }

    #[test]
    fn hours_within_a_day_are_quiet_too() {
        let mut notices = notices(false);
        notices.quiet_hours = Some(QuietHours {
            from: Time::constant(12, 0, 0, 0),
            until: Time::constant(13, 0, 0, 0),
            weekends: false,
        });
        let at = |time: &str| format!("2026-11-24T{time}Z").parse::<Timestamp>().unwrap();
        assert_eq!(due_at(&notices, at("11:30:00"), false), at("12:00:00"));
        assert_eq!(due_at(&notices, at("12:00:00"), false), at("12:00:00"));
    }

    #[test]
    fn the_default_tells_guardduty_from_high_and_everything_critical() {
        let kind = |severity, product| Kind {
            severity,
            product,
            rule: "x",
            types: &[],
        };
        let told =
            |severity, product| is_told_at_once(&Notices::default(), kind(severity, product));
        assert!(told(Severity::High, Some("guardduty")));
        assert!(!told(Severity::Medium, Some("guardduty")));
        assert!(!told(Severity::High, Some("securityhub")));
        assert!(told(Severity::Critical, Some("acme/scanner")));
        assert!(told(Severity::Critical, None));
        assert!(!told(Severity::High, None));
    }

    #[test]
    fn a_type_is_chosen_by_its_beginning() {
        let notices = Notices {
            at_once: vec![AtOnce {
                severity: Severity::Low,
                products: Vec::new(),
                types: vec!["IAM.".into(), "TTPs/".into()],
            }],
            ..Notices::default()
        };
        let types = ["TTPs/Initial Access".to_owned()];
        for (rule, types, told) in [
            ("IAM.3", &[][..], true),
            ("S3.8", &[][..], false),
            ("S3.8", &types[..], true),
        ] {
            let kind = Kind {
                severity: Severity::Low,
                product: None,
                rule,
                types,
            };
            assert_eq!(is_told_at_once(&notices, kind), told, "{rule}");
        }
    }
}
