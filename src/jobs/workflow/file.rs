//! The workflow file: what it may say, and what a workflow must have before it may go to Jira. Reads no more than the
//! one file that the configuration names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use crate::config::{ConfigError, Finding, parse_strictly, read_text};
use crate::model::TicketState;
use crate::model::workflow::{Category, engine_moves};

/// The reviewed file that the binary carries.
pub const BUILT_IN: &str = include_str!("../../../workflows/jira/tickets.toml");
/// What it is called in errors.
const BUILT_IN_NAME: &str = "workflows/jira/tickets.toml";

/// Who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Product teams.
    Product,
    /// Those who may close.
    Reviewer,
    /// The engine's own user.
    Bot,
}

impl Part {
    /// All, in the order of the file.
    pub const ALL: [Part; 3] = [Part::Product, Part::Reviewer, Part::Bot];
}

/// A project role.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleText {
    /// Its name in Jira.
    pub name: String,
    /// Its description.
    #[serde(default)]
    pub description: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Roles {
    product: RoleText,
    reviewer: RoleText,
    bot: RoleText,
}

/// A status with its meaning.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusText {
    /// Its name.
    pub name: String,
    /// Its category, if it has to be created.
    pub category: Category,
    /// What the engine takes it for.
    pub meaning: TicketState,
}

/// A directed transition.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransitionText {
    /// Its id in the workflow.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// The statuses that it leaves.
    pub from: Vec<String>,
    /// The status that it enters.
    pub to: String,
    /// Who may take it; `None`: everybody who may transition.
    pub who: Option<BTreeSet<Part>>,
    /// The resolution's name; empty clears it, `None` leaves it.
    pub resolution: Option<String>,
}

/// The workflow that Jira should have.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Name of the workflow and of both schemes.
    pub name: String,
    /// Their description.
    #[serde(default)]
    pub description: String,
    roles: Roles,
    /// Statuses.
    pub statuses: Vec<StatusText>,
    /// Transitions.
    pub transitions: Vec<TransitionText>,
    /// Who holds which permission.
    pub permissions: BTreeMap<String, BTreeSet<Part>>,
}

impl Wanted {
    /// The built-in file, or the one that the configuration names.
    ///
    /// # Errors
    /// [`ConfigError`] with line and caret for each mistake.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        match file {
            Some(path) => Self::parse(&read_text(path)?, path),
            None => Self::parse(BUILT_IN, Path::new(BUILT_IN_NAME)),
        }
    }

    /// Reads the text of a file; `path` names it in errors.
    ///
    /// # Errors
    /// As [`Wanted::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        parse_strictly(text, path, check)
    }

    /// The role of a part.
    pub fn role(&self, part: Part) -> &RoleText {
        match part {
            Part::Product => &self.roles.product,
            Part::Reviewer => &self.roles.reviewer,
            Part::Bot => &self.roles.bot,
        }
    }

    /// Reviewers hold a role that the site has already, under this name.
    pub fn name_reviewers(&mut self, name: &str) {
        name.clone_into(&mut self.roles.reviewer.name);
    }

    /// The status in which tickets begin.
    pub fn first(&self) -> &str {
        let mut open = self.statuses.iter();
        let first = open.find(|status| status.meaning == TicketState::Open);
        first.map_or("", |status| &status.name)
    }

    /// What a status means.
    pub fn meaning(&self, status: &str) -> Option<TicketState> {
        let mut all = self.statuses.iter();
        all.find(|known| known.name == status)
            .map(|known| known.meaning)
    }

    /// Names of the statuses with a meaning, the preferred first.
    pub fn meaning_of(&self, state: TicketState) -> impl Iterator<Item = &str> {
        let all = self.statuses.iter();
        all.filter(move |status| status.meaning == state)
            .map(|status| status.name.as_str())
    }
}

/// Collects mistakes by the path of their key.
struct Mistakes(Vec<Finding>);

impl Mistakes {
    fn add(&mut self, path: impl Into<String>, message: impl Into<String>, help: &str) {
        self.0.push(Finding {
            path: path.into(),
            message: message.into(),
            help: (!help.is_empty()).then(|| help.to_owned()),
        });
    }

    fn name(&mut self, path: impl Into<String>, name: &str, chars_max: usize) {
        let fits = !name.trim().is_empty() && name.trim() == name;
        if !fits || name.chars().count() > chars_max || name.chars().any(char::is_control) {
            let message = format!("a name has 1 to {chars_max} characters, without blanks around");
            self.add(path, message, "");
        }
    }
}

fn check(wanted: &Wanted) -> Vec<Finding> {
    let mut found = Mistakes(Vec::new());
    found.name("name", &wanted.name, 255);
    let mut roles = BTreeSet::new();
    for (key, part) in [
        ("product", Part::Product),
        ("reviewer", Part::Reviewer),
        ("bot", Part::Bot),
    ] {
        let name = &wanted.role(part).name;
        found.name(format!("roles.{key}.name"), name, 255);
        if !roles.insert(name.to_lowercase()) {
            found.add(
                format!("roles.{key}.name"),
                format!("`{name}` is two roles at once"),
                "",
            );
        }
    }
    statuses(wanted, &mut found);
    transitions(wanted, &mut found);
    if found.0.is_empty() {
        ways(wanted, &mut found);
    }
    permissions(wanted, &mut found);
    found.0
}

