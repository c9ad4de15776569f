//! An administrator's console: a world that this process serves, a configuration for it, and the program as people run
//! it. The world can be changed between commands, as people and vendors would.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use asaf::clock::Clock;
use asaf::emulators::jira::Role;
use asaf::emulators::world::{ENGINE_KEY, Shared, Side, World, seed, serve};
use base64::Engine as _;
use serde_json::{Value, json};

/// Accounts of the emulated organisation.
pub(crate) const ACCOUNTS: usize = 4;
/// Who may close, and who works on tickets: groups as a company's directory has them.
const GROUPS: [(&str, Role); 2] = [
    ("security-reviewers", Role::Reviewer),
    ("product-teams", Role::Product),
];

/// A served world, a configuration and the program.
pub(crate) struct Console {
    pub(crate) world: Shared,
    pub(crate) urls: serve::Urls,
    pub(crate) folder: tempfile::TempDir,
    /// Environment of every command, besides the system's.
    pub(crate) env: Vec<(String, String)>,
}

/// What the program said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{}\n{}", self.out, self.err))
    }

    /// It ended with this code; gives what it wrote to stdout.
    pub(crate) fn ends(&self, code: i32) -> &str {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        &self.out
    }

    /// It ended with this code and says this, wherever.
    pub(crate) fn says(&self, code: i32, sentence: &str) {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        let both = format!("{}\n{}", self.out, self.err);
        assert!(both.contains(sentence), "{sentence} in\n{both}");
    }
}

impl Console {
    /// A site as Atlassian hands it out, with the groups that a company's directory has.
    pub(crate) async fn untouched() -> Self {
        Self::of(World::untouched, 0).await
    }

    /// A site on which the rule is installed already, by hand and under other names.
    pub(crate) async fn prepared() -> Self {
        Self::of(World::new, 0).await
    }

    /// An untouched site, and so many findings.
    pub(crate) async fn with_findings(findings: usize) -> Self {
        Self::of(World::untouched, findings).await
    }

    /// A prepared site, and so many findings.
    pub(crate) async fn prepared_with(findings: usize) -> Self {
        Self::of(World::new, findings).await
    }

    async fn of(make: impl Fn(Clock, &str) -> World, findings: usize) -> Self {
        let bound = serve::bind(0, 0, 0, 0).await.unwrap();
        let urls = bound.urls.clone();
        let clock = Clock::Shifted(Arc::new(Mutex::new(jiff::SignedDuration::ZERO)));
        let mut world = make(clock, &urls.jira);
        seed::fill(&mut world, ACCOUNTS, findings, 7);
        world.set_quotas(false);
        let world = Shared::new(world);
        serve::serve(bound, &world);
        let console = Console {
            world,
            urls,
            folder: tempfile::tempdir().unwrap(),
            env: vec![
                ("AWS_ACCESS_KEY_ID".to_owned(), ENGINE_KEY.to_owned()),
                ("AWS_SECRET_ACCESS_KEY".to_owned(), "emulated".to_owned()),
            ],
        };
        console.have_groups();
        console.configure(|_| {});
        console.forget_requests();
        console
    }

    fn have_groups(&self) {
        for (group, role) in GROUPS {
            let known = self.as_admin(
                "GET",
                &format!("/rest/api/3/group?groupname={group}"),
                json!(null),
            );
            if known.0 == 404 {
                self.as_admin("POST", "/rest/api/3/group", json!({"name": group}))
                    .expect(201);
                let account = self.user(role).0;
                let path = format!("/rest/api/3/group/user?groupname={group}");
                self.as_admin("POST", &path, json!({"accountId": account}))
                    .expect(201);
            }
        }
    }

    /// Writes the configuration anew: for the projects SEC and PAY, changed as told.
    pub(crate) fn configure(&self, change: impl Fn(&mut String)) {
        let mut text = format!(
            r#"[aws]
region = "eu-west-1"
aggregator = "org"
endpoint_url = "{aws}"

[jira]
url = "{jira}"
email = "{bot}"
token = "file:bot.token"
reviewers = {{ group = "security-reviewers" }}
product_teams = {{ group = "product-teams" }}

[jira.admin]
email = "{admin}"
token = "file:admin.token"

[jira.verify.product]
email = "{product}"
token = "file:product.token"

[jira.verify.reviewer]
email = "{reviewer}"
token = "file:reviewer.token"

[run]
unlimited = true

[owners]
default = {{ team = "security", project = "SEC" }}

[[owners.rules]]
accounts = ["{account}"]
team = "payments"
project = "PAY"
"#,
            aws = self.urls.aws,
            jira = self.urls.jira,
            bot = self.user(Role::Bot).1,
            admin = self.user(Role::Admin).1,
            product = self.user(Role::Product).1,
            reviewer = self.user(Role::Reviewer).1,
            account = seed::account_id(1),
        );
        change(&mut text);
        std::fs::write(self.folder.path().join("asaf.toml"), text).unwrap();
        for (name, role) in [
            ("bot", Role::Bot),
            ("admin", Role::Admin),
            ("product", Role::Product),
            ("reviewer", Role::Reviewer),
        ] {
            let path = self.folder.path().join(format!("{name}.token"));
            std::fs::write(path, self.user(role).2).unwrap();
        }
    }

