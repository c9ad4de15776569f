"""The PyPI package `jira` on a site where `asaf workflow apply` has installed the rule: the product team resolves and is
refused everything else, the reviewer is not refused, and an administrator is not above the rule."""

import json
import os

from jira import JIRA, JIRAError

with open(os.environ["ASAF_READY"]) as file:
    READY = json.load(file)


def login(part):
    user = READY["users"][part]
    return JIRA(server=READY["jira"], basic_auth=(user["email"], user["token"]), max_retries=0)


REFUSED = []


def refused(call):
    try:
        call()
    except JIRAError as error:
        assert error.status_code in (400, 401, 403, 404), (error.status_code, error.text)
        REFUSED.append(error.status_code)
        return
    raise AssertionError("it was not refused")


bot, product, reviewer, admin = (login(part) for part in ("bot", "product", "reviewer", "admin"))
fields = {"project": {"key": "SEC"}, "issuetype": {"name": "Task"}, "summary": "A bucket is public", "labels": ["asaf"]}
key = bot.create_issue(fields=fields).key


def names(who):
    return {one["name"] for one in who.transitions(key)}


def status():
    return bot.issue(key).fields.status.name


# The product team: resolves, and nothing more.
assert names(product) == {"Start progress", "Resolve"}, names(product)
for transition in ("31", "41", "51", "61", "71"):
    refused(lambda: product.transition_issue(key, transition))
refused(lambda: product.create_issue(fields=fields))
refused(lambda: product.issue(key).update(summary="harmless"))
refused(lambda: product.issue(key).update(labels=[]))
refused(lambda: product.issue(key).delete())
product.add_comment(key, "We are on it.")
product.transition_issue(key, "Resolve")
assert status() == "Resolved"
refused(lambda: product.transition_issue(key, "31"))
assert status() == "Resolved"

# The reviewer: opens again, closes.
reviewer.transition_issue(key, "Reopen")
product.transition_issue(key, "Resolve")
reviewer.transition_issue(key, "Close")
assert status() == "Closed"
refused(lambda: product.transition_issue(key, "51"))
refused(lambda: reviewer.transition_issue(key, "71"))
assert status() == "Closed"

# Who administers Jira takes no part; who configures it could, and the doctor sees that.
refused(lambda: admin.transition_issue(key, "51"))
assert admin.my_permissions(permissions="ADMINISTER")["permissions"]["ADMINISTER"]["havePermission"]

# The engine does its own moves.
for transition, reached in (("91", "Resolved"), ("71", "Ignored"), ("81", "Open"), ("61", "Closed")):
    bot.transition_issue(key, transition)
    assert status() == reached, (transition, status())
print(f"{key}: resolved by the team, closed by the reviewer; {len(REFUSED)} calls refused")
