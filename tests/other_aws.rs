//! Our AWS clients against an AWS that nobody here wrote (moto), so that client and emulator cannot share a mistake:
//! serialisation and paging of findings, the organisation's accounts, the aggregator by id, the member account's own
//! records. What moto does not have (workflow updates, history, advanced queries) only our emulators show.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod serving;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use asaf::model::{Compliance, FindingState, Severity, WorkflowStatus};
use asaf::ports::{FindingsQuery, FindingsReader, Inventory, ResourceFact, ResourceQuery};
use serving::moto::Moto;

fn filled() -> Option<Moto> {
    let moto = Moto::start()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let done = Command::new(root.join("target/venv/bin/python"))
        .arg(root.join("tests/contract/moto_seed.py"))
        .arg(&moto.url)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    Some(moto)
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_are_read_page_by_page_and_understood() {
    let Some(moto) = filled() else { return };
    let aws = moto.connect().await;
    let query = FindingsQuery::default();
    let (mut token, mut pages, mut ids) = (None::<String>, 0, BTreeSet::new());
    loop {
        let page = aws.page(&query, token.as_deref()).await.unwrap();
        assert!(page.problems.is_empty(), "{:?}", page.problems);
        assert!(page.findings.len() <= 100);
        pages += 1;
        for finding in page.findings {
            assert_eq!(finding.state(), FindingState::Failing);
            assert_eq!(finding.compliance, Some(Compliance::Failed));
            assert_eq!(finding.workflow, WorkflowStatus::New);
            assert_eq!(finding.severity, Severity::High);
            assert!(finding.description.contains("“ünïcode” & <markup>"));
            assert!(ids.insert(finding.key.id));
        }
        match page.next {
            Some(next) => token = Some(next),
            None => break,
        }
    }
    assert_eq!((pages, ids.len()), (3, 250));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_accounts_of_the_organisation_are_listed() {
    let Some(moto) = filled() else { return };
    let accounts = moto.connect().await.accounts().await.unwrap();
    assert_eq!(accounts.len(), 46, "45 and the management account");
    assert!(accounts.iter().all(|account| account.active));
    assert!(accounts.iter().all(|account| account.id.len() == 12));
    assert!(accounts.iter().any(|account| account.name == "team-44"));
}

/// moto has no advanced queries: the client falls back to asking by id, and then to the member account.
#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_bucket_exists_and_one_that_was_never_there_proves_nothing() {
    let Some(moto) = filled() else { return };
    let bucket = |name: &str| ResourceQuery {
        account: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
        kind: "AwsS3Bucket".to_owned(),
        id: format!("arn:aws:s3:::{name}"),
    };
    let asked = [bucket("bucket-1"), bucket("never-made")];
    let facts = moto.connect().await.resources(&asked).await;
    assert_eq!(facts[&asked[0]], ResourceFact::Exists, "{facts:?}");
    assert!(
        matches!(facts[&asked[1]], ResourceFact::Unknown { .. }),
        "{facts:?}"
    );
}
