//! Messages in flight: deleted, or hidden for longer or shorter (SQS API: DeleteMessage, ChangeMessageVisibility and
//! their batches).

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::message::handle_of;
use super::queues::failed_entry;
use super::send::entries;
use super::{Call, Done, Failed, Sqs, number_in};

/// "The maximum allowed timeout value is 12 hours", from the first receipt on.
const LONGEST_HIDDEN: SignedDuration = SignedDuration::from_hours(12);

impl Sqs {
    pub(super) fn delete(&mut self, call: &Call) -> Done {
        self.delete_one(call.body, call)?;
        Ok(json!({}))
    }

    pub(super) fn delete_batch(&mut self, call: &Call) -> Done {
        self.each(call, "DeleteMessageBatchRequestEntry", Sqs::delete_one)
    }

    pub(super) fn change_visibility(&mut self, call: &Call) -> Done {
        self.hide_one(call.body, call)?;
        Ok(json!({}))
    }

    pub(super) fn change_visibility_batch(&mut self, call: &Call) -> Done {
        let kind = "ChangeMessageVisibilityBatchRequestEntry";
        self.each(call, kind, Sqs::hide_one)
    }

    fn each(
        &mut self,
        call: &Call,
        kind: &str,
        change: fn(&mut Sqs, &Value, &Call) -> Result<(), Failed>,
    ) -> Done {
        self.queue(call)?;
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in entries(call, kind)? {
            match change(self, entry, call) {
                Ok(()) => successful.push(json!({ "Id": entry["Id"] })),
                Err(why) => failed.push(failed_entry(&entry["Id"], &why)),
            }
        }
        Ok(json!({ "Successful": successful, "Failed": failed }))
    }

    /// Deleting twice succeeds; with the handle of an earlier receipt it succeeds and the message stays.
    fn delete_one(&mut self, entry: &Value, call: &Call) -> Result<(), Failed> {
        let (number, receipt) = handle(entry)?;
        let queue = self.queue(call)?;
        if queue
            .get(number)
            .is_some_and(|message| message.received == receipt)
        {
            queue.take(number);
        }
        Ok(())
    }

    fn hide_one(&mut self, entry: &Value, call: &Call) -> Result<(), Failed> {
        let (number, receipt) = handle(entry)?;
        let seconds = number_in(entry, "VisibilityTimeout", 0..=43_200)?
            .ok_or_else(|| Failed::missing("VisibilityTimeout"))?;
        let queue = self.queue(call)?;
        let known = queue
            .get(number)
            .filter(|message| message.received == receipt);
        let Some(message) = known else {
            let text = entry["ReceiptHandle"].as_str().unwrap_or_default();
            let reason = "Message does not exist or is not available for visibility timeout change";
            return Err(Failed::parameter("ReceiptHandle", text, reason));
        };
        let until = call.now + SignedDuration::from_secs(seconds);
        let first = message.first_received_at.unwrap_or(call.now);
        if until.duration_since(first) > LONGEST_HIDDEN {
            let reason =
                "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]";
            return Err(Failed::parameter(
                "VisibilityTimeout",
                &seconds.to_string(),
                reason,
            ));
        }
        if !queue.is_in_flight(number) {
            return Err(Failed::new(
                "MessageNotInflight",
                "AWS.SimpleQueueService.MessageNotInflight",
                "The specified message isn't in flight.",
            ));
        }
        queue.hide(number, until);
        queue.settle(call.now);
        Ok(())
    }
}

fn handle(entry: &Value) -> Result<(u64, u32), Failed> {
    match entry["ReceiptHandle"].as_str() {
        Some(text) if !text.is_empty() => handle_of(text),
        _ => Err(Failed::missing("ReceiptHandle")),
    }
}
