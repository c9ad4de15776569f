//! The issues that an update of their workflow would leave without a status, and where they go.

use std::collections::{BTreeMap, BTreeSet};

use crate::emulators::jira::Jira;
use crate::emulators::jira::workflows::requests::{GivenWorkflow, Migration, Request};
use crate::emulators::jira::workflows::update::References;
use crate::emulators::jira::workflows::validate::Flaw;

impl Jira {
    pub(super) fn status_of_reference(&self, text: &str, references: &References) -> Option<u64> {
        references.get(text).copied().or_else(|| text.parse().ok())
    }

    /// The issues whose status the update takes away, each with the reference of its new one; or what mapping is
    /// missing.
    pub(super) fn stranded(
        &self,
        given: &GivenWorkflow,
        request: &Request,
    ) -> Result<Vec<(u64, String)>, Vec<Flaw>> {
        let id = given.id.as_deref().unwrap_or_default();
        let kept: BTreeSet<&str> = given
            .statuses
            .iter()
            .map(|place| place.status_reference.as_str())
            .collect();
        let ids: BTreeSet<u64> = request
            .statuses
            .iter()
            .flatten()
            .filter(|status| kept.contains(status.status_reference.as_str()))
            .filter_map(|status| status.id.as_ref()?.parse().ok())
            .collect();
        let alias: BTreeMap<u64, &str> = request
            .statuses
            .iter()
            .flatten()
            .filter_map(|status| {
                Some((
                    status.id.as_ref()?.parse().ok()?,
                    status.status_reference.as_str(),
                ))
            })
            .collect();
        let (mut moves, mut missing) = (Vec::new(), BTreeMap::new());
        for issue in self
            .issues
            .values()
            .filter(|issue| !ids.contains(&issue.status))
        {
            let workflow = self.workflow_of(issue.project, &issue.kind);
            if workflow.is_none_or(|workflow| workflow.id != id) {
                continue;
            }
            let own = given.status_mappings.iter().flatten().filter(|one| {
                one.project_id == issue.project.to_string() && one.issue_type_id == issue.kind
            });
            let mappings = own
                .flat_map(|one| &one.status_migrations)
                .chain(given.default_status_mappings.iter().flatten());
            match target(mappings, issue.status, &alias) {
                Some(to) => moves.push((issue.id, to)),
                None => {
                    let text = format!(
                        "Issues in the status {} need a new status.",
                        self.status_name(issue.status)
                    );
                    missing.insert((issue.project, issue.kind.clone(), issue.status), text);
                }
            }
        }
        if missing.is_empty() {
            return Ok(moves);
        }
        let flaws = missing
            .into_iter()
            .map(|((project, kind, _), text)| Flaw::mapping(text, project, &kind));
        Err(flaws.collect())
    }
}

/// The first mapping that names the status, by id or by reference.
fn target<'a>(
    mut mappings: impl Iterator<Item = &'a Migration>,
    status: u64,
    alias: &BTreeMap<u64, &str>,
) -> Option<String> {
    let id = status.to_string();
    let found = mappings.find(|one| {
        one.old_status_reference == id
            || alias.get(&status) == Some(&one.old_status_reference.as_str())
    })?;
    Some(found.new_status_reference.clone())
}
