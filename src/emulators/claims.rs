//! What the emulators claim to do, each with its source and its test: `docs/emulators.md` is made from these rows.

/// One claimed behaviour of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The operation's name as requests are counted, such as `GetFindings` or `POST /rest/api/3/issue/bulk`.
    pub operation: &'static str,
    /// One sentence.
    pub behaviour: &'static str,
    /// Where the vendor says so, or which recording shows it.
    pub source: &'static str,
    /// The file and the test that shows it, as `path::name`.
    pub test: &'static str,
}

impl Claim {
    /// A claim about an operation: what it does, who says so, and which test shows it.
    pub const fn new(
        operation: &'static str,
        behaviour: &'static str,
        source: &'static str,
        test: &'static str,
    ) -> Self {
        Claim {
            operation,
            behaviour,
            source,
            test,
        }
    }
}

/// An emulator: its operations, and what it claims of them.
#[derive(Clone, Copy, Debug)]
pub struct Emulator {
    /// As a heading.
    pub name: &'static str,
    /// Every operation that is not answered with 501.
    pub operations: fn() -> Vec<String>,
    /// What is claimed.
    pub claims: &'static [Claim],
}

/// The emulators, in the order of `docs/emulators.md`.
pub const EMULATORS: &[Emulator] = &[
    Emulator {
        name: "Security Hub",
        operations: super::security_hub::claims::operations,
        claims: super::security_hub::claims::CLAIMS,
    },
    Emulator {
        name: "AWS Config",
        operations: super::config::claims::operations,
        claims: super::config::claims::CLAIMS,
    },
    Emulator {
        name: "EventBridge",
        operations: super::aws::claims::operations,
        claims: super::aws::claims::CLAIMS,
    },
    Emulator {
        name: "SQS",
        operations: super::sqs::claims::operations,
        claims: super::sqs::claims::CLAIMS,
    },
    Emulator {
        name: "Organizations",
        operations: super::organizations::claims::operations,
        claims: super::organizations::claims::CLAIMS,
    },
    Emulator {
        name: "STS",
        operations: super::sts::claims::operations,
        claims: super::sts::claims::CLAIMS,
    },
    Emulator {
        name: "IAM",
        operations: super::iam::claims::operations,
        claims: super::iam::claims::CLAIMS,
    },
    Emulator {
        name: "Secrets Manager",
        operations: super::secrets::claims::operations,
        claims: super::secrets::claims::CLAIMS,
    },
    super::jira::claims::JIRA,
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::EMULATORS;

    #[test]
    fn every_operation_is_claimed_and_every_claim_has_a_source_and_a_test() {
        for emulator in EMULATORS {
            let operations: BTreeSet<String> = (emulator.operations)().into_iter().collect();
            let claimed: BTreeSet<String> = emulator
                .claims
                .iter()
                .map(|claim| claim.operation.to_owned())
                .collect();
            assert_eq!(operations, claimed, "{}", emulator.name);
            for claim in emulator.claims {
                assert!(!claim.behaviour.is_empty() && !claim.source.is_empty());
                let (path, name) = claim.test.split_once("::").unwrap();
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
                let text = std::fs::read_to_string(&path)
                    .unwrap_or_else(|error| panic!("{}: {error}", claim.test));
                assert!(
                    text.contains(&format!("fn {name}()")),
                    "{} does not exist",
                    claim.test
                );
            }
        }
    }
}
