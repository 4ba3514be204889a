//! Replay: tables again from the archive, without asking the vendor. Its cells rank right behind the pulls that they come from.

use std::collections::BTreeMap;

use bytes::Bytes;
use clap::Args;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

use super::context::Context;
use super::publish::{is_lake, publish_staged};
use super::selection::one_or_many;
use super::visit::{Answers, Intake, Kept, Tally};
use crate::error::{Error, Kind, Result};
use crate::extract::body::{Envelope, Position, Splitter};
use crate::extract::window::Window;
use crate::load::archive::{ArchiveReader, Asked};
use crate::load::cell::Cell;
use crate::load::keys;
use crate::load::staging::{CellWriter, Visitor};
use crate::load::store::Listed;
use crate::load::table_day::TableDay;
use crate::load::visit::Outcome;
use crate::report::Report;
use crate::transform::decode::Setting;
use crate::transform::privacy::Privacy;
use crate::transform::record::Record;

/// What `replay` is called with.
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

/// Answers that were asked for together, by their windows.
type Take = BTreeMap<usize, Listed>;
/// All of an event, by what their keys have in common.
type Takes = BTreeMap<String, Take>;

pub(super) async fn replay(context: &Context, call: &Replay, report: &mut Report) -> Result<()> {
    if !call.all && call.event.is_empty() && call.from.is_none() && call.to.is_none() {
        return Err(Error::new(Kind::Usage, "nothing says what to replay")
            .hint("give `--event`, `--from` and `--to`, or `--all`"));
    }
    if !is_lake(context).await? {
        return Ok(());
    }
    let privacy = context.privacy().await?;
    // A cell that is published after the one that is made of it again would be taken for the better.
    publish_staged(context, &[], report).await?;
    let events = archived(context, call, report).await?;
    context.progress.events(events.len());
    report.planned(events.len(), events.len());
    let replayed = stream::iter(events).map(|(event_id, takes)| {
        let privacy = &privacy;
        async move { (event_id, replay_event(context, call, privacy, takes).await) }
    });
    let mut replayed = replayed.buffer_unordered(context.concurrency);
    while let Some((event_id, outcome)) = replayed.next().await {
        match outcome {
            Ok(tally) => {
                context.progress.visited(event_id, tally.rows, 0);
                report.rows += tally.rows;
                report.rejects += tally.rejects;
                report.set_aside += tally.set_aside;
                report.notes.extend(tally.notes);
                report.visited(Outcome::Complete);
            }
            Err(error) => report.event_failed(event_id, &error.with("event", event_id)),
        }
    }
    drop(replayed);
    publish_staged(context, &[], report).await
}

/// What the archive has of the chosen events.
async fn archived(context: &Context, call: &Replay, report: &mut Report) -> Result<BTreeMap<i64, Takes>> {
    let mut events: BTreeMap<i64, Takes> = BTreeMap::new();
    for listed in context.store.list(keys::ARCHIVE, "").await? {
        let (Some((visited, together, window)), Some((event_id, _))) =
            (keys::parse_archived(&listed.key), keys::parse_visit(&listed.key))
        else {
            let error = Error::new(Kind::Damaged, "a file in the archive is no archived answer");
            report.failed(&error.with("key", &listed.key).hint("take it away"));
            continue;
        };
        // No visit is before the day that it asks for.
        let is_chosen = call.event.is_empty() || call.event.contains(&event_id);
        if is_chosen && call.from.is_none_or(|from| from <= visited) {
            let together = together.to_owned();
            events.entry(event_id).or_default().entry(together).or_default().insert(window, listed);
        }
    }
    Ok(events)
}

/// Everything of one event.
async fn replay_event(context: &Context, call: &Replay, privacy: &Privacy, takes: Takes) -> Result<Tally> {
    let mut tally = Tally::default();
    for (_, answers) in takes {
        if let Some(of_take) = replay_take(context, call, privacy, answers).await? {
            tally.add(of_take);
        }
    }
    Ok(tally)
}

