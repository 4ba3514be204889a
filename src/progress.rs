//! What is shown while a run lasts: a bar on a terminal, log lines elsewhere, both on standard error.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{BinaryBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Until it is known how much there is to do.
const SPINNER: &str = "{spinner} {msg}  {prefix}";
/// Then.
const BAR: &str = "{spinner} {msg:10} {bar:30} {pos}/{len}  {prefix}  {eta} left";

/// Progress of one run.
#[derive(Clone)]
pub struct Progress {
    bar: ProgressBar,
    rows: Arc<AtomicU64>,
    bytes: Arc<AtomicU64>,
}

impl Progress {
    /// Log lines alone.
    #[must_use]
    pub fn hidden() -> Self {
        Self::over(ProgressDrawTarget::hidden())
    }

    /// A bar on standard error.
    #[must_use]
    pub fn shown() -> Self {
        Self::over(ProgressDrawTarget::stderr())
    }

    fn over(target: ProgressDrawTarget) -> Self {
        let bar = ProgressBar::with_draw_target(None, target);
        let progress = Self { bar, rows: Arc::default(), bytes: Arc::default() };
        progress.begin("working", SPINNER);
        progress
    }

    /// The rosters are asked for.
    pub(crate) fn listing(&self) {
        self.begin("asking for the roster", SPINNER);
    }

    /// So many events are visited from now on.
    pub(crate) fn events(&self, events: usize) {
        tracing::info!(events, "events are due");
        self.begin("visits", BAR);
        self.bar.set_length(events as u64);
    }

    /// Rows have come; of an answer that is asked for again they come twice.
    pub(crate) fn received(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
        self.show();
    }

    /// One event was visited.
    pub(crate) fn visited(&self, event_id: i64, rows: u64, bytes: u64) {
        tracing::info!(event_id, rows, bytes, "visited");
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.show();
        self.bar.inc(1);
    }

    /// All visits are done.
    pub(crate) fn publishing(&self) {
        tracing::info!("publishing");
        self.begin("looking for what is staged", SPINNER);
    }

    /// So many of these days are published, or pages written.
    pub(crate) fn at(&self, what: &'static str, done: usize, all: usize) {
        if done == 0 {
            self.begin(what, BAR);
        }
        self.bar.set_length(all as u64);
        self.bar.set_position(done as u64);
    }

    /// The run is done.
    pub(crate) fn done(&self) {
        self.bar.finish_and_clear();
    }

    fn begin(&self, what: &'static str, template: &str) {
        // A template that cannot be read leaves the bar as it was.
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.reset();
        self.bar.set_message(what);
        self.show();
    }

    fn show(&self) {
        let (rows, bytes) = (self.rows.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        if rows > 0 {
            self.bar.set_prefix(format!("{} rows, {}", HumanCount(rows), BinaryBytes(bytes)));
        }
    }
}
