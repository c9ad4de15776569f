//! GitHub's behaviour, told request by request. Each story is named by a claim.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::*;
use crate::emulators::faults::{Fault, When};

struct Site {
    github: GitHub,
    journal: Journal,
    now: Timestamp,
}

struct Said {
    status: u16,
    body: Value,
    headers: http::HeaderMap,
}

impl Said {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    /// A member of every item.
    fn all(&self, member: &str) -> Vec<&Value> {
        self.body
            .as_array()
            .unwrap()
            .iter()
            .map(|item| &item[member])
            .collect()
    }
}

const RULES: &str = "/repos/acme/rules";

impl Site {
    fn new() -> Self {
        let now: Timestamp = "2026-11-24T08:00:00Z".parse().unwrap();
        let mut github = GitHub::new("https://github.test");
        for (login, part) in [
            ("acme", Part::Bot),
            ("asaf[bot]", Part::Bot),
            ("pat", Part::Product),
            ("robin", Part::Security),
            ("mallory", Part::Outsider),
        ] {
            github.add_user(login, part);
        }
        let files = [
            ("README.md", "# Rules\n"),
            ("ignore/web.toml", "# one\n"),
            ("ignore/deep/a.toml", "# deep\n"),
            (".github/CODEOWNERS", "/ignore/ @acme/security\n"),
        ];
        let protection = Protection {
            approvals: 1,
            code_owners: true,
            by_ruleset: false,
        };
        github.add_repository("acme/rules", &files, Some(protection), now);
        Site {
            github,
            journal: Journal::default(),
            now,
        }
    }

    fn raw(
        &mut self,
        token: Option<&str>,
        method: &str,
        path: &str,
        body: Value,
        headers: &[(&str, &str)],
    ) -> Said {
        let mut request = http::Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let bytes = if body.is_null() {
            bytes::Bytes::new()
        } else {
            bytes::Bytes::from(body.to_string())
        };
        let answered =
            self.github
                .handle(&request.body(bytes).unwrap(), self.now, &mut self.journal);
        let (parts, body) = answered.response.into_parts();
        Said {
            status: if answered.dropped {
                0
            } else {
                parts.status.as_u16()
            },
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
            headers: parts.headers,
        }
    }

    fn ask(&mut self, login: &str, method: &str, path: &str, body: Value) -> Said {
        let token = self.github.user(login).unwrap().token.clone();
        self.raw(Some(&token), method, path, body, &[])
    }

    fn get(&mut self, path: &str) -> Said {
        self.ask("pat", "GET", path, Value::Null)
    }

    fn pull(&mut self, files: &[(&str, Option<&str>)]) -> u64 {
        let now = self.now;
        self.github
            .open_pull_request("acme/rules", "pat", "Change", files, now)
    }

    fn later(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }
}

fn encoded(text: &str) -> String {
    STANDARD.encode(text)
}

#[test]
fn a_request_needs_a_token_that_is_known() {
    let mut site = Site::new();
    let anonymous = site.raw(None, "GET", "/user", Value::Null, &[]);
    assert_eq!(
        (anonymous.status, anonymous.message()),
        (401, "Requires authentication")
    );
    let wrong = site.raw(Some("ghp_wrong"), "GET", "/user", Value::Null, &[]);
    assert_eq!((wrong.status, wrong.message()), (401, "Bad credentials"));
    let token = site.github.user("pat").unwrap().token.clone();
    let basic = format!("Basic {}", encoded(&format!("x-access-token:{token}")));
    let known = site.raw(
        None,
        "GET",
        "/user",
        Value::Null,
        &[("authorization", &basic)],
    );
    assert_eq!(known.body["login"], "pat");
}