/// The answers that make one day, or the snapshot; none where they are not wanted, or not all there, so that they were not
/// used.
async fn replay_take(
    context: &Context,
    call: &Replay,
    privacy: &Privacy,
    answers: Take,
) -> Result<Option<Tally>> {
    let Some(first) = answers.values().next() else { return Ok(None) };
    let open = |listed: &Listed| {
        let Listed { key, head } = listed.clone();
        async move { ArchiveReader::open(&context.store, &key, head).await }
    };
    let asked = open(first).await?.asked().clone();
    let is_wanted =
        call.from.is_none_or(|from| from <= asked.day) && call.to.is_none_or(|to| asked.day <= to);
    if !is_wanted || answers.len() != asked.windows.len().max(1) {
        return Ok(None);
    }
    let zone = context.lake.zone.clone();
    if asked.zone != zone.name() {
        let message =
            format!("the answer was asked for in the days of `{}`, the lake's are `{zone}`", asked.zone);
        return Err(Error::new(Kind::OtherLake, message));
    }
    let Asked { event_id, pulled_at, day, .. } = asked;
    let setting = Setting { event_id, pulled_at, zone, privacy: privacy.clone() };
    let kept = if asked.windows.is_empty() { Kept::Snapshot(setting) } else { Kept::Windows(setting) };
    let visitor = Visitor { event_id, pulled_at, run: context.run.clone(), kept: privacy.into() };
    let mut intake = Intake::new(context, &visitor, kept, day);
    for listed in answers.values() {
        let reader = open(listed).await?;
        let window = window(reader.asked());
        intake.take(Archived { reader, splitter: Splitter::default() }, window, None).await?;
    }
    let taken = intake.finish()?;
    for cell in taken.cells.into_iter().chain([taken.rejected]) {
        stage(context, privacy, cell, &asked).await?;
    }
    Ok(Some(taken.tally))
}

fn window(asked: &Asked) -> Option<Window> {
    let (from, to) = asked.windows.get(asked.window)?;
    let edge = |second: &i64| Timestamp::from_second(*second).ok();
    Some(Window { from: edge(from)?, to: edge(to)? })
}

/// Stages a cell, if it is better than the one that stands in the lake, or what that one should have been.
async fn stage(context: &Context, privacy: &Privacy, mut cell: CellWriter, asked: &Asked) -> Result<()> {
    let (store, lake, table, day) = (&context.store, &context.lake, cell.table(), asked.day);
    let standing = TableDay { store, lake, privacy, table, day }.cell(asked.event_id, cell.part()).await?;
    let mut staged_at = context.clock.now();
    if let Some(Cell { pulled_at, staged_at: before, weight, .. }) = standing
        && pulled_at == asked.pulled_at
    {
        // It takes the place of that one, whatever else may be said for it.
        cell.weigh_at_least(weight);
        staged_at = staged_at.max(before.checked_add(jiff::SignedDuration::from_millis(1)).unwrap_or(before));
    }
    let judge = lake.judge(table, day)?;
    let ours = cell.cell(staged_at, asked.accepted_at);
    let is_worth = match &standing {
        None => ours.rows > 0,
        Some(standing) => {
            let is_same = standing.digest == ours.digest
                && judge.is_settled(standing) == judge.is_settled(&ours)
                && standing.accepted_at >= ours.accepted_at;
            !is_same && judge.compare(&ours, standing).is_gt()
        }
    };
    if is_worth { cell.stage(staged_at, asked.accepted_at).await } else { Ok(()) }
}

/// An answer that comes from the archive.
struct Archived {
    reader: ArchiveReader,
    splitter: Splitter,
}

impl Answers for Archived {
    async fn advance(&mut self, record: impl FnMut(Position<'_>, Record<'_>)) -> Result<Option<Bytes>> {
        let Some(bytes) = self.reader.next().await? else { return Ok(None) };
        self.splitter.push(&bytes, record)?;
        Ok(Some(bytes))
    }

    async fn finish(self) -> Result<Envelope> {
        self.splitter.finish()
    }
}
