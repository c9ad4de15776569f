//! Reading tickets. Search only finds candidates; state and existence are read by id.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::model::{Move, Ticket};
use crate::ports::{People, TicketIds, TicketQuery, TicketsReader, Transfers};
use crate::wire::adf::plain_text;
use crate::wire::error::WireError;
use crate::wire::http::{Operation, Request, encode};

use super::decode::{
    BulkFetched, ChangelogPage, CommentList, CommentPage, CommentRead, Issue, KeysPage, SearchPage,
};
use super::jql::{BadValue, Direction, Field, Jql};
use super::{COMMENT_PROPERTY, FIELDS, JiraClient, LABEL, LINK_PROPERTY};

/// The most that `search/jql` returns on a page; Jira returns fewer when it likes.
const SEARCH_PAGE: u32 = 5_000;
/// The most ids that `issue/bulkfetch` takes.
const FETCH_CHUNK: usize = 100;
/// The most issues that `changelog/bulkfetch` takes.
const MOVES_CHUNK: usize = 1_000;
/// Changelog entries on a page; the specification allows 10,000.
const MOVES_PAGE: u32 = 10_000;
/// How many comments are looked through for a person's last words.
const LAST_COMMENTS: usize = 20;
/// Comments on a page. An issue holds at most 5,000.
const COMMENTS_PAGE: usize = 100;

impl TicketsReader for JiraClient {
    async fn people(&self) -> Result<People, WireError> {
        self.read_people().await
    }

    async fn search(
        &self,
        query: &TicketQuery,
        token: Option<&str>,
    ) -> Result<TicketIds, WireError> {
        let Some(jql) = self.jql(query).await? else {
            return Ok(TicketIds::default());
        };
        let operation = search_operation("search for tickets");
        // Without fields a page holds up to 5,000 ids (Jira REST v3: search/jql).
        let mut body = json!({ "jql": jql, "maxResults": SEARCH_PAGE });
        if let Some(token) = token {
            body["nextPageToken"] = json!(token);
        }
        let request = Request::new(Method::POST, "/rest/api/3/search/jql").json(body);
        let page: SearchPage = self
            .http
            .send(&operation, request)
            .await?
            .decode(&operation)?;
        Ok(TicketIds {
            next: page.next(),
            ids: page.issues.into_iter().map(|issue| issue.id).collect(),
        })
    }

    async fn fetch(&self, ids: &[u64]) -> Result<Vec<Ticket>, WireError> {
        let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
        self.fetch_all(&ids).await
    }

    async fn fetch_keys(&self, keys: &[String]) -> Result<Vec<Ticket>, WireError> {
        self.fetch_all(keys).await
    }

    async fn descriptions(&self, ids: &[u64]) -> Result<BTreeMap<u64, Value>, WireError> {
        let operation = Operation::read(
            "POST /rest/api/3/issue/bulkfetch",
            format!("read the descriptions of {} tickets", ids.len()),
            "Browse projects",
        );
        let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
        let body = json!({ "issueIdsOrKeys": ids, "fields": ["description"] });
        let request = Request::new(Method::POST, "/rest/api/3/issue/bulkfetch").json(body);
        let answer = self.http.send(&operation, request).await?;
        let fetched: Value = answer.decode(&operation)?;
        let issues = fetched["issues"].as_array().into_iter().flatten();
        let described = issues.filter_map(|issue| {
            let id = issue["id"].as_str()?.parse().ok()?;
            Some((id, issue["fields"]["description"].clone()))
        });
        Ok(described.collect())
    }

    async fn highest_number(&self, project: &str) -> Result<u64, WireError> {
        let operation = search_operation(&format!("find the newest ticket of project {project}"));
        let jql = Jql::equals(Field::Project, project)
            .map_err(|bad| bad_value(&operation, bad))?
            .order_by(Field::Key, Direction::Descending);
        let body = json!({"jql": jql.to_string(), "fields": ["project"], "maxResults": 1});
        let request = Request::new(Method::POST, "/rest/api/3/search/jql").json(body);
        let page: KeysPage = self
            .http
            .send(&operation, request)
            .await?
            .decode(&operation)?;
        let numbers = page.issues.iter().filter_map(|issue| {
            let (_, number) = issue.key.rsplit_once('-')?;
            number.parse::<u64>().ok()
        });
        Ok(numbers.max().unwrap_or(0))
    }

