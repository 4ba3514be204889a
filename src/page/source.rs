//! Where pages take their rows from: the lake's objects, found by the row of each event.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::audience::Audience;
use crate::calendar::Zone;
use crate::error::{Error, Kind, Result};
use crate::job::context::Context;
use crate::load::conflict_retries::retried;
use crate::load::lake_objects::{self, ByTable, LakeObject, READERS, each_row};
use crate::load::ledger::visit::{Outcome, Owed};
use crate::load::ledger::visit_row::{Compared, VisitRow};
use crate::load::object::ObjectReader;
use crate::load::store::{Head, Store};
use crate::transform::row::Row;
use crate::transform::tables::Table;

/// The lake's objects as they were listed.
pub(super) struct Source {
    store: Arc<dyn Store>,
    objects: BTreeMap<Date, ByTable<Head>>,
}

/// One event, as its row in `events` describes it.
#[derive(Clone, Debug)]
pub(super) struct EventRow {
    pub(super) event_id: i64,
    pub(super) day: Date,
    pub(super) title: Option<String>,
    pub(super) host: Option<String>,
    pub(super) start_time: Option<Timestamp>,
    pub(super) end_time: Option<Timestamp>,
    pub(super) start: Option<DateTime>,
    pub(super) end: Option<DateTime>,
    pub(super) days: Option<(Date, Date)>,
    pub(super) through: Option<Timestamp>,
    pub(super) is_closed: bool,
    /// Whether the last visit got everything that was due.
    pub(super) is_complete: bool,
    pub(super) pulled_at: Timestamp,
}

/// How many rows an event has on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DayRows {
    pub(super) day: Date,
    pub(super) lives: u64,
    pub(super) interactions: u64,
    pub(super) pulled_at: Timestamp,
}

impl EventRow {
    fn of(day: Date, row: &Row<'_>) -> Option<Self> {
        let text = |column: &str| row.text(column).map(std::borrow::Cow::into_owned);
        Some(Self {
            event_id: row.number("event_id")?,
            day,
            title: text("title"),
            host: text("host_name"),
            start_time: row.instant("start_time"),
            end_time: row.instant("end_time"),
            start: row.wall_clock("start_date"),
            end: row.wall_clock("end_date"),
            days: row.day("first_day").zip(row.day("last_day")),
            through: row.instant("pulled_through"),
            is_closed: row.flag("closed").unwrap_or_default(),
            is_complete: Outcome::of_row(row) == Some(Outcome::Complete),
            pulled_at: row.instant("pulled_at")?,
        })
    }

    /// Fails if the lake was made in another zone: then the minutes of its viewings would not be those of its days.
    pub(super) fn check_zone(&self, zone: &Zone) -> Result<()> {
        match self.start_time.zip(self.start) {
            Some((instant, start)) if zone.wall_clock(instant) != start => {
                let message = format!("the lake was not made with the zone `{}`", zone.name());
                Err(Error::new(Kind::OtherLake, message).hint("give the `--zone` that it was made with"))
            }
            _ => Ok(()),
        }
    }
}

impl Source {
    /// Lists the lake. It may be a copy without a ledger.
    pub(super) async fn open(context: &Context) -> Result<Self> {
        context.lake.check(None).await?;
        // Foreign files are reported by `status`, not here.
        let objects = lake_objects::since(&context.lake.store, None, &mut Vec::new()).await?;
        if objects.is_empty() {
            return Err(Error::new(Kind::Usage, "there is no lake yet")
                .hint("name its place with `--store`, or make one with `sync`"));
        }
        Ok(Self { store: Arc::clone(&context.lake.store), objects })
    }

