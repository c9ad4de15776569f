//! What people read in Slack, told as stories: at once when it burns, once however often it is tried, in the right
//! channel, and once a week in numbers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod at_once;
mod digests;
mod ending;
mod golden;
mod late;
mod outages;
#[path = "../scene/mod.rs"]
mod scene;
mod teams;
mod told;
