//! Somebody else's OpenID Connect provider in a process of its own, and a person who logs in there. It needs what
//! `make setup` installs.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::keep;

/// The client's secret, with letters that HTTP's Basic takes only when they are encoded (RFC 6749, §2.3.1).
pub(crate) const SECRET: &str = "a secret: +%/&= that nobody guesses";
/// Where people come back to.
const REDIRECT: &str = "https://asaf.example.com/login/callback";
/// Redirects and pages of one log-in at most.
const STEPS_MOST: usize = 12;

/// The provider, until it is dropped.
pub(crate) struct Foreign {
    process: Child,
    pub(crate) issuer: String,
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Foreign {
    /// `None` where Node or the package is not here, which fails where the proof is required.
    pub(crate) fn start() -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let modules = root.join("target/oidc");
        let has_node = Command::new("node").arg("--version").output().is_ok();
        if !has_node || !modules.join("node_modules/oidc-provider").is_dir() {
            let required = ["CI", "ASAF_REQUIRE_CONTRACT"]
                .iter()
                .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
            let what = "Node or the package oidc-provider is not here: run `make setup`";
            assert!(!required, "{what}");
            println!("skipped: {what}");
            return None;
        }
        let mut process = Command::new("node")
            .arg(root.join("tests/pages/foreign.mjs"))
            .arg(&modules)
            .args([REDIRECT, SECRET])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = lines
            .map_while(Result::ok)
            .find(|line| line.starts_with('{'));
        let ready: serde_json::Value = serde_json::from_str(&ready.expect("it starts")).unwrap();
        Some(Foreign {
            process,
            issuer: ready["issuer"].as_str().unwrap().to_owned(),
        })
    }

    /// Somebody logs in where we sent them, and agrees; returns the path to which they come back.
    pub(crate) async fn log_in(&self, at: &str, name: &str) -> String {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        let (mut cookies, mut at) = (BTreeMap::new(), at.to_owned());
        let mut form = None;
        for _ in 0..STEPS_MOST {
            let request = match form.take() {
                None => client.get(&at),
                Some(body) => client
                    .post(&at)
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body::<String>(body),
            };
            let held: Vec<String> = cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            let answer = request.header("cookie", held.join("; ")).send().await;
            let answer = answer.unwrap();
            for line in answer.headers().get_all("set-cookie") {
                keep(&mut cookies, line.to_str().unwrap());
            }
            if let Some(to) = answer.headers().get("location") {
                let to = to.to_str().unwrap();
                if let Some(path) = to.strip_prefix("https://asaf.example.com") {
                    return path.to_owned();
                }
                at = match to.starts_with('/') {
                    true => format!("{}{to}", self.issuer),
                    false => to.to_owned(),
                };
                continue;
            }
            let (status, page) = (answer.status(), answer.text().await.unwrap());
            assert!(status.is_success(), "{at}: {status} {page}");
            form = Some(match page.contains("name=\"login\"") {
                true => form_urlencoded::Serializer::new("prompt=login&password=x".to_owned())
                    .append_pair("login", name)
                    .finish(),
                false => "prompt=consent".to_owned(),
            });
        }
        panic!("the provider does not send {name} back: {at}");
    }
}
