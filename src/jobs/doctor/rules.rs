//! The ignore rules: can they be read from a branch that only reviewed pull requests change, and are they valid?

use crate::clock::Clock;
use crate::model::ignore_rule::day;
use crate::read::rules::{Loaded, load};

use super::report::Found;
use super::subject::Subject;

pub(super) async fn readable(subject: &Subject) -> Found {
    let Some(config) = &subject.config.ignore else {
        return Found::off("no [ignore]: nothing is ignored by a rule");
    };
    let source = match subject.clients() {
        Ok(clients) => &clients.rules,
        Err(why) => return Found::wrong(why, "put the secret where the configuration says"),
    };
    let Ok(store) = &subject.store else {
        return Found::skipped("store");
    };
    let now = Clock::System.now();
    let loaded = match load(source, &config.policy(), store, now).await {
        Ok(loaded) => loaded,
        Err(error) => return Found::wrong(error.to_string(), "see the check `store`"),
    };
    match loaded {
        Loaded::None => Found::off("no rules"),
        Loaded::Ended => Found::well("no rules any more: what they hid is shown again"),
        Loaded::Read(read) => {
            let today = day(now);
            let live = read.set.rules.iter().filter(|rule| rule.is_live(today));
            let commit: String = read.set.commit.chars().take(10).collect();
            Found::well(format!("{} rules live at commit {commit}", live.count()))
        }
        Loaded::Unread { why, .. } => Found::wrong(
            format!("the rules cannot be read: {why}"),
            "until they can, nothing is ignored anew and nothing is shown again: correct what is named; \
             `asaf ignore check` shows mistakes in their lines",
        ),
    }
}
