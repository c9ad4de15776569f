//! From facts to the message that people read. One item is told in full; several become counts and a short list.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::item::{Alerted, Burning, Item, Late, Moved, TicketAt};
use super::message::{Line, Message, Part, code, link, strong, text};
use crate::model::Severity;
use crate::store::outbox::Stage;

/// Items of a folded message that are shown one by one.
const SHOWN: usize = 10;
/// The longest "why it matters", in characters: the ticket holds the rest.
const LONGEST_WHY: usize = 400;

/// The message of a post; items of one post are of one kind.
pub fn message(items: &[Item]) -> Message {
    match items {
        [] => Message::default(),
        [Item::Burns(one)] => burning(one),
        [Item::Burns(_), ..] => storm(&of(items, |item| match item {
            Item::Burns(one) => Some(one.as_ref()),
            _ => None,
        })),
        [Item::Moved(one)] => Message::default().line(moved(one)),
        [Item::Moved(_), ..] => many_moved(&of(items, |item| match item {
            Item::Moved(one) => Some(one),
            _ => None,
        })),
        [Item::Alert(_), ..] => alerts(&of(items, |item| match item {
            Item::Alert(one) => Some(one),
            _ => None,
        })),
        [Item::Late(_), ..] => late(&of(items, |item| match item {
            Item::Late(one) => Some(one),
            _ => None,
        })),
        [Item::Ready(message), ..] => message.as_ref().clone(),
    }
}

fn of<'a, T>(items: &'a [Item], take: impl Fn(&'a Item) -> Option<&'a T>) -> Vec<&'a T> {
    items.iter().filter_map(take).collect()
}

fn burning(one: &Burning) -> Message {
    let head = format!("{} · {}: {}", one.severity.label(), one.rule, one.title);
    let mut message = Message::new(head);
    if !one.why.is_empty() && one.why != one.title {
        message = message.line([text(cut(&one.why, LONGEST_WHY))]);
    }
    let mut facts: Vec<(String, Line)> = vec![("Where".to_owned(), place(one))];
    let fact = |name: &str, value: Line| (name.to_owned(), value);
    if let Some(since) = one.since {
        let again = match one.episode {
            0 | 1 => String::new(),
            n => format!(", for the {} time", ordinal(n)),
        };
        facts.push(fact(
            "Since",
            vec![text(format!("{}{again}", minute(since)))],
        ));
    }
    facts.push(fact("Found by", vec![text(&one.product)]));
    if let Some(ticket) = &one.ticket {
        let mut value = vec![link(&ticket.key, Some(&ticket.url))];
        if let Some(due) = one.due {
            value.push(text(format!(", due on {}", due.strftime("%a %-d %b %Y"))));
        }
        facts.push(fact("Ticket", value));
    }
    if let Some(fix) = &one.fix {
        facts.push(fact("Fix", vec![text(cut(fix, LONGEST_WHY))]));
    }
    message = message.with(Part::Facts(facts));
    let review = format!(
        "{} fixes it and sets the ticket to Resolved; security reviews it and closes it, or reopens it.",
        one.team
    );
    links(message, one).with(Part::Small(super::message::clean(&review, 300)))
}

fn links(message: Message, one: &Burning) -> Message {
    let mut links = Vec::new();
    if let Some(ticket) = &one.ticket {
        links.push((ticket.key.clone(), ticket.url.clone()));
    }
    links.extend(
        one.console
            .clone()
            .map(|url| ("AWS console".to_owned(), url)),
    );
    links.extend(
        one.fix_url
            .clone()
            .map(|url| ("How to fix it".to_owned(), url)),
    );
    if links.is_empty() {
        message
    } else {
        message.with(Part::Links(links))
    }
}

fn place(one: &Burning) -> Line {
    let mut line = vec![code(&one.resource)];
    if let Some(kind) = &one.kind {
        line.push(text(format!(" ({kind})")));
    }
    if one.more_resources > 0 {
        line.push(text(format!(" and {} more", one.more_resources)));
    }
    line.push(text(format!(
        " in account {}, {}",
        account(one.account_name.as_deref(), &one.account),
        one.region
    )));
    line
}

fn account(name: Option<&str>, id: &str) -> String {
    match name {
        Some(name) => format!("{name} ({id})"),
        None => id.to_owned(),
    }
}

