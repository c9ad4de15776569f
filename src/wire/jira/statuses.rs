//! What the site's statuses mean: the configured names are resolved to ids once, and only ids are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use http::Method;
use jiff::SignedDuration;

use crate::model::TicketState;
use crate::wire::error::WireError;
use crate::wire::http::{Operation, Request};

use super::JiraClient;
use super::decode::StatusRef;

/// A process that runs for weeks sees statuses come and go.
const KEPT: SignedDuration = SignedDuration::from_hours(1);

/// The meaning of status ids.
#[derive(Clone, Debug, Default)]
pub(super) struct Statuses {
    by_id: BTreeMap<String, TicketState>,
    /// For each state, the ids that mean it, the best target of a move first.
    targets: BTreeMap<TicketState, Vec<String>>,
    /// Ids of the statuses through which any move may pass.
    via: BTreeSet<String>,
    unknown: Vec<String>,
    /// States that no status of the site means.
    missing: Vec<TicketState>,
    /// The site's names, for the reader of an error.
    names: Vec<String>,
}

impl Statuses {
    /// What a status means; `None` when the configuration does not map it.
    pub(super) fn meaning(&self, id: &str) -> Option<TicketState> {
        self.by_id.get(id).copied()
    }

    /// The ids that mean a state, the best target first.
    pub(super) fn targets(&self, state: TicketState) -> &[String] {
        self.targets.get(&state).map_or(&[], Vec::as_slice)
    }

    /// A move may pass through this status on its way from one with this meaning: it says the same, or the
    /// configuration allows it.
    pub(super) fn may_pass(&self, id: &str, meaning: Option<TicketState>) -> bool {
        self.via.contains(id) || (meaning.is_some() && self.meaning(id) == meaning)
    }

    /// Joins configuration and site. Ids count as known even if the site does not list them.
    fn resolve(configured: &[(String, TicketState)], via: &[String], site: &[StatusRef]) -> Self {
        let mut statuses = Statuses {
            names: site.iter().map(|status| status.name.clone()).collect(),
            ..Statuses::default()
        };
        for (name_or_id, state) in configured {
            let ids = ids_of(name_or_id, site);
            if ids.is_empty() {
                statuses.unknown.push(name_or_id.clone());
            }
            for id in ids {
                statuses.by_id.insert(id.to_owned(), *state);
                let targets = statuses.targets.entry(*state).or_default();
                if !targets.iter().any(|known| known == id) {
                    targets.push(id.to_owned());
                }
            }
        }
        for name_or_id in via {
            let ids = ids_of(name_or_id, site);
            if ids.is_empty() {
                statuses.unknown.push(name_or_id.clone());
            }
            statuses.via.extend(ids.into_iter().map(str::to_owned));
        }
        let wanted: BTreeSet<TicketState> = configured.iter().map(|(_, state)| *state).collect();
        let mut wanted: Vec<TicketState> = wanted.into_iter().collect();
        wanted.retain(|state| !statuses.targets.contains_key(state));
        statuses.missing = wanted;
        statuses
    }
}

/// The ids that a name or id of the configuration stands for.
fn ids_of<'a>(name_or_id: &'a str, site: &'a [StatusRef]) -> Vec<&'a str> {
    let named = site
        .iter()
        .filter(|status| status.name.to_lowercase() == name_or_id.to_lowercase());
    let mut ids: Vec<&str> = named.map(|status| status.id.as_str()).collect();
    if is_id(name_or_id) {
        ids.push(name_or_id);
    }
    ids
}

fn is_id(name_or_id: &str) -> bool {
    !name_or_id.is_empty() && name_or_id.bytes().all(|byte| byte.is_ascii_digit())
}

impl JiraClient {
    /// The meaning of statuses; the site is asked once an hour, and only when names require it.
    pub(super) async fn statuses(&self) -> Result<Arc<Statuses>, WireError> {
        let now = self.http.clock().now();
        let kept = {
            let statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
            statuses.clone()
        };
        if let Some((read_at, statuses)) = &kept
            && now.duration_since(*read_at) < KEPT
        {
            return Ok(Arc::clone(statuses));
        }
        let statuses = match (self.read_statuses().await, kept) {
            (Ok(statuses), _) => Arc::new(statuses),
            // What a status meant an hour ago it means still, as far as anybody knows.
            (Err(error), Some((_, known))) => {
                tracing::warn!(%error, "Jira's statuses cannot be read again; the known ones count");
                known
            }
            (Err(error), None) => return Err(error),
        };
        let mut kept = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((now, Arc::clone(&statuses)));
        Ok(statuses)
    }

    async fn read_statuses(&self) -> Result<Statuses, WireError> {
        let mut all = self.configured.iter().map(|(key, _)| key).chain(&self.via);
        let site = if all.any(|key| !is_id(key)) {
            self.site_statuses().await?
        } else {
            Vec::new()
        };
        let statuses = Statuses::resolve(&self.configured, &self.via, &site);
        for name in &statuses.unknown {
            tracing::warn!(
                status = name,
                "Jira has no status of this name, so no ticket will match it: check the status map"
            );
        }
        Ok(statuses)
    }

    /// Each of the states has a status on the site.
    ///
    /// # Errors
    /// [`WireError::Misconfigured`] for the first that has none; [`WireError`], when the statuses cannot be read.
    pub async fn check_statuses(&self) -> Result<(), WireError> {
        let statuses = self.statuses().await?;
        let Some(state) = statuses.missing.first() else {
            return Ok(());
        };
        let mut names = statuses.names.clone();
        names.sort();
        names.dedup();
        Err(WireError::Misconfigured {
            what: format!("find Jira's status for {} tickets", state.word()),
            status: 200,
            message: format!("Jira has no status {}", statuses.unknown.join(", ")),
            fix: format!(
                "Name one of these in jira.statuses.{}: {}",
                state.word(),
                names.join(", ")
            ),
        })
    }

    /// Configured status names that the site does not have.
    ///
    /// # Errors
    /// [`WireError`], when the statuses cannot be read.
    pub async fn unknown_statuses(&self) -> Result<Vec<String>, WireError> {
        Ok(self.statuses().await?.unknown.clone())
    }

    pub(super) async fn site_statuses(&self) -> Result<Vec<StatusRef>, WireError> {
        let operation = Operation::read(
            "GET /rest/api/3/status",
            "read Jira's statuses",
            "Browse projects",
        );
        let request = Request::new(Method::GET, "/rest/api/3/status");
        self.http
            .send(&operation, request)
            .await?
            .decode(&operation)
    }
}
