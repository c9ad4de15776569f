//! The emulated world: one organisation on AWS, one Jira site and one GitHub that share a clock and a journal.

pub mod audit;
pub mod control;
mod page;
mod record;
pub mod seed;
pub mod serve;
pub mod story;
pub mod webhooks;
pub mod workspace;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::aws::{Aws, Home, Rule};
use super::github::GitHub;
use super::jira::{Jira, Role};
use super::journal::Journal;
use super::secrets::Secret;
use super::slack::Slack;
use super::sts::Trust;
use super::{Request, Response};
use crate::clock::Clock;
use crate::wire::transport::{Exchange, Exchanged, Lost, Transport};

/// The engine's access key id in every emulated world; its secret is not checked.
pub const ENGINE_KEY: &str = "AKIAEMULATEDENGINE";
/// An analyst's access key id: a person who works in Security Hub.
pub const ANALYST_KEY: &str = "AKIAEMULATEDANALYST";

/// The queue that Security Hub's and AWS Config's events come to.
pub const EVENTS_QUEUE: &str = "asaf-events";
/// Where events go that nobody could process.
pub const DEAD_LETTERS_QUEUE: &str = "asaf-events-dead";

/// Everything that `asaf` talks to.
pub struct World {
    /// The time of both sides.
    pub clock: Clock,
    /// Security Hub, Config, Organizations, STS, SQS and what else is asked for at AWS's endpoint.
    pub aws: Aws,
    /// Jira Cloud.
    pub jira: Jira,
    /// Slack.
    pub slack: Slack,
    /// GitHub.
    pub github: GitHub,
    /// What happened.
    pub journal: Journal,
    /// Requests by operation: AWS, Jira, Slack, GitHub.
    pub requests: Requests,
    recorder: Option<record::Recorder>,
    /// How many findings appeared through the control port.
    appeared: usize,
}

/// Requests since the last reset, by operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Requests {
    /// AWS's operation names.
    pub aws: BTreeMap<String, u64>,
    /// Method and path.
    pub jira: BTreeMap<String, u64>,
    /// Methods.
    pub slack: BTreeMap<String, u64>,
    /// Method and path.
    pub github: BTreeMap<String, u64>,
}

/// What a request got.
pub struct Reply {
    /// The answer; `None` means that it is lost.
    pub response: Option<Response>,
    /// A long poll that found nothing would wait so long for a message: see [`World::poll`].
    pub wait: Option<SignedDuration>,
}

/// A world that several faces share.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<World>>);

/// Which of the world's sides a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// AWS.
    Aws,
    /// Jira.
    Jira,
    /// Slack.
    Slack,
    /// GitHub.
    GitHub,
}

impl World {
    /// An organisation without accounts, a site without projects, prepared for `asaf`, and a workspace without channels;
    /// `site` is the base of Jira's links.
    pub fn new(clock: Clock, site: &str) -> Self {
        Self::of(clock, Jira::new(site), site)
    }

    /// The same with a site as Atlassian hands it out: no workflow, no roles and no groups of ours.
    pub fn untouched(clock: Clock, site: &str) -> Self {
        Self::of(clock, Jira::untouched(site), site)
    }

    fn of(clock: Clock, mut jira: Jira, site: &str) -> Self {
        let mut aws = Aws::new(Home {
            account: seed::HOME_ACCOUNT.to_owned(),
            region: seed::REGION.to_owned(),
        });
        aws.add_key(ENGINE_KEY, "asaf", true);
        aws.add_key(ANALYST_KEY, "analyst", false);
        wire_aws(&mut aws, clock.now());
        for (role, name) in [
            (Role::Bot, "asaf"),
            (Role::Product, "Pat Product"),
            (Role::Reviewer, "Robin Reviewer"),
            (Role::Admin, "Ada Admin"),
        ] {
            jira.add_user(role, name);
        }
        World {
            recorder: record::Recorder::from_environment(),
            appeared: 0,
            clock,
            aws,
            jira,
            slack: workspace::workspace(),
            github: GitHub::new(site),
            journal: Journal::default(),
            requests: Requests::default(),
        }
    }

    /// Emulated time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Turns the quotas of all services on or off.
    pub fn set_quotas(&mut self, on: bool) {
        self.aws.hub.quotas_enabled = on;
        self.aws.organizations.quotas_enabled = on;
        self.jira.quotas_enabled = on;
        self.slack.quotas_enabled = on;
        self.github.quotas_enabled = on;
    }

    /// Answers one request at once; `None` means that the answer is lost.
    pub fn answer(&mut self, side: Side, request: &Request) -> Option<Response> {
        self.reply(side, request).response
    }

