//! The page in process: every view is shown, every button works without a script, hostile texts stay texts.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bytes::Bytes;
use serde_json::json;

use crate::clock::Clock;
use crate::emulators::jira::Role;
use crate::emulators::world::control::verbs::Verb;
use crate::emulators::world::{Side, World, control, seed};
use crate::emulators::{Request, Response};

/// Texts that a careless page would obey.
const HOSTILE: [&str; 4] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'-alert(1)-' {{ 7*7 }} {% include 'x' %}",
    "</title></bdi><form action=https://evil.example><button>",
];

fn world() -> World {
    let clock = Clock::manual("2026-11-24T08:00:00Z".parse().unwrap());
    let mut world = World::new(clock, "http://127.0.0.1:1");
    seed::fill(&mut world, 4, 30, 7);
    world
}

fn send(world: &mut World, method: &str, path: &str, body: &str) -> Response {
    let request = http::Request::builder().method(method).uri(path);
    let request: Request = request.body(Bytes::from(body.to_owned())).unwrap();
    control::answer(world, &request)
}

fn page(world: &mut World, path: &str) -> String {
    let response = send(world, "GET", path, "");
    let html = String::from_utf8(response.body().to_vec()).unwrap();
    assert_eq!(response.status(), 200, "{path}: {html}");
    html
}

/// A ticket that tracks a finding, both with this text wherever text may stand.
fn ticket(world: &mut World, text: &str) -> String {
    let verb = json!({ "do": "finding_appears", "title": text });
    world.happen(&Verb::read(verb).unwrap()).unwrap();
    let found = world
        .aws
        .hub
        .iter()
        .find(|finding| finding["Title"] == text);
    let found = found.unwrap().clone();
    let link = json!({ "findings": [{ "id": found["Id"], "product_arn": found["ProductArn"] }] });
    let bot = world.jira.user(Role::Bot).unwrap();
    let basic = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", bot.email, bot.token))
    };
    let document = json!({ "type": "doc", "version": 1, "content": [
        { "type": "paragraph", "content": [{ "type": "text", "text": text }] }] });
    let body = json!({
        "fields": { "project": { "key": "PAY" }, "issuetype": { "name": "Task" }, "summary": text,
            "description": document },
        "properties": [{ "key": "asaf.link", "value": link }],
    });
    let request = http::Request::post("http://127.0.0.1:1/rest/api/3/issue")
        .header("authorization", format!("Basic {basic}"))
        .body(Bytes::from(body.to_string()))
        .unwrap();
    let response = world.answer(Side::Jira, &request).unwrap();
    let answer: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    let key = answer["key"].as_str().unwrap().to_owned();
    let said = json!({ "do": "person_comments", "ticket": key, "who": "product", "text": text });
    world.happen(&Verb::read(said).unwrap()).unwrap();
    let set = json!({ "do": "analyst_sets_workflow", "finding": found["Id"], "status": "NOTIFIED",
        "note": text });
    world.happen(&Verb::read(set).unwrap()).unwrap();
    key
}

fn encoded(fields: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    form.finish()
}

/// The fields of the first form whose button has this label, as a browser sends them.
fn form(html: &str, label: &str) -> String {
    let end = html.find(&format!(">{label}</button>")).unwrap();
    let start = html[..end].rfind("<form").unwrap();
    let inputs = html[start..end].split("<input ").skip(1);
    let attribute = |input: &str, name: &str| {
        let from = input.find(&format!("{name}=\"")).unwrap() + name.len() + 2;
        let value = &input[from..from + input[from..].find('"').unwrap()];
        let value = value
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"");
        value
            .replace("&#x2f;", "/")
            .replace("&#x27;", "'")
            .replace("&amp;", "&")
    };
    let fields: Vec<(String, String)> = inputs
        .map(|input| (attribute(input, "name"), attribute(input, "value")))
        .collect();
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    encoded(&fields)
}

#[test]
fn every_view_is_shown_and_may_not_run_anything() {
    let mut world = world();
    let key = ticket(&mut world, "a ticket");
    for path in [
        "/",
        "/?as=reviewer&status=Open",
        &format!("/page/ticket?key={key}"),
        "/page/findings",
        "/page/findings?workflow=SUPPRESSED",
        "/page/messages",
        "/page/world",
    ] {
        let html = page(&mut world, path);
        assert!(
            html.contains("<!doctype html>") && html.ends_with("</html>"),
            "{path}"
        );
        assert!(
            !html.contains("<script") && !html.contains("style="),
            "{path}"
        );
        let response = send(&mut world, "GET", path, "");
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    }
    let style = send(&mut world, "GET", "/page/style.css", "");
    assert_eq!(style.headers()["content-type"], "text/css");
}

