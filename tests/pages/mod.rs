//! A dashboard on a scene's store, and every kind of visitor.
#![allow(dead_code)]

pub(crate) mod foreign;
pub(crate) mod provider;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use asaf::clock::Clock;
use asaf::config::Config;
use asaf::dashboard::routes::{Place, Route};
use asaf::dashboard::{Dashboard, Peer, Setup, router};
use asaf::emulators::jira::Role as JiraRole;
use asaf::emulators::world::World;
use asaf::jobs::reconcile::Wish;
use asaf::model::Marker;
use asaf::store::Store as _;
use asaf::store::access::{Session, Sessions as _};
use asaf::store::sqlite::Sqlite;
use axum::body::{Body, to_bytes};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};

use super::scene::Scene;
use super::scene::acts::{tickets, transition};

const VIEWER_TOKEN: &str = "a-viewers-token-that-nobody-guesses-0001";
const REVIEWER_TOKEN: &str = "a-reviewers-token-that-nobody-guesses-01";
const SESSION: &str = "a-value-that-only-the-browser-has";

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visitor {
    Nobody,
    /// Says who they are, from an address that is not the proxy's.
    Forged,
    WrongToken,
    /// Known, and without a role.
    Stranger,
    Machine,
    Rebound,
    MachineBehindProxy,
    EndedSession,
    TeamViewer,
    Viewer,
    Reviewer,
    ViewerByToken,
    ReviewerByToken,
    /// Logged in as a reviewer.
    Ending,
}

impl Visitor {
    pub(crate) const ALL: [Visitor; 14] = [
        Visitor::Nobody,
        Visitor::Forged,
        Visitor::WrongToken,
        Visitor::Stranger,
        Visitor::Machine,
        Visitor::Rebound,
        Visitor::MachineBehindProxy,
        Visitor::EndedSession,
        Visitor::TeamViewer,
        Visitor::Viewer,
        Visitor::Reviewer,
        Visitor::ViewerByToken,
        Visitor::ReviewerByToken,
        Visitor::Ending,
    ];

    /// From where, and what they send.
    fn shows(self, team: &str) -> (&'static str, Vec<(&'static str, String)>) {
        let (proxy, outside, here) = ("10.0.3.7", "198.51.100.9", "127.0.0.1");
        let host = ("host", "asaf.example.com".to_owned());
        let named = |name: &str, group: &str| {
            let header = |name, value: &str| (name, value.to_owned());
            vec![
                host.clone(),
                header("x-forwarded-email", name),
                header("x-forwarded-groups", group),
            ]
        };
        let token = |token: &str| vec![host.clone(), ("authorization", format!("Bearer {token}"))];
        let local = ("host", "127.0.0.1:8484".to_owned());
        match self {
            Visitor::Nobody => (outside, vec![host]),
            Visitor::Forged => (outside, named("rosa@example.com", "security")),
            Visitor::WrongToken => (proxy, token("a-token-that-somebody-has-guessed-00001")),
            Visitor::Stranger => (proxy, named("mallory@example.com", "visitors")),
            Visitor::Machine => (here, vec![local]),
            Visitor::Rebound => (here, vec![("host", "evil.example:8484".to_owned())]),
            Visitor::MachineBehindProxy => (
                here,
                vec![local, ("x-forwarded-for", "198.51.100.9".to_owned())],
            ),
            Visitor::EndedSession => (
                outside,
                vec![host, ("cookie", "__Host-asaf=ended".to_owned())],
            ),
            Visitor::TeamViewer => (
                proxy,
                named("tim@example.com", &format!("visitors, team-{team}")),
            ),
            Visitor::Viewer => (proxy, named("Vera@Example.com", "")),
            Visitor::Reviewer => (proxy, named("rosa@example.com", "security")),
            Visitor::ViewerByToken => (outside, token(VIEWER_TOKEN)),
            Visitor::ReviewerByToken => (outside, token(REVIEWER_TOKEN)),
            Visitor::Ending => (
                outside,
                vec![host, ("cookie", format!("theme=x; __Host-asaf={SESSION}"))],
            ),
        }
    }
}

/// A dashboard.
pub(crate) struct Desk {
    pub(crate) scene: Scene,
    pub(crate) store: Arc<Sqlite>,
    pub(crate) team: String,
    dashboard: Arc<Dashboard>,
    router: TowerToHyperService<axum::Router>,
}

/// A browser that nobody knows yet: it keeps the cookies that it is given.
pub(crate) struct Browser<'d> {
    desk: &'d Desk,
    pub(crate) cookies: RefCell<BTreeMap<String, String>>,
}

