//! Telling people: what is told at once, what the weekly digest says, and how each message reaches its channel once.

pub mod chat;
pub mod deliver;
pub mod digest;
pub mod item;
pub mod message;
pub mod news;
pub mod policy;
pub mod route;
pub mod trend;
mod trouble;
pub mod wording;
