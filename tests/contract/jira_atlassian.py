"""The PyPI package `atlassian-python-api` against the emulated site: what its users do, as each user."""

import json
import os

from requests import HTTPError

from atlassian import Jira

with open(os.environ["ASAF_READY"]) as file:
    READY = json.load(file)


def login(part):
    user = READY["users"][part]
    return Jira(url=READY["jira"], username=user["email"], password=user["token"], cloud=True)


def refused(status, call):
    try:
        call()
    except HTTPError as error:
        assert error.response.status_code == status, error.response.text
        return
    raise AssertionError(f"{status} was expected")


def fields(summary, **more):
    return {"project": {"key": "SEC"}, "issuetype": {"name": "Task"}, "summary": summary, **more}


bot, product, reviewer, admin = (login(part) for part in ("bot", "product", "reviewer", "admin"))

assert bot.myself()["displayName"] == "asaf"
assert bot.get_server_info()["deploymentType"] == "Cloud"
assert {"SEC", "PAY"} <= {project["key"] for project in bot.projects()}
assert bot.project("SEC")["style"] == "classic"
assert len(bot.get_all_fields()) >= 15
refused(401, lambda: Jira(url=READY["jira"], username="nobody@example.com", password="x", cloud=True).myself())

# Create, one and many.
one = bot.create_issue(fields=fields("One", labels=["asaf"], description="text"))
many = bot.create_issues([{"fields": fields(f"Number {n}", labels=["asaf-many"])} for n in range(10)])
assert len(many["issues"]) == 10 and many["errors"] == []
key = one["key"]
assert bot.issue(key)["fields"]["description"] == "text"
assert bot.issue_exists(key) and not bot.issue_exists("SEC-999")

# Search.
found = bot.enhanced_jql("labels = asaf-many ORDER BY key", fields=["summary", "status"], limit=4)
assert len(found["issues"]) == 4 and not found["isLast"]
rest = bot.enhanced_jql("labels = asaf-many ORDER BY key", nextPageToken=found["nextPageToken"], limit=50)
assert len(rest["issues"]) == 6 and rest["isLast"]
assert bot.approximate_issue_count("labels = asaf-many")["count"] == 10

# Transitions as each user: the id goes as a number, and by the name of the status.
product.set_issue_status(key, "Resolved")
assert bot.get_issue_status(key) == "Resolved"
assert product.get_issue_transitions(key) == []
refused(400, lambda: product.set_issue_status_by_transition_id(key, 31))
refused(400, lambda: admin.set_issue_status_by_transition_id(key, 31))
assert bot.get_issue_status(key) == "Resolved"
assert {t["name"] for t in reviewer.get_issue_transitions(key)} == {"Close", "Reopen"}
reviewer.set_issue_status_by_transition_id(key, 31)
assert bot.get_issue_status(key) == "Closed"
log = bot.get_issue_changelog(key)
authors = [history["author"]["displayName"] for history in log["histories" if "histories" in log else "values"]]
assert sorted(authors) == ["Pat Product", "Robin Reviewer"], authors

# Comments and edits.
comment = product.issue_add_comment(key, "hello")
assert bot.issue_get_comments(key)["comments"][0]["body"] == "hello"
product.issue_edit_comment(key, comment["id"], "edited")
assert bot.issue_get_comment(key, comment["id"])["body"] == "edited"
bot.update_issue_field(key, {"summary": "Renamed"})
assert bot.issue_field_value(key, "summary") == "Renamed"
refused(400, lambda: product.update_issue_field(key, {"summary": "changed"}))
bot.set_issue_property(key, "asaf.link", data={"v": 1})
assert bot.get_issue_property(key, "asaf.link")["value"] == {"v": 1}
bot.create_or_update_issue_remote_links(key, "https://aws.example", "Console", global_id="g")
assert bot.get_issue_remote_links(key)[0]["globalId"] == "g"

# Configuration, as an administrator.
assert len(admin.get_all_permissionschemes()) >= 2
assert admin.get_project_permission_scheme("SEC")["name"] == "Security tickets"

refused(403, lambda: product.delete_issue(key))
bot.delete_issue(key)
assert not bot.issue_exists(key)
refused(404, lambda: bot.issue(key))
print("atlassian-python-api: all as expected")
