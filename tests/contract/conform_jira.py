"""Jira exchanges against Atlassian's OpenAPI document: bodies of answers and requests, names and types of parameters."""

import json
import re
import urllib.parse

import jsonschema

# Operations that are documented elsewhere: admin webhooks, the edge, links to tickets.
ELSEWHERE = re.compile(r"^[A-Z]+ (/rest/webhooks/1\.0/|/_edge/|/rest/api/(2|latest)/|/(?!rest/))")
# Answers whose example in the document, or whose recorded form, contradicts the document's schema.
CONTRADICTED = {("GET /rest/api/3/bulk/queue/{taskId}", 400)}
# A body that is not even of the right form is refused like this by every operation (recorded from Jira Cloud).
BAD_PAYLOAD = "Invalid request payload. Refer to the REST API documentation and try again."
BEFORE_THE_OPERATION = (
    "Client must be authenticated to access this resource.",
    "Unauthorized; scope does not match",
    "You do not have the permission to perform this operation.",
)
# The document still has the old search; Jira Cloud has removed it (developer changelog, CHANGE-2046).
REMOVED = {"GET /rest/api/3/search", "POST /rest/api/3/search"}


class Checker:
    def __init__(self, document):
        with open(document, encoding="utf-8") as file:
            document = json.load(file)
        self.paths = as_json_schema(document["paths"])
        self.components = {"schemas": as_json_schema(document["components"]["schemas"])}
        change = self.components["schemas"].get("ChangeDetails", {})
        for member in change.get("properties", {}).values():
            member["type"] = ["string", "null"]
        self.made, self.fitting = {}, {}

    def operation(self, exchange):
        method, _, path = exchange["operation"].partition(" ")
        return self.paths.get(path, {}).get(method.lower())

    def answer(self, exchange):
        name, answer = exchange["operation"], exchange["answer"]
        if ELSEWHERE.match(name) or (name, answer["status"]) in CONTRADICTED:
            return []
        operation = self.operation(exchange)
        if operation is None:
            return [] if answer["status"] in (404, 405, 501) else ["is not in the document"]
        kind = answer["headers"].get("content-type", "")
        if kind.startswith("text/html"):
            return [] if answer["status"] >= 500 else ["is HTML"]
        if answer["status"] == 400 and BAD_PAYLOAD in answer["body"]:
            return []
        # Authentication and scopes are judged before the operation is looked at, in words of their own.
        if answer["status"] in (401, 403) and any(words in answer["body"] for words in BEFORE_THE_OPERATION):
            return []
        if answer["status"] == 410 and name in REMOVED:
            return []
        if answer["status"] in (204, 205):
            return ["has a body with a status that has none"] if answer["body"] else []
        known = operation["responses"].get(str(answer["status"]))
        if known is None:
            # Any operation may be refused by the edge, by authentication, or by the limits.
            is_common = answer["status"] in (400, 401, 403, 404, 405, 409, 415, 429, 501) or answer["status"] >= 500
            return [] if is_common else ["has a status that the document does not have"]
        schema = known.get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            return []
        return self.fit(("answer", name, answer["status"]), schema, answer["body"])

    def request(self, exchange):
        name = exchange["operation"]
        if ELSEWHERE.match(name):
            return []
        operation = self.operation(exchange)
        if operation is None:
            return ["names an operation that the document does not have"]
        found = parameters(operation, exchange["uri"])
        body = operation.get("requestBody")
        if body is None:
            return found + (["has a body where none is taken"] if exchange["body"] else [])
        if not exchange["body"]:
            return found + (["has no body"] if body.get("required") else [])
        schema = body["content"].get("application/json", {}).get("schema", {})
        return found + self.fit(("request", name), schema, exchange["body"])

    def fit(self, key, schema, body):
        if (key, body) not in self.fitting:
            self.fitting[key, body] = self.fit_once(key, schema, body)
        return self.fitting[key, body]

    def fit_once(self, key, schema, body):
        try:
            body = json.loads(body)
        except ValueError:
            return ["is no JSON"]
        if key not in self.made:
            whole = schema | {"components": self.components}
            self.made[key] = jsonschema.Draft4Validator(whole)
        errors = self.made[key].iter_errors(body)
        return [f"at {place(error)}: {error.message:.160}" for error in errors]


def place(error):
    steps = ("[]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
    return "".join(steps) or "the whole"


def as_json_schema(value):
    """OpenAPI 3.0 to JSON Schema: `nullable` becomes a type; dates may be numbers, as Jira's own examples have them."""
    if isinstance(value, list):
        return [as_json_schema(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {key: as_json_schema(inner) for key, inner in value.items()}
    kind = made.get("type")
    if isinstance(kind, str):
        kinds = [kind]
        if made.pop("nullable", False) is True:
            kinds.append("null")
        if kind == "string" and made.get("format") == "date-time":
            kinds.append("integer")
        made["type"] = kinds
    for noise in ("xml", "example", "format"):
        if noise in made and not isinstance(made[noise], dict):
            del made[noise]
    return made


def parameters(operation, uri):
    query = urllib.parse.urlsplit(uri).query
    given = urllib.parse.parse_qs(query, keep_blank_values=True)
    known = {one["name"]: one for one in operation.get("parameters", []) if one["in"] == "query"}
    found = [f"has the parameter {name}, which is not in the document" for name in given if name not in known]
    for name, one in known.items():
        if one.get("required") and name not in given:
            found.append(f"lacks the parameter {name}")
        kinds = one.get("schema", {}).get("type", ["string"])
        for value in given.get(name, []):
            if "integer" in kinds and not re.fullmatch(r"-?\d+", value):
                found.append(f"has {name}={value}, which is no integer")
            if "boolean" in kinds and value not in ("true", "false"):
                found.append(f"has {name}={value}, which is no boolean")
    return found
