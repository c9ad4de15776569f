//! Queues come, go and are found (SQS API: CreateQueue, DeleteQueue, GetQueueUrl, ListQueues,
//! ListDeadLetterSourceQueues, GetQueueAttributes, SetQueueAttributes, PurgeQueue).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::attributes::{self, Settings};
use super::queue::Queue;
use super::{Call, Done, Failed, Place, Sqs, arn, no_queue, number_in, place_of};
use crate::emulators::pages::{page, query};

/// "You must wait 60 seconds after deleting a queue before you can create another queue with the same name."
const NAME_RESTS: SignedDuration = SignedDuration::from_secs(60);
/// "only one PurgeQueue operation … every 60 seconds"
const PURGE_RESTS: SignedDuration = SignedDuration::from_secs(60);

impl Sqs {
    /// Makes a queue, or finds the one with this name, and gives its ARN. Attributes that are not valid are left out.
    pub fn create(
        &mut self,
        account: &str,
        region: &str,
        name: &str,
        attributes: &Value,
        now: Timestamp,
    ) -> String {
        let place: Place = (account.to_owned(), region.to_owned(), name.to_owned());
        let wanted = Settings::default().with(attributes, |target| self.has(target));
        let arn = arn(&place);
        let settings = wanted.unwrap_or_default();
        let made = self.queues.entry(place);
        made.or_insert_with(|| Queue::new(settings, now));
        arn
    }

    pub(super) fn create_queue(&mut self, call: &Call) -> Done {
        let name = call.body["QueueName"].as_str().unwrap_or_default();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.ends_with(".fifo") {
            return Err(Failed::new(
                "UnsupportedOperation",
                "AWS.SimpleQueueService.UnsupportedOperation",
                "this emulator has no FIFO queues",
            ));
        }
        if name.is_empty() || name.len() > 80 || !name.chars().all(plain) {
            return Err(Failed::same(
                "InvalidParameterValue",
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
            ));
        }
        let place: Place = (
            call.caller.account.clone(),
            call.region.to_owned(),
            name.to_owned(),
        );
        let given = &call.body["Attributes"];
        let wanted = Settings::default().with(given, |target| self.has(target))?;
        if let Some(known) = self.queues.get(&place) {
            if let Some(attribute) = known.settings.differs_in(&wanted, given) {
                let message = format!(
                    "A queue already exists with the same name and a different value for attribute {attribute}"
                );
                return Err(Failed::new(
                    "QueueNameExists",
                    "QueueAlreadyExists",
                    message,
                ));
            }
            return Ok(json!({ "QueueUrl": url(call, &place) }));
        }
        let rests = self
            .deleted
            .get(&place)
            .is_some_and(|at| call.now.duration_since(*at) < NAME_RESTS);
        if rests {
            return Err(Failed::new(
                "QueueDeletedRecently",
                "AWS.SimpleQueueService.QueueDeletedRecently",
                "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
            ));
        }
        let body = json!({ "QueueUrl": url(call, &place) });
        self.queues.insert(place, Queue::new(wanted, call.now));
        Ok(body)
    }

    pub(super) fn delete_queue(&mut self, call: &Call) -> Done {
        let place = self.place(call)?;
        self.queues.remove(&place);
        self.deleted.insert(place, call.now);
        Ok(json!({}))
    }

    pub(super) fn get_queue_url(&mut self, call: &Call) -> Done {
        let name = call.body["QueueName"].as_str().unwrap_or_default();
        let owner = call.body["QueueOwnerAWSAccountId"].as_str();
        let owner = owner.unwrap_or(&call.caller.account);
        let place: Place = (owner.to_owned(), call.region.to_owned(), name.to_owned());
        if owner != call.caller.account || !self.queues.contains_key(&place) {
            return Err(no_queue());
        }
        Ok(json!({ "QueueUrl": url(call, &place) }))
    }

