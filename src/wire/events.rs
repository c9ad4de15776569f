//! Which findings and resources a message of the event queue names.
//!
//! EventBridge events of Security Hub ("Security Hub Findings - Imported", "- Custom Action"; Security Hub user guide,
//! "EventBridge event formats") and of AWS Config ("Config Configuration Item Change"; Config developer guide,
//! "Monitoring with EventBridge"), bare or in an SNS notification; Config's own notifications from SNS; and webhooks of
//! Jira that a function of ours has verified and passed on.
//!
//! Only identities are taken. What a finding says now is read from the API; only a deletion that Config reports is
//! kept as it stands, because it is the positive proof that the decision table asks for.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::model::FindingKey;
use crate::model::finding::asff;
use crate::store::queue::{Delivery, ResourceDeletion};
use crate::wire::jira::webhook::Named;
use crate::wire::unread::{self, Unreadable};

/// What a message is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Findings changed, or a person asked for them.
    Findings {
        /// Which; without samples.
        keys: Vec<FindingKey>,
        /// One finding of several had no identity: the others are good.
        problem: Option<Unreadable>,
    },
    /// A resource is gone.
    Deleted(ResourceDeletion),
    /// What a verified webhook of Jira named.
    Webhook {
        /// What.
        named: Named,
        /// By what it is known again.
        delivery: Delivery,
    },
    /// A scheduled run is due: a schedule may use the same queue.
    Schedule,
    /// Nothing that concerns us.
    Other,
}

/// SNS wraps once; more is a mistake of somebody's rules.
const WRAPPED_MOST: usize = 2;

/// Reads a message's body.
///
/// # Errors
/// [`Unreadable`], when it is none of these, or one of ours without an identity.
pub fn event(body: &[u8]) -> Result<Event, Unreadable> {
    let mut value: Value = unread::read(body)?;
    for _ in 0..WRAPPED_MOST {
        // SNS, "HTTP/HTTPS notification JSON format": the message is text.
        if value["Type"] != "Notification" {
            break;
        }
        value = match value["Message"].take() {
            Value::String(text) => unread::read(text.as_bytes())?,
            object @ Value::Object(_) => object,
            _ => return Err(Unreadable::new("an SNS notification has no Message")),
        };
    }
    let detail_type = value["detail-type"].as_str().map(str::to_owned);
    match (value["source"].as_str(), detail_type.as_deref()) {
        (
            Some("aws.securityhub"),
            Some("Security Hub Findings - Imported" | "Security Hub Findings - Custom Action"),
        ) => findings(&value["detail"]["findings"]),
        (Some("aws.config"), Some("Config Configuration Item Change")) => {
            changed(&value["detail"], value["account"].as_str())
        }
        // EventBridge rules with a schedule, and EventBridge Scheduler.
        (Some("aws.events" | "aws.scheduler"), Some("Scheduled Event")) => Ok(Event::Schedule),
        (Some(OURS), Some(WEBHOOK)) => webhook(&value["detail"]),
        (Some(_), Some(_)) => Ok(Event::Other),
        // Config's own notification.
        _ if value["messageType"].is_string() => changed(&value, None),
        _ => Err(Unreadable::new(
            "it is no EventBridge event: source and detail-type are missing",
        )),
    }
}

const OURS: &str = "asaf";
const WEBHOOK: &str = "Jira Webhook";

/// A verified webhook as a message: its key, and by what the delivery is known again. Nothing else is passed on.
pub fn passed_on(ticket: u64, labelled: bool, delivery: &Delivery) -> String {
    json!({ "source": OURS, "detail-type": WEBHOOK, "detail": { "ticket": ticket, "labelled": labelled,
        "id": delivery.id, "sha256": hex::encode(delivery.body_sha256) } })
    .to_string()
}

