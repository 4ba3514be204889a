//! The body of an answer of `event/report/details`, made while it is sent.

use bytes::Bytes;
use jiff::Timestamp;

use crate::event::Event;
use crate::range::{Range, ViewerDetails};
use crate::session::{Array, Session};
use crate::{record, sample, viewer_detail};

/// The size at which a chunk is full; what the last viewer's rows exceed it by comes on top.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// More than the rows of one viewer take.
const VIEWER_BYTES: usize = 16 * 1024;

/// What stands between the lives and the viewer details.
pub(crate) const BEFORE_VIEWER_DETAILS: &str = r#"],"viewerDetails":["#;

/// What stands between the viewer details and the interactions.
pub(crate) const BEFORE_INTERACTIONS: &str = r#"],"interactions":["#;

/// What is asked for, when, and under which id.
#[derive(Clone, Debug)]
pub struct Query {
    /// Which records are wanted.
    pub range: Range,
    /// What the totals cover.
    pub viewer_details: ViewerDetails,
    /// The time of the answer. What has not ended by then is not in it.
    pub now: Timestamp,
    /// The id of the request.
    pub request_id: String,
}

impl Query {
    /// Whether `session` is one of the records asked for.
    pub(crate) fn keeps(&self, session: &Session) -> bool {
        session.exists_at(self.now.as_second()) && self.range.contains(session.online)
    }

    /// Whether `session` counts in `viewerDetails`.
    pub(crate) fn counts(&self, session: &Session) -> bool {
        match self.viewer_details {
            ViewerDetails::Cumulative => session.exists_at(self.now.as_second()),
            ViewerDetails::PerRange => self.keeps(session),
        }
    }

    /// The body up to the first record.
    pub(crate) fn head(&self, event: u64) -> String {
        let now = self.now.as_millisecond();
        format!(
            r#"{{"timeStamp":{now},"code":200,"msg":"Successfully to get the event report details!","data":{{"eventId":{event},"report":{{"lives":["#
        )
    }

    /// The body from the last record on.
    pub(crate) fn tail(&self) -> String {
        let instant =
            |instant: Option<i64>| instant.map_or_else(|| "null".to_owned(), |instant| instant.to_string());
        let (start, end) = (instant(self.range.start), instant(self.range.end));
        format!(r#"]}},"startTime":{start},"endTime":{end}}},"requestId":"{}"}}"#, self.request_id)
    }
}

/// The body of the report of `event`, in chunks of about [`CHUNK_BYTES`], of which only one is in memory at a time.
pub fn report(event: Event, query: Query) -> impl Iterator<Item = Bytes> + Send + 'static {
    let first = if event.id == sample::SAMPLE_ID { Part::Sample } else { Part::Head };
    Chunks { event, query, next: Some(first), array_is_empty: true }
}

/// The chunks of a report. Each array walks the viewers anew, so that none has to be kept.
struct Chunks {
    event: Event,
    query: Query,
    /// What is to be written next, if anything.
    next: Option<Part>,
    /// Whether the array that is being written has no row yet.
    array_is_empty: bool,
}

/// A part of the body; in an array, the rows of the viewer of this number.
#[derive(Clone, Copy)]
enum Part {
    Head,
    Lives(u64),
    ViewerDetails(u64),
    Interactions(u64),
    Tail,
    /// The whole body of the vendor's own event.
    Sample,
}

impl Iterator for Chunks {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        self.next?;
        let mut chunk = Vec::with_capacity(CHUNK_BYTES + VIEWER_BYTES);
        while chunk.len() < CHUNK_BYTES
            && let Some(part) = self.next
        {
            self.next = self.write(part, &mut chunk);
        }
        Some(chunk.into())
    }
}

impl Chunks {
    /// Writes `part`, and says which follows.
    fn write(&mut self, part: Part, out: &mut Vec<u8>) -> Option<Part> {
        let viewers = self.event.viewer_count;
        let next = match part {
            Part::Head => self.open_array(out, &self.query.head(self.event.id), Part::Lives(0)),
            Part::Lives(viewer) if viewer < viewers => {
                self.records(out, viewer, Array::Lives);
                Part::Lives(viewer + 1)
            }
            Part::Lives(_) => self.open_array(out, BEFORE_VIEWER_DETAILS, Part::ViewerDetails(0)),
            Part::ViewerDetails(viewer) if viewer < viewers => {
                self.viewer_detail(out, viewer);
                Part::ViewerDetails(viewer + 1)
            }
            Part::ViewerDetails(_) => self.open_array(out, BEFORE_INTERACTIONS, Part::Interactions(0)),
            Part::Interactions(viewer) if viewer < viewers => {
                self.records(out, viewer, Array::Interactions);
                Part::Interactions(viewer + 1)
            }
            Part::Interactions(_) => Part::Tail,
            Part::Tail => {
                out.extend_from_slice(self.query.tail().as_bytes());
                return None;
            }
            Part::Sample => {
                out.extend_from_slice(&sample::report(&self.query));
                return None;
            }
        };
        Some(next)
    }

    /// Writes all that stands before an array whose first part is `first`.
    fn open_array(&mut self, out: &mut Vec<u8>, text: &str, first: Part) -> Part {
        out.extend_from_slice(text.as_bytes());
        self.array_is_empty = true;
        first
    }

    fn records(&mut self, out: &mut Vec<u8>, viewer: u64, array: Array) {
        let viewer = self.event.viewer(viewer);
        for session in &viewer.sessions {
            if session.array == array && self.query.keeps(session) {
                self.separate(out);
                record::write(out, &self.event, &viewer, session);
            }
        }
    }

    fn viewer_detail(&mut self, out: &mut Vec<u8>, viewer: u64) {
        let viewer = self.event.viewer(viewer);
        let counts = |session: &&Session| self.query.counts(session);
        let sessions: Vec<Session> = viewer.sessions.iter().filter(counts).copied().collect();
        if !sessions.is_empty() {
            self.separate(out);
            viewer_detail::write(out, &self.event, &viewer, &sessions);
        }
    }

    /// Writes the comma between two rows of an array.
    fn separate(&mut self, out: &mut Vec<u8>) {
        if !std::mem::take(&mut self.array_is_empty) {
            out.push(b',');
        }
    }
}
