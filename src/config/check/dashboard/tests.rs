//! Everything that `[dashboard]` may get wrong: each refusal names the key, shows it, and says what to write.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use super::super::check;
use crate::config::Config;

const SMALL: &str = r#"
[aws]
region = "eu-west-1"

[jira]
url = "https://example.atlassian.net"
email = "bot@example.com"
token = "env:ASAF_JIRA_TOKEN"
reviewers = { group = "security-reviewers" }

[owners]
default = { team = "security", project = "SEC" }

[[owners.rules]]
accounts = ["012345678901"]
team = "payments"
project = "PAY"
"#;

const WHOLE: &str = r#"
[dashboard]
url = "https://asaf.example.com"
local = "viewer"
session_lasts = "8h"
session_idle = "1h"

[dashboard.proxy]
peers = ["10.0.3.0/28"]
user_header = "x-forwarded-email"
groups_header = "x-forwarded-groups"

[dashboard.alb]
signer = "arn:aws:elasticloadbalancing:eu-west-1:012345678901:loadbalancer/app/asaf/50dc6c495c0c9188"
user_claim = "mail"
groups_claim = "teams"

[dashboard.oidc]
issuer = "https://login.example.com/realms/acme"
client_id = "asaf"
client_secret = "env:ASAF_OIDC_SECRET"
scopes = ["openid", "email"]
user_claim = "upn"
groups_claim = "roles"

[[dashboard.tokens]]
name = "wall"
token = "env:ASAF_WALL_TOKEN"
role = "viewer"
teams = ["security"]

[[dashboard.roles]]
role = "viewer"
users = ["vera@example.com"]
groups = ["team-payments"]
teams = ["payments"]
"#;

fn parse(dashboard: &str) -> Result<Config, crate::config::ConfigError> {
    Config::parse(&format!("{SMALL}{dashboard}"), Path::new("asaf.toml"))
}

#[test]
fn a_dashboard_with_everything_is_accepted() {
    let config = parse(WHOLE).unwrap();
    assert!(check(&config).is_empty());
}

/// What is replaced in [`WHOLE`] by what, the key, what is wrong with it, and what to write instead.
type Wrong = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

