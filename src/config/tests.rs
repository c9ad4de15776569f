//! The configuration read from text: what is accepted, what is refused, and what people then read.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use secrecy::ExposeSecret;

use super::*;
use crate::model::TicketState;

const SMALL: &str = r#"
[aws]
region = "eu-west-1"

[jira]
url = "https://example.atlassian.net/"
email = "bot@example.com"
token = "env:ASAF_JIRA_TOKEN"
reviewers = { group = "security-reviewers" }

[owners]
default = { team = "security", project = "SEC" }

[[owners.rules]]
accounts = ["012345678901", "123456789012"]
team = "payments"
project = "PAY"
labels = ["pci"]
"#;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("asaf.toml"))
}

fn refusal(text: &str) -> String {
    parse(text).expect_err("refused").to_string()
}

#[test]
fn a_small_file_gets_the_documented_defaults() {
    let config = parse(SMALL).unwrap();
    assert_eq!(config.aws.aggregator, "org");
    assert_eq!(config.aws.member_role, "asaf-config-read");
    assert_eq!(config.jira.url, "https://example.atlassian.net");
    assert_eq!(config.jira.issue_type, "Task");
    assert_eq!(config.policy.threshold, Severity::Medium);
    assert_eq!(config.policy.reopen_window.to_string(), "30d");
    assert_eq!(config.policy.recheck_after.to_string(), "24h");
    assert_eq!(
        (config.limits.removals_percent, config.limits.removals),
        (10, 25)
    );
    assert_eq!(config.store.path, Path::new("asaf.sqlite3"));
    assert!(!config.run.unlimited);
}

#[test]
fn an_account_has_the_owner_of_its_rule_or_the_default() {
    let owners = parse(SMALL).unwrap().owners;
    assert_eq!(owners.of("012345678901").team, "payments");
    assert_eq!(owners.of("999999999999").project, "SEC");
    assert_eq!(Vec::from_iter(owners.projects()), ["PAY", "SEC"]);
}

#[test]
fn a_status_is_known_by_name_in_any_case_or_by_id() {
    let statuses = Statuses {
        closed: vec!["10003".into()],
        ..Statuses::default()
    };
    assert_eq!(
        statuses.state_of("3", "in progress"),
        Some(TicketState::Open)
    );
    assert_eq!(
        statuses.state_of("10003", "Geschlossen"),
        Some(TicketState::Closed)
    );
    assert_eq!(statuses.state_of("7", "Backlog"), None);
}

