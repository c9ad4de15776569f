//! `asaf ignore propose TICKET`: the pull request that ignores a ticket's finding, on behalf of its team.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use jiff::civil::Date;
use serde_json::json;

use super::{last_day, new, today};
use crate::cli::{Exit, ProposeArgs, TextOrJson};
use crate::clock::Clock;
use crate::config::{Config, Ignore};
use crate::ignore::RuleFile;
use crate::ignore::parse::blank;
use crate::ignore::write::{exactly, id_of};
use crate::jobs::connect::{Way, connect_aws, github};
use crate::model::{Finding, IgnoreRule, Link};
use crate::ports::{FindingsQuery, FindingsReader as _};
use crate::store::sqlite::Sqlite;
use crate::store::{AuditEntry, Store as _};
use crate::talk::{self, Talk, code_span, plain};
use crate::wire::budget::Budget;
use crate::wire::counts::Counts;
use crate::wire::github::{GitHub, Head, Proposal};

/// # Errors
/// A ticket that no link knows, a rule that would not pass, GitHub.
pub(super) async fn run(args: &ProposeArgs, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    let config = Config::load(path)?;
    let ignore = config
        .ignore
        .as_ref()
        .context("the configuration has no [ignore] with a repository")?;
    let budget = Budget::new(Clock::System);
    let way = Way::network()?;
    let client = github(ignore, way.github.clone(), budget.clone(), Counts::default())?
        .context("a pull request needs [ignore] repository and token: a clone on this machine cannot open one")?;
    let store = Sqlite::open_beside(&config.store.path)?;
    let link = link(&store, &args.ticket).await?;
    let aws = connect_aws(&config, way.credentials, way.aws, budget, Counts::default()).await;
    let query = FindingsQuery {
        ids: link
            .findings
            .iter()
            .take(20)
            .map(|key| key.id.clone())
            .collect(),
        ..FindingsQuery::default()
    };
    let page = aws.page(&query, None).await?;
    let Some(finding) = page
        .findings
        .into_iter()
        .find(|finding| link.findings.contains(&finding.key))
    else {
        bail!(
            "the finding of {} is not in Security Hub any more: there is nothing to ignore",
            plain(&args.ticket)
        );
    };
    let reason = reason(args, talk)?;
    let rule = rule(args, &finding, &config, reason, today())?;
    let proposal = proposal(&rule, &finding, &args.ticket, ignore, &client).await?;
    if args.dry_run {
        return shown(args, &proposal, None);
    }
    let proposed = client.propose(&proposal).await?;
    store
        .audit(&[entry(&link, &finding, &args.ticket, &proposed.html_url)])
        .await?;
    shown(args, &proposal, Some((proposed.number, &proposed.html_url)))
}

async fn link(store: &Sqlite, ticket: &str) -> anyhow::Result<Link> {
    let links = store.links().await?;
    let found = links.into_iter().find(|link| {
        link.ticket
            .as_ref()
            .is_some_and(|at| at.key.eq_ignore_ascii_case(ticket))
    });
    found.with_context(|| format!("no finding is known for ticket {}", plain(ticket)))
}

/// The reason is the one thing that nobody but the team knows.
fn reason(args: &ProposeArgs, talk: Talk) -> anyhow::Result<String> {
    if let Some(reason) = &args.reason {
        return Ok(reason.clone());
    }
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        bail!("--reason is missing: say why the finding is intended");
    }
    talk.error("Why is this intended? (one line, for the reviewer and the note in Security Hub):");
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    match line.trim() {
        "" => bail!("without a reason nothing is proposed"),
        reason => Ok(reason.to_owned()),
    }
}

/// As narrow as it can be: this control, this account, these resources.
fn rule(
    args: &ProposeArgs,
    finding: &Finding,
    config: &Config,
    reason: String,
    today: Date,
) -> anyhow::Result<IgnoreRule> {
    let owner = args
        .owner
        .clone()
        .unwrap_or_else(|| config.owners.of(&finding.alias.account).team.clone());
    let tail = finding
        .alias
        .resource
        .rsplit([':', '/'])
        .find(|part| !part.is_empty())
        .unwrap_or_default();
    let mut rule = blank(id_of(&[&args.ticket, &finding.rule.id, tail]));
    rule.controls = vec![finding.rule.id.clone()];
    rule.products = vec![finding.product.clone()];
    rule.accounts = vec![finding.alias.account.clone()];
    rule.regions = Some(finding.alias.region.clone())
        .into_iter()
        .filter(|region| region.contains('-'))
        .collect();
    rule.resources = finding
        .resources
        .iter()
        .map(|resource| exactly(&resource.id))
        .collect();
    rule.resources.dedup();
    rule.reason = reason;
    rule.requested_by = args
        .requested_by
        .clone()
        .unwrap_or_else(|| format!("team {owner}"));
    rule.owner = owner;
    rule.expires = last_day(&args.expires, today)?;
    rule.ticket = Some(args.ticket.to_uppercase());
    Ok(rule)
}

