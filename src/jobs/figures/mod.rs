//! `asaf report`: the figures as one file, from the store alone.

pub(crate) mod html;

use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::json;

use crate::cli::{Exit, ReportArgs, ReportOutput};
use crate::clock::Clock;
use crate::config::Config;
use crate::figures::export::{csv, csv_of, inline, markdown, rows};
use crate::figures::report::{Figures, SECTIONS, all, section};
use crate::figures::{Filter, Section, Source};
use crate::store::history::History as _;
use crate::store::sqlite::Sqlite;
use crate::talk::{self, Talk, plain};

/// Computes the figures and writes them.
///
/// # Errors
/// Configuration, a team or table that does not exist, the store, a file that cannot be written.
pub async fn run(args: &ReportArgs, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    let config = Config::load(path)?;
    let filter = args.filter()?;
    check_teams(&config, &filter)?;
    let store = Sqlite::open_beside(&config.store.path)?;
    let source = Source {
        config: &config,
        store: &store,
        now: Clock::System.now(),
    };
    let text = match &args.table {
        Some(name) => of_table(&source, &filter, name, args.output).await?,
        None => written(&all(&source, &filter).await?, args.output)?,
    };
    match &args.out {
        Some(file) => {
            std::fs::write(file, &text)
                .with_context(|| format!("cannot write {}", file.display()))?;
            talk.say(&format!(
                "The report is in {}.",
                plain(&file.to_string_lossy())
            ));
        }
        None => talk::data(&text)?,
    }
    if store.first_day().await?.is_none() {
        talk.say("Nothing was counted yet: figures begin with the first `asaf reconcile`.");
    }
    Ok(Exit::Ok)
}

/// A team that nobody has is a slip of the pen; an empty report would say that all is well.
fn check_teams(config: &Config, filter: &Filter) -> anyhow::Result<()> {
    let known = config.owners.teams();
    if let Some(wrong) = filter
        .team
        .iter()
        .find(|team| !known.contains(team.as_str()))
    {
        let known: Vec<&str> = known.into_iter().collect();
        bail!(
            "no owner has the team {}; there are: {}",
            plain(wrong),
            known.join(", ")
        );
    }
    Ok(())
}

/// One table alone; the other figures are not computed.
async fn of_table(
    source: &Source<'_, Sqlite>,
    filter: &Filter,
    name: &str,
    output: ReportOutput,
) -> anyhow::Result<String> {
    if output == ReportOutput::Html {
        bail!("--table goes with csv, json or markdown; a page has all tables");
    }
    let Some(section) = section(source, filter, name).await? else {
        bail!(
            "there is no table {}; there are: {}",
            plain(name),
            SECTIONS.join(", ")
        );
    };
    Ok(match output {
        ReportOutput::Csv => csv(&section.table),
        ReportOutput::Json => serde_json::to_string_pretty(&rows(&section.table))? + "\n",
        ReportOutput::Markdown | ReportOutput::Html => of_section(&section),
    })
}

/// All figures as one file.
///
/// # Errors
/// A page whose template cannot be filled.
pub fn written(figures: &Figures, output: ReportOutput) -> anyhow::Result<String> {
    let sections = figures.sections();
    Ok(match output {
        ReportOutput::Csv => csv_of(&sections),
        ReportOutput::Json => {
            let sentences = sections
                .iter()
                .map(|section| (section.id, &section.sentence));
            let sentences: std::collections::BTreeMap<_, _> = sentences.collect();
            let mut value = serde_json::to_value(figures)?;
            value["sentences"] = json!(sentences);
            serde_json::to_string_pretty(&value)? + "\n"
        }
        ReportOutput::Markdown => {
            let head = format!(
                "# Security findings\n\n{} to {}, {}. Computed {}.\n\n",
                figures.overview.period.from,
                figures.overview.period.to,
                inline(&figures.filter.to_string()),
                figures.made_at.strftime("%Y-%m-%d %H:%M UTC"),
            );
            let parts: Vec<String> = sections.iter().map(of_section).collect();
            head + &parts.join("\n")
        }
        ReportOutput::Html => html::page(figures, &sections)?,
    })
}

fn of_section(section: &Section) -> String {
    format!(
        "## {}\n\n{}\n\n{}",
        section.title,
        inline(&section.sentence),
        markdown(&section.table)
    )
}
