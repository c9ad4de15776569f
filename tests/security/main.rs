//! What must not be possible. Each story bears the number of its threat in docs/threat-model.md; the others stand where
//! their subject is, and that page links them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod authority;
mod canaries;
mod redirects;
#[path = "../scene/mod.rs"]
mod scene;
#[path = "../serving/mod.rs"]
mod serving;
