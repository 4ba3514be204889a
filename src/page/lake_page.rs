//! The page of all events.

use std::collections::BTreeMap;

use askama::Template;
use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, ToSpan};

use super::chart::{self, Series};
use super::event_page::Line;
use super::words;
use crate::calendar;
use crate::job::context::Context;

/// How many days the coverage shows of each event, from the event's own day on.
const COVERED: usize = 31;
/// How many days before the last day with an event the chart shows.
const CHARTED: i32 = 119;
/// An open event is visited at least once a day after its end; after this time without a visit, somebody should look.
const STALE: SignedDuration = SignedDuration::from_hours(48);
/// How many events the coverage shows at most, the newest first.
const SHOWN: usize = 500;

/// What the template shows.
#[derive(Template)]
#[template(path = "lake.html", config = "src/page/askama.toml")]
pub(super) struct LakePage {
    zone: String,
    made_at: DateTime,
    lines: Vec<Line>,
    /// How many of them the coverage leaves out.
    left_out: usize,
    days_chart: String,
    /// The sum over the events; `None` if no event tells who came.
    people: Option<u64>,
    /// Events that do not tell who came.
    nameless: usize,
    viewings: u64,
    last_visit: Option<DateTime>,
    /// Events that are over and still visited, but have not been for two days.
    stale: usize,
    /// Events of which something is missing.
    incomplete: usize,
    /// How much could not be read, and is left out here.
    unread: usize,
}

/// One day of an event in the coverage.
struct Covered {
    day: Date,
    rows: u64,
    is_owed: bool,
}

impl Covered {
    /// The class, by the number of digits: the more rows, the darker.
    fn class(&self) -> String {
        match self.rows {
            0 => String::new(),
            rows => format!("has{}", rows.ilog10().min(3) + 1),
        }
    }
}

impl LakePage {
    pub(super) fn draw(context: &Context, lines: Vec<Line>, unread: usize) -> Self {
        let zone = &context.lake.settings.zone;
        let now = context.clock.now();
        let is_stale = |line: &&Line| {
            let end = line.event.end_time.filter(|_| !line.event.is_closed);
            end.is_some_and(|end| now.duration_since(end.max(line.event.pulled_at)) > STALE)
        };
        let is_incomplete = |line: &&Line| !line.owed.is_empty() || !line.event.is_complete;
        let nameless = lines.iter().filter(|line| !line.sums.tells_people()).count();
        Self {
            zone: zone.name().to_owned(),
            made_at: zone.wall_clock(now),
            left_out: lines.len().saturating_sub(SHOWN),
            days_chart: days_chart(&lines),
            people: (nameless == 0 || nameless < lines.len())
                .then(|| lines.iter().map(|line| line.sums.people).sum()),
            nameless,
            viewings: lines.iter().map(|line| line.sums.viewings).sum(),
            last_visit: lines.iter().map(|line| line.visited).max(),
            stale: lines.iter().filter(is_stale).count(),
            incomplete: lines.iter().filter(is_incomplete).count(),
            lines,
            unread,
        }
    }

    fn shown(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().take(SHOWN)
    }
}

impl Line {
    /// The days from the event's own on.
    fn covered(&self) -> Vec<Covered> {
        let rows: BTreeMap<Date, u64> = self.days.iter().copied().collect();
        let days = self.event.day.series(1.day()).take(COVERED);
        days.map(|day| Covered {
            day,
            rows: rows.get(&day).copied().unwrap_or_default(),
            is_owed: self.owed.days.contains(&day),
        })
        .collect()
    }
}

/// The chart of events by day.
fn days_chart(lines: &[Line]) -> String {
    let mut found: BTreeMap<Date, u64> = BTreeMap::new();
    for line in lines {
        *found.entry(line.event.day).or_default() += 1;
    }
    let (Some((first, _)), Some((last, _))) = (found.first_key_value(), found.last_key_value()) else {
        return String::new();
    };
    let first = last.checked_sub(CHARTED.days()).map_or(*first, |from| from.max(*first));
    let days: Vec<Date> = calendar::days(first, *last).collect();
    let events: Vec<u64> = days.iter().map(|day| found.get(day).copied().unwrap_or_default()).collect();
    chart::columns(&[Series { class: "live", values: &events }], &chart::day_labels(&days))
}
