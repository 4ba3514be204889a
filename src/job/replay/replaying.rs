//! Replaying one event: its answers are decoded anew, and cells that are better than those in the lake are staged.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;

use super::{ArchivedEvent, Attempt};
use crate::calendar;
use crate::error::{Error, Kind, Result};
use crate::extract::body::{Position, Splitter};
use crate::extract::envelope::Envelope;
use crate::extract::window::Window;
use crate::job::archive::{self, is_of_one_object};
use crate::job::choice::Days;
use crate::job::context::Context;
use crate::job::visit::{AnswerSource, Intake, RecordCounts, events_row};
use crate::json::record::Record;
use crate::load::archive::{ArchiveHeader, ArchiveReader};
use crate::load::cell::{Cell, Source};
use crate::load::conflict_retries::ConflictRetries;
use crate::load::ledger::Ledger;
use crate::load::staging::CellWriter;
use crate::load::store::Listed;
use crate::transform::privacy::Privacy;
use crate::transform::tables::Table;

/// What became of the replay of one event.
#[derive(Default)]
pub(super) struct Replayed {
    pub(super) records: RecordCounts,
    /// Whether there was no complete answer for the wanted days.
    pub(super) is_empty: bool,
    /// The first error that concerned a single object, and so did not stop the rest.
    pub(super) damaged: Option<Error>,
}

/// Replays everything of one event.
pub(super) async fn replay_event(
    context: &Context,
    days: Days,
    privacy: &Privacy,
    event_id: i64,
    attempts: ArchivedEvent,
) -> Result<Replayed> {
    let ledger = context.ledgers.find(event_id).await?.map(|entry| entry.ledger);
    let mut replaying = Replaying { context, days, privacy, ledger, is_empty: true, staged: BTreeSet::new() };
    let (mut records, mut damaged) = (RecordCounts::default(), None);
    for (_, answers) in attempts {
        match replaying.replay(answers).await {
            Ok(of_attempt) => records.add(of_attempt),
            Err(error) if is_of_one_object(&error) => damaged = damaged.or(Some(error)),
            Err(error) => return Err(error),
        }
    }
    match replaying.stage_event().await {
        Err(error) if is_of_one_object(&error) => damaged = damaged.or(Some(error)),
        outcome => outcome?,
    }
    Ok(Replayed { records, is_empty: replaying.is_empty, damaged })
}

/// A replay of one event that is under way.
struct Replaying<'a> {
    context: &'a Context,
    /// The days whose rows are wanted.
    days: Days,
    privacy: &'a Privacy,
    ledger: Option<Ledger>,
    /// Whether there was no complete answer for the wanted days so far.
    is_empty: bool,
    /// The cells that were staged: table, day and part.
    staged: BTreeSet<(Table, Date, String)>,
}

