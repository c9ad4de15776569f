//! The workflows that sites begin with: the one that `asaf` asks for, the simplified one of new projects, the classic one
//! of the system.

use std::collections::BTreeMap;

use serde_json::json;

use crate::emulators::jira::Jira;
use crate::emulators::jira::people::users::Role;
use crate::emulators::jira::workflows::model::{
    Category, ConditionGroup, Kind, Rule, Status, StatusPlace, Transition, Version, Workflow,
};
use crate::emulators::jira::workflows::scheme::WorkflowScheme;

/// Status id of *Open*.
pub const OPEN: u64 = 10_001;
/// Status id of *In Progress*.
pub const IN_PROGRESS: u64 = 10_002;
/// Status id of *Resolved*.
pub const RESOLVED: u64 = 10_003;
/// Status id of *Closed*.
pub const CLOSED: u64 = 10_004;
/// Status id of *Ignored*.
pub const IGNORED: u64 = 10_005;

/// Resolution ids and names of a new site.
const RESOLUTIONS: [(&str, &str); 4] = [
    ("10000", "Done"),
    ("10001", "Won't Do"),
    ("10002", "Duplicate"),
    ("10003", "Cannot Reproduce"),
];
/// The resolution *Done*.
const DONE: &str = "10000";
/// The resolution *Won't Do*.
const WONT_DO: &str = "10001";

/// Ids of the schemes that a site begins with.
const SIMPLIFIED_SCHEME: u64 = 10_000;
const SECURITY_SCHEME: u64 = 10_100;

/// Id, name, from, to, who by part, resolution (empty clears it, none leaves it).
type Row<'a> = (
    &'a str,
    &'a str,
    &'a [u64],
    u64,
    &'a [Role],
    Option<&'a str>,
);

impl Workflow {
    /// The workflow that `asaf` needs: directed transitions only, so that exactly one of several concurrent calls
    /// wins; only reviewers and the bot close and reopen.
    pub fn directed() -> Workflow {
        let everybody: &[Role] = &[];
        let reviewers = &[Role::Reviewer, Role::Bot];
        let bot = &[Role::Bot];
        let rows: [Row<'_>; 12] = [
            (
                "11",
                "Start progress",
                &[OPEN],
                IN_PROGRESS,
                everybody,
                None,
            ),
            ("12", "Stop progress", &[IN_PROGRESS], OPEN, everybody, None),
            (
                "21",
                "Resolve",
                &[OPEN, IN_PROGRESS],
                RESOLVED,
                everybody,
                Some(DONE),
            ),
            ("31", "Close", &[RESOLVED], CLOSED, reviewers, Some(DONE)),
            ("41", "Reopen", &[RESOLVED], OPEN, reviewers, Some("")),
            ("51", "Reopen closed", &[CLOSED], OPEN, reviewers, Some("")),
            (
                "61",
                "Close directly",
                &[OPEN, IN_PROGRESS],
                CLOSED,
                bot,
                Some(DONE),
            ),
            (
                "71",
                "Ignore",
                &[OPEN, IN_PROGRESS, RESOLVED, CLOSED],
                IGNORED,
                bot,
                Some(WONT_DO),
            ),
            ("81", "Unignore", &[IGNORED], OPEN, bot, Some("")),
            (
                "82",
                "Unignore as resolved",
                &[IGNORED],
                RESOLVED,
                bot,
                Some(DONE),
            ),
            (
                "83",
                "Unignore as closed",
                &[IGNORED],
                CLOSED,
                bot,
                Some(DONE),
            ),
            ("91", "Back to review", &[CLOSED], RESOLVED, bot, Some(DONE)),
        ];
        let transitions = rows.map(|(id, name, from, to, who, resolution)| Transition {
            conditions: restricted_to(who),
            actions: resolution.map(sets_resolution).into_iter().collect(),
            ..Transition::new(id, name, Kind::Directed, from, to)
        });
        let statuses = [OPEN, IN_PROGRESS, RESOLVED, CLOSED, IGNORED];
        bare("Security tickets", &statuses, transitions.into())
    }

