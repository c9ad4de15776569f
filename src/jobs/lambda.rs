//! The same handlers as `asaf serve`, called by AWS Lambda: messages of SQS, webhooks over a function URL or API
//! Gateway, and a schedule.
//!
//! Nothing is kept between two calls but connections: the store is opened for a call and closed at its end, because a
//! function that is frozen must not hold a lock. Where a queue is configured, a webhook is verified and passed on to it,
//! so that the function which receives webhooks needs no store.

use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::apply::Watch;
use crate::clock::Clock;
use crate::config::Config;
use crate::jobs::connect::{Clients, Way, connect_queue, connect_within};
use crate::jobs::live::{Turn, Worker, random};
use crate::jobs::queue::{Intake, Verdict};
use crate::jobs::reconcile::Job;
use crate::jobs::tell::Courier;
use crate::jobs::webhook::{self, Answer, BODY_BYTES_MAX, Receiver};
use crate::read::Silent;
use crate::store::StoreError;
use crate::store::queue::Delivery;
use crate::store::sqlite::Sqlite;
use crate::wire::aws::Aws;
use crate::wire::budget::Budget;
use crate::wire::events::passed_on;
use crate::wire::jira::webhook::{Named, named};
use crate::wire::lambda::{Invocation, Request, failed_items, invocation, response};
use crate::wire::signature::{Secrets, sha256};
use crate::wire::sqs::{Message, Queue};

/// Work that has not ended so long before the function's time is over is left to the next call.
const TIME_LEFT: SignedDuration = SignedDuration::from_secs(5);
/// Without a queue in the configuration nobody said when to give up.
const GIVE_UP_AFTER: u32 = 3;

/// A function that is warm.
pub struct Function {
    config: Config,
    clients: Clients,
    queue: Option<Aws>,
    secrets: Secrets,
}

impl Function {
    /// Reads the configuration and prepares connections; nothing is sent except what finding credentials needs.
    ///
    /// # Errors
    /// Configuration, or a secret that cannot be read.
    pub async fn start(path: &Path) -> anyhow::Result<Self> {
        let config = Config::load(path)?;
        let secrets = config.webhook.resolve()?;
        let (way, budget) = (Way::network()?, Budget::new(Clock::System));
        let clients = connect_within(&config, way.clone(), budget.clone()).await?;
        let queue = match config.queue {
            Some(_) => Some(connect_queue(&config, way, budget).await),
            None => None,
        };
        Ok(Function {
            config,
            clients,
            queue,
            secrets,
        })
    }

    /// One call; returns its answer.
    ///
    /// # Errors
    /// Lambda counts them, and calls again where the trigger does so.
    pub async fn call(&self, event: &Value, deadline: Timestamp) -> anyhow::Result<Value> {
        match invocation(event)? {
            Invocation::Messages(messages) => Ok(self.messages(messages, deadline).await),
            Invocation::Request(request) => Ok(self.request(&request).await),
            Invocation::Schedule => {
                let store = Sqlite::open(&self.config.store.path)?;
                match self.work(&store, deadline).await? {
                    Some(trouble) => bail!(trouble),
                    None => Ok(Value::Null),
                }
            }
        }
    }

    /// Takes messages in, then works off what is due for as long as there is time. What cannot be worked off stays in
    /// the store, so only messages that were not taken in come again.
    async fn messages(&self, messages: Vec<Message>, deadline: Timestamp) -> Value {
        let store = match Sqlite::open(&self.config.store.path) {
            Ok(store) => store,
            Err(error) => {
                tracing::error!(%error, "no message can be taken in; all come again");
                let ids: Vec<String> = messages.into_iter().map(|message| message.id).collect();
                return failed_items(&ids);
            }
        };
        let intake = Intake {
            store: &store,
            queue_most: self.config.serve.queue_most,
            give_up_after: self
                .config
                .queue
                .as_ref()
                .map_or(GIVE_UP_AFTER, |queue| queue.give_up_after),
        };
        let now = self.clients.clock.now();
        let mut failed = Vec::new();
        for message in messages {
            match intake.take(&message, now).await {
                Ok(Verdict::Done | Verdict::GivenUp) => {}
                Ok(Verdict::Again | Verdict::Full) => failed.push(message.id),
                Err(error) => {
                    tracing::error!(%error, message.id, "a message could not be kept; it comes again");
                    failed.push(message.id);
                }
            }
        }
        match self.work(&store, deadline).await {
            Ok(None) => {}
            Ok(Some(trouble)) => tracing::warn!("what was taken in is worked off later: {trouble}"),
            Err(error) => tracing::error!(%error, "what was taken in is worked off later"),
        }
        failed_items(&failed)
    }

    /// Reconciles what is due, then tells people; returns what went wrong with the first, if anything. A chat's trouble
    /// is no failure of the call.
    async fn work(
        &self,
        store: &Sqlite,
        deadline: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let done = Box::pin(self.reconcile(store, deadline)).await?;
        Box::pin(self.tell(store, deadline)).await?;
        Ok(done)
    }