#[test]
fn an_app_trades_its_signed_assertion_for_a_token_of_an_hour() {
    let mut site = Site::new();
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    site.github
        .add_app("Iv1.app", 7, key.public_key().as_ref(), "asaf[bot]");
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
        STANDARD.encode(key.as_der().unwrap().as_ref())
    );
    let path = "/app/installations/7/access_tokens";
    let assertion = |at| {
        crate::wire::github::assertion("Iv1.app", &SecretString::from(pem.clone()), at).unwrap()
    };
    let good = assertion(site.now);
    let made = site.raw(Some(good.expose_secret()), "POST", path, Value::Null, &[]);
    assert_eq!(made.status, 201);
    assert_eq!(made.body["expires_at"], "2026-11-24T09:00:00Z");
    let token = made.body["token"].as_str().unwrap().to_owned();
    assert_eq!(
        site.raw(Some(&token), "GET", "/user", Value::Null, &[])
            .body["login"],
        "asaf[bot]"
    );
    let forged = format!("{}x", good.expose_secret());
    assert_eq!(
        site.raw(Some(&forged), "POST", path, Value::Null, &[])
            .status,
        401
    );
    assert_eq!(
        site.raw(
            Some(good.expose_secret()),
            "POST",
            "/app/installations/8/access_tokens",
            Value::Null,
            &[]
        )
        .status,
        404
    );
    site.later(3_601);
    assert_eq!(
        site.raw(Some(&token), "GET", "/user", Value::Null, &[])
            .status,
        401
    );
    assert_eq!(
        site.raw(Some(good.expose_secret()), "POST", path, Value::Null, &[])
            .status,
        401,
        "an assertion ends"
    );
}

#[test]
fn what_is_not_emulated_is_501_and_what_is_not_there_is_404() {
    let mut site = Site::new();
    for path in ["/repos/acme/rules/hooks", "/orgs/acme", "/graphql"] {
        let said = site.get(path);
        assert_eq!(said.status, 501);
        assert!(said.message().contains(path));
    }
    assert_eq!(site.get("/repos/acme/other").status, 404);
    assert_eq!(
        site.get("/repos/acme/rules/branches/none").message(),
        "Branch not found"
    );
    assert_eq!(
        site.get("/api/v3/repos/ACME/Rules").body["full_name"],
        "acme/rules"
    );
}

#[test]
fn a_reader_may_comment_and_review_but_not_write() {
    let mut site = Site::new();
    let number = site.pull(&[("ignore/web.toml", Some("# two\n"))]);
    let written = site.ask(
        "mallory",
        "PUT",
        &format!("{RULES}/contents/x"),
        json!({ "message": "m", "content": "" }),
    );
    assert_eq!(written.status, 403);
    let comment = site.ask(
        "mallory",
        "POST",
        &format!("{RULES}/issues/{number}/comments"),
        json!({ "body": "hi" }),
    );
    assert_eq!(comment.status, 201);
    let review = site.ask(
        "mallory",
        "POST",
        &format!("{RULES}/pulls/{number}/reviews"),
        json!({ "event": "APPROVE" }),
    );
    assert_eq!(review.body["state"], "APPROVED");
    // An approval without write access counts for nothing.
    let merged = site.ask(
        "pat",
        "PUT",
        &format!("{RULES}/pulls/{number}/merge"),
        json!({}),
    );
    assert_eq!(
        (merged.status, merged.message()),
        (
            405,
            "At least 1 approving review is required by reviewers with write access."
        )
    );
}

#[test]
fn an_answer_that_is_known_is_304_and_costs_nothing() {
    let mut site = Site::new();
    site.github.quotas_enabled = true;
    let path = format!("{RULES}/branches/main");
    let first = site.get(&path);
    let etag = first.header("etag").to_owned();
    assert!(etag.starts_with("W/\""));
    let token = site.github.user("pat").unwrap().token.clone();
    let second = site.raw(
        Some(&token),
        "GET",
        &path,
        Value::Null,
        &[("if-none-match", &etag)],
    );
    assert_eq!((second.status, second.body.clone()), (304, Value::Null));
    assert_eq!(second.header("x-ratelimit-used"), "1");
    let number = site.pull(&[("ignore/web.toml", Some("# two\n"))]);
    let now = site.now;
    site.github
        .review("acme/rules", number, "robin", "APPROVED", now)
        .unwrap();
    site.github
        .merge("acme/rules", number, "robin", now)
        .unwrap();
    let moved = site.raw(
        Some(&token),
        "GET",
        &path,
        Value::Null,
        &[("if-none-match", &etag)],
    );
    assert_eq!(moved.status, 200);
}