    /// Jira's simplified workflow over the same statuses: one GLOBAL transition into each, open to anyone. The same
    /// call succeeds twice, and nothing keeps a product team from closing.
    pub fn simplified() -> Workflow {
        let done = [RESOLVED, CLOSED, IGNORED];
        over("Software Simplified Workflow", &[OPEN, IN_PROGRESS], &done)
    }
}

/// A workflow with one GLOBAL transition into each status; into the done ones it sets the resolution.
fn over(name: &str, open: &[u64], done: &[u64]) -> Workflow {
    let statuses = [open, done].concat();
    let transitions = statuses.iter().zip(1..).map(|(status, n)| Transition {
        actions: vec![sets_resolution(if done.contains(status) {
            DONE
        } else {
            ""
        })],
        ..Transition::new(&format!("{n}1"), "", Kind::Global, &[], *status)
    });
    let transitions = transitions.collect();
    bare(name, &statuses, transitions)
}

fn bare(name: &str, statuses: &[u64], mut transitions: Vec<Transition>) -> Workflow {
    let first = statuses.first().copied().unwrap_or_default();
    transitions.insert(0, Transition::new("1", "Create", Kind::Initial, &[], first));
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Workflow {
        id: format!(
            "{:08x}-0000-4000-8000-{:012x}",
            hash >> 32,
            hash & 0xffff_ffff_ffff
        ),
        name: name.to_owned(),
        description: String::new(),
        project: None,
        version: Version {
            id: format!("{:08x}-0000-4000-8000-000000000001", hash >> 32),
            version_number: 1,
        },
        statuses: statuses
            .iter()
            .zip(0..)
            .map(|(status, n)| StatusPlace {
                status: *status,
                properties: BTreeMap::new(),
                layout: json!({"x": 200 * n, "y": 0}),
            })
            .collect(),
        transitions,
        start_layout: json!({"x": -200, "y": 0}),
        loop_layout: json!(null),
        times: None,
        is_editable: true,
    }
}

fn restricted_to(who: &[Role]) -> Option<ConditionGroup> {
    let roles: Vec<String> = who
        .iter()
        .map(|role| role.project_role().0.to_string())
        .collect();
    let rule = Rule::new(
        "system:restrict-issue-transition",
        &[("roleIds", &roles.join(","))],
    );
    (!who.is_empty()).then(|| ConditionGroup::all(vec![rule]))
}

/// `value` is a resolution id; empty clears the field.
fn sets_resolution(value: &str) -> Rule {
    Rule::new(
        "system:update-field",
        &[
            ("field", "resolution"),
            ("value", value),
            ("mode", "replace"),
        ],
    )
}

impl Jira {
    /// The five statuses, the workflow and the scheme that `asaf` asks for; new projects get them.
    pub(crate) fn prepare_workflows(&mut self) {
        use Category::{Done, Indeterminate, New};
        for (id, name, category) in [
            (OPEN, "Open", New),
            (IN_PROGRESS, "In Progress", Indeterminate),
            (RESOLVED, "Resolved", Done),
            (CLOSED, "Closed", Done),
            (IGNORED, "Ignored", Done),
        ] {
            self.add_status(id, name, category, None);
        }
        self.add_resolutions();
        let simplified = self.add_workflow(Workflow::simplified());
        let directed = self.add_workflow(Workflow::directed());
        self.add_workflow_scheme(SIMPLIFIED_SCHEME, "Default workflow scheme", simplified);
        self.add_workflow_scheme(SECURITY_SCHEME, "Security tickets", directed);
        self.workflows.fallback = SIMPLIFIED_SCHEME;
        self.workflows.new_projects = SECURITY_SCHEME;
    }

