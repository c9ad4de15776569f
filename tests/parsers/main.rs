//! Every parser that meets outside bytes, on what it may be given, and on thousands of changes of that. With coverage
//! and for as long as wanted: `make fuzz`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod holds;

use std::fs;
use std::path::{Path, PathBuf};

use holds::{TARGETS, Target};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestError, TestRunner};

/// Changed inputs for each parser; `ASAF_CASES` asks for another number.
const CASES: u32 = 1_500;

/// Words that parsers treat in a special way, and those of attackers.
const WORDS: [&str; 30] = [
    "\"",
    "\\",
    "\\\"",
    "'",
    "\u{0}",
    "\u{1b}[2J",
    "\u{9b}",
    "\u{202e}",
    "\u{e000}",
    "\u{e001}",
    "\r\n",
    "{",
    "}",
    "[",
    "]",
    ",",
    "null",
    "-1",
    "1e999",
    "99999999999999999999",
    "\\ud800",
    "[[[[[[[[",
    "*",
    "**/",
    "{a,b}",
    "[!",
    "\" OR 1 = 1",
    "<!channel>",
    "](javascript:x)",
    "=cmd|",
];

/// One change of an input.
#[derive(Clone, Debug)]
enum Edit {
    Flip(Index, u8),
    Cut(Index, Index),
    Repeat(Index, Index),
    Word(Index, usize),
    /// The end of another input.
    Splice(Index, usize, Index),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let any = any::<Index>;
    let edit = prop_oneof![
        (any(), 1..=255_u8).prop_map(|(at, by)| Edit::Flip(at, by)),
        (any(), any()).prop_map(|(from, to)| Edit::Cut(from, to)),
        (any(), any()).prop_map(|(from, to)| Edit::Repeat(from, to)),
        (any(), 0..WORDS.len()).prop_map(|(at, word)| Edit::Word(at, word)),
        (any(), 0..64_usize, any()).prop_map(|(at, other, from)| Edit::Splice(at, other, from)),
    ];
    proptest::collection::vec(edit, 1..6)
}

fn edited(first: &[u8], edits: &[Edit], all: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = first.to_vec();
    for edit in edits {
        let place = |at: &Index, bytes: &[u8]| at.index(bytes.len() + 1);
        let span = |from: &Index, to: &Index, bytes: &[u8]| {
            let (from, to) = (place(from, bytes), place(to, bytes));
            (from.min(to), from.max(to))
        };
        match edit {
            Edit::Flip(at, by) => {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] ^= by;
                }
            }
            Edit::Cut(from, to) => {
                let (from, to) = span(from, to, &bytes);
                bytes.drain(from..to);
            }
            Edit::Repeat(from, to) => {
                let (from, to) = span(from, to, &bytes);
                let part = bytes[from..to].to_vec();
                bytes.splice(to..to, part);
            }
            Edit::Word(at, word) => {
                let at = place(at, &bytes);
                bytes.splice(at..at, WORDS[*word].bytes());
            }
            Edit::Splice(at, other, from) => {
                let other = &all[other % all.len()];
                let from = place(from, other);
                bytes.truncate(place(at, &bytes));
                bytes.extend_from_slice(&other[from..]);
            }
        }
        bytes.truncate(64 * 1024);
    }
    bytes
}

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The files of a folder and of those in it, in order. Samples of public places stand beside the repository where it was
/// made; the test passes without them.
fn files(folder: &Path, into: &mut Vec<Vec<u8>>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files(&path, into);
        } else if fs::metadata(&path).unwrap().len() <= 64 * 1024 {
            into.push(fs::read(&path).unwrap());
        }
    }
}

/// What a parser is given first.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    files(&root(&format!("fuzz/seeds/{name}")), &mut found);
    let more: &[&str] = match name {
        "asff" => &["fixtures/tickets", "../shared/data/samples/securityhub"],
        "rules" => &["fixtures/ignore"],
        "webhook" => &["../shared/data/samples/jira/webhooks"],
        "document" => &["templates"],
        _ => &[],
    };
    for folder in more {
        files(&root(folder), &mut found);
    }
    assert!(!found.is_empty(), "{name} has no seeds");
    found
}

/// Tries a parser; a change that breaks it is made as small as it can be.
fn tried((name, holds): Target, cases: u32) -> usize {
    let seeds = seeds(name);
    for seed in &seeds {
        holds(seed);
    }
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let inputs = (any::<Index>(), edits());
    let ended = runner.run(&inputs, |(seed, edits)| {
        holds(&edited(&seeds[seed.index(seeds.len())], &edits, &seeds));
        Ok(())
    });
    if let Err(TestError::Fail(why, (seed, edits))) = ended {
        let input = edited(&seeds[seed.index(seeds.len())], &edits, &seeds);
        panic!("{name}: {why}\n{}", String::from_utf8_lossy(&input));
    }
    seeds.len()
}

#[test]
fn threat_14_no_parser_fails_on_what_outsiders_send() {
    let asked = std::env::var("ASAF_CASES").ok();
    let cases: u32 = asked.map_or(CASES, |text| text.parse().unwrap());
    for target in TARGETS {
        let seeds = tried(target, cases);
        println!("{}: {seeds} seeds, {cases} changes of them", target.0);
    }
}
