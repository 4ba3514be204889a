//! Which events a run is about: those that are due, or those that the user chose.

use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer};

use crate::calendar::Zone;
use crate::error::{Error, Explain, Kind, Result};
use crate::load::ledger::Ledger;
use crate::transform::event::Event;

/// Events and days as they were chosen. If none are, everything that is due is meant.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// Only this event, due or not; may be given several times.
    #[arg(long = "event", value_name = "ID")]
    #[serde(rename = "event_id", deserialize_with = "one_or_many")]
    pub event: Vec<i64>,
    /// Only events that took place, or were watched, on this day or later, due or not; these days are asked for again.
    #[arg(long, value_name = "DAY")]
    pub from: Option<String>,
    /// Only events that took place, or were watched, on this day or earlier.
    #[arg(long, value_name = "DAY")]
    pub to: Option<String>,
    /// Believe the vendor if a chosen day, or any day of a chosen event, now has fewer rows.
    #[arg(long)]
    pub accept_shrink: bool,
    /// When `plan --items` planned the chosen events: they are taken as their ledgers describe them, and those that
    /// were visited since then are not visited again; with `--from` or `--to`, only visits of the same plan count.
    #[arg(long, value_name = "INSTANT", requires = "event")]
    pub planned_at: Option<Timestamp>,
}

/// In a payload, a single event needs no list around it.
pub(super) fn one_or_many<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Vec<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "`event_id` must be a number, or a list of numbers")]
    enum OneOrMany {
        None(()),
        One(i64),
        Many(Vec<i64>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::None(()) => Vec::new(),
        OneOrMany::One(event_id) => vec![event_id],
        OneOrMany::Many(events) => events,
    })
}

/// A selection, checked.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    /// Chosen events; empty if all are meant.
    pub(super) events: Vec<i64>,
    /// Chosen days, both included.
    pub(super) days: Option<(Date, Date)>,
    /// Whether fewer rows on the chosen days are accepted.
    accept_shrink: bool,
    /// When the chosen events were planned; `None` unless this is one of the pulls of a plan.
    pub(super) planned_at: Option<Timestamp>,
    /// Whether this goes on with an event during which another pull of the plan was cut off.
    is_continued: bool,
}

impl Choice {
    pub(super) fn checked(selection: &Selection) -> Result<Self> {
        let from = selection.from.as_deref().map(|text| day("--from", text)).transpose()?;
        let to = selection.to.as_deref().map(|text| day("--to", text)).transpose()?;
        in_order(from, to)?;
        let days = match (from, to) {
            (None, None) => None,
            (from, to) => Some((from.unwrap_or(Date::MIN), to.unwrap_or(Date::MAX))),
        };
        if let Some(number) = selection.event.iter().find(|number| **number < 1) {
            return Err(Error::new(Kind::Usage, format!("no event has the number {number}"))
                .hint("give the vendor's `eventId`"));
        }
        let mut events = selection.event.clone();
        events.sort_unstable();
        events.dedup();
        let Selection { accept_shrink, planned_at, .. } = *selection;
        let choice = Self { events, days, accept_shrink, planned_at, is_continued: false };
        if planned_at.is_some() && choice.events.is_empty() {
            return Err(Error::new(Kind::Usage, "`--planned-at` needs the events of the plan")
                .hint("give `--event` with `--planned-at`"));
        }
        if accept_shrink && !choice.is_chosen() {
            return Err(Error::new(Kind::Usage, "`--accept-shrink` would let every event shrink")
                .hint("choose some with `--event`, or with `--from` and `--to`"));
        }
        Ok(choice)
    }

    /// The choice for one event: if another pull of the plan was cut off during it, the rest is owed, and nothing else is asked
    /// for again.
    pub(super) fn for_event(&self, ledger: &Ledger) -> Self {
        Self { is_continued: self.was_visited(ledger), ..self.clone() }
    }

    /// Whether the event was visited since it was planned.
    pub(super) fn was_visited(&self, ledger: &Ledger) -> bool {
        self.planned_at.is_some_and(|planned_at| was_visited_since(ledger, planned_at, self.days.is_some()))
    }