#[test]
fn requests_are_counted_by_the_hour_and_by_the_minute() {
    let mut site = Site::new();
    site.github.quotas_enabled = true;
    let asked = site.get("/rate_limit");
    assert_eq!(asked.body["resources"]["core"]["remaining"], 5_000);
    for _ in 0..900 {
        assert_eq!(site.get("/user").status, 200);
    }
    let refused = site.get("/user");
    assert_eq!((refused.status, refused.header("retry-after")), (403, "60"));
    assert!(refused.message().contains("secondary rate limit"));
    assert!(site.journal.violations.is_empty());
    site.later(30);
    assert_eq!(site.get("/user").header("retry-after"), "30");
    assert_eq!(
        site.journal.violations.len(),
        1,
        "a request inside the wait is a violation"
    );
    for _ in 0..5 {
        site.later(61);
        (0..900).for_each(|_| drop(site.get("/user")));
    }
    let refused = site.get("/user");
    assert_eq!(
        (refused.status, refused.header("x-ratelimit-remaining")),
        (403, "0")
    );
    let reset: i64 = refused.header("x-ratelimit-reset").parse().unwrap();
    assert!(reset > site.now.as_second());
    site.later(3_600);
    assert_eq!(site.get("/user").status, 200);
}

#[test]
fn lists_come_in_pages_with_links_to_the_others() {
    let mut site = Site::new();
    for _ in 0..5 {
        site.pull(&[("ignore/web.toml", Some("# two\n"))]);
        site.later(1);
    }
    let first = site.get(&format!("{RULES}/pulls?state=all&per_page=2"));
    assert_eq!(first.all("number"), [5, 4]);
    let next =
        "<https://github.test/repos/acme/rules/pulls?state=all&per_page=2&page=2>; rel=\"next\"";
    assert!(
        first.header("link").contains(next),
        "{}",
        first.header("link")
    );
    let last = site.get(&format!("{RULES}/pulls?state=all&per_page=2&page=3"));
    assert_eq!(last.all("number"), [1]);
    assert!(!last.header("link").contains("rel=\"next\""));
    assert_eq!(
        site.get(&format!("{RULES}/pulls?page=9"))
            .all("number")
            .len(),
        0
    );
}

#[test]
fn a_branch_says_where_it_stands_and_whether_it_is_protected() {
    let mut site = Site::new();
    let branch = site.get(&format!("{RULES}/branches/main"));
    assert_eq!(
        (
            branch.body["protected"].as_bool(),
            branch.body["commit"]["sha"].as_str().unwrap().len()
        ),
        (Some(true), 40)
    );
    assert_eq!(site.get(&format!("{RULES}/branches")).all("name"), ["main"]);
    assert_eq!(
        site.get(&format!("{RULES}/rules/branches/main")).body,
        json!([])
    );
    let by_ruleset = Protection {
        by_ruleset: true,
        ..site.github.repository("acme/rules").unwrap().protections["main"].clone()
    };
    site.github
        .repository_mut("acme/rules")
        .unwrap()
        .protections
        .insert("main".to_owned(), by_ruleset);
    assert_eq!(
        site.get(&format!("{RULES}/branches/main")).body["protected"],
        false
    );
    assert_eq!(
        site.get(&format!("{RULES}/rules/branches/main"))
            .all("type"),
        ["pull_request"]
    );
}

