//! An operator's desk: the real binary, served emulators, and a folder with a Git repository of rules.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

#[path = "../served/mod.rs"]
mod served;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use served::Served;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_asaf");

/// Emulators that serve until the test ends.
pub(crate) struct Emulators {
    served: Served,
}

/// What the program said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{}{}", self.out, self.err))
    }

    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self
    }
}

pub(crate) fn said(command: &mut Command) -> Said {
    let output = command.stdin(Stdio::null()).output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Emulators {
    pub(crate) fn start(accounts: usize, findings: usize) -> Self {
        let (accounts, findings) = (accounts.to_string(), findings.to_string());
        let size = ["--accounts", &accounts, "--findings", &findings];
        Emulators {
            served: Served::start(&[&size[..], &["--quotas", "off"]].concat()),
        }
    }

    pub(crate) fn ready(&self) -> &Value {
        &self.served.ready
    }

    /// The program with the configuration and environment that work against these emulators.
    pub(crate) fn asaf(&self, here: &Path, arguments: &[&str]) -> Said {
        let mut command = Command::new(BINARY);
        command
            .args(arguments)
            .current_dir(here)
            .env("ASAF_CONFIG", self.config());
        self.environment(&mut command);
        said(&mut command)
    }

    pub(crate) fn config(&self) -> PathBuf {
        PathBuf::from(self.ready()["config"].as_str().unwrap())
    }

    pub(crate) fn environment(&self, command: &mut Command) {
        for (name, value) in self.ready()["env"].as_object().unwrap() {
            command.env(name, value.as_str().unwrap());
        }
    }

    /// A request to GitHub as somebody; gives status and body.
    pub(crate) fn github(
        &self,
        login: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let url = format!("{}{path}", self.ready()["github"].as_str().unwrap());
        let token = self.ready()["github_users"][login]["token"]
            .as_str()
            .unwrap()
            .to_owned();
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut request = reqwest::Client::new()
                .request(method, url)
                .bearer_auth(token);
            if let Some(body) = body {
                request = request.json(&body);
            }
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            let text = answer.text().await.unwrap();
            (status, serde_json::from_str(&text).unwrap_or(Value::Null))
        })
    }

    /// Pat writes a file on a branch and opens a pull request; gives its number and head.
    pub(crate) fn propose(&self, branch: &str, path: &str, text: &str) -> (u64, String) {
        use base64::Engine as _;
        let repo = "/repos/acme/rules";
        let (_, main) = self.github("pat", "GET", &format!("{repo}/branches/main"), None);
        let sha = main["commit"]["sha"].clone();
        let made = self.github(
            "pat",
            "POST",
            &format!("{repo}/git/refs"),
            Some(json!({ "ref": format!("refs/heads/{branch}"), "sha": sha })),
        );
        assert_eq!(made.0, 201, "{}", made.1);
        let known = self.github(
            "pat",
            "GET",
            &format!("{repo}/contents/{path}?ref={branch}"),
            None,
        );
        let mut body = json!({ "message": "Change rules", "branch": branch,
            "content": base64::engine::general_purpose::STANDARD.encode(text) });
        if known.0 == 200 {
            body["sha"] = known.1["sha"].clone();
        }
        let written = self.github("pat", "PUT", &format!("{repo}/contents/{path}"), Some(body));
        assert!(written.0 < 300, "{}", written.1);
        let opened = self.github(
            "pat",
            "POST",
            &format!("{repo}/pulls"),
            Some(json!({ "title": "Change rules", "head": branch, "base": "main" })),
        );
        assert_eq!(opened.0, 201, "{}", opened.1);
        (
            opened.1["number"].as_u64().unwrap(),
            opened.1["head"]["sha"].as_str().unwrap().to_owned(),
        )
    }

    /// Robin approves and merges.
    pub(crate) fn merge(&self, number: u64) {
        let pull = format!("/repos/acme/rules/pulls/{number}");
        let approved = self.github(
            "robin",
            "POST",
            &format!("{pull}/reviews"),
            Some(json!({ "event": "APPROVE" })),
        );
        assert_eq!(approved.0, 200, "{}", approved.1);
        let merged = self.github(
            "robin",
            "PUT",
            &format!("{pull}/merge"),
            Some(json!({ "merge_method": "squash" })),
        );
        assert_eq!(merged.0, 200, "{}", merged.1);
    }
}

/// A Git repository with one commit on `main`.
pub(crate) struct Repository {
    pub(crate) folder: tempfile::TempDir,
}

