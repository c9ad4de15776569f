//! What this emulator claims to do.

use crate::emulators::claims::Claim;

/// The claims.
pub const CLAIMS: &[Claim] = &[];
