//! The dashboard over its router: every route for every kind of visitor, forms, and what reviewers may do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod pages;
mod scene;

use asaf::dashboard::routes::{Needs, ROUTES, Route};
use asaf::store::Store as _;
use asaf::store::release::Releases as _;
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
async fn a_filter_narrows_the_queue_too_and_goes_along_from_page_to_page() {
    let desk = Desk::new().await;
    let rows = async |query: &str| {
        let path = format!("/review?format=json{query}");
        let answer = desk.visit(Visitor::Viewer, "GET", &path, "").await.json();
        answer.as_array().unwrap().clone()
    };
    let all = rows("").await;
    for name in ["team", "severity", "account", "region"] {
        let value = all[0][name].as_str().unwrap();
        let wanted = all.iter().filter(|row| row[name] == value);
        let wanted: Vec<_> = wanted.cloned().collect();
        assert_eq!(rows(&format!("&{name}={value}")).await, wanted, "{name}");
        assert!(wanted.len() < all.len() || name == "region", "{name}");
    }
    assert!(rows("&control=NONE.1").await.is_empty());
    let page = desk
        .visit(
            Visitor::Viewer,
            "GET",
            "/review?team=web&sort=x&from=2026-01-02",
            "",
        )
        .await;
    for to in ["/?", "/teams?", "/controls?", "/rules?"] {
        let to = format!(
            "href=\"{}team=web&amp;from=2026-01-02\"",
            to.replace('/', "&#x2f;")
        );
        assert!(page.text.contains(&to), "{to}: {}", page.text);
    }
    assert!(page.text.contains("href=\"&#x2f;runs\""), "{}", page.text);
    let wrong = desk
        .visit(Visitor::Viewer, "GET", "/review?account=1", "")
        .await;
    assert_eq!(wrong.status, 400, "{}", wrong.text);
    let other = desk
        .visit(Visitor::TeamViewer, "GET", "/review?team=security", "")
        .await;
    assert_eq!(other.status, 404, "{}", other.text);
}

#[tokio::test]
async fn a_form_of_another_site_or_person_changes_nothing() {
    let desk = Desk::new().await;
    let form = desk.form(Visitor::Reviewer).await;
    let fields = format!("form={form}&kind=all&sure=yes&why=x");
    let changed = fields.replace(&form[..4], "0000");
    let of_another = format!(
        "form={}&kind=all&sure=yes&why=x",
        desk.form(Visitor::Ending).await
    );
    let attempts: [(&[(&str, &str)], &str); 8] = [
        (&[("origin", "https://evil.example")], &fields),
        (&[("sec-fetch-site", "cross-site")], &fields),
        (&[("sec-fetch-site", "same-site")], &fields),
        (&[("origin", "null")], &fields),
        (&[], "kind=all&sure=yes&why=x"),
        (&[], "form=&kind=all&sure=yes&why=x"),
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
async fn everything_is_paused_only_by_somebody_who_means_it() {
    let desk = Desk::new().await;
    let page = desk
        .visit(Visitor::Reviewer, "GET", "/integrations", "")
        .await;
    let form = form_of(&page.text);
    let (_, all) = page.text.split_once("Pause everything</h2>").unwrap();
    let all = all.split("</form>").next().unwrap();
    assert!(
        !all.contains("name=\"name\""),
        "everything has no name: {all}"
    );
    assert!(
        all.contains("type=\"checkbox\" name=\"sure\" value=\"yes\" required"),
        "{all}"
    );
    for (fields, status, paused) in [
        ("kind=all&why=x", 409, 0),
        ("kind=all&why=x&sure=no", 409, 0),
        ("kind=all&why=x&name=all", 409, 0),
        ("kind=all&sure=yes&why=", 409, 0),
        ("kind=account&sure=yes&name=all&why=x", 409, 0),
        ("kind=project&name=PAY&why=x", 303, 1),
        ("kind=all&sure=yes&why=the+audit", 303, 2),
    ] {
        let body = format!("form={form}&{fields}");
        let answer = desk
            .send(Visitor::Reviewer, "POST", "/pause", &[], &body)
            .await;
        assert_eq!(answer.status, status, "{fields}: {}", answer.text);
        let is = desk.store.pauses().await.unwrap();
        assert_eq!(is.len(), paused, "{fields}: {is:?}");
    }
    let refused = desk
        .send(
            Visitor::Reviewer,
            "POST",
            "/pause",
            &[],
            &format!("form={form}&kind=all&why=x"),
        )
        .await;
    assert!(
        refused.text.contains("tick that you mean it"),
        "{}",
        refused.text
    );
}

#[tokio::test]
async fn pages_and_programs_follow_a_new_configuration_at_once() {
    let desk = Desk::new().await;
    let overview = async || {
        desk.visit(Visitor::Viewer, "GET", "/api/v1/overview", "")
            .await
            .json()
    };
    let with = |config: &mut asaf::config::Config| config.sla = Some(asaf::config::Sla::default());
    let without = |config: &mut asaf::config::Config| config.sla = None;
    desk.reload(with);
    assert_eq!(overview().await["has_due_dates"], true);
    desk.reload(without);
    assert_eq!(overview().await["has_due_dates"], false);
    let table = desk
        .visit(Visitor::Viewer, "GET", "/api/v1/tables/open", "")
        .await
        .json();
    assert!(table["rows"][0]["late"].is_null(), "{table}");
    // Who may ask changes with it.
    desk.reload(|config| config.dashboard.roles.clear());
    let refused = desk
        .visit(Visitor::Viewer, "GET", "/api/v1/overview", "")
        .await;
    assert_eq!(refused.status, 403, "{}", refused.text);
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
