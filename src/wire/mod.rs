//! The only place with foreign URLs and foreign JSON: HTTP clients of Security Hub, AWS Config, Organizations, SQS,
//! Jira and GitHub, with one budget and one retry layer, and what Jira and AWS send to us by themselves. Nothing here
//! decides what to do with a finding or a ticket.

pub mod adf;
pub mod alb;
pub mod aws;
pub mod budget;
pub mod counts;
pub mod coverage;
pub mod error;
pub mod events;
pub mod git;
pub mod github;
pub mod http;
pub mod inventory;
pub mod jira;
pub mod jwt;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod oidc;
pub mod probes;
pub mod rule_files;
mod security_hub;
pub mod signature;
pub mod slack;
pub mod sqs;
pub mod teams;
pub mod transport;
pub mod unread;

#[cfg(test)]
pub(crate) mod scripted;