    /// Up to 1,000; with `MaxResults` in pages.
    pub(super) fn list_queues(&mut self, call: &Call) -> Done {
        let prefix = call.body["QueueNamePrefix"].as_str().unwrap_or_default();
        let size = number_in(call.body, "MaxResults", 1..=1000)?;
        let urls: Vec<String> = self
            .queues
            .keys()
            .filter(|(account, region, name)| {
                *account == call.caller.account && region == call.region && name.starts_with(prefix)
            })
            .map(|place| url(call, place))
            .collect();
        listing("ListQueues", "QueueUrls", &urls, size, call)
    }

    pub(super) fn dead_letter_sources(&mut self, call: &Call) -> Done {
        let target = arn(&self.place(call)?);
        let size = number_in(call.body, "MaxResults", 1..=1000)?;
        let sources = self.queues.iter().filter(|(_, queue)| {
            let redrive = queue.settings.redrive.as_ref();
            redrive.is_some_and(|redrive| redrive.target == target)
        });
        let urls: Vec<String> = sources.map(|(place, _)| url(call, place)).collect();
        listing("ListDeadLetterSourceQueues", "queueUrls", &urls, size, call)
    }

    pub(super) fn get_attributes(&mut self, call: &Call) -> Done {
        let place = self.place(call)?;
        let queue = self.queue(call)?;
        let found = attributes::read(queue, &place, &call.body["AttributeNames"])?;
        Ok(if found == json!({}) {
            json!({})
        } else {
            json!({ "Attributes": found })
        })
    }

    pub(super) fn set_attributes(&mut self, call: &Call) -> Done {
        let place = self.place(call)?;
        let settings = self.queue(call)?.settings.clone();
        let changed = settings.with(&call.body["Attributes"], |target| self.has(target))?;
        if let Some(queue) = self.queues.get_mut(&place) {
            queue.settings = changed;
            queue.changed_at = call.now;
        }
        Ok(json!({}))
    }

    pub(super) fn purge(&mut self, call: &Call) -> Done {
        let (_, _, name) = self.place(call)?;
        let queue = self.queue(call)?;
        let rests = queue
            .purged_at
            .is_some_and(|at| call.now.duration_since(at) < PURGE_RESTS);
        if rests {
            let message =
                format!("Only one PurgeQueue operation on {name} is allowed every 60 seconds.");
            return Err(Failed::new(
                "PurgeQueueInProgress",
                "AWS.SimpleQueueService.PurgeQueueInProgress",
                message,
            ));
        }
        queue.purged_at = Some(call.now);
        queue.clear();
        Ok(json!({}))
    }

    fn has(&self, arn: &str) -> bool {
        place_of(arn).is_some_and(|place| self.queues.contains_key(&place))
    }
}

fn url(call: &Call, (account, _, name): &Place) -> String {
    format!("{}/{account}/{name}", call.endpoint)
}

fn listing(operation: &str, member: &str, urls: &[String], size: Option<i64>, call: &Call) -> Done {
    let chosen = json!([
        call.body["QueueNamePrefix"],
        call.body["QueueUrl"],
        call.body["MaxResults"]
    ]);
    let rows = size
        .and_then(|size| usize::try_from(size).ok())
        .unwrap_or(1000);
    let token = &call.body["NextToken"];
    let page = page(urls, query(operation, &chosen), token, rows, call.fault)
        .map_err(|_| Failed::same("InvalidParameterValue", "Invalid or expired next token."))?;
    let mut body = json!({});
    if !page.rows.is_empty() {
        body[member] = json!(page.rows);
    }
    if let Some(next) = page.next.filter(|_| size.is_some()) {
        body["NextToken"] = json!(next);
    }
    Ok(body)
}

/// The body that a failed entry of a batch has.
pub(super) fn failed_entry(id: &Value, failed: &Failed) -> Value {
    json!({ "Id": id, "SenderFault": true, "Code": failed.query_code, "Message": failed.message })
}