#[rustfmt::skip]
const WRONG: [Wrong; 41] = [
    ("https://asaf.example.com", "asaf.example.com", "dashboard.url", "is no URL with https and a host", "such as \"https://asaf.example.com\""),
    ("https://asaf.example.com", "not a url", "dashboard.url", "is no URL", "such as \"https://asaf.example.com\""),
    ("https://asaf.example.com", "http://asaf.example.com", "dashboard.url", "in the clear", "use https"),
    ("https://asaf.example.com", "https://asaf.example.com/asaf", "dashboard.url", "is more than scheme, host and port", "such as"),
    ("https://asaf.example.com", "https://rosa@asaf.example.com", "dashboard.url", "is more than scheme, host and port", "such as"),
    ("\"8h\"", "\"30s\"", "dashboard.session_lasts", "is 1m to 30d", "such as \"12h\""),
    ("\"8h\"", "\"31d\"", "dashboard.session_lasts", "is 1m to 30d", "such as \"12h\""),
    ("\"1h\"", "\"0s\"", "dashboard.session_idle", "is 1m to 30d", "such as \"12h\""),
    ("[\"10.0.3.0/28\"]", "[]", "dashboard.proxy.peers", "names nobody, or too many", "the address of the proxy"),
    ("10.0.3.0/28", "10.0.3.0/40", "dashboard.proxy.peers[0]", "`10.0.3.0/40` is no address and no network", "such as \"10.0.3.7\""),
    ("10.0.3.0/28", "proxy", "dashboard.proxy.peers[0]", "`proxy` is no address and no network", "such as \"10.0.3.7\""),
    ("10.0.3.0/28", "0.0.0.0/0", "dashboard.proxy.peers[0]", "everybody could say who they are", "name the proxy's own addresses"),
    ("10.0.3.0/28", "::/0", "dashboard.proxy.peers[0]", "everybody could say who they are", "name the proxy's own addresses"),
    ("\"x-forwarded-email\"", "\"x forwarded\"", "dashboard.proxy.user_header", "is no name of a header", "such as \"x-forwarded-email\""),
    ("\"x-forwarded-email\"", "\"\"", "dashboard.proxy.user_header", "is no name of a header", "such as \"x-forwarded-email\""),
    ("\"x-forwarded-email\"", "\"Authorization\"", "dashboard.proxy.user_header", "`Authorization` means something else", "the header that the proxy sets"),
    ("\"x-forwarded-groups\"", "\"cookie\"", "dashboard.proxy.groups_header", "`cookie` means something else", "the header that the proxy sets"),
    ("\"x-forwarded-groups\"", "\"X-Forwarded-Email\"", "dashboard.proxy.groups_header", "is the header with the name", "or leave it out"),
    ("loadbalancer/app", "targetgroup", "dashboard.alb.signer", "is no ARN of a load balancer", "such as \"arn:aws:elasticloadbalancing:"),
    ("\"arn:aws:elasticloadbalancing:eu-west-1:012345678901:loadbalancer/app/asaf/50dc6c495c0c9188\"", "\"asaf\"", "dashboard.alb.signer", "is no ARN of a load balancer", "such as \"arn:aws:elasticloadbalancing:"),
    ("user_claim = \"mail\"", "user_claim = \"\"", "dashboard.alb.user_claim", "is empty", "as the provider calls it"),
    ("groups_claim = \"teams\"", "groups_claim = \" \"", "dashboard.alb.groups_claim", "is empty", "as the provider calls it"),
    ("https://login.example.com/realms/acme", "login.example.com", "dashboard.oidc.issuer", "is no URL with https and a host", "as the provider calls itself"),
    ("https://login.example.com/realms/acme", "http://login.example.com", "dashboard.oidc.issuer", "is no URL with https and a host", "as the provider calls itself"),
    ("https://login.example.com/realms/acme", "https://login.example.com/?realm=acme", "dashboard.oidc.issuer", "is no URL with https and a host", "as the provider calls itself"),
    ("client_id = \"asaf\"", "client_id = \"\"", "dashboard.oidc.client_id", "is empty", "the id under which the provider knows asaf"),
    ("[\"openid\", \"email\"]", "[\"email\"]", "dashboard.oidc.scopes", "lacks `openid`", "add \"openid\""),
    ("user_claim = \"upn\"", "user_claim = \"a\\tb\"", "dashboard.oidc.user_claim", "contains control characters", "as the provider calls it"),
    ("groups_claim = \"roles\"", "groups_claim = \"\"", "dashboard.oidc.groups_claim", "is empty", "as the provider calls it"),
    ("url = \"https://asaf.example.com\"", "", "dashboard.url", "is missing: the provider sends people back there", "register <url>/login/callback"),
    ("name = \"wall\"", "name = \"\"", "dashboard.tokens[0].name", "is empty", "give each a short name of its own"),
    ("[[dashboard.roles]]", "[[dashboard.tokens]]\nname = \"wall\"\ntoken = \"env:ANOTHER\"\nrole = \"viewer\"\n[[dashboard.roles]]", "dashboard.tokens[1].name", "stands here twice", "give each a short name of its own"),
    ("role = \"viewer\"\nteams = [\"security\"]", "role = \"reviewer\"\nteams = [\"security\"]", "dashboard.tokens[0].teams", "reviewers see every team", "leave it out, or write role = \"viewer\""),
    ("teams = [\"security\"]", "teams = [\"secure\"]", "dashboard.tokens[0].teams[0]", "[owners] knows no team `secure`", "there are: payments, security"),
    ("users = [\"vera@example.com\"]\ngroups = [\"team-payments\"]\n", "", "dashboard.roles[0]", "names nobody", "write users, groups, or everyone = true"),
    ("vera@example.com", "", "dashboard.roles[0].users[0]", "is empty", "as the proxy or the provider tells it"),
    ("team-payments", " ", "dashboard.roles[0].groups[0]", "is empty", "as the proxy or the provider tells it"),
    ("role = \"viewer\"\nusers", "role = \"reviewer\"\nusers", "dashboard.roles[0].teams", "reviewers see every team", "leave it out, or write role = \"viewer\""),
    ("teams = [\"payments\"]", "teams = [\"payment\"]", "dashboard.roles[0].teams[0]", "[owners] knows no team `payment`", "there are: payments, security"),
    ("\n[[dashboard.roles]]\nrole = \"viewer\"\nusers = [\"vera@example.com\"]\ngroups = [\"team-payments\"]\nteams = [\"payments\"]\n", "", "dashboard", "nobody has a role", "such as [[dashboard.roles]] with role = \"reviewer\""),
    ("10.0.3.0/28", "10.0.3.0/28\", \"10.0.3.1\", \"10.0.3.x", "dashboard.proxy.peers[2]", "`10.0.3.x` is no address and no network", "such as \"10.0.3.7\""),
];

