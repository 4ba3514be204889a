//! What is shown while a run lasts: a bar on a terminal, log lines elsewhere, both on standard error.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const TEMPLATE: &str = "{spinner} {msg:12} {bar:30} {pos}/{len} events  {prefix} rows  {eta} left";

/// Progress of one run.
#[derive(Clone)]
pub struct Progress {
    bar: ProgressBar,
    rows: Arc<AtomicU64>,
}

impl Progress {
    /// Shows a bar where standard error is a terminal.
    #[must_use]
    pub fn new() -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        bar.set_prefix("0");
        bar.set_message("roster");
        Self { bar, rows: Arc::default() }
    }

    /// So many events are visited from now on.
    pub(crate) fn events(&self, events: usize) {
        tracing::info!(events, "events are due");
        self.bar.set_length(events as u64);
        self.bar.set_message("visits");
    }

    /// One event was visited.
    pub(crate) fn visited(&self, event_id: i64, rows: u64) {
        tracing::info!(event_id, rows, "visited");
        let rows = self.rows.fetch_add(rows, Ordering::Relaxed) + rows;
        self.bar.set_prefix(rows.to_string());
        self.bar.inc(1);
    }

    /// All visits are done.
    pub(crate) fn publishing(&self) {
        tracing::info!("publishing");
        self.bar.set_message("publishing");
    }

    /// The run is done.
    pub(crate) fn done(&self) {
        self.bar.finish_and_clear();
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}
