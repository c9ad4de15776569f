"""AWS exchanges against botocore's models: each member known, of its type, within its limits, none missing."""

import json
import re
import urllib.parse
import xml.etree.ElementTree as ElementTree

import botocore.parsers
import botocore.session
from botocore.exceptions import UnknownServiceError

# Errors that any service may answer ("Common Error Types" of the API references), and what is in no model although
# public logs of its clients show it.
COMMON = {
    "AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException", "InternalFailure",
    "InvalidAction", "InvalidClientTokenId", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
    "MissingParameter", "RequestThrottled", "ServiceUnavailable", "ServiceUnavailableException", "Throttling",
    "ThrottlingException", "TooManyRequestsException", "UnrecognizedClientException", "ValidationError",
    "ValidationException", "InvalidParameterValue", "SerializationException", "ServiceFailure",
    "InvalidParameterValueException", "UnknownOperationException",
}
NOT_EMULATED = {"NotImplemented"}
EMULATED = {"securityhub", "config", "organizations", "sts", "sqs", "secretsmanager", "iam"}


class Checker:
    def __init__(self):
        self.session = botocore.session.get_session()
        self.models, self.fitting = {}, {}

    def model(self, exchange):
        """Service model and operation model; None where AWS knows no such operation."""
        service = exchange["service"]
        if service not in self.models:
            try:
                self.models[service] = self.session.get_service_model(service)
            except (UnknownServiceError, TypeError):
                self.models[service] = None
        service = self.models[service]
        if service is None or exchange["operation"] not in service.operation_names:
            return service, None
        return service, service.operation_model(exchange["operation"])

    def request(self, exchange):
        service, operation = self.model(exchange)
        if operation is None:
            return [f"names the operation {exchange['operation']}, which AWS does not know"]
        if operation.input_shape is None:
            return []
        protocol = service.resolved_protocol
        if protocol == "query":
            given = form(exchange["body"])
        else:
            given = json.loads(exchange["body"] or "{}")
            given |= outside_body(operation, exchange["uri"])
        return self.fit(operation.input_shape, given, "", protocol)

    def answer(self, exchange):
        service, operation = self.model(exchange)
        answer = exchange["answer"]
        if exchange["service"] not in EMULATED:
            return [] if answer["status"] in (403, 501) else ["comes from a service that is not emulated"]
        protocol = service.resolved_protocol
        if answer["status"] >= 400:
            return self.refusal(service, operation, answer, protocol)
        if operation is None:
            return [f"is given to {exchange['operation']}, which AWS does not know"]
        shape = operation.output_shape
        botocore.parsers.create_parser(protocol).parse(raw(answer), shape)
        if protocol == "query":
            return self.fit_xml(operation, shape, answer["body"])
        if shape is None or not shape.members:
            return [] if answer["body"] in ("", "{}") else ["has a body where AWS sends none"]
        return self.fit(shape, json.loads(answer["body"]), "", protocol)

    def refusal(self, service, operation, answer, protocol):
        try:
            parsed = botocore.parsers.create_parser(protocol).parse(raw(answer), None)
        except botocore.parsers.ResponseParserError as error:
            return [f"cannot be parsed: {error}"]
        code, message = parsed["Error"].get("Code"), parsed["Error"].get("Message")
        if answer["status"] == 501:
            return [] if code in NOT_EMULATED and message else [f"is 501 with {code}"]
        if operation is None:
            return [] if code in COMMON else [f"is {code} for an operation that AWS does not know"]
        known = {shape.name: shape for shape in operation.error_shapes}
        known |= {shape.error_code: shape for shape in operation.error_shapes if shape.error_code}
        if answer["headers"].get("x-amzn-query-error", "").startswith(f"{code};"):
            # The code of the older protocol; the model has the name of the newer one (SQS API reference).
            code = json.loads(answer["body"])["__type"].rsplit("#", 1)[-1]
        if code in known:
            if protocol == "query":
                return []
            body = {
                name: value for name, value in json.loads(answer["body"] or "{}").items()
                if name not in ("__type", "message", "Message", "Code", "Type")
            }
            shape = known[code]
            return [f"at {name}: not a member of {code}" for name in body if name not in shape.members]
        return [] if code in COMMON else [f"is {code}, which {operation.name} does not have"]

    # ---- values ----

    def fit(self, shape, value, at, protocol):
        """What of a value does not fit its shape; documents seen before are not looked at again."""
        if shape.type_name != "structure" or not isinstance(value, dict):
            return self.fit_one(shape, value, at, protocol)
        key = (shape.name, protocol, json.dumps(value))
        if key not in self.fitting:
            self.fitting[key] = self.fit_one(shape, value, "", protocol)
        return [at + problem for problem in self.fitting[key]]

    def fit_one(self, shape, value, at, protocol):
        kind = shape.type_name
        if kind == "structure":
            return self.fit_structure(shape, value, at, protocol)
        if kind == "list":
            if not isinstance(value, list):
                return [f"{at}: {value!r:.60} is no list"]
            found = limits(shape, len(value), at)
            for n, one in enumerate(value):
                found += self.fit(shape.member, one, f"{at}[]", protocol)
            return found
        if kind == "map":
            if not isinstance(value, dict):
                return [f"{at}: {value!r:.60} is no map"]
            found = limits(shape, len(value), at)
            for key, one in value.items():
                found += self.fit(shape.key, key, f"{at}<key>", protocol)
                found += self.fit(shape.value, one, f"{at}{{}}", protocol)
            return found
        return scalar(shape, value, at, protocol)

    def fit_structure(self, shape, value, at, protocol):
        if not isinstance(value, dict):
            return [f"{at}: {value!r:.60} is no structure"]
        if shape.name == "AwsSecurityFinding" and value.get("AwsAccountId") == "nonsense":
            # Not the emulator's: a test puts such a finding there, to see what the engine makes of it.
            return []
        members = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        names = {name: shape.members[name].serialization.get("name", name) for name in shape.required_members}
        found = [f"{at}.{name}: is missing" for name, wire in names.items() if wire not in value]
        for name, one in value.items():
            if name in members:
                found += self.fit(members[name], one, f"{at}.{name}", protocol)
            else:
                found.append(f"{at}.{name}: is not in the model")
        return found

    def fit_xml(self, operation, shape, body):
        root = ElementTree.fromstring(body)
        local = root.tag.rsplit("}", 1)[-1]
        found = [] if local == f"{operation.name}Response" else [f"is called {local}"]
        inner = {child.tag.rsplit("}", 1)[-1]: child for child in root}
        if "ResponseMetadata" not in inner:
            found.append("has no ResponseMetadata")
        if shape is not None and shape.members:
            result = inner.get(f"{operation.name}Result")
            if result is None:
                return found + [f"has no {operation.name}Result"]
            found += self.fit(shape, from_xml(shape, result), "", "query")
        return found


