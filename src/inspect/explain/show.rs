//! The history of an event, for people.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::days::{DayOf, Held};
use super::viewer::Seen;
use super::{Explanation, State};
use crate::counted::counted;
use crate::load::ledger::Closing;
use crate::load::ledger::visit::Owed;
use crate::one_line::OneLine;
use crate::transform::event::Event;
use crate::transform::tables::Table;

/// Further columns that the line about a viewer's row shows.
const SHOWN: [&str; 6] = ["live_type", "entry", "name", "company", "person_key", "reason"];

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Event { event_id, title, start_time, end_time, status, .. } = &self.event;
        write!(f, "event      {event_id}: {}", OneLine(title.as_deref().unwrap_or("without a title")))?;
        let at = |time: &Option<Timestamp>| time.map_or_else(|| "?".to_owned(), |time| format!("{time:.0}"));
        write!(f, "\ntime       {} to {}", at(start_time), at(end_time))?;
        if let Some(status) = status {
            write!(f, ", {}", OneLine(status))?;
        }
        if let Some(day) = self.event_day {
            write!(f, "\nevent day  {day}")?;
        }
        match &self.state {
            Some(state) => write!(f, "{state}")?,
            None => f.write_str("\nstate      it has no ledger: what follows comes from the lake")?,
        }
        self.visits.iter().try_for_each(|visit| show_visit(f, visit))?;
        self.days.iter().try_for_each(|day| write!(f, "{day}"))?;
        self.staged.iter().try_for_each(|key| write!(f, "\nstaged     {key}"))?;
        let Some(seen) = &self.seen else { return Ok(()) };
        if seen.is_empty() {
            f.write_str("\nviewer     not found in any row or reject of this event")?;
        }
        seen.iter().try_for_each(|seen| show_row(f, seen))
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\nstate      ")?;
        match (self.closed, self.due_at) {
            (Some(Closing::Complete), _) if self.owed.is_empty() => {
                f.write_str("closed: past the horizon, and complete")?;
            }
            (Some(Closing::Complete | Closing::Incomplete), _) => {
                f.write_str("closed: past the horizon, and not complete")?;
            }
            (Some(Closing::Cancelled), _) => f.write_str("closed: cancelled")?,
            (Some(Closing::Deleted), _) => {
                f.write_str("closed: cancelled, and deleted by the vendor")?;
            }
            (None, Some(due_at)) => write!(f, "open, due at {due_at:.0}")?,
            (None, None) if self.has_ended => f.write_str("open")?,
            (None, None) => {
                f.write_str("not due: it has not ended, as far as is known")?;
            }
        }
        match self.through {
            Some(through) => write!(f, "; asked for up to {through:.0}")?,
            None => f.write_str("; no visit has asked for all of it yet")?,
        }
        if self.failures > 0 {
            let failed = counted(self.failures, "failed visit");
            write!(f, "; {failed} since the last one that did not fail")?;
        }
        if self.is_gone {
            f.write_str("; the vendor no longer knows it")?;
        }
        if !self.owed.is_empty() {
            write!(f, "\nowed       {}", Owed::of_names(&self.owed))?;
        }
        if !self.doubted.is_empty() {
            let days = Owed { days: self.doubted.iter().copied().collect(), ..Owed::default() };
            write!(f, "\ndoubted    {days}: answered with less than there may be; asked for once more")?;
        }
        Ok(())
    }
}

impl fmt::Display for DayOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { day, table, answered, lake, is_same } = self;
        let rows = |rows: &Option<Held>| match rows {
            Some(Held { rows, pulled_at, .. }) => {
                format!("{}, pulled at {pulled_at:.0}", counted(*rows, "row"))
            }
            None => "no rows".to_owned(),
        };
        write!(f, "\nday        {day} {table}: the lake has {}", rows(lake))?;
        if *is_same == Some(false) {
            write!(f, "; the vendor's last answer has {}", rows(answered))?;
        }
        if let Some(accepted) = lake.and_then(|lake| lake.accepted_at) {
            write!(f, "; fewer rows were accepted at {accepted:.0}")?;
        }
        Ok(())
    }
}

