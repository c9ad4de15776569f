"""boto3's Security Hub client: every operation, its paginators, limits and errors."""

import datetime

from aws_clients import ANALYST, HOME, REGION, client, member, refused, run

hub = client("securityhub")
CONTROL = f"arn:aws:securityhub:{REGION}::product/aws/securityhub"


def _equals(value):
    return [{"Value": value, "Comparison": "EQUALS"}]


def _some(count, **more):
    filters = {"ProductArn": _equals(CONTROL), "ComplianceStatus": _equals("FAILED"), "RecordState": _equals("ACTIVE")}
    filters.update(more)
    return hub.get_findings(Filters=filters, MaxResults=count)["Findings"]


def _identifiers(findings):
    return [{"Id": finding["Id"], "ProductArn": finding["ProductArn"]} for finding in findings]


def _again(finding):
    answer = hub.get_findings(Filters={"Id": _equals(finding["Id"]), "ProductArn": _equals(finding["ProductArn"])})
    return answer["Findings"][0]


def the_paginator_reads_every_finding_once():
    pages = hub.get_paginator("get_findings").paginate(PaginationConfig={"PageSize": 100})
    seen = [(finding["ProductArn"], finding["Id"]) for page in pages for finding in page["Findings"]]
    assert len(seen) == len(set(seen)) == 600, len(seen)


def findings_are_filtered_and_sorted():
    found = hub.get_findings(
        Filters={
            "SeverityLabel": [{"Value": "HIGH", "Comparison": "EQUALS"}, {"Value": "CRITICAL", "Comparison": "EQUALS"}],
            "ResourceType": [{"Value": "AwsS3", "Comparison": "PREFIX"}],
            "UpdatedAt": [{"DateRange": {"Value": 3, "Unit": "DAYS"}}],
        },
        SortCriteria=[{"Field": "UpdatedAt", "SortOrder": "desc"}],
        MaxResults=100,
    )["Findings"]
    assert found
    times = [finding["UpdatedAt"] for finding in found]
    assert times == sorted(times, reverse=True)
    for finding in found:
        assert finding["Severity"]["Label"] in ("HIGH", "CRITICAL")
        assert finding["Resources"][0]["Type"].startswith("AwsS3")


def limits_of_get_findings_are_errors():
    values = [{"Value": str(n), "Comparison": "EQUALS"} for n in range(21)]
    mixed = [{"Value": "a", "Comparison": "EQUALS"}, {"Value": "b", "Comparison": "NOT_EQUALS"}]
    names = ["Id", "Title", "Region", "Type", "NoteText", "SourceUrl", "ProcessName", "MalwareName", "ProductName",
             "RecordState", "ResourceId"]
    for arguments in (
        {"MaxResults": 101},
        {"Filters": {"Id": values}},
        {"Filters": {"Id": mixed}},
        {"Filters": {name: _equals("x") for name in names}},
        {"NextToken": "nonsense"},
    ):
        error = refused("InvalidInputException", hub.get_findings, **arguments)
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    token = hub.get_findings(MaxResults=1)["NextToken"]
    error = refused("InvalidInputException", hub.get_findings, NextToken=token, MaxResults=2)
    assert "Input Query has changed" in error.response["Error"]["Message"]


def every_filter_of_botos_model_is_answered():
    samples = {
        "StringFilterList": {"Value": "x", "Comparison": "PREFIX"},
        "DateFilterList": {"Start": "2026-01-01T00:00:00Z", "End": "2026-01-02T00:00:00Z"},
        "NumberFilterList": {"Gte": 1, "Lte": 2},
        "MapFilterList": {"Key": "k", "Value": "v", "Comparison": "EQUALS"},
        "IpFilterList": {"Cidr": "10.0.0.0/8"},
        "BooleanFilterList": {"Value": True},
        "KeywordFilterList": {"Value": "x"},
    }
    shape = hub.meta.service_model.operation_model("GetFindings").input_shape.members["Filters"]
    assert len(shape.members) == 107
    for name, member_shape in shape.members.items():
        try:
            hub.get_findings(Filters={name: [samples[member_shape.name]]}, MaxResults=1)
        except hub.exceptions.ClientError as error:
            assert name == "Keyword" and error.response["Error"]["Code"] == "NotImplemented", error


