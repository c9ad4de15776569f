//! The order of events of one seed: who makes the next step, and what becomes of it.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};

use asaf::config::Config;
use asaf::emulators::journal::Actor;
use asaf::store::sqlite::Sqlite;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::counts::Counts;
use super::dice::Dice;
use super::door::{Door, Step, Verdict};
use super::outage::Outage;
use super::outside::{Outside, may_ask_to_wait};
use super::process::{Birth, Living, Said, live};
use super::rest::until_rest;
use super::swarm::{Swarm, arm};
use super::{Case, Outcome, acts};
use crate::scene::Scene;

/// More steps than this between two rests are a loop.
const STEPS_MOST: u32 = 10_000;
/// A late request takes effect within this.
const LATE_S: i64 = 180;

/// The file of a new store: making it takes longer than many a history.
static NEW_STORE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("asaf.sqlite3");
    drop(Sqlite::open_in_place(&path).unwrap());
    std::fs::read(path).unwrap()
});

/// One life of a process.
pub(crate) struct Life {
    living: Living,
    door: Door,
    clock: Arc<Mutex<Timestamp>>,
    skew: SignedDuration,
    paused_until: Option<Timestamp>,
    reloads: Arc<Mutex<u32>>,
    said: Arc<Mutex<Vec<Said>>>,
    /// Where in the journal its present run began.
    pub(crate) run_from: usize,
}

/// One of the two processes.
struct Slot {
    life: Option<Life>,
    starts_at: Timestamp,
}

pub(crate) struct Stage {
    pub(crate) scene: Scene,
    pub(crate) dice: Dice,
    pub(crate) swarm: Swarm,
    pub(crate) counts: Counts,
    pub(crate) violations: Vec<String>,
    pub(crate) outside: Outside,
    slots: [Slot; 2],
    configs: Vec<Arc<Config>>,
    file: Arc<Mutex<Arc<Config>>>,
    backup: Option<PathBuf>,
    hash: Sha256,
    print: bool,
    /// Where in the journal each run began and ended.
    pub(crate) runs: Vec<(usize, usize)>,
    /// When a process was born, its clock jumped, or an answer was lost that may have asked it to wait: it knows of no
    /// Retry-After, or misjudges it.
    pub(crate) forgets: Vec<Timestamp>,
    /// Receipts or the whole store were lost.
    pub(crate) store_was_lost: bool,
    pub(crate) slack: Outage,
}

impl Stage {
    pub(crate) fn new(case: Case, print: bool) -> Self {
        let mut dice = Dice::new(case.seed);
        let mut swarm = Swarm::of(&mut dice, case.mode);
        if case.shares {
            swarm.share(case.seed);
        }
        if swarm.restore + swarm.store_lost > 0 {
            // Without its store the engine knows tickets by their labels alone.
            swarm.keep_labels();
        }
        let texts = RefCell::new(Vec::new());
        let mut scene = Scene::with(swarm.accounts, swarm.findings, |text| {
            *text = text
                .replace("create_quarantine = \"2s\"", "create_quarantine = \"15m\"")
                .replace(
                    "unlimited = true",
                    &format!("unlimited = {}", !swarm.budgets),
                );
            if swarm.shares {
                let policy = "[policy]\nconsolidate = \"account_control\"\n\n[owners]";
                *text = text.replacen("[owners]", policy, 1);
            }
            for (full, incremental) in [("24h", "15m"), ("6h", "1h")] {
                let run = format!(
                    "[run]\nfull_every = \"{full}\"\nincremental_every = \"{incremental}\"\n"
                );
                texts.borrow_mut().push(text.replace("[run]\n", &run));
            }
            *text = texts.borrow()[0].clone();
        });
        scene.opens = Sqlite::open_in_place;
        let path = scene.folder.path().join("asaf.toml");
        let configs: Vec<Arc<Config>> = texts
            .borrow()
            .iter()
            .map(|text| Arc::new(Config::parse(text, &path).unwrap()))
            .collect();
        {
            let mut world = scene.world.lock();
            world.set_quotas(swarm.budgets);
            arm(&mut world, &mut dice);
        }
        let now = scene.clock.now();
        let slot = |starts_at| Slot {
            life: None,
            starts_at,
        };
        let second = now + SignedDuration::from_mins(dice.between(0, 120));
        Stage {
            slots: [slot(now), slot(second)],
            file: Arc::new(Mutex::new(configs[0].clone())),
            configs,
            scene,
            dice,
            swarm,
            counts: Counts::default(),
            violations: Vec::new(),
            outside: Outside::default(),
            backup: None,
            hash: Sha256::new(),
            print,
            runs: Vec::new(),
            forgets: Vec::new(),
            store_was_lost: false,
            slack: Outage::new(case.seed),
        }
    }

