"""Every operation of AWS's models and of Jira's OpenAPI document that the emulators do not claim is answered with 501
and a sentence; every one that they claim is not.

Jira's whole document is only looked at where it is at hand: the copy in `fixtures` has nothing else than what is
emulated.
"""

import base64
import json
import os
import pathlib
import re
import urllib.error
import urllib.request

import botocore.session

ROOT = pathlib.Path(__file__).resolve().parents[2]
READY = json.load(open(os.environ["ASAF_READY"], encoding="utf-8"))
SERVICES = {
    "securityhub": "Security Hub", "config": "AWS Config", "organizations": "Organizations", "sts": "STS",
    "sqs": "SQS", "secretsmanager": "Secrets Manager", "iam": "IAM",
}
DOCUMENTS = [ROOT / "../shared/data/jira-openapi.json", ROOT / "fixtures/jira-openapi.json"]
# The models' order is their own; a probe must not end what the next one needs.
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def send(url, method, headers, body):
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    try:
        with opener.open(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def claimed():
    _, text = send(READY["control"] + "/emulators", "GET", {}, None)
    return {one["name"]: set(one["operations"]) for one in json.loads(text)}


def aws_request(service, operation):
    model = operation.service_model
    scope = f"{READY['env'].get('AWS_ACCESS_KEY_ID', '')}/20261124/eu-west-1/{service}/aws4_request"
    headers = {"authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
    protocol = model.resolved_protocol
    if protocol == "query":
        headers["content-type"] = "application/x-www-form-urlencoded"
        body = f"Action={operation.name}&Version={model.api_version}"
        return READY["aws"] + "/", "POST", headers, body.encode()
    if protocol == "rest-json":
        path = re.sub(r"\{\w+\+?\}", "x", operation.http["requestUri"])
        method = operation.http["method"]
        return READY["aws"] + path, method, headers, None if method == "GET" else b"{}"
    headers["x-amz-target"] = f"{model.metadata['targetPrefix']}.{operation.name}"
    headers["content-type"] = f"application/x-amz-json-{model.metadata['jsonVersion']}"
    return READY["aws"] + "/", "POST", headers, b"{}"


def judge(name, is_claimed, status, text, wrong):
    if is_claimed and status == 501:
        wrong.append(f"{name} is claimed and answered with 501")
    elif not is_claimed and (status != 501 or len(text.split()) < 4):
        wrong.append(f"{name} is not claimed and answered with {status}: {text[:120]}")


def aws(known, wrong):
    session, asked = botocore.session.get_session(), 0
    for service, emulator in SERVICES.items():
        model = session.get_service_model(service)
        for name in model.operation_names:
            status, text = send(*aws_request(service, model.operation_model(name)))
            judge(f"{service} {name}", name in known[emulator], status, text, wrong)
            asked += 1
    return asked


def jira(known, wrong):
    document = next(path for path in DOCUMENTS if path.exists())
    paths = json.load(open(document, encoding="utf-8"))["paths"]
    admin, asked = READY["users"]["admin"], 0
    basic = base64.b64encode(f"{admin['email']}:{admin['token']}".encode()).decode()
    headers = {"authorization": f"Basic {basic}", "content-type": "application/json", "x-atlassian-token": "no-check"}
    for path, methods in paths.items():
        if not path.startswith("/rest/api/3/"):
            continue
        for method in methods:
            method = method.upper()
            if method not in ("GET", "POST", "PUT", "DELETE", "PATCH"):
                continue
            url = READY["jira"] + re.sub(r"\{\w+\}", "99999", path)
            status, text = send(url, method, headers, None if method in ("GET", "DELETE") else b"{}")
            judge(f"{method} {path}", f"{method} {path}" in known["Jira Cloud"], status, text, wrong)
            asked += 1
    return asked, document.name if document.parent.name == "data" else "the copy in fixtures"


def main():
    known, wrong = claimed(), []
    print(f"{aws(known, wrong)} operations of AWS's models")
    asked, document = jira(known, wrong)
    print(f"{asked} operations of Jira's document ({document})")
    assert not wrong, "\n" + "\n".join(wrong)


main()
