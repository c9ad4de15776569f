//! What the emulated Organizations claims to do.

use crate::emulators::claims::Claim;

/// Every operation that is answered.
pub fn operations() -> Vec<String> {
    super::OPERATIONS
        .iter()
        .map(|(name, ..)| (*name).to_owned())
        .collect()
}

/// What is claimed of them.
#[rustfmt::skip]
pub const CLAIMS: &[Claim] = &[
    Claim::new("ListAccounts",
        "At most 20 accounts a page.",
        "Organizations API: ListAccounts",
        "src/emulators/organizations/tests.rs::accounts_come_in_pages_of_at_most_twenty"),
    Claim::new("ListAccounts",
        "A page may be empty although its token leads on.",
        "Organizations API: ListAccounts",
        "src/emulators/organizations/tests.rs::an_empty_page_with_a_token_leads_on"),
    Claim::new("ListAccounts",
        "State (the newer word) and Status of each account.",
        "Organizations API: Account",
        "src/emulators/organizations/tests.rs::state_and_status_tell_what_became_of_an_account"),
    Claim::new("ListAccounts",
        "Only for the management account and a delegated administrator.",
        "Organizations API: ListAccounts",
        "src/emulators/organizations/tests.rs::only_the_management_account_and_the_delegated_administrator_may_ask"),
    Claim::new("ListAccounts",
        "Every operation has its documented rate, per account and per organisation; beyond it TooManyRequestsException.",
        "Organizations user guide: Quotas, throttling limits",
        "src/emulators/organizations/tests.rs::each_operation_has_its_own_rate"),
    Claim::new("DescribeAccount",
        "One account with its path; others are AccountNotFoundException.",
        "Organizations API: DescribeAccount",
        "src/emulators/organizations/tests.rs::the_tree_leads_from_the_root_to_every_account"),
    Claim::new("ListTagsForResource",
        "Tags of an account, none of units and the root; others are TargetNotFoundException.",
        "Organizations API: ListTagsForResource",
        "src/emulators/organizations/tests.rs::tags_are_those_of_the_account_and_units_have_none"),
    Claim::new("ListParents",
        "The parent of an account or unit.",
        "Organizations API: ListParents",
        "src/emulators/organizations/tests.rs::the_tree_leads_from_the_root_to_every_account"),
    Claim::new("ListRoots",
        "The one root.",
        "Organizations API: ListRoots",
        "src/emulators/organizations/tests.rs::the_tree_leads_from_the_root_to_every_account"),
    Claim::new("ListOrganizationalUnitsForParent",
        "The units directly in a root or unit.",
        "Organizations API: ListOrganizationalUnitsForParent",
        "src/emulators/organizations/tests.rs::the_tree_leads_from_the_root_to_every_account"),
    Claim::new("ListAccountsForParent",
        "The accounts directly in a root or unit.",
        "Organizations API: ListAccountsForParent",
        "src/emulators/organizations/tests.rs::the_tree_leads_from_the_root_to_every_account"),
    Claim::new("DescribeOrganizationalUnit",
        "A unit with its path.",
        "Organizations API: DescribeOrganizationalUnit",
        "src/emulators/organizations/tests.rs::the_tree_leads_from_the_root_to_every_account"),
    Claim::new("DescribeOrganization",
        "For every account of the organisation.",
        "Organizations API: DescribeOrganization",
        "src/emulators/organizations/tests.rs::only_the_management_account_and_the_delegated_administrator_may_ask"),
    Claim::new("ListParents",
        "What does not exist is refused by name.",
        "Organizations API: Common errors",
        "src/emulators/organizations/tests.rs::what_does_not_exist_is_refused_by_name"),
];