/// Many findings of one rule: counts, the time they came in, and the worst of them.
fn storm(all: &[&Burning]) -> Message {
    let accounts: BTreeSet<&str> = all.iter().map(|one| one.account.as_str()).collect();
    let worst = all
        .iter()
        .map(|one| one.severity)
        .max()
        .unwrap_or(Severity::High);
    let rule = all.first().map_or("", |one| one.rule.as_str());
    let mut message = Message::new(format!(
        "{} · {rule}: {} findings in {}",
        worst.label(),
        all.len(),
        counted(accounts.len(), "account"),
    ));
    if let Some(first) = all.first() {
        message = message.line([text(&first.title)]);
    }
    let mut by_severity: BTreeMap<Severity, usize> = BTreeMap::new();
    for one in all {
        *by_severity.entry(one.severity).or_default() += 1;
    }
    if by_severity.len() > 1 {
        let counts = by_severity.iter().rev();
        let words: Vec<String> = counts.map(|(s, n)| format!("{n} {}", s.label())).collect();
        message = message.line([text(words.join(", "))]);
    }
    let mut sorted: Vec<&&Burning> = all.iter().collect();
    sorted.sort_by_key(|one| std::cmp::Reverse(one.severity));
    let items = sorted.iter().take(SHOWN).map(|one| {
        let mut line = ticket(one.ticket.as_ref());
        line.push(code(&one.resource));
        line.push(text(format!(
            " in {}",
            account(one.account_name.as_deref(), &one.account)
        )));
        line
    });
    let more = all.len().saturating_sub(SHOWN);
    message = message.list("", items.collect(), more);
    let mut links = Vec::new();
    links.extend(
        all.iter()
            .find_map(|one| one.fix_url.clone())
            .map(|url| ("How to fix it".to_owned(), url)),
    );
    if !links.is_empty() {
        message = message.with(Part::Links(links));
    }
    message.with(Part::Small(
        "Findings of one rule that come together share one message; it counts on while more come."
            .to_owned(),
    ))
}

fn ticket(at: Option<&TicketAt>) -> Line {
    match at {
        Some(at) => vec![link(&at.key, Some(&at.url)), text("  ")],
        None => Vec::new(),
    }
}

fn became(stage: Stage) -> &'static str {
    match stage {
        Stage::Open | Stage::Adopted => "Open again",
        Stage::Resolved => "Resolved",
        Stage::Closed => "Closed",
        Stage::Ignored => "Ignored",
        Stage::None => "Deleted with its resource",
        Stage::Deleted => "Deleted",
        Stage::Merged => "Merged",
    }
}

fn moved(one: &Moved) -> Line {
    let mut line = ticket(one.ticket.as_ref());
    let word = became(one.became);
    match one.sentence.strip_prefix(word) {
        // “Resolved by Pat” needs no “Resolved” before it.
        Some(rest) => line.extend([strong(word), text(rest)]),
        None => line.extend([strong(format!("{word}. ")), text(&one.sentence)]),
    }
    line
}

fn many_moved(all: &[&Moved]) -> Message {
    let stage = all.first().map_or(Stage::Open, |one| one.became);
    let head = format!("{}: {}", became(stage), counted(all.len(), "ticket"));
    let items = all.iter().take(SHOWN).map(|one| {
        let mut line = ticket(one.ticket.as_ref());
        line.push(text(&one.sentence));
        line
    });
    let more = all.len().saturating_sub(SHOWN);
    Message::default().list(head, items.collect(), more)
}

fn alerts(all: &[&Alerted]) -> Message {
    let lines = |one: &Alerted| {
        let mut line = ticket(one.ticket.as_ref());
        line.push(text(&one.sentence));
        if let Some(words) = &one.words {
            line.push(text(format!(
                " {} wrote: “{}”",
                words.by,
                cut(&words.said, LONGEST_WHY)
            )));
        }
        line
    };
    match all {
        [one] => Message::default().line(lines(one)),
        all => {
            let items = all.iter().take(SHOWN).map(|one| lines(one)).collect();
            let more = all.len().saturating_sub(SHOWN);
            Message::default().list(counted(all.len(), "ticket"), items, more)
        }
    }
}

fn late(all: &[&Late]) -> Message {
    let breached = all.first().is_some_and(|one| one.breached);
    let tickets = counted(all.len(), "ticket");
    let head = match (breached, all.len()) {
        (true, 1) => format!("{tickets} is past its due date"),
        (true, _) => format!("{tickets} are past their due dates"),
        (false, 1) => format!("{tickets} is due soon"),
        (false, _) => format!("{tickets} are due soon"),
    };
    let mut sorted: Vec<&&Late> = all.iter().collect();
    sorted.sort_by_key(|one| (std::cmp::Reverse(one.severity), one.due));
    let items = sorted.iter().take(SHOWN).map(|one| {
        vec![
            link(&one.ticket.key, Some(&one.ticket.url)),
            text(format!("  {} {} ", one.severity.label(), one.rule)),
            code(&one.resource),
            text(format!(
                ", {} due on {}",
                if one.breached { "was" } else { "is" },
                one.due.strftime("%a %-d %b")
            )),
        ]
    });
    let more = all.len().saturating_sub(SHOWN);
    Message::new(head).list("", items.collect(), more)
}

/// `1 ticket`, `2 tickets`.
pub fn counted(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        n => format!("{n} {noun}s"),
    }
}

fn cut(words: &str, longest: usize) -> String {
    super::message::clean(words, longest)
}

/// `24 Nov 2026, 08:15 UTC`.
fn minute(at: Timestamp) -> String {
    at.strftime("%-d %b %Y, %H:%M UTC").to_string()
}

fn ordinal(n: u32) -> String {
    let ending = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}
