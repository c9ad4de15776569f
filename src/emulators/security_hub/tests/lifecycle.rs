//! What AWS does by itself: workflow transitions, archiving, expiry, new findings after a broken rule.

use super::*;

fn set(stage: &mut Stage, status: &str, minutes: i64) {
    let journal = &mut stage.journal;
    let hub = &mut stage.hub;
    hub.set_workflow(
        Actor::Engine,
        "me",
        PRODUCT,
        "f0000",
        status,
        None,
        t(minutes),
        journal,
    );
}

fn happen(stage: &mut Stage, step: &str, minutes: i64) {
    let (hub, journal, now) = (&mut stage.hub, &mut stage.journal, t(minutes));
    match step {
        "ARCHIVED" => hub.archive(PRODUCT, "f0000", None, now, journal),
        "ACTIVE" => hub.reactivate(PRODUCT, "f0000", now, journal),
        status => hub.set_compliance(PRODUCT, "f0000", status, now, journal),
    }
}

#[test]
fn aws_moves_the_workflow_status_as_its_guide_says() {
    // (status before, what happens, status after)
    for (before, event, after) in [
        ("NEW", "PASSED", "RESOLVED"),
        ("NOTIFIED", "PASSED", "RESOLVED"),
        ("SUPPRESSED", "PASSED", "SUPPRESSED"),
        ("NOTIFIED", "FAILED", "NOTIFIED"),
        ("RESOLVED", "FAILED", "RESOLVED"),
        ("RESOLVED", "PASSED FAILED", "NEW"),
        ("RESOLVED", "PASSED WARNING", "NEW"),
        ("RESOLVED", "PASSED NOT_AVAILABLE", "NEW"),
        ("SUPPRESSED", "PASSED FAILED", "SUPPRESSED"),
        ("NOTIFIED", "ARCHIVED", "NOTIFIED"),
        ("NOTIFIED", "NOT_APPLICABLE", "NOTIFIED"),
        ("NOTIFIED", "ARCHIVED ACTIVE", "NEW"),
        ("RESOLVED", "ARCHIVED ACTIVE", "NEW"),
        ("SUPPRESSED", "ARCHIVED ACTIVE", "SUPPRESSED"),
    ] {
        let mut stage = Stage::with(1);
        set(&mut stage, before, 1);
        for (n, step) in event.split(' ').enumerate() {
            happen(&mut stage, step, 2 + i64::try_from(n).unwrap());
        }
        let status = &stage.finding("f0000")["Workflow"]["Status"];
        assert_eq!(status, after, "{before} + {event}");
    }
}

#[test]
fn whether_passed_resolves_a_suppressed_finding_is_a_switch() {
    let mut stage = Stage::with(1);
    stage.hub.passed_resolves_suppressed = true;
    set(&mut stage, "SUPPRESSED", 1);
    happen(&mut stage, "PASSED", 2);
    assert_eq!(stage.finding("f0000")["Workflow"]["Status"], "RESOLVED");
}

#[test]
fn a_control_that_is_new_and_passes_is_resolved_another_product_is_new() {
    let mut stage = Stage::with(0);
    let mut asff = finding(0);
    asff["Compliance"]["Status"] = json!("PASSED");
    stage.import(asff.clone(), 0);
    assert_eq!(stage.finding("f0000")["Workflow"]["Status"], "RESOLVED");
    let other = "arn:aws:securityhub:eu-west-1::product/aws/guardduty";
    asff["ProductArn"] = json!(other);
    stage.import(asff, 0);
    assert_eq!(
        stage.hub.get(other, "f0000").unwrap()["Workflow"]["Status"],
        "NEW"
    );
}

#[test]
fn a_passed_control_drops_to_informational_and_comes_back() {
    let mut stage = Stage::with(1);
    happen(&mut stage, "PASSED", 1);
    let passed = stage.finding("f0000");
    assert_eq!(passed["Severity"]["Label"], "INFORMATIONAL");
    assert_eq!(
        passed["FindingProviderFields"]["Severity"]["Label"],
        "INFORMATIONAL"
    );
    happen(&mut stage, "FAILED", 2);
    let failed = stage.finding("f0000");
    assert_eq!(
        failed["Severity"],
        json!({"Label": "HIGH", "Original": "HIGH", "Normalized": 70})
    );
    assert_eq!(failed["FirstObservedAt"], t(2).to_string());
    assert_eq!(
        failed["ProductFields"]["PreviousComplianceStatus"],
        "PASSED"
    );
}

#[test]
fn a_severity_that_a_customer_set_stays_when_the_control_passes() {
    let mut stage = Stage::with(1);
    let body =
        json!({ "FindingIdentifiers": identifiers(&["f0000"]), "Severity": { "Label": "LOW" } });
    stage.update(&body, 1);
    happen(&mut stage, "PASSED", 2);
    let passed = stage.finding("f0000");
    assert_eq!(passed["Severity"]["Label"], "LOW");
    assert_eq!(
        passed["FindingProviderFields"]["Severity"]["Label"],
        "INFORMATIONAL"
    );
}