    /// The same, with how long a long poll would wait.
    pub fn reply(&mut self, side: Side, request: &Request) -> Reply {
        let now = self.now();
        let before = self.journal.entries.len();
        let (operation, reply) = match side {
            Side::Aws => {
                let answered = self.aws.handle(request, now, &mut self.journal);
                let reply = Reply {
                    response: (!answered.dropped).then_some(answered.response),
                    wait: answered.wait.filter(|_| !answered.dropped),
                };
                (answered.operation, reply)
            }
            Side::Jira => {
                let answered = self.jira.handle(request, now, &mut self.journal);
                let reply = Reply {
                    response: (!answered.dropped).then_some(answered.response),
                    wait: None,
                };
                (answered.operation, reply)
            }
            Side::Slack => {
                let answered = self.slack.handle(request, now, &mut self.journal);
                let reply = Reply {
                    response: (!answered.dropped).then_some(answered.response),
                    wait: None,
                };
                (answered.operation, reply)
            }
            Side::GitHub => {
                let answered = self.github.handle(request, now, &mut self.journal);
                let reply = Reply {
                    response: (!answered.dropped).then_some(answered.response),
                    wait: None,
                };
                (answered.operation, reply)
            }
        };
        if reply.response.is_none() {
            self.journal.lose(before);
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.note(side, &operation, request, &reply);
        }
        let counts = match side {
            Side::Aws => &mut self.requests.aws,
            Side::Jira => &mut self.requests.jira,
            Side::Slack => &mut self.requests.slack,
            Side::GitHub => &mut self.requests.github,
        };
        *counts.entry(operation).or_default() += 1;
        reply
    }

    /// Asks again for a long poll that found nothing; `None` as long as it still finds nothing.
    pub fn poll(&mut self, request: &Request) -> Option<Response> {
        let now = self.now();
        let response = self.aws.poll(request, now, &mut self.journal)?;
        let reply = Reply {
            response: Some(response),
            wait: None,
        };
        if let Some(recorder) = &mut self.recorder {
            recorder.note(Side::Aws, "ReceiveMessage", request, &reply);
        }
        reply.response
    }

    /// Gives a secret of the home account a new value.
    pub fn put_secret(&mut self, name: &str, value: &str) {
        let now = self.now();
        let Home { account, region } = self.aws.home().clone();
        let value = Secret::Text(value.to_owned());
        self.aws.secrets.put(&account, &region, name, value, now);
    }

    /// The URL of the queue that events come to, at an endpoint of AWS.
    pub fn queue_url(&self, aws_url: &str) -> String {
        let account = &self.aws.home().account;
        format!("{}/{account}/{EVENTS_QUEUE}", aws_url.trim_end_matches('/'))
    }

    /// The ARN of the queue that events come to.
    pub fn queue_arn(&self) -> String {
        arn_of(&self.aws, EVENTS_QUEUE)
    }

    /// The ARN of the queue for events that nobody could process.
    pub fn dead_letters_arn(&self) -> String {
        arn_of(&self.aws, DEAD_LETTERS_QUEUE)
    }
}

/// What adopters have set up: a queue with a dead-letter queue, rules that bring events to it, and a role in every
/// account that may read Config.
fn wire_aws(aws: &mut Aws, now: Timestamp) {
    let Home { account, region } = aws.home().clone();
    let dead = aws
        .sqs
        .create(&account, &region, DEAD_LETTERS_QUEUE, &json!({}), now);
    let redrive = json!({ "deadLetterTargetArn": dead, "maxReceiveCount": 5 }).to_string();
    let sender = format!("arn:aws:events:{region}:{account}:rule/asaf-*");
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" }, "Action": "sqs:SendMessage",
        "Resource": format!("arn:aws:sqs:{region}:{account}:{EVENTS_QUEUE}"),
        "Condition": { "ArnLike": { "aws:SourceArn": sender } } }] });
    let settings = json!({ "RedrivePolicy": redrive, "Policy": policy.to_string() });
    let queue = aws
        .sqs
        .create(&account, &region, EVENTS_QUEUE, &settings, now);
    for source in ["aws.securityhub", "aws.config"] {
        aws.bus.rules.push(Rule {
            source: source.to_owned(),
            detail_types: Vec::new(),
            queue: queue.clone(),
        });
    }
    let trust = Trust {
        account: account.clone(),
        external_id: None,
        longest_session_s: 3600,
    };
    aws.roles.everywhere(seed::MEMBER_ROLE, trust);
    aws.iam.set_alias(&account, "asaf-security");
    aws.hub.subscribed_at(now);
}

fn arn_of(aws: &Aws, queue: &str) -> String {
    let Home { account, region } = aws.home();
    format!("arn:aws:sqs:{region}:{account}:{queue}")
}

impl Shared {
    /// Shares a world.
    pub fn new(world: World) -> Self {
        Shared(Arc::new(Mutex::new(world)))
    }

    /// The world itself, for as long as the guard lives.
    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The in-process face of one side.
    pub fn face(&self, side: Side) -> Arc<dyn Exchange> {
        Arc::new(Face {
            world: self.clone(),
            side,
        })
    }

    /// A transport straight into one side.
    pub fn transport(&self, side: Side) -> Transport {
        Transport::InProcess(self.face(side))
    }
}

struct Face {
    world: Shared,
    side: Side,
}

impl Exchange for Face {
    fn exchange(&self, request: Request) -> Exchanged {
        let (world, side) = (self.world.clone(), self.side);
        Box::pin(async move {
            let answer = world.lock().answer(side, &request);
            answer.ok_or_else(|| Lost::AfterSending("the connection was closed".to_owned()))
        })
    }
}
