//! What Organizations said last: names, units and tags of accounts are asked for once a day.

use std::future::Future;

use super::StoreError;
use crate::model::owner::Organisation;

/// Remembers the organisation.
pub trait OrganisationMemory: Sync {
    /// As it was read last.
    fn organisation(&self)
    -> impl Future<Output = Result<Option<Organisation>, StoreError>> + Send;

    /// Replaces what was read before.
    fn put_organisation(
        &self,
        organisation: &Organisation,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