def raw(answer):
    headers = {"content-type": "application/json"} | answer["headers"]
    return {"status_code": answer["status"], "headers": headers, "body": answer["body"].encode()}


def limits(shape, size, at):
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        return [f"{at}: {size} is below {low}"]
    if high is not None and size > high:
        return [f"{at}: {size} is above {high}"]
    return []


def scalar(shape, value, at, protocol):
    kind = shape.type_name
    if kind in ("string", "character"):
        if not isinstance(value, str):
            return [f"{at}: {value!r:.60} is no string"]
        return text(shape, value, at)
    if kind == "boolean":
        is_right = isinstance(value, bool) or (protocol == "query" and value in ("true", "false"))
    elif kind in ("integer", "long"):
        is_right = (isinstance(value, int) and not isinstance(value, bool)) or (
            protocol == "query" and re.fullmatch(r"-?\d+", str(value)))
        if is_right:
            return limits(shape, int(value), at)
    elif kind in ("float", "double"):
        is_right = isinstance(value, (int, float)) and not isinstance(value, bool)
    elif kind == "timestamp":
        return timestamp(shape, value, at, protocol)
    elif kind == "blob":
        is_right = isinstance(value, str)
    else:
        is_right = True
    return [] if is_right else [f"{at}: {value!r:.60} is no {kind}"]


def timestamp(shape, value, at, protocol):
    form_ = shape.serialization.get("timestampFormat")
    form_ = form_ or ("iso8601" if protocol == "query" else "unixTimestamp")
    if form_ == "unixTimestamp" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return []
    if form_ == "iso8601" and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", str(value)):
        return []
    return [f"{at}: {value!r:.60} is no timestamp of the form {form_}"]


def text(shape, value, at):
    if shape.enum and value not in shape.enum:
        return [f"{at}: {value!r:.60} is not one of {len(shape.enum)} values"]
    found = limits(shape, len(value), at)
    pattern = shape.metadata.get("pattern")
    if pattern and not found:
        try:
            fits = re.search(pattern, value, re.S)
        except re.error:
            # A pattern in Java's syntax.
            return found
        if not fits:
            return [f"{at}: {value!r:.60} does not fit {pattern:.60}"]
    return found


def form(body):
    """A flat form of the query protocol; lists and structures keep their dotted names out of this check."""
    pairs = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
    return {name: value for name, value in pairs.items() if name not in ("Action", "Version") and "." not in name}


def outside_body(operation, uri):
    """Members that travel in the path or the query."""
    path, _, query = uri.partition("?")
    given = {}
    pattern = re.sub(r"\{(\w+)\+?\}", r"(?P<\1>.+)", operation.http["requestUri"].split("?")[0])
    in_path = re.fullmatch(pattern, urllib.parse.unquote(path))
    in_query = dict(urllib.parse.parse_qsl(query))
    for name, member in (operation.input_shape.members if operation.input_shape else {}).items():
        place, wire = member.serialization.get("location"), member.serialization.get("name", name)
        if place == "uri" and in_path:
            given[wire] = in_path.groupdict().get(wire)
        if place == "querystring" and wire in in_query:
            value = in_query[wire]
            if member.type_name in ("integer", "long") and value.isdigit():
                value = int(value)
            elif member.type_name == "boolean" and value in ("true", "false"):
                value = value == "true"
            given[wire] = value
    return given


def from_xml(shape, element):
    """XML as the JSON that the same shape would have; what is unknown stays, so that it is found."""
    children = [(child.tag.rsplit("}", 1)[-1], child) for child in element]
    if shape.type_name == "structure":
        made = {}
        for tag, child in children:
            member = shape.members.get(tag)
            made[tag] = from_xml(member, child) if member is not None else child.text
        return made
    if shape.type_name == "list":
        return [from_xml(shape.member, child) for _, child in children]
    return element.text or ""
