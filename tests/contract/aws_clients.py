"""What the scripts share: clients of the emulated AWS, refusals by name, and running checks one by one."""

import json
import os
import sys
import traceback

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

READY = json.load(open(os.environ["ASAF_READY"], encoding="utf-8"))
HOME = "111111111111"
REGION = "eu-west-1"
ENGINE = "AKIAEMULATEDENGINE"
ANALYST = "AKIAEMULATEDANALYST"


def _misfit(shape, value, path):
    """What about a JSON value does not fit a shape of botocore's model, or nothing."""
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            return f"{path} is no object"
        unknown = set(value) - {member.serialization.get("name", name) for name, member in shape.members.items()}
        if unknown:
            return f"{path} has members that the model does not know: {sorted(unknown)}"
        missing = [name for name in shape.required_members if name not in value]
        if missing:
            return f"{path} lacks {missing}"
        found = (_misfit(member, value[key], f"{path}.{name}") for name, member in shape.members.items()
                 if (key := member.serialization.get("name", name)) in value)
    elif kind == "list":
        if not isinstance(value, list):
            return f"{path} is no list"
        found = (_misfit(shape.member, item, f"{path}[{n}]") for n, item in enumerate(value))
    elif kind == "map":
        if not isinstance(value, dict):
            return f"{path} is no object"
        found = (_misfit(shape.value, item, f"{path}.{key}") for key, item in value.items())
    elif kind == "timestamp":
        wanted = str if shape.serialization.get("timestampFormat") == "iso8601" else (int, float)
        return None if isinstance(value, wanted) else f"{path} is {value!r}, no {kind}"
    else:
        wanted = {"string": str, "blob": str, "boolean": bool, "integer": int, "long": int,
                  "double": (int, float), "float": (int, float)}[kind]
        if not isinstance(value, wanted) or (kind != "boolean" and isinstance(value, bool)):
            return f"{path} is {value!r}, no {kind}"
        allowed = shape.metadata.get("enum")
        return None if not allowed or value in allowed else f"{path} is {value!r}, none of {allowed}"
    return next((misfit for misfit in found if misfit), None)


def _check_answer(http_response, model, **_):
    """Every answer must fit botocore's model: no member that it does not know, none missing, every type right."""
    is_json = "json" in http_response.headers.get("content-type", "")
    if http_response.status_code == 200 and is_json and model.output_shape is not None:
        misfit = _misfit(model.output_shape, json.loads(http_response.content), model.name)
        assert misfit is None, misfit


def client(service, key=ENGINE, secret="emulated", token=None, region=REGION, retries=0):
    """A boto3 client that talks to the emulator; without retries unless asked for."""
    made = boto3.client(
        service,
        region_name=region,
        endpoint_url=READY["aws"],
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": retries + 1, "mode": "standard"}),
    )
    made.meta.events.register("after-call", _check_answer)
    return made


def member(service, account, region=REGION):
    """A client with the credentials of the role that may read Config in a member account."""
    keys = client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{account}:role/asaf-config-read", RoleSessionName="contract"
    )["Credentials"]
    return client(service, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region)


def refused(code, call, **arguments):
    """The call must fail with this error code; returns the error."""
    try:
        answer = call(**arguments)
    except ClientError as error:
        found = error.response["Error"]["Code"]
        assert found == code, f"{found} instead of {code}: {error}"
        return error
    raise AssertionError(f"{code} was expected, the answer was {answer}")


def run(checks):
    """Runs every function of a script whose name says what it checks."""
    failed = 0
    for name, check in list(checks.items()):
        if name.startswith("_") or not callable(check) or getattr(check, "__module__", "") != "__main__":
            continue
        try:
            check()
            print(f"ok {name}")
        except Exception:  # noqa: BLE001: the next checks are told too
            failed += 1
            print(f"FAILED {name}\n{traceback.format_exc()}")
    sys.exit(1 if failed else 0)
