//! What the machine does to the real binary: it is frozen, its disk is full, read-only or damaged, its connections are
//! cut. Nothing is guessed, nothing is made twice, and what to do is said.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "../serving/mod.rs"]
mod serving;
mod wire;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serving::runs::{Runs, Said};
use serving::{Serve, until};
use wire::Wire;

const RUN: [&str; 2] = ["reconcile", "--full"];

/// How long the process is frozen; `ASAF_FREEZE_S` asks for longer than a claim on work lasts (ten minutes).
fn freeze() -> Duration {
    let asked = std::env::var("ASAF_FREEZE_S").ok();
    Duration::from_secs(asked.map_or(3, |text| text.parse().unwrap()))
}

/// It failed, and said which file is to blame and what to do.
fn names(said: &Said, path: &Path, words: &[&str]) {
    assert_eq!(said.code, Some(1), "{said:?}");
    let path = path.display().to_string();
    for wanted in [path.as_str()].iter().chain(words) {
        assert!(said.err.contains(wanted), "{wanted}: {said:?}");
    }
}

#[test]
fn a_frozen_process_keeps_others_out_and_does_no_harm_when_it_wakes() {
    let mut wires = Vec::new();
    let runs = Runs::new(2, 60, |world, text| {
        let aws = world.ready["aws"].as_str().unwrap().to_owned();
        wires.push(Wire::to(&aws));
        let text = text.replace(&aws, &wires[0].address);
        format!("{text}\n[webhook]\nsecrets = [\"env:HOOK\"]\n")
    });
    let (wire, world) = (&wires[0], &runs.world);
    let settled = runs.settle();
    let config = fs::read_to_string(runs.folder.join("asaf.toml")).unwrap();
    let serve = Serve::start(&runs.folder, &config, &world.env());
    world.register(&serve.address, serving::SECRET);
    let tickets = world.tickets();
    assert!(settled > 30 && tickets.len() > 30, "{settled}");
    let resolved = || {
        let found = world.shown("/state/findings?workflow=RESOLVED&limit=1");
        found["total"].as_u64().unwrap()
    };
    let before = resolved();
    // In the middle of a batch, its answer on the way.
    wire.hold();
    for ticket in &tickets[..6] {
        world.move_ticket("product", ticket, "Resolved");
    }
    until(|| (wire.waiting() > 0).then_some(()));
    serve.signal("STOP");
    wire.let_go();
    let locked = runs.asaf(&RUN);
    names(&locked, &runs.store(), &["another asaf process"]);
    world.move_ticket("reviewer", &tickets[0], "Open");
    std::thread::sleep(freeze());
    serve.signal("CONT");
    until(|| (resolved() == before + 5).then_some(()));
    assert_eq!(world.status(&tickets[0]), "Open");
    serving::world::settled(world, serve, &runs.folder);
    runs.settle();
}

/// A run that may write no file larger than this; writing more is an error, not a signal.
fn run_within(runs: &Runs, kib: u32) -> Said {
    let script = "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"";
    let limit = kib.to_string();
    let binary = serving::BINARY;
    let mut args = vec!["-c", script, &limit, binary];
    args.extend(RUN);
    let mut command = runs.dressed(Path::new("bash"), &args);
    command.output().unwrap().into()
}

#[test]
fn a_full_disk_at_any_moment_is_said_and_makes_nothing_twice() {
    let runs = Runs::new(4, 300, |_, text| text);
    let mut failed = 0;
    for kib in [0, 16, 64, 128, 256, 400, 600, 900, 1_300] {
        let said = run_within(&runs, kib);
        if said.code != Some(0) {
            names(&said, &runs.store(), &["free space"]);
            failed += 1;
        }
    }
    println!("{failed} runs met a full disk");
    assert!(failed >= 5, "{failed}");
    assert!(runs.settle() > 200);
}

/// A file system of so many KiB, where the system lets us make one.
struct Small<'a>(&'a Path);

impl<'a> Small<'a> {
    fn mount(at: &'a Path, kib: u32) -> Option<Self> {
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"])
            .arg(at)
            .output();
        let mounted = done.is_ok_and(|done| done.status.success());
        mounted.then_some(Small(at))
    }

