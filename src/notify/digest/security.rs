//! The weekly digest of the security team: the review queue, what went around the rules, who lags, what does not work.

use jiff::Timestamp;

use super::numbers::All;
use super::team::{Setting, change, flows, most_improved, oldest, picture, rules, severities};
use crate::notify::item::TicketAt;
use crate::notify::message::{Line, Message, Part, code, link, strong, text};
use crate::notify::wording::counted;
use crate::store::outbox::Waiting;
use crate::wire::jira::list_url;

/// Items that are shown of each list.
const SHOWN: usize = 5;

/// A ticket that waits for review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InReview {
    /// The ticket.
    pub ticket: TicketAt,
    /// Rule.
    pub rule: String,
    /// Since when; `None`: since before that was noted.
    pub since: Option<Timestamp>,
}

/// What the security team looks after.
#[derive(Clone, Debug, Default)]
pub struct Affairs {
    /// The review queue, longest first.
    pub queue: Vec<InReview>,
    /// Closes without the right that were undone, as sentences with their tickets.
    pub undone: Vec<(Option<TicketAt>, String)>,
    /// Writes that failed for good: what, and why.
    pub quarantined: Vec<(String, String)>,
    /// Messages that cannot be delivered.
    pub undelivered: Vec<Waiting>,
    /// When everything was last read completely.
    pub last_full: Option<Timestamp>,
    /// How old that may be.
    pub full_is_late: bool,
}

/// The digest; `None` when there is nothing to say.
pub fn message(
    setting: &Setting<'_>,
    all: &All,
    affairs: &Affairs,
    now: Timestamp,
) -> Option<Message> {
    let total = &all.total;
    let quiet = total.is_empty() && affairs.is_empty() && all.hidden_by.is_empty();
    if quiet {
        return None;
    }
    let open = total.open_now();
    let mut message = Message::new(format!(
        "Security: {} in review, {open} open, {}",
        affairs.queue.len(),
        change(open, total.open_then())
    ))
    .line([text(flows(total))])
    .with(Part::Facts(severities(total)));
    message = queue(message, affairs, now);
    message = undone(message, affairs);
    message = lagging(message, all);
    let late: Vec<Line> = total.late.iter().take(SHOWN).map(oldest).collect();
    let more = total.late.len().saturating_sub(SHOWN);
    if setting.config.sla.is_some() {
        let head = format!(
            "Past their due dates: {}",
            counted(total.late.len(), "ticket")
        );
        message = message.list(head, late, more);
    }
    message = message.list("Rules with most open tickets", rules(total), 0);
    if let Some((team, less)) = most_improved(all) {
        let words = format!("{team}, {less} fewer than last week");
        message = message.with(Part::Facts(vec![(
            "Most improved".to_owned(),
            vec![text(words)],
        )]));
    }
    message = around(message, all);
    message = failing(message, affairs);
    message = picture(message, &total.trend);
    let statuses = &setting.config.jira.statuses;
    let projects = setting.config.owners.projects();
    let url = list_url(&setting.config.jira.url, projects, &statuses.resolved);
    if let Some(url) = url {
        message = message.with(Part::Links(vec![("Review queue".to_owned(), url)]));
    }
    let week = setting.today.strftime("%a %-d %b %Y");
    Some(message.with(Part::Small(format!(
        "Week until {week}. Tickets that were deleted are counted too."
    ))))
}

impl Affairs {
    fn is_empty(&self) -> bool {
        self.queue.is_empty()
            && self.undone.is_empty()
            && self.quarantined.is_empty()
            && self.undelivered.is_empty()
            && !self.full_is_late
    }
}

fn queue(message: Message, affairs: &Affairs, now: Timestamp) -> Message {
    let days = |since: Option<Timestamp>| since.map(|at| now.duration_since(at).as_hours() / 24);
    let old = affairs
        .queue
        .iter()
        .filter(|one| days(one.since).is_none_or(|days| days >= 7))
        .count();
    let items: Vec<Line> = affairs
        .queue
        .iter()
        .take(SHOWN)
        .map(|one| {
            let waits = match days(one.since) {
                None => "waits longer than is known".to_owned(),
                Some(0) => "since today".to_owned(),
                Some(1) => "waits for 1 day".to_owned(),
                Some(n) => format!("waits for {n} days"),
            };
            vec![
                link(&one.ticket.key, Some(&one.ticket.url)),
                text(format!(" {}, {waits}", one.rule)),
            ]
        })
        .collect();
    let more = affairs.queue.len().saturating_sub(SHOWN);
    let late = match old {
        0 => String::new(),
        old => format!(", {old} of them for a week or more"),
    };
    let queue = counted(affairs.queue.len(), "ticket");
    let head = format!("Waiting for review: {queue}{late}");
    message.list(head, items, more)
}

fn undone(message: Message, affairs: &Affairs) -> Message {
    let items: Vec<Line> = affairs
        .undone
        .iter()
        .take(SHOWN)
        .map(|(ticket, sentence)| {
            let mut line = Vec::new();
            if let Some(at) = ticket {
                line.push(link(&at.key, Some(&at.url)));
                line.push(text("  "));
            }
            line.push(text(sentence));
            line
        })
        .collect();
    let more = affairs.undone.len().saturating_sub(SHOWN);
    let head = format!("Moves without the right, undone: {}", affairs.undone.len());
    message.list(head, items, more)
}

fn lagging(message: Message, all: &All) -> Message {
    let items: Vec<Line> = all
        .lagging
        .iter()
        .take(SHOWN)
        .map(|(account, team, late)| {
            let late = counted(usize::try_from(*late).unwrap_or(0), "ticket");
            vec![code(account), text(format!(" ({team}): {late} late"))]
        })
        .collect();
    let more = all.lagging.len().saturating_sub(SHOWN);
    message.list("Accounts that lag", items, more)
}

/// Failing findings that somebody suppressed by hand instead of by a reviewed rule.
fn around(message: Message, all: &All) -> Message {
    let items: Vec<Line> = all
        .hidden_by
        .iter()
        .take(SHOWN)
        .map(|(identity, n)| {
            let n = counted(usize::try_from(*n).unwrap_or(0), "finding");
            vec![text(format!("{n} by ")), code(identity)]
        })
        .collect();
    let more = all.hidden_by.len().saturating_sub(SHOWN);
    message.list("Suppressed outside the ignore rules", items, more)
}

fn failing(message: Message, affairs: &Affairs) -> Message {
    let mut items: Vec<Line> = Vec::new();
    if affairs.full_is_late {
        let when = affairs.last_full.map_or_else(
            || "Nothing was ever read completely".to_owned(),
            |at| {
                format!(
                    "The last complete read was on {}",
                    at.strftime("%a %-d %b, %H:%M UTC")
                )
            },
        );
        items.push(vec![strong("Late. "), text(format!("{when}."))]);
    }
    for one in &affairs.undelivered {
        let posts = counted(usize::try_from(one.posts).unwrap_or(0), "message");
        let why = one.trouble.as_deref().unwrap_or("the time has not come");
        items.push(vec![
            strong(&one.recipient),
            text(format!(": {posts} in {} not delivered: {why}", one.place)),
        ]);
    }
    if !affairs.quarantined.is_empty() {
        let n = counted(affairs.quarantined.len(), "item");
        items.push(vec![text(format!(
            "{n} in quarantine (asaf quarantine ls), such as:"
        ))]);
    }
    for (subject, why) in affairs.quarantined.iter().take(3) {
        items.push(vec![strong(subject), text(format!(": {why}"))]);
    }
    message.list("What does not work", items, 0)
}
