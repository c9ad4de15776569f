//! One run after another of the real binary against an emulated world, with a store of their own.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::world::Emulators;
use super::{BINARY, SECRET};

/// A create in doubt is settled once the quarantine of the world's configuration, 2 s, is over.
const PAST_THE_QUARANTINE: Duration = Duration::from_millis(2_200);

/// A world, and a folder with a configuration and a store.
pub(crate) struct Runs {
    pub(crate) world: Emulators,
    pub(crate) folder: PathBuf,
    _both: tempfile::TempDir,
}

/// What a process said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said {
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }
}

impl Runs {
    /// So many accounts and findings; `change` is handed the configuration's text.
    pub(crate) fn new(
        accounts: usize,
        findings: usize,
        change: impl FnOnce(&Emulators, String) -> String,
    ) -> Self {
        let both = tempfile::tempdir().unwrap();
        let folder = both.path().join("asaf");
        std::fs::create_dir(&folder).unwrap();
        let world = Emulators::start(&folder, accounts, findings);
        let config = change(&world, world.config(""));
        std::fs::write(folder.join("asaf.toml"), config).unwrap();
        Runs {
            world,
            folder,
            _both: both,
        }
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.join("asaf.sqlite3")
    }

    /// `asaf` with this world's configuration and environment.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.dressed(Path::new(BINARY), args)
    }

    /// A program with this world's configuration and environment.
    pub(crate) fn dressed(&self, program: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .env("ASAF_CONFIG", self.folder.join("asaf.toml"))
            .env("HOOK", SECRET)
            .envs(self.world.env())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn asaf(&self, args: &[&str]) -> Said {
        self.command(args).output().unwrap().into()
    }

    /// Requests to Jira and AWS until now.
    pub(crate) fn requests(&self) -> u64 {
        let shown = self.world.shown("/requests");
        let of = |side: &str| -> u64 {
            let counts = shown[side].as_object().unwrap().values();
            counts.filter_map(Value::as_u64).sum()
        };
        of("aws") + of("jira")
    }

    /// Changes in the world until now, whoever made them.
    pub(crate) fn changes(&self) -> usize {
        let mut count = 0;
        loop {
            let shown = self
                .world
                .shown(&format!("/journal?after={count}&limit=1000"));
            count += shown["entries"].as_array().unwrap().len();
            if shown["more"] != true {
                return count;
            }
        }
    }

    /// Runs until one plans nothing and holds nothing; then no invariant is broken and the store is sound. Returns how
    /// many tickets there are.
    pub(crate) fn settle(&self) -> u64 {
        let mut last = Value::Null;
        for _ in 0..10 {
            std::thread::sleep(PAST_THE_QUARANTINE);
            let said = self.asaf(&["reconcile", "--full", "--output", "json"]);
            last = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}"));
            let none = |what: &str| last["plan"][what].as_array().unwrap().is_empty();
            if said.code == Some(0) && none("actions") && none("held") {
                break;
            }
        }
        assert_eq!(last["plan"]["actions"], json!([]), "{last}");
        assert_eq!(last["plan"]["held"], json!([]), "{last}");
        assert_eq!(self.world.violations(), json!([]));
        let verified = self.asaf(&["store", "verify"]);
        assert_eq!(verified.code, Some(0), "{verified:?}");
        last["plan"]["seen"]["tickets"].as_u64().unwrap()
    }
}
