//! What is tried on the way of one ticket through all its meanings: asaf makes each of its moves once, and in each status
//! others try what they must not.

use std::collections::BTreeSet;

use crate::model::TicketState;
use crate::model::workflow::{Start, Transition};
use crate::wire::error::WireError;
use crate::wire::jira::person::{Person, is_refusal};

use super::trial::Trial;
use super::{Must, Outcome};

use TicketState::{Closed, Ignored, Open, Resolved};

/// Every move of the engine, as one way: each begins where the one before ended.
const CIRCUIT: [(TicketState, TicketState); 12] = [
    (Open, Resolved),
    (Resolved, Open),
    (Open, Closed),
    (Closed, Open),
    (Open, Ignored),
    (Ignored, Resolved),
    (Resolved, Closed),
    (Closed, Resolved),
    (Resolved, Ignored),
    (Ignored, Closed),
    (Closed, Ignored),
    (Ignored, Open),
];

impl Trial<'_> {
    /// asaf makes each of its moves once; on the way others try what they must not, in each status.
    pub(super) async fn engine_moves(&mut self, ticket: u64) -> Result<(), WireError> {
        let mut failed = Vec::new();
        let mut visited = BTreeSet::new();
        for (from, to) in CIRCUIT {
            let mut stands = self.bring(ticket, from).await?;
            if stands && visited.insert(from) {
                self.others_try(ticket, from).await?;
                // Where somebody succeeded, asaf takes it back.
                stands = self.bring(ticket, from).await?;
            }
            if !stands || !self.bring(ticket, to).await? {
                failed.push(format!("from {} to {}", from.word(), to.word()));
            }
        }
        let outcome = if failed.is_empty() {
            Outcome::Holds
        } else {
            Outcome::Broken(format!(
                "asaf cannot move tickets in {}: {}. Give its user the role that the workflow asks for (`asaf workflow apply` \
                 does), and name what screens require in [jira.transition_fields].",
                self.place.key,
                failed.join(", ")
            ))
        };
        let does = "moves tickets between all meanings";
        self.note("asaf", does, Must::BeAllowed, outcome);
        Ok(())
    }

    async fn others_try(&mut self, ticket: u64, at: TicketState) -> Result<(), WireError> {
        let cast = self.cast;
        let (product, admin) = (
            ("product team", &cast.product),
            ("administrator", &cast.admin),
        );
        match at {
            Open => {
                self.moves(product, ticket, "closes an open ticket", Some(Closed))
                    .await?;
                self.bring(ticket, at).await?;
                self.moves(product, ticket, "ignores a ticket", Some(Ignored))
                    .await
            }
            Resolved => {
                self.moves(product, ticket, "closes a resolved ticket", Some(Closed))
                    .await?;
                self.bring(ticket, at).await?;
                self.moves(admin, ticket, "closes a resolved ticket", Some(Closed))
                    .await
            }
            Closed => {
                self.moves(product, ticket, "reopens a closed ticket", None)
                    .await
            }
            Ignored => self.moves(product, ticket, "ends ignoring", None).await,
        }
    }

    /// A person takes every transition of the workflow that would do it, offered or not; `to` is `None` for any other
    /// meaning than the present one.
    async fn moves(
        &mut self,
        (who, person): (&'static str, &Person),
        ticket: u64,
        does: &str,
        to: Option<TicketState>,
    ) -> Result<(), WireError> {
        let Some(now) = self.read(ticket).await? else {
            return Ok(());
        };
        let offered = match person.offered(ticket).await {
            Ok(offered) => offered,
            Err(error) if is_refusal(&error) => Vec::new(),
            Err(error) => return Err(error),
        };
        let leads = |one: &&Transition| {
            let target = one.to.as_deref().and_then(|to| self.meaning(to));
            let fits = match to {
                Some(to) => target == Some(to),
                None => target != now.state,
            };
            fits && one.start != Start::Initial && one.starts_in(&now.status_id)
        };
        let tried: Vec<Transition> = self
            .place
            .workflow
            .transitions
            .iter()
            .filter(leads)
            .cloned()
            .collect();
        for one in &tried {
            let fields = self.fields_of(&one.id, &one.name);
            let taken = match person.take(ticket, &one.id, fields).await {
                Ok(()) => true,
                Err(error) if is_refusal(&error) => false,
                Err(error) => return Err(error),
            };
            // Refused for another reason, such as a required field, and offered all the same.
            if taken || offered.iter().any(|open| open.id == one.id) {
                let hole = format!(
                    "A test user ({who}) {does} in {}: Jira let it take the transition “{}” ({}) of “{}”. Restrict that \
                     transition to the roles of reviewers and asaf (`asaf workflow apply` does).",
                    self.place.key, one.name, one.id, self.place.workflow.name
                );
                self.note(who, does, Must::BeRefused, Outcome::Broken(hole));
                return Ok(());
            }
        }
        self.note(who, does, Must::BeRefused, Outcome::Holds);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::model::workflow::engine_moves;

    use super::*;

    #[test]
    fn the_circuit_makes_every_move_of_the_engine_once_in_one_way() {
        let all: BTreeSet<_> = engine_moves().collect();
        let made: BTreeSet<_> = CIRCUIT.into_iter().collect();
        assert_eq!((made, CIRCUIT.len()), (all, 12));
        let joined = CIRCUIT.windows(2).all(|pair| pair[0].1 == pair[1].0);
        assert!(joined && CIRCUIT[11].1 == CIRCUIT[0].0);
    }
}
