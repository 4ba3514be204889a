//! What the vendor says in two ways, and what only looks so.

use rollcall::job::selection::Selection;
use simulator::{Quirks, ServerOptions};

use crate::faults::{busiest, faults};
use crate::status::{names, now, status_of, synced};
use crate::support::command::Desk;
use crate::support::run::{HOUR, config, server_at, small_world, sync};

#[tokio::test]
async fn what_the_vendor_says_in_two_ways_is_a_note_and_needs_nobody() {
    let quirks = Quirks { contradicting: true, ..Quirks::default() };
    let (desk, world) = synced(ServerOptions { quirks, ..ServerOptions::default() }, now()).await;
    let status = status_of(&world, &desk.store(), now() + HOUR).await.unwrap();
    let differing: Vec<_> = status.notes.iter().filter(|note| note.name == "differing").collect();
    assert!(status.ok && status.lake.checks.days_differing > 2, "{status}");
    assert_eq!(differing.len(), 1, "{status}");
    assert_eq!(differing[0].events.len() as u64, status.lake.checks.days_differing, "a day of each event");
    assert_eq!(status.lake.checks.sums_differing, 0, "{status}");

    let quirks = Quirks { unplaceable: Some(5), ..Quirks::default() };
    let (desk, world) = synced(ServerOptions { quirks, ..ServerOptions::default() }, now()).await;
    let status = status_of(&world, &desk.store(), now() + HOUR).await.unwrap();
    assert!(status.ok, "{status}");
    assert!(status.lake.checks.rejects > 0);
    assert!(names(&status.notes).contains(&"rejects"), "{status}");
    // What is rejected is in the vendor's own sums.
    assert!(status.lake.checks.sums_differing > 0 && names(&status.notes).contains(&"sums"), "{status}");
    let said = " found records that have no day: the table `rejects` keeps them whole, once for each answer";
    assert!(status.to_string().contains(said), "{status}");
}

#[tokio::test]
async fn a_day_that_is_owed_is_not_called_a_contradiction_of_the_vendors() {
    let world = small_world(8);
    let (event, day) = busiest();
    let options = faults(&[&format!("code=400@day:{event}:{day}")]);
    let desk = Desk::new();
    let server = server_at(now(), &world, options);
    let report = sync(config(&server, &desk.store()), now(), Selection::default()).await.unwrap();
    assert!(report.owed[&event].contains(&day.to_string()), "{:?}", report.owed);
    let status = status_of(&world, &desk.store(), now() + HOUR).await.unwrap();
    let checks = &status.lake.checks;
    assert!(checks.visited > 2 && (checks.days_differing, checks.sums_differing) == (0, 0), "{status}");
}
