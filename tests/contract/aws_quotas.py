"""Quotas as boto3 meets them: refused at once without retries, served in the end with boto3's own."""

from aws_clients import client, refused, run


def the_seventh_call_at_once_is_refused():
    hub = client("securityhub")
    codes = []
    for _ in range(12):
        try:
            hub.get_findings(MaxResults=1)
            codes.append(200)
        except hub.exceptions.ClientError as error:
            codes.append(error.response["ResponseMetadata"]["HTTPStatusCode"])
            assert error.response["Error"]["Code"] == "TooManyRequestsException"
    assert codes[:6] == [200] * 6 and 429 in codes[6:], codes


def botos_own_retries_get_through():
    hub = client("securityhub", retries=9)
    for _ in range(12):
        hub.get_findings(MaxResults=1)


def accounts_are_listed_at_their_rate():
    organizations = client("organizations")
    for _ in range(2):
        organizations.list_roots()
    error = refused("TooManyRequestsException", organizations.list_roots)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400


if __name__ == "__main__":
    run(globals())