    /// What a new site has: the statuses of the system, the simplified workflow for new projects, and the classic one.
    pub(crate) fn found_workflows(&mut self) {
        use Category::{Done, Indeterminate, New};
        for (id, name, category) in [
            (1, "Open", New),
            (3, "In Progress", Indeterminate),
            (4, "Reopened", New),
            (5, "Resolved", Done),
            (6, "Closed", Done),
            (10_000, "To Do", New),
            (10_001, "Done", Done),
        ] {
            self.add_status(id, name, category, None);
        }
        self.add_resolutions();
        let name = "Software Simplified Workflow";
        let mut simplified = over(name, &[10_000, 3], &[10_001]);
        self.name_transitions(&mut simplified);
        let simplified = self.add_workflow(simplified);
        let mut classic = bare(
            "jira",
            &[1, 3, 5, 4, 6],
            vec![
                Transition::new("4", "Start Progress", Kind::Directed, &[1, 4], 3),
                Transition::new("301", "Stop Progress", Kind::Directed, &[3], 1),
                Transition::new("5", "Resolve Issue", Kind::Directed, &[1, 3, 4], 5),
                Transition::new("2", "Close Issue", Kind::Directed, &[1, 3, 4, 5], 6),
                Transition::new("3", "Reopen Issue", Kind::Directed, &[5, 6], 4),
            ],
        );
        classic.is_editable = false;
        classic.description = "The default Jira workflow.".into();
        for (id, resolution) in [("5", DONE), ("2", DONE), ("3", "")] {
            if let Some(transition) = classic.transition_mut(id) {
                transition.actions = vec![sets_resolution(resolution)];
            }
        }
        let classic = self.add_workflow(classic);
        self.add_workflow_scheme(1, "classic", classic);
        let name = "Default software workflow scheme";
        self.add_workflow_scheme(SIMPLIFIED_SCHEME, name, simplified);
        self.workflows.fallback = 1;
        self.workflows.new_projects = SIMPLIFIED_SCHEME;
    }

    /// Statuses and a workflow of a team-managed project's own; gives the id of its scheme, which nothing shows.
    pub(crate) fn found_own_workflow(&mut self, project: u64) -> u64 {
        use Category::{Done, Indeterminate, New};
        let base = 11_000 + 10 * (project - 10_000);
        for (id, name, category) in [
            (base, "To Do", New),
            (base + 1, "In Progress", Indeterminate),
            (base + 2, "Done", Done),
        ] {
            self.add_status(id, name, category, Some(project));
        }
        let name = format!("Workflow of project {project}");
        let mut own = over(&name, &[base, base + 1], &[base + 2]);
        own.project = Some(project);
        self.name_transitions(&mut own);
        let own = self.add_workflow(own);
        let scheme = 1_000_000 + project;
        self.add_workflow_scheme(scheme, "", own);
        if let Some(scheme) = self.workflows.schemes.get_mut(&scheme) {
            scheme.project = Some(project);
        }
        scheme
    }

    fn add_resolutions(&mut self) {
        let own = |(id, name): (&str, &str)| (id.to_owned(), name.to_owned());
        self.workflows.resolutions = RESOLUTIONS.map(own).into();
        self.add_screens();
    }

    pub(crate) fn add_status(
        &mut self,
        id: u64,
        name: &str,
        category: Category,
        project: Option<u64>,
    ) {
        let status = Status {
            id,
            name: name.to_owned(),
            description: String::new(),
            category,
            project,
        };
        self.workflows.statuses.insert(id, status);
    }

    /// The transitions of a simplified workflow bear the names of their statuses.
    pub(super) fn name_transitions(&self, workflow: &mut Workflow) {
        for transition in &mut workflow.transitions {
            if transition.name.is_empty() {
                transition.name = transition
                    .to
                    .map(|to| self.status_name(to))
                    .unwrap_or_default();
            }
        }
    }

    fn add_workflow(&mut self, mut workflow: Workflow) -> String {
        self.name_transitions(&mut workflow);
        let id = workflow.id.clone();
        self.workflows.all.insert(id.clone(), workflow);
        id
    }

    fn add_workflow_scheme(&mut self, id: u64, name: &str, workflow: String) {
        let scheme = WorkflowScheme {
            id,
            name: name.to_owned(),
            default: workflow,
            ..WorkflowScheme::default()
        };
        self.workflows.schemes.insert(id, scheme);
    }
}
