//! What the process is told by signals: SIGTERM and SIGINT stop it, SIGHUP makes it read its configuration again.

use std::path::Path;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::Config;
use crate::jobs::connect::Way;
use crate::wire::budget::Budget;

use super::Loaded;

/// What to do next.
pub(super) enum Order {
    /// End.
    Stop,
    /// Go on with this configuration.
    Use(Box<Loaded>),
}

/// Hears signals.
pub(super) struct Orders {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Orders {
    /// From now on signals do not end the process by themselves.
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Orders {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The next order. A configuration that is wrong is no order: it is refused with its errors, and the present one
    /// stays.
    pub(super) async fn next(
        &mut self,
        path: &Path,
        present: &Config,
        way: &Way,
        budget: &Budget,
    ) -> Order {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return Order::Stop,
                _ = self.interrupt.recv() => return Order::Stop,
                _ = self.hangup.recv() => {}
            }
            match read_again(path, present, way, budget).await {
                Ok(loaded) => return Order::Use(Box::new(loaded)),
                Err(error) => {
                    metrics::counter!("asaf_config_reload_total", "result" => "refused")
                        .increment(1);
                    tracing::error!(
                        "the new configuration is refused, the present one stays in use: {error:#}"
                    );
                }
            }
        }
    }

    /// The next order to stop; others wait.
    pub(super) async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

async fn read_again(
    path: &Path,
    present: &Config,
    way: &Way,
    budget: &Budget,
) -> anyhow::Result<Loaded> {
    let mut config = Config::load(path)?;
    for (key, differs) in [
        ("store.path", config.store.path != present.store.path),
        ("serve.listen", config.serve.listen != present.serve.listen),
    ] {
        if differs {
            tracing::warn!(
                "{key} has changed: that takes a restart, until then the old value stays in use"
            );
        }
    }
    config.store.path.clone_from(&present.store.path);
    config.serve.listen.clone_from(&present.serve.listen);
    crate::dashboard::Setup::new(&config)?;
    let loaded = Loaded::with(config, way.clone(), budget.clone()).await?;
    metrics::counter!("asaf_config_reload_total", "result" => "used").increment(1);
    Ok(loaded)
}
