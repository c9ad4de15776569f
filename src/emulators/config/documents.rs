//! How AWS Config shows a resource: configuration items in answers and in events, identifiers in listings (AWS Config
//! API: `ConfigurationItem`, `BaseConfigurationItem`; developer guide, "Example configuration item change
//! notifications").

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Item;
use super::resources::{Resource, State};
use crate::emulators::hash_hex;

/// JSON 1.1 times: seconds since 1970 with milliseconds.
pub(super) fn seconds(at: Timestamp) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    let milliseconds = at.as_millisecond() as f64;
    milliseconds / 1000.0
}

/// A configuration item; a deleted resource has no configuration any more.
pub(super) fn item(resource: &Resource, state: &State) -> Value {
    let mut found = base(resource, state);
    found["configurationItemMD5Hash"] = json!(digest(resource, state));
    found["tags"] = json!(resource.tags);
    found["relatedEvents"] = json!([]);
    found["relationships"] = json!([]);
    found
}

/// The same without tags and relationships.
pub(super) fn base(resource: &Resource, state: &State) -> Value {
    let Item {
        account,
        region,
        kind,
        id,
        arn,
        ..
    } = &resource.item;
    let mut found = json!({
        "version": "1.3",
        "accountId": account,
        "awsRegion": region,
        "arn": arn,
        "resourceId": id,
        "resourceType": kind,
        "availabilityZone": "Not Applicable",
        "configurationItemStatus": state.status,
        "configurationStateId": state.at.as_millisecond().to_string(),
        "configurationItemCaptureTime": seconds(state.at),
        "supplementaryConfiguration": {},
    });
    if let Some(name) = &resource.name {
        found["resourceName"] = json!(name);
    }
    if let Some(created) = resource.created_at {
        found["resourceCreationTime"] = json!(seconds(created));
    }
    if !state.is_gone() {
        found["configuration"] = json!(state.configuration.to_string());
    }
    found
}

fn digest(resource: &Resource, state: &State) -> String {
    hash_hex(&[
        &resource.item.arn,
        state.status,
        &state.configuration.to_string(),
    ])
}

/// The detail of a `Config Configuration Item Change` event.
pub(super) fn change(resource: &Resource, state: &State, kind: &str, now: Timestamp) -> Value {
    let Item {
        account,
        region,
        kind: resource_type,
        id,
        arn,
        ..
    } = &resource.item;
    let captured = state.at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    let created = resource
        .created_at
        .map(|at| at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string());
    let mut common = json!({
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": captured,
        "configurationStateId": state.at.as_millisecond(),
        "awsAccountId": account,
        "configurationItemStatus": state.status,
        "resourceType": resource_type,
        "resourceId": id,
        "resourceName": resource.name,
        "ARN": arn,
        "awsRegion": region,
        "availabilityZone": "Not Applicable",
        "configurationStateMd5Hash": digest(resource, state),
        "resourceCreationTime": created,
    });
    let created = now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    if resource.oversized {
        common["changeType"] = json!(kind);
        return json!({
            "recordVersion": "1.3",
            "messageType": "OversizedConfigurationItemChangeNotification",
            "configurationItemSummary": common,
            "s3DeliverySummary": { "s3BucketLocation": null, "errorCode": null, "errorMessage": null },
            "notificationCreationTime": created,
        });
    }
    common["configuration"] = if state.is_gone() {
        Value::Null
    } else {
        state.configuration.clone()
    };
    common["supplementaryConfiguration"] = json!({});
    common["tags"] = json!(resource.tags);
    common["relatedEvents"] = json!([]);
    common["relationships"] = json!([]);
    json!({
        "recordVersion": "1.3",
        "messageType": "ConfigurationItemChangeNotification",
        "configurationItemDiff": { "changedProperties": {}, "changeType": kind },
        "notificationCreationTime": created,
        "configurationItem": common,
    })
}
