//! `asaf digest` as the operator types it, against served emulators.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod served;

use std::process::Command;

use serde_json::Value;
use served::Served;

struct Said {
    code: i32,
    out: String,
    err: String,
}

fn asaf(served: &Served, arguments: &[&str]) -> Said {
    let environment = served.ready["env"].as_object().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_asaf"))
        .args(arguments)
        .env("ASAF_CONFIG", served.ready["config"].as_str().unwrap())
        .env_remove("ASAF_LOG")
        .envs(
            environment
                .iter()
                .map(|(name, value)| (name, value.as_str().unwrap())),
        )
        .output()
        .unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn the_operator_looks_sends_once_and_sends_again() {
    let served = Served::start(&["--accounts", "8", "--findings", "60", "--quotas", "off"]);
    let said = asaf(&served, &["reconcile", "--full"]);
    assert_eq!(said.code, 0, "{}", said.err);

    let said = asaf(&served, &["digest", "--dry-run", "--team", "payments"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.out.starts_with("── slack C0TEAM0001 ──\npayments: "),
        "{}",
        said.out
    );
    let json = ["digest", "--dry-run", "--output", "json"];
    let looked: Value = serde_json::from_str(&asaf(&served, &json).out).unwrap();
    let channels = looked.as_array().unwrap();
    assert_eq!(channels.len(), 9, "eight teams and security's own");
    assert!(
        channels
            .iter()
            .all(|one| one["to"][0].as_str().unwrap().starts_with("slack C0TEAM"))
    );

    let said = asaf(&served, &["digest"]);
    assert_eq!((said.code, said.out.as_str()), (0, ""), "{}", said.err);
    assert!(
        said.err.contains("9 messages sent, 0 wait."),
        "{}",
        said.err
    );
    let said = asaf(&served, &["digest"]);
    assert_eq!(said.code, 0);
    assert!(said.err.contains("were sent before"), "{}", said.err);
    let again = [
        "digest", "--team", "payments", "--again", "--output", "json",
    ];
    let said = asaf(&served, &again);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (&told["digests"], &told["told"]["sent"]),
        (&1.into(), &1.into())
    );
}

#[test]
fn mistakes_are_named_and_nothing_is_sent() {
    let served = Served::start(&["--accounts", "2", "--findings", "0", "--quotas", "off"]);
    let said = asaf(&served, &["digest", "--team", "paymentz"]);
    assert_ne!(said.code, 0);
    assert!(
        said.err
            .contains("no owner has the team paymentz; there are: payments, security"),
        "{}",
        said.err
    );
    let config = served.ready["config"].as_str().unwrap();
    let text = std::fs::read_to_string(config).unwrap();
    std::fs::write(
        config,
        text.replace("env:ASAF_SLACK_TOKEN", "env:NOT_THERE"),
    )
    .unwrap();
    for arguments in [&["config", "check"][..], &["digest"][..]] {
        let said = asaf(&served, arguments);
        assert_ne!(said.code, 0, "{arguments:?}");
        assert!(said.err.contains("NOT_THERE"), "{}", said.err);
    }
}
