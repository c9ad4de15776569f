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


def client(service, key=ENGINE, secret="emulated", token=None, region=REGION, retries=0):
    """A boto3 client that talks to the emulator; without retries unless asked for."""
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=READY["aws"],
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": retries + 1, "mode": "standard"}),
    )


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