fn webhook(detail: &Value) -> Result<Event, Unreadable> {
    let mut body_sha256 = [0; 32];
    let hash = detail["sha256"].as_str().unwrap_or_default();
    let (Some(id), Some(labelled), Ok(())) = (
        detail["ticket"].as_u64(),
        detail["labelled"].as_bool(),
        hex::decode_to_slice(hash, &mut body_sha256),
    ) else {
        return Err(Unreadable::new(
            "a webhook that was passed on is incomplete",
        ));
    };
    Ok(Event::Webhook {
        named: Named::Ticket { id, labelled },
        delivery: Delivery {
            id: detail["id"].as_str().map(str::to_owned),
            body_sha256,
        },
    })
}

fn findings(findings: &Value) -> Result<Event, Unreadable> {
    let Some(findings) = findings.as_array().filter(|findings| !findings.is_empty()) else {
        return Err(Unreadable::new("detail.findings holds no finding"));
    };
    let (mut keys, mut problem, mut samples) = (Vec::new(), None, 0);
    for (at, finding) in findings.iter().enumerate() {
        match asff::parse(finding) {
            Ok(parsed) if parsed.finding.sample => samples += 1,
            Ok(parsed) => keys.push(parsed.finding.key),
            Err(problems) => {
                let fields: Vec<&str> = problems
                    .iter()
                    .filter(|problem| problem.fatal)
                    .map(|problem| problem.field.as_str())
                    .collect();
                let why = format!("detail.findings[{at}] has no usable {}", fields.join(", "));
                problem.get_or_insert(Unreadable::new(why));
            }
        }
    }
    match problem {
        Some(problem) if keys.is_empty() && samples == 0 => Err(problem),
        problem => Ok(Event::Findings { keys, problem }),
    }
}

/// A configuration item that says that its resource is gone. `stamped` is the account that EventBridge wrote on the
/// envelope: nobody but AWS can send events with a source of AWS.
fn changed(detail: &Value, stamped: Option<&str>) -> Result<Event, Unreadable> {
    let item = match detail["messageType"].as_str() {
        Some("ConfigurationItemChangeNotification") => &detail["configurationItem"],
        Some("OversizedConfigurationItemChangeNotification") => &detail["configurationItemSummary"],
        Some(_) => return Ok(Event::Other),
        None => return Err(Unreadable::new("a Config event has no messageType")),
    };
    // One sample in Config's guide shows a list of one.
    let item = item.get(0).unwrap_or(item);
    let Some(status) = text(item, &["configurationItemStatus"]) else {
        return Err(Unreadable::new(
            "a Config event has no configurationItemStatus",
        ));
    };
    if !status.starts_with("ResourceDeleted") {
        return Ok(Event::Other);
    }
    let account = text(item, &["awsAccountId", "accountId"])
        .filter(|id| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()));
    let Some(account) = account else {
        return Err(Unreadable::new("a deletion has no account"));
    };
    if stamped.is_some_and(|stamped| stamped != account) {
        return Err(Unreadable::new(
            "a deletion names another account than its envelope",
        ));
    }
    let at = text(item, &["configurationItemCaptureTime"]).and_then(|at| at.parse().ok());
    let (Some(region), Some(at)) = (text(item, &["awsRegion"]), at) else {
        return Err(Unreadable::new(
            "a deletion has no awsRegion or configurationItemCaptureTime",
        ));
    };
    let at: Timestamp = at;
    let mut ids: Vec<String> = [&["ARN", "arn"][..], &["resourceId"]]
        .into_iter()
        .filter_map(|names| text(item, names))
        .map(str::to_owned)
        .collect();
    ids.dedup();
    if ids.is_empty() {
        return Err(Unreadable::new("a deletion has neither ARN nor resourceId"));
    }
    Ok(Event::Deleted(ResourceDeletion {
        account: account.to_owned(),
        region: region.to_owned(),
        ids,
        at,
    }))
}

/// The first of these members that has text.
fn text<'a>(item: &'a Value, names: &[&str]) -> Option<&'a str> {
    names
        .iter()
        .find_map(|name| item[*name].as_str().filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests;
