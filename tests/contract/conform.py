"""Checks recorded exchanges against the vendors' own descriptions: AWS against botocore's models, Jira against
Atlassian's OpenAPI document. Every answer must fit; so must every request of our own clients.

    python conform.py FOLDER [OPENAPI.json]

FOLDER holds the NDJSON files that a run with ASAF_RECORD_DIR=FOLDER leaves. Prints what was checked, and what does not
fit; exits with 1 if anything does not.
"""

import collections
import json
import pathlib
import sys

import conform_aws
import conform_jira

ROOT = pathlib.Path(__file__).resolve().parents[2]
OURS = ("asaf/", "aws-sdk-rust/")


def exchanges(folder):
    """Each different exchange once."""
    seen = set()
    for path in sorted(pathlib.Path(folder).glob("*.ndjson")):
        for line in path.read_bytes().splitlines():
            key = hash(line)
            if key in seen:
                continue
            seen.add(key)
            try:
                yield json.loads(line)
            except ValueError:
                # A process that was killed while it wrote leaves half a line.
                continue


def is_ours(exchange):
    return exchange["headers"].get("user-agent", "").startswith(OURS)


def judged(judge, exchange):
    """What the judge says; a body so misshapen that the vendor's own parser breaks over it does not fit either."""
    try:
        return judge(exchange)
    except (AttributeError, TypeError, ValueError, KeyError) as error:
        return [f"cannot be parsed: {error!r}"]


def check(exchange, checkers):
    """What does not fit, as sentences, and how many requests and answers were looked at."""
    checker = checkers.get(exchange["system"])
    problems, looked = [], collections.Counter()
    if checker is None:
        # Slack describes its methods in prose only; its own SDK checks the emulator (slack_client.py).
        return problems, looked
    if is_ours(exchange):
        looked["requests"] += 1
        problems += [f"request {where}" for where in judged(checker.request, exchange)]
    if exchange["answer"]:
        looked["answers"] += 1
        problems += [f"answer {where}" for where in judged(checker.answer, exchange)]
    return problems, looked


def main(folder, document=ROOT / "fixtures" / "jira-openapi.json"):
    checkers = {"aws": conform_aws.Checker(), "jira": conform_jira.Checker(document)}
    counts, wrong, operations = collections.Counter(), collections.Counter(), set()
    for exchange in exchanges(folder):
        problems, looked = check(exchange, checkers)
        operations.add((exchange["system"], exchange["operation"]))
        for what, n in looked.items():
            counts[f"{exchange['system']} {what}"] += n
        status = exchange["answer"]["status"] if exchange["answer"] else "lost"
        for problem in problems:
            wrong[f"{exchange['operation']} ({status}): {problem}"] += 1
    for what, n in sorted(counts.items()):
        print(f"{n:8} {what}")
    print(f"{len(operations):8} operations")
    if not counts:
        print("nothing was recorded")
        return 1
    for problem, n in wrong.most_common(100):
        print(f"{n:6} × {problem}")
    print(f"{sum(wrong.values()):8} problems")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