fn statuses(wanted: &Wanted, found: &mut Mistakes) {
    let mut names = BTreeSet::new();
    for (i, status) in wanted.statuses.iter().enumerate() {
        let path = format!("statuses[{i}].name");
        found.name(path.clone(), &status.name, 60);
        if !names.insert(status.name.to_lowercase()) {
            found.add(path, format!("`{}` stands here twice", status.name), "");
        }
    }
    for (state, _) in engine_moves() {
        let lacks = wanted.meaning_of(state).next().is_none();
        let known = found
            .0
            .iter()
            .any(|finding| finding.message.contains(state.word()));
        if lacks && !known {
            let message = format!("no status means {}", state.word());
            found.add("statuses", message, "each of the four meanings needs one");
        }
    }
}

fn transitions(wanted: &Wanted, found: &mut Mistakes) {
    let mut ids = BTreeSet::new();
    let known = |name: &str| wanted.statuses.iter().any(|status| status.name == name);
    for (i, transition) in wanted.transitions.iter().enumerate() {
        let path = format!("transitions[{i}]");
        found.name(format!("{path}.name"), &transition.name, 60);
        if transition.id < 2 || !ids.insert(transition.id) {
            let help = "ids are numbers from 2 on, each once; 1 is the creation";
            found.add(
                format!("{path}.id"),
                format!("{} is taken", transition.id),
                help,
            );
        }
        if transition.from.is_empty() {
            let help = "name the statuses that it leaves";
            found.add(format!("{path}.from"), "starts nowhere", help);
        }
        let ends = transition.from.iter().enumerate();
        let ends = ends.map(|(j, status)| (format!("{path}.from[{j}]"), status));
        for (path, status) in ends.chain([(format!("{path}.to"), &transition.to)]) {
            if !known(status) {
                found.add(
                    path,
                    format!("`{status}` is no status of this workflow"),
                    "",
                );
            }
        }
        if transition.who.as_ref().is_some_and(BTreeSet::is_empty) {
            let help = "leave the key out to let everybody take it";
            found.add(format!("{path}.who"), "nobody may take it", help);
        }
        if let Some(message) = opens_to_all(wanted, transition) {
            let help = "write who = [\"reviewer\", \"bot\"], or [\"bot\"]";
            found.add(format!("{path}.to"), message, help);
        }
    }
}

/// The rule itself: product teams neither end a ticket nor take one out of its end.
fn opens_to_all(wanted: &Wanted, transition: &TransitionText) -> Option<String> {
    let allowed = transition
        .who
        .as_ref()
        .is_some_and(|who| !who.contains(&Part::Product));
    if allowed {
        return None;
    }
    let ends = |status: &str| {
        let meaning = wanted.meaning(status)?;
        matches!(meaning, TicketState::Closed | TicketState::Ignored).then_some(meaning)
    };
    let name = &transition.name;
    if let Some(meaning) = ends(&transition.to) {
        let word = meaning.word();
        return Some(format!(
            "`{name}` would let product teams make a ticket {word}"
        ));
    }
    let left = transition.from.iter().find_map(|status| ends(status))?;
    Some(format!(
        "`{name}` would let product teams reopen what is {}",
        left.word()
    ))
}

/// The engine finds a way from each meaning to each other.
fn ways(wanted: &Wanted, found: &mut Mistakes) {
    let open_to_bot =
        |one: &&TransitionText| one.who.as_ref().is_none_or(|who| who.contains(&Part::Bot));
    let steps: Vec<(&str, &str)> = wanted
        .transitions
        .iter()
        .filter(open_to_bot)
        .flat_map(|one| one.from.iter().map(|from| (from.as_str(), one.to.as_str())))
        .collect();
    for (from, to) in engine_moves() {
        for start in wanted.meaning_of(from) {
            let targets: BTreeSet<&str> = wanted.meaning_of(to).collect();
            if !leads(start, &targets, &steps) {
                let message = format!("the bot finds no way from `{start}` to {}", to.word());
                let help = "asaf moves tickets between all four meanings; add a transition with who = [\"bot\"]";
                found.add("transitions", message, help);
            }
        }
    }
}

fn leads(start: &str, targets: &BTreeSet<&str>, steps: &[(&str, &str)]) -> bool {
    let mut reached = BTreeSet::from([start]);
    loop {
        let more: Vec<&str> = steps
            .iter()
            .filter(|(from, to)| reached.contains(from) && !reached.contains(to))
            .map(|(_, to)| *to)
            .collect();
        if more.is_empty() {
            return reached.iter().any(|status| targets.contains(status));
        }
        reached.extend(more);
    }
}

