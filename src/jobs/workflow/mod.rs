//! `asaf workflow`: the ticket workflow as code, from a reviewed file to a rule that was tried.

pub mod file;