#[test]
fn the_other_two_kinds_of_reviewers_are_read() {
    let with = |reviewers: &str| {
        parse(&SMALL.replace(r#"{ group = "security-reviewers" }"#, reviewers))
            .unwrap()
            .jira
            .reviewers
    };
    assert_eq!(
        with(r#"{ project = "SEC", role = "Reviewers" }"#),
        Reviewers::Role {
            project: "SEC".into(),
            role: "Reviewers".into()
        }
    );
    assert_eq!(
        with(r#"{ account_ids = ["5b10"] }"#),
        Reviewers::Accounts(vec!["5b10".into()])
    );
}

#[test]
fn product_teams_are_optional_and_checked_like_reviewers() {
    let with = |teams: &str| parse(&SMALL.replace("[jira]\n", &format!("[jira]\n{teams}\n")));
    assert_eq!(with("").unwrap().jira.product_teams, None);
    assert_eq!(
        with(r#"product_teams = { group = "teams" }"#)
            .unwrap()
            .jira
            .product_teams,
        Some(Reviewers::Group("teams".into()))
    );
    let wrong = with("product_teams = { account_ids = [] }").unwrap_err();
    assert!(wrong.to_string().contains("leave the key out"), "{wrong}");
}

#[test]
fn every_wrong_value_is_refused_with_its_line_and_a_caret() {
    for (from, to, line, sentence) in [
        (
            r#"region = "eu-west-1""#,
            r#"region = "Ireland""#,
            3,
            "`Ireland` is no Region",
        ),
        (
            r#"region = "eu-west-1""#,
            r#"regoin = "eu-west-1""#,
            3,
            "did you mean `region`?",
        ),
        (
            "https://example.atlassian.net/",
            "http://example.atlassian.net",
            6,
            "http would send credentials in the clear",
        ),
        (
            "https://example.atlassian.net/",
            "https://me:pw@example.atlassian.net",
            6,
            "no path, query or user name",
        ),
        (
            "https://example.atlassian.net/",
            "http://127.0.0.1@evil.example",
            6,
            "no path, query or user name",
        ),
        ("bot@example.com", "bot", 7, "is no e-mail address"),
        (
            "env:ASAF_JIRA_TOKEN",
            "aws-sm:arn:aws:x",
            8,
            "is not available in this build",
        ),
        (
            "env:ASAF_JIRA_TOKEN",
            "env:",
            8,
            "needs the name of an environment variable",
        ),
        (
            r#"{ group = "security-reviewers" }"#,
            r#"{ group = "a", role = "b" }"#,
            9,
            "people are given as one of",
        ),
        (
            r#"{ group = "security-reviewers" }"#,
            r#"{ groups = "a" }"#,
            9,
            "did you mean `group`?",
        ),
        (
            r#"project = "SEC""#,
            r#"project = "sec""#,
            12,
            "`sec` is no project key",
        ),
        (
            r#""012345678901""#,
            "012345678901",
            15,
            "account ids are text",
        ),
        (
            r#""123456789012""#,
            "123456789012",
            15,
            "account ids are text",
        ),
        (
            r#""123456789012""#,
            r#""1234""#,
            15,
            "`1234` is no account id",
        ),
        (
            r#""123456789012""#,
            r#""012345678901""#,
            15,
            "already stands in rule 1",
        ),
        (
            r#"["pci"]"#,
            r#"["pci scope"]"#,
            18,
            "a label has no blanks",
        ),
        (r#"team = "payments""#, r#"team = """#, 16, "is empty"),
    ] {
        let text = SMALL.replacen(from, to, 1);
        assert_ne!(text, SMALL, "{from} is not in the sample");
        let shown = refusal(&text);
        assert!(shown.contains(sentence), "{to}: {shown}");
        assert!(
            shown.contains(&format!("asaf.toml:{line}:")),
            "{to}: {shown}"
        );
        assert!(shown.contains('^'), "{to}: {shown}");
    }
}

#[test]
fn ignore_rules_have_one_source_and_a_credential() {
    let with = |lines: &str| parse(&format!("{SMALL}\n[ignore]\n{lines}\n"));
    let ignore = with("repository = \"acme/rules\"\ntoken = \"env:GITHUB\"")
        .unwrap()
        .ignore
        .unwrap();
    assert_eq!(
        (
            ignore.branch.as_str(),
            ignore.folder.as_str(),
            ignore.days_max
        ),
        ("main", "ignore", 180)
    );
    assert_eq!(ignore.owner_and_name(), Some(("acme", "rules")));
    let local = Config::parse(
        &format!("{SMALL}\n[ignore]\ncheckout = \"rules\"\n"),
        Path::new("/etc/asaf/asaf.toml"),
    );
    assert_eq!(
        local.unwrap().ignore.unwrap().checkout.unwrap(),
        Path::new("/etc/asaf/rules")
    );
    assert!(with("none = true").is_ok());
    let app = "repository = \"acme/rules\"\n[ignore.app]\nid = \"1\"\ninstallation = 2\nprivate_key = \"file:key.pem\"";
    assert!(with(app).is_ok());
    for (lines, sentence) in [
        ("", "does not say where the rules are"),
        ("none = true\ncheckout = \"x\"", "has several sources"),
        (
            "repository = \"acme\"\ntoken = \"env:G\"",
            "is no repository",
        ),
        ("repository = \"acme/rules\"", "without a credential"),
        (
            "checkout = \"x\"\nbranch = \"--upload-pack=x\"",
            "is no name of a branch",
        ),
        (
            "checkout = \"x\"\nfolder = \"../x\"",
            "is no folder of the repository",
        ),
        (
            "checkout = \"x\"\nurl = \"http://github.example\"",
            "is no URL with https",
        ),
        (
            "checkout = \"x\"\nurl = \"https://me@github.example\"",
            "is no URL with https",
        ),
        (
            "checkout = \"x\"\napprovers = [\"security\"]",
            "is no code owner",
        ),
        ("checkout = \"x\"\ndays_max = 0", "days are 1 to 3650"),
        (
            "checkout = \"x\"\ntokens = \"env:G\"",
            "did you mean `token`?",
        ),
    ] {
        let shown = with(lines).expect_err("refused").to_string();
        assert!(shown.contains(sentence), "{lines}: {shown}");
    }
    let pasted = with(
        "checkout = \"x\"\n[ignore.app]\nid = \"1\"\ninstallation = 2\nprivate_key = \"\"\"-----BEGIN KEY-----\nSECRET\n\"\"\"",
    );
    let shown = pasted.expect_err("refused").to_string();
    assert!(
        !shown.contains("SECRET") && !shown.contains("BEGIN KEY"),
        "{shown}"
    );
}

#[test]
fn all_failed_checks_are_shown_at_once() {
    let text = SMALL
        .replace("eu-west-1", "nowhere")
        .replace("bot@example.com", "bot")
        .replace(r#""PAY""#, r#""pay""#);
    let error = parse(&text).expect_err("refused");
    assert!(
        matches!(error, ConfigError::Invalid { problems: 3, .. }),
        "{error}"
    );
}

#[test]
fn limits_and_policy_words_are_checked() {
    for (more, sentence) in [
        (
            "[policy]\nthreshold = \"SEVERE\"",
            "`SEVERE` is no value of this key",
        ),
        ("[policy]\nrecheck = \"reopn\"", "did you mean `reopen`?"),
        (
            "[policy]\nrecheck_after = \"1 day\"",
            "is no length of time",
        ),
        ("[policy]\nrecheck_after = 24", "expected a string"),
        ("[limits]\nremovals_percent = 101", "percent are 0 to 100"),
        ("[limits]\nremovals = -1", "invalid value"),
        (
            "[run]\nunlimited = true",
            "only emulators may be called without rates",
        ),
        (
            "[jira.statuses]\nresolved = [\"open\"]",
            "already means open",
        ),
        ("[jira.statuses]\nclosed = []", "needs at least one status"),
        ("[polcy]\n", "did you mean `policy`?"),
        ("[aws]\nregion = \"eu-west-1\"", "duplicate key"),
    ] {
        let shown = refusal(&format!("{SMALL}\n{more}\n"));
        assert!(shown.contains(sentence), "{more}: {shown}");
    }
}

#[test]
fn the_doors_of_serve_are_checked() {
    let secret = "\"env:A\"";
    for (more, sentence) in [
        ("[serve]\nlisten = \"8484\"", "no address and port"),
        ("[serve]\nlisten = \":8484\"", "no address and port"),
        ("[serve]\nlisten = \"a:99999\"", "no address and port"),
        ("[serve]\nshutdown_grace = \"0s\"", "is 1s to 10m"),
        ("[serve]\nshutdown_grace = \"1d\"", "is 1s to 10m"),
        ("[serve]\nqueue_most = 0", "takes nothing in"),
        ("[serve]\nport = 1", "`port` is no key of this table"),
        (
            "[webhook]\nsecrets = [\"env:A\", \"env:A\"]",
            "stands here twice",
        ),
        ("[webhook]\nsecret = \"env:A\"", "did you mean `secrets`?"),
        ("[queue]\nurl = \"asaf-events\"", "no URL"),
        (
            "[queue]\nurl = \"https://sqs.eu-west-1.amazonaws.com/asaf-events\"",
            "no URL of an SQS queue",
        ),
        (
            "[queue]\nurl = \"http://sqs.eu-west-1.amazonaws.com/123456789012/q\"",
            "in the clear",
        ),
        (
            "[queue]\nurl = \"https://sqs.us-east-1.amazonaws.com/123456789012/q\"",
            "is in us-east-1",
        ),
        (
            "[queue]\nurl = \"https://us-east-1.queue.amazonaws.com/123456789012/q\"",
            "is in us-east-1",
        ),
        ("[queue]\ngive_up_after = 3", "the key `url` is missing"),
        (
            "[queue]\nurl = \"https://sqs.eu-west-1.amazonaws.com/123456789012/q\"\ngive_up_after = 0",
            "is 1 to 1000",
        ),
    ] {
        let shown = refusal(&format!("{SMALL}\n{more}\n"));
        assert!(shown.contains(sentence), "{more}: {shown}");
    }
    let three = format!("{SMALL}\n[webhook]\nsecrets = [{secret}, \"env:B\", \"env:C\"]\n");
    assert!(refusal(&three).contains("at most two secrets"));
    for url in [
        "https://sqs.eu-west-1.amazonaws.com/123456789012/asaf-events",
        "https://eu-west-1.queue.amazonaws.com/123456789012/asaf-events.fifo",
        "https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/123456789012/asaf-events",
        "http://127.0.0.1:9324/000000000000/asaf-events",
    ] {
        let config = parse(&format!(
            "{SMALL}\n[serve]\nlisten = \"[::1]:0\"\n[queue]\nurl = \"{url}\"\n"
        ));
        assert_eq!(config.unwrap().queue.unwrap().give_up_after, 3, "{url}");
    }
}

#[test]
fn webhook_secrets_are_long_enough_and_at_most_two() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("short"), "hunter2").unwrap();
    std::fs::write(folder.path().join("long"), "It's a Secret to Everybody\n").unwrap();
    let resolve = |secrets: &str| {
        let text = format!("{SMALL}\n[webhook]\nsecrets = [{secrets}]\n");
        Config::parse(&text, &folder.path().join("asaf.toml"))
            .unwrap()
            .webhook
            .resolve()
    };
    assert!(resolve("").unwrap().is_empty());
    assert!(!resolve("\"file:long\"").unwrap().is_empty());
    let error = resolve("\"file:long\", \"file:short\"")
        .expect_err("refused")
        .to_string();
    assert!(
        error.contains("shorter than 16") && error.contains("file:"),
        "{error}"
    );
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_pasted_secret_is_never_shown() {
    for line in [
        "token = \"ATATT3xSECRET\"",
        "token = 'ATATT3xSECRET'",
        "token = \"ATATT3xSECRET",
        "token = ATATT3xSECRET",
        "token = \"\"\"ATATT3x\nSECRET\"\"\"",
        "token = 7357735773577357",
        "\"token\" = \"ATATT3xSECRET\"",
        "token = [\"ATATT3xSECRET\"]",
    ] {
        let shown = refusal(&SMALL.replace("token = \"env:ASAF_JIRA_TOKEN\"", line));
        for secret in ["ATATT3x", "SECRET", "7357735"] {
            assert!(!shown.contains(secret), "{line}: {shown}");
        }
    }
    for line in [
        "secrets = [\"ATATT3x,]SECRET\"]",
        "secrets = ['ATATT3x\"]', \"SECRET\"]",
        "secrets = [\"env:A\", \"ATATT3x\\\"SECRET\"]",
        "secrets = [\n  \"env:A\",\n  \"ATATT3xSECRET\",\n]",
        "secrets = [ATATT3x, SECRET]",
        "secrets = [\"ATATT3xSECRET",
        "secrets = [\"env:A\", 'ATATT3x\nSECRET",
        "secrets = \"ATATT3xSECRET\"",
    ] {
        let shown = refusal(&format!("{SMALL}\n[webhook]\n{line}\n"));
        for secret in ["ATATT3x", "SECRET"] {
            assert!(!shown.contains(secret), "{line}: {shown}");
        }
    }
}

#[test]
fn control_characters_of_the_file_do_not_reach_the_terminal() {
    let shown = refusal(&SMALL.replace(
        "region = \"eu-west-1\"",
        "region = \"\\u001b[2J\u{202e}ue\" # \u{202e}\u{200f}",
    ));
    assert!(
        !shown
            .chars()
            .any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'),
        "{shown:?}"
    );
}

#[test]
fn unlimited_is_for_loopback_only() {
    let local = SMALL.replace("https://example.atlassian.net/", "http://127.0.0.1:8001");
    let with = |endpoint: &str| {
        parse(&format!(
            "{}\n[run]\nunlimited = true\n",
            local.replace(
                "region =",
                &format!("endpoint_url = \"{endpoint}\"\nregion =")
            )
        ))
    };
    assert!(with("http://[::1]:4566").unwrap().run.unlimited);
    assert!(with("http://localhost:4566").is_ok());
    assert!(with("https://securityhub.example").is_err());
}

#[test]
fn relative_paths_start_at_the_folder_of_the_file() {
    let text = SMALL.replace("env:ASAF_JIRA_TOKEN", "file:token.txt");
    let config = Config::parse(&text, Path::new("/etc/asaf/asaf.toml")).unwrap();
    assert_eq!(config.store.path, Path::new("/etc/asaf/asaf.sqlite3"));
    assert_eq!(
        config.jira.token,
        Secret::File("/etc/asaf/token.txt".into())
    );
}

#[test]
fn a_secret_comes_from_the_environment_or_a_file_without_its_line_break() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "from-file\n").unwrap();
    let file: Secret = format!("file:{}", path.display()).parse().unwrap();
    assert_eq!(file.resolve().unwrap().expose_secret(), "from-file");
    let env: Secret = "env:TOKEN".parse().unwrap();
    let found = env.resolve_with(|name| (name == "TOKEN").then(|| "from-env".to_owned()));
    assert_eq!(found.unwrap().expose_secret(), "from-env");
    for (value, sentence) in [
        (None, "is not set"),
        (Some("  "), "it is empty"),
        (Some("a\nb"), "control character"),
    ] {
        let error = env
            .resolve_with(|_| value.map(str::to_owned))
            .expect_err("refused");
        assert!(error.to_string().contains(sentence), "{error}");
        assert!(error.to_string().contains("env:TOKEN"), "{error}");
    }
}

#[test]
fn periods_are_read_and_written() {
    for (text, secs, again) in [
        ("15m", 900, "15m"),
        ("24h", 86_400, "24h"),
        ("1d", 86_400, "24h"),
        ("30d", 30 * 86_400, "30d"),
        ("2w", 14 * 86_400, "14d"),
        ("90s", 90, "90s"),
        ("0s", 0, "0h"),
    ] {
        let period: Period = text.parse().unwrap();
        assert_eq!(period.duration().as_secs(), secs, "{text}");
        assert_eq!(period.to_string(), again, "{text}");
    }
    for wrong in [
        "",
        "h",
        "24",
        "1.5h",
        "-1h",
        "+1h",
        "1 h",
        "1y",
        "99999999999999999999h",
        "36501d",
        "1µ",
    ] {
        assert!(wrong.parse::<Period>().is_err(), "{wrong}");
    }
}

#[test]
fn the_schema_accepts_what_the_parser_accepts_and_refuses_unknown_keys() {
    let schema = Config::schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let json =
        |text: &str| serde_json::to_value(toml::from_str::<toml::Value>(text).unwrap()).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&json(SMALL))
        .map(|e| e.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    let effective = serde_json::to_value(parse(SMALL).unwrap()).unwrap();
    assert!(
        validator.is_valid(&effective),
        "the effective settings fit the schema too"
    );
    for (from, to) in [
        ("region =", "regoin ="),
        ("team = \"payments\"", "teams = \"payments\""),
        ("env:ASAF_JIRA_TOKEN", "hunter2"),
        ("{ group =", "{ groups ="),
    ] {
        assert!(
            !validator.is_valid(&json(&SMALL.replacen(from, to, 1))),
            "{to}"
        );
    }
}

#[test]
fn settings_name_their_origin_and_show_secrets_as_references() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("asaf.toml");
    std::fs::write(&path, SMALL).unwrap();
    let settings = Config::settings(&path).unwrap();
    let of = |key: &str| {
        let setting = settings.iter().find(|s| s.key == key).expect(key);
        (setting.value.clone(), setting.origin)
    };
    assert_eq!(of("aws.region"), ("eu-west-1".into(), Origin::File));
    assert_eq!(of("aws.aggregator"), ("org".into(), Origin::Default));
    assert_eq!(
        of("jira.token"),
        ("env:ASAF_JIRA_TOKEN".into(), Origin::File)
    );
    assert_eq!(
        of("owners.rules[0].team"),
        ("payments".into(), Origin::File)
    );
    assert_eq!(of("limits.removals"), (25.into(), Origin::Default));
}

#[test]
fn what_is_written_from_a_configuration_reads_as_the_same() {
    let config = parse(SMALL).unwrap();
    let written = toml::to_string(&config).unwrap();
    let again = parse(&written).unwrap();
    assert_eq!(toml::to_string(&again).unwrap(), written);
    assert_eq!(again.owners, config.owners);
    assert_eq!(again.policy, config.policy);
}

#[test]
fn a_megabyte_in_the_wrong_place_makes_a_short_error() {
    let long = "x".repeat(1 << 20);
    for text in [
        SMALL.replace("region =", &format!("{long} =")),
        SMALL.replace("eu-west-1", &long),
        SMALL.replace("SEC", &long),
        SMALL.replace("[aws]", &format!("# {}\n[awz]", "token = ".repeat(100_000))),
    ] {
        let shown = refusal(&text);
        assert!(shown.len() < 8_000, "{} bytes", shown.len());
    }
}

const TALKING: &str = r#"
[slack]
token = "file:slack-token"
security_channel = "C0SECURITY"

[teams_webhook]
security = "env:TEAMS_SECURITY"
teams = { payments = "env:TEAMS_PAYMENTS" }

[notices]
timezone = "Europe/Berlin"
quiet_hours = { from = "22:00", until = "07:00", weekends = true }
digest = { weekday = "friday", time = "16:30" }
at_once = [{ severity = "HIGH", products = ["guardduty"], types = ["UnauthorizedAccess:"] }]

[sla]
days = { CRITICAL = 7, HIGH = 30 }
teams = { payments = { CRITICAL = 2 } }
"#;

#[test]
fn what_people_are_told_is_read_with_its_times() {
    let config = parse(&format!("{SMALL}{TALKING}")).unwrap();
    let slack = config.slack.as_ref().unwrap();
    assert_eq!(slack.fallback(), "C0SECURITY");
    assert_eq!(slack.api_url, "https://slack.com/api");
    let quiet = config.notices.quiet_hours.as_ref().unwrap();
    assert_eq!((quiet.from.hour(), quiet.until.hour()), (22, 7));
    assert_eq!(config.notices.digest.time.minute(), 30);
    let sla = config.sla.as_ref().unwrap();
    assert_eq!(sla.days_of("payments", Severity::Critical), Some(2));
    assert_eq!(sla.days_of("payments", Severity::High), Some(30));
    assert_eq!(sla.days_of("web", Severity::Critical), Some(7));
    assert_eq!(sla.days_of("web", Severity::Medium), None);
    let silent = parse(SMALL).unwrap();
    assert!(silent.slack.is_none() && silent.sla.is_none());
    assert_eq!(silent.notices.at_once.len(), 2);
}

#[test]
fn every_wrong_notice_is_refused_with_what_to_write() {
    let good = format!("{SMALL}{TALKING}");
    for (from, to, sentence) in [
        ("\"C0SECURITY\"", "\"#security\"", "is no channel id"),
        (
            "[teams_webhook]",
            "api_url = \"https://slack.example\"\n[teams_webhook]",
            "the bot token goes nowhere else",
        ),
        ("Europe/Berlin", "Europe/Atlantis", "is no time zone"),
        (
            "teams = { payments = \"env",
            "teams = { payment = \"env",
            "no owner has the team `payment`",
        ),
        ("\"guardduty\"", "\"guard\"", "`guard` is no product"),
        ("from = \"22:00\"", "from = \"07:00\"", "at the same time"),
        ("\"friday\"", "\"fridey\"", "did you mean `friday`"),
        ("CRITICAL = 2", "CRITICAL = 0", "days are 1 to 3650"),
        (
            "labels = [\"pci\"]",
            "slack_channel = \"payments\"",
            "`payments` is no channel id",
        ),
    ] {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good, "{from}");
        let problems = refusal(&text);
        assert!(problems.contains(sentence), "{sentence}: {problems}");
    }
    let lonely = SMALL.replace("labels = [\"pci\"]", "slack_channel = \"C0PAYMENTS\"");
    assert!(refusal(&lonely).contains("add the table [slack]"));
}
