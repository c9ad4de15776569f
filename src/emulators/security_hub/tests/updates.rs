//! BatchUpdateFindings and GetFindingHistory.

use super::*;

#[test]
fn an_update_shows_late_leaves_updated_at_alone_and_is_in_the_history() {
    let mut stage = Stage::with(1);
    stage.hub.visibility_delay = SignedDuration::from_mins(3);
    stage.update(&notify(&["f0000"]), 1);
    let mut shown = |minutes| {
        let (_, page) = stage.get(&json!({}), minutes);
        let finding = &page["Findings"][0];
        (
            finding["Workflow"]["Status"].clone(),
            finding["UpdatedAt"].clone(),
        )
    };
    let unchanged = json!(t(0).to_string());
    assert_eq!(shown(2), (json!("NEW"), unchanged.clone()));
    assert_eq!(shown(4), (json!("NOTIFIED"), unchanged));
    let history = stage.history("f0000", 4);
    assert_eq!(history[0]["UpdateSource"]["Type"], "BATCH_UPDATE_FINDINGS");
    assert_eq!(
        history[0]["UpdateSource"]["Identity"],
        stage.caller.identity
    );
    let updates = history[0]["Updates"].as_array().unwrap();
    let workflow =
        json!({"UpdatedField": "Workflow.Status", "OldValue": "NEW", "NewValue": "NOTIFIED"});
    assert!(updates.contains(&workflow), "{updates:?}");
}

#[test]
fn what_a_finding_was_is_forgotten_once_every_read_shows_the_update() {
    let mut stage = Stage::with(1);
    stage.update(&notify(&["f0000"]), 1);
    let key: Key = (PRODUCT.into(), "f0000".into());
    stage.get(&json!({}), 16);
    assert!(stage.hub.findings.get(&key).unwrap().before.is_some());
    stage.get(&json!({}), 17);
    assert!(stage.hub.findings.get(&key).unwrap().before.is_none());
}

#[test]
fn a_providers_update_shows_at_once_while_the_customers_is_still_hidden() {
    let mut stage = Stage::with(1);
    stage.hub.visibility_delay = SignedDuration::from_mins(5);
    stage.update(&notify(&["f0000"]), 1);
    stage.hub.touch(PRODUCT, "f0000", t(2));
    let (_, page) = stage.get(&json!({}), 3);
    assert_eq!(page["Findings"][0]["UpdatedAt"], t(2).to_string());
    assert_eq!(page["Findings"][0]["Workflow"]["Status"], "NEW");
    stage
        .hub
        .set_compliance(PRODUCT, "f0000", "PASSED", t(4), &mut stage.journal);
    let (_, page) = stage.get(&json!({}), 4);
    let finding = &page["Findings"][0];
    assert_eq!(finding["Workflow"]["Status"], "RESOLVED");
    assert!(finding["Note"].is_null());
    let (_, page) = stage.get(&json!({}), 7);
    assert_eq!(page["Findings"][0]["Note"]["Text"], "n");
}

