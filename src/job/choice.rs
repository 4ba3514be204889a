//! What a run is about: everything that is due, or what the user chose; and what that means for one visit.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::selection::Selection;
use crate::calendar::Zone;
use crate::error::{Error, Kind, Result};
use crate::load::ledger::Ledger;
use crate::transform::event::Event;

/// Days that a user chose, both included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Days {
    pub(super) first: Date,
    pub(super) last: Date,
}

impl Days {
    pub(super) const ALL: Self = Self { first: Date::MIN, last: Date::MAX };

    /// The days from one to another; `None` if neither is given.
    pub(super) fn between(from: Option<Date>, to: Option<Date>) -> Result<Option<Self>> {
        if from.is_none() && to.is_none() {
            return Ok(None);
        }
        let days = Self { first: from.unwrap_or(Date::MIN), last: to.unwrap_or(Date::MAX) };
        if days.first > days.last {
            let message = format!("`--from` {} is after `--to` {}", days.first, days.last);
            return Err(Error::new(Kind::Usage, message).hint("swap them"));
        }
        Ok(Some(days))
    }

    /// These days, and the days before them on which an event may have been held that was watched on these.
    pub(super) fn with_those_before(self, horizon: SignedDuration, zone: &Zone) -> Self {
        let begin = zone.start_of(self.first).ok().and_then(|start| start.checked_sub(horizon).ok());
        Self { first: begin.map_or(Date::MIN, |begin| zone.day_of(begin)), ..self }
    }

    /// Whether this day is one of them.
    pub(super) fn has(self, day: Date) -> bool {
        (self.first..=self.last).contains(&day)
    }

    /// Whether an event takes place on any of them; false if its time is not known.
    pub(super) fn meet(self, event: &Event, zone: &Zone) -> bool {
        let Some(start) = event.start_time else { return false };
        let (first, last) = (zone.day_of(start), zone.day_of(event.end_time.unwrap_or(start)));
        first <= self.last && last >= self.first
    }
}

/// What a run is about.
#[derive(Debug)]
pub(super) enum Chosen {
    /// Nothing was chosen: everything that is due.
    Due,
    /// These days of all events that took place, or may have been watched, on them.
    Days(Days),
    /// These events; if days were chosen, only these days of them.
    Events(Vec<i64>, Option<Days>),
    /// One of the pulls of a plan that was made earlier: some of the plan's events, and the days that it was made for, if any.
    Plan { events: Vec<i64>, days: Option<Days>, planned_at: Timestamp },
}

/// A selection, checked.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) chosen: Chosen,
    /// Whether fewer rows on the chosen days are accepted.
    accept_shrink: bool,
}

impl Choice {
    pub(super) fn checked(selection: &Selection) -> Result<Self> {
        let days = Days::between(selection.from, selection.to)?;
        if let Some(number) = selection.event.iter().find(|number| **number < 1) {
            return Err(Error::new(Kind::Usage, format!("no event has the number {number}"))
                .hint("give the vendor's `eventId`"));
        }
        let mut events = selection.event.clone();
        events.sort_unstable();
        events.dedup();
        let chosen = match (selection.planned_at, events.is_empty(), days) {
            (Some(_), true, _) => {
                return Err(Error::new(Kind::Usage, "`--planned-at` needs the events of the plan")
                    .hint("give `--event` with `--planned-at`"));
            }
            (Some(planned_at), false, days) => Chosen::Plan { events, days, planned_at },
            (None, false, days) => Chosen::Events(events, days),
            (None, true, Some(days)) => Chosen::Days(days),
            (None, true, None) => Chosen::Due,
        };
        let choice = Self { chosen, accept_shrink: selection.accept_shrink };
        if choice.accept_shrink && !choice.is_chosen() {
            return Err(Error::new(Kind::Usage, "`--accept-shrink` would let every event shrink")
                .hint("choose some with `--event`, or with `--from` and `--to`"));
        }
        Ok(choice)
    }

    /// The chosen days; `None` if none were chosen.
    pub(super) fn days(&self) -> Option<Days> {
        match &self.chosen {
            Chosen::Due => None,
            Chosen::Days(days) => Some(*days),
            Chosen::Events(_, days) | Chosen::Plan { days, .. } => *days,
        }
    }

