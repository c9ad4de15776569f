//! All figures together: what a report holds, whatever it is written as.

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Accounts, Controls, Filter, Ignored, Overview, Section, Source, Teams, accounts, controls,
    ignored, overview, teams,
};
use crate::store::history::History;
use crate::store::{Store, StoreError};

/// Every figure of one filter.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// When they were computed.
    pub made_at: Timestamp,
    /// What was counted.
    pub filter: Filter,
    /// The first page.
    pub overview: Overview,
    /// By team.
    pub teams: Teams,
    /// By account.
    pub accounts: Accounts,
    /// By control or rule.
    pub controls: Controls,
    /// What ignore rules hide.
    pub ignored: Ignored,
}

/// Computes everything.
///
/// # Errors
/// [`StoreError`].
pub async fn all<S: Store + History>(
    source: &Source<'_, S>,
    filter: &Filter,
) -> Result<Figures, StoreError> {
    Ok(Figures {
        made_at: source.now,
        filter: filter.clone(),
        overview: overview(source, filter).await?,
        teams: teams(source, filter).await?,
        accounts: accounts(source, filter).await?,
        controls: controls(source, filter).await?,
        ignored: ignored(source, filter).await?,
    })
}

/// The ids of all sections, in the order in which a report shows them.
pub const SECTIONS: [&str; 9] = [
    "burn-down",
    "flows",
    "open",
    "time-to-resolve",
    "ages",
    "teams",
    "accounts",
    "controls",
    "ignored",
];

/// One section alone, by its id; `None` where there is none. Figures of other sections are not computed.
///
/// # Errors
/// [`StoreError`].
pub async fn section<S: Store + History>(
    source: &Source<'_, S>,
    filter: &Filter,
    id: &str,
) -> Result<Option<Section>, StoreError> {
    Ok(match id {
        "teams" => Some(teams(source, filter).await?.by_team()),
        "accounts" => Some(accounts(source, filter).await?.by_account()),
        "controls" => Some(controls(source, filter).await?.section()),
        "ignored" => Some(ignored(source, filter).await?.section()),
        _ if SECTIONS.contains(&id) => {
            let sections = overview(source, filter).await?.sections();
            sections.into_iter().find(|section| section.id == id)
        }
        _ => None,
    })
}

impl Figures {
    /// Every section, in the order in which a report shows them.
    pub fn sections(&self) -> Vec<Section> {
        let mut sections = self.overview.sections();
        sections.extend([
            self.teams.by_team(),
            self.accounts.by_account(),
            self.controls.section(),
            self.ignored.section(),
        ]);
        sections
    }
}
