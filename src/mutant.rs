//! Defects on purpose, by name, so that the simulation can show that it would notice them. Nothing of this is compiled
//! without the feature `mutants`, which nothing that ships has: then [`is`] is `false`, and so is every branch on it.

/// Every mutant, and the promise that it breaks.
pub const ALL: &[(&str, &str)] = &[
    ("no-intent", "a create is noted before it is sent"),
    ("no-fence", "a worker that lost its claim ends nothing"),
    ("no-merge", "findings of one thing share one ticket"),
    ("product-close-accepted", "only reviewers close"),
    ("no-resync", "scheduled runs find what no event told"),
    (
        "close-of-earlier-episode",
        "a decision counts for its own episode",
    ),
    (
        "unconditional-write",
        "only a difference by value is written",
    ),
    ("ambiguous-is-failure", "no answer to a create means doubt"),
    (
        "deleted-stays-deleted",
        "a ticket that a person deleted comes back while the finding fails",
    ),
    ("lock-is-shared", "one process has the store"),
    (
        "no-recheck",
        "RESOLVED on what still fails is looked at again",
    ),
    (
        "no-write-in-flight",
        "reads that are older than our write are known to be",
    ),
    (
        "older-read-believed",
        "a read that is older than one already seen begins nothing",
    ),
    (
        "absent-once-is-gone",
        "absence from one listing proves nothing",
    ),
    ("absent-never-gone", "what expired is gone in the end"),
    (
        "unknown-is-deleted",
        "nothing is deleted without proof that its resource is",
    ),
    (
        "threshold-on-closing",
        "no filter drops what closes a ticket",
    ),
    (
        "no-compliance-passes",
        "a product without compliance fails while it is active",
    ),
    (
        "retry-after-ignored",
        "nothing is sent inside a Retry-After window",
    ),
    ("no-adoption", "an empty store takes existing tickets over"),
    (
        "hub-forgotten",
        "Security Hub's own record of a ticket is asked before a create",
    ),
    ("comment-again", "a retry repeats no comment"),
    ("no-damping", "the engine does not fight people"),
];

#[cfg(feature = "mutants")]
static PRESENT: std::sync::RwLock<Option<&'static str>> = std::sync::RwLock::new(None);

/// The engine has this defect now.
#[cfg(feature = "mutants")]
pub fn is(name: &str) -> bool {
    debug_assert!(ALL.iter().any(|(known, _)| *known == name), "{name}");
    let present = PRESENT.read();
    *present.unwrap_or_else(std::sync::PoisonError::into_inner) == Some(name)
}

/// The engine has no such defect.
#[cfg(not(feature = "mutants"))]
#[inline(always)]
pub const fn is(_name: &str) -> bool {
    false
}

/// Gives the engine of this process one defect, or none.
#[cfg(feature = "mutants")]
pub fn set(name: Option<&'static str>) {
    *PRESENT
        .write()
        .unwrap_or_else(std::sync::PoisonError::into_inner) = name;
}
