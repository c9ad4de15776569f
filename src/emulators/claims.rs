//! What the emulators claim to do, each with its source and its test: `docs/emulators.md` is made from these rows.

use std::fmt::Write as _;

use super::{
    aws, config, github, iam, jira, organizations, secrets, security_hub, slack, sqs, sts,
};

/// One claimed behaviour of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
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
    /// The side of the world that it is on: `aws`, `jira`, `slack` or `github`.
    pub system: &'static str,
    /// Every operation that is not answered with 501.
    pub operations: fn() -> Vec<String>,
    /// What is claimed.
    pub claims: &'static [Claim],
}

/// The emulators, in the order of `docs/emulators.md`.
pub const EMULATORS: &[Emulator] = &[
    Emulator {
        name: "Security Hub",
        system: "aws",
        operations: security_hub::claims::operations,
        claims: security_hub::claims::CLAIMS,
    },
    Emulator {
        name: "AWS Config",
        system: "aws",
        operations: config::claims::operations,
        claims: config::claims::CLAIMS,
    },
    Emulator {
        name: "EventBridge",
        system: "aws",
        operations: aws::claims::operations,
        claims: aws::claims::CLAIMS,
    },
    Emulator {
        name: "SQS",
        system: "aws",
        operations: sqs::claims::operations,
        claims: sqs::claims::CLAIMS,
    },
    Emulator {
        name: "Organizations",
        system: "aws",
        operations: organizations::claims::operations,
        claims: organizations::claims::CLAIMS,
    },
    Emulator {
        name: "STS",
        system: "aws",
        operations: sts::claims::operations,
        claims: sts::claims::CLAIMS,
    },
    Emulator {
        name: "IAM",
        system: "aws",
        operations: iam::claims::operations,
        claims: iam::claims::CLAIMS,
    },
    Emulator {
        name: "Secrets Manager",
        system: "aws",
        operations: secrets::claims::operations,
        claims: secrets::claims::CLAIMS,
    },
    jira::claims::JIRA,
    slack::claims::SLACK,
    github::claims::EMULATOR,
];

/// The operations of all emulators of a system.
pub fn operations_of(system: &str) -> Vec<String> {
    let own = EMULATORS.iter().filter(|one| one.system == system);
    own.flat_map(|one| (one.operations)()).collect()
}

/// `docs/emulators.md`.
pub fn page() -> String {
    let mut page = String::from(
        "# What the emulators do\n\n\
         Made from the tables in `src/emulators` by `ASAF_BLESS=1 cargo test --test emulator_claims`; a test compares.\n\
         Each claim names where the vendor says so and the test that shows it. Every other operation is answered with\n\
         501 and a sentence. How to start and drive them: [emulate.md](emulate.md).\n",
    );
    for emulator in EMULATORS {
        let operations = (emulator.operations)();
        let _ = write!(
            page,
            "\n## {}\n\n{} operations, {} claims.\n",
            emulator.name,
            operations.len(),
            emulator.claims.len()
        );
        for operation in &operations {
            let _ = write!(
                page,
                "\n### `{operation}`\n\n| behaviour | source | test |\n|---|---|---|\n"
            );
            let claims = emulator.claims.iter();
            for claim in claims.filter(|claim| claim.operation == operation) {
                let [behaviour, source] = [claim.behaviour, claim.source].map(cell);
                let _ = writeln!(page, "| {behaviour} | {source} | `{}` |", claim.test);
            }
        }
    }
    page
}

/// A pipe would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
