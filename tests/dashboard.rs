//! The dashboard over its router: every route for every kind of visitor, forms, log-ins, and what reviewers may do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod pages;
mod scene;

use asaf::dashboard::routes::{Needs, ROUTES, Route};
use asaf::store::Store as _;
use asaf::store::release::Releases as _;
use pages::provider::Provider;
use pages::{Desk, Visitor, form_of};

/// What a route answers to whom: let in, asked who they are, or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    LetIn,
    WhoAreYou,
    MayNot,
}

fn expected(route: &Route, visitor: Visitor) -> Said {
    use Visitor::{
        EndedSession, Ending, Forged, Machine, MachineBehindProxy, Nobody, Rebound, Reviewer,
        ReviewerByToken, Stranger, TeamViewer, Viewer, ViewerByToken, WrongToken,
    };
    match (route.needs, visitor) {
        // A form needs somebody for whom it was made.
        (Needs::Nothing, Nobody | Forged | WrongToken | Stranger | Machine | Rebound)
        | (Needs::Nothing, MachineBehindProxy | EndedSession | TeamViewer | Viewer)
            if route.method == "POST" =>
        {
            Said::MayNot
        }
        (Needs::Nothing, _) => Said::LetIn,
        (
            _,
            Nobody | Forged | WrongToken | Machine | Rebound | MachineBehindProxy | EndedSession,
        ) => Said::WhoAreYou,
        (_, Stranger) => Said::MayNot,
        (_, Reviewer | ReviewerByToken | Ending) => Said::LetIn,
        (Needs::Role, TeamViewer | Viewer | ViewerByToken) => Said::LetIn,
        (Needs::EveryTeam, Viewer | ViewerByToken) => Said::LetIn,
        (Needs::EveryTeam, TeamViewer) | (Needs::Reviewer, _) => Said::MayNot,
    }
}

#[tokio::test]
async fn every_route_lets_in_whom_it_must_and_nobody_else() {
    let desk = Desk::new().await;
    for visitor in Visitor::ALL {
        let program = desk.visit(visitor, "GET", "/api/v1/overview", "").await;
        let needs = Route {
            method: "GET",
            path: "/api/v1",
            needs: Needs::Role,
            place: ROUTES[0].place,
        };
        let let_in = expected(&needs, visitor) == Said::LetIn;
        assert_eq!(
            program.status == 200,
            let_in,
            "the API for {visitor:?}: {}",
            program.text
        );
        let form = desk.form(visitor).await;
        for route in &ROUTES {
            let path = desk.path(route);
            let answer = desk.visit(visitor, route.method, &path, &form).await;
            let said = match answer.status {
                401 => Said::WhoAreYou,
                403 => Said::MayNot,
                303 if answer.header("location").starts_with("/login?") => Said::WhoAreYou,
                200 | 303 | 404 | 409 => Said::LetIn,
                other => panic!(
                    "{} {path} for {visitor:?}: {other} {}",
                    route.method, answer.text
                ),
            };
            assert_eq!(
                said,
                expected(route, visitor),
                "{} {path} for {visitor:?}: {}",
                route.method,
                answer.text
            );
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "same-origin"),
                ("x-frame-options", "DENY"),
            ] {
                assert_eq!(answer.header(name), value, "{path} for {visitor:?}");
            }
            let policy = answer.header("content-security-policy");
            assert!(
                policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
                "{policy}"
            );
            assert!(!policy.contains("unsafe"), "{policy}");
        }
    }
}