    fn object(&self, table: Table, day: Date) -> Option<LakeObject<'_>> {
        let head = self.objects.get(&day)?.get(&table)?.clone();
        Some(LakeObject { store: &self.store, table, day, head })
    }

    /// The row of an event; [`Kind::Usage`] if the lake has no such event.
    pub(super) async fn find(&self, event_id: i64) -> Result<EventRow> {
        let mut unreadable = None;
        for day in self.objects.keys().rev() {
            match self.events_of(*day, Some(event_id)).await {
                Ok(mut rows) => {
                    if let Some(row) = rows.pop() {
                        return Ok(row);
                    }
                }
                Err(error) => unreadable = Some(error),
            }
        }
        // The event may be in what cannot be read.
        if let Some(error) = unreadable {
            return Err(error);
        }
        Err(Error::new(Kind::Usage, "the lake has no such event")
            .with("event", event_id)
            .hint("check the number and `--store`; `sync --event` asks the vendor for it"))
    }

    /// The rows of all events, the newest first, and what cannot be read.
    pub(super) async fn all(&self) -> (Vec<EventRow>, Vec<Error>) {
        let (mut all, mut failures) = (Vec::new(), Vec::new());
        for day in self.objects.keys().rev() {
            match self.events_of(*day, None).await {
                Ok(mut of_day) => {
                    of_day.sort_by_key(|event| (std::cmp::Reverse(event.start_time), event.event_id));
                    all.extend(of_day);
                }
                Err(error) => failures.push(error),
            }
        }
        (all, failures)
    }

    async fn events_of(&self, day: Date, event_id: Option<i64>) -> Result<Vec<EventRow>> {
        let Some(object) = self.object(Table::Events, day) else { return Ok(Vec::new()) };
        let read = object.read(async |reader| {
            let mut rows = Vec::new();
            if event_id.is_none_or(|event_id| !reader.cells_of(event_id).is_empty()) {
                each_row(&reader, event_id, |row| rows.extend(EventRow::of(day, &row))).await?;
            }
            Ok(rows)
        });
        Ok(read.await?.unwrap_or_default())
    }

    /// Everybody who came to an event, and how many rows each day has. Starts again if an object is replaced meanwhile.
    pub(super) async fn audience(
        &self,
        context: &Context,
        event: &EventRow,
    ) -> Result<(Audience, Vec<DayRows>)> {
        retried(|| self.try_audience(context, event)).await
    }

    async fn try_audience(&self, context: &Context, event: &EventRow) -> Result<(Audience, Vec<DayRows>)> {
        let mut audience = Audience::default();
        let mut days: Vec<DayRows> = Vec::new();
        let of_row = |day: &Date| event.days.is_some_and(|(first, last)| (first..=last).contains(day));
        // Of a closed event, the row knows all days.
        let with_viewings = self.days(context, event).filter(|day| !event.is_closed || of_row(day));
        let places = with_viewings.flat_map(|day| [(Table::Lives, day), (Table::Interactions, day)]);
        let objects = places.filter_map(|(table, day)| self.object(table, day));
        // Footers are read ahead; rows are read in order.
        let mut found =
            stream::iter(objects).map(|object| with_cell(object, event.event_id)).buffered(READERS);
        while let Some((table, day, found)) = found.try_next().await? {
            let Some((rows, pulled_at, reader)) = found else { continue };
            each_row(&reader, Some(event.event_id), |row| audience.add(table, &row)).await?;
            if days.last().is_none_or(|last| last.day != day) {
                days.push(DayRows { day, lives: 0, interactions: 0, pulled_at });
            }
            if let Some(of_day) = days.last_mut() {
                of_day.pulled_at = of_day.pulled_at.max(pulled_at);
                *(if table == Table::Lives { &mut of_day.lives } else { &mut of_day.interactions }) += rows;
            }
        }
        Ok((audience, days))
    }

    /// The days on which an event may have rows or visits, from the day before the first of them: people may wait for it to
    /// begin. The lake may be ahead of the row of an open event, by what a visit staged before it broke off.
    fn days(&self, context: &Context, event: &EventRow) -> impl DoubleEndedIterator<Item = Date> {
        let first = event.days.map_or(event.day, |(first, _)| first.min(event.day));
        let first = first.yesterday().unwrap_or(first);
        let visited = context.lake.settings.zone.day_of(event.pulled_at);
        let last =
            if event.is_closed { visited.max(event.days.map_or(first, |(_, last)| last)) } else { Date::MAX };
        self.objects.range(first..=last.max(first)).map(|(day, _)| *day)
    }

    /// How many records of an event no table could hold, each once for each answer that had it.
    pub(super) async fn rejects(&self, context: &Context, event: &EventRow) -> Result<u64> {
        let objects = self.days(context, event).filter_map(|day| self.object(Table::Rejects, day));
        let rows = stream::iter(objects).map(|object| async move {
            let cells = async |reader: ObjectReader| {
                Ok(reader.cells_of(event.event_id).iter().map(|(cell, _)| cell.rows).sum::<u64>())
            };
            object.read(cells).await
        });
        let rows: Vec<_> = rows.buffered(READERS).try_collect().await?;
        Ok(rows.into_iter().flatten().sum())
    }

    /// What the rows of an event's visits in `pulls` say about it.
    pub(super) async fn visits(&self, context: &Context, event: &EventRow) -> Result<Visits> {
        let (mut visits, mut visited_at) = (Visits::default(), None);
        for day in self.days(context, event).rev() {
            let Some(object) = self.object(Table::Pulls, day) else { continue };
            let read = object.read(async |reader| {
                let mut rows = Vec::new();
                each_row(&reader, Some(event.event_id), |row| rows.extend(VisitRow::read(&row))).await?;
                Ok(rows)
            });
            let mut rows = read.await?.unwrap_or_default();
            rows.sort_by_key(|visit| visit.pulled_at);
            for VisitRow { pulled_at, owed, compared, .. } in rows {
                visits.compared = compared.or(visits.compared);
                if visited_at < Some(pulled_at) && pulled_at <= event.pulled_at {
                    (visited_at, visits.owed) = (Some(pulled_at), owed);
                }
            }
            if visits.compared.is_some() {
                break;
            }
        }
        Ok(visits)
    }
}

/// What an event's visits found, as far as it shows how complete the event is.
#[derive(Default)]
pub(super) struct Visits {
    /// What is owed, according to the last visit that the event's row includes.
    pub(super) owed: Owed,
    /// What the last visit that compared its answers found.
    pub(super) compared: Option<Compared>,
}

/// The table and day of an object and, if it has a cell of the event, how many rows, when they were pulled, and its reader.
type WithCell = (Table, Date, Option<(u64, Timestamp, ObjectReader)>);

async fn with_cell(object: LakeObject<'_>, event_id: i64) -> Result<WithCell> {
    let read = object.read(async |reader| {
        let cell = reader.cells_of(event_id).first().map(|(cell, _)| (cell.rows, cell.pulled_at));
        Ok(cell.map(|(rows, pulled_at)| (rows, pulled_at, reader)))
    });
    Ok((object.table, object.day, read.await?.flatten()))
}
