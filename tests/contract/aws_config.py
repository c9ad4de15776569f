"""boto3's AWS Config client. The test has made three buckets in one account: `kept`, `gone` (deleted two hours ago) and
`old` (deleted twenty days ago), and two keys in `us-east-1`."""

import datetime
import json

from aws_clients import READY, REGION, client, member, refused, run

config = client("config")
ACCOUNT = READY["account"]
NAME = "org"


def _identifier(name, kind="AWS::S3::Bucket", region=REGION):
    return {"SourceAccountId": ACCOUNT, "SourceRegion": region, "ResourceId": name, "ResourceType": kind}


def _select(expression, **more):
    pages = config.get_paginator("select_aggregate_resource_config").paginate(
        Expression=expression, ConfigurationAggregatorName=NAME, **more
    )
    return [json.loads(row) for page in pages for row in page["Results"]]


def queries_find_what_exists():
    rows = _select("SELECT resourceId, arn WHERE resourceType = 'AWS::S3::Bucket'")
    assert rows == [{"resourceId": "kept", "arn": "arn:aws:s3:::kept"}], rows
    rows = _select("SELECT arn WHERE arn IN ('arn:aws:s3:::kept', 'arn:aws:s3:::gone')")
    assert rows == [{"arn": "arn:aws:s3:::kept"}], rows
    rows = _select("SELECT resourceType, COUNT(*) GROUP BY resourceType ORDER BY COUNT(*) DESC")
    assert rows == [{"resourceType": "AWS::KMS::Key", "COUNT(*)": 2}, {"resourceType": "AWS::S3::Bucket", "COUNT(*)": 1}]
    rows = _select("SELECT arn WHERE tags.tag = 'team=web'")
    assert rows == [{"arn": "arn:aws:s3:::kept"}], rows
    assert len(_select("SELECT arn", PaginationConfig={"PageSize": 1})) == 3


def queries_that_cannot_be_are_refused():
    ask = config.select_aggregate_resource_config
    for expression in ("SELECT", "SELECT a FROM b", "SELECT a WHERE b = NULL", "SELECT a WHERE b LIKE '%c'"):
        refused("InvalidExpressionException", ask, Expression=expression, ConfigurationAggregatorName=NAME)
    refused("NoSuchConfigurationAggregatorException", ask, Expression="SELECT arn", ConfigurationAggregatorName="other")
    refused("InvalidLimitException", ask, Expression="SELECT arn", ConfigurationAggregatorName=NAME, Limit=101)
    refused("InvalidNextTokenException", ask, Expression="SELECT arn", ConfigurationAggregatorName=NAME, NextToken="x")
    error = refused("NotImplemented", ask, Expression="SELECT arn WHERE a = '10.0.0.0/8'", ConfigurationAggregatorName=NAME)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def the_aggregate_view_does_not_know_what_is_deleted():
    answer = config.batch_get_aggregate_resource_config(
        ConfigurationAggregatorName=NAME, ResourceIdentifiers=[_identifier("kept"), _identifier("gone")]
    )
    assert [item["resourceId"] for item in answer["BaseConfigurationItems"]] == ["kept"]
    assert answer["UnprocessedResourceIdentifiers"] == [_identifier("gone")]
    item = config.get_aggregate_resource_config(ConfigurationAggregatorName=NAME, ResourceIdentifier=_identifier("kept"))
    item = item["ConfigurationItem"]
    assert item["tags"] == {"team": "web"} and json.loads(item["configuration"]) == {"name": "kept"}
    refused("ResourceNotDiscoveredException", config.get_aggregate_resource_config,
            ConfigurationAggregatorName=NAME, ResourceIdentifier=_identifier("gone"))
    pages = config.get_paginator("list_aggregate_discovered_resources").paginate(
        ConfigurationAggregatorName=NAME, ResourceType="AWS::KMS::Key", Filters={"Region": "us-east-1"},
        PaginationConfig={"PageSize": 1},
    )
    rows = [row for page in pages for row in page["ResourceIdentifiers"]]
    assert len(rows) == 2 and rows[0]["SourceAccountId"] == ACCOUNT
    many = [_identifier(str(n)) for n in range(101)]
    refused("ValidationException", config.batch_get_aggregate_resource_config,
            ConfigurationAggregatorName=NAME, ResourceIdentifiers=many)


