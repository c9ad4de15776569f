//! Dynamic webhooks: for Connect and OAuth 2.0 apps only. API tokens are refused before anything is read (Jira REST v3:
//! webhooks).

use crate::emulators::jira::Jira;
use crate::emulators::jira::reply::{Outcome, refusal};
use crate::emulators::jira::route::Call;

impl Jira {
    pub(crate) fn refuse_dynamic_webhook(&mut self, _: &mut Call<'_>) -> Outcome {
        let text = "Only Connect and OAuth 2.0 apps can use dynamic webhooks.";
        Err(refusal(403, text))
    }

    /// The list of failed deliveries is for Connect apps alone.
    pub(crate) fn refuse_failed_webhooks(&mut self, _: &mut Call<'_>) -> Outcome {
        Err(refusal(403, "Only Connect apps can read failed webhooks."))
    }
}