impl Repository {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let repository = Repository {
            folder: tempfile::tempdir().unwrap(),
        };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        for (name, value) in [
            ("user.name", "Pat"),
            ("user.email", "pat@example.com"),
            ("commit.gpgsign", "false"),
        ] {
            repository.git(&["config", name, value]);
        }
        repository.commit("Begin", files);
        repository
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let done = Command::new("git")
            .arg("-C")
            .arg(self.path())
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let file = self.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    /// A clone of what GitHub holds: `main`, and a pull request's head as `refs/asaf/head`. Every object is written by the
    /// real git, and must have the id that GitHub gives it.
    pub(crate) fn clone_of(emulators: &Emulators, head: &str) -> Self {
        let repository = Repository {
            folder: tempfile::tempdir().unwrap(),
        };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        let get = |path: &str| {
            let (status, body) =
                emulators.github("robin", "GET", &format!("/repos/acme/rules{path}"), None);
            assert_eq!(status, 200, "{path}: {body}");
            body
        };
        let main = get("/branches/main")["commit"]["sha"]
            .as_str()
            .unwrap()
            .to_owned();
        let mut waiting = vec![main.clone(), head.to_owned()];
        while let Some(sha) = waiting.pop() {
            let commit = get(&format!("/git/commits/{sha}"));
            let tree = get(&format!("/git/trees/{sha}?recursive=1"));
            repository.git(&["read-tree", "--empty"]);
            for entry in tree["tree"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|entry| entry["type"] == "blob")
            {
                let blob = get(&format!("/git/blobs/{}", entry["sha"].as_str().unwrap()));
                let encoded: String = blob["content"]
                    .as_str()
                    .unwrap()
                    .split_whitespace()
                    .collect();
                use base64::Engine as _;
                let content = base64::engine::general_purpose::STANDARD
                    .decode(encoded)
                    .unwrap();
                let written = repository.object("blob", &content);
                assert_eq!(written, entry["sha"].as_str().unwrap());
                let info = format!(
                    "{},{written},{}",
                    entry["mode"].as_str().unwrap(),
                    entry["path"].as_str().unwrap()
                );
                repository.git(&["update-index", "--add", "--cacheinfo", &info]);
            }
            assert_eq!(
                repository.git(&["write-tree"]),
                commit["tree"]["sha"].as_str().unwrap()
            );
            let mut text = format!("tree {}\n", commit["tree"]["sha"].as_str().unwrap());
            for parent in commit["parents"].as_array().unwrap() {
                let parent = parent["sha"].as_str().unwrap().to_owned();
                text.push_str(&format!("parent {parent}\n"));
                waiting.push(parent);
            }
            for who in ["author", "committer"] {
                let by = &commit[who];
                let at: jiff::Timestamp = by["date"].as_str().unwrap().parse().unwrap();
                text.push_str(&format!(
                    "{who} {} <{}> {} +0000\n",
                    by["name"].as_str().unwrap(),
                    by["email"].as_str().unwrap(),
                    at.as_second()
                ));
            }
            text.push_str(&format!("\n{}", commit["message"].as_str().unwrap()));
            assert_eq!(repository.object("commit", text.as_bytes()), sha);
        }
        repository.git(&["update-ref", "refs/heads/main", &main]);
        repository.git(&["update-ref", "refs/asaf/head", head]);
        repository.git(&["reset", "--hard", "--quiet", "main"]);
        repository
    }

    fn object(&self, kind: &str, content: &[u8]) -> String {
        use std::io::Write as _;
        let mut git = Command::new("git")
            .arg("-C")
            .arg(self.path())
            .args(["hash-object", "-w", "-t", kind, "--stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        git.stdin.take().unwrap().write_all(content).unwrap();
        let done = git.wait_with_output().unwrap();
        assert!(done.status.success());
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// Writes files and commits them; gives the commit.
    pub(crate) fn commit(&self, message: &str, files: &[(&str, &str)]) -> String {
        for (path, text) in files {
            self.write(path, text);
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }
}

/// A rule as a team writes it.
pub(crate) fn rule(id: &str, what: &str) -> String {
    format!(
        "[[ignore]]\nid = \"{id}\"\n{what}\nreason = \"Intended, and reviewed with security.\"\nowner = \"web\"\n\
         requested_by = \"pat\"\nexpires = {}\n\n",
        days_from_now(60)
    )
}

/// A day, as TOML writes one.
pub(crate) fn days_from_now(days: i64) -> String {
    let at = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
    at.strftime("%Y-%m-%d").to_string()
}
