//! Settings of a world that last until they are changed: quotas, and how slow or unreliable the emulated systems are
//! without any fault.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::refusal::{Refusal, read};
use crate::config::Period;
use crate::emulators::jira::Spread;
use crate::emulators::world::World;

/// All settings; what is left out of a change stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Whether requests above the vendors' quotas are refused.
    pub quotas: Option<bool>,
    /// How long GetFindings shows the old workflow status after an update.
    pub visibility_delay: Option<Period>,
    /// Whether AWS checks, archives and expires findings as time passes, without `POST /advance`.
    pub aging: Option<bool>,
    /// How far the aggregator of AWS Config is behind its accounts.
    pub aggregator_lag: Option<Period>,
    /// How long a change of a ticket stays invisible to search.
    pub search_lag: Option<Period>,
    /// How many of 1,000 matches a search leaves out.
    pub search_flicker_permille: Option<u64>,
    /// How long Jira's bulk tasks run.
    pub bulk_delay: Option<Period>,
    /// Whether webhooks are sent as late, and as disordered, as Atlassian documents.
    pub late_webhooks: Option<bool>,
}

/// The settings as they are.
pub(in crate::emulators::world) fn shown(world: &World) -> Value {
    let period = |duration: jiff::SignedDuration| {
        let seconds = duration.as_secs();
        format!("{seconds}s").parse::<Period>().ok()
    };
    json!(Settings {
        quotas: Some(world.jira.quotas_enabled),
        visibility_delay: period(world.aws.hub.visibility_delay),
        aging: Some(world.aws.hub.ages_by_itself),
        aggregator_lag: period(world.aws.config.aggregator_lag),
        search_lag: period(world.jira.search_lag),
        search_flicker_permille: Some(world.jira.search_flicker_permille),
        bulk_delay: period(world.jira.bulk_delay),
        late_webhooks: Some(world.jira.webhook_spread != Spread::default()),
    })
}

/// Changes what is given and shows all.
pub(super) fn change(world: &mut World, body: Value) -> Result<Value, Refusal> {
    let Settings {
        quotas,
        visibility_delay,
        aging,
        aggregator_lag,
        search_lag,
        search_flicker_permille,
        bulk_delay,
        late_webhooks,
    } = read(body)?;
    if search_flicker_permille.is_some_and(|permille| permille > 1000) {
        let message = "`search_flicker_permille` is between 0 and 1000.";
        return Err(Refusal::field("search_flicker_permille", message));
    }
    if let Some(on) = quotas {
        world.set_quotas(on);
    }
    if let Some(delay) = visibility_delay {
        world.aws.hub.visibility_delay = delay.duration();
    }
    if let Some(on) = aging {
        world.aws.hub.ages_by_itself = on;
    }
    if let Some(lag) = aggregator_lag {
        world.aws.config.aggregator_lag = lag.duration();
    }
    if let Some(lag) = search_lag {
        world.jira.search_lag = lag.duration();
    }
    if let Some(permille) = search_flicker_permille {
        world.jira.search_flicker_permille = permille;
    }
    if let Some(delay) = bulk_delay {
        world.jira.bulk_delay = delay.duration();
    }
    if let Some(late) = late_webhooks {
        world.jira.webhook_spread = if late {
            Spread::documented()
        } else {
            Spread::default()
        };
    }
    Ok(shown(world))
}