    fn again(&self, options: &str) {
        let options = format!("remount,{options}");
        let mut mount = Command::new("mount");
        let done = mount.args(["-o", &options]).arg(self.0).status();
        assert!(done.unwrap().success());
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn a_small_file_system_fills_up_and_goes_on_when_it_has_grown() {
    let runs = Runs::new(4, 300, |_, text| {
        text.replace("asaf.sqlite3", "disk/asaf.sqlite3")
    });
    let (disk, store) = (
        runs.folder.join("disk"),
        runs.folder.join("disk/asaf.sqlite3"),
    );
    fs::create_dir(&disk).unwrap();
    let Some(small) = Small::mount(&disk, 64) else {
        println!("skipped: this user may not mount a file system");
        return;
    };
    let mut failed = 0;
    for kib in [128, 384, 768, 1_200] {
        small.again(&format!("size={kib}k"));
        let said = runs.asaf(&RUN);
        if said.code != Some(0) {
            names(&said, &store, &["free space"]);
            failed += 1;
        }
    }
    assert!(failed >= 2, "{failed}");
    small.again("size=64m");
    assert!(runs.settle() > 200);
    small.again("ro");
    let before = runs.requests();
    names(&runs.asaf(&RUN), &store, &["permissions"]);
    assert_eq!(runs.requests(), before);
}

#[test]
fn a_store_that_may_not_be_written_is_said_before_anything_is_sent() {
    let runs = Runs::new(1, 20, |_, text| {
        text.replace("asaf.sqlite3", "kept/asaf.sqlite3")
    });
    let (kept, store) = (
        runs.folder.join("kept"),
        runs.folder.join("kept/asaf.sqlite3"),
    );
    fs::create_dir(&kept).unwrap();
    runs.settle();
    let Some(nobody) = Nobody::of(&runs) else {
        println!("skipped: nobody may not run the binary here");
        return;
    };
    allow(&kept, 0o555);
    for file in fs::read_dir(&kept).unwrap() {
        allow(&file.unwrap().path(), 0o444);
    }
    let before = runs.requests();
    for args in [&RUN[..], &["plan", "--full"]] {
        names(&nobody.asaf(&runs, args), &store, &["permissions"]);
    }
    assert_eq!(runs.requests(), before);
    allow(&kept, 0o755);
    runs.settle();
}

fn allow(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A user whom permissions bind: ourselves, or where we are root, nobody.
struct Nobody {
    binary: std::path::PathBuf,
    is_root: bool,
}

impl Nobody {
    fn of(runs: &Runs) -> Option<Self> {
        let id = Command::new("id").arg("-u").output().unwrap().stdout;
        let is_root = id == b"0\n";
        let mut binary = Path::new(serving::BINARY).to_owned();
        if is_root {
            binary = runs.folder.join("asaf");
            fs::hard_link(serving::BINARY, &binary)
                .or_else(|_| fs::copy(serving::BINARY, &binary).map(drop))
                .unwrap();
            for path in [&runs.folder, runs.folder.parent().unwrap(), &binary] {
                allow(path, 0o755);
            }
            allow(&runs.folder.join("token"), 0o644);
        }
        let nobody = Nobody { binary, is_root };
        let said = nobody.asaf(runs, &["--version"]);
        (said.code == Some(0)).then_some(nobody)
    }

    fn asaf(&self, runs: &Runs, args: &[&str]) -> Said {
        use std::os::unix::process::CommandExt as _;
        let mut command = runs.dressed(&self.binary, args);
        if self.is_root {
            command.uid(65_534).gid(65_534).current_dir("/");
        }
        command.output().map_or_else(
            |error| Said {
                code: None,
                out: String::new(),
                err: error.to_string(),
            },
            Said::from,
        )
    }
}

const PAGE: usize = 4_096;

#[test]
fn a_damaged_store_is_refused_by_name_and_nothing_is_sent() {
    let runs = Runs::new(2, 120, |_, text| text);
    let tickets = runs.settle();
    let store = runs.store();
    let sound = fs::read(&store).unwrap();
    let pages = sound.len() / PAGE;
    assert!(pages > 40, "{pages}");
    let mut damages: Vec<(String, Vec<u8>)> = Vec::new();
    for page in 0..pages {
        let mut bytes = sound.clone();
        bytes[page * PAGE..(page + 1) * PAGE].fill(0);
        damages.push((format!("page {page} is empty"), bytes));
    }
    let mut other = sound.clone();
    let key = find(&sound, b"\"key\":\"SEC-").unwrap() + 11;
    other[key] = if other[key] == b'9' { b'8' } else { b'9' };
    damages.push(("a link names another ticket".to_owned(), other));
    damages.push((
        "it is cut short".to_owned(),
        sound[..sound.len() / 2].to_vec(),
    ));
    damages.push((
        "it is something else".to_owned(),
        b"not a database at all".repeat(500),
    ));
    let before = runs.changes();
    let mut unharmed = 0;
    for (n, (what, bytes)) in damages.iter().enumerate() {
        // Every page would take minutes: each third, and all that is not a page.
        if n < pages && n % 3 != 0 {
            continue;
        }
        fs::write(&store, bytes).unwrap();
        for beside in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{beside}", store.display()));
        }
        let said = runs.asaf(&RUN);
        if said.code == Some(0) && n < pages {
            // A page that nothing uses.
            unharmed += 1;
            continue;
        }
        assert!(said.err.contains("docs/backup.md"), "{what}: {said:?}");
        names(&said, &store, &[]);
    }
    println!(
        "{} kinds of damage, {unharmed} of them to free pages",
        damages.len()
    );
    assert!(unharmed <= 2, "{unharmed}");
    assert_eq!(runs.changes(), before);
    fs::write(&store, &sound).unwrap();
    assert_eq!(runs.settle(), tickets);
    // What the message proposes works.
    fs::remove_file(&store).unwrap();
    assert_eq!(runs.settle(), tickets);
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|some| some == what)
}

#[test]
fn connections_that_are_cut_anywhere_lose_nothing_and_double_nothing() {
    let mut wires = Vec::new();
    let runs = Runs::new(4, 120, |world, mut text| {
        for side in ["aws", "jira"] {
            let there = world.ready[side].as_str().unwrap().to_owned();
            let wire = Wire::to(&there);
            text = text.replace(&there, &wire.address);
            wires.push(wire);
        }
        text
    });
    let cuts = || wires.iter().map(Wire::cuts).sum::<u64>();
    for bytes in [40_000, 150_000, 400_000] {
        wires.iter().for_each(|wire| wire.cut_within(bytes));
        let said = runs.asaf(&RUN);
        assert!(said.code.is_some_and(|code| code <= 5), "{said:?}");
    }
    println!("{} connections were cut", cuts());
    assert!(cuts() >= 6, "{}", cuts());
    wires.iter().for_each(|wire| wire.cut_within(0));
    assert!(runs.settle() > 80);
}
