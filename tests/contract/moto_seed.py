"""Fills moto with an organisation, findings and a recorded bucket, through boto3. Argument: the address."""

import sys

import boto3

ARN = "arn:aws:securityhub:eu-west-1::product/aws/securityhub"


def client(service):
    return boto3.client(
        service,
        endpoint_url=sys.argv[1],
        region_name="eu-west-1",
        aws_access_key_id="AKIA",
        aws_secret_access_key="secret",
    )


def finding(n):
    return {
        "SchemaVersion": "2018-10-08",
        "Id": f"arn:aws:securityhub:eu-west-1:123456789012:security-control/S3.8/finding/{n:08}",
        "ProductArn": ARN,
        "GeneratorId": "security-control/S3.8",
        "AwsAccountId": "123456789012",
        "Region": "eu-west-1",
        "Types": ["Software and Configuration Checks/Industry and Regulatory Standards"],
        "CreatedAt": "2026-11-24T07:00:00.000Z",
        "UpdatedAt": "2026-11-24T08:00:00.000Z",
        "Severity": {"Label": "HIGH", "Original": "HIGH"},
        "Title": f"Bucket {n} should block public access",
        "Description": "Public access is not blocked: “ünïcode” & <markup>.",
        "Compliance": {"Status": "FAILED", "SecurityControlId": "S3.8"},
        "Resources": [{"Type": "AwsS3Bucket", "Id": f"arn:aws:s3:::bucket-{n}", "Region": "eu-west-1"}],
        "Workflow": {"Status": "NEW"},
        "RecordState": "ACTIVE",
    }


def main():
    hub = client("securityhub")
    hub.enable_security_hub()
    for start in range(0, 250, 100):
        answer = hub.batch_import_findings(Findings=[finding(n) for n in range(start, min(start + 100, 250))])
        assert answer["FailedCount"] == 0, answer
    organizations = client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    for n in range(45):
        organizations.create_account(Email=f"team{n}@example.com", AccountName=f"team-{n}")
    client("s3").create_bucket(
        Bucket="bucket-1", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    config = client("config")
    config.put_configuration_recorder(
        ConfigurationRecorder={
            "name": "default",
            "roleARN": "arn:aws:iam::123456789012:role/config",
            "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True},
        }
    )
    config.put_configuration_aggregator(
        ConfigurationAggregatorName="org",
        AccountAggregationSources=[{"AccountIds": ["123456789012"], "AllAwsRegions": True}],
    )


main()
