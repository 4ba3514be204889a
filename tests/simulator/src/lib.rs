//! The vendor's webinar-report API, simulated: for tests, demo and benchmarks.
//!
//! [`World`] is the pure core: events, their viewers and what they watched, all a function of a seed, without I/O
//! and without a clock. [`Server`] is a thin shell that answers the vendor's endpoints from it over HTTP.
//! [`report()`] is the body of the one answer that matters, as an iterator of chunks; [`Quirks`] make it odd, and a [`Fault`]
//! breaks any answer on its way.
//!
//! Instants are seconds since the epoch, as on the wire, unless a name or type says otherwise.

mod attendance;
mod draw;
mod event;
mod fault;
mod json;
mod local;
mod query;
mod quirks;
mod range;
mod record;
mod report;
mod sample;
mod server;
mod session;
mod totals;
mod viewer;
mod viewer_detail;
mod words;
mod world;

pub use event::Event;
pub use fault::{Fault, FaultKind, Frequency, Scope, When};
pub use query::Query;
pub use quirks::{Envelope, Quirks, ReportArray};
pub use range::{Range, RangeEnds, ViewerDetails};
pub use report::{CHUNK_BYTES, quirky_report, report};
pub use sample::{SAMPLE, SAMPLE_ID};
pub use server::{Clock, EmptyPage, PublicList, Request, Server, ServerOptions};
pub use session::{Array, Kind, Session};
pub use viewer::Viewer;
pub use world::{Viewers, World, WorldOptions};
