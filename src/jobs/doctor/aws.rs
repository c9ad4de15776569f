//! Who we are on AWS, and what Security Hub lets us do. Reads are tried; writes are tried on a finding that does not
//! exist, which changes nothing and is denied all the same where it would be.

use crate::ports::{FindingsQuery, FindingsReader as _};
use crate::wire::error::WireError;
use crate::wire::probes::Foreign;

use super::report::{Found, Problem};
use super::subject::Subject;

pub(super) async fn identity(subject: &Subject) -> Found {
    match subject.aws.who_we_are().await {
        Ok(arn) => Found::well(arn),
        Err(error) => Found::refused(&error),
    }
}

pub(super) async fn security_hub(subject: &Subject) -> Found {
    let region = &subject.config.aws.region;
    match subject.aws.describe_hub().await {
        Ok(()) => Found::well(format!("Security Hub is on in {region}")),
        Err(error) => Found::refused(&error),
    }
}

pub(super) async fn home_region(subject: &Subject) -> Found {
    let region = &subject.config.aws.region;
    let home = match subject.aws.home().await {
        Ok(home) => home,
        Err(error) => return Found::refused(&error),
    };
    let Some(home) = home else {
        return Found::warning(
            format!(
                "Security Hub has no finding aggregator: findings of other Regions than {region} are not seen"
            ),
            format!(
                "create one in {region} (Security Hub, Settings, Regions), or list the Regions that count in run.regions"
            ),
        );
    };
    let found = if home.region == *region {
        Found::well(format!(
            "{region} gathers the findings of the linked Regions"
        ))
    } else {
        Found::wrong(
            format!(
                "the findings are gathered in {}, and aws.region is {region}",
                home.region
            ),
            format!("set aws.region = \"{}\"", home.region),
        )
    };
    subject.known().home = Some(home);
    found
}

pub(super) async fn read(subject: &Subject) -> Found {
    let mut problems = Vec::new();
    let query = FindingsQuery::default();
    match subject.aws.page(&query, None).await {
        Ok(page) if page.findings.is_empty() && page.next.is_none() => {
            problems.push(Problem::warning(
                "Security Hub shows no finding at all",
                "check that this account is Security Hub's administrator, and that standards are on",
            ));
        }
        Ok(_) => {}
        Err(error) => problems.push(Problem::refused(&error)),
    }
    if let Err(error) = subject.aws.may_read_history().await {
        problems.push(Problem::refused(&error));
    }
    let says = if problems.is_empty() {
        "findings and their history can be read"
    } else {
        ""
    };
    Found::of(says, problems)
}

pub(super) async fn write(subject: &Subject) -> Found {
    match subject.aws.may_write_workflow().await {
        Ok(()) => Found::well("workflow status, note and user-defined fields can be set"),
        Err(error @ WireError::Denied { .. }) => {
            let Problem { finding, fix, .. } = Problem::refused(&error);
            Found::wrong(
                finding,
                format!(
                    "{fix}; no condition may deny Workflow, Note or UserDefinedFields (`asaf doctor --print-iam`)"
                ),
            )
        }
        Err(error) => Found::refused(&error),
    }
}

pub(super) async fn least_privilege(subject: &Subject) -> Found {
    let mut open = Vec::new();
    for field in Foreign::ALL {
        match subject.aws.may_write(field).await {
            Ok(()) => open.push(field.name()),
            Err(WireError::Denied { .. }) => {}
            Err(error) => return Found::refused(&error),
        }
    }
    if open.is_empty() {
        return Found::well("whatever asaf never changes is denied to it");
    }
    Found::warning(
        format!(
            "the role may also change {} of findings, which asaf never does",
            open.join(", ")
        ),
        "add the denials of `asaf doctor --print-iam` to the role's policy",
    )
}