#[test]
fn every_error_names_its_key_and_what_to_write() {
    for (from, to, key, wrong, help) in WRONG {
        let text = WHOLE.replacen(from, to, 1);
        assert_ne!(text, WHOLE, "{from} is not in the sample");
        let config: Config = toml::from_str(&format!("{SMALL}{text}")).unwrap();
        let found = check(&config);
        let all: Vec<String> = found
            .iter()
            .map(|one| format!("{} {}", one.path, one.message))
            .collect();
        assert_eq!(all.len(), 1, "{to}: {all:?}");
        assert_eq!(found[0].path, key, "{to}: {all:?}");
        assert!(found[0].message.contains(wrong), "{to}: {all:?}");
        let says = found[0].help.as_deref().unwrap_or_default();
        assert!(says.contains(help), "{to}: {all:?} {says}");
        let shown = parse(&text).expect_err("refused").to_string();
        let last = key.rsplit('.').next().unwrap().split('[').next().unwrap();
        for word in [wrong, help, "asaf.toml:", "^", last] {
            assert!(shown.contains(word), "{to}: no {word} in {shown}");
        }
    }
}

#[test]
fn what_has_no_such_shape_is_refused_with_the_keys_that_there_are() {
    for (from, to, sentence) in [
        (
            "local = \"viewer\"",
            "local = \"admin\"",
            "known here: off, viewer, reviewer",
        ),
        (
            "role = \"viewer\"\nteams",
            "role = \"admin\"\nteams",
            "known here: viewer, reviewer",
        ),
        (
            "session_lasts",
            "session_last",
            "did you mean `session_lasts`?",
        ),
        (
            "[dashboard.oidc]",
            "[dashboard.oidc]\nissuers = \"x\"",
            "did you mean `issuer`?",
        ),
        ("user_header", "user_headers", "did you mean `user_header`?"),
        ("signer =", "signers =", "did you mean `signer`?"),
        (
            "client_id = \"asaf\"\n",
            "",
            "the key `client_id` is missing",
        ),
        (
            "token = \"env:ASAF_WALL_TOKEN\"\n",
            "",
            "the key `token` is missing",
        ),
        (
            "session_idle = \"1h\"",
            "session_idle = \"an hour\"",
            "an hour",
        ),
    ] {
        let text = WHOLE.replacen(from, to, 1);
        assert_ne!(text, WHOLE, "{from} is not in the sample");
        let shown = parse(&text).expect_err("refused").to_string();
        assert!(shown.contains(sentence), "{to}: {shown}");
    }
}

#[test]
fn a_pasted_secret_of_the_dashboard_is_never_shown() {
    for (from, key) in [
        ("env:ASAF_OIDC_SECRET", "client_secret"),
        ("env:ASAF_WALL_TOKEN", "token"),
    ] {
        let pasted = "hunter2-hunter2-hunter2-hunter2-hunter2";
        let shown = |text: &str| parse(text).expect_err("refused").to_string();
        let value = shown(&WHOLE.replacen(from, pasted, 1));
        assert!(value.contains("env:NAME"), "{key}: {value}");
        // What is wrong is another thing, beside it.
        let open = shown(&WHOLE.replacen(&format!("\"{from}\""), &format!("\"{pasted}"), 1));
        for shown in [value, open] {
            assert!(shown.contains(key), "{key}: {shown}");
            assert!(!shown.contains("hunter2"), "{key}: {shown}");
        }
    }
}
