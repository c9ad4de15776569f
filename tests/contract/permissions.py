"""What a whole test run asked of AWS as the engine (`make unit` records it) against the policies of docs/permissions.md:
each action that was used is allowed, and each that is allowed was used.

The engine's requests are those of the Rust SDK to the emulators; other people's clients ask for more, and may."""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# "No permissions are required to perform this operation" (STS API: GetCallerIdentity).
FREE = {"sts:GetCallerIdentity"}


def allowed():
    page = (ROOT / "docs/permissions.md").read_text(encoding="utf-8")
    found = set()
    for mark in ("engine", "member-role"):
        block = re.search(rf"<!-- {mark} -->\s*```json\n(.*?)\n```", page, re.S).group(1)
        for statement in json.loads(block)["Statement"]:
            if statement["Effect"] == "Allow":
                actions = statement["Action"]
                found |= {actions} if isinstance(actions, str) else set(actions)
    return found


def used(folder):
    found = set()
    for path in sorted(folder.iterdir()):
        for line in path.read_bytes().splitlines():
            try:
                one = json.loads(line)
            except ValueError:
                # A process that was killed while it wrote leaves half a line.
                continue
            agent = next((v for k, v in one.get("headers", {}).items() if k.lower() == "user-agent"), "")
            if one["system"] != "aws" or "aws-sdk-rust" not in agent:
                continue
            operation = one["operation"]
            single = re.sub("Batch$", "", operation) if one["service"] == "sqs" else operation
            found.add(f"{one['service']}:{single}")
    return found - FREE


asked, granted = used(pathlib.Path(sys.argv[1])), allowed()
assert asked, "no request of the engine was recorded"
assert asked <= granted, f"used, and allowed by no policy: {sorted(asked - granted)}"
assert granted <= asked, f"allowed, and used by no test: {sorted(granted - asked)}"
print(f"{len(granted)} actions are allowed, and each of them was used")
