//! Answers of any size: the simulator's events with a given number of viewers.

use std::error::Error;
use std::io::{self, BufWriter, Write};

use simulator::{Event, Query, Range, ViewerDetails, Viewers, World, WorldOptions, report};

use crate::Outcome;

/// Writes the whole report of an event that is long over.
pub(crate) fn write(viewers: u64) -> Outcome {
    let mut out = BufWriter::new(io::stdout().lock());
    let event = events(1, viewers).next().ok_or("no event has viewers")?;
    for chunk in report(event, everything()?) {
        out.write_all(&chunk)?;
    }
    out.flush()?;
    Ok(())
}

/// This many events, each with this many viewers.
pub(crate) fn events(events: usize, viewers: u64) -> impl Iterator<Item = Event> {
    // Some events were cancelled, and have no viewers.
    let enough = 40 + 2 * events as u64;
    let options =
        WorldOptions { events: enough, viewers: Viewers::Exactly(viewers), ..WorldOptions::default() };
    let all: Vec<Event> = World::new(options).events().collect();
    all.into_iter().filter(move |event| event.viewer_count == viewers).take(events)
}

/// A request for a whole report, long after the event.
pub(crate) fn everything() -> Result<Query, Box<dyn Error>> {
    Ok(Query {
        range: Range::default(),
        live_type: None,
        viewer_details: ViewerDetails::default(),
        now: "2023-01-01T00:00:00Z".parse()?,
        request_id: "1".to_owned(),
    })
}
