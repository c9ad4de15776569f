//! The weekly digest of a team, or of several teams that share a channel.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::numbers::{All, Numbers, Oldest, together};
use crate::config::Config;
use crate::notify::message::{Line, Message, Part, code, link, strong, text};
use crate::notify::news::days_between;
use crate::notify::trend::Trend;
use crate::notify::wording::counted;
use crate::wire::jira::list_url;

/// Late tickets that are shown one by one.
const LATE_SHOWN: usize = 5;
/// Rules that are shown.
const RULES_SHOWN: usize = 3;
/// Ignore rules that are shown.
const ENDING_SHOWN: usize = 5;

/// An ignore rule that ends soon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Its id.
    pub rule: String,
    /// The team that answers for it.
    pub team: String,
    /// Its last day.
    pub expires: Date,
    /// How many findings it hides.
    pub hides: usize,
}

/// What a digest is made of besides numbers.
pub struct Setting<'a> {
    /// Statuses, projects, help.
    pub config: &'a Config,
    /// The day.
    pub today: Date,
    /// Ignore rules that end soon.
    pub ending: &'a [Ending],
}

/// The digest for these teams; `None` when there is nothing to say.
pub fn message(setting: &Setting<'_>, all: &All, teams: &[String]) -> Option<Message> {
    let own: BTreeMap<String, Numbers> = teams
        .iter()
        .filter_map(|team| Some((team.clone(), all.teams.get(team)?.clone())))
        .collect();
    let numbers = together(&own);
    let ending: Vec<&Ending> = setting
        .ending
        .iter()
        .filter(|rule| teams.contains(&rule.team))
        .collect();
    if numbers.is_empty() && ending.is_empty() {
        return None;
    }
    let mut message = Message::new(headline(&teams.join(", "), &numbers))
        .line([text(flows(&numbers))])
        .with(Part::Facts(severities(&numbers)));
    message = late(message, setting.config, &numbers);
    message = message.list("Rules with most open tickets", rules(&numbers), 0);
    let mut facts: Vec<(String, Line)> = Vec::new();
    if numbers.in_review > 0 {
        let waiting = counted(usize::try_from(numbers.in_review).unwrap_or(0), "ticket");
        facts.push((
            "Waiting for security’s review".to_owned(),
            vec![text(waiting)],
        ));
    }
    facts.extend(ranks(all, teams));
    if !facts.is_empty() {
        message = message.with(Part::Facts(facts));
    }
    message = ends(message, &ending, setting.today);
    message = picture(message, &numbers.trend);
    let links = links(setting.config, teams);
    if !links.is_empty() {
        message = message.with(Part::Links(links));
    }
    Some(message.with(Part::Small(footing(all, setting))))
}

/// `payments: 132 open tickets, ▼ 14 since last week`.
fn headline(teams: &str, numbers: &Numbers) -> String {
    let open = numbers.open_now();
    let noun = if open == 1 { "ticket" } else { "tickets" };
    format!(
        "{teams}: {open} open {noun}, {}",
        change(open, numbers.open_then())
    )
}

/// The direction is said by a sign and by words.
pub(super) fn change(now: u64, then: u64) -> String {
    match now.cmp(&then) {
        std::cmp::Ordering::Less => format!("▼ {} since last week", then - now),
        std::cmp::Ordering::Greater => format!("▲ {} since last week", now - then),
        std::cmp::Ordering::Equal => "as last week".to_owned(),
    }
}

pub(super) fn flows(numbers: &Numbers) -> String {
    let flows = &numbers.flows;
    let words = [
        (flows.done, "done"),
        (flows.gone, "gone with their resources"),
        (flows.ignored, "ignored"),
        (flows.deleted_by_people, "deleted by people"),
        (flows.merged, "merged with others"),
        (flows.split, "split from others"),
        (flows.new, "new"),
        (flows.again, "open again"),
    ];
    let words: Vec<String> = words
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{n} {what}"))
        .collect();
    if words.is_empty() {
        "Nothing changed in these seven days.".to_owned()
    } else {
        format!("In these seven days: {}.", words.join(", "))
    }
}

pub(super) fn severities(numbers: &Numbers) -> Vec<(String, Line)> {
    let rows = numbers.open.iter().rev();
    rows.map(|(severity, (now, then))| {
        let change = if now == then {
            String::new()
        } else {
            format!("  ({})", change(*now, *then))
        };
        (
            severity.label().to_owned(),
            vec![text(format!("{now} open{change}"))],
        )
    })
    .collect()
}

fn late(message: Message, config: &Config, numbers: &Numbers) -> Message {
    let all = numbers.late.len();
    let items: Vec<Line> = numbers.late.iter().take(LATE_SHOWN).map(oldest).collect();
    let more = all.saturating_sub(LATE_SHOWN);
    if config.sla.is_none() {
        return message.list("Open for longest", items, 0);
    }
    let soon = match numbers.soon {
        0 => String::new(),
        1 => "; 1 more becomes due soon".to_owned(),
        n => format!("; {n} more become due soon"),
    };
    let message = if all == 0 && numbers.soon > 0 {
        let soon = counted(usize::try_from(numbers.soon).unwrap_or(0), "ticket");
        message.line([
            strong("Nothing is late. "),
            text(format!("Due soon: {soon}.")),
        ])
    } else {
        message
    };
    message.list(
        format!("Past their due dates: {}{soon}", counted(all, "ticket")),
        items,
        more,
    )
}