    pub(crate) fn note(&mut self, line: &str) {
        let now = self.scene.clock.now();
        self.hash.update(format!("{now} {line}\n"));
        if self.print {
            println!("{} {line}", now.strftime("%dT%H:%M:%S"));
        }
    }

    /// The part of the history with trouble.
    pub(crate) async fn play(&mut self) {
        let begun = self.scene.clock.now();
        if self.print {
            println!("{:?}", self.swarm);
        }
        for _ in 0..self.swarm.rounds {
            self.slack_comes_and_goes();
            self.between_runs().await;
            self.work().await;
            let wait = match self.dice.below(4) {
                0 | 1 => self.dice.between(20, 600),
                2 => self.dice.between(600, 5_400),
                _ => self.dice.between(10_000, 36_000),
            };
            self.scene
                .world
                .lock()
                .advance(SignedDuration::from_secs(wait));
        }
        for n in 0..2 {
            self.end(n, "is ended");
        }
        let lived = self.scene.clock.now().duration_since(begun);
        self.counts.hours += lived.as_hours().unsigned_abs();
    }

    fn slack_comes_and_goes(&mut self) {
        let world = self.scene.world.clone();
        if let Some(what) = self
            .slack
            .turn(&mut world.lock().slack, self.scene.clock.now())
        {
            self.counts.fault(what);
            self.note(what);
        }
    }

    /// Acts, starts, reloads, jumps, backups.
    async fn between_runs(&mut self) {
        for _ in 0..self.dice.below(4) {
            self.act();
        }
        let now = self.scene.clock.now();
        for n in 0..2 {
            if self.slots[n].life.is_none() && self.slots[n].starts_at <= now {
                self.start(n).await;
            }
            let (reload, jump) = (self.swarm.reload, self.swarm.jump);
            if self.dice.permille(reload) && self.slots[n].life.is_some() {
                *self.file.lock().unwrap() = self.dice.pick(&self.configs);
                if let Some(life) = &self.slots[n].life {
                    *life.reloads.lock().unwrap() += 1;
                }
                self.note(&format!("process {n} is told to read its configuration"));
            }
            if self.dice.permille(jump) && self.slots[n].life.is_some() {
                let skew = SignedDuration::from_secs(self.dice.between(-600, 600));
                self.forgets.push(now);
                self.slack.may_double = true;
                if let Some(life) = &mut self.slots[n].life {
                    life.skew = skew;
                    *life.clock.lock().unwrap() = now + skew;
                }
                self.counts.fault("clock jumped");
                self.note(&format!("the clock of process {n} is off by {skew}"));
            }
        }
        self.keep_and_restore().await;
    }