def a_filter_that_is_not_known_is_501():
    error = refused("NotImplemented", hub.get_findings, Filters={"Keyword": [{"Value": "x"}]})
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def an_update_changes_what_it_may_and_leaves_updated_at_alone():
    finding = _some(1)[0]
    answer = hub.batch_update_findings(
        FindingIdentifiers=_identifiers([finding]),
        Note={"Text": "seen", "UpdatedBy": "boto3"},
        Severity={"Label": "LOW"},
        VerificationState="TRUE_POSITIVE",
        Confidence=70,
        Criticality=80,
        Types=["Software and Configuration Checks/Vulnerabilities"],
        UserDefinedFields={"jira": "KEY-1"},
        RelatedFindings=_identifiers([finding]),
        Workflow={"Status": "NOTIFIED"},
    )
    assert answer["ProcessedFindings"] == _identifiers([finding]) and not answer["UnprocessedFindings"]
    after = _again(finding)
    assert after["Workflow"]["Status"] == "NOTIFIED" and after["Note"]["Text"] == "seen"
    assert after["Severity"]["Label"] == "LOW" and after["UserDefinedFields"] == {"jira": "KEY-1"}
    assert after["UpdatedAt"] == finding["UpdatedAt"]
    by_field = {"UserDefinedFields": [{"Key": "jira", "Value": "KEY-1", "Comparison": "EQUALS"}]}
    found = hub.get_findings(Filters=by_field)["Findings"]
    assert [other["Id"] for other in found] == [finding["Id"]]


def what_was_not_processed_says_why():
    first = _some(2)[1]
    one = _identifiers([first])[0]
    missing = {"Id": "nope", "ProductArn": CONTROL}
    bad = {"Id": "x", "ProductArn": "nonsense"}
    answer = hub.batch_update_findings(FindingIdentifiers=[one, one, missing, bad], Workflow={"Status": "NEW"})
    told = [(row["ErrorCode"], row["ErrorMessage"]) for row in answer["UnprocessedFindings"]]
    assert told == [
        ("DuplicatedFindingIdentifier", "Finding Identifier is duplicated"),
        ("FindingNotFound", "Finding Not Found"),
        ("InvalidInput", "Invalid Input"),
    ], told


def limits_of_an_update_are_errors():
    one = _identifiers(_some(1))
    many = [{"Id": str(n), "ProductArn": CONTROL} for n in range(101)]
    for arguments in (
        {"FindingIdentifiers": many, "Workflow": {"Status": "NEW"}},
        {"FindingIdentifiers": one, "Workflow": {"Status": "DONE"}},
        {"FindingIdentifiers": one, "Note": {"Text": "x" * 513, "UpdatedBy": "me"}},
        {"FindingIdentifiers": one, "UserDefinedFields": {f"k{n}": "v" for n in range(51)}},
        {"FindingIdentifiers": one, "UserDefinedFields": {"k": "v" * 1025}},
        {"FindingIdentifiers": one, "Confidence": 101},
    ):
        refused("InvalidInputException", hub.batch_update_findings, **arguments)


def the_history_says_who_did_what():
    finding = _some(3)[2]
    one = _identifiers([finding])
    analyst = client("securityhub", ANALYST)
    analyst.batch_update_findings(FindingIdentifiers=one, Workflow={"Status": "SUPPRESSED"})
    hub.batch_update_findings(FindingIdentifiers=one, Workflow={"Status": "NOTIFIED"})
    pages = hub.get_paginator("get_finding_history").paginate(
        FindingIdentifier=one[0], PaginationConfig={"PageSize": 1}
    )
    records = [record for page in pages for record in page["Records"]]
    assert len(records) == 3 and records[-1]["FindingCreated"]
    assert "/asaf/" in records[0]["UpdateSource"]["Identity"]
    assert "/analyst/" in records[1]["UpdateSource"]["Identity"]
    assert records[1]["UpdateSource"]["Type"] == "BATCH_UPDATE_FINDINGS"
    update = records[1]["Updates"][0]
    assert (update["UpdatedField"], update["NewValue"]) == ("Workflow.Status", "SUPPRESSED"), update
    assert isinstance(records[0]["UpdateTime"], datetime.datetime)
    later = hub.get_finding_history(
        FindingIdentifier=one[0], StartTime=records[0]["UpdateTime"] + datetime.timedelta(seconds=1)
    )
    assert later["Records"] == []
    refused("InvalidInputException", hub.get_finding_history, FindingIdentifier={"Id": "x", "ProductArn": CONTROL})