impl Replaying<'_> {
    /// Replays the answers that make up one day, or the snapshot. Stages nothing if their day is not wanted, or if not all are
    /// there: then the visit did not use them.
    async fn replay(&mut self, mut answers: Attempt) -> Result<RecordCounts> {
        let mut retries = ConflictRetries::default();
        loop {
            match self.stage_attempt(&answers).await {
                Err(error) if retries.allow(&error) => {}
                outcome => return outcome,
            }
            // Another process rewrote them without people to be forgotten, or deleted them.
            for (window, listed) in std::mem::take(&mut answers) {
                if let Some(head) = self.context.lake.store.head(&listed.key).await? {
                    answers.insert(window, Listed { head, ..listed });
                }
            }
        }
    }

    async fn stage_attempt(&mut self, answers: &Attempt) -> Result<RecordCounts> {
        let Self { context, days, privacy, .. } = *self;
        let Some(first) = answers.values().next() else { return Ok(RecordCounts::default()) };
        let header = archive::open(context, first).await?.header().clone();
        if !days.has(header.day) || answers.len() != header.windows.len().max(1) {
            return Ok(RecordCounts::default());
        }
        self.is_empty = false;
        let zone = &context.lake.settings.zone;
        if header.zone != zone.name() {
            let message = format!(
                "the answer was asked for in days of `{}`, but the lake's zone is `{zone}`",
                header.zone
            );
            return Err(Error::new(Kind::OtherLake, message).hint("replay it into a lake of that zone"));
        }
        let header = ArchiveHeader { accepted_at: self.effective_acceptance(&header), ..header };
        let ArchiveHeader { event_id, pulled_at, day, .. } = header;
        let decode_context = context.decode_context(event_id, pulled_at, privacy);
        let mut intake = Intake::new(context, header.source, decode_context, day);
        for listed in answers.values() {
            let reader = archive::open(context, listed).await?;
            let window = window(reader.header());
            let answer = Archived { reader, splitter: Splitter::default() };
            intake.add_answer(answer, window, None).await.map_err(|error| error.with("key", &listed.key))?;
        }
        let fetched = intake.finish()?;
        for cell in fetched.cells.into_iter().chain([fetched.rejected]) {
            // A snapshot without the array of viewers empties nothing, whatever a user accepts.
            let says_nothing =
                cell.table() == Table::ViewerDetails && fetched.missing.contains(&cell.table());
            // Only fewer rows can be accepted, never fewer rejects.
            let may_shrink = cell.table() != Table::Rejects && !says_nothing;
            self.stage(cell, &header, header.accepted_at.filter(|_| may_shrink)).await?;
        }
        Ok(fetched.records)
    }

    /// When a user accepted fewer rows, if that took effect: a visit may have been killed after it archived the answer and before
    /// it wrote the ledger. A ledger that was begun after the visit, because the original was lost, cannot tell.
    fn effective_acceptance(&self, header: &ArchiveHeader) -> Option<Timestamp> {
        let of_then = self.ledger.as_ref().filter(|ledger| ledger.first_seen <= header.pulled_at);
        let Some(ledger) = of_then else { return header.accepted_at };
        let known = if header.source == Source::Snapshot {
            ledger.snapshot.and_then(|snapshot| snapshot.accepted_at)
        } else {
            ledger.days.get(&header.day).and_then(|day| day.accepted_at)
        };
        header.accepted_at.min(known)
    }

    /// Stages a cell if it is better than the cell in the lake, or if it is what that cell should have been.
    async fn stage(
        &mut self,
        mut cell: CellWriter,
        header: &ArchiveHeader,
        accepted_at: Option<Timestamp>,
    ) -> Result<()> {
        let context = self.context;
        let (lake, table, day) = (&context.lake, cell.table(), header.day);
        let in_lake = lake.cell(table, day, header.event_id, cell.part()).await?;
        let mut staged_at = context.clock.now();
        if let Some(Cell { pulled_at, staged_at: before, weight, .. }) = in_lake
            && pulled_at == header.pulled_at
        {
            // It replaces the cell of the same pull, whatever else would favour that one.
            cell.weigh_at_least(weight);
            staged_at = calendar::later_than(before, staged_at);
        }
        let judge = lake.settings.judge(table, day)?;
        let ours = cell.cell(staged_at, accepted_at);
        let key = (table, day, cell.part().to_owned());
        let is_worth = match &in_lake {
            // An accepted cell without rows says that the rows are gone; so does one of rejects, if rejects were staged before
            // it.
            None => ours.rows > 0 || ours.accepted_at.is_some() || self.staged.contains(&key),
            Some(in_lake) => {
                let is_same = in_lake.digest == ours.digest
                    && judge.is_settled(in_lake) == judge.is_settled(&ours)
                    && in_lake.accepted_at >= ours.accepted_at;
                !is_same && judge.compare(&ours, in_lake).is_gt()
            }
        };
        if is_worth {
            self.staged.insert(key);
            cell.stage(staged_at, accepted_at).await?;
        }
        Ok(())
    }

    /// Stages the event's row from its ledger if the lake has lost it: no further visit of a closed event would do so.
    async fn stage_event(&self) -> Result<()> {
        let Self { context, days, privacy, ledger, .. } = self;
        let placed = ledger.as_ref().and_then(|ledger| Some((ledger, ledger.event_day?, ledger.last_visit?)));
        let Some((ledger, day, pulled_at)) = placed.filter(|(_, day, _)| days.has(*day)) else {
            return Ok(());
        };
        let (lake, event_id) = (&context.lake, ledger.event.event_id);
        if lake.cell(Table::Events, day, event_id, "").await?.is_some() {
            return Ok(());
        }
        let visit_id = context.visit_id(event_id, pulled_at, privacy);
        let mut cell = CellWriter::new(Arc::clone(&lake.store), visit_id, Table::Events, day);
        cell.write(privacy.clean(Table::Events, &events_row(ledger, &lake.settings.zone)?)?).await?;
        cell.stage(context.clock.now(), None).await
    }
}

fn window(header: &ArchiveHeader) -> Option<Window> {
    let (from, to) = header.windows.get(header.window)?;
    let edge = |second: &i64| Timestamp::from_second(*second).ok();
    Some(Window { from: edge(from)?, to: edge(to)? })
}

/// An answer from the archive.
struct Archived {
    reader: ArchiveReader,
    splitter: Splitter,
}

impl AnswerSource for Archived {
    async fn advance(&mut self, record: impl FnMut(Position<'_>, Record<'_>)) -> Result<Option<Bytes>> {
        let Some(bytes) = self.reader.next().await? else { return Ok(None) };
        self.splitter.push(&bytes, record)?;
        Ok(Some(bytes))
    }

    async fn finish(self) -> Result<Envelope> {
        self.splitter.finish()
    }
}
