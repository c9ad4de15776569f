//! Threat 9: a secret stands in something that is kept or shown. Every secret of the configuration is a word that can be
//! recognised; every command is run, also with what makes it fail, with everything logged that can be.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::serving::runs::{Runs, Said};
use crate::serving::{SECRET, Serve, signature, until};

const AWS_SECRET: &str = "canary/AwsSecretAccessKey+0123456789abcdef";
const AWS_SESSION: &str = "canary/AwsSessionToken+0123456789abcdefgh";
const WALL: &str = "canary-of-the-token-of-a-wall-0123456789abcdef";
const CLIENT_SECRET: &str = "canary/of-the-client's+secret-0123456789abcdef";
const WRONG: &str = "canary-a-token-that-nobody-issued-0123456789";

/// What must not be found, with the name of the secret that it is, or is made of.
struct Canaries(Vec<(String, String)>);

impl Canaries {
    fn of(runs: &Runs) -> Self {
        let mut found = Canaries(Vec::new());
        let env = runs.world.env();
        let value = |name: &str| env.iter().find(|(known, _)| *known == name).unwrap().1;
        let tokens = [
            "ASAF_JIRA_TOKEN",
            "ASAF_JIRA_ADMIN_TOKEN",
            "ASAF_SLACK_TOKEN",
            "ASAF_GITHUB_TOKEN",
        ];
        for name in tokens {
            found.add(name, value(name));
        }
        let logins = [
            ("ASAF_JIRA_EMAIL", "ASAF_JIRA_TOKEN"),
            ("ASAF_JIRA_ADMIN_EMAIL", "ASAF_JIRA_ADMIN_TOKEN"),
        ];
        for (email, token) in logins {
            let basic = STANDARD.encode(format!("{}:{}", value(email), value(token)));
            found.0.push((format!("{token} as sent"), basic));
        }
        for (name, value) in [
            ("HOOK", SECRET),
            ("AWS_SECRET_ACCESS_KEY", AWS_SECRET),
            ("AWS_SESSION_TOKEN", AWS_SESSION),
            ("the dashboard's token", WALL),
            ("the dashboard's client secret", CLIENT_SECRET),
            ("a wrong token", WRONG),
        ] {
            found.add(name, value);
        }
        let wrong = STANDARD.encode(format!("{}:{WRONG}", value("ASAF_JIRA_EMAIL")));
        found.0.push(("a wrong token as sent".to_owned(), wrong));
        found
    }

    fn add(&mut self, name: &str, value: &str) {
        assert!(value.len() >= 16, "{name} is too short to be recognised");
        let forms = [
            value.to_owned(),
            STANDARD.encode(value),
            hex::encode(value),
            value.replace('/', "%2F").replace('+', "%2B"),
            value.replace(' ', "%20"),
        ];
        let forms = forms.into_iter().map(|form| (name.to_owned(), form));
        self.0.extend(forms);
    }

    fn absent_from(&self, what: &str, bytes: &[u8]) {
        for (name, form) in &self.0 {
            let at = bytes
                .windows(form.len())
                .position(|some| some == form.as_bytes());
            if let Some(at) = at {
                let around = &bytes[at.saturating_sub(200)..at];
                let around = String::from_utf8_lossy(around);
                panic!("{name} stands in {what}, after: {around}");
            }
        }
    }
}

/// Everything that can be logged is.
fn loud(mut command: Command, format: &str) -> Said {
    command
        .args(["--log-format", format])
        .env("ASAF_LOG", "trace")
        .env("RUST_BACKTRACE", "1")
        .env("AWS_SECRET_ACCESS_KEY", AWS_SECRET)
        .env("AWS_SESSION_TOKEN", AWS_SESSION);
    command.output().unwrap().into()
}

/// The same of a process that stays.
fn loud_serve(runs: &Runs) -> Serve {
    let config = std::fs::read_to_string(runs.folder.join("asaf.toml")).unwrap();
    let mut env = runs.world.env();
    env.extend([
        ("ASAF_LOG", "trace"),
        ("RUST_BACKTRACE", "1"),
        ("WALL", WALL),
        ("CLIENT_SECRET", CLIENT_SECRET),
        ("AWS_SECRET_ACCESS_KEY", AWS_SECRET),
        ("AWS_SESSION_TOKEN", AWS_SESSION),
    ]);
    Serve::start(&runs.folder, &config, &env)
}

const COMMANDS: &[&[&str]] = &[
    &["config", "check"],
    &["config", "show"],
    &["plan", "--full"],
    &["plan", "--full", "--output", "json"],
    &["reconcile", "--full", "--output", "json"],
    &["reconcile", "--verbose"],
    &["review"],
    &["digest"],
    &["owners", "ls"],
    &["ignore", "ls"],
    &["ignore", "sync"],
    &["quarantine", "ls"],
    &["doctor"],
    &["doctor", "--output", "json"],
    &["workflow", "diff"],
    &["workflow", "verify", "--read-only"],
    &["webhook", "status"],
    &[
        "webhook",
        "register",
        "--url",
        "https://asaf.example/webhook/jira",
    ],
    &["store", "verify"],
];

