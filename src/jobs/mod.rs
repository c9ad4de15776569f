//! One file per use: each is what one command or one scheduled job does, from typed arguments to an exit code.

pub mod adopt;
pub mod config;
pub mod connect;
pub mod demo;
pub mod digest;
pub mod doctor;
pub mod emulate;
pub mod enforcement;
pub mod explain;
pub mod figures;
pub mod findings_check;
pub mod hook;
pub mod ignore;
mod ignoring;
pub mod init;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod live;
pub mod owners;
pub mod pause;
pub mod quarantine;
pub mod queue;
pub mod reconcile;
pub mod report;
pub mod review;
pub mod routing;
pub mod serve;
pub mod store;
pub mod sync;
pub mod tell;
pub mod template;
mod unfinished;
pub(crate) mod unread;
pub mod webhook;
pub mod workflow;
