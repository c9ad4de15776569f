//! Who answers for a finding: the rules of the configuration, and what Organizations says of accounts. Organizations is
//! asked once a day, only where a rule asks for units or tags of accounts, and what it said is kept.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::config::Owners;
use crate::model::Routing;
use crate::model::owner::{AccountRecord, Knowledge, Organisation};
use crate::ports::Inventory;
use crate::store::StoreError;
use crate::store::organisation::OrganisationMemory;
use crate::wire::error::WireError;

/// How long what Organizations said is used.
const LASTS: SignedDuration = SignedDuration::from_hours(24);

/// What is known of the organisation, as far as the rules ask for it. Where it cannot be read, what was read last counts,
/// however old.
///
/// # Errors
/// The store. That Organizations does not answer is no error: see [`Knowledge::Unknown`].
pub async fn organisation<I: Inventory, S: OrganisationMemory>(
    owners: &Owners,
    inventory: &I,
    store: &S,
    now: Timestamp,
) -> Result<Knowledge, StoreError> {
    let (units, tags) = owners.ask_for();
    if !units && !tags {
        return Ok(Knowledge::NotAsked);
    }
    let known = store.organisation().await?;
    let known = known.filter(|known| answers(known, units, tags));
    if let Some(known) = known
        .clone()
        .filter(|known| now.duration_since(known.read_at) < LASTS)
    {
        return Ok(Knowledge::Known(Arc::new(known)));
    }
    match read(inventory, units, tags, now).await {
        Ok(read) => {
            store.put_organisation(&read).await?;
            Ok(Knowledge::Known(Arc::new(read)))
        }
        Err(error) => {
            tracing::warn!(%error, "Organizations cannot be read; owners are found with what it said last");
            Ok(match known {
                Some(known) => Knowledge::Known(Arc::new(known)),
                None => Knowledge::Unknown {
                    why: error.to_string(),
                },
            })
        }
    }
}

/// What was read then says all that is asked now.
fn answers(known: &Organisation, units: bool, tags: bool) -> bool {
    known.accounts.values().all(|record| {
        (!units || record.unit.is_some() || !record.active)
            && (!tags || record.tags.is_some() || !record.active)
    })
}

/// All accounts, with what is asked of the active ones.
async fn read<I: Inventory>(
    inventory: &I,
    units: bool,
    tags: bool,
    now: Timestamp,
) -> Result<Organisation, WireError> {
    let facts = inventory.accounts().await?;
    let mut organisation = Organisation {
        read_at: now,
        ..Organisation::default()
    };
    let active = facts.iter().filter(|fact| fact.active);
    let active: Vec<String> = active.map(|fact| fact.id.clone()).collect();
    for fact in facts {
        let record = AccountRecord {
            name: fact.name,
            active: fact.active,
            ..AccountRecord::default()
        };
        organisation.accounts.insert(fact.id, record);
    }
    if units {
        for (account, unit) in inventory.units().await? {
            if let Some(record) = organisation.accounts.get_mut(&account) {
                record.unit = Some(unit);
            }
        }
    }
    if tags {
        for (account, tags) in inventory.account_tags(&active).await? {
            if let Some(record) = organisation.accounts.get_mut(&account) {
                record.tags = Some(tags);
            }
        }
    }
    Ok(organisation)
}

/// What the plan says of an organisation that could not be read.
pub fn gap(routing: &Routing) -> Option<String> {
    match routing.known() {
        Knowledge::Unknown { why } => Some(format!("units and tags of accounts: {why}")),
        Knowledge::NotAsked | Knowledge::Known(_) => None,
    }
}
