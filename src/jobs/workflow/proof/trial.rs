//! What is tried in a project, with tickets that exist for nothing else: product team, administrator and reviewer do what
//! they must not or must be able to do, and asaf makes its moves. Whatever happens, the tickets are deleted again.

use std::collections::BTreeSet;

use serde_json::json;

use crate::jobs::workflow::{Setup, Trouble};
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

/// A trial in one project.
pub(super) struct Trial<'a> {
    setup: &'a Setup,
    pub(super) cast: &'a Cast,
    pub(super) place: &'a Place,
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

    pub(super) fn note(&mut self, who: &'static str, does: &str, must: Must, outcome: Outcome) {
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

    pub(super) async fn read(&self, id: u64) -> Result<Option<Ticket>, WireError> {
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
            (
                "product team",
                "resolves a ticket",
                &cast.product,
                TicketState::Resolved,
            ),
            (
                "reviewer",
                "closes a resolved ticket",
                &cast.reviewer,
                TicketState::Closed,
            ),
            (
                "reviewer",
                "reopens a closed ticket",
                &cast.reviewer,
                TicketState::Open,
            ),
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

    pub(super) fn meaning(&self, status: &str) -> Option<TicketState> {
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
    pub(super) fn fields_of(&self, id: &str, name: &str) -> Option<&Fields> {
        let all = &self.setup.config.jira.transition_fields;
        let mut fitting = all.iter();
        let named = |key: &String| key == id || key.eq_ignore_ascii_case(name);
        fitting
            .find(|(key, _)| named(key))
            .map(|(_, fields)| fields)
    }

    /// asaf puts a ticket where it is needed; false when it cannot.
    pub(super) async fn bring(&self, id: u64, to: TicketState) -> Result<bool, WireError> {
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
