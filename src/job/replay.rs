//! Replay: rebuilds tables from the archive, without asking the vendor. Its cells rank just above those of the pulls that they
//! come from.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use clap::Args;
use futures::{StreamExt, stream};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::archive::{self, is_of_one_object};
use super::context::Context;
use super::publish::{prepare_lake, publish_staged};
use super::selection::{self, one_or_many};
use super::visit::{AnswerSource, Intake, RecordCounts, Wanted};
use crate::error::{Error, Kind, Result};
use crate::extract::body::{Position, Splitter};
use crate::extract::envelope::Envelope;
use crate::extract::window::Window;
use crate::json::record::Record;
use crate::load::archive::{ArchiveHeader, ArchiveReader};
use crate::load::cell::Cell;
use crate::load::conflict_retries::ConflictRetries;
use crate::load::ledger::Ledger;
use crate::load::ledger::visit::Outcome;
use crate::load::staging::{CellWriter, VisitId};
use crate::load::store::Listed;
use crate::load::table_day::TableDay;
use crate::load::{keys, lake};
use crate::report::Report;
use crate::transform::decode::DecodeContext;
use crate::transform::privacy::Privacy;
use crate::transform::tables::Table;

/// The arguments of `replay`.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Replay {
    /// Only this event; may be given several times.
    #[arg(long = "event", value_name = "ID")]
    #[serde(rename = "event_id", deserialize_with = "one_or_many")]
    pub event: Vec<i64>,
    /// Only rows of this day or later.
    #[arg(long, value_name = "DAY")]
    pub from: Option<Date>,
    /// Only rows of this day or earlier.
    #[arg(long, value_name = "DAY")]
    pub to: Option<Date>,
    /// Everything that is archived.
    #[arg(long, conflicts_with_all = ["event", "from", "to"])]
    pub all: bool,
}

/// The archived answers of one attempt at a day, or at a snapshot, by the index of their window.
type Attempt = BTreeMap<usize, Listed>;
/// All attempts at one event, by what the keys of their answers have in common.
type Attempts = BTreeMap<String, Attempt>;

impl Replay {
    fn check(&self) -> Result<()> {
        let is_chosen = !self.event.is_empty() || self.from.is_some() || self.to.is_some();
        match (self.all, is_chosen) {
            (false, false) => Err(Error::new(Kind::Usage, "nothing says what to replay")
                .hint("give `--event`, `--from` and `--to`, or `--all`")),
            (true, true) => Err(Error::new(Kind::Usage, "`--all` leaves nothing else to choose")
                .hint("give `--all`, or `--event`, `--from` and `--to`, not both")),
            _ => selection::in_order(self.from, self.to),
        }
    }
}

pub(super) async fn replay(context: &Context, call: &Replay, report: &mut Report) -> Result<()> {
    call.check()?;
    if !prepare_lake(context).await? {
        return Err(lake::missing(&context.place));
    }
    let privacy = context.privacy().await?;
    // First, because a cell published after the one rebuilt from its answers would be taken for the better one.
    publish_staged(context, &[], report).await?;
    let events = archived(context, call, report).await?;
    if events.is_empty() && report.failures.is_empty() {
        return Err(Error::new(Kind::Usage, "none of that is archived")
            .hint("only runs with `--archive` keep answers; `sync` asks the vendor again"));
    }
    context.progress.events(events.len());
    report.planned(events.len(), events.len());
    let replayed = stream::iter(events).map(|(event_id, attempts)| {
        let privacy = &privacy;
        async move { (event_id, replay_event(context, call, privacy, event_id, attempts).await) }
    });
    let mut replayed = replayed.buffer_unordered(context.concurrency);
    while let Some((event_id, outcome)) = replayed.next().await {
        match outcome {
            Ok((records, damaged)) => {
                let outcome = if damaged.is_some() { Outcome::Failed } else { Outcome::Complete };
                context.progress.visited(event_id, outcome, records.rows, 0);
                records.add_to(report);
                match damaged {
                    Some(error) => report.event_failed(event_id, &error.with("event", event_id)),
                    None => report.visited(Outcome::Complete),
                }
            }
            Err(error) => report.event_failed(event_id, &error.with("event", event_id)),
        }
    }
    drop(replayed);
    if report.rows + report.rejects == 0 && report.failures.is_empty() {
        report.notes.insert("no archived answer has rows of what was chosen".to_owned());
    }
    publish_staged(context, &[], report).await
}

/// The archived answers of the chosen events.
async fn archived(context: &Context, call: &Replay, report: &mut Report) -> Result<BTreeMap<i64, Attempts>> {
    let mut events: BTreeMap<i64, Attempts> = BTreeMap::new();
    for day in archive::days(context).await? {
        for listed in archive::answers(context, &day).await? {
            let (Some((visited, together, window)), Some((event_id, _))) =
                (keys::parse_archived(&listed.key), keys::parse_visit(&listed.key))
            else {
                let error = Error::new(Kind::Damaged, "a file in the archive is not an archived answer");
                report.failed(&error.with("key", &listed.key).hint("delete it"));
                continue;
            };
            // No visit begins before the day that it asks for.
            let is_chosen = call.event.is_empty() || call.event.contains(&event_id);
            if is_chosen && call.from.is_none_or(|from| from <= visited) {
                let together = together.to_owned();
                events.entry(event_id).or_default().entry(together).or_default().insert(window, listed);
            }
        }
    }
    Ok(events)
}

