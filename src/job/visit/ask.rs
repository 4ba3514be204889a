//! Asking: a day in windows, or a snapshot, until it is answered, owed, or left.

use jiff::civil::Date;

use super::Visiting;
use super::intake::{Intake, Taken};
use crate::error::{Error, Kind, Result};
use crate::extract::window::{self, Window};

impl Visiting<'_> {
    /// Asks for a day and stages what came. A day that fails is owed; the others do not wait for it.
    pub(super) async fn pull_day(&mut self, day: Date) -> Result<()> {
        self.asked.insert(day);
        match self.take_day(day).await {
            Ok(Some(taken)) => match self.stage_day(day, taken).await {
                Ok(()) => return Ok(()),
                Err(error) => self.fail(error.with("day", day)),
            },
            Ok(None) => self.is_left = true,
            Err(error) if is_final(&error) => return Err(error),
            Err(error) => self.fail(error.with("day", day)),
        }
        self.owed.days.insert(day);
        Ok(())
    }

    /// The answers for a day; none where there is no time left. Where one takes too long or is too large, the day is
    /// started anew in halves.
    async fn take_day(&mut self, day: Date) -> Result<Option<Taken>> {
        let zone = &self.context.lake.zone;
        let mut attempts = self.context.client.attempts(self.usage);
        let mut pieces = 1;
        let mut windows = window::split(zone, day, pieces)?.unwrap_or_default();
        loop {
            if self.context.client.is_out_of_time() {
                return Ok(None);
            }
            let mut intake = Intake::of_day(&self.context.store, &self.visitor, self.setting(), day);
            let outcome = async {
                for window in &windows {
                    let asked = intake.ask(&self.context.client, self.usage, Some(*window)).await;
                    asked
                        .map_err(|error| error.with("window", format!("[{}, {})", window.from, window.to)))?;
                }
                intake.finish().await
            };
            match outcome.await {
                Ok(taken) => {
                    self.figures.windows.extend(windows.iter().map(Window::asked));
                    return Ok(Some(taken));
                }
                Err(error) if matches!(error.kind(), Kind::TooLarge | Kind::Timeout) => {
                    pieces *= 2;
                    windows = match window::split(zone, day, pieces)? {
                        Some(halves) => halves,
                        None => return Err(error),
                    };
                }
                Err(error) => attempts.pause(error).await?,
            }
        }
    }

    pub(super) async fn pull_snapshot(&mut self) -> Result<()> {
        match self.take_snapshot().await {
            Ok(Some(taken)) => match self.stage_snapshot(taken).await {
                Ok(()) => return Ok(()),
                Err(error) => self.fail(error.with("window", "snapshot")),
            },
            Ok(None) => self.is_left = true,
            Err(error) if is_final(&error) => return Err(error),
            Err(error) => self.fail(error.with("window", "snapshot")),
        }
        self.owed.snapshot = true;
        Ok(())
    }

    pub(super) async fn take_snapshot(&self) -> Result<Option<Taken>> {
        let mut attempts = self.context.client.attempts(self.usage);
        loop {
            if self.context.client.is_out_of_time() {
                return Ok(None);
            }
            let mut intake =
                Intake::of_snapshot(&self.context.store, &self.visitor, self.setting(), self.event_day);
            let outcome = async {
                intake.ask(&self.context.client, self.usage, None).await?;
                intake.finish().await
            };
            match outcome.await {
                Ok(taken) => return Ok(Some(taken)),
                Err(error) => attempts.pause(error).await?,
            }
        }
    }
}

/// Whether asking this event for anything else would fail in the same way.
fn is_final(error: &Error) -> bool {
    matches!(error.kind(), Kind::Credentials | Kind::UnknownEvent | Kind::Refused)
}