    /// Runs the program in the folder of the configuration.
    pub(crate) fn asaf(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_asaf"));
        command
            .current_dir(self.folder.path())
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("NO_PROXY", "127.0.0.1,localhost")
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        let output = command.output().unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Account id, address and token of a user.
    pub(crate) fn user(&self, role: Role) -> (String, String, String) {
        let world = self.world.lock();
        let user = world.jira.user(role).unwrap();
        (
            user.account_id.clone(),
            user.email.clone(),
            user.token.clone(),
        )
    }

    /// One request to Jira as a user, without counting it.
    pub(crate) fn call(&self, role: Role, method: &str, path: &str, body: Value) -> Answer {
        let (_, email, token) = self.user(role);
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{email}:{token}"));
        let body = if body.is_null() {
            bytes::Bytes::new()
        } else {
            bytes::Bytes::from(body.to_string())
        };
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.urls.jira))
            .header("authorization", format!("Basic {pair}"))
            .header("content-type", "application/json")
            .body(body)
            .unwrap();
        let mut world = self.world.lock();
        let before = world.requests.clone();
        let answer = world.answer(Side::Jira, &request).unwrap();
        world.requests = before;
        let body = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
        Answer(answer.status().as_u16(), body)
    }

    pub(crate) fn as_admin(&self, method: &str, path: &str, body: Value) -> Answer {
        self.call(Role::Admin, method, path, body)
    }

    /// A ticket that the engine's user creates; gives its key.
    pub(crate) fn ticket(&self, project: &str) -> String {
        let fields = json!({
            "project": {"key": project}, "issuetype": {"name": "Task"}, "summary": "a ticket", "labels": ["asaf"],
        });
        let made = self.call(
            Role::Bot,
            "POST",
            "/rest/api/3/issue",
            json!({ "fields": fields }),
        );
        made.expect(201)["key"].as_str().unwrap().to_owned()
    }

    /// Takes a transition by its id; gives Jira's status code.
    pub(crate) fn move_as(&self, role: Role, key: &str, transition: &str) -> u16 {
        let path = format!("/rest/api/3/issue/{key}/transitions");
        self.call(
            role,
            "POST",
            &path,
            json!({"transition": {"id": transition}}),
        )
        .0
    }

    /// The name of a ticket's status.
    pub(crate) fn status(&self, key: &str) -> String {
        let world = self.world.lock();
        let issue = world.jira.issue(key).unwrap();
        world.jira.status_name(issue.status)
    }

    /// How many issues there are.
    pub(crate) fn issues(&self) -> usize {
        self.world.lock().jira.issues().count()
    }

    pub(crate) fn forget_requests(&self) {
        self.world.lock().requests = Default::default();
    }

    /// Operations on Jira since the last [`Console::forget_requests`], with how often.
    pub(crate) fn requests(&self) -> std::collections::BTreeMap<String, u64> {
        self.world.lock().requests.jira.clone()
    }

    /// No request to Jira since then could have changed anything.
    pub(crate) fn nothing_was_written(&self) {
        let questions = [
            "POST /rest/api/3/workflows",
            "POST /rest/api/3/search/approximate-count",
            "POST /rest/api/3/search/jql",
            "POST /rest/api/3/permissions/check",
            "POST /rest/api/3/issue/bulkfetch",
        ];
        let requests = self.requests();
        let written: BTreeSet<&String> = requests
            .keys()
            .filter(|name| !name.starts_with("GET ") && !questions.contains(&name.as_str()))
            .collect();
        assert!(written.is_empty(), "{written:?}");
    }
}

/// Status and body.
#[derive(Debug)]
pub(crate) struct Answer(pub(crate) u16, pub(crate) Value);

impl Answer {
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.0, status, "{}", self.1);
        self.1
    }
}
