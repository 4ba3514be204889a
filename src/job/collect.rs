//! Collect: reports what became of a plan's events, from their ledgers, when all pulls have ended, however they ended.

use clap::Args;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

use super::choice::was_visited_since;
use super::context::Context;
use super::selection::{maybe_day, parse_day};
use crate::error::{Error, Kind, Result};
use crate::load::items;
use crate::load::ledger::Ledger;
use crate::load::ledger::health::Health;
use crate::load::ledger::ledgers::AT_ONCE;
use crate::report::Report;

/// The arguments of `collect`.
#[derive(Args, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collect {
    /// The key of the plan's list of items, as `plan --items` printed it.
    #[arg(long, value_name = "KEY")]
    pub items: String,
    /// When the plan was made, as `plan --items` printed it.
    #[arg(long, value_name = "INSTANT")]
    pub planned_at: Timestamp,
    /// The first day that was planned, if days were chosen: what is left of them is then a failure, because no other plan comes
    /// back to it.
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    #[serde(default, deserialize_with = "maybe_day")]
    pub from: Option<Date>,
    /// The last day that was planned, if days were chosen.
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    #[serde(default, deserialize_with = "maybe_day")]
    pub to: Option<Date>,
}

pub(super) async fn collect(context: &Context, call: &Collect, report: &mut Report) -> Result<()> {
    let planned = items::read_events(context.lake.store.as_ref(), &call.items).await?;
    let (mut known, now) = (0, context.clock.now());
    context
        .ledgers
        .each_active(|read| match read {
            Ok(entry) => {
                known += 1;
                report.events.health += Health::of(&entry.ledger, now);
            }
            Err(error) => report.failed(&error),
        })
        .await?;
    report.planned(known, planned.len());
    let is_of_days = call.from.is_some() || call.to.is_some();
    report.is_of_all = !is_of_days;
    let mut found = stream::iter(planned)
        .map(|event_id| async move { (event_id, context.ledgers.find(event_id).await) })
        .buffered(AT_ONCE);
    while let Some((event_id, found)) = found.next().await {
        let error = match found {
            Ok(Some(entry)) => match outcome(&entry.ledger, call.planned_at, is_of_days) {
                Became::Complete => {
                    report.events.complete += 1;
                    continue;
                }
                _ if !is_of_days
                    && entry.ledger.last_visit >= Some(call.planned_at)
                    && entry.ledger.is_known_to_be_forgotten(now) =>
                {
                    report.event_gone(event_id);
                    continue;
                }
                Became::NotNeeded => {
                    report.events.due -= 1;
                    continue;
                }
                Became::Left if !is_of_days => continue,
                Became::Left => Error::new(Kind::Timeout, "the event was not visited in full")
                    .hint("start the fan-out again with the same days"),
                Became::Failed(error) => error,
            },
            Ok(None) => Error::new(Kind::Damaged, "the event no longer has a ledger")
                .hint("`sync --event` visits it as a new one"),
            Err(error) => error,
        };
        report.event_failed(event_id, error);
    }
    Ok(())
}

enum Became {
    Complete,
    /// Another run closed the event after it was planned, so no pull of this plan visited it.
    NotNeeded,
    Left,
    Failed(Error),
}

fn outcome(ledger: &Ledger, planned_at: Timestamp, is_of_days: bool) -> Became {
    // What a visit of another run has left since then does not matter here: it makes the event due again.
    if !is_of_days && ledger.last_good_visit >= Some(planned_at) {
        return Became::Complete;
    }
    if !was_visited_since(ledger, planned_at, is_of_days) {
        return if ledger.closed.is_some() && !is_of_days { Became::NotNeeded } else { Became::Left };
    }
    if ledger.failures > 0 {
        let message = match ledger.failures {
            1 => "the last visit failed".to_owned(),
            failures => format!("the last {failures} visits failed"),
        };
        let error = Error::new(Kind::Unavailable, message);
        return Became::Failed(error.hint("look at the column `error` of the table `pulls`"));
    }
    if ledger.owed.is_empty() { Became::Complete } else { Became::Left }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::ledger::Closing;
    use crate::transform::event::Event;

    #[test]
    fn the_number_of_failed_visits_is_stated_unless_it_is_one() {
        for (failures, said) in [(1, "the last visit failed"), (3, "the last 3 visits failed")] {
            let became = outcome(&visited(failures), Timestamp::UNIX_EPOCH, false);
            assert!(matches!(became, Became::Failed(error) if error.to_string().starts_with(said)), "{said}");
        }
    }

    #[test]
    fn an_event_not_visited_since_the_plan_counts_as_left_however_earlier_visits_ended() {
        for failures in [0, 2] {
            let became = outcome(&visited(failures), Timestamp::from_second(1).unwrap(), false);
            assert!(matches!(became, Became::Left), "{failures}");
        }
    }

    #[test]
    fn an_event_closed_by_another_run_since_the_plan_is_not_left_unless_days_were_chosen() {
        for (is_of_days, is_needed) in [(false, false), (true, true)] {
            let ledger = Ledger { closed: Some(Closing::Complete), ..visited(0) };
            let became = outcome(&ledger, Timestamp::from_second(1).unwrap(), is_of_days);
            assert_eq!(matches!(became, Became::Left), is_needed, "{is_of_days}");
            assert_eq!(matches!(became, Became::NotNeeded), !is_needed, "{is_of_days}");
        }
    }

    #[test]
    fn an_event_complete_since_the_plan_counts_as_complete_whatever_is_owed_unless_days_were_chosen() {
        let mut ledger = visited(0);
        ledger.owed.snapshot = true;
        for (complete_at, is_of_days, is_complete) in
            [(None, false, false), (Some(-1), false, false), (Some(0), false, true), (Some(0), true, false)]
        {
            ledger.last_good_visit = complete_at.map(|second| Timestamp::from_second(second).unwrap());
            let became = outcome(&ledger, Timestamp::UNIX_EPOCH, is_of_days);
            assert_eq!(matches!(became, Became::Complete), is_complete, "{complete_at:?} {is_of_days}");
        }
    }

    /// The ledger of an event whose last visits failed, this many in a row.
    fn visited(failures: u32) -> Ledger {
        let last_visit = Some(Timestamp::UNIX_EPOCH);
        Ledger { last_visit, failures, ..Ledger::new(Event::unknown(7), Timestamp::UNIX_EPOCH) }
    }
}