    /// Whether a chosen event is visited in full, whatever is due.
    pub(super) fn visits_whole(&self) -> bool {
        self.is_chosen() && !self.is_continued
    }

    /// Whether this day of a chosen event is asked for again, due or not.
    pub(super) fn has_day(&self, day: Date) -> bool {
        self.is_chosen_day(day) && !self.is_continued
    }

    /// Whether fewer rows on this day are accepted.
    pub(super) fn accepts(&self, day: Date) -> bool {
        self.accept_shrink && self.is_chosen_day(day)
    }

    /// Whether no later run comes back to what this one leaves: what the user chose, but not through a plan.
    pub(super) fn is_one_off(&self) -> bool {
        self.is_chosen() && self.planned_at.is_none()
    }

    /// Whether the user chose events or days. In a pull of a plan, only days count: the plan chose the events.
    pub(super) fn is_chosen(&self) -> bool {
        self.days.is_some() || !self.events.is_empty() && self.planned_at.is_none()
    }

    /// Whether the day is one of the chosen days, or the events were chosen with all their days.
    fn is_chosen_day(&self, day: Date) -> bool {
        match self.days {
            Some((from, to)) => (from..=to).contains(&day),
            None => self.is_chosen(),
        }
    }

    /// Whether an event takes place on the chosen days. True if no days were chosen; false if its time is not known.
    pub(super) fn meets(&self, event: &Event, zone: &Zone) -> bool {
        let Some((from, to)) = self.days else { return true };
        let Some(start) = event.start_time else { return false };
        let (first, last) = (zone.day_of(start), zone.day_of(event.end_time.unwrap_or(start)));
        first <= to && last >= from
    }
}

/// Whether an event was visited since it was planned. If days were chosen, only visits of that plan count: others ask for other
/// days.
pub(super) fn was_visited_since(ledger: &Ledger, planned_at: Timestamp, of_days: bool) -> bool {
    if of_days { ledger.planned_at == Some(planned_at) } else { ledger.last_visit >= Some(planned_at) }
}

/// Checks that the first chosen day is not after the last.
pub(super) fn in_order(from: Option<Date>, to: Option<Date>) -> Result<()> {
    match (from, to) {
        (Some(from), Some(to)) if from > to => {
            Err(Error::new(Kind::Usage, format!("`--from` {from} is after `--to` {to}")).hint("swap them"))
        }
        _ => Ok(()),
    }
}

fn day(option: &str, text: &str) -> Result<Date> {
    text.parse()
        .explain(Kind::Usage, || format!("`{text}` is not a day for `{option}`"))
        .map_err(|error: Error| error.hint("write it like `2022-10-26`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(from: &str, to: &str) -> Result<Choice> {
        Choice::checked(&Selection { from: Some(from.into()), to: Some(to.into()), ..Selection::default() })
    }

    #[test]
    fn an_event_meets_the_days_that_it_takes_place_on() {
        let zone = Zone::parse("Asia/Shanghai").unwrap();
        // From 23:30 to 00:30 local time.
        let event = Event {
            start_time: Some("2022-10-26T15:30:00Z".parse().unwrap()),
            end_time: Some("2022-10-26T16:30:00Z".parse().unwrap()),
            ..Event::unknown(1)
        };
        for (from, to, meets) in [
            ("2022-10-26", "2022-10-26", true),
            ("2022-10-27", "2022-10-28", true),
            ("2022-10-28", "2022-10-29", false),
            ("2022-10-01", "2022-10-25", false),
        ] {
            assert_eq!(choice(from, to).unwrap().meets(&event, &zone), meets, "{from} {to}");
        }
    }

    #[test]
    fn days_that_cannot_be_meant_are_refused() {
        for (from, to) in
            [("2022-10-27", "2022-10-26"), ("2022-10-32", "2022-10-26"), ("yesterday", "2022-10-26")]
        {
            let error = choice(from, to).unwrap_err();
            assert_eq!(error.kind(), Kind::Usage);
            assert!(error.to_string().contains("hint: "), "{error}");
        }
    }
}
