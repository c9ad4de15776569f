//! Findings from files, as `asaf findings check` and `--findings` read them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::{Path, PathBuf};

use asaf::read::files::read_paths;

fn samples() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/samples");
    if path.is_dir() {
        return Some(path);
    }
    println!("the public samples are not here: skipped");
    None
}

#[test]
fn x() {
    let Some(samples) = samples() else { return };
    let r = read_paths(&[samples.join("asff")]);
    println!("{} findings", r.findings.len());
    for e in &r.errors {
        println!("E {:?}", e);
    }
    let mut n = std::collections::BTreeMap::new();
    for w in &r.warnings {
        *n.entry((w.field.clone(), w.problem.clone())).or_insert(0) += 1;
    }
    for (k, v) in n {
        println!("W {v} {k:?}");
    }
    for f in r.findings.iter().step_by(17) {
        println!(
            "{:?} {} {} {:?} {:?}",
            f.product,
            f.alias.account,
            f.rule.id,
            f.state(),
            f.evidence
        );
    }
    for d in ["ocsf", "scc"] {
        let r = read_paths(&[samples.join(d)]);
        println!("{d} {} {}", r.findings.len(), r.errors.len());
        for e in r.findings.iter().take(3) {
            println!("{e:?}");
        }
        for e in r.errors.iter().take(3) {
            println!("{e:?}");
        }
    }
}
