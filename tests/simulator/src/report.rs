//! The body of an answer of `event/report/details`, made while it is sent.

use bytes::Bytes;

use crate::event::Event;
use crate::query::Query;
use crate::quirks::{Oddity, Quirks, ReportArray};
use crate::range::Range;
use crate::session::{Array, Session};
use crate::viewer::Viewer;
use crate::{record, sample, viewer_detail};

/// The size at which a chunk is full; the last viewer's rows may exceed it.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// More than the rows of one viewer take.
const VIEWER_BYTES: usize = 16 * 1024;

/// An array that the vendor's page does not know.
const UNKNOWN_ARRAY: &str = r#","polls":[{"pollId":1,"options":["a","b"]}]"#;

/// The body of the report of `event`, in chunks of about [`CHUNK_BYTES`], of which only one is in memory at a time.
pub fn report(event: Event, query: Query) -> impl Iterator<Item = Bytes> + Send + 'static {
    quirky_report(event, query, Quirks::default())
}

/// Like [`report()`], with `quirks`.
pub fn quirky_report(
    event: Event,
    query: Query,
    quirks: Quirks,
) -> impl Iterator<Item = Bytes> + Send + 'static {
    let first = if event.id == sample::SAMPLE_ID { Part::Sample } else { Part::Head };
    Chunks { event, query, quirks, next: Some(first), is_first: true, rows: 0, written: 0 }
}

/// The chunks of a report. Each array walks the viewers anew, so that none has to be kept.
struct Chunks {
    event: Event,
    query: Query,
    quirks: Quirks,
    /// What is to be written next, if anything.
    next: Option<Part>,
    /// Whether the array, or the report, that is being written has nothing in it yet.
    is_first: bool,
    /// How many rows the array has so far, including those that the query leaves out.
    rows: u64,
    /// How many of them were written.
    written: u64,
}

/// A part of the body; in an array, the rows of the viewer with this number.
#[derive(Clone, Copy)]
enum Part {
    Head,
    Open(ReportArray),
    Rows(ReportArray, u64),
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
        match part {
            Part::Head => {
                out.extend_from_slice(self.query.head(self.event.id, self.quirks.envelope).as_bytes());
                Some(Part::Open(ReportArray::Lives))
            }
            Part::Open(array) => Some(self.open(out, array)),
            Part::Rows(array, number) if number < viewers => {
                self.viewer(out, array, number);
                Some(Part::Rows(array, number + 1))
            }
            Part::Rows(array, _) => {
                let end = match (self.is_first, self.quirks.null_if_empty) {
                    (false, _) => "]",
                    (true, false) => "[]",
                    (true, true) => "null",
                };
                out.extend_from_slice(end.as_bytes());
                self.is_first = false;
                Some(after(array))
            }
            Part::Tail => {
                if self.quirks.unknown_fields.is_some() {
                    let comma = usize::from(self.is_first);
                    out.extend(UNKNOWN_ARRAY.bytes().skip(comma));
                }
                out.extend_from_slice(self.query.tail(self.quirks.envelope).as_bytes());
                None
            }
            Part::Sample => {
                out.extend_from_slice(&sample::report(&self.query));
                None
            }
        }
    }

    /// Writes the key of `array`, and says which part follows.
    fn open(&mut self, out: &mut Vec<u8>, array: ReportArray) -> Part {
        if self.quirks.missing_array == Some(array) {
            return after(array);
        }
        self.separate(out);
        out.push(b'"');
        out.extend_from_slice(array.key().as_bytes());
        out.extend_from_slice(b"\":");
        if self.quirks.null_array == Some(array) {
            out.extend_from_slice(b"null");
            return after(array);
        }
        (self.is_first, self.rows, self.written) = (true, 0, 0);
        if self.quirks.unplaceable.is_some() && array == ReportArray::Lives && self.event.viewer_count > 0 {
            self.begin_row(out);
            out.extend_from_slice(b"\"lost\"");
        }
        Part::Rows(array, 0)
    }

    /// Writes the rows in `array` of the viewer `number`, in the order in which they are to stand.
    fn viewer(&mut self, out: &mut Vec<u8>, array: ReportArray, number: u64) {
        let number = if self.quirks.shuffled { self.event.viewer_count - 1 - number } else { number };
        let mut viewer = self.event.viewer(number);
        match array {
            ReportArray::ViewerDetails => self.viewer_detail(out, &viewer),
            ReportArray::Lives | ReportArray::Interactions => {
                if self.quirks.shuffled {
                    viewer.sessions.reverse();
                }
                self.records(out, &viewer, array);
            }
        }
    }

    fn records(&mut self, out: &mut Vec<u8>, viewer: &Viewer, array: ReportArray) {
        let in_lives = array == ReportArray::Lives;
        for session in viewer.sessions.iter().filter(|session| (session.array == Array::Lives) == in_lives) {
            let odd = self.row(array);
            let exists = session.exists_at(self.query.now.as_second());
            let is_whole = matches!(self.query.range, Range { start: None, end: None, .. });
            if self.quirks.contradicting && is_whole && in_lives && self.rows == 1 {
                continue;
            }
            if (self.query.keeps(session) || odd.unplaceable && exists) && self.has_room() {
                self.begin_row(out);
                record::write(out, &self.event, viewer, session, odd);
            }
        }
    }

    fn viewer_detail(&mut self, out: &mut Vec<u8>, viewer: &Viewer) {
        let odd = self.row(ReportArray::ViewerDetails);
        let counts = |session: &&Session| self.query.counts(session);
        let sessions: Vec<Session> = viewer.sessions.iter().filter(counts).copied().collect();
        if !sessions.is_empty() && self.has_room() {
            self.begin_row(out);
            viewer_detail::write(out, &self.event, viewer, &sessions, odd);
        }
    }

    /// Counts one more row of `array`, and says what is odd about it.
    fn row(&mut self, array: ReportArray) -> Oddity {
        self.rows += 1;
        self.quirks.of_row(array, self.rows)
    }

    /// Whether the array takes one more row, which is then written.
    fn has_room(&mut self) -> bool {
        let has_room = self.quirks.most_rows.is_none_or(|most| self.written < most);
        self.written += u64::from(has_room);
        has_room
    }

    /// Writes what stands before a row: the comma, or what opens the array.
    fn begin_row(&mut self, out: &mut Vec<u8>) {
        out.push(if std::mem::take(&mut self.is_first) { b'[' } else { b',' });
    }

    /// Writes the comma between two arrays.
    fn separate(&mut self, out: &mut Vec<u8>) {
        if !std::mem::take(&mut self.is_first) {
            out.push(b',');
        }
    }
}

/// What follows `array` in the order of the sample.
fn after(array: ReportArray) -> Part {
    match array {
        ReportArray::Lives => Part::Open(ReportArray::ViewerDetails),
        ReportArray::ViewerDetails => Part::Open(ReportArray::Interactions),
        ReportArray::Interactions => Part::Tail,
    }
}
