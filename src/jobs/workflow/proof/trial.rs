//! What is tried in a project, with tickets that exist for nothing else: product team, administrator and reviewer do what
//! they must not or must be able to do, and asaf makes its moves. Whatever happens, the tickets are deleted again.

use std::collections::BTreeSet;

use serde_json::json;

use crate::jobs::workflow::{Setup, Trouble};
use crate::model::workflow::{Start, Transition};
use crate::model::{Ticket, TicketState};
use crate::ports::{TicketsReader as _, TicketsWriter as _};
use crate::wire::error::WireError;
use crate::wire::jira::Fields;
use crate::wire::jira::person::{Person, is_refusal};

use super::places::{Place, Places};
use super::{Cast, How, Must, Outcome, Row};

/// On every ticket that is made here; ours have another.
const LABEL: &str = "asaf-verify";
/// The longest way that a person is walked.
const HOPS_MOST: usize = 4;

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

struct Trial<'a> {
    setup: &'a Setup,
    cast: &'a Cast,
    place: &'a Place,
    rows: Vec<Row>,
    made: Vec<u64>,
}

/// Tries everything in one project.
///
/// # Errors
/// The test users are not who they ought to be; Jira cannot be reached.
pub(super) async fn run(
    setup: &Setup,
    cast: &Cast,
    place: &Place,
    places: &Places,
) -> Result<Vec<Row>, Trouble> {
    who_is_who(cast, places).await?;
    let mut trial = Trial {
        setup,
        cast,
        place,
        rows: Vec::new(),
        made: Vec::new(),
    };
    let tried = trial.all().await;
    trial.clean_up().await;
    tried?;
    Ok(trial.rows)
}

async fn who_is_who(cast: &Cast, places: &Places) -> Result<(), Trouble> {
    let (product, reviewer) = (
        cast.product.account().await?,
        cast.reviewer.account().await?,
    );
    let wrong = |text: &str| Err(Trouble::Configuration(text.to_owned()));
    if places.reviewers.contains(&product) {
        return wrong(
            "[jira.verify.product] is a reviewer (jira.reviewers), so nothing would be refused to it: name a member of a \
             product team",
        );
    }
    if places.admins.contains(&product) {
        return wrong(
            "[jira.verify.product] administers Jira: name an ordinary member of a product team",
        );
    }
    if !places.reviewers.contains(&reviewer) {
        return wrong("[jira.verify.reviewer] is no reviewer (jira.reviewers): name one");
    }
    Ok(())
}