/// Replays everything of one event. Also returns the error of the first answer that cannot be read; it does not stop the others.
async fn replay_event(
    context: &Context,
    call: &Replay,
    privacy: &Privacy,
    event_id: i64,
    attempts: Attempts,
) -> Result<(RecordCounts, Option<Error>)> {
    let ledger = context.ledgers.find(event_id).await?.map(|entry| entry.ledger);
    let mut replaying = Replaying { context, call, privacy, ledger, staged: BTreeSet::new() };
    let (mut records, mut damaged) = (RecordCounts::default(), None);
    for (_, answers) in attempts {
        match replaying.replay(answers).await {
            Ok(of_attempt) => records.add(of_attempt),
            Err(error) if is_of_one_object(&error) => damaged = damaged.or(Some(error)),
            Err(error) => return Err(error),
        }
    }
    Ok((records, damaged))
}

/// A replay of one event that is under way.
struct Replaying<'a> {
    context: &'a Context,
    call: &'a Replay,
    privacy: &'a Privacy,
    ledger: Option<Ledger>,
    /// The cells that it staged: table, day and part.
    staged: BTreeSet<(Table, Date, String)>,
}

impl Replaying<'_> {
    /// Replays the answers that make up one day, or the snapshot. It stages nothing if they are not wanted, or not all there:
    /// then the visit did not use them.
    async fn replay(&mut self, mut answers: Attempt) -> Result<RecordCounts> {
        let mut retries = ConflictRetries::default();
        loop {
            match self.stage_attempt(&answers).await {
                Err(error) if retries.allow(&error) => {}
                outcome => return outcome,
            }
            // Another process rewrote them without somebody who is to be forgotten, or deleted them.
            for (window, listed) in std::mem::take(&mut answers) {
                if let Some(head) = self.context.store.head(&listed.key).await? {
                    answers.insert(window, Listed { head, ..listed });
                }
            }
        }
    }

    async fn stage_attempt(&mut self, answers: &Attempt) -> Result<RecordCounts> {
        let Self { context, call, privacy, .. } = *self;
        let Some(first) = answers.values().next() else { return Ok(RecordCounts::default()) };
        let header = archive::open(context, first).await?.header().clone();
        let is_wanted =
            call.from.is_none_or(|from| from <= header.day) && call.to.is_none_or(|to| header.day <= to);
        if !is_wanted || answers.len() != header.windows.len().max(1) {
            return Ok(RecordCounts::default());
        }
        let zone = context.lake.zone.clone();
        if header.zone != zone.name() {
            let message = format!(
                "the answer was asked for in days of `{}`, but the lake's zone is `{zone}`",
                header.zone
            );
            return Err(Error::new(Kind::OtherLake, message));
        }
        let header = ArchiveHeader { accepted_at: self.effective_acceptance(&header), ..header };
        let ArchiveHeader { event_id, pulled_at, day, .. } = header;
        let decode_context = DecodeContext { event_id, pulled_at, zone, privacy: privacy.clone() };
        let wanted = if header.windows.is_empty() {
            Wanted::Snapshot(decode_context)
        } else {
            Wanted::Windows(decode_context)
        };
        let visit_id =
            VisitId { event_id, pulled_at, run: context.run.clone(), privacy_version: privacy.into() };
        let mut intake = Intake::new(context, &visit_id, wanted, day);
        for listed in answers.values() {
            let reader = archive::open(context, listed).await?;
            let window = window(reader.header());
            let answer = Archived { reader, splitter: Splitter::default() };
            intake.add_answer(answer, window, None).await.map_err(|error| error.with("key", &listed.key))?;
        }
        let fetched = intake.finish()?;
        for cell in fetched.cells.into_iter().chain([fetched.rejected]) {
            self.stage(cell, &header).await?;
        }
        Ok(fetched.records)
    }

    /// When a user accepted fewer rows, if that took effect: a visit may have been killed after it archived the answer and before
    /// it wrote the ledger. A ledger that was begun after the visit, because the original was lost, does not know.
    fn effective_acceptance(&self, header: &ArchiveHeader) -> Option<Timestamp> {
        let of_then = self.ledger.as_ref().filter(|ledger| ledger.first_seen <= header.pulled_at);
        let Some(ledger) = of_then else { return header.accepted_at };
        let known = if header.windows.is_empty() {
            ledger.snapshot.and_then(|snapshot| snapshot.accepted_at)
        } else {
            ledger.days.get(&header.day).and_then(|day| day.accepted_at)
        };
        header.accepted_at.min(known)
    }

    /// Stages a cell if it is better than the cell in the lake, or if it is what that cell should have been.
    async fn stage(&mut self, mut cell: CellWriter, header: &ArchiveHeader) -> Result<()> {
        let Self { context, privacy, .. } = *self;
        let (store, lake, table, day) = (&context.store, &context.lake, cell.table(), header.day);
        let table_day = TableDay { store, lake, privacy, table, day };
        let in_lake = table_day.cell(header.event_id, cell.part()).await?;
        let mut staged_at = context.clock.now();
        if let Some(Cell { pulled_at, staged_at: before, weight, .. }) = in_lake
            && pulled_at == header.pulled_at
        {
            // It replaces the cell of the same pull, whatever else would favour that one.
            cell.weigh_at_least(weight);
            let after = before.checked_add(SignedDuration::from_millis(1)).unwrap_or(before);
            staged_at = staged_at.max(after);
        }
        let judge = lake.judge(table, day)?;
        // Only fewer rows can be accepted, never fewer rejects.
        let accepted_at = header.accepted_at.filter(|_| table != Table::Rejects);
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
