"""Slack's own Python SDK, unpatched, against the emulated workspace: what a bot does, and the messages that asaf sent."""

import json
import os

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import Block, HeaderBlock, ImageBlock, RichTextBlock, SectionBlock
from slack_sdk.models.metadata import Metadata

with open(os.environ["ASAF_READY"]) as file:
    READY = json.load(file)

BASE = READY["slack"] + "/api/"
PAYMENTS = "C0TEAM0001"
OPERATIONS = "C0OPERATIONS"
# A transparent pixel.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc33"
    "0000000049454e44ae426082"
)


def refused(word, call, **arguments):
    try:
        call(**arguments)
    except SlackApiError as error:
        assert error.response["error"] == word, error.response.data
        return error.response
    raise AssertionError(f"{word} was expected")


bot = WebClient(token=READY["env"]["ASAF_SLACK_TOKEN"], base_url=BASE)

# Who am I, and what the token may do.
me = bot.auth_test()
assert me["ok"] and me["bot_id"].startswith("B") and me["url"].startswith("http"), me.data
assert "chat:write" in me.headers["x-oauth-scopes"], me.headers
assert bot.api_test(foo="bar")["args"]["foo"] == "bar"
refused("too_odd", bot.api_test, error="too_odd")
refused("invalid_auth", WebClient(token="xoxb-wrong", base_url=BASE).auth_test)
refused("not_authed", WebClient(token=None, base_url=BASE).auth_test)
lacking = refused("missing_scope", bot.conversations_info, channel=OPERATIONS)
assert lacking["needed"] and "chat:write" in lacking["provided"], lacking.data

# A message, its thread, its update.
posted = bot.chat_postMessage(
    channel=OPERATIONS,
    text="A &lt;first&gt; message &amp; more",
    blocks=[HeaderBlock(text="First"), SectionBlock(text="with *bold*")],
    metadata=Metadata(event_type="seen", event_payload={"n": 1}),
    unfurl_links=False,
)
assert posted["channel"] == OPERATIONS and posted["message"]["text"] == "A &lt;first&gt; message &amp; more", posted.data
reply = bot.chat_postMessage(channel=OPERATIONS, thread_ts=posted["ts"], text="later")
assert reply["message"]["thread_ts"] == posted["ts"]
updated = bot.chat_update(channel=OPERATIONS, ts=posted["ts"], text="Second", blocks=[HeaderBlock(text="Second")])
assert updated["text"] == "Second", updated.data
history = bot.conversations_history(channel=OPERATIONS, include_all_metadata=True, limit=10)
latest = history["messages"][0]
assert latest["ts"] == posted["ts"] and latest["text"] == "Second" and latest["reply_count"] == 1, latest
assert latest["metadata"] == {"event_type": "seen", "event_payload": {"n": 1}}, latest
thread = bot.conversations_replies(channel=OPERATIONS, ts=posted["ts"])
assert [message["text"] for message in thread["messages"]] == ["Second", "later"]

# History in pages, newest first, as the SDK's own iterator reads it.
for n in range(5):
    bot.chat_postMessage(channel=OPERATIONS, text=f"number {n}")
pages = [page["messages"] for page in bot.conversations_history(channel=OPERATIONS, limit=2)]
assert len(pages) == 3 and all(len(page) == 2 for page in pages), pages
texts = [message["text"] for page in pages for message in page]
assert texts == ["number 4", "number 3", "number 2", "number 1", "number 0", "Second"], texts

# Errors as Slack words them.
refused("channel_not_found", bot.chat_postMessage, channel="C0NOWHERE", text="x")
refused("no_text", bot.chat_postMessage, channel=OPERATIONS)
refused("message_not_found", bot.chat_update, channel=OPERATIONS, ts="1.000001", text="x")
refused("thread_not_found", bot.conversations_replies, channel=OPERATIONS, ts="1.000001")
broken = refused(
    "invalid_blocks",
    bot.chat_postMessage,
    channel=OPERATIONS,
    text="x",
    blocks=[{"type": "header", "text": {"type": "plain_text", "text": "y" * 151}}],
)
assert broken["response_metadata"]["messages"] == [
    "[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]"
], broken.data

# A picture: uploaded in three steps, shown in a message.
uploaded = bot.files_upload_v2(content=PIXEL, filename="trend.png", alt_txt="Fewer than before", title="Trend")
picture = uploaded["file"]["id"]
assert picture.startswith("F"), uploaded.data
shown = bot.chat_postMessage(
    channel=OPERATIONS,
    text="A picture",
    blocks=[ImageBlock(alt_text="Fewer than before", slack_file={"id": picture})],
)
assert shown["message"]["blocks"][0]["slack_file"]["id"] == picture, shown.data

# What asaf has sent is what the SDK's own models take, each block within its limits.
kinds = set()
seen = 0
for page in bot.conversations_history(channel=PAYMENTS, limit=100, include_all_metadata=True):
    for message in page["messages"]:
        assert message["text"].strip(), "the text for notifications is always there"
        assert message["metadata"]["event_type"] == "asaf_post", message
        assert 0 < len(message["blocks"]) <= 50
        parsed = Block.parse_all(message["blocks"])
        for block, sent in zip(parsed, message["blocks"], strict=True):
            assert block is not None, sent
            block.validate_json()
            if isinstance(block, RichTextBlock):
                assert all(not isinstance(element, dict) for element in block.elements), sent
            kinds.add(sent["type"])
        seen += 1
assert seen >= 2 and {"header", "rich_text", "context"} <= kinds, (seen, kinds)
print(f"{seen} messages of asaf pass the SDK's models: {sorted(kinds)}")
