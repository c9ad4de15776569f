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

/// All emulators, in the order of the document.
pub const EMULATORS: &[Emulator] = &[super::jira::claims::JIRA];
