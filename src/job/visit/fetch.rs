//! Fetches a day in windows, or a snapshot, until it is answered, owed, or left.

use std::sync::atomic::Ordering;

use jiff::civil::Date;

use super::Visiting;
use super::archiving::Archiving;
use super::intake::{Fetched, Intake};
use super::task::Task;
use crate::error::{Error, Kind, Result};
use crate::extract::retry::Attempts;
use crate::extract::window::{self, Window};
use crate::load::archive::ArchiveHeader;

/// After this many unfinished visits, the answer for a day is used as it is if there is no time for shorter windows.
const TRIES_AT_HALVES: u32 = 6;

/// How far the requests of a task got.
enum Reached {
    End,
    Deadline,
}

impl Visiting<'_> {
    /// Asks for a day, or for the snapshot, and begins to stage the answer. What fails is owed; an error is returned only if
    /// asking this event for anything else would fail in the same way.
    pub(super) async fn pull_task(&mut self, task: Task) -> Result<()> {
        let fetched = match task {
            Task::Day(day) => {
                self.answers.asked.insert(day);
                if self.shortfall.is_hopeless() {
                    self.shortfall.owe(task);
                    return Ok(());
                }
                match self.fetch_day(day).await {
                    Ok(Some(fetched)) => self.unless_it_lacks_data(day, fetched).await,
                    outcome => outcome,
                }
            }
            // A day has already needed the snapshot.
            Task::Snapshot if self.answers.counts.is_some() || self.shortfall.owed.snapshot => return Ok(()),
            Task::Snapshot => self.fetch(task, &[]).await,
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
    /// windows half as long. If the run's time is over before that succeeds, the next visit goes on from there.
    async fn fetch_day(&mut self, day: Date) -> Result<Option<Fetched>> {
        let began_with = self.ledger.owed.pieces_of(day);
        let (mut pieces, requests) = (began_with, self.vendor.used().requests);
        let outcome = self.fetch_in_pieces(day, &mut pieces).await;
        // What the next visit begins with, if the day is still owed then.
        let next = match &outcome {
            Ok(Some(_)) => pieces,
            Ok(None) if pieces > began_with => pieces,
            // There was no time for all windows: fewer and longer ones may be answered by now.
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
        let (zone, task) = (&self.context.lake.settings.zone, Task::Day(day));
        let mut windows = window::split(zone, day, *pieces)?;
        if windows.is_none() {
            // No day was ever requested in this many windows: the ledger was changed by hand.
            *pieces = 1;
            windows = window::split(zone, day, *pieces)?;
        }
        let mut windows = windows.unwrap_or_default();
        loop {
            let error = match self.fetch(task, &windows).await {
                Ok(Some(fetched)) => return self.fetch_cut_off(day, windows, fetched, pieces).await,
                Err(error) if task.needs_shorter_windows(&error) => error,
                // Only once: a vendor that refuses half a day as well most likely has another reason.
                Err(error) if task.may_be_too_long(&error) && *pieces == 1 => error,
                outcome => return outcome,
            };
            windows = match window::split(zone, day, *pieces * 2)? {
                Some(windows) => windows,
                None => return Err(error),
            };
            *pieces *= 2;
        }
    }

    /// If answers may have been cut off, asks for the day again with their windows halved, until none may be. If that fails, the
    /// answers before count, with a note. `None` if there is no time left: then the next visit begins with as many windows, and a
    /// few visits later, the answers count all the same.
    async fn fetch_cut_off(
        &self,
        day: Date,
        mut windows: Vec<Window>,
        mut fetched: Fetched,
        pieces: &mut u32,
    ) -> Result<Option<Fetched>> {
        while !fetched.cut_off.is_empty() {
            let cut_off: Vec<Window> = fetched.cut_off.iter().copied().flatten().collect();
            let why = match window::halved(&windows, &cut_off) {
                None => String::new(),
                Some(halves) => match self.fetch(Task::Day(day), &halves).await {
                    Err(error) if !is_final(&error) => format!(": {error}"),
                    Ok(None) if self.ledger.unfinished >= TRIES_AT_HALVES => ": the time ran out".to_owned(),
                    // Whatever the shorter windows lack, the day has at least what the longer ones brought.
                    Ok(Some(next)) if next.has_less_than(&fetched) && !fetched.has_less_than(&next) => {
                        self.abandon(next.archived).await?;
                        ": shorter windows have fewer".to_owned()
                    }
                    outcome => {
                        self.abandon(std::mem::take(&mut fetched.archived)).await?;
                        let Some(next) = outcome? else {
                            *pieces = window::pieces_for(halves.len());
                            return Ok(None);
                        };
                        (fetched, windows) = (next, halves);
                        continue;
                    }
                },
            };
            let event_id = self.visit_id.event_id;
            let note = "a window has a round number of records, perhaps not all that there are";
            fetched.records.notes.insert(format!("event {event_id}, {day}: {note}{why}"));
            break;
        }
        Ok(Some(fetched))
    }

    /// Fetches a snapshot of which only the count of each day is used; `None` if there is no time left.
    pub(super) async fn count_days(&self) -> Result<Option<Fetched>> {
        self.fetch_restarting(Task::Snapshot, &[], None).await
    }

    /// Fetches all answers that a task needs (for a day, in these windows), and archives them; `None` if there is no time left.
    async fn fetch(&self, task: Task, windows: &[Window]) -> Result<Option<Fetched>> {
        let header = self.context.archive.then(|| self.archive_header(task, windows));
        self.fetch_restarting(task, windows, header).await
    }

    /// Fetches all answers that a task needs, and archives them if there is a header for that. If an answer fails after some of
    /// its rows were written, all answers are requested again; any other failed request is repeated alone.
    async fn fetch_restarting(
        &self,
        task: Task,
        windows: &[Window],
        header: Option<ArchiveHeader>,
    ) -> Result<Option<Fetched>> {
        let mut restarts = self.attempts();
        loop {
            let mut intake =
                Intake::new(self.context, task.source(), self.decode_context(), self.day_of(task));
            let mut archiving = header.clone().map(|header| {
                Archiving::new(self.context, header, self.attempt.fetch_add(1, Ordering::Relaxed))
            });
            let outcome = self.fetch_answers(&mut intake, task, windows, archiving.as_mut()).await;
            let archived = archiving.map(Archiving::into_keys).unwrap_or_default();
            if let Ok(Reached::End) = outcome {
                let mut fetched = Fetched { archived, ..intake.finish()? };
                fetched.records.windows.extend(windows.iter().map(Window::asked));
                return Ok(Some(fetched));
            }
            self.abandon(archived).await?;
            let Err(error) = outcome else { return restarts.last().map_or(Ok(None), Err) };
            if !intake.is_spoiled() || task.needs_shorter_windows(&error) {
                return Err(error);
            }
            restarts.pause(error).await?;
        }
    }

    /// Fetches the answers that a task needs, one after the other. If the time is over and the current request had failed
    /// before, the result is that failure: otherwise, an event for which the vendor never answers would be left by every run,
    /// and would never fail.
    async fn fetch_answers(
        &self,
        intake: &mut Intake,
        task: Task,
        windows: &[Window],
        mut archiving: Option<&mut Archiving<'_>>,
    ) -> Result<Reached> {
        let deadline = self.context.visit_deadline;
        let asked: Vec<Option<Window>> = match task {
            Task::Day(_) => windows.iter().copied().map(Some).collect(),
            Task::Snapshot => vec![None],
        };
        for (at, window) in asked.into_iter().enumerate() {
            let mut attempts = self.attempts();
            loop {
                if deadline.is_over() {
                    return attempts.last().map_or(Ok(Reached::Deadline), Err);
                }
                // Boxed: otherwise the future of the whole visit would hold all of it.
                let answer = Box::pin(self.fetch_answer(intake, at, window, archiving.as_deref_mut()));
                let Err(error) = answer.await else { break };
                if deadline.is_over() {
                    return attempts.last().map_or(Ok(Reached::Deadline), Err);
                }
                let error = match window {
                    Some(window) => error.with("window", format!("[{}, {})", window.from, window.to)),
                    None => error,
                };
                if intake.is_spoiled() || task.needs_shorter_windows(&error) {
                    return Err(error);
                }
                if matches!(task, Task::Day(_)) && error.kind() == Kind::UnknownEvent {
                    let archive = match archiving.as_deref_mut() {
                        Some(archiving) => Some(archiving.begin(at, window).await?),
                        None => None,
                    };
                    intake.add_unknown(error, archive).await?;
                    break;
                }
                attempts.pause(error).await?;
            }
        }
        Ok(Reached::End)
    }

    /// Requests a window, or everything, and adds the answer: one attempt.
    async fn fetch_answer(
        &self,
        intake: &mut Intake,
        at: usize,
        window: Option<Window>,
        archiving: Option<&mut Archiving<'_>>,
    ) -> Result<()> {
        let answer = self.vendor.report(self.visit_id.event_id, window).await?;
        self.context.check_clock(self.vendor)?;
        let archive = match archiving {
            Some(archiving) => Some(archiving.begin(at, window).await?),
            None => None,
        };
        intake.add_answer(answer, window, archive).await
    }

    /// The attempts at one request; only a few if the last request was given up.
    fn attempts(&self) -> Attempts<'_> {
        let attempts = self.vendor.attempts();
        if self.shortfall.has_just_given_up() { attempts.few() } else { attempts }
    }
}

/// Whether asking this event for anything else would fail in the same way.
fn is_final(error: &Error) -> bool {
    matches!(error.kind(), Kind::Credentials | Kind::UnknownEvent | Kind::Unreachable | Kind::Clock)
}
