//! The page for people: tickets, findings, messages and the world itself, with buttons that make things happen. Plain
//! HTML and forms, no script; texts from findings and tickets are only ever text.

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use bytes::Bytes;
use minijinja::Environment;
use minijinja::value::Serde;
use serde_json::{Map, Value, json};

use super::control::verbs::Verb;
use super::control::{Query, Refusal, faults, settings, state};
use super::{World, audit};
use crate::config::Period;
use crate::emulators::jira::{Role, page as document};
use crate::emulators::{Request, Response};

/// Nothing is loaded but the style sheet, nothing runs, and forms go nowhere else (Content Security Policy, level 3).
const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// The same, with a style sheet and pictures inside.
const POLICY_OF_CHANNELS: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; \
                                  base-uri 'none'; frame-ancestors 'none'";

/// Events of the queue on the page of messages.
const EVENTS_MOST: usize = 50;

const TEMPLATES: [(&str, &str); 7] = [
    ("parts.html", include_str!("parts.html")),
    ("frame.html", include_str!("frame.html")),
    ("tickets.html", include_str!("tickets.html")),
    ("ticket.html", include_str!("ticket.html")),
    ("findings.html", include_str!("findings.html")),
    ("messages.html", include_str!("messages.html")),
    ("world.html", include_str!("world.html")),
];

/// Names end in `.html`, so that the engine escapes what is put into them.
static ENGINE: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    engine.add_filter("moment", moment);
    for (name, text) in TEMPLATES {
        engine.add_template(name, text)?;
    }
    Ok(engine)
});

