//! The emulated GitHub, checked with PyGithub.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod desk;

use std::path::Path;
use std::process::Command;

use desk::{Emulators, said};

#[test]
fn pygithub_finds_what_it_expects() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("target/venv/bin/python");
    let found =
        python.exists() && said(Command::new(&python).args(["-c", "import github"])).code == 0;
    if !found {
        let required =
            std::env::var_os("CI").is_some() || std::env::var_os("ASAF_REQUIRE_CONTRACT").is_some();
        assert!(
            !required,
            "PyGithub is missing in target/venv: run `make setup`"
        );
        println!("skipped: PyGithub is missing in target/venv; `make setup` installs it");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let _emulators = Emulators::start(folder.path(), 1, 0);
    let script = root.join("tests/contract/github_pygithub.py");
    let done = said(
        Command::new(python)
            .arg(script)
            .arg(folder.path().join("ready.json")),
    );
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    println!("{}", done.out);
}
