//! What is shown during a run: a bar on a terminal, log lines elsewhere, both on standard error.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{BinaryBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::load::ledger::visit::Outcome;

/// The template until it is known how much there is to do.
const SPINNER: &str = "{spinner} {msg}  {prefix}";
/// The template once it is known how much there is to do.
const BAR: &str = "{spinner} {msg:10} {bar:30} {pos}/{len}  {prefix}  {eta} left";

/// How often the spinner moves, so that a run that waits does not look dead.
const TICK: Duration = Duration::from_millis(200);

/// Progress of one run.
#[derive(Clone)]
pub struct Progress {
    bar: ProgressBar,
    rows: Arc<AtomicU64>,
    bytes: Arc<AtomicU64>,
}

impl Progress {
    /// Log lines only, without a bar.
    #[must_use]
    pub fn hidden() -> Self {
        Self::over(ProgressDrawTarget::hidden())
    }

    /// A bar on standard error.
    #[must_use]
    pub fn shown() -> Self {
        let progress = Self::over(ProgressDrawTarget::stderr());
        progress.bar.enable_steady_tick(TICK);
        progress
    }

    fn over(target: ProgressDrawTarget) -> Self {
        let bar = ProgressBar::with_draw_target(None, target);
        let progress = Self { bar, rows: Arc::default(), bytes: Arc::default() };
        progress.begin("working", SPINNER);
        progress
    }

    /// The rosters are being read.
    pub(crate) fn listing(&self) {
        self.begin("reading the roster", SPINNER);
    }

    /// The visits of this many events begin.
    pub(crate) fn events(&self, events: usize) {
        tracing::info!(events, "events are due");
        self.begin("visits", BAR);
        self.bar.set_length(events as u64);
    }

    /// Rows have arrived. Those of an answer that is asked for again count twice.
    pub(crate) fn received(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
        self.show();
    }

    /// A visit begins. If the process is killed amid it, its log names the event.
    pub(crate) fn visiting(&self, event_id: i64) {
        tracing::info!(event_id, "visiting");
        self.show();
    }

    /// One event has been visited.
    pub(crate) fn visited(&self, event_id: i64, outcome: Outcome, rows: u64, bytes: u64) {
        tracing::info!(event_id, outcome = outcome.name(), rows, bytes, "visited");
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.show();
        self.bar.inc(1);
    }

    /// The visits are done, and publishing begins.
    pub(crate) fn publishing(&self) {
        tracing::info!("publishing");
        self.begin("looking for staged files", SPINNER);
    }

    /// Of `all` days or pages, `done` have been published or written.
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