fn show_visit(f: &mut fmt::Formatter<'_>, visit: &Map<String, Value>) -> fmt::Result {
    let text = |name: &str| visit.get(name).and_then(Value::as_str).unwrap_or_default();
    let count = |name: &str| visit.get(name).and_then(Value::as_u64).unwrap_or_default();
    let number = |name: &str, noun: &str| counted(count(name), noun);
    write!(f, "\nvisit      {} {}, run {}: ", text("pulled_at"), text("outcome"), text("run"))?;
    let windows = serde_json::from_str::<Vec<Value>>(text("windows")).unwrap_or_default();
    write!(f, "{}, {}, ", number("requests", "request"), counted(windows.len() as u64, "window"))?;
    write!(f, "{}: {}, ", number("received", "record"), number("rows", "row"))?;
    write!(f, "{}, ", number("rejects", "reject"))?;
    write!(f, "{} outside, {} counted", count("outside"), count("counted"))?;
    for (name, noun, what) in [
        ("suppressed", "record", "of people to be forgotten"),
        ("fewer", "cell", "with less than before"),
        ("days_differing", "settled day", "differing from the snapshot"),
        ("set_aside", "value", "set aside"),
    ] {
        if count(name) > 0 {
            write!(f, ", {} {what}", number(name, noun))?;
        }
    }
    if !text("error").is_empty() {
        write!(f, "; {}", OneLine(text("error")))?;
    }
    Ok(())
}

fn show_row(f: &mut fmt::Formatter<'_>, Seen { table, day, row }: &Seen) -> fmt::Result {
    write!(f, "\nrow        {table} {day}")?;
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    if let Some(online) = text("online_date") {
        write!(f, " {online} to {} local time", text("offline_date").unwrap_or("?"))?;
    }
    let of = Table::ALL.into_iter().find(|of| of.name() == *table);
    if let Some(seconds) = of.and_then(Table::seconds_column).and_then(|column| row.get(column)) {
        write!(f, ", {seconds} s")?;
    }
    for value in SHOWN.iter().filter_map(|name| text(name)) {
        write!(f, ", {}", OneLine(value))?;
    }
    write!(f, "; from the visit {}", text("pulled_at").unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::json;

    use super::*;
    use crate::load::ledger::Ledger;

    /// What is told of an event with one visit and one row of a viewer.
    fn told(visit: &Value, table: &'static str, row: &Value) -> String {
        let fields = |value: &Value| value.as_object().unwrap().clone();
        let seen = Seen { table, day: "2022-10-26".parse().unwrap(), row: fields(row) };
        let explanation = Explanation {
            ok: true,
            event: Event::unknown(7),
            event_day: None,
            state: None,
            visits: vec![fields(visit)],
            days: Vec::new(),
            staged: Vec::new(),
            seen: Some(vec![seen]),
            failures: Vec::new(),
        };
        explanation.to_string()
    }

    #[test]
    fn the_records_of_a_visit_add_up_and_each_noun_agrees_with_its_number() {
        for (number, said) in [
            (0, ""),
            (
                1,
                ", 1 record of people to be forgotten, 1 cell with less than before, \
                 1 settled day differing from the snapshot, 1 value set aside",
            ),
            (
                2,
                ", 2 records of people to be forgotten, 2 cells with less than before, \
                 2 settled days differing from the snapshot, 2 values set aside",
            ),
        ] {
            let visit = json!({
                "requests": 1, "windows": "[[1, 2]]", "received": 7 + number, "rows": 1, "rejects": 1,
                "outside": 2, "counted": 3, "suppressed": number, "fewer": number, "days_differing": number,
                "set_aside": number,
            });
            let records = format!("{} records: 1 row, 1 reject, 2 outside, 3 counted{said}\n", 7 + number);
            let told = told(&visit, "lives", &json!({}));
            assert!(told.contains(&format!(": 1 request, 1 window, {records}")), "{told}");
        }
    }

    #[test]
    fn days_that_are_asked_for_once_more_are_named_apart_from_those_that_are_owed() {
        let days = ["2022-10-26", "2022-10-27", "2022-10-29", "2022-10-30"].map(|day| day.parse().unwrap());
        let mut ledger = Ledger::new(Event::unknown(7), Timestamp::UNIX_EPOCH);
        ledger.owed.days.insert(days[2]);
        // The last of them is believed by now.
        ledger.lacked = days.into_iter().zip([1, 1, 1, 2]).collect();
        let told = State::of(&ledger, SignedDuration::ZERO, Timestamp::UNIX_EPOCH).to_string();
        let expected = "\nowed       2022-10-29\ndoubted    2022-10-26 to 2022-10-27: answered with less";
        assert!(told.contains(expected), "{told}");
    }

    #[test]
    fn a_row_is_shown_with_the_duration_that_the_table_pulls_sums_up() {
        let row = json!({"watch_duration_seconds": 1, "online_duration_seconds": 2, "duration_seconds": 3});
        for (table, seconds) in [("lives", 1), ("interactions", 2), ("viewer_details", 3)] {
            let told = told(&json!({}), table, &row);
            assert!(told.contains(&format!("row        {table} 2022-10-26, {seconds} s;")), "{told}");
        }
        let none = told(&json!({}), "rejects", &json!({"reason": "no_time"}));
        assert!(none.contains("row        rejects 2022-10-26, no_time;"), "{none}");
    }
}