#[tokio::test]
async fn a_team_sees_its_own_tickets_and_no_others() {
    let desk = Desk::new().await;
    let all = desk
        .visit(Visitor::Viewer, "GET", "/review?format=json", "")
        .await
        .json();
    let own = desk
        .visit(Visitor::TeamViewer, "GET", "/review?format=json", "")
        .await
        .json();
    let teams = |rows: &serde_json::Value| -> std::collections::BTreeSet<String> {
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| row["team"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(teams(&all).len() > 1, "{all}");
    assert_eq!(teams(&own), [desk.team.clone()].into(), "{own}");
    for (marker, team) in desk.tickets().await {
        let answer = desk
            .visit(Visitor::TeamViewer, "GET", &format!("/ticket/{marker}"), "")
            .await;
        assert_eq!(
            answer.status == 200,
            team == desk.team,
            "{marker} of {team}"
        );
    }
    let other = desk
        .visit(Visitor::TeamViewer, "GET", "/?team=security", "")
        .await;
    assert_eq!(other.status, 404, "{}", other.text);
    let program = desk
        .visit(
            Visitor::TeamViewer,
            "GET",
            "/api/v1/teams?team=security",
            "",
        )
        .await;
    assert_eq!(program.status, 403, "{}", program.text);
}

#[tokio::test]
async fn a_form_of_another_site_or_person_changes_nothing() {
    let desk = Desk::new().await;
    let form = desk.form(Visitor::Reviewer).await;
    let fields = format!("form={form}&kind=all&name=-&why=x");
    let changed = fields.replace(&form[..4], "0000");
    let of_another = format!(
        "form={}&kind=all&name=-&why=x",
        desk.form(Visitor::Ending).await
    );
    let attempts: [(&[(&str, &str)], &str); 8] = [
        (&[("origin", "https://evil.example")], &fields),
        (&[("sec-fetch-site", "cross-site")], &fields),
        (&[("sec-fetch-site", "same-site")], &fields),
        (&[("origin", "null")], &fields),
        (&[], "kind=all&name=-&why=x"),
        (&[], "form=&kind=all&name=-&why=x"),
        (&[], &changed),
        (&[], &of_another),
    ];
    for (headers, body) in attempts {
        let answer = desk
            .send(Visitor::Reviewer, "POST", "/pause", headers, body)
            .await;
        assert_eq!(answer.status, 403, "{headers:?} {body}: {}", answer.text);
    }
    assert!(desk.store.pauses().await.unwrap().is_empty());
    let ours = [
        ("origin", "https://asaf.example.com"),
        ("sec-fetch-site", "same-origin"),
    ];
    let answer = desk
        .send(Visitor::Reviewer, "POST", "/pause", &ours, &fields)
        .await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let paused = desk.store.pauses().await.unwrap();
    assert_eq!(paused[0].by, "rosa@example.com");
    let noted = desk
        .store
        .audit_of(&asaf::model::Marker("dashboard".to_owned()))
        .await
        .unwrap();
    assert_eq!(noted[0].reason, "rosa@example.com paused everything: x");
    let answer = desk
        .send(
            Visitor::Reviewer,
            "POST",
            "/resume",
            &ours,
            &format!("form={form}&scope=all"),
        )
        .await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert!(desk.store.pauses().await.unwrap().is_empty());
    desk.store.verify_audit().await.unwrap();
}

#[tokio::test]
async fn a_provider_logs_people_in_and_a_reviewer_ends_that() {
    let provider = Provider::start();
    let desk = Desk::with_provider(&provider.issuer).await;
    let begun = desk
        .send(Visitor::Nobody, "GET", "/review?x=1", &[], "")
        .await;
    assert_eq!(begun.header("location"), "/login?back=%2Freview%3Fx%3D1");
    let to = desk
        .send(Visitor::Nobody, "GET", begun.header("location"), &[], "")
        .await;
    let held = to.cookie("__Host-asaf-login");
    let back = provider.log_in(to.header("location"), "rosa@example.com", &["security"]);

    // Another browser, and another state, get nothing.
    let stolen = desk.send(Visitor::Nobody, "GET", &back, &[], "").await;
    assert_eq!(stolen.status, 409, "{}", stolen.text);
    let cookie = format!("__Host-asaf-login={held}");
    let came = desk
        .send(Visitor::Nobody, "GET", &back, &[("cookie", &cookie)], "")
        .await;
    assert_eq!(
        (came.status, came.header("location")),
        (303, "/review?x=1"),
        "{}",
        came.text
    );
    let line = came.set_cookie("__Host-asaf=");
    for word in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(line.contains(word), "{line}");
    }
    let session = format!("__Host-asaf={}", came.cookie("__Host-asaf"));
    let again = desk
        .send(Visitor::Nobody, "GET", &back, &[("cookie", &cookie)], "")
        .await;
    assert_eq!(again.status, 409, "a code is good for once");

    let page = desk
        .send(
            Visitor::Nobody,
            "GET",
            "/sessions",
            &[("cookie", &session)],
            "",
        )
        .await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("rosa@example.com"), "{}", page.text);
    assert!(
        !page.text.contains(&came.cookie("__Host-asaf")),
        "the secret is on a page"
    );
    let form = form_of(&page.text);
    // There are other sessions: hers stands in the row with her name.
    let (row, _) = page.text.rsplit_once("rosa@example.com").unwrap();
    let hash = row.rsplit("name=\"session\" value=\"").next().unwrap()[..64].to_owned();
    let ended = desk
        .send(
            Visitor::Nobody,
            "POST",
            "/sessions/end",
            &[("cookie", &session)],
            &format!("form={form}&session={hash}"),
        )
        .await;
    assert_eq!(ended.status, 303, "{}", ended.text);
    let page = desk
        .send(
            Visitor::Nobody,
            "GET",
            "/sessions",
            &[("cookie", &session)],
            "",
        )
        .await;
    assert_eq!(page.status, 303, "it is over at once");
}

