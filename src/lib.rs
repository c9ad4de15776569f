//! `asaf` keeps AWS Security Hub findings and Jira tickets in step, both ways.
//!
//! ```text
//!  schedule ┐                                                              ┌ Security Hub workflow status
//!  webhook  ┼─▶ Scope ─▶ read ─▶ Snapshot ─▶ decide ─▶ Plan ─▶ limits ─▶ apply ┼ Jira tickets
//!  SQS      ┘          (+Coverage)        (pure)    (data)              └ store: links, receipts, audit, history
//! ```
//!
//! The modules stand in the order of the flow.

pub mod api;
pub mod apply;
pub mod caret;
pub mod cli;
pub mod clock;
pub mod config;
pub mod dashboard;
pub mod decide;
pub mod emulators;
pub mod figures;
pub mod ignore;
pub mod jobs;
pub mod model;
pub mod mutant;
pub mod notify;
pub mod plan;
pub mod ports;
pub mod read;
pub mod review;
pub mod store;
pub mod talk;
pub mod template;
pub mod wire;
