"""The PyPI package `atlassian-python-api` installs the rule on a site as Atlassian hands it out, and proves it.

Roles, resolution, statuses, workflow, scheme, permissions and assignment are made through the public API; then the
product team is refused what it must not do, and the reviewer is not.
"""

import json
import os
import uuid

from requests import HTTPError

from atlassian import Jira, JiraCloud

with open(os.environ["ASAF_READY"]) as file:
    READY = json.load(file)


def login(part, client=Jira):
    user = READY["users"][part]
    more = {"cloud": True} if client is Jira else {}
    return client(url=READY["jira"], username=user["email"], password=user["token"], **more)


def refused(status, call):
    try:
        call()
    except HTTPError as error:
        assert error.response.status_code == status, error.response.text
        return error.response.json()
    raise AssertionError(f"{status} was expected")


bot, product, reviewer, boss = (login(part) for part in ("bot", "product", "reviewer", "admin"))
admin, stranger = login("admin", JiraCloud), login("bot", JiraCloud)
accounts = {part: user["accountId"] for part, user in READY["users"].items()}
project = boss.project("SEC")

# Before: anybody closes.
old = bot.create_issue(fields={"project": {"key": "SEC"}, "issuetype": {"name": "Task"}, "summary": "old"})
product.set_issue_status(old["key"], "Done")
assert bot.get_issue_status(old["key"]) == "Done"

# Roles, and who holds them in the project.
roles = {}
for name, part in (("Product", "product"), ("Reviewers", "reviewer"), ("Bot", "bot")):
    role = admin.create_project_role(data={"name": name})
    roles[part] = str(role["id"])
    admin.add_actor_users(project["id"], role["id"], data={"user": [accounts[part]]})
refused(409, lambda: admin.create_project_role(data={"name": "Bot"}))

# Statuses: known ones by id, a new one by name; both under references of our own.
known = {status["name"]: status["id"] for status in admin.get("rest/api/3/statuses/search")["values"]}
reference = {name: str(uuid.uuid4()) for name in ("Open", "Resolved", "Closed", "Ignored")}
statuses = [
    {
        "id": known.get(name),
        "name": name,
        "statusCategory": "TODO" if name == "Open" else "DONE",
        "statusReference": reference[name],
    }
    for name in reference
]


def directed(number, name, source, target, who=None, resolution=None):
    transition = {
        "id": str(number),
        "name": name,
        "type": "DIRECTED",
        "toStatusReference": reference[target],
        "links": [{"fromStatusReference": reference[source]}],
        "actions": [],
    }
    if who:
        parameters = {"roleIds": ",".join(who), "groupIds": "", "accountIds": "", "permissionKeys": ""}
        rule = {"ruleKey": "system:restrict-issue-transition", "parameters": parameters}
        transition["conditions"] = {"operation": "ALL", "conditions": [rule], "conditionGroups": []}
    if resolution is not None:
        parameters = {"field": "resolution", "value": resolution, "mode": "replace"}
        transition["actions"].append({"ruleKey": "system:update-field", "parameters": parameters})
    return transition


review = [roles["reviewer"], roles["bot"]]
workflow = {
    "name": "Reviewed",
    "statuses": [{"statusReference": one, "properties": {}} for one in reference.values()],
    "transitions": [
        {"id": "1", "name": "Create", "type": "INITIAL", "toStatusReference": reference["Open"], "links": []},
        directed(11, "Resolve", "Open", "Resolved", resolution="10000"),
        directed(21, "Close", "Resolved", "Closed", review, "10000"),
        directed(31, "Reopen", "Resolved", "Open", review, ""),
        directed(41, "Ignore", "Open", "Ignored", [roles["bot"]], "10001"),
    ],
}
payload = {"scope": {"type": "GLOBAL"}, "statuses": statuses, "workflows": [workflow]}
assert admin.validate_create_workflows(data={"payload": payload})["errors"] == []
by_name_alone = json.loads(json.dumps(payload))
by_name_alone["statuses"][0].pop("id")
errors = admin.validate_create_workflows(data={"payload": by_name_alone})["errors"]
assert [error["code"] for error in errors] == ["NON_UNIQUE_STATUS_NAME"], errors
refused(401, lambda: stranger.create_workflows(data=payload))
made = admin.create_workflows(data=payload)["workflows"][0]

