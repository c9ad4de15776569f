//! The dashboard on a year of invented history, at an address of its own: what a team sees that has used asaf for a year.
//! Nothing can be changed there, and nothing runs on it.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::history;
use crate::clock::Clock;
use crate::config::Config;
use crate::dashboard::{Dashboard, Setup};
use crate::jobs::emulate::Folder;
use crate::jobs::serve::show;
use crate::store::sqlite::Sqlite;
use crate::talk::Talk;

/// Loopback, and a port that is free.
const LISTEN: &str = "127.0.0.1:0";

/// The dashboard, until it is closed or dropped.
pub(super) struct Year {
    pub(super) address: String,
    stop: CancellationToken,
    served: JoinHandle<()>,
}

impl Year {
    /// Invents the year in this folder, and shows it.
    ///
    /// # Errors
    /// The folder, the store, or no port that is free.
    pub(super) async fn open(folder: &Path, seed: u64) -> anyhow::Result<Self> {
        let clock = Clock::System;
        let store = Sqlite::open(&folder.join("year.sqlite3"))?;
        history::fill(&store, seed, clock.now()).await?;
        let config = Config::parse(&history::config_text(), &folder.join("year.toml"))?;
        let dashboard = Dashboard::new(Arc::new(store), clock, Setup::new(&config)?);
        let listener = TcpListener::bind(LISTEN).await;
        let listener = listener.with_context(|| format!("cannot listen on {LISTEN}"))?;
        let address = format!("http://{}/", listener.local_addr()?);
        let stop = CancellationToken::new();
        let served = tokio::spawn(show(listener, Arc::new(dashboard), stop.clone()));
        Ok(Year {
            address,
            stop,
            served,
        })
    }

    /// What stands at the address.
    pub(super) fn says(&self) -> String {
        format!(
            "A year of invented history, from {} open tickets in {} accounts to {} in six months: {}",
            history::MOST,
            history::ACCOUNTS,
            history::LEFT,
            self.address
        )
    }

    /// Ends when every answer that had begun is sent.
    pub(super) async fn close(self) {
        self.stop.cancel();
        // A task that has failed has ended, too.
        let _ = self.served.await;
    }
}

/// Shows the year alone until the process is told to stop.
///
/// # Errors
/// As [`Year::open`].
pub(super) async fn run(seed: u64, talk: Talk) -> anyhow::Result<()> {
    let stopped = stopped()?;
    let folder = Folder::new()?;
    let year = Year::open(&folder.0, seed).await?;
    talk.say(&format!("{}\nCtrl-C ends it.", year.says()));
    stopped.await;
    year.close().await;
    Ok(())
}

/// Ends with SIGTERM or SIGINT, which no longer end the process by themselves.
///
/// # Errors
/// When signals cannot be heard.
pub(super) fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
