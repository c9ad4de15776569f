//! One file per use: each is what one command or one scheduled job does, from typed arguments to an exit code.

pub mod config;
pub mod init;
