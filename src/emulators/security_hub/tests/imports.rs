//! BatchImportFindings: who may import, what is taken, and whose value counts.

use super::*;

/// A member imports into its default product.
fn member() -> Stage {
    let mut stage = Stage::with(0);
    stage.caller.account = MEMBER.into();
    stage
}

fn own(id: &str, minutes: i64) -> Value {
    let mut asff = finding(0);
    asff["ProductArn"] = json!(format!(
        "arn:aws:securityhub:eu-west-1:{MEMBER}:product/{MEMBER}/default"
    ));
    asff["Id"] = json!(id);
    asff["UpdatedAt"] = json!(t(minutes).to_string());
    asff.as_object_mut().unwrap().remove("Severity");
    asff
}

fn import(stage: &mut Stage, findings: &[Value], minutes: i64) -> (u16, Value) {
    stage.request(
        "POST",
        "/findings/import",
        &json!({ "Findings": findings }),
        minutes,
    )
}

fn found(stage: &Stage, id: &str) -> Value {
    let product = own(id, 0)["ProductArn"].as_str().unwrap().to_owned();
    stage.hub.get(&product, id).unwrap()
}

#[test]
fn an_older_or_equal_update_is_ignored_and_a_later_one_taken() {
    let mut stage = member();
    for (minutes, title, kept) in [
        (10, "first", "first"),
        (10, "same", "first"),
        (9, "older", "first"),
        (11, "later", "later"),
    ] {
        let mut asff = own("a", minutes);
        asff["Title"] = json!(title);
        let (status, answer) = import(&mut stage, &[asff], 20);
        assert_eq!((status, answer["SuccessCount"].as_u64()), (200, Some(1)));
        assert_eq!(found(&stage, "a")["Title"], kept);
    }
}

#[test]
fn the_customers_fields_are_not_the_providers_to_change() {
    let mut stage = member();
    import(&mut stage, &[own("a", 1)], 1);
    let product = own("a", 0)["ProductArn"].clone();
    let update = json!({ "FindingIdentifiers": [{ "ProductArn": product, "Id": "a" }], "Workflow": {"Status": "SUPPRESSED"},
        "Note": {"Text": "mine", "UpdatedBy": "me"}, "UserDefinedFields": {"k": "mine"}, "VerificationState": "FALSE_POSITIVE" });
    stage.update(&update, 2);
    let mut asff = own("a", 3);
    asff["Workflow"] = json!({"Status": "NEW"});
    asff["Note"] = json!({"Text": "theirs", "UpdatedBy": "them", "UpdatedAt": t(3).to_string()});
    asff["UserDefinedFields"] = json!({"k": "theirs"});
    asff["VerificationState"] = json!("UNKNOWN");
    import(&mut stage, &[asff], 3);
    let after = found(&stage, "a");
    assert_eq!(after["Workflow"]["Status"], "SUPPRESSED");
    assert_eq!(after["Note"]["Text"], "mine");
    assert_eq!(after["UserDefinedFields"]["k"], "mine");
    assert_eq!(after["VerificationState"], "FALSE_POSITIVE");
    assert_eq!(after["UpdatedAt"], t(3).to_string());
}

#[test]
fn provider_fields_reach_the_top_level_until_a_customer_has_set_it() {
    let mut stage = member();
    let with = |minutes: i64, top: Value, provided: Value| {
        let mut asff = own("a", minutes);
        if !top.is_null() {
            asff["Confidence"] = top;
        }
        if !provided.is_null() {
            asff["FindingProviderFields"] = json!({ "Confidence": provided });
        }
        asff
    };
    let values = |stage: &Stage| {
        let finding = found(stage, "a");
        (
            finding["Confidence"].as_u64(),
            finding["FindingProviderFields"]["Confidence"].as_u64(),
        )
    };
    // (top level, provider field) sent, then (top level, provider field) as they stand.
    for (minutes, sent, stands) in [
        // A new finding: the provider field wins.
        (1, (json!(10), json!(20)), (Some(20), Some(20))),
        // Only the provider field: both follow.
        (2, (Value::Null, json!(30)), (Some(30), Some(30))),
        // Only the top level: both follow.
        (3, (json!(40), Value::Null), (Some(40), Some(40))),
        // Both: each has its own.
        (4, (json!(50), json!(60)), (Some(50), Some(60))),
        // Neither: both stay.
        (5, (Value::Null, Value::Null), (Some(50), Some(60))),
    ] {
        import(&mut stage, &[with(minutes, sent.0, sent.1)], minutes);
        assert_eq!(values(&stage), stands, "at {minutes}");
    }
    let product = own("a", 0)["ProductArn"].clone();
    let update =
        json!({ "FindingIdentifiers": [{ "ProductArn": product, "Id": "a" }], "Confidence": 99 });
    stage.update(&update, 6);
    import(&mut stage, &[with(7, json!(70), Value::Null)], 7);
    assert_eq!(values(&stage), (Some(99), Some(70)));
    import(&mut stage, &[with(8, Value::Null, json!(80))], 8);
    assert_eq!(values(&stage), (Some(99), Some(80)));
}