pub(super) fn oldest(one: &Oldest) -> Line {
    let days = match (one.due, one.days) {
        (Some(_), 1) => "1 day late".to_owned(),
        (Some(_), n) => format!("{n} days late"),
        (None, 1) => "open for 1 day".to_owned(),
        (None, n) => format!("open for {n} days"),
    };
    vec![
        link(&one.ticket.key, Some(&one.ticket.url)),
        text(format!(" {} {} ", one.severity.label(), one.rule)),
        code(tail(&one.resource)),
        text(format!(", {days}")),
    ]
}

/// The end of an ARN is what people recognise; the ticket has the rest.
fn tail(resource: &str) -> String {
    let tail = resource.rsplit(':').next().unwrap_or(resource);
    let tail = if tail.is_empty() { resource } else { tail };
    crate::notify::message::clean(tail, 60)
}

pub(super) fn rules(numbers: &Numbers) -> Vec<Line> {
    let rules = numbers.rules.iter().take(RULES_SHOWN);
    rules
        .map(|(rule, n)| vec![strong(rule), text(format!(": {n} open"))])
        .collect()
}

/// Where the teams stand among all, and who improved most.
fn ranks(all: &All, teams: &[String]) -> Vec<(String, Line)> {
    let mut facts = Vec::new();
    if all.teams.len() < 2 {
        return facts;
    }
    let mut order: Vec<(u64, &String)> = all
        .teams
        .iter()
        .map(|(team, numbers)| (numbers.open_now(), team))
        .collect();
    order.sort();
    let place = |team: &String| {
        let open = all.teams.get(team).map_or(0, Numbers::open_now);
        1 + order.iter().filter(|(other, _)| *other < open).count()
    };
    let places: Vec<String> = teams
        .iter()
        .map(|team| match teams.len() {
            1 => format!("{}", place(team)),
            _ => format!("{team} {}", place(team)),
        })
        .collect();
    let words = format!(
        "{} of {} teams; 1 has fewest open tickets",
        places.join(", "),
        order.len()
    );
    facts.push(("Rank".to_owned(), vec![text(words)]));
    let best = most_improved(all);
    if let Some((team, less)) = best {
        let words = if teams.contains(&team) {
            format!("{team}, {less} fewer than last week. Well done!")
        } else {
            format!("{team}, {less} fewer than last week")
        };
        facts.push(("Most improved".to_owned(), vec![text(words)]));
    }
    facts
}

/// The team with the largest fall of open tickets.
pub(super) fn most_improved(all: &All) -> Option<(String, u64)> {
    let falls = all.teams.iter().filter_map(|(team, numbers)| {
        let less = numbers.open_then().checked_sub(numbers.open_now())?;
        (less > 0).then(|| (team.clone(), less))
    });
    falls.max_by_key(|(team, less)| (*less, std::cmp::Reverse(team.clone())))
}

fn ends(message: Message, ending: &[&Ending], today: Date) -> Message {
    let items: Vec<Line> = ending
        .iter()
        .take(ENDING_SHOWN)
        .map(|rule| {
            let days = days_between(today, rule.expires);
            let when = match days {
                0 => "today".to_owned(),
                1 => "tomorrow".to_owned(),
                n => format!("in {n} days"),
            };
            let hides = counted(rule.hides, "finding");
            vec![
                strong(&rule.rule),
                text(format!(": ends {when} ({}), hides {hides}", rule.expires)),
            ]
        })
        .collect();
    let more = ending.len().saturating_sub(ENDING_SHOWN);
    message.list("Ignore rules that end soon", items, more)
}

/// The picture, with the same in words; a picture of less than three days says nothing.
pub(super) fn picture(message: Message, trend: &Trend) -> Message {
    if trend.days.len() < 3 || trend.bands.is_empty() {
        return message;
    }
    let last = trend.days.len() - 1;
    let (first_day, last_day) = (trend.days[0], trend.days[last]);
    let now: Vec<String> = trend
        .bands
        .iter()
        .map(|(severity, open)| format!("{} {}", open[last], severity.label()))
        .collect();
    let alt = format!(
        "Open tickets by day from {} to {}: {} then, {} now ({}).",
        first_day.strftime("%-d %b"),
        last_day.strftime("%-d %b %Y"),
        trend.total(0),
        trend.total(last),
        now.join(", ")
    );
    message.with(Part::Picture {
        trend: trend.clone(),
        alt,
    })
}

fn links(config: &Config, teams: &[String]) -> Vec<(String, String)> {
    let rules = config.owners.rules.iter().map(|rule| &rule.owner);
    let projects: std::collections::BTreeSet<&str> = rules
        .chain([&config.owners.default])
        .filter(|owner| teams.contains(&owner.team))
        .map(|owner| owner.project.as_str())
        .collect();
    let statuses = &config.jira.statuses;
    let open = list_url(&config.jira.url, projects.iter().copied(), &statuses.open);
    let mut links = Vec::new();
    links.extend(open.map(|url| ("All open tickets".to_owned(), url)));
    let help = config.notices.help_url.clone();
    links.extend(help.map(|url| ("How to ignore".to_owned(), url)));
    links
}

fn footing(all: &All, setting: &Setting<'_>) -> String {
    let counted = match all.since {
        Some(since) => format!(
            "Counted since {}; what was before is not known.",
            since.strftime("%-d %b %Y")
        ),
        None => "Tickets that were deleted are counted too.".to_owned(),
    };
    format!(
        "Week until {}. {counted}",
        setting.today.strftime("%a %-d %b %Y")
    )
}
