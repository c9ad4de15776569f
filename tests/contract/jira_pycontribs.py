"""The PyPI package `jira` against the emulated site: what its users do, as each user."""

import json
import os

from jira import JIRA, JIRAError

with open(os.environ["ASAF_READY"]) as file:
    READY = json.load(file)


def login(part):
    user = READY["users"][part]
    return JIRA(server=READY["jira"], basic_auth=(user["email"], user["token"]), max_retries=0)


def refused(status, call):
    try:
        call()
    except JIRAError as error:
        assert error.status_code == status, (error.status_code, error.text)
        return error.text
    raise AssertionError(f"{status} was expected")


def fields(summary, **more):
    return {
        "project": {"key": "SEC"},
        "issuetype": {"name": "Task"},
        "summary": summary,
        "description": "What AWS says",
        **more,
    }


bot, product, reviewer, admin = (login(part) for part in ("bot", "product", "reviewer", "admin"))

# Login and what a client learns about the site.
assert bot._is_cloud, "the site says that it is Jira Cloud"
assert bot.myself()["accountId"] == READY["users"]["bot"]["accountId"]
assert {field["id"] for field in bot.fields()} >= {"summary", "labels", "status"}
assert {status.name for status in bot.statuses()} == {"Open", "In Progress", "Resolved", "Closed", "Ignored"}
assert bot.priority("2").name == "High"
assert bot.resolution("10000").name == "Done"
assert bot.issue_type("10002").name == "Task"
assert "SEC" in {project.key for project in bot.projects()}
assert bot.project("SEC").name == "security"
assert bot.my_permissions(permissions="EDIT_ISSUES")["permissions"]["EDIT_ISSUES"]["havePermission"]
assert [user.displayName for user in bot.search_users(query="robin")] == ["Robin Reviewer"]
assert len(bot.search_assignable_users_for_issues(project="SEC", query="a")) >= 3
assert "security-reviewers" in bot.groups()
assert READY["users"]["reviewer"]["accountId"] in bot.group_members("security-reviewers")
meta = bot.createmeta(projectKeys="SEC", issuetypeNames="Task", expand="projects.issuetypes.fields")
assert meta["projects"][0]["issuetypes"][0]["fields"]["summary"]["required"]
wrong = READY["users"]["bot"]["email"], "expired"
refused(401, lambda: JIRA(server=READY["jira"], basic_auth=wrong, max_retries=0).myself())

# Create, one and many; an element that is wrong leaves the others.
one = bot.create_issue(fields=fields("One", labels=["asaf", "asaf-one"], priority={"id": "2"}))
assert one.fields.status.name == "Open" and one.fields.description == "What AWS says"
many = bot.create_issues([fields(f"Number {n}", labels=["asaf-many"]) for n in range(49)] + [fields("x" * 300)])
assert [row["status"] for row in many] == ["Success"] * 49 + ["Error"]
assert "Summary must be less than 255 characters." in str(many[-1]["error"])
refused(400, lambda: bot.create_issue(fields=fields("spaces", labels=["a b"])))
refused(400, lambda: product.create_issue(fields=fields("not mine to create")))

# Search, with more than one page, and counting.
found = bot.enhanced_search_issues("labels = asaf-many ORDER BY key", maxResults=0, fields="summary")
assert len(found) == 49 and found[0].fields.summary == "Number 0"
assert bot.approximate_issue_count("labels = asaf-many") == 49
assert bot.enhanced_search_issues("project = NOSUCH") == []
refused(400, lambda: bot.enhanced_search_issues("project ="))
refused(400, lambda: bot.enhanced_search_issues("ORDER BY key"))

# The product team resolves, and can neither close, edit nor delete.
as_product = product.issue(one.key)
names = {transition["name"] for transition in product.transitions(as_product)}
assert names == {"Start progress", "Resolve"}, names
product.transition_issue(as_product, "Resolve")
assert bot.issue(one.key).fields.resolution.name == "Done"
assert product.transitions(as_product) == []
close = next(t["id"] for t in reviewer.transitions(one.key) if t["name"] == "Close")
text = refused(400, lambda: product.transition_issue(as_product, close))
assert text.startswith(f"Can't move ({one.key})."), text
refused(400, lambda: admin.transition_issue(one.key, close))
assert product.issue(one.key).fields.status.name == "Resolved"
refused(400, lambda: as_product.update(summary="changed"))
refused(403, lambda: as_product.delete())

# The reviewer closes and reopens; who did what is in the changelog.
reviewer.transition_issue(one.key, close)
assert reviewer.issue(one.key).fields.status.name == "Closed"
refused(400, lambda: reviewer.transition_issue(one.key, close))
refused(400, lambda: reviewer.transition_issue(one.key, "999"))
reviewer.transition_issue(one.key, "Reopen closed")
log = bot.issue(one.key, expand="changelog").changelog.histories
moves = [
    (history.author.displayName, item.toString)
    for history in sorted(log, key=lambda history: int(history.id))
    for item in history.items
    if item.field == "status"
]
assert moves == [
    ("Pat Product", "Resolved"),
    ("Robin Reviewer", "Closed"),
    ("Robin Reviewer", "Open"),
], moves

# Comments: version 2 text, own ones only.
comment = product.add_comment(one.key, "two\nlines")
assert bot.comment(one.key, comment.id).body == "two\nlines"
comment.update(body="edited")
assert [c.body for c in bot.comments(one.key)] == ["edited"]
refused(400, lambda: reviewer.comment(one.key, comment.id).delete())
comment.delete()
assert bot.comments(one.key) == []

# Edits, labels, assignee, properties, links.
issue = bot.issue(one.key)
issue.update(fields={"summary": "Renamed", "labels": ["asaf", "new"]})
issue.add_field_value("labels", "third")
assert bot.issue(one.key).fields.labels == ["asaf", "new", "third"]
bot.assign_issue(one.key, "Pat Product")
assert bot.issue(one.key).fields.assignee.displayName == "Pat Product"
bot.add_issue_property(one.key, "asaf.link", {"v": 1})
assert bot.issue_property(one.key, "asaf.link").value.v == 1
link = bot.add_simple_link(one.key, {"url": "https://aws.example", "title": "Console"})
assert bot.remote_link(one.key, link.id).object.title == "Console"
bot.remote_link(one.key, link.id).delete()
assert bot.remote_links(one.key) == []

# Roles and schemes, as an administrator and as somebody else.
refused(404, lambda: bot.project_roles("SEC"))
roles = admin.project_roles("SEC")
assert set(roles) == {"Sync bot", "Product team", "Security reviewers", "Administrators"}
role = admin.project_role("SEC", roles["Security reviewers"]["id"])
assert [actor.displayName for actor in role.actors] == ["Robin Reviewer"]
role.add_user(users=[READY["users"]["product"]["accountId"]])
product.transition_issue(one.key, "Resolve")
product.transition_issue(one.key, "Close")
assert bot.issue(one.key).fields.status.name == "Closed", "who holds the role may close"
refused(404, lambda: bot.project_role("SEC", roles["Security reviewers"]["id"]))
assert admin.project_permissionscheme("SEC").name == "Security tickets"
assert admin.add_group("on-call")
assert admin.remove_group("on-call")

# Delete, and what is gone is gone.
issue.delete()
text = refused(404, lambda: bot.issue(one.key))
assert text == "Issue does not exist or you do not have permission to see it.", text
refused(501, lambda: bot.dashboards())
print("jira: all as expected")
