//! AWS Config: without it nothing is ever taken for deleted.

use futures_util::StreamExt as _;

use crate::wire::error::WireError;

use super::report::{Found, Problem};
use super::some;
use super::subject::Subject;

/// Accounts that are tried without `--every-account`.
const SAMPLE: usize = 20;
/// Accounts that are tried at the same time.
const AT_ONCE: usize = 4;

pub(super) async fn aggregator(subject: &Subject) -> Found {
    let (name, region) = (&subject.config.aws.aggregator, &subject.config.aws.region);
    match subject.aws.aggregators().await {
        Ok(names) if names.is_empty() => {
            return Found::wrong(
                format!(
                    "AWS Config has no aggregator in {region}, so no ticket of a deleted resource is ever removed"
                ),
                format!("create one for the organisation, named {name} (AWS Config, Aggregators)"),
            );
        }
        Ok(names) if !names.contains(name) => {
            return Found::wrong(
                format!("AWS Config has no aggregator {name} in {region}"),
                format!(
                    "name one of these in aws.aggregator: {}",
                    some(names.iter().map(String::as_str))
                ),
            );
        }
        Ok(_) => {}
        Err(error) => return Found::refused(&error),
    }
    match subject.aws.may_ask_aggregator().await {
        Ok(()) => Found::well(format!("the aggregator {name} answers")),
        Err(error) => Found::refused(&error),
    }
}

pub(super) async fn sources(subject: &Subject) -> Found {
    let sick = match subject.aws.sick_sources().await {
        Ok(sick) => sick,
        Err(error) => return Found::refused(&error),
    };
    let Some(first) = sick.first() else {
        return Found::well("every account and Region is collected");
    };
    let places: Vec<String> = sick
        .iter()
        .map(|one| format!("{} {} {}", one.account, one.region, one.status))
        .collect();
    let why = if first.why.is_empty() {
        String::new()
    } else {
        format!(" ({})", first.why)
    };
    Found::warning(
        format!(
            "the aggregator does not collect from {}{why}",
            some(places.iter().map(String::as_str))
        ),
        "turn on AWS Config there, and authorize the aggregator; until then resources there count as unknown, never as deleted",
    )
}

pub(super) async fn member_role(subject: &Subject) -> Found {
    let role = &subject.config.aws.member_role;
    let accounts: Vec<String> = {
        let known = subject.known();
        let active = known.accounts.iter().filter(|account| account.active);
        active.map(|account| account.id.clone()).collect()
    };
    let all = accounts.len();
    let tried = if subject.every_account {
        all
    } else {
        all.min(SAMPLE)
    };
    // Spread over the list, so that one old stack of accounts is not all that is seen.
    let step = if tried == 0 {
        1
    } else {
        all.div_ceil(tried).max(1)
    };
    let chosen: Vec<String> = accounts.into_iter().step_by(step).collect();
    let count = chosen.len();
    let each = chosen.into_iter().map(|account| async move {
        let answer = subject.aws.may_ask_member(&account).await;
        (account, answer)
    });
    let answers: Vec<(String, Result<(), WireError>)> = futures_util::stream::iter(each)
        .buffered(AT_ONCE)
        .collect()
        .await;
    let refused: Vec<&(String, Result<(), WireError>)> = answers
        .iter()
        .filter(|(_, answer)| answer.is_err())
        .collect();
    let Some((_, Err(error))) = refused.first() else {
        let more = if count < all {
            "; --every-account tries all"
        } else {
            ""
        };
        return Found::well(format!("{role} answers in {count} of {all} accounts{more}"));
    };
    let Problem { finding, fix, .. } = Problem::refused(error);
    let names = some(refused.iter().map(|(account, _)| account.as_str()));
    Found::warning(
        format!(
            "{role} does not serve in {} of {count} accounts ({names}): {finding}",
            refused.len()
        ),
        format!(
            "{fix}; deploy the role to every account, as `asaf doctor --print-iam member-role` and member-trust show it"
        ),
    )
}