#[test]
fn a_ticket_is_resolved_and_closed_by_clicking_as_each_user() {
    let mut world = world();
    let key = ticket(&mut world, "a ticket");
    let path = format!("/page/ticket?key={key}");
    let html = page(&mut world, &path);
    assert!(
        !html.contains(">Close</button>"),
        "a product team may not close"
    );
    let click = |world: &mut World, html: &str, label: &str| {
        let response = send(world, "POST", "/page/act", &form(html, label));
        assert_eq!(response.status(), 303);
        assert_eq!(response.headers()["location"], path.as_str());
    };
    click(&mut world, &html, "Resolve");
    let html = page(&mut world, &path);
    click(&mut world, &html, "Close");
    let status = world.jira.issue(&key).unwrap().status;
    assert_eq!(world.jira.status_name(status), "Closed");
    let actors = page(&mut world, &path);
    assert!(actors.contains("Robin Reviewer") && actors.contains("Pat Product"));
}

#[test]
fn the_list_shows_what_the_chosen_user_may_do() {
    let mut world = world();
    let key = ticket(&mut world, "a ticket");
    let resolve = json!({ "do": "person_resolves", "ticket": key, "who": "product" });
    world.happen(&Verb::read(resolve).unwrap()).unwrap();
    assert!(!page(&mut world, "/?as=product").contains(">Close</button>"));
    assert!(page(&mut world, "/?as=reviewer").contains(">Close</button>"));
}

#[test]
fn a_finding_passes_by_a_click_and_a_day_too() {
    let mut world = world();
    let html = page(&mut world, "/page/findings?workflow=NEW");
    let before = html.matches(">Passes</button>").count();
    let response = send(&mut world, "POST", "/page/act", &form(&html, "Passes"));
    assert_eq!(response.status(), 303);
    let html = page(&mut world, "/page/findings?workflow=NEW");
    assert_eq!(html.matches(">Passes</button>").count(), before - 1);
    let html = page(&mut world, "/page/world");
    let response = send(
        &mut world,
        "POST",
        "/page/advance",
        &form(&html, "A day passes"),
    );
    assert_eq!(response.status(), 303);
    assert_eq!(world.now().to_string(), "2026-11-25T08:00:00Z");
}

#[test]
fn faults_are_shown_and_taken_back_by_a_click() {
    let mut world = world();
    let fault = r#"{ "system": "aws", "operation": "GetFindings", "kind": "throttled" }"#;
    assert_eq!(send(&mut world, "POST", "/faults", fault).status(), 200);
    assert!(page(&mut world, "/page/world").contains("throttled"));
    assert_eq!(send(&mut world, "POST", "/page/heal", "").status(), 303);
    assert!(!page(&mut world, "/page/world").contains("throttled"));
    assert!(world.aws.faults.armed().is_empty());
}

#[test]
fn events_that_wait_in_the_queue_are_messages() {
    let mut world = world();
    assert!(page(&mut world, "/page/messages").contains("None. Whoever consumes"));
    let new = json!({ "do": "finding_appears" });
    world.happen(&Verb::read(new).unwrap()).unwrap();
    let html = page(&mut world, "/page/messages");
    assert!(html.contains("Security Hub Findings - Imported"), "{html}");
}

#[test]
fn hostile_texts_are_shown_and_do_nothing() {
    for text in HOSTILE {
        let mut world = world();
        let key = ticket(&mut world, text);
        for path in [
            "/".to_owned(),
            format!("/page/ticket?key={key}"),
            "/page/findings?workflow=NOTIFIED".to_owned(),
            "/page/messages".to_owned(),
        ] {
            let html = page(&mut world, &path);
            assert!(!html.contains(text), "{path} shows {text} as markup");
            for marker in ["<script", "<img", "evil.example>"] {
                assert!(!html.contains(marker), "{path} lets {text} through");
            }
            let shown = html
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"");
            let shown = shown.replace("&#x2f;", "/").replace("&#x27;", "'");
            assert!(shown.contains(text), "{path} does not show {text}");
        }
    }
}

#[test]
fn a_refusal_is_shown_with_the_way_back_and_leads_nowhere_else() {
    let mut world = world();
    let key = ticket(&mut world, "a ticket");
    let close = [
        ("do", "person_closes"),
        ("ticket", key.as_str()),
        ("who", "product"),
    ];
    for (back, shown) in [
        ("/page/messages", "/page/messages"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ] {
        let body = encoded(&[&close[..], &[("back", back)]].concat());
        let response = send(&mut world, "POST", "/page/act", &body);
        assert_eq!(response.status(), 409);
        let html = String::from_utf8(response.body().to_vec()).unwrap();
        let html = html.replace("&#x2f;", "/");
        assert!(
            html.contains(&format!("<a href=\"{shown}\">Back</a>")),
            "{html}"
        );
    }
    let response = send(&mut world, "POST", "/page/act", &encoded(&[("do", "<b>")]));
    assert_eq!(response.status(), 400);
    assert!(!String::from_utf8_lossy(response.body()).contains("<b>`"));
    assert_eq!(
        send(&mut world, "GET", "/page/ticket?key=X-1", "").status(),
        404
    );
    assert_eq!(
        send(&mut world, "POST", "/page/advance", "by=long").status(),
        400
    );
}