/// A timestamp to the second, for people.
fn moment(at: &str) -> String {
    let parsed = at.parse::<jiff::Timestamp>();
    parsed.map_or_else(
        |_| at.to_owned(),
        |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

/// Answers a request for the page, if it is one.
pub(super) fn answer(world: &mut World, request: &Request) -> Option<Response> {
    let query = Query::of(request);
    let shown = match (request.method().as_str(), request.uri().path()) {
        ("GET", "/") => tickets(world, &query),
        ("GET", "/page/ticket") => ticket(world, &query),
        ("GET", "/page/findings") => findings(world, &query),
        ("GET", "/page/messages") => messages(world, &query),
        ("GET", "/page/slack") => return Some(channels(world)),
        ("GET", "/page/world") => Ok(overview(world)),
        ("GET", "/page/style.css") => {
            return Some(whole(200, "text/css", include_str!("style.css")));
        }
        ("POST", "/page/act") => return Some(act(world, request)),
        ("POST", "/page/advance") => return Some(advance(world, request)),
        ("POST", "/page/heal") => return Some(heal(world)),
        _ => return None,
    };
    Some(match shown {
        Ok(html) => html,
        Err(refusal) => refused(world, &refusal, "/"),
    })
}

/// Who the reader acts as in lists.
fn acting(world: &World, query: &Query) -> Value {
    let wanted = query.get("as").unwrap_or("product");
    let role = Role::ALL.into_iter().find(|role| role.word() == wanted);
    let role = role.unwrap_or(Role::Product);
    let user = world.jira.user(role);
    json!({ "role": role.word(), "name": user.map(|user| &user.display_name),
        "account": user.map(|user| &user.account_id) })
}

/// The active users, the engine's own last.
fn people(world: &World) -> Vec<Value> {
    let mut active: Vec<_> = world.jira.users().filter(|user| user.active).collect();
    active.sort_by_key(|user| user.role == Role::Bot);
    active
        .into_iter()
        .map(|user| {
            json!({ "role": user.role.word(), "name": user.display_name, "account": user.account_id })
        })
        .collect()
}

fn tickets(world: &World, query: &Query) -> Result<Response, Refusal> {
    let me = acting(world, query);
    let account = me["account"].as_str().unwrap_or_default().to_owned();
    let status = query.get("status").filter(|status| !status.is_empty());
    let page = state::tickets(world, status, query.span()?);
    let rows: Vec<Value> = page
        .rows
        .iter()
        .map(|row| json!({ "row": row, "open": world.jira.open_transitions(&account, &row.key) }))
        .collect();
    let statuses = world.jira.statuses();
    let statuses: Vec<&str> = statuses.map(|status| status.name.as_str()).collect();
    Ok(render(
        world,
        "tickets.html",
        json!({ "here": "tickets", "me": me, "people": people(world), "rows": rows, "statuses": statuses, "status": status.unwrap_or_default(), "total": page.total, "next": page.next }),
    ))
}

fn ticket(world: &World, query: &Query) -> Result<Response, Refusal> {
    let key = query.get("key").unwrap_or_default();
    let none = || Refusal::unknown("key", format!("There is no ticket {key}."));
    let ticket = state::ticket(world, key).ok_or_else(none)?;
    let mut people = people(world);
    for person in &mut people {
        let account = person["account"].as_str().unwrap_or_default();
        person["open"] = json!(world.jira.open_transitions(account, key));
    }
    let statuses = world.jira.statuses();
    let statuses: Vec<&str> = statuses.map(|status| status.name.as_str()).collect();
    let issue = world.jira.issue(key);
    let document = issue.and_then(|issue| issue.description.as_ref());
    let document = document.map_or_else(String::new, |text| document::html(&text.value()));
    let finding = ticket.row.finding.as_deref();
    let finding = finding.and_then(|id| state::finding(world, id).into_iter().next());
    Ok(render(
        world,
        "ticket.html",
        json!({ "here": "tickets", "ticket": ticket, "document": document, "people": people, "statuses": statuses, "finding": finding }),
    ))
}

fn findings(world: &World, query: &Query) -> Result<Response, Refusal> {
    let workflow = query.get("workflow").filter(|status| !status.is_empty());
    let page = state::findings(world, workflow, query.span()?);
    Ok(render(
        world,
        "findings.html",
        json!({ "here": "findings", "rows": page.rows, "total": page.total, "next": page.next, "workflow": workflow.unwrap_or_default(), "statuses": ["NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"] }),
    ))
}

fn messages(world: &World, query: &Query) -> Result<Response, Refusal> {
    let page = state::talk(world, query.span()?);
    Ok(render(
        world,
        "messages.html",
        json!({ "here": "messages", "rows": page.rows, "total": page.total, "next": page.next,
            "events": state::events(world, EVENTS_MOST) }),
    ))
}

/// Slack's channels have a page of their own: it looks as they do there, and holds its pictures itself.
fn channels(world: &World) -> Response {
    let policy = http::HeaderValue::from_static(POLICY_OF_CHANNELS);
    let html = crate::emulators::slack::page::html(&world.slack, "/");
    let mut response = whole(200, "text/html; charset=utf-8", &html);
    let headers = response.headers_mut();
    headers.insert("content-security-policy", policy);
    response
}

fn overview(world: &World) -> Response {
    render(
        world,
        "world.html",
        json!({ "here": "world", "violations": audit::audit(world), "requests": world.requests,
            "people": people(world), "journal": world.journal.entries.len(),
            "faults": faults::armed(world), "settings": settings::shown(world) }),
    )
}

/// Makes a verb happen that comes as a form, then leads back to where the reader was.
fn act(world: &mut World, request: &Request) -> Response {
    let mut fields: Map<String, Value> = form_urlencoded::parse(request.body())
        .map(|(name, value)| (name.into_owned(), json!(value)))
        .collect();
    let back = own_path(fields.remove("back"));
    let done = Verb::read(Value::Object(fields)).and_then(|verb| world.happen(&verb));
    match done {
        Ok(()) => see(&back),
        Err(refusal) => refused(world, &refusal, &back),
    }
}

fn advance(world: &mut World, request: &Request) -> Response {
    let fields: Map<String, Value> = form_urlencoded::parse(request.body())
        .map(|(name, value)| (name.into_owned(), json!(value)))
        .collect();
    let back = own_path(fields.get("back").cloned());
    let by = fields.get("by").and_then(Value::as_str).unwrap_or_default();
    match by.parse::<Period>() {
        Ok(by) => {
            world.advance(by.duration());
            see(&back)
        }
        Err(why) => refused(world, &Refusal::field("by", why), &back),
    }
}

/// Takes all faults back.
fn heal(world: &mut World) -> Response {
    world.aws.faults.clear();
    world.jira.faults.clear();
    world.slack.faults.clear();
    world.github.faults.clear();
    see("/page/world")
}

/// A path on this port; anything else becomes the front page.
fn own_path(back: Option<Value>) -> String {
    let back = back.and_then(|back| back.as_str().map(str::to_owned));
    let is_own = |path: &String| {
        let second = path.as_bytes().get(1);
        path.starts_with('/') && !matches!(second, Some(b'/' | b'\\'))
    };
    back.filter(is_own).unwrap_or_else(|| "/".to_owned())
}

fn see(path: &str) -> Response {
    let mut response = whole(303, "text/plain; charset=utf-8", "");
    let location = http::HeaderValue::from_str(path);
    let location = location.unwrap_or_else(|_| http::HeaderValue::from_static("/"));
    response
        .headers_mut()
        .insert(http::header::LOCATION, location);
    response
}

fn refused(world: &World, refusal: &Refusal, back: &str) -> Response {
    let mut response = render(
        world,
        "frame.html",
        json!({ "here": "", "said": refusal.message, "back": back }),
    );
    *response.status_mut() =
        http::StatusCode::from_u16(refusal.status).unwrap_or(http::StatusCode::BAD_REQUEST);
    response
}

fn render(world: &World, name: &str, mut shown: Value) -> Response {
    shown["at"] = json!(world.now());
    shown["counts"] = json!({ "tickets": world.jira.issues().count(), "findings": world.aws.hub.len(),
            "posts": world.slack.channels().map(|channel| channel.messages.len()).sum::<usize>() });
    let html = ENGINE.as_ref().map_err(ToString::to_string);
    let html = html.and_then(|engine| {
        let template = engine.get_template(name);
        let html = template.and_then(|template| template.render(Serde(&shown)));
        html.map_err(|error| format!("{error:#}"))
    });
    match html {
        Ok(html) => whole(200, "text/html; charset=utf-8", &html),
        Err(error) => {
            tracing::error!(%error, template = name, "the page cannot be shown");
            whole(500, "text/plain; charset=utf-8", &error)
        }
    }
}

fn whole(status: u16, kind: &'static str, body: &str) -> Response {
    let mut response = Response::new(Bytes::from(body.to_owned()));
    *response.status_mut() =
        http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    // Not `no-referrer`: with it a browser hides the origin of a form, and the port refuses it.
    for (name, value) in [
        ("content-type", kind),
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        response
            .headers_mut()
            .insert(name, http::HeaderValue::from_static(value));
    }
    response
}
