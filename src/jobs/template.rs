//! `asaf template`: checks what tickets say, and shows the ticket of a finding. It writes nothing.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::bail;
use serde_json::json;

use crate::apply::content::{Style as _, Tickets};
use crate::cli::{Exit, PreviewOutput, TemplateCommand};
use crate::clock::Clock;
use crate::config::Config;
use crate::jobs::connect::{Way, connect};
use crate::jobs::owners;
use crate::model::owner::Knowledge;
use crate::model::{Finding, Link, Routing};
use crate::plan::Reason;
use crate::ports::Draft;
use crate::read::files::read_paths;
use crate::store::sqlite::Sqlite;
use crate::talk::{self, plain};
use crate::template::Templates;
use crate::template::data::Data;
use crate::wire::adf::plain_text;

/// Runs the command.
///
/// # Errors
/// Configuration, a template that is wrong, a finding that cannot be read.
pub async fn run(command: &TemplateCommand, path: &Path) -> anyhow::Result<Exit> {
    let config = Config::load(path)?;
    let templates = Templates::load(config.jira.templates.as_deref())?;
    match command {
        TemplateCommand::Check => {
            let problems = check(&config, &templates);
            let mut text: String = problems
                .iter()
                .map(|problem| format!("{}\n", plain(problem)))
                .collect();
            if problems.is_empty() {
                let (all, own) = (templates.names().len(), own(&templates));
                text = format!("{all} templates are right, {own} of them your own.\n");
            }
            talk::data(&text)?;
            Ok(if problems.is_empty() {
                Exit::Ok
            } else {
                Exit::Failed
            })
        }
        TemplateCommand::Preview {
            subject,
            file,
            output,
        } => {
            let (findings, owners) = match (subject, file) {
                (_, Some(file)) => (from_file(file)?, config.owners.routing(Knowledge::NotAsked)),
                (Some(subject), None) => from_aws(&config, subject).await?,
                (None, None) => bail!("name a finding, a ticket, or a file"),
            };
            let style = Tickets {
                config: &config,
                owners: &owners,
                templates: &templates,
            };
            for finding in &findings {
                talk::data(&preview(&style, finding, *output)?)?;
            }
            Ok(Exit::Ok)
        }
    }
}

/// What is wrong with templates, mapped fields, and the languages of owners; one sentence each.
pub fn check(config: &Config, templates: &Templates) -> Vec<String> {
    let data = Data::example();
    let mut problems = Vec::new();
    for name in templates.names().keys() {
        match templates.document(name, &data) {
            Ok(doc) if doc.text_chars() == 0 => {
                problems.push(format!("the template {name} says nothing"))
            }
            Ok(_) => {}
            Err(error) => problems.push(error.to_string()),
        }
    }
    for (id, value) in &config.jira.fields {
        if let Err(error) = templates.field(id, value, &data) {
            problems.push(error.to_string());
        }
    }
    let mut languages: Vec<&str> = config
        .owners
        .all()
        .filter_map(|owner| owner.language.as_deref())
        .collect();
    languages.sort_unstable();
    languages.dedup();
    for language in languages {
        let folder = format!("{language}/");
        if !templates
            .names()
            .keys()
            .any(|name| name.starts_with(&folder))
        {
            problems.push(format!(
                "an owner has the language {language}, and jira.templates has no folder {language} with templates"
            ));
        }
    }
    problems
}

fn own(templates: &Templates) -> usize {
    templates.names().values().flatten().count()
}

fn from_file(file: &PathBuf) -> anyhow::Result<Vec<Finding>> {
    let report = read_paths(std::slice::from_ref(file));
    if let (true, Some(error)) = (report.findings.is_empty(), report.errors.first()) {
        bail!("{} {} {}", error.file, error.field, error.problem);
    }
    Ok(report.findings)
}

async fn from_aws(config: &Config, subject: &str) -> anyhow::Result<(Vec<Finding>, Routing)> {
    let clients = connect(config, Clock::System, Way::network()?).await?;
    let store = Sqlite::open_beside(&config.store.path)?;
    let routing = owners::routing(config, &clients, &store).await?;
    let findings = owners::findings(subject, &clients, &store).await?;
    Ok((findings, routing))
}

/// The ticket of a finding, as a create would send it.
///
/// # Errors
/// JSON that cannot be written.
pub fn preview(
    style: &Tickets<'_>,
    finding: &Finding,
    output: PreviewOutput,
) -> anyhow::Result<String> {
    let link = Link::new(finding.alias.clone(), finding.severity);
    let draft = style.draft(finding, &link, &[], &Reason::Fails);
    let text = match output {
        PreviewOutput::Adf => serde_json::to_string_pretty(&draft.description)? + "\n",
        PreviewOutput::Text => text(&draft),
    };
    Ok(text)
}

fn text(draft: &Draft) -> String {
    let mut out = format!("{}\n", plain(&draft.summary));
    let facts = [
        ("project", Some(draft.project.clone())),
        ("type", Some(draft.issue_type.clone())),
        ("priority", draft.priority.clone()),
        ("component", draft.component.clone()),
        ("assignee", draft.assignee.clone()),
        (
            "labels",
            Some(draft.labels.join(" ")).filter(|labels| !labels.is_empty()),
        ),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            let _ = writeln!(out, "  {name:<10} {}", plain(&value));
        }
    }
    for (id, value) in &draft.fields {
        let _ = writeln!(out, "  {id} {}", plain(&json!(value).to_string()));
    }
    for line in plain_text(&draft.description).lines() {
        let _ = writeln!(out, "  │ {}", plain(line));
    }
    out
}
