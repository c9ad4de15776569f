//! Coverage-guided fuzzing of one parser, which `ASAF_FUZZ` names; what must hold stands in `tests/parsers/holds.rs`.
#![no_main]

#[path = "../../tests/parsers/holds.rs"]
mod holds;

use std::sync::OnceLock;

use holds::TARGETS;

static HOLDS: OnceLock<fn(&[u8])> = OnceLock::new();

/// The parser that was asked for.
fn wanted() -> fn(&[u8]) {
    let name = std::env::var("ASAF_FUZZ").unwrap_or_default();
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    let names: Vec<&str> = TARGETS.iter().map(|(known, _)| *known).collect();
    match found {
        Some((_, holds)) => *holds,
        None => panic!("ASAF_FUZZ is one of {}", names.join(", ")),
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    HOLDS.get_or_init(wanted)(bytes);
});