#[test]
fn references_are_made_moved_forward_and_deleted_but_not_protected_ones() {
    let mut site = Site::new();
    let main = site.get(&format!("{RULES}/git/ref/heads/main")).body["object"]["sha"].clone();
    let make = json!({ "ref": "refs/heads/a/b", "sha": main });
    assert_eq!(
        site.ask("pat", "POST", &format!("{RULES}/git/refs"), make.clone())
            .status,
        201
    );
    let again = site.ask("pat", "POST", &format!("{RULES}/git/refs"), make);
    assert_eq!(
        (again.status, again.message()),
        (422, "Reference already exists")
    );
    for (name, sha, sentence) in [
        (
            "refs/heads/a..b",
            main.clone(),
            "Reference name is not well-formed",
        ),
        ("heads/x", main.clone(), "Reference name is not well-formed"),
        (
            "refs/heads/x",
            json!("0".repeat(40)),
            "Object does not exist",
        ),
    ] {
        let refused = site.ask(
            "pat",
            "POST",
            &format!("{RULES}/git/refs"),
            json!({ "ref": name, "sha": sha }),
        );
        assert_eq!((refused.status, refused.message()), (422, sentence));
    }
    assert_eq!(
        site.get(&format!("{RULES}/git/matching-refs/heads/a"))
            .all("ref"),
        ["refs/heads/a/b"]
    );
    let write = json!({ "message": "m", "content": encoded("x"), "branch": "a/b" });
    let newer = site
        .ask("pat", "PUT", &format!("{RULES}/contents/x"), write)
        .body["commit"]["sha"]
        .clone();
    let back = site.ask(
        "pat",
        "PATCH",
        &format!("{RULES}/git/refs/heads/a/b"),
        json!({ "sha": main }),
    );
    assert_eq!(
        (back.status, back.message()),
        (422, "Update is not a fast forward")
    );
    assert_eq!(
        site.ask(
            "pat",
            "PATCH",
            &format!("{RULES}/git/refs/heads/a/b"),
            json!({ "sha": main, "force": true })
        )
        .status,
        200
    );
    assert_eq!(
        site.ask(
            "pat",
            "PATCH",
            &format!("{RULES}/git/refs/heads/a/b"),
            json!({ "sha": newer })
        )
        .status,
        200
    );
    let protected = site.ask(
        "pat",
        "PATCH",
        &format!("{RULES}/git/refs/heads/main"),
        json!({ "sha": newer }),
    );
    assert_eq!(
        (protected.status, protected.message()),
        (422, "Changes must be made through a pull request.")
    );
    assert_eq!(
        site.ask(
            "pat",
            "DELETE",
            &format!("{RULES}/git/refs/heads/main"),
            Value::Null
        )
        .status,
        422
    );
    assert_eq!(
        site.ask(
            "pat",
            "DELETE",
            &format!("{RULES}/git/refs/heads/a/b"),
            Value::Null
        )
        .status,
        204
    );
    assert_eq!(site.get(&format!("{RULES}/git/ref/heads/a/b")).status, 404);
}

#[test]
fn a_listing_is_whole_or_says_that_it_was_cut_short() {
    let mut site = Site::new();
    let whole = site.get(&format!("{RULES}/git/trees/main?recursive=1"));
    let paths: Vec<&str> = whole.body["tree"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["path"].as_str().unwrap())
        .collect();
    assert_eq!(
        paths,
        [
            ".github",
            ".github/CODEOWNERS",
            "README.md",
            "ignore",
            "ignore/deep",
            "ignore/deep/a.toml",
            "ignore/web.toml"
        ]
    );
    assert_eq!(whole.body["truncated"], false);
    let root = site.get(&format!("{RULES}/git/trees/main"));
    assert_eq!(root.body["tree"].as_array().unwrap().len(), 3);
    site.github
        .repository_mut("acme/rules")
        .unwrap()
        .longest_listing = 3;
    let cut = site.get(&format!("{RULES}/git/trees/main?recursive=1"));
    assert_eq!(
        (
            cut.body["truncated"].as_bool(),
            cut.body["tree"].as_array().unwrap().len()
        ),
        (Some(true), 3)
    );
    site.github
        .repository_mut("acme/rules")
        .unwrap()
        .longest_listing = 100;
    site.github.faults.arm(Fault {
        operation: "git/trees".into(),
        kind: GitHubFault::TruncatedListing,
        when: When::Next(1),
    });
    assert_eq!(
        site.get(&format!("{RULES}/git/trees/main?recursive=1"))
            .body["truncated"],
        true
    );
}

