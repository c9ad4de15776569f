//! What the emulated Slack claims to do.

use super::Slack;
use crate::emulators::claims::{Claim, Emulator};

/// Slack, for the list of emulators.
pub const SLACK: Emulator = Emulator {
    name: "Slack",
    system: "slack",
    operations: Slack::operations,
    claims: CLAIMS,
};

macro_rules! claims {
    ($(($operation:literal, $behaviour:literal, $source:literal, $test:literal)),+ $(,)?) => {
        &[$(Claim {
            operation: $operation,
            behaviour: $behaviour,
            source: $source,
            test: concat!("src/emulators/slack/tests.rs::", $test),
        }),+]
    };
}

/// Each with its source and its test.
pub const CLAIMS: &[Claim] = claims![
    (
        "api.test",
        "Gives its arguments back, or the error that is asked for.",
        "docs.slack.dev: api.test",
        "the_token_and_its_scopes_are_checked"
    ),
    (
        "auth.test",
        "Names workspace and bot for a valid token; `not_authed`, `invalid_auth` and `token_revoked` otherwise.",
        "docs.slack.dev: auth.test",
        "the_token_and_its_scopes_are_checked"
    ),
    (
        "chat.postMessage",
        "Posts to a channel by id or name and answers with channel and `ts`.",
        "docs.slack.dev: chat.postMessage",
        "a_message_is_posted_threaded_updated_and_read_back"
    ),
    (
        "chat.postMessage",
        "`missing_scope` with `needed` and `provided`.",
        "docs.slack.dev: chat.postMessage; Web API, errors",
        "the_token_and_its_scopes_are_checked"
    ),
    (
        "chat.postMessage",
        "`channel_not_found`, `not_in_channel`, `is_archived`; `chat:write.public` writes to public channels.",
        "docs.slack.dev: chat.postMessage; chat:write.public",
        "channels_that_take_no_messages_say_why"
    ),
    (
        "chat.postMessage",
        "`invalid_blocks` with a sentence and a JSON pointer for each broken rule of Block Kit.",
        "docs.slack.dev: Blocks; wording as in slackapi/python-slack-sdk issues 1521, 1658 and adobe/spacecat-api-service issue 176",
        "every_rule_of_block_kit_has_its_sentence_and_place"
    ),
    (
        "chat.postMessage",
        "`msg_blocks_too_long` above 13,172 characters of blocks.",
        "slackapi/bolt-js issue 2509",
        "a_message_can_be_too_long"
    ),
    (
        "chat.postMessage",
        "A reply needs its parent: `thread_not_found`, `cannot_reply_to_message`.",
        "docs.slack.dev: chat.postMessage, conversations.replies",
        "a_message_is_posted_threaded_updated_and_read_back"
    ),
    (
        "chat.postMessage",
        "An argument that the method does not know is `invalid_arg_name` (stricter than Slack, which ignores it).",
        "docs.slack.dev: chat.postMessage, errors",
        "arguments_come_in_three_forms_and_unknown_ones_are_refused"
    ),
    (
        "chat.postMessage",
        "One message a second in a channel after a short burst, then 429 with `Retry-After`.",
        "docs.slack.dev: rate limits, posting messages",
        "a_channel_takes_one_message_a_second_and_a_method_its_tier"
    ),
    (
        "chat.update",
        "Replaces text and blocks; metadata that is not given stays; text alone removes the blocks.",
        "docs.slack.dev: chat.update",
        "a_message_is_posted_threaded_updated_and_read_back"
    ),
    (
        "chat.update",
        "`message_not_found`, `is_inactive`, `msg_too_long` above 4,000 characters, `block_mismatch`.",
        "docs.slack.dev: chat.update, errors",
        "an_update_can_be_refused"
    ),
    (
        "conversations.history",
        "Newest first, without replies, paged by cursor, bounded by `oldest` and `latest`; metadata on request.",
        "docs.slack.dev: conversations.history",
        "history_is_paged_and_bounded"
    ),
    (
        "conversations.history",
        "Needs membership and `channels:history`, or `groups:history` for a private channel.",
        "docs.slack.dev: conversations.history, usage info",
        "channels_that_take_no_messages_say_why"
    ),
    (
        "conversations.replies",
        "The parent first, then its replies, oldest first; `thread_not_found`.",
        "docs.slack.dev: conversations.replies",
        "a_message_is_posted_threaded_updated_and_read_back"
    ),
    (
        "conversations.info",
        "Facts of a channel; a private one hides from strangers.",
        "docs.slack.dev: conversations.info",
        "channels_that_take_no_messages_say_why"
    ),
    (
        "files.getUploadURLExternal",
        "An address and a file id; `missing_argument` without a size, `alt_txt_too_large` above 1,000 characters.",
        "docs.slack.dev: files.getUploadURLExternal",
        "a_picture_is_uploaded_in_three_steps_and_shown_a_little_later"
    ),
    (
        "upload",
        "Takes raw bytes or a form; the size must be the announced one.",
        "docs.slack.dev: Working with files",
        "a_picture_is_uploaded_in_three_steps_and_shown_a_little_later"
    ),
    (
        "files.completeUploadExternal",
        "Ends uploads; without a channel the file stays private to the bot.",
        "docs.slack.dev: files.completeUploadExternal",
        "a_picture_is_uploaded_in_three_steps_and_shown_a_little_later"
    ),
    (
        "files.completeUploadExternal",
        "`invalid slack file` until the file was processed.",
        "slackapi/python-slack-sdk issues 1521 and 1658",
        "a_picture_is_uploaded_in_three_steps_and_shown_a_little_later"
    ),
    (
        "files.info",
        "Facts of a file; no type until it was processed.",
        "docs.slack.dev: files.info",
        "a_picture_is_uploaded_in_three_steps_and_shown_a_little_later"
    ),
];