    async fn moves(&self, ids: &[u64]) -> Result<BTreeMap<u64, Vec<Move>>, WireError> {
        let mut moves = BTreeMap::new();
        for chunk in ids.chunks(MOVES_CHUNK) {
            self.moves_of(chunk, &mut moves).await?;
        }
        for each in moves.values_mut() {
            each.sort_by_key(|change| {
                let number = change.changelog_id.parse::<u64>().unwrap_or(u64::MAX);
                (change.at, number)
            });
        }
        Ok(moves)
    }

    async fn get(&self, id: u64) -> Result<Option<Ticket>, WireError> {
        let operation = Operation::read(
            "GET /rest/api/3/issue/{id}",
            format!("read ticket {id}"),
            "Browse projects",
        );
        let request = Request::new(Method::GET, format!("/rest/api/3/issue/{id}"))
            .with("fields", FIELDS.join(","))
            .with("properties", LINK_PROPERTY);
        match self.http.send(&operation, request).await {
            Ok(answer) => {
                let issue: Issue = answer.decode(&operation)?;
                let statuses = self.statuses().await?;
                Ok(Some(issue.into_ticket(&statuses)))
            }
            Err(WireError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn transfers(
        &self,
        projects: &BTreeSet<(String, String)>,
    ) -> Result<Transfers, WireError> {
        self.read_transfers(projects).await
    }

    async fn project_readable(&self, project: &str) -> Result<bool, WireError> {
        let operation = Operation::read(
            "GET /rest/api/3/project/{project}",
            format!("read project {project}"),
            "Browse projects",
        );
        let path = format!("/rest/api/3/project/{}", encode(project));
        match self
            .http
            .send(&operation, Request::new(Method::GET, path))
            .await
        {
            Ok(_) => Ok(true),
            Err(WireError::NotFound { .. } | WireError::Denied { status: 403, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn has_comment(&self, id: u64, key: &str) -> Result<bool, WireError> {
        let operation = Operation::read(
            "GET /rest/api/3/issue/{id}/comment",
            format!("read the comments of ticket {id}"),
            "Browse projects",
        );
        let mut start = 0;
        loop {
            let request = Request::new(Method::GET, format!("/rest/api/3/issue/{id}/comment"))
                .with("startAt", start)
                .with("maxResults", COMMENTS_PAGE)
                .with("expand", "properties");
            let answer = self.http.send(&operation, request).await?;
            let page: CommentPage = answer.decode(&operation)?;
            start += page.comments.len();
            let last = page.comments.is_empty() || start >= page.total;
            if self.any_has_key(id, page.comments, key).await? {
                return Ok(true);
            }
            if last {
                return Ok(false);
            }
        }
    }

    async fn last_words(
        &self,
        id: u64,
        by: &str,
        since: Timestamp,
    ) -> Result<Option<String>, WireError> {
        let operation = Operation::read(
            "GET /rest/api/3/issue/{id}/comment",
            format!("read the last comments of ticket {id}"),
            "Browse projects",
        );
        let request = Request::new(Method::GET, format!("/rest/api/3/issue/{id}/comment"))
            .with("orderBy", "-created")
            .with("maxResults", LAST_COMMENTS);
        let answer = self.http.send(&operation, request).await?;
        let page: CommentPage = answer.decode(&operation)?;
        let theirs = page.comments.into_iter().find(|comment| {
            let author = comment.author.as_ref();
            author.is_some_and(|author| author.display_name == by)
                && comment.created.is_some_and(|at| at >= since)
        });
        Ok(theirs.map(|comment| plain_text(&comment.body)))
    }
}

impl JiraClient {
    /// `None` when the query can match nothing.
    async fn jql(&self, query: &TicketQuery) -> Result<Option<String>, WireError> {
        let operation = search_operation("search for tickets");
        let jql = match query {
            TicketQuery::Asked(jql) => return Ok(Some(jql.clone())),
            TicketQuery::Labelled => Jql::equals(Field::Labels, LABEL),
            TicketQuery::UpdatedSince(since) => {
                let zone = self.time_zone().await?;
                let minute = zone.to_datetime(*since);
                Jql::equals(Field::Labels, LABEL).map(|jql| jql.at_or_after(Field::Updated, minute))
            }
            TicketQuery::Marked(markers) if markers.is_empty() => return Ok(None),
            TicketQuery::Marked(markers) => {
                Jql::any_of(Field::Labels, markers.iter().map(|marker| marker.as_str()))
            }
        };
        let jql = jql.map_err(|bad| bad_value(&operation, bad))?;
        Ok(Some(
            jql.order_by(Field::Key, Direction::Ascending).to_string(),
        ))
    }

    /// The time zone in which Jira reads the bot's dates: that of its profile.
    async fn time_zone(&self) -> Result<TimeZone, WireError> {
        let name = self.myself().await?.time_zone.as_deref();
        let known = name.and_then(|name| TimeZone::get(name).ok());
        Ok(known.unwrap_or(TimeZone::UTC))
    }

    pub(super) async fn fetch_all(&self, ids_or_keys: &[String]) -> Result<Vec<Ticket>, WireError> {
        let operation = Operation::read(
            "POST /rest/api/3/issue/bulkfetch",
            format!("read {} tickets", ids_or_keys.len()),
            "Browse projects",
        );
        let mut tickets = Vec::with_capacity(ids_or_keys.len());
        for chunk in ids_or_keys.chunks(FETCH_CHUNK) {
            let body = json!({
                "issueIdsOrKeys": chunk,
                "fields": FIELDS,
                "properties": [LINK_PROPERTY],
            });
            let request = Request::new(Method::POST, "/rest/api/3/issue/bulkfetch").json(body);
            let answer = self.http.send(&operation, request).await?;
            let fetched: BulkFetched = answer.decode(&operation)?;
            let statuses = self.statuses().await?;
            let found = fetched.issues.into_iter();
            tickets.extend(found.map(|issue| issue.into_ticket(&statuses)));
        }
        Ok(tickets)
    }

    async fn moves_of(
        &self,
        ids: &[u64],
        moves: &mut BTreeMap<u64, Vec<Move>>,
    ) -> Result<(), WireError> {
        let operation = Operation::read(
            "POST /rest/api/3/changelog/bulkfetch",
            format!("read the status changes of {} tickets", ids.len()),
            "Browse projects",
        );
        let statuses = self.statuses().await?;
        let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
        let mut token: Option<String> = None;
        loop {
            let mut body = json!({
                "issueIdsOrKeys": ids,
                "fieldIds": ["status"],
                "maxResults": MOVES_PAGE,
            });
            if let Some(token) = &token {
                body["nextPageToken"] = json!(token);
            }
            let request = Request::new(Method::POST, "/rest/api/3/changelog/bulkfetch").json(body);
            let answer = self.http.send(&operation, request).await?;
            let page: ChangelogPage = answer.decode(&operation)?;
            for issue in page.issue_change_logs {
                let histories = issue.change_histories.into_iter();
                let found = histories.filter_map(|history| history.into_move(&statuses));
                moves.entry(issue.issue_id).or_default().extend(found);
            }
            let next = page.next_page_token.filter(|next| !next.is_empty());
            if next.is_none() || next == token {
                return Ok(());
            }
            token = next;
        }
    }

    /// The issue's comments may come without properties, because only `comment/list` documents that it expands them:
    /// then the bot's own comments are asked for there.
    async fn any_has_key(
        &self,
        id: u64,
        comments: Vec<CommentRead>,
        key: &str,
    ) -> Result<bool, WireError> {
        if comments.iter().any(|comment| has_key(comment, key)) {
            return Ok(true);
        }
        let without: Vec<CommentRead> = comments
            .into_iter()
            .filter(|comment| comment.properties.is_none())
            .collect();
        if without.is_empty() {
            return Ok(false);
        }
        let bot = &self.myself().await?.account_id;
        let by_bot = |comment: &&CommentRead| {
            comment
                .author
                .as_ref()
                .is_none_or(|author| author.account_id == *bot)
        };
        let ids: Vec<u64> = without.iter().filter(by_bot).map(|c| c.id).collect();
        if ids.is_empty() {
            return Ok(false);
        }
        let operation = Operation::read(
            "POST /rest/api/3/comment/list",
            format!("read the comments of ticket {id}"),
            "Browse projects",
        );
        let request = Request::new(Method::POST, "/rest/api/3/comment/list")
            .with("expand", "properties")
            .json(json!({"ids": ids}));
        let answer = self.http.send(&operation, request).await?;
        let list: CommentList = answer.decode(&operation)?;
        Ok(list.values.iter().any(|comment| has_key(comment, key)))
    }
}

fn has_key(comment: &CommentRead, key: &str) -> bool {
    comment.properties.iter().flatten().any(|property| {
        property.key == COMMENT_PROPERTY
            && property.value.get("key").and_then(Value::as_str) == Some(key)
    })
}

fn search_operation(what: &str) -> Operation {
    Operation::read("POST /rest/api/3/search/jql", what, "Browse projects")
}

fn bad_value(operation: &Operation, bad: BadValue) -> WireError {
    WireError::Refused {
        what: operation.what.clone(),
        status: 0,
        code: None,
        message: bad.to_string(),
    }
}
