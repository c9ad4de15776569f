"""The emulated GitHub as PyGithub sees it: a client that nobody here wrote.

Addresses and tokens come from the ready file that `asaf emulate` writes; its path is in ASAF_READY.
"""

import json
import os
from datetime import datetime, timezone

from github import Auth, BadCredentialsException, Github, GithubException, UnknownObjectException

ready = json.load(open(os.environ["ASAF_READY"]))
checks = 0


def check(condition, what):
    global checks
    checks += 1
    if not condition:
        raise SystemExit(f"not as expected: {what}")


def refused(status, call, words=""):
    try:
        call()
    except GithubException as error:
        check(error.status == status, f"{error.status} instead of {status}: {error.data}")
        check(words in json.dumps(error.data), f"{words!r} in {error.data}")
        return
    raise SystemExit(f"was not refused with {status}: {words}")


def client(login):
    token = ready["github_users"][login]["token"]
    pace = {"seconds_between_requests": None, "seconds_between_writes": None}
    return Github(base_url=ready["github"], auth=Auth.Token(token), retry=None, per_page=30, **pace)


pat, robin = client("pat"), client("robin")
check(pat.get_user().login == "pat", "who asks")
try:
    Github(base_url=ready["github"], auth=Auth.Token("wrong"), retry=None).get_user().login
    raise SystemExit("a wrong token was accepted")
except BadCredentialsException:
    checks += 1

repo = pat.get_repo("acme/rules")
check(repo.full_name == "acme/rules" and repo.default_branch == "main" and repo.private, "repository")
try:
    pat.get_repo("acme/nothing")
    raise SystemExit("a repository that is not there was found")
except UnknownObjectException:
    checks += 1

main = repo.get_branch("main")
check(main.protected, "main is protected")
check([branch.name for branch in repo.get_branches()] == ["main"], "branches")
tree = repo.get_git_tree(main.commit.sha, recursive=True)
paths = [entry.path for entry in tree.tree if entry.type == "blob"]
check("ignore/README.md" in paths and not tree.raw_data["truncated"], paths)
readme = repo.get_contents("ignore/README.md")
check(b"Reviewed rules" in readme.decoded_content, "content")
check(repo.get_git_blob(readme.sha).size == readme.size, "blob")
check([entry.path for entry in repo.get_contents("ignore")] == ["ignore/README.md"], "folder")

refused(409, lambda: repo.create_file("ignore/x.toml", "m", "# x\n"), "Changes must be made through a pull request")
ref = repo.create_git_ref("refs/heads/pygithub", main.commit.sha)
check(ref.object.sha == main.commit.sha, "reference")
refused(422, lambda: repo.create_git_ref("refs/heads/pygithub", main.commit.sha), "Reference already exists")
made = repo.create_file("ignore/x.toml", "Add x", "# one\n", branch="pygithub")
sha = made["content"].sha
refused(409, lambda: repo.update_file("ignore/x.toml", "m", "# two\n", "0" * 40, branch="pygithub"), "does not match")
updated = repo.update_file("ignore/x.toml", "Change x", "# two\n", sha, branch="pygithub")
check(updated["content"].sha != sha, "another content")
check(repo.get_contents("ignore/x.toml", ref="pygithub").decoded_content == b"# two\n", "the branch's content")

pull = repo.create_pull(base="main", head="pygithub", title="Rules by PyGithub", body="text")
check(pull.state == "open" and not pull.merged and pull.user.login == "pat", "pull request")
refused(422, lambda: repo.create_pull(base="main", head="pygithub", title="again", body=""), "already exists")
check([file.filename for file in pull.get_files()] == ["ignore/x.toml"], "files")
check([p.number for p in repo.get_pulls(state="open", head="acme:pygithub")] == [pull.number], "found by head")
refused(405, lambda: pull.merge(merge_method="squash"), "approving review is required")
refused(422, lambda: pull.create_review(event="APPROVE"), "approve your own")
review = robin.get_repo("acme/rules").get_pull(pull.number).create_review(body="fine", event="APPROVE")
check(review.state == "APPROVED", "review")
check([r.user.login for r in pull.get_reviews()] == ["robin"], "reviews")
merged = robin.get_repo("acme/rules").get_pull(pull.number).merge(merge_method="squash")
check(merged.merged, "merged")
pull.update()
check(pull.merged and pull.merged_by.login == "robin" and pull.merge_commit_sha == merged.sha, "what became of it")
commit = repo.get_commit(merged.sha)
check(commit.commit.message == f"Rules by PyGithub (#{pull.number})", commit.commit.message)
check([p.number for p in commit.get_pulls()] == [pull.number], "the commit's pull request")
check([c.sha for c in repo.get_commits(path="ignore/x.toml")][0] == merged.sha, "history of a path")

comment = pull.create_issue_comment("one")
comment.edit("two")
check([c.body for c in pull.get_issue_comments()] == ["two"], "comment")
for n in range(70):
    pull.create_issue_comment(f"number {n}")
check(len(list(pull.get_issue_comments())) == 71, "all pages")
comment.delete()
check(len(list(pull.get_issue_comments())) == 70, "deleted")

annotation = {"path": "ignore/x.toml", "start_line": 1, "end_line": 1, "annotation_level": "warning", "message": "m"}
run = repo.create_check_run(
    name="asaf ignore check",
    head_sha=merged.sha,
    status="completed",
    conclusion="neutral",
    completed_at=datetime.now(timezone.utc),
    output={"title": "t", "summary": "s", "annotations": [annotation] * 50},
)
run.edit(output={"title": "t", "summary": "s", "annotations": [annotation]})
again = repo.get_check_run(run.id)
check(again.conclusion == "neutral" and again.output.annotations_count == 51, "check run")
check([r.id for r in commit.get_check_runs()] == [run.id], "check runs of a commit")
refused(422, lambda: repo.create_check_run(name="x", head_sha="0" * 40), "No commit found")

limit = pat.get_rate_limit()
core = limit.core if hasattr(limit, "core") else limit.resources.core
check(core.limit == 5000 and core.remaining <= 5000, "rate limit")
refused(501, lambda: list(repo.get_hooks()), "does not know")
repo.get_git_ref("heads/pygithub").delete()
check([b.name for b in repo.get_branches()] == ["main"], "the branch is deleted")
print(f"{checks} expectations of PyGithub hold")
