//! EventBridge, as far as it brings events to queues: what Security Hub and AWS Config announce, the envelope, and the
//! rules that forward it. Delivery is at least once; faults lose, double and delay events.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::faults::AwsFault;
use crate::emulators::faults::Faults;
use crate::emulators::sqs::Sqs;

/// Something that a service announces.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Account on whose bus it appears.
    pub(crate) account: Arc<str>,
    /// Region on whose bus it appears.
    pub(crate) region: Arc<str>,
    /// When.
    pub(crate) at: Timestamp,
    /// ARNs that it is about.
    pub(crate) resource: String,
    /// What happened.
    pub(crate) what: What,
}

/// What an event tells.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// `Security Hub Findings - Imported`: the finding as it now is (Security Hub user guide, "EventBridge event
    /// formats": one finding in an event).
    Imported(Arc<str>),
    /// `Security Hub Findings - Custom Action`: somebody chose an action for a finding.
    CustomAction {
        /// The action's name.
        name: Arc<str>,
        /// The action's description.
        description: Arc<str>,
        /// The finding.
        finding: Arc<str>,
    },
    /// `Config Configuration Item Change` (AWS Config developer guide, "Monitoring with EventBridge").
    ConfigurationItem(Arc<Value>),
}

impl What {
    /// `detail-type`
    pub(crate) fn detail_type(&self) -> &'static str {
        match self {
            What::Imported(_) => "Security Hub Findings - Imported",
            What::CustomAction { .. } => "Security Hub Findings - Custom Action",
            What::ConfigurationItem(_) => "Config Configuration Item Change",
        }
    }

    fn source(&self) -> &'static str {
        match self {
            What::Imported(_) | What::CustomAction { .. } => "aws.securityhub",
            What::ConfigurationItem(_) => "aws.config",
        }
    }

    fn detail(&self) -> String {
        match self {
            What::Imported(finding) => format!("{{\"findings\":[{finding}]}}"),
            What::CustomAction {
                name,
                description,
                finding,
            } => format!(
                "{{\"actionName\":{},\"actionDescription\":{},\"findings\":[{finding}]}}",
                json!(name),
                json!(description)
            ),
            What::ConfigurationItem(detail) => detail.to_string(),
        }
    }
}

/// An event in its envelope; the text is made when it is asked for, so that a million waiting events stay small.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    number: u64,
    event: Event,
}

impl Envelope {
    /// The JSON that a target receives (EventBridge user guide, "Event structure").
    pub(crate) fn text(&self) -> String {
        let Event {
            account,
            region,
            at,
            resource,
            what,
        } = &self.event;
        let id = format!("e7e47000-0000-4000-8000-{:012x}", self.number);
        let time = at.strftime("%Y-%m-%dT%H:%M:%SZ");
        format!(
            "{{\"version\":\"0\",\"id\":\"{id}\",\"detail-type\":{},\"source\":{},\"account\":{},\"time\":\"{time}\",\
             \"region\":{},\"resources\":[{}],\"detail\":{}}}",
            json!(what.detail_type()),
            json!(what.source()),
            json!(account),
            json!(region),
            json!(resource),
            what.detail()
        )
    }
}

/// A rule: which events go to which queue.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Such as `aws.securityhub`.
    pub source: String,
    /// The detail types; empty means all of the source.
    pub detail_types: Vec<String>,
    /// The queue's ARN.
    pub queue: String,
}

/// The event bus of the home account, with the rules that other accounts' buses forward to it.
#[derive(Debug, Default)]
pub struct Bus {
    /// The rules. Taking all away stops deliveries.
    pub rules: Vec<Rule>,
    delivered: u64,
}

impl Bus {
    /// Brings an event to the queues of its rules.
    pub(super) fn deliver(
        &mut self,
        event: Event,
        queues: &mut Sqs,
        faults: &mut Faults<AwsFault>,
        now: Timestamp,
    ) {
        let detail_type = event.what.detail_type();
        let matches = |rule: &&Rule| {
            rule.source == event.what.source()
                && (rule.detail_types.is_empty()
                    || rule.detail_types.iter().any(|known| known == detail_type))
        };
        let targets: Vec<&Rule> = self.rules.iter().filter(matches).collect();
        if targets.is_empty() {
            return;
        }
        let operation = format!("event {detail_type}");
        let fault = faults.strike(&operation, |kind| kind.fits(&operation));
        let (copies, delay_s) = match fault {
            Some(AwsFault::LoseEvent) => (0, 0),
            Some(AwsFault::DuplicateEvent) => (2, 0),
            Some(AwsFault::DelayEvent { seconds }) => (1, i64::from(seconds)),
            _ => (1, 0),
        };
        self.delivered += 1;
        let envelope = Envelope {
            number: self.delivered,
            event: event.clone(),
        };
        let due = now + SignedDuration::from_secs(delay_s);
        for rule in targets {
            for _ in 0..copies {
                queues.put_event(&rule.queue, envelope.clone(), now, due);
            }
        }
    }
}