/// What the engine cannot do without (Jira REST v3: built-in permissions).
const BOT_NEEDS: [&str; 6] = [
    "BROWSE_PROJECTS",
    "CREATE_ISSUES",
    "EDIT_ISSUES",
    "DELETE_ISSUES",
    "TRANSITION_ISSUES",
    "ADD_COMMENTS",
];

/// What would let a product team around the workflow, with what it could do.
pub(super) const NOT_FOR_TEAMS: [(&str, &str); 7] = [
    (
        "EDIT_ISSUES",
        "change the labels and properties that bind a ticket to its finding",
    ),
    ("DELETE_ISSUES", "delete tickets"),
    (
        "MOVE_ISSUES",
        "move tickets to a project or type with another workflow",
    ),
    ("CREATE_ISSUES", "create tickets beside asaf's"),
    ("MODIFY_REPORTER", "change who reported a ticket"),
    (
        "ADMINISTER_PROJECTS",
        "give themselves a role, and with it the right to close",
    ),
    ("EDIT_WORKFLOW", "change the workflow"),
];

fn permissions(wanted: &Wanted, found: &mut Mistakes) {
    for (key, parts) in &wanted.permissions {
        let path = format!("permissions.{key}");
        let shaped = key.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        if !shaped {
            found.add(
                path.clone(),
                "is no permission key, such as BROWSE_PROJECTS",
                "",
            );
        }
        let denied = NOT_FOR_TEAMS.iter().find(|(denied, _)| denied == key);
        if let Some((_, could)) = denied.filter(|_| parts.contains(&Part::Product)) {
            found.add(
                path,
                format!("product teams could {could}"),
                "remove \"product\"",
            );
        }
    }
    for key in BOT_NEEDS {
        let granted = wanted.permissions.get(key);
        if !granted.is_some_and(|parts| parts.contains(&Part::Bot)) {
            let help = "asaf creates, edits, moves, comments on and deletes its tickets";
            found.add("permissions", format!("the bot lacks {key}"), help);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn refusal(from: &str, to: &str) -> String {
        let text = BUILT_IN.replacen(from, to, 1);
        assert_ne!(text, BUILT_IN, "{from}");
        let refused = Wanted::parse(&text, Path::new("my.toml")).expect_err(from);
        refused.to_string()
    }

    #[test]
    fn the_built_in_file_is_right() {
        let wanted = Wanted::load(None).unwrap();
        assert_eq!(wanted.first(), "Open");
        assert_eq!(wanted.transitions.len(), 12);
        assert_eq!(
            wanted.meaning_of(TicketState::Open).collect::<Vec<_>>(),
            ["Open", "In Progress"]
        );
    }

    #[test]
    fn a_longer_way_for_the_bot_is_enough() {
        let direct = "from = [\"Closed\"]\nto = \"Resolved\"";
        let without = BUILT_IN.replacen(direct, "from = [\"Resolved\"]\nto = \"Resolved\"", 1);
        assert_ne!(without, BUILT_IN);
        Wanted::parse(&without, Path::new("my.toml")).unwrap();
    }

    #[test]
    fn every_mistake_is_shown_at_its_place_with_what_to_write() {
        for (from, to, sentence) in [
            (
                "name = \"Close\"\n",
                "nam = \"Close\"\n",
                "did you mean `name`?",
            ),
            (
                "who = [\"reviewer\", \"bot\"]",
                "who = [\"reviewers\", \"bot\"]",
                "did you mean `reviewer`?",
            ),
            (
                "to = \"Closed\"\nwho = [\"reviewer\", \"bot\"]",
                "to = \"Closed\"",
                "`Close` would let product teams make a ticket closed",
            ),
            (
                "from = [\"Closed\"]\nto = \"Open\"\nwho = [\"reviewer\", \"bot\"]",
                "from = [\"Closed\"]\nto = \"Open\"\nwho = [\"product\", \"bot\"]",
                "`Reopen closed` would let product teams reopen what is closed",
            ),
            (
                "meaning = \"ignored\"",
                "meaning = \"closed\"",
                "no status means ignored",
            ),
            (
                "to = \"Ignored\"",
                "to = \"Ignord\"",
                "`Ignord` is no status of this workflow",
            ),
            ("id = 12", "id = 11", "11 is taken"),
            (
                "EDIT_ISSUES = [\"bot\"]",
                "EDIT_ISSUES = [\"bot\", \"product\"]",
                "product teams could change the labels",
            ),
            (
                "DELETE_ISSUES = [\"bot\"]\n",
                "",
                "the bot lacks DELETE_ISSUES",
            ),
            (
                "name = \"asaf bot\"",
                "name = \"asaf product team\"",
                "two roles at once",
            ),
            (
                "who = [\"bot\"]\nresolution = \"Won't Do\"",
                "who = [\"reviewer\"]\nresolution = \"Won't Do\"",
                "the bot finds no way from `Open` to ignored",
            ),
        ] {
            let problems = refusal(from, to);
            assert!(problems.contains(sentence), "{sentence}: {problems}");
            assert!(problems.contains("my.toml:"), "{problems}");
            assert!(problems.contains('^'), "{problems}");
        }
    }
}