#[test]
fn severity_has_a_label_and_a_number_that_agree() {
    let mut stage = member();
    for (id, severity, label, normalized) in [
        ("a", json!({"Normalized": 75}), "HIGH", 75),
        ("b", json!({"Label": "LOW"}), "LOW", 1),
        (
            "c",
            json!({"Label": "CRITICAL", "Normalized": 5}),
            "CRITICAL",
            90,
        ),
        ("d", json!({"Normalized": 0}), "INFORMATIONAL", 0),
    ] {
        let mut asff = own(id, 1);
        asff["Severity"] = severity;
        import(&mut stage, &[asff], 1);
        let finding = found(&stage, id);
        assert_eq!(finding["Severity"]["Label"], label);
        assert_eq!(finding["Severity"]["Normalized"], normalized);
        assert_eq!(finding["FindingProviderFields"]["Severity"]["Label"], label);
    }
}

#[test]
fn what_security_hub_fills_in_is_there() {
    let mut stage = Stage::with(1);
    let finding = stage.finding("f0000");
    assert_eq!(finding["ProductName"], "Security Hub CSPM");
    assert_eq!(finding["CompanyName"], "AWS");
    assert_eq!(
        finding["ProductFields"]["aws/securityhub/FindingId"],
        format!("{PRODUCT}/f0000")
    );
    assert_eq!(finding["ProcessedAt"], t(0).to_string());
    assert_eq!(
        (&finding["RecordState"], &finding["Workflow"]["Status"]),
        (&json!("ACTIVE"), &json!("NEW"))
    );
    let mut asff = super::finding(1);
    asff.as_object_mut().unwrap().remove("Region");
    stage.import(asff, 1);
    assert_eq!(stage.finding("f0001")["Region"], "eu-west-1");
}

#[test]
fn a_finding_of_another_account_or_of_a_product_that_is_off_fails_alone() {
    let mut stage = member();
    let mut foreign = own("b", 1);
    foreign["AwsAccountId"] = json!("333333333333");
    let partner = "arn:aws:securityhub:eu-west-1:444444444444:product/acme/scanner";
    let mut scanned = own("c", 1);
    scanned["ProductArn"] = json!(partner);
    let mut elsewhere = own("d", 1);
    elsewhere["ProductArn"] = json!("arn:aws:securityhub:us-east-1::product/aws/guardduty");
    let (_, answer) = import(
        &mut stage,
        &[own("a", 1), foreign, scanned.clone(), elsewhere],
        1,
    );
    assert_eq!(
        (
            answer["SuccessCount"].as_u64(),
            answer["FailedCount"].as_u64()
        ),
        (Some(1), Some(3))
    );
    let failed = answer["FailedFindings"].as_array().unwrap();
    assert!(
        failed.iter().all(|row| row["ErrorCode"] == "InvalidAccess"),
        "{failed:?}"
    );
    stage.hub.enable_product(partner);
    let (_, answer) = import(&mut stage, &[scanned], 2);
    assert_eq!(answer["SuccessCount"], 1);
}