#[test]
fn threat_9_no_secret_is_shown_logged_or_kept_whatever_is_run() {
    let runs = Runs::new(2, 40, |_, text| {
        format!("{text}\n[webhook]\nsecrets = [\"env:HOOK\"]\n")
    });
    let canaries = Canaries::of(&runs);
    let mut lines = 0;
    for (n, args) in COMMANDS.iter().enumerate() {
        let what = args.join(" ");
        let troubles: [(&str, &[(&str, &str)]); 3] = [
            ("as it should be", &[]),
            (
                "with wrong tokens",
                &[
                    ("ASAF_JIRA_ADMIN_TOKEN", WRONG),
                    ("ASAF_SLACK_TOKEN", WRONG),
                    ("ASAF_GITHUB_TOKEN", WRONG),
                ],
            ),
            ("without GitHub's", &[("ASAF_GITHUB_TOKEN", "")]),
        ];
        for (how, env) in troubles {
            let mut command = runs.command(args);
            command.envs(env.iter().copied());
            let format = ["text", "json"][n % 2];
            let said = loud(command, format);
            assert_ne!(said.code, Some(64), "{what}: {said:?}");
            let whole = format!("{}{}", said.out, said.err);
            canaries.absent_from(&format!("`asaf {what}`, {how}"), whole.as_bytes());
            lines += whole.lines().filter(|line| line.contains("TRACE")).count();
        }
    }
    println!("{lines} lines at TRACE");
    assert!(lines > 1_000, "{lines}");
    kept(&runs, &canaries);
}

/// Files that stay: the store, and what is beside it. The token's own file is where it belongs.
fn kept(runs: &Runs, canaries: &Canaries) {
    let mut looked_at = 0;
    for entry in std::fs::read_dir(&runs.folder).unwrap() {
        let path = entry.unwrap().path();
        let own = ["token", "ready.json"].map(|name| runs.folder.join(name));
        if path.is_file() && !own.contains(&path) {
            let bytes = std::fs::read(&path).unwrap();
            canaries.absent_from(&path.display().to_string(), &bytes);
            looked_at += 1;
        }
    }
    assert!(looked_at >= 2, "{looked_at}");
}

#[test]
fn threat_9_a_process_that_serves_logs_and_shows_no_secret() {
    let runs = Runs::new(2, 40, |_, text| {
        format!("{text}\n[webhook]\nsecrets = [\"env:HOOK\"]\n")
    });
    let canaries = Canaries::of(&runs);
    let mut serve = loud_serve(&runs);
    let body = crate::serving::change(10_001, 1);
    let shown = [
        serve.deliver(SECRET, &body),
        serve.deliver(WRONG, &body),
        serve
            .connect()
            .post(&format!("Authorization: Bearer {WRONG}"), &body),
        serve.connect().post(
            &format!(
                "X-Hub-Signature: {}\nCookie: {WRONG}",
                signature(SECRET, &body)
            ),
            b"{",
        ),
        serve.get("/metrics"),
        serve.get("/version"),
        serve.get("/healthz"),
        serve.get("/readyz"),
    ];
    until(|| (runs.world.tickets().len() > 10).then_some(()));
    serve.signal("HUP");
    serve.signal("TERM");
    assert!(serve.ended().success());
    for answer in &shown {
        canaries.absent_from("an answer", answer.text.as_bytes());
    }
    let log = serve.log();
    assert!(log.contains("TRACE"), "{log}");
    canaries.absent_from("the log", log.as_bytes());
    kept(&runs, &canaries);
}

/// The dashboard's own: a token for scripts, and the secret of the client that sends people to log in.
#[test]
fn threat_9_a_dashboard_logs_and_shows_no_secret() {
    let runs = Runs::new(2, 40, |_, text| {
        let dashboard = r#"
[dashboard]
url = "https://asaf.example.com"
[dashboard.oidc]
issuer = "http://127.0.0.1:9"
client_id = "asaf"
client_secret = "env:CLIENT_SECRET"
[[dashboard.tokens]]
name = "wall"
token = "env:WALL"
role = "viewer"
[[dashboard.roles]]
role = "viewer"
groups = ["everybody"]
"#;
        format!("{text}\n[webhook]\nsecrets = [\"env:HOOK\"]\n{dashboard}")
    });
    let canaries = Canaries::of(&runs);
    let mut serve = loud_serve(&runs);
    let ask = |path: &str, header: &str, status: u16| {
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: asaf.example.com\r\n{header}\r\nConnection: close\r\n\r\n"
        );
        let answer = serve.connect().send(&head, b"");
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        canaries.absent_from(path, answer.text.as_bytes());
    };
    let bearer = |token: &str| format!("Authorization: Bearer {token}");
    for path in ["/", "/teams", "/integrations", "/api/v1/overview"] {
        ask(path, &bearer(WALL), 200);
        ask(path, &bearer(WRONG), 401);
    }
    // Nobody answers at the provider's address.
    ask("/login", "Accept: text/html", 409);
    ask(
        &format!("/login/callback?code={WRONG}&state={WRONG}"),
        "Accept: text/html",
        409,
    );
    serve.signal("TERM");
    assert!(serve.ended().success());
    let log = serve.log();
    assert!(log.contains("TRACE"), "{log}");
    canaries.absent_from("the log", log.as_bytes());
    kept(&runs, &canaries);
}