#[test]
fn an_archived_record_says_why_and_forgets_it_when_it_comes_back() {
    let mut stage = Stage::with(1);
    let reason = Some(("CONTROL_DISABLED", "The control was disabled."));
    stage
        .hub
        .archive(PRODUCT, "f0000", reason, t(1), &mut stage.journal);
    let archived = stage.finding("f0000");
    assert_eq!(archived["RecordState"], "ARCHIVED");
    assert_eq!(
        archived["ProductFields"]["ArchivalReasons:0/ReasonCode"],
        "CONTROL_DISABLED"
    );
    happen(&mut stage, "ACTIVE", 2);
    assert!(stage.finding("f0000")["ProductFields"]["ArchivalReasons:0/ReasonCode"].is_null());
}

#[test]
fn a_broken_rule_archives_and_each_check_makes_a_new_finding() {
    let mut stage = Stage::with(1);
    set(&mut stage, "NOTIFIED", 1);
    let (hub, journal) = (&mut stage.hub, &mut stage.journal);
    let broken = hub.break_rule(PRODUCT, "f0000", t(2), journal).unwrap();
    let again = hub.break_rule(PRODUCT, "f0000", t(3), journal).unwrap();
    let mended = hub
        .mend_rule(PRODUCT, &again, "FAILED", t(4), journal)
        .unwrap();
    assert_eq!(stage.finding("f0000")["RecordState"], "ARCHIVED");
    for id in [&broken, &again] {
        let found = stage.finding(id);
        assert_eq!(
            (&found["RecordState"], &found["Compliance"]["Status"]),
            (&json!("ARCHIVED"), &json!("NOT_AVAILABLE"))
        );
    }
    let found = stage.finding(&mended);
    assert_eq!(
        (&found["RecordState"], &found["Workflow"]["Status"]),
        (&json!("ACTIVE"), &json!("NEW"))
    );
    let ids: BTreeSet<&str> = BTreeSet::from(["f0000", &broken, &again, &mended]);
    assert_eq!(ids.len(), 4);
    assert_eq!(found["Resources"], finding(0)["Resources"]);
}

#[test]
fn checks_are_repeated_daily_and_what_is_no_longer_checked_is_archived_within_five_days() {
    let mut stage = Stage::with(2);
    stage.hub.ages_by_itself = true;
    let gone = |arn: &str| arn == "arn:aws:s3:::b1";
    for hours in 0..(24 * 6) {
        stage
            .hub
            .age_if_due(&gone, t(60 * hours), &mut stage.journal);
        let archived = stage.finding("f0001")["RecordState"] == "ARCHIVED";
        assert!(!archived || hours > 72, "after {hours} h");
    }
    assert_eq!(stage.finding("f0001")["RecordState"], "ARCHIVED");
    let living = stage.finding("f0000");
    assert_eq!(living["RecordState"], "ACTIVE");
    assert!(living["UpdatedAt"].as_str() > Some(&t(4 * DAY).to_string()));
}

#[test]
fn nothing_ages_unless_it_is_asked_to() {
    let mut stage = Stage::with(1);
    stage
        .hub
        .age_if_due(&|_| true, t(200 * DAY), &mut stage.journal);
    assert_eq!(stage.finding("f0000")["RecordState"], "ACTIVE");
}

#[test]
fn active_findings_expire_after_ninety_days_and_archived_ones_after_thirty() {
    let mut stage = Stage::with(2);
    stage
        .hub
        .archive(PRODUCT, "f0001", None, t(0), &mut stage.journal);
    stage.hub.expire(t(30 * DAY), &mut stage.journal);
    assert_eq!(stage.hub.len(), 2);
    stage.hub.expire(t(31 * DAY), &mut stage.journal);
    assert_eq!(stage.hub.len(), 1);
    stage.hub.expire(t(91 * DAY), &mut stage.journal);
    assert!(stage.hub.is_empty());
    let (_, answer) = stage.update(&notify(&["f0000"]), 91 * DAY);
    assert_eq!(
        answer["UnprocessedFindings"][0]["ErrorCode"],
        "FindingNotFound"
    );
}

#[test]
fn a_finding_of_another_product_counts_from_when_it_was_processed() {
    let mut stage = Stage::with(0);
    let mut asff = finding(0);
    asff["ProductArn"] = json!("arn:aws:securityhub:eu-west-1::product/aws/guardduty");
    stage.import(asff, 50 * DAY);
    stage.hub.expire(t(100 * DAY), &mut stage.journal);
    assert_eq!(stage.hub.len(), 1);
    stage.hub.expire(t(141 * DAY), &mut stage.journal);
    assert!(stage.hub.is_empty());
}

#[test]
fn a_custom_action_is_one_event_for_each_finding() {
    let mut stage = Stage::with(2);
    stage.hub.take_events();
    let keys: Vec<Key> = ["f0000", "f0001"]
        .map(|id| (PRODUCT.to_owned(), id.to_owned()))
        .to_vec();
    stage
        .hub
        .custom_action("Create ticket", "Sends to Jira", &keys, t(1));
    let events = stage.hub.take_events();
    assert_eq!(events.len(), 2);
    assert_eq!(
        events[0].resource,
        format!("arn:aws:securityhub:eu-west-1:{HOME}:action/custom/Createticket")
    );
    assert_eq!(
        events[0].what.detail_type(),
        "Security Hub Findings - Custom Action"
    );
}
