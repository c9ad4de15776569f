"""The PyPI package `jira` against the emulated site with its limits on: it waits as long as it is told."""

import json
import os
import time

from jira import JIRA

with open(os.environ["ASAF_READY"]) as file:
    READY = json.load(file)

user = READY["users"]["bot"]
jira = JIRA(server=READY["jira"], basic_auth=(user["email"], user["token"]), max_retries=3)
issue = jira.create_issue(
    fields={"project": {"key": "SEC"}, "issuetype": {"name": "Task"}, "summary": "s"}
)
# Twenty writes in two seconds are served, the next one is told to wait.
began = time.monotonic()
for number in range(21):
    jira.add_comment(issue.key, str(number))
took = time.monotonic() - began
assert took >= 1.0, f"21 writes to one issue took {took:.2f} s"
assert len(jira.comments(issue.key)) == 21
print(f"21 comments on one issue took {took:.1f} s: the limit is 20 in 2 s")
