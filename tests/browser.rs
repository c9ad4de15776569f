//! Every page in a real Chromium. It needs what `make setup` installs; without it the test says that it is skipped, and fails
//! where the proof is required.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod scene;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use asaf::dashboard::{Dashboard, Peer, Setup, router};
use asaf::emulators::jira::Role;
use asaf::jobs::reconcile::Wish;
use asaf::store::Store as _;
use asaf::store::sqlite::Sqlite;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use jiff::SignedDuration;
use scene::Scene;
use scene::acts::{tickets, transition};

/// Texts that would do something anywhere but in text.
const HOSTILE: [&str; 5] = [
    "<script>window.planted = 1</script>",
    "\"><img src=x onerror=\"window.planted = 1\">",
    "</title></style><svg onload=window.planted=1>",
    "{{ 7 * 7 }} {% raw %} javascript:window.planted=1",
    "=HYPERLINK(\"https://evil.example\")\u{202e}txt.exe",
];

fn modules() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/browser");
    let chromium =
        std::env::var("ASAF_CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
    let is_here = root.join("node_modules/axe-core").is_dir()
        && root.join("node_modules/playwright-core").is_dir()
        && Path::new(&chromium).exists();
    if is_here {
        return Some(root);
    }
    let required = ["CI", "ASAF_REQUIRE_CONTRACT"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    let what = "Chromium, playwright-core or axe-core is not here: run `make setup`";
    assert!(!required, "{what}");
    println!("skipped: {what}");
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_for_everybody_and_runs_nothing_that_findings_say() {
    let Some(modules) = modules() else { return };
    let scene = Scene::with(6, 120, |text| {
        text.push_str("\n[dashboard]\nlocal = \"reviewer\"\n")
    });
    scene.run(Wish::Full).await;
    for key in tickets(&scene, "Open").into_iter().step_by(3) {
        transition(&scene, Role::Product, &key, "Resolved");
    }
    scene.clock.advance(SignedDuration::from_hours(24 * 9));
    scene.run(Wish::Full).await;
    let store = Arc::new(Sqlite::open_beside(&scene.store_path()).unwrap());
    let mut links = store.links().await.unwrap();
    for (link, hostile) in links.iter_mut().zip(HOSTILE.iter().cycle()) {
        link.title = (*hostile).to_owned();
        link.alias.resource = format!("{hostile}{}", link.alias.resource);
        link.alias.region = (*hostile).to_owned();
    }
    store.put_links(&links, scene.clock.now()).await.unwrap();
    let runs = store.runs(1).await.unwrap();
    let setup = Setup::new(&scene.config).unwrap();
    let dashboard = Dashboard::new(store.clone(), scene.clock.clone(), setup);
    let here = |mut request: Request, next: Next| async move {
        request.extensions_mut().insert(Peer([127, 0, 0, 1].into()));
        next.run(request).await
    };
    let router = router(Arc::new(dashboard)).layer(from_fn(here));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move { axum::serve(listener, router).await });
    let ticket = format!("/ticket/{}", links[0].marker);
    let run = format!("/runs/{}", runs[0].id);
    let paths = [
        "/",
        "/teams",
        "/accounts",
        "/controls",
        "/review",
        "/rules",
        "/runs",
        "/quarantine",
        "/integrations",
        "/sessions",
        "/?severity=CRITICAL",
        &ticket,
        &run,
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("node");
    command
        .arg(root.join("tests/browser/pages.mjs"))
        .arg(&origin)
        .arg(&modules)
        .arg(root.join("target/screenshots"))
        .args(paths);
    let done = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap();
    served.abort();
    let said = String::from_utf8_lossy(&done.stdout);
    let failed = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.is_empty(), "{said}\n{failed}");
}
