//! Ignoring by pull request, told as stories: product teams open one, security reviews and merges it or turns it down,
//! and what is merged is what is hidden, for as long as it says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "../scene/mod.rs"]
mod scene;

mod acts;
mod life;
mod live;
mod people;
mod shared;
mod source;
mod trouble;
mod units;