/// The file with the rule, on top of what stands on the protected branch now.
async fn proposal(
    rule: &IgnoreRule,
    finding: &Finding,
    ticket: &str,
    ignore: &Ignore,
    client: &GitHub,
) -> anyhow::Result<Proposal> {
    let Head::At { commit, .. } = client.head(&ignore.branch, None).await? else {
        bail!("GitHub did not say where branch {} stands", ignore.branch);
    };
    let mut files = Vec::new();
    for blob in client.list(&commit, &ignore.folder).await? {
        let text = client.text(&blob).await?;
        files.push(RuleFile {
            path: blob.path,
            text,
        });
    }
    let folder = ignore.folder.trim_matches('/');
    let path = format!("{folder}/{}.toml", id_of(&[&rule.owner]));
    let placed = new::in_files(rule, &path, files, &ignore.policy(), today())?;
    let tail = finding
        .alias
        .resource
        .rsplit([':', '/'])
        .find(|part| !part.is_empty())
        .unwrap_or_default();
    let title: String = plain(&format!(
        "Ignore {} for {tail} until {}",
        finding.rule.id, rule.expires
    ))
    .chars()
    .take(200)
    .collect();
    Ok(Proposal {
        base: ignore.branch.clone(),
        from: commit,
        branch: format!("asaf/ignore/{}", rule.id),
        path,
        text: placed.text,
        title,
        body: body(rule, finding, ticket),
    })
}

fn body(rule: &IgnoreRule, finding: &Finding, ticket: &str) -> String {
    let account = match &finding.account_name {
        Some(name) => format!("{name} ({})", finding.alias.account),
        None => finding.alias.account.clone(),
    };
    let rows = [
        ("finding", finding.title.clone()),
        ("severity", finding.severity.label().to_owned()),
        ("control", finding.rule.id.clone()),
        ("account", account),
        ("Region", finding.alias.region.clone()),
        ("resource", finding.alias.resource.clone()),
        ("ticket", ticket.to_uppercase()),
        ("team", rule.owner.clone()),
        ("asked for by", rule.requested_by.clone()),
        ("until", rule.expires.to_string()),
    ];
    let rows: Vec<String> = rows
        .iter()
        .map(|(name, value)| format!("| {name} | {} |", code_span(value)))
        .collect();
    format!(
        "{}\n\n| | |\n|---|---|\n{}\n\nAs long as the rule is in force, the finding is SUPPRESSED in Security Hub and its ticket is ignored. \
         When it ends, both come back.\n",
        code_span(&rule.reason),
        rows.join("\n")
    )
}

fn entry(link: &Link, finding: &Finding, ticket: &str, url: &str) -> AuditEntry {
    AuditEntry {
        at: Clock::System.now(),
        run: String::new(),
        action: "propose".to_owned(),
        marker: link.marker.clone(),
        ticket: Some(ticket.to_uppercase()),
        finding: Some(finding.key.id.clone()),
        before: None,
        after: None,
        row: 0,
        reason: format!("An ignore rule was proposed: {url}"),
    }
}

fn shown(
    args: &ProposeArgs,
    proposal: &Proposal,
    opened: Option<(u64, &str)>,
) -> anyhow::Result<Exit> {
    let text = match (args.output, opened) {
        (TextOrJson::Json, opened) => {
            let value = json!({ "number": opened.map(|(number, _)| number), "url": opened.map(|(_, url)| url),
                "branch": proposal.branch, "path": proposal.path, "title": proposal.title, "file": proposal.text });
            serde_json::to_string_pretty(&value)? + "\n"
        }
        (TextOrJson::Text, Some((_, url))) => format!("{}\n", plain(url)),
        (TextOrJson::Text, None) => {
            let lines: Vec<_> = proposal.text.lines().map(plain).collect();
            format!(
                "{} would be:\n\n{}\n",
                plain(&proposal.path),
                lines.join("\n")
            )
        }
    };
    talk::data(&text)?;
    Ok(Exit::Ok)
}