#[tokio::test]
async fn an_id_token_that_is_not_for_us_logs_nobody_in() {
    let provider = Provider::start();
    let desk = Desk::with_provider(&provider.issuer).await;
    for (name, value, why) in [
        ("nonce", serde_json::json!("another"), "nonce"),
        ("aud", serde_json::json!("somebody-else"), "aud"),
        ("aud", serde_json::json!(["asaf", "somebody-else"]), "azp"),
        ("iss", serde_json::json!("https://evil.example"), "iss"),
        ("exp", serde_json::json!(1), "not valid now"),
        ("email_verified", serde_json::json!(false), "verified claim"),
        ("signature", serde_json::json!(true), "signature"),
        ("groups", serde_json::json!(["strangers"]), "no role"),
    ] {
        let to = desk
            .send(
                Visitor::Nobody,
                "GET",
                "/login?back=//evil.example",
                &[],
                "",
            )
            .await;
        let cookie = format!("__Host-asaf-login={}", to.cookie("__Host-asaf-login"));
        provider.spoil(name, value);
        let back = provider.log_in(to.header("location"), "rosa@example.org", &["security"]);
        let came = desk
            .send(Visitor::Nobody, "GET", &back, &[("cookie", &cookie)], "")
            .await;
        assert_eq!(came.status, 409, "{name}");
        assert!(came.text.contains(why), "{name}: {}", came.text);
        assert!(came.set_cookies().is_empty());
    }
    let to = desk
        .send(
            Visitor::Nobody,
            "GET",
            "/login?back=//evil.example",
            &[],
            "",
        )
        .await;
    let cookie = format!("__Host-asaf-login={}", to.cookie("__Host-asaf-login"));
    let back = provider.log_in(to.header("location"), "rosa@example.org", &["security"]);
    let came = desk
        .send(Visitor::Nobody, "GET", &back, &[("cookie", &cookie)], "")
        .await;
    assert_eq!(
        (came.status, came.header("location")),
        (303, "/"),
        "nobody is sent elsewhere"
    );
}

#[tokio::test]
async fn tables_sort_page_and_leave_as_files_that_compute_nothing() {
    let desk = Desk::new().await;
    let csv = desk
        .visit(
            Visitor::Viewer,
            "GET",
            "/review?table=waiting&format=csv&waiting.sort=-resource",
            "",
        )
        .await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(
        csv.header("content-disposition")
            .contains("asaf-waiting.csv")
    );
    let lines: Vec<&str> = csv.text.lines().collect();
    assert!(
        lines[0].starts_with("ticket,waits_days,severity"),
        "{}",
        lines[0]
    );
    let resources: Vec<&str> = lines[1..]
        .iter()
        .map(|line| line.rsplit(',').next().unwrap())
        .collect();
    let mut sorted = resources.clone();
    sorted.sort_by_key(|one| std::cmp::Reverse(one.to_lowercase()));
    assert_eq!(resources, sorted);
    let page = desk
        .visit(Visitor::Viewer, "GET", "/review?waiting.sort=-resource", "")
        .await;
    assert!(
        page.text.contains("aria-sort=\"descending\""),
        "{}",
        page.text
    );
    assert!(
        page.text.contains("?waiting.sort=resource#waiting"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn a_plan_that_the_brake_holds_is_released_by_name_and_applied_once() {
    let desk = Desk::braked().await;
    let form = desk.form(Visitor::Reviewer).await;
    let page = desk.visit(Visitor::Reviewer, "GET", "/runs", "").await;
    let plan = page
        .text
        .split("name=\"plan\" value=\"")
        .nth(1)
        .expect("a form to release it");
    let plan = plan.split('"').next().unwrap().to_owned();
    let viewer = desk.visit(Visitor::Viewer, "GET", "/runs", "").await;
    assert!(!viewer.text.contains("name=\"plan\""));
    let wrong = desk
        .send(
            Visitor::Reviewer,
            "POST",
            "/release",
            &[],
            &format!("form={form}&plan=another"),
        )
        .await;
    assert_eq!(wrong.status, 409);
    let answer = desk
        .send(
            Visitor::Reviewer,
            "POST",
            "/release",
            &[],
            &format!("form={form}&plan={plan}"),
        )
        .await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    desk.work().await;
    let releases = desk.store.releases(10).await.unwrap();
    assert_eq!(releases.len(), 1);
    assert_eq!(releases[0].by, "rosa@example.com");
    let outcome = releases[0].outcome.clone().unwrap();
    assert!(outcome.starts_with("applied by run"), "{outcome}");
    let runs = desk.store.runs(1).await.unwrap();
    assert!(runs[0].summary["braked"].is_null(), "{}", runs[0].summary);
    let about = asaf::model::Marker(format!("plan-{plan}"));
    let noted = desk.store.audit_of(&about).await.unwrap();
    assert!(
        noted[0]
            .reason
            .starts_with("rosa@example.com released plan"),
        "{:?}",
        noted[0]
    );
}
