//! `asaf emulate` as other tools' authors meet it: the examples of its page, and its control port over HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod served;

use std::path::Path;
use std::process::Command;

use asaf::emulators::world::control::{OPERATIONS, verbs};
use served::Served;

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/emulate.md");
    std::fs::read_to_string(path).unwrap()
}

/// All shell examples of the page, in their order.
fn examples(page: &str) -> String {
    let blocks = page.split("```sh\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap());
    blocks.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_example_of_the_page_works_in_its_order() {
    let missing: Vec<&str> = ["bash", "curl", "jq"]
        .into_iter()
        .filter(|tool| Command::new(tool).arg("--version").output().is_err())
        .collect();
    if !missing.is_empty() {
        let required = ["CI", "ASAF_REQUIRE_CONTRACT"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
        assert!(!required, "{missing:?} are not installed: run `make setup`");
        println!("skipped: {missing:?} are not installed: run `make setup`");
        return;
    }
    let served = Served::start(&["--accounts", "3", "--findings", "40", "--quotas", "off"]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ready.json"), served.ready.to_string()).unwrap();
    let examples = examples(&page());
    assert!(examples.matches("curl").count() > 12);
    let done = Command::new("bash")
        .args(["-euo", "pipefail", "-x", "-c", &examples])
        .current_dir(folder.path())
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
}

#[test]
fn the_page_names_every_request_and_everything_that_may_happen() {
    let page = page();
    let verbs = verbs::names();
    let verbs = verbs.iter().map(|verb| format!("`{verb}`"));
    let requests = OPERATIONS.iter().map(|(method, path)| {
        let path = path.replace("{key}", "KEY");
        format!("`{method} {path}")
    });
    let unnamed: Vec<String> = verbs
        .chain(requests)
        .filter(|name| !page.contains(name.as_str()))
        .collect();
    assert!(
        unnamed.is_empty(),
        "docs/emulate.md does not name {unnamed:?}"
    );
}

#[test]
fn the_page_for_people_is_served_and_a_wrong_request_is_answered_readably() {
    use std::io::{Read as _, Write as _};
    let served = Served::start(&["--accounts", "1", "--findings", "3"]);
    let address = served.text("control").trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET / HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.0 200") && answer.contains("<h1>")
            || answer.contains("No tickets")
    );
    assert!(
        answer.contains("content-security-policy: default-src 'none'"),
        "{answer}"
    );
    let verb = serde_json::json!({ "do": "person_naps" });
    let (status, body) = served.control("POST", "/world", &verb);
    assert_eq!((status, &body["field"]), (400, &"do".into()));
    assert!(body["allowed"].as_array().unwrap().len() > 30);
}