# Scheme: refused where there are issues, switched with a mapping of their statuses.
scheme = str(admin.create_workflow_scheme(data={"name": "Reviewed", "defaultWorkflow": "Reviewed"})["id"])
refused(400, lambda: admin.put("rest/api/3/workflowscheme/project", data={"projectId": project["id"], "workflowSchemeId": scheme}))
closed = next(s["id"] for s in admin.read_workflows(data={"workflowNames": ["Reviewed"]})["statuses"] if s["name"] == "Closed")
switch = {"projectId": project["id"], "targetSchemeId": scheme}
missing = refused(400, lambda: admin.switch_workflow_scheme_for_project(data=switch))
assert len(missing["errors"]) == 1, missing
done = admin.get_status("Done")["id"]
mapping = {"issueTypeId": "10002", "statusMappings": [{"oldStatusId": done, "newStatusId": closed}]}
admin.switch_workflow_scheme_for_project(data={**switch, "mappingsByIssueTypeOverride": [mapping]})
assert bot.get_issue_status(old["key"]) == "Closed"

# Permissions: the product team reads, comments and moves; the bot does the rest.
grants = [
    {"permission": permission, "holder": {"type": "projectRole", "value": roles[part]}}
    for part, permissions in {
        "product": ["BROWSE_PROJECTS", "TRANSITION_ISSUES", "ADD_COMMENTS"],
        "reviewer": ["BROWSE_PROJECTS", "TRANSITION_ISSUES", "ADD_COMMENTS", "EDIT_ISSUES"],
        "bot": ["BROWSE_PROJECTS", "TRANSITION_ISSUES", "ADD_COMMENTS", "EDIT_ISSUES", "CREATE_ISSUES", "DELETE_ISSUES"],
    }.items()
    for permission in permissions
]
permissions = admin.create_permission_scheme(data={"name": "Reviewed", "permissions": grants})
admin.assign_permission_scheme("SEC", data={"id": permissions["id"]})

# After: the rule holds, for administrators too.
key = bot.create_issue(fields={"project": {"key": "SEC"}, "issuetype": {"name": "Task"}, "summary": "new"})["key"]
assert bot.get_issue_status(key) == "Open"
product.set_issue_status(key, "Resolved")
refused(400, lambda: product.set_issue_status_by_transition_id(key, 21))
refused(404, lambda: boss.set_issue_status_by_transition_id(key, 21))
refused(400, lambda: product.update_issue_field(key, {"summary": "changed"}))
refused(403, lambda: product.delete_issue(key))
reviewer.set_issue_status_by_transition_id(key, 21)
assert bot.issue(key)["fields"]["resolution"]["name"] == "Done"
refused(400, lambda: product.set_issue_status_by_transition_id(key, 31))

# An update names the version that it changes.
stale = {"id": made["id"], "version": {"id": made["version"]["id"], "versionNumber": 7}}
update = {**{k: workflow[k] for k in ("statuses", "transitions")}, **stale}
read = admin.read_workflows(data={"workflowNames": ["Reviewed"]})
for status in statuses:
    status["id"] = next(s["id"] for s in read["statuses"] if s["name"] == status["name"])
refused(409, lambda: admin.update_workflows(data={"statuses": statuses, "workflows": [update]}))
update["version"] = read["workflows"][0]["version"]
updated = admin.update_workflows(data={"statuses": statuses, "workflows": [update]})
assert updated["workflows"][0]["version"]["versionNumber"] == read["workflows"][0]["version"]["versionNumber"] + 1
print("atlassian-python-api: the rule was installed and holds")
