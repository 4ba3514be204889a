//! Asking: a day in windows, or a snapshot, until it is answered, owed, or left.

use std::sync::atomic::Ordering;

use jiff::Timestamp;
use jiff::civil::Date;

use super::Visiting;
use super::archiving::Archiving;
use super::intake::{Intake, Taken};
use super::wanted::Wanted;
use crate::error::{Error, Kind, Result};
use crate::extract::retry::Attempts;
use crate::extract::window::{self, Window};

impl Visiting<'_> {
    /// Asks for a day and begins to stage what came. A day that fails is owed; the others do not wait for it.
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
        let before = self.known.get(&day).and_then(|before| before.accepted_at);
        let (mut pieces, mut late) = (1, None);
        let mut windows = window::split(zone, day, pieces)?.unwrap_or_default();
        loop {
            let asked: Vec<Option<Window>> = windows.iter().copied().map(Some).collect();
            let error = match self.take(Wanted::Windows(self.setting()), day, &asked, before).await {
                Ok(Some(taken)) => {
                    self.figures.windows.extend(windows.iter().map(Window::asked));
                    return Ok(Some(taken));
                }
                Ok(None) => return late.map_or(Ok(None), Err),
                Err(error) if halves(&error) => error,
                Err(error) => return Err(error),
            };
            pieces *= 2;
            windows = match window::split(zone, day, pieces)? {
                Some(windows) => windows,
                None => return Err(error),
            };
            // That an answer is too large says nothing against the next one.
            late = Some(error).filter(|error| error.kind() == Kind::Timeout).or(late);
        }
    }

    /// Asks for the snapshot and stages what came, or owes it.
    pub(super) async fn pull_snapshot(&mut self) -> Result<()> {
        match self.take_snapshot().await {
            Ok(Some(taken)) => match self.stage_snapshot(taken).await {
                Ok(()) => {
                    self.given_up = 0;
                    return Ok(());
                }
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

    /// The snapshot; none where there is no time left.
    async fn take_snapshot(&self) -> Result<Option<Taken>> {
        let before = self.ledger.snapshot.and_then(|before| before.accepted_at);
        self.take(Wanted::Snapshot(self.setting()), self.event_day, &[None], before).await
    }

    /// A snapshot of which nothing is kept but the days that it counts; none where there is no time left.
    pub(super) async fn look(&self) -> Result<Option<Taken>> {
        self.try_to_take(Wanted::Snapshot(self.setting()), self.event_day, &[None], || None).await
    }

    /// The answers for all of these windows, archived; none where there is no time left. `accepted_before`: when a user last
    /// said that fewer rows are right.
    async fn take(
        &self,
        wanted: Wanted,
        day: Date,
        windows: &[Option<Window>],
        accepted_before: Option<Timestamp>,
    ) -> Result<Option<Taken>> {
        let accepted_at = self.accepted_at(day, accepted_before);
        let part = wanted.part();
        let archiving = || {
            let take = self.takes.fetch_add(1, Ordering::Relaxed);
            let new = || Archiving::new(self.context, &self.visitor, part, day, windows, accepted_at, take);
            self.context.archive.then(new)
        };
        self.try_to_take(wanted, day, windows, archiving).await
    }

    /// An answer that fails is asked for again by itself, unless rows of it were written: then all are.
    async fn try_to_take<'a>(
        &self,
        wanted: Wanted,
        day: Date,
        windows: &[Option<Window>],
        archiving: impl Fn() -> Option<Archiving<'a>>,
    ) -> Result<Option<Taken>> {
        let mut beginnings = self.attempts();
        loop {
            let mut intake = Intake::new(self.context, &self.visitor, wanted.clone(), day);
            let mut archiving = archiving();
            let outcome = self.fill(&mut intake, windows, archiving.as_mut()).await;
            if let Ok(true) = outcome {
                return intake.finish().map(Some);
            }
            if let Some(archiving) = archiving {
                archiving.abandon().await?;
            }
            let Err(error) = outcome else { return beginnings.last().map_or(Ok(None), Err) };
            if !intake.is_spoiled() || windows != [None] && halves(&error) {
                return Err(error);
            }
            beginnings.pause(error, self.context.client.now()).await?;
        }
    }

    /// Asks for all of these windows. False where there is no time left; but what failed by itself before that has failed:
    /// otherwise an event to which the vendor never answers would be left by every run, and fail in none.
    async fn fill(
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
                let Err(error) = self.ask(intake, at, *window, archiving.as_deref_mut()).await else { break };
                if client.is_out_of_time() {
                    return attempts.last().map_or(Ok(false), Err);
                }
                let error = match window {
                    Some(window) => error.with("window", format!("[{}, {})", window.from, window.to)),
                    None => error,
                };
                if intake.is_spoiled() || window.is_some() && halves(&error) {
                    return Err(error);
                }
                attempts.pause(error, client.now()).await?;
            }
        }
        Ok(true)
    }

    /// Asks for a window, or for everything, and takes the answer in. One attempt.
    async fn ask(
        &self,
        intake: &mut Intake,
        at: usize,
        window: Option<Window>,
        archiving: Option<&mut Archiving<'_>>,
    ) -> Result<()> {
        let answer = self.context.client.report(self.usage, self.visitor.event_id, window).await?;
        let archive = match archiving {
            Some(archiving) => Some(archiving.begin(at, window).await?),
            None => None,
        };
        intake.take(answer, window, archive).await
    }

    /// Attempts at one request; few, once others were given up.
    fn attempts(&self) -> Attempts<'_> {
        let attempts = self.context.client.attempts(self.usage);
        if self.given_up > 0 { attempts.few() } else { attempts }
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
    matches!(error.kind(), Kind::Credentials | Kind::UnknownEvent | Kind::Unreachable)
}