    async fn keep_and_restore(&mut self) {
        let path = self.scene.store_path();
        let (backup, restore, lost) =
            (self.swarm.backup, self.swarm.restore, self.swarm.store_lost);
        if self.dice.permille(backup) && path.exists() {
            let to = self.scene.folder.path().join("backup.sqlite3");
            let _ = std::fs::remove_file(&to);
            self.scene.back_up_beside(&to).await;
            self.backup = Some(to);
            self.note("a backup is made");
        }
        let restored = self.backup.clone().filter(|_| self.dice.permille(restore));
        let is_lost = self.dice.permille(lost);
        if restored.is_none() && !is_lost {
            return;
        }
        for n in 0..2 {
            self.end(n, "is ended for its store");
        }
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", path.display()));
        }
        self.store_was_lost = true;
        self.slack.may_double = true;
        match restored {
            Some(backup) => {
                std::fs::copy(backup, &path).unwrap();
                self.counts.fault("store restored");
                self.note("the backup is restored");
            }
            None => {
                self.counts.fault("store lost");
                self.note("the store is lost");
            }
        }
        for n in 0..2 {
            self.start(n).await;
        }
    }

    pub(crate) fn act(&mut self) {
        let mut world = self.scene.world.lock();
        let done = acts::act(&mut world, &self.swarm.acts, &mut self.dice);
        drop(world);
        if let Some(said) = done {
            let verb = said.split('"').nth(3).unwrap_or_default().to_owned();
            self.counts.reach(&format!("act {verb}"));
            self.note(&said);
        }
    }

    /// Where there is no store, a new one.
    pub(crate) fn begin_store(&self) {
        let path = self.scene.store_path();
        if !path.exists() {
            std::fs::write(&path, &*NEW_STORE).unwrap();
        }
    }

    async fn start(&mut self, n: usize) {
        let now = self.scene.clock.now();
        self.begin_store();
        let (door, clock) = (Door::default(), Arc::new(Mutex::new(now)));
        let (reloads, said) = (Arc::default(), Arc::default());
        let birth = Birth {
            kind: self.swarm.kinds[n],
            world: self.scene.world.clone(),
            door: door.clone(),
            store: self.scene.store_path(),
            file: self.file.clone(),
            reloads: Arc::clone(&reloads),
            clock: clock.clone(),
            tells: self.slack.is_on(),
            said: Arc::clone(&said),
        };
        let run_from = self.scene.world.lock().journal.entries.len();
        self.forgets.push(now);
        self.slots[n].life = Some(Life {
            living: Box::pin(live(birth)),
            door,
            clock,
            skew: SignedDuration::ZERO,
            paused_until: None,
            reloads,
            said,
            run_from,
        });
        self.note(&format!("process {n} starts"));
        self.poll(n).await;
    }

    /// A process ends, however far it was: its memory is gone.
    fn end(&mut self, n: usize, how: &str) {
        let Some(life) = self.slots[n].life.take() else {
            return;
        };
        let from = life.run_from;
        drop(life);
        self.close_run(from);
        self.scene.world.lock().journal.lose(from);
        self.outside.gone(n);
        let wait = self.dice.between(0, 1_800);
        self.slots[n].starts_at = self.scene.clock.now() + SignedDuration::from_secs(wait);
        self.note(&format!("process {n} {how}"));
    }

    fn close_run(&mut self, from: usize) {
        let to = self.scene.world.lock().journal.entries.len();
        self.runs.push((from, to));
    }

    /// Steps until nobody has anything to do.
    async fn work(&mut self) {
        for n in 0..2 {
            self.wake(n).await;
        }
        for _ in 0..STEPS_MOST {
            if self.outside.arrive(&self.scene.world, &mut self.counts) {
                self.forgets.push(self.scene.clock.now());
            }
            self.outside.hear(
                &self.scene.world,
                &self.swarm,
                &mut self.dice,
                &mut self.counts,
            );
            let ready: Vec<(usize, u64, Step)> = (0..2).flat_map(|n| self.ready(n)).collect();
            if ready.is_empty() {
                return;
            }
            let (n, id, step) = self.dice.pick(&ready);
            self.step(n, id, &step).await;
            let between = self.swarm.act_between;
            if self.dice.permille(between) {
                self.act();
            }
        }
        self.violations
            .push(format!("L1: {STEPS_MOST} steps, and still no rest"));
    }

    /// Whoever waits for time or for the store looks again.
    async fn wake(&mut self, n: usize) {
        let Some(life) = &self.slots[n].life else {
            return;
        };
        let waits = |step: &Step| matches!(step, Step::Idle | Step::Locked);
        let steps = life.door.steps();
        let waiting: Vec<u64> = steps
            .iter()
            .filter(|(_, step)| waits(step))
            .map(|(id, _)| *id)
            .collect();
        if !waiting.is_empty() {
            waiting
                .iter()
                .for_each(|id| life.door.decide(*id, Verdict::Go));
            self.poll(n).await;
        }
    }

    /// The steps that a process could make now.
    fn ready(&mut self, n: usize) -> Vec<(usize, u64, Step)> {
        let now = self.scene.clock.now();
        let Some(life) = &mut self.slots[n].life else {
            return Vec::new();
        };
        if life.paused_until.is_some_and(|until| now < until) {
            return Vec::new();
        }
        life.paused_until = None;
        let mut ready = Vec::new();
        for (id, step) in life.door.steps() {
            match step {
                Step::Idle | Step::Locked => {}
                Step::Mailbox => {
                    if let Some((letter, event)) = self.outside.hand(n, now, &mut self.dice) {
                        life.door.post(letter, event);
                        ready.push((n, id, step));
                    } else if life.door.has_mail() {
                        ready.push((n, id, step));
                    }
                }
                _ => ready.push((n, id, step)),
            }
        }
        ready
    }

    async fn step(&mut self, n: usize, id: u64, step: &Step) {
        if self.dice.permille(self.swarm.crash) && !matches!(step, Step::Mailbox | Step::Turned) {
            self.counts.crashes += 1;
            self.counts.fault(match step {
                Step::Request { .. } => "crash before a request",
                Step::Answer { .. } => "crash between effect and answer",
                Step::Stored(_) => "crash between commit and acknowledgement",
                _ => "crash elsewhere",
            });
            self.end(n, &format!("is killed at {step:?}"));
            return;
        }
        if self.dice.permille(self.swarm.pause) {
            let until =
                self.scene.clock.now() + SignedDuration::from_secs(self.dice.between(30, 2_400));
            self.counts.fault("pause");
            self.slack.may_double |= self.slack.is_asked(step);
            self.note(&format!("process {n} is paused until {until} at {step:?}"));
            if let Some(life) = &mut self.slots[n].life {
                life.paused_until = Some(until);
            }
            return;
        }
        let verdict = self.judge(n, step);
        self.note(&format!("{n} {step:?} {verdict:?}"));
        let Some(life) = &mut self.slots[n].life else {
            return;
        };
        life.door.decide(id, verdict);
        if matches!(step, Step::Turned) {
            let from = life.run_from;
            life.run_from = self.scene.world.lock().journal.entries.len();
            self.close_run(from);
        }
        self.poll(n).await;
    }

    fn judge(&mut self, n: usize, step: &Step) -> Verdict {
        let time =
            |stage: &mut Self, ms: i64| stage.scene.clock.advance(SignedDuration::from_millis(ms));
        match step {
            Step::Request { .. } => {
                let ms = self.dice.between(20, 400);
                time(self, ms);
                let (refused, lost, late) = (self.swarm.refused, self.swarm.lost, self.swarm.late);
                if self.dice.permille(refused) {
                    self.counts.fault("connection refused");
                    return Verdict::Refuse;
                }
                if self.dice.permille(lost) {
                    self.counts.fault("time-out, nothing done");
                    time(self, 60_000);
                    return Verdict::Lose;
                }
                if self.dice.permille(late) {
                    time(self, 60_000);
                    if self.slack.is_asked(step) {
                        // A message that comes minutes after its time-out may be a second one: docs/reliability.md.
                        self.counts.fault("time-out, nothing done");
                        return Verdict::Lose;
                    }
                    self.counts.fault("time-out, done later");
                    return Verdict::Late;
                }
                self.counts.requests += 1;
                Verdict::Go
            }
            Step::Answer { status, .. } => {
                if !(200..400).contains(status) && *status != 404 {
                    self.counts.fault(&format!("answer {status}"));
                }
                let lost = self.swarm.lost;
                if self.dice.permille(lost) {
                    self.counts.fault("answer lost");
                    if may_ask_to_wait(*status) {
                        self.forgets.push(self.scene.clock.now());
                    }
                    time(self, 60_000);
                    return Verdict::Lose;
                }
                Verdict::Go
            }
            Step::Store(_) | Step::Stored(_) => {
                let fails = self.swarm.store_fails;
                if self.dice.permille(fails) {
                    self.counts.fault("store failed");
                    let from = self.slots[n].life.as_ref().map_or(0, |life| life.run_from);
                    self.scene.world.lock().journal.lose(from);
                    return Verdict::Lose;
                }
                Verdict::Go
            }
            Step::Locked | Step::Idle | Step::Turned | Step::Mailbox => Verdict::Go,
        }
    }

    /// Lets a process run to its next step, or to its end.
    async fn poll(&mut self, n: usize) {
        let now = self.scene.clock.now();
        let Some(life) = &mut self.slots[n].life else {
            return;
        };
        {
            let mut own = life.clock.lock().unwrap();
            *own = (*own).max(now + life.skew);
        }
        let ended = until_rest(&mut life.living).await;
        // What it waited for took time everywhere.
        let waited = life.clock.lock().unwrap().duration_since(now + life.skew);
        if waited > SignedDuration::ZERO {
            self.scene.clock.advance(waited);
        }
        let kept = life.door.acknowledged();
        let (stragglers, said) = (
            life.door.stragglers(),
            std::mem::take(&mut *life.said.lock().unwrap()),
        );
        for id in kept {
            self.outside.kept(n, id);
        }
        for straggler in stragglers {
            let at =
                self.scene.clock.now() + SignedDuration::from_secs(self.dice.between(1, LATE_S));
            self.outside.straggle(at, straggler);
        }
        for said in said {
            self.listen(n, said);
        }
        if ended {
            let wait = SignedDuration::from_secs(self.dice.between(300, 3_600));
            self.slots[n].starts_at = self.scene.clock.now() + wait;
            if let Some(life) = self.slots[n].life.take() {
                self.close_run(life.run_from);
            }
            self.note(&format!("process {n} has ended by itself"));
        }
    }

    fn listen(&mut self, n: usize, said: Said) {
        match said {
            Said::Report(report) => {
                self.counts.report(&report);
                for action in &report.plan.actions {
                    let (row, subject) = (action.row, &action.subject);
                    let (ticket, why) = (&subject.ticket, action.reason.sentence());
                    self.note(&format!(
                        "{n} row {row} {ticket:?} {}: {why}",
                        subject.finding.id
                    ));
                }
                let done = report.applied.as_ref().map(|applied| &applied.done);
                let line = format!(
                    "{n} ran {}: {done:?}, held {:?}",
                    report.kind, report.plan.held
                );
                self.note(&line);
            }
            Said::Failed(why) => {
                self.counts.reach("run failed");
                let from = self.slots[n].life.as_ref().map_or(0, |life| life.run_from);
                self.scene.world.lock().journal.lose(from);
                self.note(&format!("{n} failed: {why}"));
            }
            Said::Locked => {
                self.counts.reach("waited for the store");
                self.note(&format!("{n} finds the store in use"));
            }
            Said::Reloaded => self.counts.reach("configuration read again"),
        }
    }

    /// How both sides stand, for whoever reads a trace.
    fn show(&self) {
        let world = self.scene.world.lock();
        for finding in world.aws.hub.iter() {
            let of = |at: &str| finding.pointer(at).and_then(Value::as_str).unwrap_or("-");
            let compliance = of("/Compliance/Status");
            let (record, workflow) = (of("/RecordState"), of("/Workflow/Status"));
            let severity = of("/Severity/Label");
            println!("{} {severity} {record} {compliance} {workflow}", of("/Id"));
        }
        for issue in world.jira.issues() {
            let status = world.jira.status_name(issue.status);
            println!("{} {status} {:?}", issue.key, issue.labels);
        }
    }

    pub(crate) fn outcome(mut self) -> Outcome {
        if self.print {
            self.show();
        }
        {
            let world = self.scene.world.lock();
            let entries = &world.journal.entries;
            self.hash.update(serde_json::to_vec(entries).unwrap());
            let ours = entries.iter().filter(|entry| entry.actor == Actor::Engine);
            self.counts.effects += ours.count() as u64;
        }
        Outcome {
            counts: self.counts,
            violations: self.violations,
            trace: hex::encode(&self.hash.finalize()[..8]),
        }
    }
}
