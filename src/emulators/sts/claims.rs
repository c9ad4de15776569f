//! What the emulated STS claims to do.

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
    Claim::new("AssumeRole",
        "Trust decides: account, external id, existing role, active account; else AccessDenied (403).",
        "STS API: AssumeRole; IAM user guide: The confused deputy problem",
        "src/emulators/aws/tests.rs::a_role_trusts_whom_and_how_long_it_says"),
    Claim::new("AssumeRole",
        "The session ends when it says; afterwards every service answers that the token has expired.",
        "STS API: AssumeRole, Expiration",
        "src/emulators/aws/tests.rs::an_assumed_role_is_the_member_account_until_the_session_ends"),
    Claim::new("AssumeRole",
        "A session that assumes a role gets an hour at most.",
        "IAM user guide: Roles terms and concepts, role chaining",
        "src/emulators/aws/tests.rs::a_session_that_assumes_a_role_gets_an_hour_at_most"),
    Claim::new("GetCallerIdentity",
        "Account and principal of the key.",
        "STS API: GetCallerIdentity",
        "src/emulators/aws/tests.rs::callers_are_told_who_they_are"),
    Claim::new("GetCallerIdentity",
        "Unknown and missing keys are refused in each service's words.",
        "AWS API references: Common errors",
        "src/emulators/aws/tests.rs::who_has_no_key_or_an_unknown_one_is_refused_in_the_services_words"),
    Claim::new("GetCallerIdentity",
        "Throttling, failures, denials and expired tokens can be had in each service's words.",
        "AWS API references: Common errors",
        "src/emulators/aws/tests.rs::every_refusing_fault_speaks_each_services_language_and_changes_nothing"),
    Claim::new("GetCallerIdentity",
        "Answers can be lost before or after the request took effect.",
        "HTTP/1.1 (RFC 9112, 9.5 and 9.6): a connection may close before its response",
        "src/emulators/aws/tests.rs::a_dropped_answer_hides_a_change_or_there_is_none"),
];
