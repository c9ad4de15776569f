//! What happens on Jira's side: what people do to tickets, and what administrators do to projects and users.

use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::verbs::{
    Commented, Edited, Moved, MovedProject, OneProject, OneTicket, OneUser, Permission, Relabelled,
    Token,
};
use crate::emulators::jira::{Project, Role, User};
use crate::emulators::world::World;

impl World {
    pub(super) fn transition(&mut self, ticket: &str, who: &str, to: &str) -> Result<(), Refusal> {
        let (who, key) = (self.who(who)?, self.ticket(ticket)?);
        self.known_status(to)?;
        let now = self.now();
        let jira = &mut self.jira;
        jira.transition_as(&who, &key, to, now, &mut self.journal)
            .map_err(Refusal::conflict)
    }

    pub(super) fn force_status(&mut self, moved: &Moved) -> Result<(), Refusal> {
        let (who, key) = (self.who(&moved.who)?, self.ticket(&moved.ticket)?);
        self.known_status(&moved.to)?;
        let now = self.now();
        let jira = &mut self.jira;
        jira.force_status(&who, &key, &moved.to, now, &mut self.journal);
        Ok(())
    }

    pub(super) fn comment(&mut self, said: &Commented) -> Result<(), Refusal> {
        let (who, key) = (self.who(&said.who)?, self.ticket(&said.ticket)?);
        let now = self.now();
        let jira = &mut self.jira;
        jira.comment_as(&who, &key, &said.text, now, &mut self.journal)
            .map_err(Refusal::conflict)
    }

    pub(super) fn edit(&mut self, edited: &Edited) -> Result<(), Refusal> {
        let (who, key) = (self.who(&edited.who)?, self.ticket(&edited.ticket)?);
        let body = json!({ "fields": edited.fields, "update": edited.update });
        let now = self.now();
        let jira = &mut self.jira;
        jira.edit_as(&who, &key, &body, now, &mut self.journal)
            .map_err(Refusal::conflict)
    }

    pub(super) fn relabel(&mut self, labels: &Relabelled) -> Result<(), Refusal> {
        let verbs = |verb: &str, labels: &[String]| -> Vec<Value> {
            labels.iter().map(|label| json!({ verb: label })).collect()
        };
        let all = [verbs("add", &labels.add), verbs("remove", &labels.remove)].concat();
        self.edit(&Edited {
            ticket: labels.ticket.clone(),
            who: labels.who.clone(),
            fields: Map::new(),
            update: Map::from_iter([("labels".to_owned(), Value::Array(all))]),
        })
    }

    pub(super) fn move_project(&mut self, moved: &MovedProject) -> Result<(), Refusal> {
        let (who, key) = (self.who(&moved.who)?, self.ticket(&moved.ticket)?);
        self.project(&moved.project)?;
        let now = self.now();
        let jira = &mut self.jira;
        jira.move_project_as(&who, &key, &moved.project, now, &mut self.journal)
            .map(|_| ())
            .map_err(Refusal::conflict)
    }

    pub(super) fn delete_ticket(&mut self, one: &OneTicket) -> Result<(), Refusal> {
        let (who, key) = (self.who(&one.who)?, self.ticket(&one.ticket)?);
        let now = self.now();
        let jira = &mut self.jira;
        jira.delete_as(&who, &key, now, &mut self.journal)
            .map_err(Refusal::conflict)
    }

    pub(super) fn hide_project(&mut self, one: &OneProject, hidden: bool) -> Result<(), Refusal> {
        self.project(&one.project)?.is_hidden = hidden;
        Ok(())
    }

    pub(super) fn archive_project(&mut self, one: &OneProject, is: bool) -> Result<(), Refusal> {
        self.project(&one.project)?.is_archived = is;
        Ok(())
    }

    pub(super) fn activate(&mut self, one: &OneUser, active: bool) -> Result<(), Refusal> {
        self.user(&one.who)?.active = active;
        Ok(())
    }

    pub(super) fn replace_token(&mut self, one: &Token) -> Result<(), Refusal> {
        self.user(&one.who)?.token = one.token.clone();
        Ok(())
    }

    pub(super) fn revoke(&mut self, one: &Permission, revoked: bool) -> Result<(), Refusal> {
        let who = self.who(&one.who)?;
        let gone = self.jira.revoked.entry(who).or_default();
        if revoked {
            gone.insert(one.permission.clone());
        } else {
            gone.remove(&one.permission);
        }
        Ok(())
    }

    /// The key that a ticket has now.
    fn ticket(&self, id_or_key: &str) -> Result<String, Refusal> {
        let issue = self.jira.issue(id_or_key);
        issue.map(|issue| issue.key.clone()).ok_or_else(|| {
            let why = format!("There is no ticket {id_or_key}. GET /state/tickets lists them.");
            Refusal::unknown("ticket", why)
        })
    }

    /// The account id of a role's first active user, or of the user with this account id or e-mail address.
    fn who(&self, who: &str) -> Result<String, Refusal> {
        let role = Role::ALL.into_iter().find(|role| role.word() == who);
        let named =
            |user: &&User| user.account_id == who || user.email == who || role == Some(user.role);
        let user = role.and_then(|role| self.jira.user(role));
        let user = user.or_else(|| self.jira.users().find(named));
        user.map(|user| user.account_id.clone()).ok_or_else(|| {
            let why = format!("No user is {who}: name a role, an account id or an e-mail address.");
            Refusal::unknown("who", why).allowing(Role::ALL.map(Role::word))
        })
    }

    fn user(&mut self, who: &str) -> Result<&mut User, Refusal> {
        let account = self.who(who)?;
        let user = self.jira.user_mut(&account);
        user.ok_or_else(|| Refusal::unknown("who", format!("No user is {who}.")))
    }

    fn project(&mut self, key: &str) -> Result<&mut Project, Refusal> {
        let keys: Vec<String> = self.jira.projects().map(|p| p.key.clone()).collect();
        self.jira.project_mut(key).ok_or_else(|| {
            Refusal::unknown("project", format!("No project has the key {key}.")).allowing(keys)
        })
    }

    fn known_status(&self, name: &str) -> Result<(), Refusal> {
        if self.jira.status_named(name).is_some() {
            return Ok(());
        }
        let names = self.jira.statuses().map(|status| status.name.clone());
        Err(Refusal::unknown("to", format!("No status is called {name}.")).allowing(names))
    }
}