#[test]
fn contents_have_the_ids_that_git_gives_them() {
    let mut site = Site::new();
    // `printf '' | git hash-object --stdin`
    assert_eq!(
        repository::object_id("blob", b""),
        "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    );
    // `git hash-object -t tree /dev/null`
    assert_eq!(
        repository::trees(&BTreeMap::new())[""],
        "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    );
    let file = site.get(&format!("{RULES}/contents/ignore/web.toml"));
    let sha = file.body["sha"].as_str().unwrap().to_owned();
    let blob = site.get(&format!("{RULES}/git/blobs/{sha}"));
    let content: String = blob.body["content"]
        .as_str()
        .unwrap()
        .split_whitespace()
        .collect();
    assert_eq!(STANDARD.decode(content).unwrap(), b"# one\n");
    assert_eq!(
        site.get(&format!("{RULES}/git/blobs/{}", "0".repeat(40)))
            .status,
        404
    );
}

#[test]
fn a_file_comes_with_its_content_and_a_folder_with_its_entries() {
    let mut site = Site::new();
    let file = site.get(&format!("{RULES}/contents/ignore/web.toml?ref=main"));
    assert_eq!(
        (
            file.body["encoding"].as_str(),
            file.body["content"].as_str()
        ),
        (Some("base64"), Some("IyBvbmUK\n"))
    );
    let folder = site.get(&format!("{RULES}/contents/ignore"));
    assert_eq!(
        (folder.all("name"), folder.all("type")),
        (
            vec![&json!("deep"), &json!("web.toml")],
            vec![&json!("dir"), &json!("file")]
        )
    );
    assert_eq!(site.get(&format!("{RULES}/contents/")).all("name").len(), 3);
    assert_eq!(site.get(&format!("{RULES}/contents/none")).status, 404);
    assert_eq!(
        site.get(&format!("{RULES}/contents/ignore?ref=none"))
            .message(),
        "No commit found for the ref none"
    );
    let large = "x".repeat(1024 * 1024 + 1);
    let now = site.now;
    site.github
        .add_repository("acme/large", &[("big", &large)], None, now);
    let big = site.get("/repos/acme/large/contents/big");
    assert_eq!(
        (big.body["encoding"].as_str(), big.body["content"].as_str()),
        (Some("none"), Some(""))
    );
}

#[test]
fn a_file_is_written_against_the_content_that_was_read() {
    let mut site = Site::new();
    let main = site.get(&format!("{RULES}/git/ref/heads/main")).body["object"]["sha"].clone();
    site.ask(
        "pat",
        "POST",
        &format!("{RULES}/git/refs"),
        json!({ "ref": "refs/heads/x", "sha": main }),
    );
    let path = format!("{RULES}/contents/ignore/web.toml");
    let put = |site: &mut Site, sha: Value| {
        let mut body = json!({ "message": "m", "content": encoded("# two\n"), "branch": "x" });
        if !sha.is_null() {
            body["sha"] = sha;
        }
        site.ask("pat", "PUT", &path, body)
    };
    let unsaid = put(&mut site, Value::Null);
    assert_eq!(
        (unsaid.status, unsaid.message()),
        (422, "Invalid request.\n\n\"sha\" wasn't supplied.")
    );
    let stale = put(&mut site, json!("0".repeat(40)));
    assert_eq!(
        (stale.status, stale.message()),
        (
            409,
            "ignore/web.toml does not match 0000000000000000000000000000000000000000"
        )
    );
    let sha = site.get(&format!("{path}?ref=x")).body["sha"].clone();
    assert_eq!(put(&mut site, sha).status, 200);
    let made = site.ask(
        "pat",
        "PUT",
        &format!("{RULES}/contents/new"),
        json!({ "message": "m", "content": encoded("n"), "branch": "x" }),
    );
    assert_eq!(made.status, 201);
    let protected = site.ask(
        "pat",
        "PUT",
        &path,
        json!({ "message": "m", "content": "" }),
    );
    assert_eq!(
        (protected.status, protected.message()),
        (
            409,
            "Could not update file: Changes must be made through a pull request."
        )
    );
    let sha = made.body["content"]["sha"].clone();
    let gone = site.ask(
        "pat",
        "DELETE",
        &format!("{RULES}/contents/new"),
        json!({ "message": "m", "sha": sha, "branch": "x" }),
    );
    assert_eq!(gone.status, 200);
    assert_eq!(site.get(&format!("{RULES}/contents/new?ref=x")).status, 404);
}

#[test]
fn history_lists_the_commits_that_touched_a_path() {
    let mut site = Site::new();
    for text in ["# two\n", "# three\n"] {
        site.later(60);
        let number = site.pull(&[("ignore/web.toml", Some(text))]);
        let now = site.now;
        site.github
            .review("acme/rules", number, "robin", "APPROVED", now)
            .unwrap();
        site.github
            .merge("acme/rules", number, "robin", now)
            .unwrap();
    }
    assert_eq!(site.get(&format!("{RULES}/commits")).all("sha").len(), 3);
    assert_eq!(
        site.get(&format!("{RULES}/commits?path=ignore/deep/a.toml"))
            .all("sha")
            .len(),
        1
    );
    let touched = site.get(&format!("{RULES}/commits?path=ignore/web.toml&sha=main"));
    assert_eq!(touched.all("sha").len(), 3);
    let newest = touched.body[0]["sha"].as_str().unwrap().to_owned();
    let one = site.get(&format!("{RULES}/commits/{newest}"));
    assert_eq!(one.body["commit"]["message"], "Change (#2)");
    assert_eq!(site.get(&format!("{RULES}/commits/none")).status, 422);
    let raw = site.get(&format!("{RULES}/git/commits/{newest}"));
    assert_eq!(raw.body["parents"].as_array().unwrap().len(), 1);
    let pulls = site.get(&format!("{RULES}/commits/{newest}/pulls"));
    assert_eq!(
        (pulls.all("number"), pulls.body[0]["merged_at"].is_string()),
        (vec![&json!(2)], true)
    );
}

#[test]
fn a_pull_request_is_opened_once_for_a_branch_that_differs() {
    let mut site = Site::new();
    let main = site.get(&format!("{RULES}/git/ref/heads/main")).body["object"]["sha"].clone();
    site.ask(
        "pat",
        "POST",
        &format!("{RULES}/git/refs"),
        json!({ "ref": "refs/heads/x", "sha": main }),
    );
    let open = |site: &mut Site, head: &str, base: &str| {
        site.ask(
            "pat",
            "POST",
            &format!("{RULES}/pulls"),
            json!({ "title": "t", "head": head, "base": base }),
        )
    };
    let same = open(&mut site, "x", "main");
    assert_eq!(
        (same.status, same.body["errors"][0]["message"].as_str()),
        (422, Some("No commits between main and x"))
    );
    site.ask(
        "pat",
        "PUT",
        &format!("{RULES}/contents/n"),
        json!({ "message": "m", "content": "", "branch": "x" }),
    );
    let opened = open(&mut site, "acme:x", "main");
    assert_eq!(
        (opened.status, opened.body["state"].as_str()),
        (201, Some("open"))
    );
    let twice = open(&mut site, "x", "main");
    assert_eq!(
        twice.body["errors"][0]["message"],
        "A pull request already exists for acme:x."
    );
    assert_eq!(
        open(&mut site, "none", "main").body["errors"][0]["field"],
        "head"
    );
    assert_eq!(
        open(&mut site, "x", "none").body["errors"][0]["field"],
        "base"
    );
    let found = site.get(&format!("{RULES}/pulls?head=acme:x&base=main&state=open"));
    assert_eq!(found.all("number"), [1]);
    assert_eq!(
        site.get(&format!("{RULES}/pulls/1/files")).all("filename"),
        ["n"]
    );
    let closed = site.ask(
        "pat",
        "PATCH",
        &format!("{RULES}/pulls/1"),
        json!({ "state": "closed", "title": "u" }),
    );
    assert_eq!(
        (closed.body["state"].as_str(), closed.body["title"].as_str()),
        (Some("closed"), Some("u"))
    );
    assert_eq!(site.get(&format!("{RULES}/pulls/1")).body["merged"], false);
    let merged = site.ask("robin", "PUT", &format!("{RULES}/pulls/1/merge"), json!({}));
    assert_eq!(
        (merged.status, merged.message()),
        (405, "Pull Request is not mergeable")
    );
}

#[test]
fn a_protected_branch_takes_only_what_its_code_owners_approved() {
    let mut site = Site::new();
    let number = site.pull(&[("ignore/web.toml", Some("# two\n"))]);
    let pull = format!("{RULES}/pulls/{number}");
    let merge = |site: &mut Site| {
        site.ask(
            "pat",
            "PUT",
            &format!("{pull}/merge"),
            json!({ "merge_method": "squash" }),
        )
    };
    let review = |site: &mut Site, by: &str, event: &str| {
        site.ask(
            by,
            "POST",
            &format!("{pull}/reviews"),
            json!({ "event": event }),
        )
        .status
    };
    assert_eq!(
        merge(&mut site).message(),
        "At least 1 approving review is required by reviewers with write access."
    );
    let own = site.ask(
        "pat",
        "POST",
        &format!("{pull}/reviews"),
        json!({ "event": "APPROVE" }),
    );
    assert_eq!(
        (own.status, own.message()),
        (422, "Can not approve your own pull request")
    );
    assert_eq!(review(&mut site, "asaf[bot]", "APPROVE"), 200);
    assert_eq!(
        merge(&mut site).message(),
        "Waiting on code owner review from @acme/security."
    );
    assert_eq!(review(&mut site, "robin", "REQUEST_CHANGES"), 200);
    assert_eq!(merge(&mut site).status, 405);
    assert_eq!(review(&mut site, "robin", "APPROVE"), 200);
    assert_eq!(
        site.get(&format!("{pull}/reviews")).all("state"),
        ["APPROVED", "CHANGES_REQUESTED", "APPROVED"]
    );
    let stale = site.ask(
        "pat",
        "PUT",
        &format!("{pull}/merge"),
        json!({ "sha": "0".repeat(40) }),
    );
    assert_eq!(stale.status, 409);
    let merged = merge(&mut site);
    assert_eq!(
        (merged.status, merged.body["merged"].as_bool()),
        (200, Some(true))
    );
    assert_eq!(
        site.github
            .repository("acme/rules")
            .unwrap()
            .text("main", "ignore/web.toml")
            .unwrap(),
        "# two\n"
    );
    assert_eq!(site.get(&pull).body["merged_by"]["login"], "pat");
    // What changed meanwhile is not overwritten.
    let one = site.pull(&[("ignore/web.toml", Some("# three\n"))]);
    let two = site.pull(&[("ignore/web.toml", Some("# four\n"))]);
    let now = site.now;
    for number in [one, two] {
        site.github
            .review("acme/rules", number, "robin", "APPROVED", now)
            .unwrap();
    }
    site.github.merge("acme/rules", one, "robin", now).unwrap();
    assert_eq!(
        site.github.merge("acme/rules", two, "robin", now),
        Err("Pull Request is not mergeable".to_owned())
    );
}

#[test]
fn a_merge_commit_names_both_sides_and_its_commits_name_the_pull_request() {
    let mut site = Site::new();
    site.later(60);
    let number = site.pull(&[("ignore/web.toml", Some("# two\n"))]);
    site.ask(
        "robin",
        "POST",
        &format!("{RULES}/pulls/{number}/reviews"),
        json!({ "event": "APPROVE" }),
    );
    let head = site.get(&format!("{RULES}/pulls/{number}")).body["head"]["sha"]
        .as_str()
        .unwrap()
        .to_owned();
    let before = site.get(&format!("{RULES}/commits/{head}/pulls"));
    assert_eq!(
        (before.all("number"), before.body[0]["merged_at"].clone()),
        (vec![&json!(1)], Value::Null)
    );
    site.later(60);
    let merged = site.ask(
        "pat",
        "PUT",
        &format!("{RULES}/pulls/{number}/merge"),
        json!({}),
    );
    let sha = merged.body["sha"].as_str().unwrap();
    let commit = site.get(&format!("{RULES}/commits/{sha}"));
    assert_eq!(commit.body["parents"].as_array().unwrap().len(), 2);
    assert!(
        commit.body["commit"]["message"]
            .as_str()
            .unwrap()
            .starts_with("Merge pull request #1 from acme/pat/change-1")
    );
    let touched = site.get(&format!("{RULES}/commits?path=ignore/web.toml"));
    assert_eq!(
        touched.body[0]["sha"],
        head.as_str(),
        "the history of a path leaves the merge out"
    );
    assert_eq!(
        site.get(&format!("{RULES}/commits/{head}/pulls"))
            .all("number"),
        [1]
    );
}

#[test]
fn comments_are_kept_by_those_who_wrote_them() {
    let mut site = Site::new();
    let number = site.pull(&[("ignore/web.toml", Some("# two\n"))]);
    let list = format!("{RULES}/issues/{number}/comments");
    let mine = site.ask("mallory", "POST", &list, json!({ "body": "one" }));
    let id = mine.body["id"].as_u64().unwrap();
    site.ask("pat", "POST", &list, json!({ "body": "two" }));
    assert_eq!(site.get(&list).all("body"), ["one", "two"]);
    let others = site.body_id(&list, 1);
    assert_eq!(
        site.ask(
            "mallory",
            "PATCH",
            &format!("{RULES}/issues/comments/{others}"),
            json!({ "body": "x" })
        )
        .status,
        403
    );
    let changed = site.ask(
        "mallory",
        "PATCH",
        &format!("{RULES}/issues/comments/{id}"),
        json!({ "body": "three" }),
    );
    assert_eq!(changed.body["body"], "three");
    let long = site.ask("pat", "POST", &list, json!({ "body": "x".repeat(65_537) }));
    assert_eq!(
        (long.status, long.body["errors"][0]["field"].as_str()),
        (422, Some("body"))
    );
    assert_eq!(
        site.ask(
            "pat",
            "DELETE",
            &format!("{RULES}/issues/comments/{id}"),
            Value::Null
        )
        .status,
        204
    );
    assert_eq!(site.get(&list).all("body"), ["two"]);
    assert_eq!(site.get(&format!("{RULES}/issues/99/comments")).status, 404);
}

impl Site {
    fn body_id(&mut self, list: &str, at: usize) -> u64 {
        self.get(list).body[at]["id"].as_u64().unwrap()
    }
}

#[test]
fn a_check_takes_fifty_annotations_at_a_time_and_adds_them_up() {
    let mut site = Site::new();
    let head = site.get(&format!("{RULES}/git/ref/heads/main")).body["object"]["sha"]
        .as_str()
        .unwrap()
        .to_owned();
    let annotation = |n: usize| json!({ "path": "ignore/web.toml", "start_line": n, "end_line": n, "annotation_level": "warning", "message": "m" });
    let output = |n: usize| json!({ "title": "t", "summary": "s", "annotations": (1..=n).map(annotation).collect::<Vec<_>>() });
    let create = |site: &mut Site, body: Value| {
        site.ask("pat", "POST", &format!("{RULES}/check-runs"), body)
    };
    let made = create(
        &mut site,
        json!({ "name": "c", "head_sha": head, "conclusion": "neutral", "output": output(50) }),
    );
    assert_eq!(
        (made.status, made.body["status"].as_str()),
        (201, Some("completed"))
    );
    let path = format!("{RULES}/check-runs/{}", made.body["id"]);
    assert_eq!(
        site.ask("pat", "PATCH", &path, json!({ "output": output(10) }))
            .body["output"]["annotations_count"],
        60
    );
    assert_eq!(site.get(&path).body["conclusion"], "neutral");
    for bad in [
        json!({ "name": "c", "head_sha": "0".repeat(40) }),
        json!({ "name": "c", "head_sha": head, "status": "completed" }),
        json!({ "name": "c", "head_sha": head, "conclusion": "fine" }),
        json!({ "name": "c", "head_sha": head, "output": output(51) }),
        json!({ "name": "c", "head_sha": head, "output": { "title": "t" } }),
        json!({ "name": "c", "head_sha": head, "output": { "title": "t", "summary": "s", "annotations": [{ "path": "x" }] } }),
    ] {
        assert_eq!(create(&mut site, bad.clone()).status, 422, "{bad}");
    }
    let newer = create(
        &mut site,
        json!({ "name": "c", "head_sha": head, "conclusion": "success" }),
    );
    let listed = site.get(&format!("{RULES}/commits/{head}/check-runs"));
    assert_eq!(
        (
            listed.body["total_count"].as_u64(),
            &listed.body["check_runs"][0]["id"]
        ),
        (Some(1), &newer.body["id"])
    );
}

#[test]
fn faults_strike_the_requests_that_they_name() {
    let mut site = Site::new();
    let arm = |site: &mut Site, kind| {
        site.github.faults.arm(Fault {
            operation: "GET /user$".to_owned(),
            kind,
            when: When::Next(1),
        })
    };
    arm(&mut site, GitHubFault::Status(502));
    assert_eq!(site.get(RULES).status, 200);
    assert_eq!(site.get("/user").status, 502);
    arm(&mut site, GitHubFault::BadCredentials);
    assert_eq!(site.get("/user").status, 401);
    arm(&mut site, GitHubFault::DropBefore);
    assert_eq!(site.get("/user").status, 0);
    arm(&mut site, GitHubFault::SecondaryLimit { retry_after_s: 9 });
    assert_eq!(site.get("/user").header("retry-after"), "9");
    site.later(10);
    arm(&mut site, GitHubFault::PrimaryLimit { reset_after_s: 9 });
    assert_eq!(site.get("/user").header("x-ratelimit-remaining"), "0");
    site.later(10);
    site.github.faults.arm(Fault {
        operation: "git/refs".to_owned(),
        kind: GitHubFault::ApplyThenDrop,
        when: When::Next(1),
    });
    let main = site.get(&format!("{RULES}/git/ref/heads/main")).body["object"]["sha"].clone();
    let lost = site.ask(
        "pat",
        "POST",
        &format!("{RULES}/git/refs"),
        json!({ "ref": "refs/heads/x", "sha": main }),
    );
    assert_eq!(lost.status, 0);
    assert_eq!(site.get(&format!("{RULES}/git/ref/heads/x")).status, 200);
}
