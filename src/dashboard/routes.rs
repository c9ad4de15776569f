//! Every route, with what it needs. The router is made from this table and nothing else, so that none can be forgotten.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{MethodFilter, on};

use super::access::{By, Identity, Refusal, Role, identify};
use super::answer::{self, Visit};
use super::{Dashboard, Peer, Setup, form};
use crate::api::{Api, OnlyTeams, Using};

/// Where a provider sends people back to.
pub const CALLBACK: &str = "/login/callback";

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    /// Nothing: whoever reaches us.
    Nothing,
    /// Somebody with a role; they see what their teams own.
    Role,
    /// Somebody who sees every team.
    EveryTeam,
    /// A reviewer.
    Reviewer,
}

/// What a route is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Place {
    Overview,
    Teams,
    Accounts,
    Controls,
    Review,
    Find,
    Ticket,
    Rules,
    Runs,
    Run,
    Quarantine,
    Integrations,
    Sessions,
    Retry,
    Release,
    FullRun,
    Pause,
    Resume,
    EndSession,
    LogIn,
    Callback,
    LogOut,
    File,
}

/// One route.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// `GET` or `POST`; only the latter changes anything.
    pub method: &'static str,
    /// Path, with a name in braces.
    pub path: &'static str,
    /// What it needs.
    pub needs: Needs,
    /// What it is.
    pub place: Place,
}

const fn get(path: &'static str, needs: Needs, place: Place) -> Route {
    Route {
        method: "GET",
        path,
        needs,
        place,
    }
}

const fn post(path: &'static str, needs: Needs, place: Place) -> Route {
    Route {
        method: "POST",
        path,
        needs,
        place,
    }
}

/// All of them, besides `/api/v1`, which needs a role.
pub const ROUTES: [Route; 23] = [
    get("/", Needs::Role, Place::Overview),
    get("/teams", Needs::Role, Place::Teams),
    get("/accounts", Needs::Role, Place::Accounts),
    get("/controls", Needs::Role, Place::Controls),
    get("/review", Needs::Role, Place::Review),
    get("/find", Needs::Role, Place::Find),
    get("/ticket/{name}", Needs::Role, Place::Ticket),
    get("/rules", Needs::Role, Place::Rules),
    get("/runs", Needs::EveryTeam, Place::Runs),
    get("/runs/{name}", Needs::EveryTeam, Place::Run),
    get("/quarantine", Needs::EveryTeam, Place::Quarantine),
    get("/integrations", Needs::EveryTeam, Place::Integrations),
    get("/sessions", Needs::Reviewer, Place::Sessions),
    post("/quarantine/retry", Needs::Reviewer, Place::Retry),
    post("/release", Needs::Reviewer, Place::Release),
    post("/full-run", Needs::Reviewer, Place::FullRun),
    post("/pause", Needs::Reviewer, Place::Pause),
    post("/resume", Needs::Reviewer, Place::Resume),
    post("/sessions/end", Needs::Reviewer, Place::EndSession),
    get("/login", Needs::Nothing, Place::LogIn),
    get(CALLBACK, Needs::Nothing, Place::Callback),
    post("/logout", Needs::Nothing, Place::LogOut),
    get("/static/{name}", Needs::Nothing, Place::File),
];

/// The router of the table, and `/api/v1` behind it.
pub(super) fn router(dashboard: Arc<Dashboard>) -> Router {
    let mut router = Router::new();
    for route in &ROUTES {
        let dashboard = dashboard.clone();
        let method = if route.method == "POST" {
            MethodFilter::POST
        } else {
            MethodFilter::GET
        };
        let handler =
            move |request: Request| async move { visit(&dashboard, route, request).await };
        router = router.route(route.path, on(method, handler));
    }
    router.merge(programs(dashboard))
}

/// `/api/v1`, behind the same access, answered by the configuration by which the caller was let in.
fn programs(dashboard: Arc<Dashboard>) -> Router {
    let api = Api {
        store: dashboard.store.clone(),
        clock: dashboard.clock.clone(),
    };
    let let_in = move |mut request: Request, next: Next| {
        let dashboard = dashboard.clone();
        async move {
            let setup = dashboard.setup();
            let now = dashboard.clock.now();
            let peer = peer(&request);
            match identify(&dashboard, &setup, request.headers(), peer, now).await {
                Ok(identity) => {
                    request.extensions_mut().insert(Using(setup.config.clone()));
                    if let Some(teams) = identity.teams() {
                        request.extensions_mut().insert(OnlyTeams(teams));
                    }
                    next.run(request).await
                }
                Err(refusal) => answer::refused_program(&refusal),
            }
        }
    };
    crate::api::router(api).layer(from_fn(let_in))
}

fn peer(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<Peer>().map(|peer| peer.0)
}

/// May they?
pub fn allows(needs: Needs, identity: Option<&Identity>) -> bool {
    match (needs, identity) {
        (Needs::Nothing, _) => true,
        (_, None) => false,
        (Needs::Role, Some(_)) => true,
        (Needs::EveryTeam, Some(identity)) => identity.sees_everything(),
        (Needs::Reviewer, Some(identity)) => identity.role == Role::Reviewer,
    }
}

async fn visit(dashboard: &Arc<Dashboard>, route: &'static Route, request: Request) -> Response {
    let (setup, now) = (dashboard.setup(), dashboard.clock.now());
    let from = peer(&request);
    let identified = identify(dashboard, &setup, request.headers(), from, now).await;
    let identity = match identified {
        Ok(identity) => Some(identity),
        Err(_) if route.needs == Needs::Nothing => None,
        Err(refusal) => return answer::refused(&setup, route, &request, &refusal),
    };
    if !allows(route.needs, identity.as_ref()) {
        return answer::forbidden(&setup, identity.as_ref());
    }
    let (parts, body) = request.into_parts();
    let form_key = match form::key(dashboard).await {
        Ok(key) => key,
        Err(error) => return answer::failed(&error.into()),
    };
    let fields = if route.method == "POST" {
        let own = own_form(&setup, identity.as_ref(), &form_key, &parts, body).await;
        match own {
            Ok(fields) => fields,
            Err(why) => return answer::not_ours(&setup, identity.as_ref(), why),
        }
    } else {
        Vec::new()
    };
    let visit = Visit {
        dashboard,
        setup: &setup,
        form: identity.as_ref().map(|one| one.form_token(&form_key)),
        identity,
        name: answer::name_in(route.path, parts.uri.path()),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        fields,
        now,
    };
    answer::answer(&visit, route.place).await
}

/// The fields of a form that we made for them. A script's token is no cookie: no browser sends it by itself.
async fn own_form(
    setup: &Setup,
    identity: Option<&Identity>,
    key: &[u8; 32],
    parts: &axum::http::request::Parts,
    body: Body,
) -> Result<Vec<(String, String)>, &'static str> {
    form::same_origin(setup, &parts.headers)?;
    let fields = form::fields(&parts.headers, body).await?;
    let identity = identity.ok_or("nobody is known by this request")?;
    let token = fields.iter().find(|(name, _)| name == "form");
    let ours = token.is_some_and(|(_, token)| identity.owns_form(key, token));
    if ours || identity.by == By::Token {
        Ok(fields)
    } else {
        Err("the form is not one that this dashboard made for you, or it is old")
    }
}

impl Refusal {
    /// Whoever logs in may be let in.
    pub(super) fn may_log_in(&self) -> bool {
        matches!(self, Refusal::Nobody)
    }
}