impl Trial<'_> {
    async fn all(&mut self) -> Result<(), WireError> {
        let Some(ticket) = self.ticket().await? else {
            return Ok(());
        };
        if !self.cast.product.sees(ticket).await? {
            let project = &self.place.key;
            let why = format!(
                "the product team's test user does not see the tickets of {project}, so refusals would prove nothing: give \
                 it the product team's role there"
            );
            self.note(
                "product team",
                "sees a ticket",
                Must::BeAllowed,
                Outcome::Unknown(why),
            );
            return Ok(());
        }
        self.product_writes(ticket).await?;
        self.people_work().await?;
        self.engine_moves(ticket).await
    }

    fn note(&mut self, who: &'static str, does: &str, must: Must, outcome: Outcome) {
        self.rows.push(Row {
            project: self.place.key.clone(),
            who,
            does: does.to_owned(),
            must,
            how: How::Tried,
            outcome,
        });
    }

    /// A new ticket; `None` when asaf cannot create one, which is noted.
    async fn ticket(&mut self) -> Result<Option<u64>, WireError> {
        match self.cast.bot.create(&self.fields()).await {
            Ok(id) => {
                self.made.push(id);
                Ok(Some(id))
            }
            Err(error) if is_refusal(&error) => {
                let why = format!(
                    "asaf cannot create tickets in {}: {error}. `asaf doctor` says what is missing.",
                    self.place.key
                );
                self.note(
                    "asaf",
                    "creates a ticket",
                    Must::BeAllowed,
                    Outcome::Broken(why),
                );
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn fields(&self) -> Fields {
        let jira = &self.setup.config.jira;
        let mut fields = jira.fields.clone();
        fields.insert("project".to_owned(), json!({"key": self.place.key}));
        fields.insert("issuetype".to_owned(), json!({"name": jira.issue_type}));
        let summary = "asaf workflow verify: made to try who may do what; delete it if you see it";
        fields.insert("summary".to_owned(), json!(summary));
        fields.insert("labels".to_owned(), json!([LABEL]));
        fields
    }

    async fn read(&self, id: u64) -> Result<Option<Ticket>, WireError> {
        self.setup.clients.jira.get(id).await
    }

    /// What a product team must not do to any ticket, whatever its status.
    async fn product_writes(&mut self, ticket: u64) -> Result<(), WireError> {
        let (cast, key) = (self.cast, self.place.key.clone());
        let product = &cast.product;
        let label = product.label(ticket, "asaf-tried").await;
        let link = product.set_link(ticket, &json!({"v": 1})).await;
        for (does, done) in [
            ("changes labels", label),
            ("changes the link to the finding", link),
        ] {
            let hole = format!(
                "The product team's test user {does} of tickets in {key}: that binds a ticket to its finding. Take \
                 EDIT_ISSUES from product teams (`asaf workflow apply` does)."
            );
            self.forbidden("product team", does, done, hole)?;
        }
        let created = product.create(&self.fields()).await;
        self.made.extend(created.as_ref().ok());
        let hole = format!("Product teams create tickets in {key}: take CREATE_ISSUES from them.");
        self.forbidden("product team", "creates a ticket", created.map(drop), hole)?;
        let held = product.permissions(&key, &["MOVE_ISSUES"]).await?;
        let moves = held.get("MOVE_ISSUES").copied().unwrap_or(false);
        let outcome = if moves {
            Outcome::Broken(format!(
                "Product teams can move tickets of {key} to a project or type with another workflow: take MOVE_ISSUES from \
                 them."
            ))
        } else {
            Outcome::Holds
        };
        self.note(
            "product team",
            "moves a ticket away",
            Must::BeRefused,
            outcome,
        );
        let Some(victim) = self.ticket().await? else {
            return Ok(());
        };
        let deleted = product.delete(victim).await;
        let hole = format!(
            "Product teams delete tickets in {key}: take DELETE_ISSUES from them (`asaf workflow apply` does)."
        );
        self.forbidden("product team", "deletes a ticket", deleted, hole)
    }

    /// Refusals hold, successes are holes, anything else ends the trial.
    fn forbidden(
        &mut self,
        who: &'static str,
        does: &str,
        done: Result<(), WireError>,
        hole: String,
    ) -> Result<(), WireError> {
        let outcome = match done {
            Ok(()) => Outcome::Broken(hole),
            Err(error) if is_refusal(&error) => Outcome::Holds,
            Err(error) => return Err(error),
        };
        self.note(who, does, Must::BeRefused, outcome);
        Ok(())
    }

    /// The way of a ticket among people: the team resolves, the reviewer closes, and opens it again.
    async fn people_work(&mut self) -> Result<(), WireError> {
        let Some(ticket) = self.ticket().await? else {
            return Ok(());
        };
        let cast = self.cast;
        let steps = [
            ("product team", "resolves a ticket", &cast.product, Resolved),
            (
                "reviewer",
                "closes a resolved ticket",
                &cast.reviewer,
                Closed,
            ),
            ("reviewer", "reopens a closed ticket", &cast.reviewer, Open),
        ];
        let mut stands = true;
        for (who, does, person, to) in steps {
            let outcome = if !stands {
                let why = format!("asaf could not bring a ticket of {} so far", self.place.key);
                Outcome::Unknown(why)
            } else if self.walk(person, ticket, to).await? {
                Outcome::Holds
            } else {
                let key = &self.place.key;
                Outcome::Broken(format!(
                    "The test user of the {who} cannot do its part in {key}: {does}. Give it the role that the workflow asks \
                     for (`asaf workflow apply` does)."
                ))
            };
            self.note(who, does, Must::BeAllowed, outcome);
            stands = self.bring(ticket, to).await?;
        }
        Ok(())
    }

    fn meaning(&self, status: &str) -> Option<TicketState> {
        self.place.meanings.get(status).copied()
    }

    /// A person takes the transitions that Jira offers, if need be through statuses with the same meaning.
    async fn walk(&self, person: &Person, id: u64, to: TicketState) -> Result<bool, WireError> {
        let mut passed = BTreeSet::new();
        for _ in 0..HOPS_MOST {
            let Some(now) = self.read(id).await? else {
                return Ok(false);
            };
            if now.state == Some(to) {
                return Ok(true);
            }
            passed.insert(now.status_id.clone());
            let offered = person.offered(id).await?;
            let straight = offered.iter().find(|one| self.meaning(&one.to) == Some(to));
            let aside = offered
                .iter()
                .find(|one| !passed.contains(&one.to) && self.meaning(&one.to) == now.state);
            let Some(step) = straight.or(aside) else {
                return Ok(false);
            };
            let fields = self.fields_of(&step.id, &step.name);
            match person.take(id, &step.id, fields).await {
                Ok(()) => {}
                Err(error) if is_refusal(&error) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(self
            .read(id)
            .await?
            .is_some_and(|now| now.state == Some(to)))
    }

    /// What the configuration gives to a transition's screen: without it a refusal would prove nothing.
    fn fields_of(&self, id: &str, name: &str) -> Option<&Fields> {
        let all = &self.setup.config.jira.transition_fields;
        let mut fitting = all.iter();
        let named = |key: &String| key == id || key.eq_ignore_ascii_case(name);
        fitting
            .find(|(key, _)| named(key))
            .map(|(_, fields)| fields)
    }

    /// asaf puts a ticket where it is needed; false when it cannot.
    async fn bring(&self, id: u64, to: TicketState) -> Result<bool, WireError> {
        let Some(now) = self.read(id).await? else {
            return Ok(false);
        };
        if now.state == Some(to) {
            return Ok(true);
        }
        match self.setup.clients.jira.move_to(&now, to).await {
            Ok(()) => Ok(true),
            Err(error) if is_refusal(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// asaf makes each of its moves once; on the way others try what they must not, in each status.
    async fn engine_moves(&mut self, ticket: u64) -> Result<(), WireError> {
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

    /// Deletes what was made. A ticket that stays is named.
    async fn clean_up(&mut self) {
        let made = std::mem::take(&mut self.made);
        for (id, deleted) in self.setup.clients.jira.delete_all(&made).await {
            if let Err(error) = deleted {
                let key = match self.read(id).await {
                    Ok(Some(ticket)) => ticket.at.key,
                    _ => format!("with the id {id}"),
                };
                let why = format!(
                    "the ticket {key} could not be deleted again ({error}): delete it by hand"
                );
                let outcome = Outcome::Unknown(why);
                self.note(
                    "asaf",
                    "deletes what it tried with",
                    Must::BeAllowed,
                    outcome,
                );
            }
        }
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
