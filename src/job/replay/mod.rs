//! Replay: rebuilds tables from the archive, without asking the vendor. Its cells rank just above those of the pulls that they
//! come from.

mod replaying;

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use clap::Args;
use futures::{StreamExt, stream};
use jiff::SignedDuration;
use jiff::civil::Date;
use serde::Deserialize;

use self::replaying::{Replayed, replay_event};
use super::archive;
use super::choice::Days;
use super::context::Context;
use super::lake;
use super::publish::publish_staged;
use super::selection::{maybe_day, one_or_many, parse_day, parse_event};
use crate::counted::counted;
use crate::error::{Error, Kind, Result};
use crate::load::keys;
use crate::load::ledger::visit::Outcome;
use crate::load::store::Listed;
use crate::report::Report;

/// How long before a day the visit that asks for it may have begun: by a clock that was behind, or around midnight.
const MOST_BEHIND: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The arguments of `replay`.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Replay {
    /// Only this event; may be given several times.
    #[arg(long = "event", value_name = "ID", value_parser = parse_event)]
    #[serde(rename = "event_id", deserialize_with = "one_or_many")]
    pub event: Vec<i64>,
    /// Only rows of this day or later.
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    #[serde(deserialize_with = "maybe_day")]
    pub from: Option<Date>,
    /// Only rows of this day or earlier.
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    #[serde(deserialize_with = "maybe_day")]
    pub to: Option<Date>,
    /// Everything that is archived.
    #[arg(long, conflicts_with_all = ["event", "from", "to"])]
    pub all: bool,
}

/// The archived answers of one attempt at a day, or at a snapshot, by the index of their window.
type Attempt = BTreeMap<usize, Listed>;
/// All attempts at one event, by what the keys of their answers have in common.
type ArchivedEvent = BTreeMap<String, Attempt>;

impl Replay {
    /// The days whose rows are wanted.
    fn days(&self) -> Result<Days> {
        let days = Days::between(self.from, self.to)?;
        match (self.all, !self.event.is_empty() || days.is_some()) {
            (false, false) => Err(Error::new(Kind::Usage, "nothing says what to replay")
                .hint("give `--event`, `--from` and `--to`, or `--all`")),
            (true, true) => Err(Error::new(Kind::Usage, "`--all` leaves nothing else to choose")
                .hint("give `--all`, or `--event`, `--from` and `--to`, not both")),
            _ => Ok(days.unwrap_or(Days::ALL)),
        }
    }
}

pub(super) async fn replay(context: &Context, call: &Replay, report: &mut Report) -> Result<()> {
    let days = call.days()?;
    lake::require(context).await?;
    let privacy = context.lake.privacy().await?;
    // First, because a cell published after the one that is rebuilt from the same answers would be taken for the better one.
    publish_staged(context, &[], report).await?;
    let events = archived(context, &call.event, days, report).await?;
    if events.is_empty() && report.failures.is_empty() {
        return Err(Error::new(Kind::Usage, "none of that is archived")
            .hint("only runs with `--archive` keep answers; `sync` asks the vendor again"));
    }
    let missing =
        call.event.iter().collect::<BTreeSet<_>>().into_iter().filter(|id| !events.contains_key(id));
    let missing: Vec<i64> = missing.copied().collect();
    context.progress.events(events.len());
    report.planned(events.len() + missing.len(), events.len() + missing.len());
    for event_id in missing {
        report.event_failed(event_id, nothing_archived());
    }
    let mut waiting = events.into_iter();
    let in_time = iter::from_fn(|| if context.visit_deadline.is_over() { None } else { waiting.next() });
    let replayed = stream::iter(in_time).map(|(event_id, attempts)| {
        let privacy = &privacy;
        async move { (event_id, replay_event(context, days, privacy, event_id, attempts).await) }
    });
    let mut replayed = replayed.buffer_unordered(context.concurrency);
    while let Some((event_id, outcome)) = replayed.next().await {
        match outcome {
            Ok(Replayed { is_empty: true, damaged: None, .. }) if call.event.contains(&event_id) => {
                report.event_failed(event_id, nothing_archived());
            }
            Ok(Replayed { records, damaged, .. }) => {
                let outcome = if damaged.is_some() { Outcome::Failed } else { Outcome::Complete };
                context.progress.visited(event_id, outcome, records.rows, 0);
                records.add_to(report);
                match damaged {
                    Some(error) => report.event_failed(event_id, error),
                    None => report.visited(Outcome::Complete),
                }
            }
            Err(error) => report.event_failed(event_id, error),
        }
    }
    drop(replayed);
    if let Some((next, _)) = waiting.next() {
        let left = counted(waiting.len() as u64 + 1, "event");
        let late = format!("{left} from {next} on were not replayed: the time ran out");
        let hint = "go on there: events are replayed in the order of their numbers, so name the rest with `--event`, give fewer \
                    days at a time, or more time";
        report.failed(&Error::new(Kind::Timeout, late).hint(hint));
    }
    if report.rows + report.rejects == 0 && report.failures.is_empty() {
        report.notes.insert("no archived answer has rows of what was chosen".to_owned());
    }
    publish_staged(context, &[], report).await
}

/// The error for a chosen event without any archived answer.
fn nothing_archived() -> Error {
    Error::new(Kind::Usage, "nothing is archived of the chosen event")
        .hint("`sync --event` asks the vendor again")
}

/// The archived answers of the chosen events, or of all, that may be for these days.
async fn archived(
    context: &Context,
    chosen: &[i64],
    days: Days,
    report: &mut Report,
) -> Result<BTreeMap<i64, ArchivedEvent>> {
    let mut events: BTreeMap<i64, ArchivedEvent> = BTreeMap::new();
    let first = days.first.checked_sub(MOST_BEHIND).unwrap_or(Date::MIN);
    for day in archive::days(context).await? {
        for listed in archive::answers(context, &day).await? {
            let (Some((visited, together, window)), Some((event_id, _))) =
                (keys::parse_archived(&listed.key), keys::parse_visit(&listed.key))
            else {
                let error = Error::new(Kind::Damaged, "a file in the archive is not an archived answer");
                report.failed(&error.with("key", &listed.key).hint("delete it"));
                continue;
            };
            if first <= visited && (chosen.is_empty() || chosen.contains(&event_id)) {
                let together = together.to_owned();
                events.entry(event_id).or_default().entry(together).or_default().insert(window, listed);
            }
        }
    }
    Ok(events)
}
