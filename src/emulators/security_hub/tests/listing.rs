//! GetFindings: pages, filters, order, and what is refused.

use super::*;

#[test]
fn a_listing_is_paged_and_its_token_belongs_to_the_query() {
    let mut stage = Stage::with(250);
    let query = json!({"MaxResults": 100, "Filters": {"RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}]}});
    let (mut body, mut seen, mut pages) = (query.clone(), BTreeSet::new(), 0);
    loop {
        let (status, page) = stage.get(&body, 1);
        assert_eq!(status, 200);
        pages += 1;
        let findings = page["Findings"].as_array().unwrap();
        seen.extend(
            findings
                .iter()
                .map(|f| f["Id"].as_str().unwrap().to_owned()),
        );
        let Some(token) = page["NextToken"].as_str() else {
            break;
        };
        body["NextToken"] = json!(token);
    }
    assert_eq!((pages, seen.len()), (3, 250));
    let (_, page) = stage.get(&query, 1);
    let mut other = query.clone();
    other["NextToken"] = page["NextToken"].clone();
    other["Filters"]["RecordState"][0]["Value"] = json!("ARCHIVED");
    let (status, answer) = stage.get(&other, 1);
    assert_eq!(
        (status, answer["Message"].as_str()),
        (400, Some("Invalid NextToken: Input Query has changed"))
    );
}

#[test]
fn a_token_may_be_used_again_and_expires_after_a_day() {
    let mut stage = Stage::with(30);
    let (_, first) = stage.get(&json!({}), 0);
    let body = json!({ "NextToken": first["NextToken"] });
    let (_, once) = stage.get(&body, 1);
    let (_, again) = stage.get(&body, 2);
    assert_eq!(once["Findings"].as_array().unwrap().len(), 10);
    assert_eq!(once, again);
    stage.get(&json!({"MaxResults": 1}), DAY + 1);
    let (status, answer) = stage.get(&body, DAY + 1);
    assert_eq!(status, 400);
    assert!(
        answer["Message"]
            .as_str()
            .unwrap()
            .starts_with("Invalid NextToken")
    );
    let (status, _) = stage.get(&json!({"NextToken": "nonsense"}), 1);
    assert_eq!(status, 400);
}

#[test]
fn what_the_api_does_not_take_is_invalid_input() {
    let equals = |value: &str| json!({"Value": value, "Comparison": "EQUALS"});
    let many: Vec<Value> = (0..21).map(|n| equals(&n.to_string())).collect();
    let names = [
        "Id",
        "Title",
        "Region",
        "Type",
        "NoteText",
        "SourceUrl",
        "ProcessName",
        "MalwareName",
        "ProductName",
        "RecordState",
        "ResourceId",
    ];
    let attributes: serde_json::Map<String, Value> = names
        .iter()
        .map(|name| ((*name).to_owned(), json!([equals("x")])))
        .collect();
    for filters in [
        json!({"Id": many}),
        Value::Object(attributes),
        json!({"Nonsense": [equals("x")]}),
        json!({"Id": [{"Comparison": "EQUALS"}]}),
        json!({"Id": [{"Value": "", "Comparison": "EQUALS"}]}),
        json!({"Id": [{"Value": "x", "Comparison": "LIKE"}]}),
        json!({"Id": "x"}),
        json!({"UpdatedAt": [{"Start": "yesterday"}]}),
        json!({"UpdatedAt": [{"DateRange": {"Value": 1, "Unit": "WEEKS"}}]}),
        json!({"UpdatedAt": [{"DateRange": {"Value": 9_000_000_000_000_i64}}]}),
        json!({"Confidence": [{}]}),
        json!({"NetworkSourceIpV4": [{"Cidr": "everywhere"}]}),
        json!({"Sample": [{"Value": "yes"}]}),
        json!({"UserDefinedFields": [{"Value": "x"}]}),
    ] {
        let mut stage = Stage::with(1);
        let (status, answer) = stage.get(&json!({ "Filters": filters }), 1);
        assert_eq!(
            (status, answer["Code"].as_str()),
            (400, Some("InvalidInputException")),
            "{filters}"
        );
    }
    let mut stage = Stage::with(1);
    for body in [
        json!({"MaxResults": 0}),
        json!({"MaxResults": 101}),
        json!({"MaxResults": "ten"}),
        json!({"SortCriteria": [{"Field": "Nonsense"}]}),
        json!({"SortCriteria": [{"Field": "UpdatedAt", "SortOrder": "down"}]}),
    ] {
        assert_eq!(stage.get(&body, 1).0, 400, "{body}");
    }
    let ten: serde_json::Map<String, Value> = names[..10]
        .iter()
        .map(|name| ((*name).to_owned(), json!([equals("x")])))
        .collect();
    assert_eq!(stage.get(&json!({ "Filters": ten }), 1).0, 200);
}

#[test]
fn what_is_not_known_is_501_with_a_sentence() {
    let mut stage = Stage::with(1);
    let (status, answer) = stage.get(&json!({"Filters": {"Keyword": [{"Value": "x"}]}}), 1);
    assert_eq!(status, 501);
    assert!(answer["Message"].as_str().unwrap().contains("Keyword"));
    let (status, answer) = stage.request("POST", "/insights", &json!({}), 1);
    assert_eq!(status, 501);
    assert!(
        answer["Message"]
            .as_str()
            .unwrap()
            .contains("POST /insights")
    );
}

#[test]
fn values_of_one_attribute_are_ored_negative_ones_anded_and_attributes_anded() {
    let mut stage = Stage::with(0);
    for (n, title) in ["alpha one", "alpha two", "beta one", "gamma"]
        .iter()
        .enumerate()
    {
        let mut asff = finding(n);
        asff["Title"] = json!(title);
        asff["Resources"][0]["Type"] = json!(if n < 2 { "AwsIamUser" } else { "AwsIamPolicy" });
        stage.import(asff, 0);
    }
    let title = |comparison: &str, values: &[&str]| json!({"Title": values.iter().map(|value| json!({"Value": value, "Comparison": comparison})).collect::<Vec<_>>()});
    for (filters, found) in [
        (
            title("EQUALS", &["gamma", "beta one"]),
            vec!["f0002", "f0003"],
        ),
        (
            title("PREFIX", &["alpha", "gam"]),
            vec!["f0000", "f0001", "f0003"],
        ),
        (
            title("CONTAINS", &["one", "two"]),
            vec!["f0000", "f0001", "f0002"],
        ),
        (
            title("NOT_EQUALS", &["gamma", "beta one"]),
            vec!["f0000", "f0001"],
        ),
        (title("NOT_CONTAINS", &["one", "gam"]), vec!["f0001"]),
        (
            title("PREFIX_NOT_EQUALS", &["alpha", "beta"]),
            vec!["f0003"],
        ),
        (title("EQUALS", &["GAMMA"]), vec![]),
        (
            json!({"ResourceType": [{"Value": "AwsIam", "Comparison": "PREFIX"},
                {"Value": "AwsIamPolicy", "Comparison": "NOT_EQUALS"}]}),
            vec!["f0000", "f0001"],
        ),
        (
            json!({"Title": [{"Value": "one", "Comparison": "CONTAINS"}],
                "ResourceType": [{"Value": "AwsIamUser", "Comparison": "EQUALS"}]}),
            vec!["f0000"],
        ),
    ] {
        assert_eq!(stage.ids(filters.clone()), found, "{filters}");
    }
}

#[test]
fn comparisons_that_cannot_stand_together_are_refused() {
    let mut stage = Stage::with(1);
    for (a, b, allowed) in [
        ("EQUALS", "NOT_EQUALS", false),
        ("EQUALS", "PREFIX_NOT_EQUALS", false),
        ("EQUALS", "CONTAINS", false),
        ("CONTAINS", "NOT_CONTAINS", false),
        ("PREFIX", "NOT_CONTAINS", false),
        ("NOT_EQUALS", "NOT_CONTAINS", false),
        ("CONTAINS_WORD", "CONTAINS_WORD", false),
        ("EQUALS", "PREFIX", true),
        ("PREFIX", "NOT_EQUALS", true),
        ("PREFIX", "PREFIX_NOT_EQUALS", true),
        ("NOT_EQUALS", "PREFIX_NOT_EQUALS", true),
    ] {
        let values = json!([{"Value": "x", "Comparison": a}, {"Value": "y", "Comparison": b}]);
        let (status, _) = stage.get(&json!({"Filters": {"Title": values}}), 1);
        assert_eq!(status == 200, allowed, "{a} with {b}");
    }
    stage.hub.accepts_contains = false;
    let strict = json!({"Filters": {"Title": [{"Value": "x", "Comparison": "CONTAINS"}]}});
    assert_eq!(stage.get(&strict, 1).0, 400);
}

/// A finding in which every filter attribute has a value, and the value that finds it.
fn full() -> (Value, Vec<(&'static str, Value)>) {
    let mut asff = finding(7);
    let time = t(-5).to_string();
    let more = json!({
        "AwsAccountName": "prod", "CompanyName": "AWS", "ProductName": "Security Hub CSPM", "SourceUrl": "https://x",
        "Confidence": 42, "Criticality": 99, "LastObservedAt": time, "Sample": false, "VerificationState": "UNKNOWN",
        "WorkflowState": "NEW", "Types": ["TTPs/x"], "ProductFields": {"a": "b"}, "UserDefinedFields": {"jira": "K-1"},
        "Severity": {"Label": "HIGH", "Original": "HIGH", "Normalized": 70, "Product": 5.5},
        "Compliance": {"Status": "FAILED", "SecurityControlId": "S3.8",
            "AssociatedStandards": [{"StandardsId": "standards/x"}],
            "SecurityControlParameters": [{"Name": "p", "Value": ["v"]}]},
        "Malware": [{"Name": "m", "Type": "WORM", "Path": "/m", "State": "REMOVED"}],
        "Network": {"Direction": "IN", "Protocol": "TCP", "SourceIpV4": "10.0.0.1", "SourceIpV6": "fd00::1",
            "SourcePort": 22, "SourceDomain": "s.example", "SourceMac": "00:0d", "DestinationIpV4": "10.0.0.2",
            "DestinationIpV6": "fd00::2", "DestinationPort": 80, "DestinationDomain": "d.example"},
        "Process": {"Name": "n", "Path": "/n", "Pid": 1, "ParentPid": 2, "LaunchedAt": time, "TerminatedAt": time},
        "ThreatIntelIndicators": [{"Type": "URL", "Value": "u", "Category": "BACKDOOR", "LastObservedAt": time,
            "Source": "src", "SourceUrl": "https://y"}],
        "RelatedFindings": [{"ProductArn": PRODUCT, "Id": "r"}],
        "Note": {"Text": "note", "UpdatedBy": "kim", "UpdatedAt": time},
        "Vulnerabilities": [{"Id": "CVE-1", "FixAvailable": "YES", "ExploitAvailable": "NO"}],
        "Remediation": {"Recommendation": {"Text": "do it"}},
        "FindingProviderFields": {"Confidence": 42, "Criticality": 99, "Severity": {"Label": "HIGH", "Original": "HIGH"},
            "Types": ["TTPs/x"], "RelatedFindings": [{"ProductArn": PRODUCT, "Id": "r"}]},
    });
    for (name, value) in more.as_object().unwrap() {
        asff[name] = value.clone();
    }
    asff["Resources"] = json!([{"Type": "AwsEc2Instance", "Id": "arn:i", "Partition": "aws", "Region": "eu-west-1",
        "Provider": "AWS", "Owner": {"Account": {"Id": MEMBER}, "Org": {"Id": "o-1"}}, "Tags": {"team": "web"},
        "ApplicationName": "shop", "ApplicationArn": "arn:app", "Details": {
            "AwsEc2Instance": {"Type": "t3.micro", "ImageId": "ami-1", "IpV4Addresses": ["10.1.1.1"],
                "IpV6Addresses": ["fd00::3"], "KeyName": "k", "IamInstanceProfileArn": "arn:p", "VpcId": "vpc-1",
                "SubnetId": "sub-1", "LaunchedAt": time},
            "AwsS3Bucket": {"OwnerId": "o1", "OwnerName": "on"},
            "AwsIamAccessKey": {"UserName": "u", "PrincipalName": "pn", "Status": "Active", "CreatedAt": time},
            "AwsIamUser": {"UserName": "iu"},
            "Container": {"Name": "c", "ImageId": "ci", "ImageName": "cn", "LaunchedAt": time},
            "Other": {"k": "v"}}}]);
    let text = |value: &str| json!([{"Value": value, "Comparison": "EQUALS"}]);
    let ip = |cidr: &str| json!([{"Cidr": cidr}]);
    let map =
        |key: &str, value: &str| json!([{"Key": key, "Value": value, "Comparison": "EQUALS"}]);
    let number = |value: f64| json!([{"Gte": value, "Lte": value}]);
    let date = json!([{"Start": t(-6).to_string(), "End": t(0).to_string()}]);
    let filters = vec![
        ("AwsAccountId", text(MEMBER)),
        ("AwsAccountName", text("prod")),
        ("CompanyName", text("AWS")),
        ("ComplianceAssociatedStandardsId", text("standards/x")),
        ("ComplianceSecurityControlId", text("S3.8")),
        ("ComplianceSecurityControlParametersName", text("p")),
        ("ComplianceSecurityControlParametersValue", text("v")),
        ("ComplianceStatus", text("FAILED")),
        ("Confidence", number(42.0)),
        ("CreatedAt", date.clone()),
        ("Criticality", number(99.0)),
        ("Description", text("d")),
        ("FindingProviderFieldsConfidence", number(42.0)),
        ("FindingProviderFieldsCriticality", number(99.0)),
        ("FindingProviderFieldsRelatedFindingsId", text("r")),
        (
            "FindingProviderFieldsRelatedFindingsProductArn",
            text(PRODUCT),
        ),
        ("FindingProviderFieldsSeverityLabel", text("HIGH")),
        ("FindingProviderFieldsSeverityOriginal", text("HIGH")),
        ("FindingProviderFieldsTypes", text("TTPs/x")),
        ("FirstObservedAt", date.clone()),
        ("GeneratorId", text("security-control/S3.8")),
        ("Id", text("f0007")),
        ("LastObservedAt", date.clone()),
        ("MalwareName", text("m")),
        ("MalwarePath", text("/m")),
        ("MalwareState", text("REMOVED")),
        ("MalwareType", text("WORM")),
        ("NetworkDestinationDomain", text("d.example")),
        ("NetworkDestinationIpV4", ip("10.0.0.0/24")),
        ("NetworkDestinationIpV6", ip("fd00::/64")),
        ("NetworkDestinationPort", number(80.0)),
        ("NetworkDirection", text("IN")),
        ("NetworkProtocol", text("TCP")),
        ("NetworkSourceDomain", text("s.example")),
        ("NetworkSourceIpV4", ip("10.0.0.1")),
        ("NetworkSourceIpV6", ip("fd00::1/128")),
        ("NetworkSourceMac", text("00:0d")),
        ("NetworkSourcePort", number(22.0)),
        ("NoteText", text("note")),
        ("NoteUpdatedAt", date.clone()),
        ("NoteUpdatedBy", text("kim")),
        ("ProcessLaunchedAt", date.clone()),
        ("ProcessName", text("n")),
        ("ProcessParentPid", number(2.0)),
        ("ProcessPath", text("/n")),
        ("ProcessPid", number(1.0)),
        ("ProcessTerminatedAt", date.clone()),
        ("ProductArn", text(PRODUCT)),
        ("ProductFields", map("a", "b")),
        ("ProductName", text("Security Hub CSPM")),
        ("RecommendationText", text("do it")),
        ("RecordState", text("ACTIVE")),
        ("Region", text("eu-west-1")),
        ("RelatedFindingsId", text("r")),
        ("RelatedFindingsProductArn", text(PRODUCT)),
        ("ResourceApplicationArn", text("arn:app")),
        ("ResourceApplicationName", text("shop")),
        ("ResourceAwsEc2InstanceIamInstanceProfileArn", text("arn:p")),
        ("ResourceAwsEc2InstanceImageId", text("ami-1")),
        ("ResourceAwsEc2InstanceIpV4Addresses", ip("10.1.0.0/16")),
        ("ResourceAwsEc2InstanceIpV6Addresses", ip("fd00::/16")),
        ("ResourceAwsEc2InstanceKeyName", text("k")),
        ("ResourceAwsEc2InstanceLaunchedAt", date.clone()),
        ("ResourceAwsEc2InstanceSubnetId", text("sub-1")),
        ("ResourceAwsEc2InstanceType", text("t3.micro")),
        ("ResourceAwsEc2InstanceVpcId", text("vpc-1")),
        ("ResourceAwsIamAccessKeyCreatedAt", date.clone()),
        ("ResourceAwsIamAccessKeyPrincipalName", text("pn")),
        ("ResourceAwsIamAccessKeyStatus", text("Active")),
        ("ResourceAwsIamAccessKeyUserName", text("u")),
        ("ResourceAwsIamUserUserName", text("iu")),
        ("ResourceAwsS3BucketOwnerId", text("o1")),
        ("ResourceAwsS3BucketOwnerName", text("on")),
        ("ResourceContainerImageId", text("ci")),
        ("ResourceContainerImageName", text("cn")),
        ("ResourceContainerLaunchedAt", date.clone()),
        ("ResourceContainerName", text("c")),
        ("ResourceDetailsOther", map("k", "v")),
        ("ResourceId", text("arn:i")),
        ("ResourceOwnerAccountId", text(MEMBER)),
        ("ResourceOwnerOrgId", text("o-1")),
        ("ResourcePartition", text("aws")),
        ("ResourceProvider", text("AWS")),
        ("ResourceRegion", text("eu-west-1")),
        ("ResourceTags", map("team", "web")),
        ("ResourceType", text("AwsEc2Instance")),
        ("Sample", json!([{"Value": false}])),
        ("SeverityLabel", text("HIGH")),
        ("SeverityNormalized", number(70.0)),
        ("SeverityProduct", number(5.5)),
        ("SourceUrl", text("https://x")),
        ("ThreatIntelIndicatorCategory", text("BACKDOOR")),
        ("ThreatIntelIndicatorLastObservedAt", date.clone()),
        ("ThreatIntelIndicatorSource", text("src")),
        ("ThreatIntelIndicatorSourceUrl", text("https://y")),
        ("ThreatIntelIndicatorType", text("URL")),
        ("ThreatIntelIndicatorValue", text("u")),
        ("Title", text("t")),
        ("Type", text("TTPs/x")),
        ("UpdatedAt", date.clone()),
        ("UserDefinedFields", map("jira", "K-1")),
        ("VerificationState", text("UNKNOWN")),
        ("VulnerabilitiesExploitAvailable", text("NO")),
        ("VulnerabilitiesFixAvailable", text("YES")),
        ("WorkflowState", text("NEW")),
        ("WorkflowStatus", text("NEW")),
    ];
    (asff, filters)
}

#[test]
fn every_attribute_of_the_model_but_keyword_finds_what_it_names_and_nothing_else() {
    let mut stage = Stage::with(0);
    let (asff, filters) = full();
    stage.import(asff, 0);
    // Another finding that has none of these values.
    stage.import(
        json!({"SchemaVersion": "2018-10-08", "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/other",
            "Id": "other", "AwsAccountId": HOME, "Region": "us-east-1", "GeneratorId": "g", "Title": "o",
            "Description": "o", "CreatedAt": t(-9_000).to_string(), "UpdatedAt": t(-9_000).to_string(), "Sample": true,
            "RecordState": "ARCHIVED", "Workflow": {"Status": "SUPPRESSED"}, "CompanyName": "o", "ProductName": "o",
            "Resources": []}),
        0,
    );
    assert_eq!(filters.len(), 106);
    for (name, values) in filters {
        assert_eq!(stage.ids(json!({ name: values })), ["f0007"], "{name}");
    }
}

#[test]
fn ranges_of_dates_numbers_and_addresses_are_met_as_documented() {
    let mut stage = Stage::with(0);
    for (n, days) in [0_i64, 3, 10].into_iter().enumerate() {
        let mut asff = finding(n);
        asff["UpdatedAt"] = json!(t(-days * DAY).to_string());
        asff["Confidence"] = json!(10 * n);
        asff["Network"] = json!({"SourceIpV4": format!("10.0.{n}.1")});
        stage.import(asff, 0);
    }
    let days = |value: u32, comparison: Value| json!({"UpdatedAt": [{"DateRange": {"Value": value, "Unit": "DAYS", "Comparison": comparison}}]});
    for (filters, found) in [
        (days(5, json!("WITHIN")), vec!["f0000", "f0001"]),
        (days(5, Value::Null), vec!["f0000", "f0001"]),
        (days(5, json!("OLDER_THAN")), vec!["f0002"]),
        (
            json!({"UpdatedAt": [{"Start": t(-4 * DAY).to_string()}]}),
            vec!["f0000", "f0001"],
        ),
        (
            json!({"UpdatedAt": [{"End": t(-4 * DAY).to_string()}]}),
            vec!["f0002"],
        ),
        (
            json!({"UpdatedAt": [{"End": t(-4 * DAY).to_string()}, {"Start": t(-DAY).to_string()}]}),
            vec!["f0000", "f0002"],
        ),
        (json!({"Confidence": [{"Gt": 0, "Lt": 20}]}), vec!["f0001"]),
        (
            json!({"Confidence": [{"Eq": 0}, {"Gte": 20}]}),
            vec!["f0000", "f0002"],
        ),
        (
            json!({"NetworkSourceIpV4": [{"Cidr": "10.0.0.0/23"}]}),
            vec!["f0000", "f0001"],
        ),
    ] {
        assert_eq!(stage.ids(filters.clone()), found, "{filters}");
    }
}

#[test]
fn maps_are_filtered_by_key() {
    let mut stage = Stage::with(0);
    for (n, team) in ["web", "web team", "pay"].iter().enumerate() {
        let mut asff = finding(n);
        asff["Resources"][0]["Tags"] = json!({"team": team, "other": "web"});
        stage.import(asff, 0);
    }
    stage.import(finding(3), 0);
    let tag = |comparison: &str, values: &[&str]| {
        let rows = values
            .iter()
            .map(|value| json!({"Key": "team", "Value": value, "Comparison": comparison}));
        json!({"ResourceTags": rows.collect::<Vec<_>>()})
    };
    for (filters, found) in [
        (tag("EQUALS", &["web", "pay"]), vec!["f0000", "f0002"]),
        (tag("CONTAINS", &["web"]), vec!["f0000", "f0001"]),
        (tag("NOT_EQUALS", &["web", "pay"]), vec!["f0001", "f0003"]),
        (tag("NOT_CONTAINS", &["web"]), vec!["f0002", "f0003"]),
    ] {
        assert_eq!(stage.ids(filters.clone()), found, "{filters}");
    }
}

#[test]
fn a_listing_is_sorted_by_several_fields_in_either_direction() {
    let mut stage = Stage::with(0);
    for (n, (label, hours)) in [("LOW", 3), ("HIGH", 2), ("LOW", 1), ("HIGH", 4)]
        .into_iter()
        .enumerate()
    {
        let mut asff = finding(n);
        asff["Severity"] = json!({ "Label": label });
        asff["UpdatedAt"] = json!(t(-60 * hours).to_string());
        stage.import(asff, 0);
    }
    let mut sorted = |criteria: Value| {
        let (_, page) = stage.get(&json!({ "SortCriteria": criteria }), 1);
        let found = page["Findings"].as_array().unwrap().iter();
        found
            .map(|f| f["Id"].as_str().unwrap()[4..].to_owned())
            .collect::<String>()
    };
    assert_eq!(
        sorted(json!([{"Field": "UpdatedAt", "SortOrder": "asc"}])),
        "3012"
    );
    assert_eq!(
        sorted(json!([{"Field": "UpdatedAt", "SortOrder": "desc"}])),
        "2103"
    );
    let by_severity =
        json!([{"Field": "SeverityNormalized", "SortOrder": "desc"}, {"Field": "UpdatedAt"}]);
    assert_eq!(sorted(by_severity), "3102");
}

#[test]
fn faults_leave_out_a_region_cut_a_listing_short_or_show_the_past() {
    let mut stage = Stage::with(30);
    let mut other = finding(99);
    other["Region"] = json!("us-east-1");
    stage.import(other, 0);
    stage.fault = Some(AwsFault::LostRegion {
        region: "us-east-1".into(),
    });
    assert_eq!(stage.ids(json!({})).len(), 30);
    stage.fault = Some(AwsFault::EmptyListing);
    assert_eq!(stage.ids(json!({})).len(), 0);
    stage.fault = Some(AwsFault::TruncatedListing);
    let (_, page) = stage.get(&json!({}), 1);
    assert_eq!(page["Findings"].as_array().unwrap().len(), 20);
    assert!(page["NextToken"].is_null());
    stage.fault = Some(AwsFault::EmptyPage);
    let (_, page) = stage.get(&json!({}), 1);
    assert_eq!(page["Findings"], json!([]));
    stage.fault = None;
    let (_, next) = stage.get(&json!({ "NextToken": page["NextToken"] }), 1);
    assert_eq!(next["Findings"][0]["Id"], "f0000");
    stage.update(&notify(&["f0000"]), 2);
    stage.fault = Some(AwsFault::StaleRead { seconds: 300 });
    let (_, page) = stage.get(&json!({}), 3);
    assert_eq!(page["Findings"][0]["Workflow"]["Status"], "NEW");
    stage.fault = None;
    let (_, page) = stage.get(&json!({}), 3);
    assert_eq!(page["Findings"][0]["Workflow"]["Status"], "NOTIFIED");
}
