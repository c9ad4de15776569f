//! What people are told about rules, once: that one is about to end, and that they cannot be read.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::RuleSet;
use crate::ports::{Alert, Audience};

/// How many days before its end a rule's owner is warned.
const WARNED_AT_DAYS: [i32; 2] = [3, 14];

/// An alert with the key under which it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The same news has the same key.
    pub key: String,
    /// What is told.
    pub alert: Alert,
}

/// The rules that end soon, each for its owner. `hides` says how many findings each hides, where that is known.
pub fn ending(set: &RuleSet, hides: &BTreeMap<String, usize>, today: Date) -> Vec<Notice> {
    let mut notices = Vec::new();
    for rule in set.rules.iter().filter(|rule| rule.is_live(today)) {
        let days = rule.days_left(today);
        let Some(due) = WARNED_AT_DAYS.into_iter().find(|due| days <= *due) else {
            continue;
        };
        let when = match days {
            0 => "today".to_owned(),
            1 => "tomorrow".to_owned(),
            days => format!("in {days} days"),
        };
        let hidden = match hides.get(&rule.id) {
            None | Some(0) => "It hides nothing now.".to_owned(),
            Some(1) => "One finding will then be shown again, with its ticket open.".to_owned(),
            Some(n) => format!("{n} findings will then be shown again, with their tickets open."),
        };
        let by = set
            .origins
            .get(&rule.id)
            .map_or_else(String::new, |origin| format!(" ({})", origin.name()));
        let text = format!(
            "Ignore rule {}{by} of team {} ends on {}, {when}. {hidden} If it is still intended, renew it by a pull request; its reason was: {}",
            rule.id, rule.owner, rule.expires, rule.reason
        );
        notices.push(Notice {
            key: format!("ignore-ends:{}:{}:{due}", rule.id, rule.expires),
            alert: Alert {
                to: Audience::Team,
                team: Some(rule.owner.clone()),
                text,
                ticket_key: rule.ticket.clone(),
            },
        });
    }
    notices
}

/// The rules cannot be read: once a day, as long as it lasts.
pub fn unread(why: &str, today: Date) -> Notice {
    Notice {
        key: format!("ignore-unread:{today}"),
        alert: Alert {
            to: Audience::Security,
            team: None,
            text: format!(
                "The ignore rules could not be read, so nothing is hidden and nothing is shown again until they can be: {why}"
            ),
            ticket_key: None,
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use jiff::civil::date;

    use super::*;
    use crate::ignore::{RuleFile, parse::parse};

    fn set(expires: &str) -> RuleSet {
        let text = format!(
            "[[ignore]]\nid = \"site\"\ncontrols = [\"S3.8\"]\naccounts = [\"012345678901\"]\nreason = \"A public website.\"\nowner = \"web\"\nrequested_by = \"pat\"\nexpires = {expires}\n"
        );
        let path = "ignore/web.toml".to_owned();
        RuleSet {
            rules: parse(vec![RuleFile { path, text }]).compile().unwrap(),
            ..RuleSet::default()
        }
    }

    #[test]
    fn an_owner_is_warned_at_fourteen_and_at_three_days_with_a_key_for_each() {
        let keys = |today| -> Vec<String> {
            let notices = ending(&set("2026-12-31"), &BTreeMap::new(), today);
            notices.into_iter().map(|notice| notice.key).collect()
        };
        assert_eq!(keys(date(2026, 12, 16)), Vec::<String>::new());
        assert_eq!(keys(date(2026, 12, 17)), ["ignore-ends:site:2026-12-31:14"]);
        assert_eq!(keys(date(2026, 12, 27)), ["ignore-ends:site:2026-12-31:14"]);
        assert_eq!(keys(date(2026, 12, 28)), ["ignore-ends:site:2026-12-31:3"]);
        assert_eq!(keys(date(2026, 12, 31)), ["ignore-ends:site:2026-12-31:3"]);
        assert_eq!(keys(date(2027, 1, 1)), Vec::<String>::new());
    }

    #[test]
    fn a_warning_says_what_will_happen_when_and_what_to_do() {
        let hides = BTreeMap::from([("site".to_owned(), 12)]);
        let notice = ending(&set("2026-12-31"), &hides, date(2026, 12, 28)).remove(0);
        assert_eq!(
            notice.alert.text,
            "Ignore rule site of team web ends on 2026-12-31, in 3 days. 12 findings will then be shown again, with \
             their tickets open. If it is still intended, renew it by a pull request; its reason was: A public website."
        );
        assert_eq!(notice.alert.team.as_deref(), Some("web"));
    }
}