#[test]
fn a_finding_that_is_not_in_the_format_fails_alone_and_says_why() {
    let mut stage = member();
    let change = |name: &str, value: Value| {
        let mut asff = own("bad", 1);
        match value {
            Value::Null => {
                asff.as_object_mut().unwrap().remove(name);
            }
            value => asff[name] = value,
        }
        asff
    };
    let resources: Vec<Value> = (0..33)
        .map(|n| json!({"Type": "Other", "Id": n.to_string()}))
        .collect();
    for (name, value) in [
        ("SchemaVersion", json!("2019-01-01")),
        ("Id", Value::Null),
        ("Id", json!("x".repeat(513))),
        ("GeneratorId", Value::Null),
        ("Title", json!("x".repeat(257))),
        ("Description", json!("x".repeat(1_025))),
        ("AwsAccountId", json!("12")),
        ("CreatedAt", json!("2026-01-01")),
        ("UpdatedAt", Value::Null),
        ("Resources", json!([])),
        ("Resources", json!(resources)),
        ("Resources", json!([{"Type": "Other"}])),
        ("RecordState", json!("GONE")),
        ("Compliance", json!({"Status": "OK"})),
        ("Severity", json!({"Label": "SEVERE"})),
        ("Types", json!(["x"])),
        ("FindingProviderFields", json!({"Confidence": 101})),
        ("ProductFields", json!({"k": "v".repeat(2_049)})),
    ] {
        let (status, answer) = import(
            &mut stage,
            &[change(name, value.clone()), own("good", 1)],
            1,
        );
        assert_eq!(
            (status, answer["FailedCount"].as_u64()),
            (200, Some(1)),
            "{name} {value}"
        );
        let failed = &answer["FailedFindings"][0];
        assert_eq!(failed["ErrorCode"], "InvalidInput");
        assert!(
            failed["ErrorMessage"]
                .as_str()
                .unwrap()
                .contains("Amazon Finding Format"),
            "{failed}"
        );
    }
    let filler: serde_json::Map<String, Value> = (0..130)
        .map(|n| (format!("k{n}"), json!("x".repeat(2_048))))
        .collect();
    let huge = change(
        "Resources",
        json!([{"Type": "Other", "Id": "r", "Details": {"Other": filler}}]),
    );
    let (_, answer) = import(&mut stage, &[huge], 1);
    assert_eq!(
        answer["FailedFindings"][0]["ErrorCode"],
        "FindingSizeExceeded"
    );
}

#[test]
fn one_to_a_hundred_findings_of_six_megabytes_are_taken_at_once() {
    let mut stage = member();
    let many: Vec<Value> = (0..101).map(|n| own(&n.to_string(), 1)).collect();
    assert_eq!(import(&mut stage, &[], 1).0, 400);
    assert_eq!(import(&mut stage, &many, 1).0, 400);
    let (status, answer) = import(&mut stage, &many[..100], 1);
    assert_eq!((status, answer["SuccessCount"].as_u64()), (200, Some(100)));
    let filler: serde_json::Map<String, Value> = (0..90)
        .map(|n| (format!("k{n}"), json!("x".repeat(2_048))))
        .collect();
    let large: Vec<Value> = (0..40)
        .map(|n| {
            let mut asff = own(&format!("large-{n}"), 1);
            asff["Resources"][0]["Details"] = json!({ "Other": filler });
            asff
        })
        .collect();
    assert_eq!(import(&mut stage, &large, 1).0, 400);
    assert_eq!(import(&mut stage, &large[..20], 1).0, 200);
}

#[test]
fn a_document_of_wrong_shapes_is_refused_by_the_api_and_harmless_otherwise() {
    let names = limits::OBJECTS
        .into_iter()
        .chain(["Resources", "Types", "Region"]);
    for name in names {
        for wrong in [json!("x"), json!(7), json!([1]), json!(true)] {
            let mut asff = own("a", 1);
            asff[name] = wrong.clone();
            let mut stage = member();
            let (status, answer) = import(&mut stage, &[asff.clone()], 1);
            assert_eq!(status, 200, "{name} {wrong}: {answer}");
            let taken = name == "Region" && wrong == "x";
            assert_eq!(answer["FailedCount"], u32::from(!taken), "{name} {wrong}");
            stage.import(asff.clone(), 1);
            let product = asff["ProductArn"].as_str().unwrap();
            let (hub, journal) = (&mut stage.hub, &mut stage.journal);
            hub.set_compliance(product, "a", "PASSED", t(2), journal);
            hub.archive(product, "a", Some(("X", "y")), t(3), journal);
            hub.touch(product, "a", t(4));
            asff["UpdatedAt"] = json!(t(5).to_string());
            stage.import(asff, 5);
            assert_eq!(stage.get(&json!({}), 6).0, 200);
        }
    }
    let mut stage = member();
    stage.import(json!("no document"), 1);
    assert!(stage.hub.is_empty());
}
