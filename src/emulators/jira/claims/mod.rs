//! What the emulated site claims to do, operation by operation, each with its source and its test.

mod issues;
mod people;
mod search;
mod workflows;

use crate::emulators::claims::{Claim, Emulator};

/// Jira Cloud.
pub const JIRA: Emulator = Emulator {
    name: "Jira Cloud",
    system: "jira",
    operations,
    claims: &CLAIMS,
};

/// Every operation that is not answered with 501, as it is counted for version 3; `2` and `latest` are the same.
pub fn operations() -> Vec<String> {
    super::route::operations()
}

const COUNT: usize =
    issues::CLAIMS.len() + search::CLAIMS.len() + people::CLAIMS.len() + workflows::CLAIMS.len();

const CLAIMS: [Claim; COUNT] = joined();

const fn joined() -> [Claim; COUNT] {
    let parts: [&[Claim]; 4] = [
        &issues::CLAIMS,
        &search::CLAIMS,
        &people::CLAIMS,
        &workflows::CLAIMS,
    ];
    let mut all = [issues::CLAIMS[0]; COUNT];
    let (mut part, mut at) = (0, 0);
    while part < parts.len() {
        let mut row = 0;
        while row < parts[part].len() {
            all[at] = parts[part][row];
            (at, row) = (at + 1, row + 1);
        }
        part += 1;
    }
    all
}

const fn claim(
    operation: &'static str,
    behaviour: &'static str,
    source: &'static str,
    test: &'static str,
) -> Claim {
    Claim {
        operation,
        behaviour,
        source,
        test,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{CLAIMS, operations};

    #[test]
    fn every_operation_is_claimed_and_nothing_else() {
        let claimed: BTreeSet<&str> = CLAIMS.iter().map(|claim| claim.operation).collect();
        let all = operations();
        let known: BTreeSet<&str> = all.iter().map(String::as_str).collect();
        let silent: Vec<_> = known.difference(&claimed).collect();
        let unknown: Vec<_> = claimed.difference(&known).collect();
        assert!(
            silent.is_empty() && unknown.is_empty(),
            "{silent:?} {unknown:?}"
        );
    }
}
