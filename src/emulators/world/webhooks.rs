//! The face that sends the emulated site's webhooks: over HTTP when a world is served, or by any other transport. Decides
//! nothing: what is due, and what is due again, is the site's.

use std::time::Duration;

use futures_util::future::join_all;

use super::Shared;
use crate::emulators::jira::Delivery;
use crate::wire::transport::Transport;

/// How long a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How often the site is asked for what is due.
const PERIOD: Duration = Duration::from_millis(50);

/// Sends what is due now and tells the site how each delivery ended; gives how many there were.
pub async fn deliver_due(world: &Shared, transport: &Transport) -> usize {
    let due = {
        let mut world = world.lock();
        let now = world.now();
        world.jira.due_deliveries(now)
    };
    let count = due.len();
    join_all(
        due.into_iter()
            .map(|delivery| deliver(world, transport, delivery)),
    )
    .await;
    count
}

async fn deliver(world: &Shared, transport: &Transport, delivery: Delivery) {
    let status = match delivery.request() {
        Ok(request) => transport.send(request).await.ok(),
        Err(_) => None,
    };
    let status = status.map(|answer| answer.status().as_u16());
    let mut world = world.lock();
    let now = world.now();
    world.jira.delivered(delivery.id, status, now);
}

/// Sends webhooks until the process ends. Receivers on this machine are reached without a proxy.
pub(super) fn spawn(world: &Shared) {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .no_proxy()
        .build();
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "the emulated site cannot send webhooks");
            return;
        }
    };
    let (world, transport) = (world.clone(), Transport::Network(client));
    tokio::spawn(async move {
        loop {
            // A slow receiver must not hold up the others.
            let (world, transport) = (world.clone(), transport.clone());
            tokio::spawn(async move { deliver_due(&world, &transport).await });
            tokio::time::sleep(PERIOD).await;
        }
    });
}
