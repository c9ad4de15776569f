"""What goes wrong, as boto3 meets it. The test has armed one fault for each check, in this order."""

from botocore.exceptions import ClientError, ConnectionClosedError, ResponseStreamingError

from aws_clients import client, run

hub = client("securityhub")
LOST = (ConnectionClosedError, ResponseStreamingError)


def _finding():
    return hub.get_findings(MaxResults=1)["Findings"][0]


def _notify(**more):
    finding = _finding()
    identifier = {"Id": finding["Id"], "ProductArn": finding["ProductArn"]}
    arguments = {"FindingIdentifiers": [identifier], "Workflow": {"Status": "NOTIFIED"}}
    arguments.update(more)
    return hub.batch_update_findings(**arguments)


def _lost(call):
    try:
        answer = call()
    except LOST:
        return
    raise AssertionError(f"the answer came: {answer}")


def a_request_is_lost_before_it_takes_effect():
    _lost(_notify)
    assert _finding()["Workflow"]["Status"] == "NEW"


def an_answer_is_lost_after_the_request_took_effect():
    _lost(_notify)
    assert _finding()["Workflow"]["Status"] == "NOTIFIED"


def refusals_are_named():
    for status, code in (
        (429, "TooManyRequestsException"),
        (500, "InternalException"),
        (503, "ServiceUnavailable"),
        (403, "AccessDeniedException"),
        (403, "ExpiredTokenException"),
    ):
        try:
            hub.describe_hub()
        except ClientError as error:
            found = error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
            assert found == (status, code), found
        else:
            raise AssertionError(code)


def an_identifier_is_not_processed():
    answer = _notify(Workflow={"Status": "RESOLVED"})
    assert answer["UnprocessedFindings"][0]["ErrorCode"] == "ConcurrentUpdateError"
    assert _finding()["Workflow"]["Status"] == "NOTIFIED"


def a_read_shows_the_past_and_a_listing_leaves_out():
    organizations = client("organizations")
    assert organizations.list_accounts()["Accounts"] == []
    empty = organizations.list_accounts()
    assert empty["Accounts"] == [] and empty["NextToken"]
    pages = organizations.get_paginator("list_accounts").paginate()
    assert sum(len(page["Accounts"]) for page in pages) == 1


def botos_own_retries_survive_throttling():
    answer = client("securityhub", retries=3).describe_hub()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 3


if __name__ == "__main__":
    run(globals())