def the_member_proves_a_deletion_by_history():
    own = member("config", ACCOUNT)
    history = own.get_paginator("get_resource_config_history")
    for name, statuses in (
        ("gone", ["ResourceDeleted", "ResourceDiscovered"]),
        ("old", ["ResourceDeleted", "ResourceDiscovered"]),
        ("kept", ["OK", "ResourceDiscovered"]),
    ):
        pages = list(history.paginate(resourceType="AWS::S3::Bucket", resourceId=name))
        items = [item for page in pages for item in page["configurationItems"]]
        assert [item["configurationItemStatus"] for item in items] == statuses, (name, items)
        assert isinstance(items[0]["configurationItemCaptureTime"], datetime.datetime)
    # Each call spans seven days: nothing of the last seven, and a token that leads on.
    first = own.get_resource_config_history(resourceType="AWS::S3::Bucket", resourceId="old")
    assert first["configurationItems"] == [] and first["nextToken"]
    forward = history.paginate(resourceType="AWS::S3::Bucket", resourceId="old", chronologicalOrder="Forward")
    items = [item["configurationItemStatus"] for page in forward for item in page["configurationItems"]]
    assert items == ["ResourceDiscovered", "ResourceDeleted"], items
    ask = own.get_resource_config_history
    refused("ResourceNotDiscoveredException", ask, resourceType="AWS::S3::Bucket", resourceId="never")
    refused("InvalidLimitException", ask, resourceType="AWS::S3::Bucket", resourceId="gone", limit=101)


def the_member_proves_a_deletion_by_listing():
    own = member("config", ACCOUNT)
    listing = own.get_paginator("list_discovered_resources")
    pages = listing.paginate(resourceType="AWS::S3::Bucket")
    assert [row["resourceId"] for page in pages for row in page["resourceIdentifiers"]] == ["kept"]
    pages = listing.paginate(resourceType="AWS::S3::Bucket", resourceIds=["gone"], includeDeletedResources=True)
    (row,) = [row for page in pages for row in page["resourceIdentifiers"]]
    age = datetime.datetime.now(datetime.timezone.utc) - row["resourceDeletionTime"]
    assert datetime.timedelta(hours=1) < age < datetime.timedelta(hours=3), age
    refused("ValidationException", own.list_discovered_resources, resourceType="AWS::S3::Bucket",
            resourceIds=[str(n) for n in range(21)])
    answer = own.batch_get_resource_config(
        resourceKeys=[{"resourceType": "AWS::S3::Bucket", "resourceId": name} for name in ("kept", "gone")]
    )
    assert [item["resourceId"] for item in answer["baseConfigurationItems"]] == ["kept"]
    assert [key["resourceId"] for key in answer["unprocessedResourceKeys"]] == ["gone"]


def the_aggregator_says_how_its_sources_are():
    pages = config.get_paginator("describe_configuration_aggregators").paginate()
    (found,) = [row for page in pages for row in page["ConfigurationAggregators"]]
    assert found["ConfigurationAggregatorName"] == NAME
    pages = config.get_paginator("describe_configuration_aggregator_sources_status").paginate(
        ConfigurationAggregatorName=NAME
    )
    rows = {row["AwsRegion"]: row["LastUpdateStatus"] for page in pages for row in page["AggregatedSourceStatusList"]}
    assert rows == {REGION: "SUCCEEDED", "us-east-1": "OUTDATED"}, rows
    refused("NoSuchConfigurationAggregatorException", config.describe_configuration_aggregators,
            ConfigurationAggregatorNames=["other"])


def what_is_not_emulated_is_501():
    error = refused("NotImplemented", config.describe_config_rules)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 501


if __name__ == "__main__":
    run(globals())
