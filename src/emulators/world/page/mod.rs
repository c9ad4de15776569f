//! x
use super::World;
use crate::emulators::{Request, Response};
pub(super) fn answer(_: &mut World, _: &Request) -> Option<Response> {
    None
}
