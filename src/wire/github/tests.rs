//! The GitHub client against a script: what it sends, and what it makes of answers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secrecy::SecretString;
use serde_json::{Value, json as j};

use super::*;
use crate::clock::Clock;
use crate::ignore::report::Annotation;
use crate::wire::rule_files::{NotReadable, RuleBlob};
use crate::wire::scripted::{Reply, Scripted, json, text};

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

fn clock() -> Clock {
    Clock::manual("2026-11-24T00:00:00Z".parse().unwrap())
}

fn github(script: Vec<(&str, Reply)>, clock: &Clock, auth: GitHubAuth) -> (GitHub, Arc<Scripted>) {
    let server = Scripted::new(clock, script);
    let config = GitHubConfig {
        url: "http://github.test/api/v3".to_owned(),
        owner: "acme".to_owned(),
        repo: "rules".to_owned(),
        auth,
    };
    let budget = Budget::new(clock.clone());
    let github = GitHub::new(config, server.transport(), budget, Counts::default()).unwrap();
    (github, server)
}

fn token() -> GitHubAuth {
    GitHubAuth::Token(SecretString::from("ghp_token"))
}

const BRANCH: &str = "GET /api/v3/repos/acme/rules/branches/main";
const RULESETS: &str = "GET /api/v3/repos/acme/rules/rules/branches/main";
const TREE: &str = "GET /api/v3/repos/acme/rules/git/trees/c1";

fn branch(protected: bool) -> Reply {
    json(
        200,
        j!({ "name": "main", "commit": { "sha": SHA }, "protected": protected }),
    )
    .header("etag", "W/\"1\"")
}

#[tokio::test]
async fn a_protected_branch_is_read_and_asked_again_by_its_etag() {
    let script = vec![(BRANCH, branch(true)), (BRANCH, text(304, ""))];
    let (github, server) = github(script, &clock(), token());
    let Head::At { commit, etag } = github.head("main", None).await.unwrap() else {
        panic!("no commit");
    };
    assert_eq!((commit.as_str(), etag.as_deref()), (SHA, Some("W/\"1\"")));
    assert_eq!(
        github.head("main", etag.as_deref()).await.unwrap(),
        Head::Unchanged
    );
    let seen = server.finish();
    assert_eq!(seen[0].authorization.as_deref(), Some("Bearer ghp_token"));
}

#[tokio::test]
async fn a_branch_that_anybody_may_write_is_refused_unless_a_ruleset_guards_it() {
    let script = vec![
        (BRANCH, branch(false)),
        (RULESETS, json(200, j!([{ "type": "deletion" }]))),
        (BRANCH, branch(false)),
        (
            RULESETS,
            json(
                200,
                j!([{ "type": "deletion" }, { "type": "pull_request" }]),
            ),
        ),
    ];
    let (github, server) = github(script, &clock(), token());
    let refused = github.head("main", None).await.expect_err("refused");
    assert!(
        matches!(refused, NotReadable::Unprotected { .. }),
        "{refused}"
    );
    let head = github.head("main", None).await.unwrap();
    // Without an ETag the ruleset is asked for each time.
    assert_eq!(
        head,
        Head::At {
            commit: SHA.to_owned(),
            etag: None
        }
    );
    server.finish();
}

#[tokio::test]
async fn only_a_whole_listing_of_regular_files_counts() {
    let entry = |path: &str, mode: &str| j!({ "path": path, "mode": mode, "type": if mode == "160000" { "commit" } else { "blob" }, "sha": "b" });
    let tree = |entries: Vec<Value>, truncated: bool| {
        json(200, j!({ "tree": entries, "truncated": truncated }))
    };
    let script = vec![
        (
            TREE,
            tree(
                vec![
                    entry("ignored.toml", "100644"),
                    entry("ignore/web/a.toml", "100644"),
                    entry("ignore/README.md", "100644"),
                    entry("ignore/b.toml", "100755"),
                ],
                false,
            ),
        ),
        (TREE, tree(vec![entry("ignore/README.md", "100644")], false)),
        (TREE, tree(vec![entry("ignored.toml", "100644")], false)),
        (TREE, tree(vec![entry("ignore/a.toml", "100644")], true)),
        (TREE, tree(vec![entry("ignore/a.toml", "120000")], false)),
        (TREE, tree(vec![entry("ignore/sub", "160000")], false)),
    ];
    let (github, server) = github(script, &clock(), token());
    let paths: Vec<String> = github
        .list("c1", "ignore")
        .await
        .unwrap()
        .into_iter()
        .map(|blob| blob.path)
        .collect();
    assert_eq!(paths, ["ignore/web/a.toml", "ignore/b.toml"]);
    assert_eq!(github.list("c1", "ignore").await.unwrap(), []);
    let mut refusals = Vec::new();
    for _ in 0..4 {
        refusals.push(github.list("c1", "ignore/").await.expect_err("refused"));
    }
    assert!(
        matches!(
            refusals[..],
            [
                NotReadable::NoFolder { .. },
                NotReadable::Truncated { .. },
                NotReadable::NoFile { .. },
                NotReadable::NoFile { .. }
            ]
        ),
        "{refusals:?}"
    );
    server.finish();
}

