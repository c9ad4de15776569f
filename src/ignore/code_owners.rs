//! code_owners