def _own(name, updated, **more):
    finding = {
        "SchemaVersion": "2018-10-08",
        "Id": name,
        "ProductArn": f"arn:aws:securityhub:{REGION}:{HOME}:product/{HOME}/default",
        "GeneratorId": "contract",
        "AwsAccountId": HOME,
        "CreatedAt": "2026-01-01T00:00:00Z",
        "UpdatedAt": updated,
        "Title": "imported",
        "Description": "by boto3",
        "Types": ["Effects/Data Exposure"],
        "Severity": {"Normalized": 75},
        "Resources": [{"Type": "Other", "Id": "thing"}],
    }
    finding.update(more)
    return finding


def imports_create_update_in_order_and_fail_one_by_one():
    answer = hub.batch_import_findings(Findings=[
        _own("one", "2026-01-01T00:00:00Z"),
        _own("two", "2026-01-01T00:00:00Z", AwsAccountId="222222222222"),
        _own("three", "2026-01-01T00:00:00Z", Title="x" * 257),
    ])
    assert (answer["SuccessCount"], answer["FailedCount"]) == (1, 2)
    codes = {row["Id"]: row["ErrorCode"] for row in answer["FailedFindings"]}
    assert codes == {"two": "InvalidAccess", "three": "InvalidInput"}, codes
    found = _again(_own("one", ""))
    assert found["Severity"]["Label"] == "HIGH" and found["FindingProviderFields"]["Severity"]["Label"] == "HIGH"
    assert found["Workflow"]["Status"] == "NEW" and found["RecordState"] == "ACTIVE"
    hub.batch_import_findings(Findings=[_own("one", "2025-12-31T00:00:00Z", Title="older")])
    assert _again(found)["Title"] == "imported"
    hub.batch_update_findings(FindingIdentifiers=_identifiers([found]), Severity={"Label": "LOW"})
    hub.batch_import_findings(Findings=[
        _own("one", "2026-01-02T00:00:00Z", Title="later", RecordState="ARCHIVED", Severity={"Label": "CRITICAL"},
             Workflow={"Status": "RESOLVED"})
    ])
    after = _again(found)
    assert after["Title"] == "later" and after["RecordState"] == "ARCHIVED"
    assert after["Severity"]["Label"] == "LOW" and after["Workflow"]["Status"] == "NEW"
    assert after["FindingProviderFields"]["Severity"]["Label"] == "CRITICAL"
    many = [_own(f"n{n}", "2026-01-01T00:00:00Z") for n in range(101)]
    refused("InvalidInputException", hub.batch_import_findings, Findings=many)


def the_hub_and_its_aggregator_are_described():
    described = hub.describe_hub()
    assert described["HubArn"] == f"arn:aws:securityhub:{REGION}:{HOME}:hub/default"
    hub.describe_hub(HubArn=described["HubArn"])
    refused("ResourceNotFoundException", hub.describe_hub, HubArn="arn:other")
    pages = hub.get_paginator("list_finding_aggregators").paginate()
    arns = [row["FindingAggregatorArn"] for page in pages for row in page["FindingAggregators"]]
    found = hub.get_finding_aggregator(FindingAggregatorArn=arns[0])
    assert (found["FindingAggregationRegion"], found["RegionLinkingMode"]) == (REGION, "ALL_REGIONS")
    refused("ResourceNotFoundException", hub.get_finding_aggregator, FindingAggregatorArn=arns[0] + "x")


def a_member_sees_itself_and_a_linked_region_its_own():
    account = _some(1)[0]["AwsAccountId"]
    own = member("securityhub", account)
    accounts = {f["AwsAccountId"] for p in own.get_paginator("get_findings").paginate() for f in p["Findings"]}
    assert accounts == {account}, accounts
    linked = client("securityhub", region="us-east-1")
    regions = {f["Region"] for p in linked.get_paginator("get_findings").paginate() for f in p["Findings"]}
    assert regions == {"us-east-1"}, regions
    off = client("securityhub", region="eu-south-1")
    error = refused("InvalidAccessException", off.get_findings)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 401


def strangers_are_refused():
    stranger = client("securityhub", "AKIANOBODY")
    refused("UnrecognizedClientException", stranger.get_findings)


def operations_that_are_not_emulated_are_501():
    error = refused("NotImplemented", hub.get_insights)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 501


if __name__ == "__main__":
    run(globals())