#[tokio::test]
async fn base64_comes_in_lines_and_must_be_text() {
    let blob = "GET /api/v3/repos/acme/rules/git/blobs/b";
    let content = |bytes: &[u8]| {
        let mut encoded = STANDARD.encode(bytes);
        encoded.insert(4, '\n');
        json(200, j!({ "content": encoded + "\n", "encoding": "base64" }))
    };
    let script = vec![
        (blob, content("# Größe\n".as_bytes())),
        (blob, content(b"\xff\xfe\0\0")),
    ];
    let (github, server) = github(script, &clock(), token());
    let file = RuleBlob {
        path: "ignore/a.toml".to_owned(),
        sha: "b".to_owned(),
    };
    assert_eq!(github.text(&file).await.unwrap(), "# Größe\n");
    let refused = github.text(&file).await.expect_err("refused");
    assert!(matches!(refused, NotReadable::NoText { .. }), "{refused}");
    server.finish();
}

#[tokio::test]
async fn a_403_that_asks_to_wait_is_throttling_and_any_other_is_none() {
    let clock = clock();
    let reset = (clock.now().as_second() + 40).to_string();
    let primary = json(403, j!({ "message": "API rate limit exceeded" }))
        .header("x-ratelimit-remaining", "0")
        .header("x-ratelimit-reset", &reset);
    let secondary = json(
        403,
        j!({ "message": "You have exceeded a secondary rate limit" }),
    )
    .header("retry-after", "7");
    let script = vec![
        (BRANCH, primary),
        (BRANCH, secondary),
        (BRANCH, branch(true)),
        (
            BRANCH,
            json(
                403,
                j!({ "message": "Resource not accessible by integration" }),
            ),
        ),
    ];
    let (github, server) = github(script, &clock, token());
    github.head("main", None).await.unwrap();
    let refused = github.head("main", None).await.expect_err("refused");
    assert!(
        matches!(
            refused,
            NotReadable::Wire(WireError::Denied { status: 403, .. })
        ),
        "{refused}"
    );
    let seen = server.finish();
    let waited = |n: usize| seen[n].at.duration_since(seen[n - 1].at).as_secs();
    assert_eq!((waited(1), waited(2)), (40, 7));
}

fn pem(label: &str, der: &[u8]) -> SecretString {
    SecretString::from(format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        STANDARD.encode(der)
    ))
}

#[tokio::test]
async fn an_app_signs_who_it_is_and_renews_its_token_before_it_ends() {
    let clock = clock();
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let private_key = pem("PRIVATE KEY", key.as_der().unwrap().as_ref());
    let tokens = "POST /api/v3/app/installations/42/access_tokens";
    let token = |name: &str, ends: &str| json(201, j!({ "token": name, "expires_at": ends }));
    let script = vec![
        (tokens, token("ghs_one", "2026-11-24T01:00:00Z")),
        (BRANCH, branch(true)),
        (BRANCH, branch(true)),
        (tokens, token("ghs_two", "2026-11-24T02:00:00Z")),
        (BRANCH, branch(true)),
    ];
    let app = GitHubAuth::App {
        id: "Iv1.abc".to_owned(),
        installation: 42,
        private_key,
    };
    let (github, server) = github(script, &clock, app);
    github.head("main", None).await.unwrap();
    github.head("main", None).await.unwrap();
    clock.advance(jiff::SignedDuration::from_mins(56));
    github.head("main", None).await.unwrap();
    let seen = server.finish();
    let bearers: Vec<&str> = seen
        .iter()
        .map(|seen| {
            seen.authorization
                .as_deref()
                .unwrap()
                .trim_start_matches("Bearer ")
        })
        .collect();
    assert_eq!(
        (bearers[1], bearers[2], bearers[4]),
        ("ghs_one", "ghs_one", "ghs_two")
    );
    let (signed, signature) = bearers[0].rsplit_once('.').unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref());
    public
        .verify(
            signed.as_bytes(),
            &URL_SAFE_NO_PAD.decode(signature).unwrap(),
        )
        .unwrap();
    let claims: Value = serde_json::from_slice(
        &URL_SAFE_NO_PAD
            .decode(signed.split_once('.').unwrap().1)
            .unwrap(),
    )
    .unwrap();
    assert_eq!(claims["iss"], "Iv1.abc");
    let lasts_s = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert!((60..=600).contains(&lasts_s), "{lasts_s}");
}

