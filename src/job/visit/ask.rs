//! Asking: a day in windows, or a snapshot, until it is answered, owed, or left.

use jiff::civil::Date;

use super::Visiting;
use super::intake::{Intake, Taken};
use super::kept::Kept;
use crate::error::{Error, Kind, Result};
use crate::extract::window::{self, Window};

impl Visiting<'_> {
    /// Asks for a day and stages what came. A day that fails is owed; the others do not wait for it.
    pub(super) async fn pull_day(&mut self, day: Date) -> Result<()> {
        self.asked.insert(day);
        if self.given_up >= GIVEN_UP {
            self.owed.days.insert(day);
            return Ok(());
        }
        match self.take_day(day).await {
            Ok(Some(taken)) => match self.stage_day(day, taken).await {
                Ok(()) => {
                    self.given_up = 0;
                    return Ok(());
                }
                Err(error) => self.fail(error.with("day", day)),
            },
            Ok(None) => self.is_left = true,
            Err(error) if is_final(&error) => {
                self.owed.days.insert(day);
                return Err(error);
            }
            Err(error) => {
                self.given_up += 1;
                self.fail(error.with("day", day));
            }
        }
        self.owed.days.insert(day);
        Ok(())
    }

    /// The answers for a day; none where there is no time left. Where one takes too long or is too large, the day is
    /// started anew in halves.
    async fn take_day(&mut self, day: Date) -> Result<Option<Taken>> {
        let zone = &self.context.lake.zone;
        let mut pieces = 1;
        let mut windows = window::split(zone, day, pieces)?.unwrap_or_default();
        loop {
            let asked: Vec<Option<Window>> = windows.iter().copied().map(Some).collect();
            let error = match self.take(Kept::Windows(self.setting()), day, &asked).await {
                Ok(Some(taken)) => {
                    self.figures.windows.extend(windows.iter().map(Window::asked));
                    return Ok(Some(taken));
                }
                Ok(None) => return Ok(None),
                Err(error) if halves(&error) => error,
                Err(error) => return Err(error),
            };
            pieces *= 2;
            windows = match window::split(zone, day, pieces)? {
                Some(windows) => windows,
                None => return Err(error),
            };
        }
    }

    /// Asks for the snapshot and stages what came, or owes it.
    pub(super) async fn pull_snapshot(&mut self) -> Result<()> {
        match self.take_snapshot(self.event_day).await {
            Ok(Some(taken)) => match self.stage_snapshot(taken).await {
                Ok(()) => return Ok(()),
                Err(error) => self.fail(error.with("window", "snapshot")),
            },
            Ok(None) => self.is_left = true,
            Err(error) if is_final(&error) => return Err(error),
            Err(error) => {
                self.given_up += 1;
                self.fail(error.with("window", "snapshot"));
            }
        }
        self.owed.snapshot = true;
        Ok(())
    }

    /// The snapshot, for the event's day; none where there is no time left.
    pub(super) async fn take_snapshot(&self, event_day: Date) -> Result<Option<Taken>> {
        self.take(Kept::Snapshot(self.setting()), event_day, &[None]).await
    }

    /// The answers for all of these windows; none where there is no time left. An answer that fails is asked for again
    /// by itself, unless rows of it were written: then all are.
    async fn take(&self, kept: Kept, day: Date, windows: &[Option<Window>]) -> Result<Option<Taken>> {
        let client = &self.context.client;
        let new_attempts = || {
            let attempts = client.attempts(self.usage);
            if self.given_up > 0 { attempts.few() } else { attempts }
        };
        let mut beginnings = new_attempts();
        'anew: loop {
            let mut intake = Intake::new(self.context, &self.visitor, kept.clone(), day);
            for window in windows {
                let mut attempts = new_attempts();
                loop {
                    if client.is_out_of_time() {
                        return Ok(None);
                    }
                    let Err(error) = intake.ask(client, self.usage, *window).await else { break };
                    if client.is_out_of_time() {
                        return Ok(None);
                    }
                    let error = match window {
                        Some(window) => error.with("window", format!("[{}, {})", window.from, window.to)),
                        None => error,
                    };
                    if window.is_some() && halves(&error) {
                        return Err(error);
                    }
                    if intake.is_spoiled() {
                        beginnings.pause(error, client.now()).await?;
                        continue 'anew;
                    }
                    attempts.pause(error, client.now()).await?;
                }
            }
            return intake.finish().map(Some);
        }
    }
}

/// After so many requests in a row that were given up, the event is: what is not asked is owed.
const GIVEN_UP: u32 = 4;

/// Whether the answer to a shorter window may succeed where this one failed.
fn halves(error: &Error) -> bool {
    matches!(error.kind(), Kind::TooLarge | Kind::Timeout)
}

/// Whether asking this event for anything else would fail in the same way.
fn is_final(error: &Error) -> bool {
    matches!(error.kind(), Kind::Credentials | Kind::UnknownEvent | Kind::Refused)
}
