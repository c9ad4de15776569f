"""Slack's own Python SDK waits as it is told when a channel had its message of the second."""

import json
import os
import time

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

with open(os.environ["ASAF_READY"]) as file:
    READY = json.load(file)

CHANNEL = "C0OPERATIONS"
impatient = WebClient(token=READY["env"]["ASAF_SLACK_TOKEN"], base_url=READY["slack"] + "/api/")
patient = WebClient(
    token=READY["env"]["ASAF_SLACK_TOKEN"],
    base_url=READY["slack"] + "/api/",
    retry_handlers=[RateLimitErrorRetryHandler(max_retry_count=3)],
)

sent = 0
limited = None
for n in range(40):
    try:
        impatient.chat_postMessage(channel=CHANNEL, text=f"fast {n}")
        sent += 1
    except SlackApiError as error:
        limited = error.response
        break
assert limited is not None and limited.status_code == 429, (sent, limited)
assert limited["error"] == "ratelimited" and int(limited.headers["Retry-After"]) >= 1, limited.headers
began = time.monotonic()
patient.chat_postMessage(channel=CHANNEL, text="after a while")
assert time.monotonic() - began >= 0.9, "the SDK waited"
history = impatient.conversations_history(channel=CHANNEL, limit=100)["messages"]
assert len(history) == sent + 1, (len(history), sent)
print(f"refused after {sent} messages, sent after waiting")
