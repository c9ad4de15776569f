"""Cuts Jira's OpenAPI document down to the operations that the emulator answers.

    python extract_openapi.py jira-openapi.json ../../docs/emulators.md > ../../fixtures/jira-openapi.json

What remains is Atlassian's: parameters, bodies, answers and the schemas that they need, without prose and examples.
"""

import json
import re
import sys

PROSE = {
    "description", "summary", "example", "examples", "externalDocs", "tags", "title", "xml",
    "deprecated", "security", "x-atlassian-connect-scope", "x-atlassian-oauth2-scopes",
    "x-atlassian-data-security-policy", "x-atlassian-narrative", "x-experimental", "x-changes",
    "x-showInExample",
}


def bare(value, is_map=False):
    """The same without prose; the names of properties and schemas are data, not keywords."""
    if isinstance(value, list):
        return [bare(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, inner in value.items():
        if is_map or key not in PROSE:
            kept[key] = bare(inner, not is_map and key in ("properties", "schemas"))
    if not is_map and kept.get("additionalProperties") is False and "required" in kept:
        # IssueBulkMovePayload requires a member under a name that it does not have, and takes no other members.
        kept["required"] = [name for name in kept["required"] if name in kept.get("properties", {})]
        if not kept["required"]:
            del kept["required"]
    return kept


def references(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner.rsplit("/", 1)[1]
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


def main(document, page):
    document = json.load(open(document, encoding="utf-8"))
    text = open(page, encoding="utf-8").read()
    wanted = re.findall(r"^### `([A-Z]+) (/rest/api/3/\S+)`$", text, re.M)
    paths = {}
    for method, path in sorted(wanted, key=lambda pair: (pair[1], pair[0])):
        operation = document["paths"].get(path, {}).get(method.lower())
        if operation:
            answers = {
                status: {"content": answer["content"]} if "content" in answer else {}
                for status, answer in operation["responses"].items()
            }
            kept = {key: operation[key] for key in ("operationId", "parameters", "requestBody") if key in operation}
            paths.setdefault(path, {})[method.lower()] = bare(kept | {"responses": answers})
    schemas, open_names = {}, set(references(paths))
    while open_names:
        name = open_names.pop()
        if name not in schemas:
            schemas[name] = bare(document["components"]["schemas"][name])
            open_names |= set(references(schemas[name]))
    info = {key: document["info"][key] for key in ("title", "version", "license")}
    extract = {
        "openapi": document["openapi"],
        "info": info,
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.items()))},
    }
    json.dump(extract, sys.stdout, separators=(",", ":"), ensure_ascii=False)
    print()


if __name__ == "__main__":
    main(*sys.argv[1:3])
