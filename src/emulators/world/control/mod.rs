//! The control port: what drives an emulated world from outside, and shows what happened in it. JSON in, JSON out; the
//! page for people is served beside it. Part of no emulated system, and never counted as a request to one.
//!
//! `docs/emulate.md` describes it for the authors of other tools.

mod act;
pub mod faults;
mod in_aws;
mod in_jira;
mod refusal;
pub mod settings;
pub mod state;
pub mod verbs;

#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde_json::{Value, json};

pub use refusal::Refusal;

use super::{Requests, World, audit, page};
use crate::config::Period;
use crate::emulators::{self, Request, Response, claims};
use refusal::read;
use state::Span;
use verbs::Verb;

/// The most rows or entries in one answer.
const ROWS_MOST: usize = 1_000;
/// Rows in an answer when no limit is asked for.
const ROWS: usize = 100;

/// Method and path of everything that the port answers, besides the page.
pub const OPERATIONS: [(&str, &str); 17] = [
    ("GET", "/emulators"),
    ("GET", "/requests"),
    ("POST", "/requests/reset"),
    ("GET", "/audit"),
    ("GET", "/journal"),
    ("GET", "/state"),
    ("GET", "/state/tickets"),
    ("GET", "/state/tickets/{key}"),
    ("GET", "/state/findings"),
    ("GET", "/faults"),
    ("POST", "/faults"),
    ("DELETE", "/faults"),
    ("GET", "/settings"),
    ("POST", "/settings"),
    ("POST", "/advance"),
    ("GET", "/world"),
    ("POST", "/world"),
];

/// Answers one request to the control port.
pub fn answer(world: &mut World, request: &Request) -> Response {
    if let Err(refusal) = same_site(request) {
        return refusal.into_response();
    }
    if let Some(response) = page::answer(world, request) {
        return response;
    }
    match route(world, request) {
        Ok(body) => emulators::json(200, &body),
        Err(refusal) => refusal.into_response(),
    }
}

fn route(world: &mut World, request: &Request) -> Result<Value, Refusal> {
    let query = Query::of(request);
    let (method, path) = (request.method().as_str(), request.uri().path());
    match (method, path) {
        ("GET", "/emulators") => Ok(emulated()),
        ("GET", "/requests") => Ok(json!(world.requests)),
        ("POST", "/requests/reset") => {
            world.requests = Requests::default();
            Ok(json!({}))
        }
        ("GET", "/audit") => Ok(json!({ "violations": audit::audit(world) })),
        ("GET", "/journal") => journal(world, &query),
        ("GET", "/state") => Ok(overview(world)),
        ("GET", "/state/tickets") => {
            let span = query.span()?;
            Ok(json!(state::tickets(world, query.get("status"), span)))
        }
        ("GET", "/state/findings") => match query.get("id") {
            Some(id) => Ok(json!({ "at": world.now(), "rows": state::finding(world, id) })),
            None => {
                let span = query.span()?;
                Ok(json!(state::findings(world, query.get("workflow"), span)))
            }
        },
        ("GET", "/faults") => Ok(faults::armed(world)),
        ("POST", "/faults") => faults::arm(world, body(request)?),
        ("DELETE", "/faults") => faults::clear(world, query.get("system")),
        ("GET", "/settings") => Ok(settings::shown(world)),
        ("POST", "/settings") => settings::change(world, body(request)?),
        ("POST", "/advance") => advance(world, body(request)?),
        ("GET", "/world") => Ok(json!({ "do": verbs::names() })),
        ("POST", "/world") => happen(world, body(request)?),
        ("GET", path) if path.starts_with("/state/tickets/") => {
            let key = path.trim_start_matches("/state/tickets/");
            let found = state::ticket(world, key);
            let none = || Refusal::unknown("", format!("There is no ticket {key}."));
            found.map(|ticket| json!(ticket)).ok_or_else(none)
        }
        (method, path) => Err(unknown(method, path)),
    }
}

fn unknown(method: &str, path: &str) -> Refusal {
    let known = OPERATIONS.map(|(method, path)| format!("{method} {path}"));
    let status = if OPERATIONS.iter().any(|(_, known)| *known == path) {
        405
    } else {
        404
    };
    let message = format!("The control port does not know {method} {path}.");
    Refusal {
        status,
        ..Refusal::field("", message).allowing(known)
    }
}

