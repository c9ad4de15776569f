//! What the emulated Secrets Manager claims to do.

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
    Claim::new("GetSecretValue",
        "By name, ARN or partial ARN; AWSCURRENT unless a version or stage is named.",
        "Secrets Manager API: GetSecretValue",
        "src/emulators/secrets.rs::a_rotated_secret_shows_its_current_and_its_previous_value"),
    Claim::new("GetSecretValue",
        "Bytes travel as base64.",
        "Secrets Manager API: GetSecretValue",
        "src/emulators/secrets.rs::bytes_travel_as_base64"),
    Claim::new("GetSecretValue",
        "Unknown secrets, versions and stages, and secrets marked for deletion, are refused by name.",
        "Secrets Manager API: GetSecretValue, errors",
        "src/emulators/secrets.rs::what_is_not_there_or_marked_for_deletion_is_refused_by_name"),
];
