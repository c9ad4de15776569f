//! What the emulated IAM claims to do.

use crate::emulators::claims::Claim;

/// Every operation that is answered.
pub fn operations() -> Vec<String> {
    super::OPERATIONS
        .iter()
        .map(|name| (*name).to_owned())
        .collect()
}

/// What is claimed of them.
#[rustfmt::skip]
pub const CLAIMS: &[Claim] = &[
    Claim::new("ListAccountAliases",
        "The one alias of the calling account, or none.",
        "IAM API: ListAccountAliases",
        "src/emulators/iam.rs::an_account_has_one_alias_or_none"),
    Claim::new("ListAccountAliases",
        "A role with a policy may do what its actions allow and no condition on fields denies; resources are not compared.",
        "IAM user guide: Policy evaluation logic; Security Hub user guide: BatchUpdateFindings",
        "src/emulators/iam/policy.rs::what_nothing_allows_and_what_something_denies_is_refused"),
    Claim::new("ListAccountAliases",
        "boto3 pages through them.",
        "IAM API: ListAccountAliases",
        "tests/contract_aws.rs::boto3_assumes_roles_lists_accounts_and_reads_secrets"),
];
