//! The emulated world, served by the real binary, and people who act in it through Jira's own API.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use serde_json::{Value, json};

use super::{Answer, BINARY, Connection, SECRET, Serve, until};

/// `asaf emulate`; ends when dropped.
pub(crate) struct Emulators {
    process: Child,
    pub(crate) ready: Value,
    folder: PathBuf,
}

impl Drop for Emulators {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Emulators {
    /// So many accounts and findings.
    pub(crate) fn start(folder: &Path, accounts: usize, findings: usize) -> Self {
        let file = folder.join("ready.json");
        let (accounts, findings) = (accounts.to_string(), findings.to_string());
        let process = Command::new(BINARY)
            .args([
                "--quiet",
                "emulate",
                "--accounts",
                &accounts,
                "--findings",
                &findings,
            ])
            .args(["--quotas", "off", "--ready-file"])
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let ready = until(|| std::fs::read_to_string(&file).ok());
        Emulators {
            process,
            ready: serde_json::from_str(&ready).unwrap(),
            folder: folder.to_owned(),
        }
    }

    /// The world's own configuration with the store in our folder, and more tables.
    pub(crate) fn config(&self, more: &str) -> String {
        let text = std::fs::read_to_string(self.ready["config"].as_str().unwrap()).unwrap();
        std::fs::write(self.folder.join("token"), self.user("bot").1).unwrap();
        let token = text.replace("env:ASAF_JIRA_TOKEN", "file:token");
        format!("{token}\n[serve]\nlisten = \"127.0.0.1:0\"\n{more}\n")
    }

    /// Who the engine is on AWS.
    pub(crate) fn env(&self) -> Vec<(&str, &str)> {
        let env = self.ready["env"].as_object().unwrap();
        env.iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect()
    }

    fn user(&self, role: &str) -> (String, String) {
        let user = &self.ready["users"][role];
        (
            user["email"].as_str().unwrap().to_owned(),
            user["token"].as_str().unwrap().to_owned(),
        )
    }

    fn address(&self, side: &str) -> String {
        self.ready[side]
            .as_str()
            .unwrap()
            .trim_start_matches("http://")
            .to_owned()
    }

    /// One request to Jira as this user.
    pub(crate) fn jira(&self, role: &str, line: &str, body: &Value) -> Answer {
        let (email, token) = self.user(role);
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{email}:{token}"));
        self.ask(
            "jira",
            line,
            &format!("Authorization: Basic {basic}\r\n"),
            body,
        )
    }

    fn ask(&self, side: &str, line: &str, headers: &str, body: &Value) -> Answer {
        let (address, body) = (self.address(side), body.to_string());
        let head = format!(
            "{line} HTTP/1.1\r\nHost: {address}\r\n{headers}Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        Connection::to(&address).send(&head, body.as_bytes())
    }

    /// What the control port shows.
    pub(crate) fn shown(&self, path: &str) -> Value {
        self.control(&format!("GET {path}"), &json!({}))
    }

    /// Makes something happen; returns the journal's new entries.
    pub(crate) fn happen(&self, verb: &Value) -> Value {
        self.control("POST /world", verb)["entries"].clone()
    }

    fn control(&self, line: &str, body: &Value) -> Value {
        let answer = self.ask("control", line, "", body);
        assert_eq!(answer.status, 200, "{answer:?}");
        serde_json::from_str(&answer.text).unwrap()
    }

    /// The texts of a Slack channel, newest first, as the Web API gives them.
    pub(crate) fn channel(&self, id: &str) -> Vec<String> {
        let bearer = format!(
            "Authorization: Bearer {}\r\n",
            asaf::emulators::slack::TOKEN
        );
        let line = "POST /api/conversations.history";
        let wanted = json!({ "channel": id, "limit": 200 });
        let answer = self.ask("slack", line, &bearer, &wanted);
        let history: Value = serde_json::from_str(&answer.text).unwrap();
        let Some(messages) = history["messages"].as_array() else {
            panic!("{history}");
        };
        let text = |message: &Value| message["text"].as_str().unwrap_or_default().to_owned();
        messages.iter().map(text).collect()
    }

    /// Ids of the tickets with our label.
    pub(crate) fn tickets(&self) -> Vec<String> {
        let search = json!({ "jql": "labels = asaf", "maxResults": 5000, "fields": ["status"] });
        let answer = self.jira("bot", "POST /rest/api/3/search/jql", &search);
        let found: Value = serde_json::from_str(&answer.text).unwrap();
        let issues = found["issues"].as_array().unwrap().iter();
        issues
            .map(|issue| issue["id"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(crate) fn status(&self, ticket: &str) -> String {
        let answer = self.jira(
            "bot",
            &format!("GET /rest/api/3/issue/{ticket}?fields=status"),
            &Value::Null,
        );
        let issue: Value = serde_json::from_str(&answer.text).unwrap();
        issue["fields"]["status"]["name"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// A person moves a ticket along the workflow.
    pub(crate) fn move_ticket(&self, role: &str, ticket: &str, to: &str) {
        let path = format!("/rest/api/3/issue/{ticket}/transitions");
        let offered = self.jira(role, &format!("GET {path}"), &Value::Null);
        let offered: Value = serde_json::from_str(&offered.text).unwrap();
        let mut transitions = offered["transitions"].as_array().unwrap().iter();
        let transition = transitions.find(|one| one["to"]["name"] == to).expect(to);
        let moved = self.jira(
            role,
            &format!("POST {path}"),
            &json!({ "transition": { "id": transition["id"] } }),
        );
        assert_eq!(moved.status, 204, "{moved:?}");
    }

    /// The administrator registers a signed webhook for our tickets; from now on the site sends it.
    pub(crate) fn register(&self, address: &str, secret: &str) {
        let hook = json!({ "name": "asaf", "url": format!("http://{address}/webhook/jira"), "secret": secret,
            "events": ["jira:issue_created", "jira:issue_updated", "jira:issue_deleted", "comment_created"],
            "filters": { "issue-related-events-section": "labels = asaf" }, "excludeBody": false });
        let answer = self.jira("admin", "POST /rest/webhooks/1.0/webhook", &hook);
        assert_eq!(answer.status, 201, "{answer:?}");
    }

    /// Requests since the last reset.
    pub(crate) fn requests(&self, side: &str, operation: &str) -> u64 {
        self.shown("/requests")[side][operation]
            .as_u64()
            .unwrap_or(0)
    }

    pub(crate) fn forget_requests(&self) {
        self.control("POST /requests/reset", &json!({}));
    }

    /// What the audit of everything that happened found.
    pub(crate) fn violations(&self) -> Value {
        self.shown("/audit")["violations"].clone()
    }
}

/// Nothing is left to do, and nothing that must never happen has happened.
pub(crate) fn settled(world: &Emulators, mut serve: Serve, folder: &Path) {
    serve.signal("TERM");
    assert!(serve.ended().success());
    let planned = until(|| {
        let plan = Command::new(BINARY)
            .args(["plan", "--full", "--output", "json"])
            .env("ASAF_CONFIG", folder.join("asaf.toml"))
            .env("HOOK", SECRET)
            .envs(world.env())
            .output()
            .unwrap();
        serde_json::from_slice::<Value>(&plan.stdout).ok()
    });
    assert_eq!(
        planned["plan"]["actions"],
        serde_json::json!([]),
        "{planned}"
    );
    assert_eq!(world.violations(), serde_json::json!([]));
}