    /// What is left of the time, without what the answer needs.
    fn left(&self, deadline: Timestamp) -> Option<Duration> {
        let left = deadline.duration_since(self.clients.clock.now()) - TIME_LEFT;
        Duration::try_from(left).ok()
    }

    /// Delivers until nothing is due or the time is over. A message that is dropped on its way is looked for before it
    /// is sent again.
    async fn tell(&self, store: &Sqlite, deadline: Timestamp) -> Result<(), StoreError> {
        let courier = Courier {
            config: &self.config,
            clients: &self.clients,
            store,
        };
        while let Some(left) = self.left(deadline) {
            match tokio::time::timeout(left, Box::pin(courier.turn())).await {
                Ok(Ok(told)) if told.sent + told.updated > 0 => {}
                Ok(Ok(_)) => break,
                Ok(Err(error)) => return Err(error),
                Err(_) => {
                    tracing::warn!("the function's time is over; the next call tells the rest");
                    break;
                }
            }
        }
        Ok(())
    }

    /// Works until nothing is due or the time is over; returns what went wrong, if anything. A run that is dropped in
    /// the middle loses nothing: it may end at any request.
    async fn reconcile(
        &self,
        store: &Sqlite,
        deadline: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let job = Job {
            config: &self.config,
            clients: &self.clients,
            findings: &self.clients.aws,
            store,
            progress: &Silent,
            watch: &Unwatched,
        };
        let mut worker = Worker::going_on(job, &random).await?;
        loop {
            let Some(left) = self.left(deadline) else {
                return Ok(None);
            };
            match tokio::time::timeout(left, Box::pin(worker.turn())).await {
                Ok(Turn::Scheduled(_) | Turn::Batch { .. }) => {}
                Ok(Turn::Idle) => return Ok(None),
                Ok(Turn::Failed(error)) => return Ok(Some(error.to_string())),
                Err(_) => {
                    tracing::warn!("the function's time is over; the next call goes on");
                    return Ok(None);
                }
            }
        }
    }

    async fn request(&self, request: &Request) -> Value {
        // API Gateway puts the stage's name before the path.
        if !request.path.ends_with(webhook::PATH) {
            return response(404, None, "there is nothing here\n");
        }
        if request.method != "POST" {
            return response(405, None, "only POST\n");
        }
        let answer = match request.body.len() {
            0..=BODY_BYTES_MAX => self.receive(request).await,
            _ => Answer::TooLarge,
        };
        let retry_after = answer.retry_after().map(|wait| wait.as_secs());
        response(answer.status(), retry_after, &answer.sentence())
    }

    async fn receive(&self, request: &Request) -> Answer {
        let now = self.clients.clock.now();
        if let (Some(queue), Some(aws)) = (&self.config.queue, &self.queue) {
            return self.pass_on(request, &Queue::new(aws, &queue.url)).await;
        }
        let store = match Sqlite::open(&self.config.store.path) {
            Ok(store) => store,
            Err(error) => {
                tracing::error!(%error, "a webhook delivery cannot be kept; Jira will send it again");
                return Answer::Failed;
            }
        };
        let receiver = Receiver {
            secrets: &self.secrets,
            store: &store,
            queue_most: self.config.serve.queue_most,
        };
        receiver.receive(&request.headers, &request.body, now).await
    }

    /// SQS keeps it: that is as durable as the store.
    async fn pass_on(&self, request: &Request, queue: &Queue<'_>) -> Answer {
        let signature = match self.secrets.claimed(&request.headers) {
            Ok(signature) => signature,
            Err(why) => return Answer::Unsigned(why),
        };
        if let Err(why) = self.secrets.verify(&signature, &request.body) {
            return Answer::Unsigned(why);
        }
        let delivery = Delivery {
            id: webhook::identifier(&request.headers).map(str::to_owned),
            body_sha256: sha256(&request.body),
        };
        let body = match named(&request.body) {
            Ok(Named::Ticket { id, labelled }) => passed_on(id, labelled, &delivery),
            Ok(Named::Other) => return Answer::Ignored,
            // The consumer keeps it for people: it is as unreadable there, and signed here.
            Err(why) => {
                tracing::warn!(
                    "a signed webhook delivery could not be read and was passed on as it is: {why}"
                );
                String::from_utf8_lossy(&request.body).into_owned()
            }
        };
        match queue.send(&body, &hex::encode(delivery.body_sha256)).await {
            Ok(()) => Answer::Accepted,
            Err(error) => {
                tracing::error!(%error, "a webhook delivery could not be passed on; Jira will send it again");
                Answer::Failed
            }
        }
    }
}

/// Nobody looks.
struct Unwatched;

impl Watch for Unwatched {
    fn applied(&self, _done: u64, _of: u64) {}
}
