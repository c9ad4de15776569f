//! The same world, however it was filled.
#![allow(clippy::unwrap_used)]

use crate::clock::Clock;
use crate::emulators::world::World;

use super::{fill, found};

#[test]
fn what_is_cast_is_what_a_provider_would_have_imported() {
    let now = "2026-11-24T08:00:00Z".parse().unwrap();
    let world = || World::new(Clock::manual(now), "http://127.0.0.1:1");
    let (mut cast, mut imported) = (world(), world());
    fill(&mut cast, 30, 600, 7);
    fill(&mut imported, 30, 0, 7);
    let World { aws, journal, .. } = &mut imported;
    (aws.hub.announces, aws.config.announces) = (false, false);
    for one in found(30, 600, 7, now) {
        aws.hub
            .import(one.form.document(&one.place()), one.at, journal);
        one.item()
            .into_iter()
            .for_each(|item| aws.config.discover(item));
    }
    assert_eq!(cast.journal.entries, imported.journal.entries);
    let documents = |world: &World| world.aws.hub.iter().collect::<Vec<_>>();
    assert_eq!(documents(&cast).len(), 600);
    assert_eq!(documents(&cast), documents(&imported));
}
