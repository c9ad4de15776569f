//! Recorded resources with the states that they went through, found by ARN, by place and by type.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

/// A recorded resource.
#[derive(Clone, Debug)]
pub struct Item {
    /// Owner account.
    pub account: String,
    /// Region.
    pub region: String,
    /// `AWS::S3::Bucket`
    pub kind: String,
    /// Config's own id: not the ARN for most types.
    pub id: String,
    /// ARN.
    pub arn: String,
    /// When it was last captured; the deletion time if `deleted`.
    pub captured_at: Timestamp,
    /// `ResourceDeleted`.
    pub deleted: bool,
}

/// What a resource was from some time on.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) at: Timestamp,
    /// `configurationItemStatus`
    pub(super) status: &'static str,
    pub(super) configuration: Value,
}

impl State {
    /// The resource no longer exists.
    pub(super) fn is_gone(&self) -> bool {
        self.status.starts_with("ResourceDeleted")
    }
}

/// A resource with its history.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) item: Item,
    pub(super) name: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) created_at: Option<Timestamp>,
    /// Its configuration item is too large for an event.
    pub(super) oversized: bool,
    /// Oldest first; never empty.
    pub(super) states: Vec<State>,
}

impl Resource {
    /// The newest state at a time.
    pub(super) fn at(&self, now: Timestamp) -> Option<&State> {
        self.states.iter().rev().find(|state| state.at <= now)
    }

    /// The newest state.
    pub(super) fn latest(&self) -> Option<&State> {
        self.states.last()
    }
}

/// All resources of all accounts.
#[derive(Default)]
pub(super) struct Resources {
    by_arn: BTreeMap<String, Resource>,
    /// Account, Region, type, id to ARN.
    by_place: BTreeMap<(String, String, String, String), String>,
    by_kind: BTreeMap<String, BTreeSet<String>>,
}

impl Resources {
    /// A resource is found, for the first time or again.
    pub(super) fn discover(&mut self, item: Item) -> Option<&Resource> {
        let status = if item.deleted {
            "ResourceDeleted"
        } else {
            "ResourceDiscovered"
        };
        let state = State {
            at: item.captured_at,
            status,
            configuration: json!({}),
        };
        let place = (
            item.account.clone(),
            item.region.clone(),
            item.kind.clone(),
            item.id.clone(),
        );
        let arn = item.arn.clone();
        self.by_place.insert(place, arn.clone());
        self.by_kind
            .entry(item.kind.clone())
            .or_default()
            .insert(arn.clone());
        let resource = self.by_arn.entry(arn).or_insert_with(|| Resource {
            item: item.clone(),
            name: None,
            tags: BTreeMap::new(),
            created_at: Some(item.captured_at),
            oversized: false,
            states: Vec::new(),
        });
        resource.item = item;
        resource.states.push(state);
        Some(resource)
    }

    pub(super) fn get(&self, arn: &str) -> Option<&Resource> {
        self.by_arn.get(arn)
    }

    pub(super) fn get_mut(&mut self, arn: &str) -> Option<&mut Resource> {
        self.by_arn.get_mut(arn)
    }

    /// The resource of an account and Region with a type and id.
    pub(super) fn of(
        &self,
        account: &str,
        region: &str,
        kind: &str,
        id: &str,
    ) -> Option<&Resource> {
        let text = str::to_owned;
        let arn = self
            .by_place
            .get(&(text(account), text(region), text(kind), text(id)))?;
        self.get(arn)
    }

    /// All of a type, by ARN.
    pub(super) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Resource> {
        let arns = self.by_kind.get(kind).into_iter().flatten();
        arns.filter_map(|arn| self.get(arn))
    }

    /// All, by ARN.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.by_arn.values()
    }
}