impl Browser<'_> {
    pub(crate) async fn open(&self, path: &str) -> Answer {
        self.ask("GET", path, "").await
    }

    /// Sends a form of a page of ours.
    pub(crate) async fn send(&self, path: &str, fields: &str) -> Answer {
        let form = form_of(&self.open("/").await.text);
        let body = format!("form={form}&{fields}");
        self.ask("POST", path, &body).await
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        let cookies = self.cookies.borrow().clone();
        let cookies: Vec<String> = cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let cookies = cookies.join("; ");
        let headers: &[(&str, &str)] = match cookies.is_empty() {
            true => &[],
            false => &[("cookie", &cookies)],
        };
        let answer = self
            .desk
            .send(Visitor::Nobody, method, path, headers, body)
            .await;
        for line in answer.set_cookies() {
            keep(&mut self.cookies.borrow_mut(), &line);
        }
        answer
    }
}

/// What a browser does with a line of `Set-Cookie`, as far as it matters here.
pub(crate) fn keep(cookies: &mut BTreeMap<String, String>, line: &str) {
    let (pair, rest) = line.split_once(';').unwrap_or((line, ""));
    let (name, value) = pair.split_once('=').unwrap();
    if value.is_empty() || rest.contains("Max-Age=0") {
        cookies.remove(name);
    } else {
        cookies.insert(name.to_owned(), value.to_owned());
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: axum::http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn set_cookies(&self) -> Vec<String> {
        let all = self.headers.get_all("set-cookie").iter();
        all.map(|line| line.to_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn set_cookie(&self, begin: &str) -> String {
        let found = self
            .set_cookies()
            .into_iter()
            .find(|line| line.starts_with(begin));
        found.unwrap_or_else(|| panic!("no cookie {begin}: {self:?}"))
    }

    pub(crate) fn cookie(&self, name: &str) -> String {
        let line = self.set_cookie(&format!("{name}="));
        line[name.len() + 1..].split(';').next().unwrap().to_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }
}

/// What the forms of a page carry.
pub(crate) fn form_of(page: &str) -> String {
    let after = page.split("name=\"form\" value=\"").nth(1);
    after.map_or(String::new(), |after| {
        after.split('"').next().unwrap().to_owned()
    })
}

fn config(more: &str, team: &str) -> String {
    format!(
        "\n[limits]\nremovals = 5\nremovals_percent = 1\n\n[dashboard]\nurl = \"https://asaf.example.com\"\n{more}\n\
         [dashboard.proxy]\npeers = [\"10.0.3.0/28\"]\nuser_header = \"x-forwarded-email\"\ngroups_header = \"x-forwarded-groups\"\n\
         [[dashboard.roles]]\nrole = \"reviewer\"\ngroups = [\"security\"]\n\
         [[dashboard.roles]]\nrole = \"viewer\"\nusers = [\"vera@example.com\"]\n\
         [[dashboard.roles]]\nrole = \"viewer\"\ngroups = [\"team-{team}\"]\nteams = [\"{team}\"]\n\
         [[dashboard.tokens]]\nname = \"wall\"\nrole = \"viewer\"\ntoken = \"file:viewer-token\"\n\
         [[dashboard.tokens]]\nname = \"bot\"\nrole = \"reviewer\"\ntoken = \"file:reviewer-token\"\n"
    )
}

impl Desk {
    /// Some tickets wait for review, of several teams.
    pub(crate) async fn new() -> Self {
        Desk::with("", None, |_| {}).await
    }

    /// The same, and people log in at a provider.
    pub(crate) async fn with_provider(issuer: &str) -> Self {
        let oidc = format!(
            "[dashboard.oidc]\nissuer = \"{issuer}\"\nclient_id = \"asaf\"\nclient_secret = \"file:viewer-token\"\n"
        );
        Desk::with(&oidc, None, |_| {}).await
    }

    /// The same by the machine's clock, by which other people's providers go; `more` describes the provider.
    pub(crate) async fn with_foreign_provider(issuer: &str, more: &str) -> Self {
        let oidc = format!("[dashboard.oidc]\nissuer = \"{issuer}\"\n{more}\n");
        Desk::with(&oidc, Some(Clock::System), |_| {}).await
    }

    /// A browser that nobody knows yet.
    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser {
            desk: self,
            cookies: RefCell::default(),
        }
    }

    /// As after SIGHUP.
    pub(crate) fn reload(&self, change: impl FnOnce(&mut Config)) {
        let mut config = self.scene.config.clone();
        change(&mut config);
        self.dashboard.use_setup(Setup::new(&config).unwrap());
    }

    /// The brake holds the last plan: far more is to be removed than the limit allows.
    pub(crate) async fn braked() -> Self {
        let desk = Desk::with("", None, buckets_vanish).await;
        desk.scene.clock.advance(SignedDuration::from_mins(20));
        // The first does everything else; what is left is the removals alone.
        for _ in 0..2 {
            let braked = desk.scene.run(Wish::Full).await;
            assert!(braked.braked.is_some());
        }
        desk
    }

    /// What the process that runs does until nothing is left.
    pub(crate) async fn work(&self) {
        let live = self.scene.live().await;
        let mut worker = live.worker();
        live.settle(&mut worker).await;
    }

    async fn with(more: &str, clock: Option<Clock>, then: impl FnOnce(&Scene)) -> Self {
        let team = "payments".to_owned();
        let text = config(more, &team);
        let scene = Scene::with(6, 120, |config| config.push_str(&text));
        std::fs::write(scene.folder.path().join("viewer-token"), VIEWER_TOKEN).unwrap();
        std::fs::write(scene.folder.path().join("reviewer-token"), REVIEWER_TOKEN).unwrap();
        std::fs::write(scene.folder.path().join("oidc-secret"), foreign::SECRET).unwrap();
        scene.run(Wish::Full).await;
        for key in tickets(&scene, "Open").into_iter().step_by(3) {
            transition(&scene, JiraRole::Product, &key, "Resolved");
        }
        scene.clock.advance(SignedDuration::from_mins(20));
        scene.run(Wish::Full).await;
        then(&scene);
        let store = Arc::new(Sqlite::open_beside(&scene.store_path()).unwrap());
        let now = scene.clock.now();
        let session = Session {
            sha256: Sha256::digest(SESSION).into(),
            name: "rosa@example.com".to_owned(),
            groups: vec!["security".to_owned()],
            began_at: now,
            seen_at: now,
            ends_at: now + SignedDuration::from_hours(1),
        };
        store.begin_session(&session).await.unwrap();
        let ended = Session {
            sha256: Sha256::digest("ended").into(),
            ends_at: now,
            ..session
        };
        store.begin_session(&ended).await.unwrap();
        let setup = Setup::new(&scene.config).unwrap();
        let clock = clock.unwrap_or_else(|| scene.clock.clone());
        let dashboard = Arc::new(Dashboard::new(store.clone(), clock, setup));
        Desk {
            router: TowerToHyperService::new(router(dashboard.clone())),
            dashboard,
            scene,
            store,
            team,
        }
    }

    pub(crate) async fn visit(
        &self,
        visitor: Visitor,
        method: &str,
        path: &str,
        form: &str,
    ) -> Answer {
        let body = if form.is_empty() {
            String::new()
        } else {
            format!("form={form}&item=none&plan=none")
        };
        self.send(visitor, method, path, &[], &body).await
    }

    pub(crate) async fn send(
        &self,
        visitor: Visitor,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let (from, shown) = visitor.shows(&self.team);
        let mut request = axum::http::Request::builder().method(method).uri(path);
        for (name, value) in &shown {
            request = request.header(*name, value);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if method == "POST" {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        let mut request = request.body(Body::from(body.to_owned())).unwrap();
        request
            .extensions_mut()
            .insert(Peer(from.parse::<IpAddr>().unwrap()));
        let answer = self.router.call(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = to_bytes(body, 16 << 20).await.unwrap();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// What this visitor's forms carry, as a page shows it.
    pub(crate) async fn form(&self, visitor: Visitor) -> String {
        form_of(&self.visit(visitor, "GET", "/integrations", "").await.text)
    }

    /// A path of this route that leads somewhere.
    pub(crate) fn path(&self, route: &Route) -> String {
        let name = if route.place == Place::File {
            "icon.svg"
        } else {
            "none"
        };
        route.path.replace("{name}", name)
    }

    /// Markers of tickets, with the team that owns each.
    pub(crate) async fn tickets(&self) -> Vec<(Marker, String)> {
        let links = self.store.links().await.unwrap();
        let owned = links.into_iter().filter(|link| link.ticket.is_some());
        owned
            .map(|link| {
                let team = self.scene.config.owners.of_link(&link).team.clone();
                (link.marker, team)
            })
            .collect()
    }
}

/// Buckets of failing findings are deleted, and AWS archives the findings.
fn buckets_vanish(scene: &Scene) {
    let mut world = scene.world.lock();
    let now = scene.clock.now();
    let failing = world.aws.hub.iter().filter(|finding| {
        finding["Resources"][0]["Type"] == "AwsS3Bucket"
            && finding["Compliance"]["Status"] == "FAILED"
    });
    let failing: Vec<(String, String, String)> = failing
        .map(|finding| {
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            (
                text(&finding["ProductArn"]),
                text(&finding["Id"]),
                text(&finding["Resources"][0]["Id"]),
            )
        })
        .collect();
    let World { aws, journal, .. } = &mut *world;
    for (product, id, arn) in failing {
        aws.config.delete(&arn, now, journal);
        aws.hub.archive(&product, &id, None, now, journal);
    }
}