/// Other sites' pages must not drive the emulators: a browser says where a request with an effect comes from (Fetch
/// standard, "Origin header"), and under which name it found this address.
fn same_site(request: &Request) -> Result<(), Refusal> {
    let header = |name| {
        let value = request.headers().get(name);
        value.and_then(|value: &http::HeaderValue| value.to_str().ok())
    };
    let refused = |message| Refusal {
        status: 403,
        ..Refusal::field("", message)
    };
    let host = header(http::header::HOST);
    if let Some(host) = host.filter(|host| !is_loopback(host)) {
        let message = format!("This world is served on loopback addresses only, not as {host}.");
        return Err(refused(message));
    }
    let own = format!("http://{}", host.unwrap_or_default());
    match header(http::header::ORIGIN).filter(|origin| *origin != own) {
        Some(other) if request.method() != http::Method::GET => Err(refused(format!(
            "A page of {other} may not drive this world."
        ))),
        _ => Ok(()),
    }
}

fn is_loopback(host: &str) -> bool {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    ["127.0.0.1", "localhost", "[::1]"].into_iter().any(|name| {
        let rest = host.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
    })
}

fn body(request: &Request) -> Result<Value, Refusal> {
    serde_json::from_slice(request.body()).map_err(|error| {
        let message = format!("The body is not JSON: {error}.");
        Refusal::field("", message)
    })
}

/// What each emulator answers, and what is claimed of it.
fn emulated() -> Value {
    let all = claims::EMULATORS.iter().map(|emulator| {
        json!({ "name": emulator.name, "system": emulator.system,
            "operations": (emulator.operations)(), "claims": emulator.claims })
    });
    all.collect()
}

fn overview(world: &World) -> Value {
    let users = world.jira.users().map(|user| {
        json!({ "accountId": user.account_id, "email": user.email, "name": user.display_name,
            "role": user.role.word(), "active": user.active })
    });
    let projects = world.jira.projects().map(
        |project| json!({ "key": project.key, "name": project.name, "hidden": project.is_hidden }),
    );
    json!({
        "at": world.now(),
        "tickets": world.jira.issues().count(),
        "findings": world.aws.hub.len(),
        "journal": world.journal.entries.len(),
        "users": users.collect::<Vec<_>>(),
        "projects": projects.collect::<Vec<_>>(),
    })
}

/// Entries after a position, oldest first.
fn journal(world: &World, query: &Query) -> Result<Value, Refusal> {
    let start = match query.number("after")? {
        Some(seq) => seq.saturating_add(1),
        None => 0,
    };
    let limit = query.span()?.limit;
    let entries = &world.journal.entries;
    let rest = entries.get(start..).unwrap_or_default();
    let part = &rest[..rest.len().min(limit)];
    Ok(json!({ "at": world.now(), "entries": part, "more": part.len() < rest.len() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    by: Period,
}

fn advance(world: &mut World, body: Value) -> Result<Value, Refusal> {
    let advance: Advance = read(body)?;
    world.advance(advance.by.duration());
    Ok(json!({ "at": world.now() }))
}

/// One verb or a list: all are read before the first happens. The answer holds what the journal got.
fn happen(world: &mut World, body: Value) -> Result<Value, Refusal> {
    let before = world.journal.entries.len();
    match body {
        Value::Array(list) => {
            let read = |(n, value)| Verb::read(value).map_err(|no| no.inside(&at(n)));
            let verbs: Vec<Verb> = list
                .into_iter()
                .enumerate()
                .map(read)
                .collect::<Result<_, _>>()?;
            for (n, verb) in verbs.iter().enumerate() {
                world.happen(verb).map_err(|mut refusal| {
                    if n > 0 {
                        refusal.message += &format!(" The {n} before it happened.");
                    }
                    refusal.inside(&at(n))
                })?;
            }
        }
        one => world.happen(&Verb::read(one)?)?,
    }
    Ok(json!({ "at": world.now(), "entries": &world.journal.entries[before..] }))
}

fn at(n: usize) -> String {
    format!("[{n}]")
}

/// The pairs after the `?`.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(request: &Request) -> Self {
        let text = request.uri().query().unwrap_or_default();
        Query(
            form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str) -> Result<Option<usize>, Refusal> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| {
            let message = format!("`{text}` is no number; write 0 or more.");
            Refusal::field(name, message)
        })
    }

    pub(super) fn span(&self) -> Result<Span, Refusal> {
        let limit = self.number("limit")?.unwrap_or(ROWS);
        if !(1..=ROWS_MOST).contains(&limit) {
            let message = format!("`limit` is between 1 and {ROWS_MOST}.");
            return Err(Refusal::field("limit", message));
        }
        let start = self.number("start")?.unwrap_or(0);
        Ok(Span { start, limit })
    }
}
