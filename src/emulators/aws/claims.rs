//! What is claimed of events on their way to queues.

use crate::emulators::claims::Claim;

/// Every operation that is answered.
pub fn operations() -> Vec<String> {
    [
        "Security Hub Findings - Imported",
        "Security Hub Findings - Custom Action",
        "Config Configuration Item Change",
    ]
    .map(|detail_type| format!("event {detail_type}"))
    .to_vec()
}

/// What is claimed of them.
#[rustfmt::skip]
pub const CLAIMS: &[Claim] = &[
    Claim::new("event Security Hub Findings - Imported",
        "One finding in one event, as it now is, in EventBridge's envelope, on the administrator's bus.",
        "Security Hub user guide: EventBridge event formats",
        "src/emulators/aws/tests.rs::a_finding_that_changes_comes_to_the_queue_in_an_envelope"),
    Claim::new("event Security Hub Findings - Imported",
        "From members and linked Regions only.",
        "Security Hub user guide: EventBridge event types",
        "src/emulators/security_hub/tests/members.rs::events_come_from_members_and_linked_regions_only"),
    Claim::new("event Security Hub Findings - Imported",
        "Delivered at least once and in no order: faults lose, double and delay events.",
        "EventBridge user guide: Events from AWS services; Retrying event delivery",
        "src/emulators/aws/tests.rs::events_get_lost_doubled_and_late"),
    Claim::new("event Security Hub Findings - Custom Action",
        "One event for each chosen finding, with the action's name and ARN.",
        "Security Hub user guide: EventBridge event formats",
        "src/emulators/security_hub/tests/lifecycle.rs::a_custom_action_is_one_event_for_each_finding"),
    Claim::new("event Config Configuration Item Change",
        "CREATE, UPDATE and DELETE with the item, from the resource's own account and Region.",
        "AWS Config developer guide: Monitoring with EventBridge; Example notifications",
        "src/emulators/config/tests.rs::every_change_is_announced_in_the_resources_account_and_region"),
    Claim::new("event Config Configuration Item Change",
        "An item that is too large is only summed up.",
        "AWS Config developer guide: Example oversized configuration item change notification",
        "src/emulators/config/tests.rs::an_oversized_item_is_only_summed_up_in_its_event"),
    Claim::new("event Config Configuration Item Change",
        "A rule forwards it to the queue of the home account.",
        "AWS Config developer guide: Monitoring with EventBridge",
        "src/emulators/aws/tests.rs::a_deleted_resource_comes_to_the_queue_from_its_own_account"),
];
