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
        "boto3 pages through them.",
        "IAM API: ListAccountAliases",
        "tests/contract_aws.rs::boto3_assumes_roles_lists_accounts_and_reads_secrets"),
];