    /// Whether the user chose events or days. In a pull of a plan, only days count: the plan chose the events.
    pub(super) fn is_chosen(&self) -> bool {
        !matches!(self.chosen, Chosen::Due | Chosen::Plan { days: None, .. })
    }

    /// Whether no later run comes back to what this one leaves, because the user chose it, and not through a plan.
    pub(super) fn is_one_off(&self) -> bool {
        matches!(self.chosen, Chosen::Days(_) | Chosen::Events(..))
    }

    /// Whether the event was visited since it was planned.
    pub(super) fn was_visited(&self, ledger: &Ledger) -> bool {
        match &self.chosen {
            Chosen::Plan { days, planned_at, .. } => was_visited_since(ledger, *planned_at, days.is_some()),
            Chosen::Due | Chosen::Days(_) | Chosen::Events(..) => false,
        }
    }

    /// What a visit of this event is to ask for. If another pull of the plan was cut off while visiting it, the chosen days are
    /// not all asked for again.
    pub(super) fn scope_of(&self, ledger: &Ledger) -> Scope {
        let (days, planned_at) = match &self.chosen {
            Chosen::Due | Chosen::Plan { days: None, .. } => return Scope::Due,
            Chosen::Days(days) => (*days, None),
            Chosen::Events(_, days) => (days.unwrap_or(Days::ALL), None),
            Chosen::Plan { days: Some(days), planned_at, .. } => (*days, Some(*planned_at)),
        };
        let (is_continued, accept_shrink) = (self.was_visited(ledger), self.accept_shrink);
        Scope::Chosen { days, planned_at, is_continued, accept_shrink }
    }
}

/// What one visit is to ask for besides what is due.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope {
    /// Nothing.
    Due,
    /// What the user chose.
    Chosen {
        /// These days of the event.
        days: Days,
        /// When the plan was made that chose them; `None` if no plan did.
        planned_at: Option<Timestamp>,
        /// Whether this goes on where another pull of the plan was cut off.
        is_continued: bool,
        /// Whether fewer rows on these days are accepted.
        accept_shrink: bool,
    },
}

impl Scope {
    /// Whether the user chose the event, or days.
    pub(super) fn is_chosen(self) -> bool {
        matches!(self, Self::Chosen { .. })
    }

    /// When the plan was made that chose these days; `None` if no plan did.
    pub(super) fn planned_at(self) -> Option<Timestamp> {
        if let Self::Chosen { planned_at, .. } = self { planned_at } else { None }
    }

    /// Whether the event is visited in full, whatever is due.
    pub(super) fn is_whole(self) -> bool {
        matches!(self, Self::Chosen { is_continued: false, .. })
    }

    /// Whether this day is asked for again, due or not.
    pub(super) fn has_day(self, day: Date) -> bool {
        matches!(self, Self::Chosen { days, is_continued: false, .. } if days.has(day))
    }

    /// Whether fewer rows on this day are accepted.
    pub(super) fn accepts(self, day: Date) -> bool {
        matches!(self, Self::Chosen { days, accept_shrink: true, .. } if days.has(day))
    }
}

/// Whether an event was visited since it was planned. If days were chosen, only visits of that plan count: others ask for other
/// days.
pub(super) fn was_visited_since(ledger: &Ledger, planned_at: Timestamp, of_days: bool) -> bool {
    if of_days { ledger.planned_at == Some(planned_at) } else { ledger.last_visit >= Some(planned_at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(from: &str, to: &str) -> Result<Choice> {
        let (from, to) = (from.parse().ok(), to.parse().ok());
        Choice::checked(&Selection { from, to, ..Selection::default() })
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
            assert_eq!(choice(from, to).unwrap().days().unwrap().meet(&event, &zone), meets, "{from} {to}");
        }
    }

    #[test]
    fn a_range_of_days_that_ends_before_it_begins_is_refused() {
        let error = choice("2022-10-27", "2022-10-26").unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert!(error.to_string().contains("hint: swap them"), "{error}");
    }
}
