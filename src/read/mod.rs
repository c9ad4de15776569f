//! From a scope to a [`snapshot::Snapshot`]: what both sides say now, and which parts of it were read completely.

pub mod files;
pub mod snapshot;
