//! `asaf ignore sync`: the reconcile job, on the scope of what rules cover and covered.

use std::path::Path;

use crate::cli::{Exit, IgnoreSyncArgs};
use crate::jobs::reconcile::Wish;
use crate::jobs::sync::run_wish;
use crate::talk::Talk;

/// # Errors
/// As `asaf reconcile`.
pub(super) async fn run(args: &IgnoreSyncArgs, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    let release = (!args.dry_run).then_some(&args.release);
    run_wish(&Wish::Rules, release, args.output, path, talk).await
}
