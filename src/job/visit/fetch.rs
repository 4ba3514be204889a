//! Fetches a day in windows, or a snapshot, until it is answered, owed, or left.

use std::sync::atomic::Ordering;

use jiff::Timestamp;
use jiff::civil::Date;

use super::Visiting;
use super::archiving::Archiving;
use super::days::Task;
use super::intake::{Fetched, Intake};
use super::request::Request;
use crate::error::{Error, Kind, Result};
use crate::extract::retry::Attempts;
use crate::extract::window::{self, Window};
use crate::load::archive::ArchiveHeader;

/// How far a request came.
enum Reached {
    End,
    Deadline,
}

impl Visiting<'_> {
    /// Asks for a day, or for the snapshot, and begins to stage the answer. What fails is owed, and does not stop the rest.
    pub(super) async fn pull_task(&mut self, task: Task) -> Result<()> {
        if let Task::Day(day) = task {
            self.answers.asked.insert(day);
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

    /// Fetches a day; `None` if there is no time left. If an answer takes too long or is too large, the day is started over
    /// in windows half as long. If the run's time ends amid that, the next visit goes on there.
    async fn fetch_day(&mut self, day: Date) -> Result<Option<Fetched>> {
        let began_with = self.ledger.owed.pieces_of(day);
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
        let before = self.answers.days.get(&day).and_then(|before| before.accepted_at);
        let mut windows = window::split(zone, day, *pieces)?;
        if windows.is_none() {
            // No day was ever requested in this many windows: the ledger was changed by hand.
            *pieces = 1;
            windows = window::split(zone, day, *pieces)?;
        }
        let mut windows = windows.unwrap_or_default();
        loop {
            let request = Request::Day(day, &windows);
            let error = match self.fetch(request, before).await {
                Ok(Some(fetched)) => {
                    return self.fetch_cut_off(day, windows, fetched, before).await.map(Some);
                }
                Err(error) if request.needs_shorter_windows(&error) => error,
                outcome => return outcome,
            };
            windows = match window::split(zone, day, *pieces * 2)? {
                Some(windows) => windows,
                None => return Err(error),
            };
            *pieces *= 2;
        }
    }

    /// Where answers may have been cut off, asks for the day again with halves of their windows, until none may. If that does not
    /// succeed, what was answered before counts, with a note.
    async fn fetch_cut_off(
        &self,
        day: Date,
        mut windows: Vec<Window>,
        mut fetched: Fetched,
        accepted_before: Option<Timestamp>,
    ) -> Result<Fetched> {
        while !fetched.cut_off.is_empty() {
            let cut_off: Vec<Window> = fetched.cut_off.iter().copied().flatten().collect();
            let halves = window::halved(&windows, &cut_off);
            let outcome = match &halves {
                Some(halves) => self.fetch(Request::Day(day, halves), accepted_before).await,
                None => Ok(None),
            };
            match (outcome, halves) {
                (Ok(Some(next)), Some(halves)) => {
                    self.abandon(std::mem::take(&mut fetched.archived)).await?;
                    (fetched, windows) = (next, halves);
                }
                (Err(error), _) if is_final(&error) => return Err(error),
                (outcome, _) => {
                    let why = outcome.err().map_or_else(String::new, |error| format!(": {error}"));
                    let event_id = self.visit_id.event_id;
                    let note = "a window has a round number of records, perhaps not all that there are";
                    fetched.records.notes.insert(format!("event {event_id}, {day}: {note}{why}"));
                    break;
                }
            }
        }
        Ok(fetched)
    }

    /// Fetches the snapshot; `None` if there is no time left.
    async fn fetch_snapshot(&self) -> Result<Option<Fetched>> {
        let before = self.ledger.snapshot.and_then(|before| before.accepted_at);
        self.fetch(Request::Snapshot(self.event_day.date()), before).await
    }

    /// Fetches a snapshot of which only the count of each day is used; `None` if there is no time left.
    pub(super) async fn count_days(&self) -> Result<Option<Fetched>> {
        self.fetch_restarting(Request::Snapshot(self.event_day.date()), None).await
    }

    /// Fetches all answers to a request, and archives them; `None` if there is no time left. `accepted_before` is when a user last
    /// accepted fewer rows.
    async fn fetch(
        &self,
        request: Request<'_>,
        accepted_before: Option<Timestamp>,
    ) -> Result<Option<Fetched>> {
        let accepted_at = self.accepted_at(request.day(), accepted_before);
        let header = self.context.archive.then(|| self.archive_header(request, accepted_at));
        self.fetch_restarting(request, header).await
    }

    /// Fetches all answers to a request, and archives them if there is a header for that. If an answer fails after rows of it were
    /// written, all of them are requested again; any other failed request is repeated by itself.
    async fn fetch_restarting(
        &self,
        request: Request<'_>,
        header: Option<ArchiveHeader>,
    ) -> Result<Option<Fetched>> {
        let mut restarts = self.attempts();
        loop {
            let mut intake =
                Intake::new(self.context, request.source(), self.decode_context(), request.day());
            let mut archiving = header.clone().map(|header| {
                Archiving::new(self.context, header, self.attempt.fetch_add(1, Ordering::Relaxed))
            });
            let outcome = self.fetch_answers(&mut intake, request, archiving.as_mut()).await;
            let archived = archiving.map(Archiving::into_keys).unwrap_or_default();
            if let Ok(Reached::End) = outcome {
                let mut fetched = Fetched { archived, ..intake.finish()? };
                fetched.records.windows.extend(request.windows().iter().map(Window::asked));
                return Ok(Some(fetched));
            }
            self.abandon(archived).await?;
            let Err(error) = outcome else { return restarts.last().map_or(Ok(None), Err) };
            if !intake.is_spoiled() || request.needs_shorter_windows(&error) {
                return Err(error);
            }
            restarts.pause(error, self.context.client.now()).await?;
        }
    }

    /// Fetches the answers to a request, one after the other. If a request had failed by itself before the time was over, that is
    /// its error: otherwise, an event for which the vendor never answers would be left by every run, and would never fail.
    async fn fetch_answers(
        &self,
        intake: &mut Intake,
        request: Request<'_>,
        mut archiving: Option<&mut Archiving<'_>>,
    ) -> Result<Reached> {
        let client = &self.context.client;
        for (at, range) in request.ranges().into_iter().enumerate() {
            let mut attempts = self.attempts();
            loop {
                if client.is_out_of_time() {
                    return attempts.last().map_or(Ok(Reached::Deadline), Err);
                }
                // Boxed: otherwise the future of the whole visit would hold all of it.
                let answer = Box::pin(self.fetch_answer(intake, at, range, archiving.as_deref_mut()));
                let Err(error) = answer.await else { break };
                if client.is_out_of_time() {
                    return attempts.last().map_or(Ok(Reached::Deadline), Err);
                }
                let error = match range {
                    Some(window) => error.with("window", format!("[{}, {})", window.from, window.to)),
                    None => error,
                };
                if intake.is_spoiled() || request.needs_shorter_windows(&error) {
                    return Err(error);
                }
                attempts.pause(error, client.now()).await?;
            }
        }
        Ok(Reached::End)
    }

    /// Requests a window, or everything, and adds the answer: one attempt.
    async fn fetch_answer(
        &self,
        intake: &mut Intake,
        at: usize,
        range: Option<Window>,
        archiving: Option<&mut Archiving<'_>>,
    ) -> Result<()> {
        let answer = self.vendor.report(self.visit_id.event_id, range).await?;
        let archive = match archiving {
            Some(archiving) => Some(archiving.begin(at, range).await?),
            None => None,
        };
        intake.add_answer(answer, range, archive).await
    }

    /// A count of attempts at one request; only a few are allowed after others were given up.
    fn attempts(&self) -> Attempts<'_> {
        let attempts = self.vendor.attempts();
        if self.shortfall.is_doubtful() { attempts.few() } else { attempts }
    }
}

/// Whether asking this event for anything else would fail in the same way.
fn is_final(error: &Error) -> bool {
    matches!(error.kind(), Kind::Credentials | Kind::UnknownEvent | Kind::Unreachable)
}
