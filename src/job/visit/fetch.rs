//! Fetches a day in windows, or a snapshot, until it is answered, owed, or left.

use std::sync::atomic::Ordering;

use jiff::Timestamp;
use jiff::civil::Date;

use super::Visiting;
use super::archiving::Archiving;
use super::days::Task;
use super::intake::{Fetched, Intake};
use super::wanted::Wanted;
use crate::error::{Error, Kind, Result};
use crate::extract::retry::Attempts;
use crate::extract::window::{self, Window};
use crate::load::cell::Source;

impl Visiting<'_> {
    /// Asks for a day, or for the snapshot, and begins to stage the answer. What fails is owed, and does not stop the rest.
    pub(super) async fn pull_task(&mut self, task: Task) -> Result<()> {
        if let Task::Day(day) = task {
            self.asked.insert(day);
            if self.shortfall.is_hopeless() {
                self.shortfall.owe(task);
                return Ok(());
            }
        }
        let fetched = match task {
            Task::Day(day) => self.fetch_day(day).await,
            Task::Snapshot => self.fetch_snapshot().await,
        };
        let staged = match fetched {
            Ok(Some(fetched)) => self.stage(task, fetched).await,
            Ok(None) => {
                self.shortfall.is_left = true;
                self.shortfall.owe(task);
                return Ok(());
            }
            Err(error) => {
                self.shortfall.owe(task);
                if is_final(&error) {
                    return Err(error);
                }
                self.shortfall.give_up();
                self.fail(task.named(error));
                return Ok(());
            }
        };
        match staged {
            Ok(()) => self.shortfall.note_answer(),
            Err(error) => {
                self.shortfall.owe(task);
                self.fail(task.named(error));
            }
        }
        Ok(())
    }

    /// Fetches a day; `None` if there is no time left. If an answer takes too long or is too large, the day is started over in
    /// windows half as long. If the run's time ends amid that, the next visit goes on there.
    async fn fetch_day(&mut self, day: Date) -> Result<Option<Fetched>> {
        let began_with = self.ledger.owed.pieces.get(&day).copied().filter(|pieces| *pieces > 0).unwrap_or(1);
        let (mut pieces, requests) = (began_with, self.vendor.used().requests);
        let outcome = self.fetch_in_pieces(day, &mut pieces).await;
        // What the next visit begins with, if the day is still owed then.
        let next = match &outcome {
            Ok(Some(_)) => pieces,
            Ok(None) if pieces > began_with => pieces,
            // There was no time for all of them: fewer may succeed by now.
            Ok(None) if self.vendor.used().requests > requests => pieces / 2,
            Err(error) if error.kind() == Kind::TooLarge => pieces,
            // Not even the shortest window was answered: the size of the answer was not the reason.
            Err(error) if error.kind() == Kind::Timeout => 1,
            Ok(None) | Err(_) => began_with,
        };
        if next > 1 || began_with > 1 {
            self.shortfall.owed.pieces.insert(day, next.max(1));
        }
        outcome
    }

    async fn fetch_in_pieces(&mut self, day: Date, pieces: &mut u32) -> Result<Option<Fetched>> {
        let zone = &self.context.lake.settings.zone;
        let before = self.known.get(&day).and_then(|before| before.accepted_at);
        let mut windows = window::split(zone, day, *pieces)?;
        if windows.is_none() {
            // No day was ever requested in this many windows: the ledger was changed by hand.
            *pieces = 1;
            windows = window::split(zone, day, *pieces)?;
        }
        let mut windows = windows.unwrap_or_default();
        loop {
            let asked: Vec<Option<Window>> = windows.iter().copied().map(Some).collect();
            let error = match self.fetch(self.wanted(Source::Windows), day, &asked, before).await {
                Ok(Some(fetched)) => {
                    self.figures.windows.extend(windows.iter().map(Window::asked));
                    return Ok(Some(fetched));
                }
                Err(error) if needs_shorter_windows(&error) => error,
                outcome => return outcome,
            };
            windows = match window::split(zone, day, *pieces * 2)? {
                Some(windows) => windows,
                None => return Err(error),
            };
            *pieces *= 2;
        }
    }

    /// Fetches the snapshot; `None` if there is no time left.
    async fn fetch_snapshot(&self) -> Result<Option<Fetched>> {
        let before = self.ledger.snapshot.and_then(|before| before.accepted_at);
        self.fetch(self.wanted(Source::Snapshot), self.event_day, &[None], before).await
    }

    /// Fetches a snapshot of which only the count of each day is used; `None` if there is no time left.
    pub(super) async fn count_days(&self) -> Result<Option<Fetched>> {
        self.fetch_restarting(self.wanted(Source::Snapshot), self.event_day, &[None], || None).await
    }

    /// Fetches all of these windows, and archives the answers; `None` if there is no time left. `accepted_before` is when a user
    /// last accepted fewer rows.
    async fn fetch(
        &self,
        wanted: Wanted,
        day: Date,
        windows: &[Option<Window>],
        accepted_before: Option<Timestamp>,
    ) -> Result<Option<Fetched>> {
        let accepted_at = self.accepted_at(day, accepted_before);
        let source = wanted.source;
        let archiving = || {
            let attempt = self.attempt.fetch_add(1, Ordering::Relaxed);
            let new =
                || Archiving::new(self.context, &self.visit_id, source, day, windows, accepted_at, attempt);
            self.context.archive.then(new)
        };
        self.fetch_restarting(wanted, day, windows, archiving).await
    }

    /// Fetches all of these windows. If an answer fails after rows of it were written, all of them are requested again; any other
    /// failed request is repeated by itself.
    async fn fetch_restarting<'a>(
        &self,
        wanted: Wanted,
        day: Date,
        windows: &[Option<Window>],
        archiving: impl Fn() -> Option<Archiving<'a>>,
    ) -> Result<Option<Fetched>> {
        let mut restarts = self.attempts();
        loop {
            let mut intake = Intake::new(self.context, &self.visit_id, wanted.clone(), day);
            let mut archiving = archiving();
            let outcome = self.fetch_windows(&mut intake, windows, archiving.as_mut()).await;
            if let Ok(true) = outcome {
                return intake.finish().map(Some);
            }
            if let Some(archiving) = archiving {
                archiving.abandon().await?;
            }
            let Err(error) = outcome else { return restarts.last().map_or(Ok(None), Err) };
            if !intake.is_spoiled() || windows != [None] && needs_shorter_windows(&error) {
                return Err(error);
            }
            restarts.pause(error, self.context.client.now()).await?;
        }
    }

    /// Requests these windows, one after the other. False if there is no time left; but if a request had failed by itself before
    /// that, its error: otherwise, an event for which the vendor never answers would be left by every run, and would never fail.
    async fn fetch_windows(
        &self,
        intake: &mut Intake,
        windows: &[Option<Window>],
        mut archiving: Option<&mut Archiving<'_>>,
    ) -> Result<bool> {
        let client = &self.context.client;
        for (at, window) in windows.iter().enumerate() {
            let mut attempts = self.attempts();
            loop {
                if client.is_out_of_time() {
                    return attempts.last().map_or(Ok(false), Err);
                }
                // Boxed: otherwise the future of the whole visit would hold all of it.
                let request = Box::pin(self.request(intake, at, *window, archiving.as_deref_mut()));
                let Err(error) = request.await else { break };
                if client.is_out_of_time() {
                    return attempts.last().map_or(Ok(false), Err);
                }
                let error = match window {
                    Some(window) => error.with("window", format!("[{}, {})", window.from, window.to)),
                    None => error,
                };
                if intake.is_spoiled() || window.is_some() && needs_shorter_windows(&error) {
                    return Err(error);
                }
                attempts.pause(error, client.now()).await?;
            }
        }
        Ok(true)
    }

    /// Requests a window, or everything, and adds the answer: one attempt.
    async fn request(
        &self,
        intake: &mut Intake,
        at: usize,
        window: Option<Window>,
        archiving: Option<&mut Archiving<'_>>,
    ) -> Result<()> {
        let answer = self.vendor.report(self.visit_id.event_id, window).await?;
        let archive = match archiving {
            Some(archiving) => Some(archiving.begin(at, window).await?),
            None => None,
        };
        intake.add_answer(answer, window, archive).await
    }

    /// A count of attempts at one request; only a few are allowed after others were given up.
    fn attempts(&self) -> Attempts<'_> {
        let attempts = self.vendor.attempts();
        if self.shortfall.is_doubtful() { attempts.few() } else { attempts }
    }
}

/// Whether the answer to a shorter window may succeed where this one failed.
fn needs_shorter_windows(error: &Error) -> bool {
    matches!(error.kind(), Kind::TooLarge | Kind::Timeout)
}

/// Whether asking this event for anything else would fail in the same way.
fn is_final(error: &Error) -> bool {
    matches!(error.kind(), Kind::Credentials | Kind::UnknownEvent | Kind::Unreachable)
}
