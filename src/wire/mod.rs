//! The only place with foreign URLs and foreign JSON: HTTP clients of Security Hub, AWS Config, Organizations,
//! Jira and GitHub, with one budget and one retry layer. Nothing here decides what to do with a finding or a ticket.

pub mod adf;
pub mod aws;
pub mod budget;
pub mod counts;
pub mod error;
pub mod git;
pub mod github;
pub mod http;
mod inventory;
pub mod jira;
pub mod rule_files;
mod security_hub;
pub mod transport;

#[cfg(test)]
pub(crate) mod scripted;