#[test]
fn a_key_that_is_none_is_refused_before_anything_is_sent() {
    for bad in [
        "",
        "ghp_token",
        "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----",
    ] {
        let config = GitHubConfig {
            url: "https://api.github.com".to_owned(),
            owner: "acme".to_owned(),
            repo: "rules".to_owned(),
            auth: GitHubAuth::App {
                id: "1".to_owned(),
                installation: 1,
                private_key: SecretString::from(bad),
            },
        };
        let clock = clock();
        let transport = Scripted::new(&clock, Vec::new()).transport();
        assert!(
            GitHub::new(config, transport, Budget::new(clock), Counts::default()).is_err(),
            "{bad}"
        );
    }
    let none = SecretString::from("none");
    assert!(auth::assertion("1", &none, clock().now()).is_none());
}

#[tokio::test]
async fn only_our_own_comment_is_rewritten_and_only_when_it_differs() {
    let list = "GET /api/v3/repos/acme/rules/issues/7/comments";
    let mark = "<!-- asaf-ignore-check -->";
    let comment = |id: u64, by: &str, text: &str| j!({ "id": id, "body": format!("{mark}\n{text}"), "user": { "login": by } });
    let bot = "github-actions[bot]";
    let all = |comments: Vec<Value>| json(200, Value::Array(comments));
    let script = vec![
        (list, all(vec![comment(1, "mallory", "new")])),
        (
            "POST /api/v3/repos/acme/rules/issues/7/comments",
            json(201, j!({ "id": 2 })),
        ),
        (
            list,
            all(vec![comment(1, "mallory", "new"), comment(2, bot, "new")]),
        ),
        (
            list,
            all(vec![
                comment(2, bot, "old"),
                comment(3, bot, "older"),
                comment(4, "pat", "thanks"),
            ]),
        ),
        (
            "PATCH /api/v3/repos/acme/rules/issues/comments/2",
            json(200, j!({ "id": 2 })),
        ),
        (
            "DELETE /api/v3/repos/acme/rules/issues/comments/3",
            text(204, ""),
        ),
    ];
    let (github, server) = github(script, &clock(), token());
    let body = format!("{mark}\nnew");
    for _ in 0..3 {
        github.keep_comment(7, bot, mark, &body).await.unwrap();
    }
    let seen = server.finish();
    assert_eq!(seen[1].body["body"], body);
}

#[tokio::test]
async fn annotations_go_fifty_at_a_time() {
    let create = "POST /api/v3/repos/acme/rules/check-runs";
    let update = "PATCH /api/v3/repos/acme/rules/check-runs/9";
    let script = vec![
        (create, json(201, j!({ "id": 9 }))),
        (update, json(200, j!({ "id": 9 }))),
        (update, json(200, j!({ "id": 9 }))),
    ];
    let (github, server) = github(script, &clock(), token());
    let annotation = |line: usize| Annotation {
        path: "ignore/a.toml".to_owned(),
        start_line: line,
        end_line: line,
        start_column: None,
        end_column: None,
        annotation_level: "warning",
        title: "t".to_owned(),
        message: "m".to_owned(),
    };
    let check = CheckRun {
        name: "asaf ignore check".to_owned(),
        head: SHA.to_owned(),
        conclusion: Conclusion::Failure,
        title: "t".to_owned(),
        summary: "s".to_owned(),
        annotations: (1..=120).map(annotation).collect(),
    };
    github.publish_check(&check).await.unwrap();
    let sent: Vec<usize> = server
        .finish()
        .iter()
        .map(|seen| seen.body["output"]["annotations"].as_array().unwrap().len())
        .collect();
    assert_eq!(sent, [50, 50, 20]);
}