#[test]
fn every_identifier_is_processed_or_not_on_its_own_and_the_codes_are_the_documented_ones() {
    let mut stage = Stage::with(3);
    let mut big = finding(9);
    let filler: serde_json::Map<String, Value> = (0..119)
        .map(|n| (format!("k{n}"), json!("x".repeat(2_048))))
        .collect();
    big["Resources"][0]["Details"] = json!({ "Other": filler });
    stage.import(big, 0);
    let mut body = notify(&["f0000", "f0000", "nope", "f0009"]);
    body["FindingIdentifiers"]
        .as_array_mut()
        .unwrap()
        .push(json!({"ProductArn": "x", "Id": "y"}));
    body["UserDefinedFields"] = json!({"a": "x".repeat(1_024), "b": "x".repeat(1_024)});
    let (status, answer) = stage.update(&body, 1);
    assert_eq!(status, 200);
    assert_eq!(answer["ProcessedFindings"].as_array().unwrap().len(), 1);
    let told = |answer: &Value| -> Vec<(String, String)> {
        let rows = answer["UnprocessedFindings"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        rows.map(|row| (text(&row["ErrorCode"]), text(&row["ErrorMessage"])))
            .collect()
    };
    let pair = |code: &str, message: &str| (code.to_owned(), message.to_owned());
    assert_eq!(
        told(&answer),
        [
            pair(
                "DuplicatedFindingIdentifier",
                "Finding Identifier is duplicated"
            ),
            pair("FindingNotFound", "Finding Not Found"),
            pair("FindingSizeExceeded", "Finding size exceeded 240 KB"),
            pair("InvalidInput", "Invalid Input"),
        ]
    );
    for (code, message) in [
        (
            "ConcurrentUpdateError",
            "Concurrent finding updates detected",
        ),
        ("InternalFailure", "Internal service failure"),
    ] {
        stage.fault = Some(AwsFault::Unprocessed {
            code: code.into(),
            every_nth: 2,
        });
        let (_, answer) = stage.update(&notify(&["f0000", "f0001", "f0002"]), 2);
        assert_eq!(told(&answer), [pair(code, message), pair(code, message)]);
        assert_eq!(answer["ProcessedFindings"][0]["Id"], "f0001");
    }
}

#[test]
fn values_beyond_the_limits_are_invalid_and_change_nothing() {
    let mut stage = Stage::with(1);
    let ids: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    assert_eq!(stage.update(&notify(&ids), 1).0, 400);
    assert_eq!(stage.update(&notify(&[]), 1).0, 400);
    let fields: serde_json::Map<String, Value> =
        (0..51).map(|n| (format!("k{n}"), json!("v"))).collect();
    let related: Vec<Value> = (0..11)
        .map(|n| json!({"ProductArn": PRODUCT, "Id": n.to_string()}))
        .collect();
    for (field, value) in [
        ("Workflow", json!({"Status": "DONE"})),
        ("Note", json!({"Text": "x".repeat(513), "UpdatedBy": "me"})),
        ("Note", json!({"Text": "x"})),
        ("Note", json!({"Text": " ", "UpdatedBy": "me"})),
        ("VerificationState", json!("MAYBE")),
        ("Severity", json!({"Label": "SEVERE"})),
        ("Severity", json!({"Normalized": 101})),
        ("Confidence", json!(-1)),
        ("Criticality", json!(101)),
        ("Types", json!(["Nonsense/x"])),
        ("RelatedFindings", json!(related)),
        ("UserDefinedFields", Value::Object(fields)),
        ("UserDefinedFields", json!({"k".repeat(129): "v"})),
        ("UserDefinedFields", json!({"k": "v".repeat(1_025)})),
    ] {
        let body = json!({ "FindingIdentifiers": identifiers(&["f0000"]), field: value });
        let (status, answer) = stage.update(&body, 1);
        assert_eq!(
            (status, answer["Code"].as_str()),
            (400, Some("InvalidInputException")),
            "{field} {value}"
        );
    }
    let before = finding(0);
    assert_eq!(
        stage.finding("f0000")["Severity"]["Label"],
        before["Severity"]["Label"]
    );
    assert_eq!(stage.history("f0000", 2).len(), 1);
}

#[test]
fn every_field_of_an_update_is_set_and_record_state_is_not_among_them() {
    let mut stage = Stage::with(1);
    let body = json!({
        "FindingIdentifiers": identifiers(&["f0000"]), "Confidence": 7, "Criticality": 8, "VerificationState": "TRUE_POSITIVE",
        "Types": ["Effects/x"], "RelatedFindings": [{"ProductArn": PRODUCT, "Id": "r"}], "RecordState": "ARCHIVED",
        "UserDefinedFields": {"a": "1"}, "Severity": {"Normalized": 90}, "Note": {"Text": "n", "UpdatedBy": "kim"},
    });
    stage.update(&body, 1);
    let found = stage.finding("f0000");
    assert_eq!(found["RecordState"], "ACTIVE");
    assert_eq!(found["Severity"]["Label"], "CRITICAL");
    assert_eq!(found["Severity"]["Normalized"], 90);
    assert_eq!(found["Note"]["UpdatedAt"], t(1).to_string());
    for field in [
        "Confidence",
        "Criticality",
        "VerificationState",
        "Types",
        "RelatedFindings",
        "UserDefinedFields",
    ] {
        assert_eq!(found[field], body[field], "{field}");
    }
    let again = json!({ "FindingIdentifiers": identifiers(&["f0000"]), "UserDefinedFields": {"b": "2"},
        "Severity": {"Label": "LOW"} });
    stage.update(&again, 2);
    let found = stage.finding("f0000");
    assert_eq!(found["UserDefinedFields"], json!({"b": "2"}));
    assert_eq!(
        (
            found["Severity"]["Normalized"].as_u64(),
            found["Note"]["Text"].as_str()
        ),
        (Some(1), Some("n"))
    );
}

#[test]
fn every_processed_finding_is_announced_as_imported() {
    let mut stage = Stage::with(2);
    assert_eq!(stage.hub.take_events().len(), 2);
    stage.update(&notify(&["f0000", "nope", "f0001"]), 1);
    let events = stage.hub.take_events();
    let about: Vec<&str> = events.iter().map(|event| event.resource.as_str()).collect();
    assert_eq!(
        about,
        [format!("{PRODUCT}/f0000"), format!("{PRODUCT}/f0001")]
    );
    let What::Imported(text) = &events[0].what else {
        panic!("{events:?}")
    };
    let shown: Value = serde_json::from_str(text).unwrap();
    assert_eq!(shown["Workflow"]["Status"], "NOTIFIED");
}

#[test]
fn a_history_is_paged_bounded_by_time_and_names_the_creation() {
    let mut stage = Stage::with(1);
    for minutes in 1..=30 {
        let status = if minutes % 2 == 0 { "NEW" } else { "NOTIFIED" };
        let body = json!({ "FindingIdentifiers": identifiers(&["f0000"]), "Workflow": { "Status": status } });
        stage.update(&body, minutes);
    }
    let all = stage.history("f0000", 31);
    assert_eq!(all.len(), 31);
    assert_eq!(all[30]["FindingCreated"], true);
    assert_eq!(
        all[30]["UpdateSource"],
        json!({"Type": "BATCH_IMPORT_FINDINGS", "Identity": PRODUCT})
    );
    let identifier = json!({ "ProductArn": PRODUCT, "Id": "f0000" });
    let mut body = json!({ "FindingIdentifier": identifier, "MaxResults": 10,
        "StartTime": t(3).to_string(), "EndTime": t(20).to_string() });
    let mut seen = Vec::new();
    loop {
        let (_, page) = stage.request("POST", "/findingHistory/get", &body, 31);
        seen.extend(page["Records"].as_array().unwrap().clone());
        match page["NextToken"].as_str() {
            Some(token) => body["NextToken"] = json!(token),
            None => break,
        }
    }
    assert_eq!(seen.len(), 18);
    assert_eq!(seen[0]["UpdateTime"], t(20).to_string());
    for bad in [
        json!({}),
        json!({ "FindingIdentifier": { "ProductArn": PRODUCT, "Id": "nope" } }),
        json!({ "FindingIdentifier": identifier, "MaxResults": 101 }),
        json!({ "FindingIdentifier": identifier, "StartTime": "soon" }),
        json!({ "FindingIdentifier": identifier, "NextToken": "x" }),
    ] {
        let (status, _) = stage.request("POST", "/findingHistory/get", &bad, 31);
        assert_eq!(status, 400, "{bad}");
    }
}
