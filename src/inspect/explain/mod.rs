//! Explain: the history of one event from ledger, lake and staging: every visit, every day, and where a viewer's rows
//! came from.

mod days;
mod show;
mod viewer;

use clap::Args;
use futures::{StreamExt, stream};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

use self::days::DayOf;
use self::viewer::{Seen, Sought};
use crate::error::{Error, Kind, Result};
use crate::job::context::Context;
use crate::job::selection::parse_event;
use crate::load::lake_objects::{LakeObject, READERS, each_row};
use crate::load::ledger::visit::Owed;
use crate::load::ledger::{Closing, Ledger};
use crate::load::{keys, lake_objects};
use crate::report::Failure;
use crate::transform::event::Event;
use crate::transform::tables::Table;

/// What `explain` is called with.
#[derive(Args, Clone, Debug)]
pub struct ExplainCall {
    /// The event.
    #[arg(value_name = "ID", value_parser = parse_event)]
    pub event_id: i64,
    /// Also show every row of a viewer: any part of a name, number, mail or IP address, or identifier.
    #[arg(long, value_name = "TEXT")]
    pub viewer: Option<String>,
}

/// What is known of one event.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// Whether everything could be read.
    pub ok: bool,
    /// The event, as the vendor last described it.
    pub event: Event,
    /// The day of its rows in `events` and `viewer_details`.
    pub event_day: Option<Date>,
    /// What its ledger states; `None` if it has no ledger.
    pub state: Option<State>,
    /// Its rows in `pulls`, the oldest first.
    pub visits: Vec<Map<String, Value>>,
    /// The last answer of the vendor and what is in the lake, day by day.
    pub days: Vec<DayOf>,
    /// Files that are staged and not published.
    pub staged: Vec<String>,
    /// Rows of the viewer, if one is looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<Vec<Seen>>,
    /// What could not be read.
    pub failures: Vec<Failure>,
}

/// What the ledger states about an event.
#[derive(Debug, Serialize)]
pub struct State {
    /// Whether the event is over.
    pub has_ended: bool,
    /// Why it is no longer visited; `None` if it still is.
    pub closed: Option<Closing>,
    /// When it is or was due; `None` if it has not ended yet, or is closed.
    pub due_at: Option<Timestamp>,
    /// The time up to which all days were asked for, except what is owed.
    pub through: Option<Timestamp>,
    /// Failed visits since the last one that did not fail.
    pub failures: u32,
    /// Whether the vendor no longer knows the event.
    pub is_gone: bool,
    /// What the next visit has to ask for again.
    pub owed: Vec<String>,
    /// Days that the next visit asks for once more, because their last answer lacked data that they may have.
    pub doubted: Vec<Date>,
}

impl State {
    fn of(ledger: &Ledger, horizon: SignedDuration, now: Timestamp) -> Self {
        let Ledger { closed, through, failures, is_gone, ref owed, .. } = *ledger;
        Self {
            has_ended: ledger.event.has_ended(now),
            closed,
            due_at: ledger.due_at(horizon, now),
            through,
            failures,
            is_gone,
            owed: Owed::names(owed),
            doubted: (&ledger.days_to_ask_for() - &owed.days).into_iter().collect(),
        }
    }
}

/// What the objects of the lake have of the event.
#[derive(Default)]
struct Gathered {
    cells: Vec<days::InLake>,
    visits: Vec<Map<String, Value>>,
    events: Vec<Event>,
    seen: Vec<Seen>,
}

impl Gathered {
    fn add(&mut self, other: Self) {
        self.cells.extend(other.cells);
        self.visits.extend(other.visits);
        self.events.extend(other.events);
        self.seen.extend(other.seen);
    }
}

impl Explanation {
    /// Reads everything about an event; [`Kind::Usage`] if nothing is known about it.
    pub async fn of(context: &Context, call: &ExplainCall) -> Result<Self> {
        let event_id = call.event_id;
        context.lake.check(None).await?;
        if call.viewer.is_some() {
            // Under another policy than the lake's, nobody would be found.
            context.lake.check_privacy().await?;
        }
        let mut failures = Vec::new();
        let ledger = match context.ledgers.find(event_id).await {
            Err(error) if error.is_unreadable() => {
                failures.push(Failure::of_event(event_id, error));
                None
            }
            found => found?.map(|entry| entry.ledger),
        };
        let now = context.clock.now();
        let sought = call
            .viewer
            .as_deref()
            .map(|text| Sought::checked(text, &context.lake.settings.policy))
            .transpose()?;

        let mut gathered = gather(context, event_id, ledger.as_ref(), sought.as_ref(), &mut failures).await?;
        gathered.visits.sort_by_cached_key(|visit| {
            visit.get("pulled_at").and_then(Value::as_str).and_then(|at| at.parse::<Timestamp>().ok())
        });
        gathered.seen.sort_by_key(|seen| (seen.table, seen.day));
        let Gathered { cells, visits, events, seen } = gathered;
        let event = described(event_id, ledger.as_ref(), events, &failures, &context.place)?;
        let staged = context.lake.store.list(keys::STAGING, "").await?.into_iter().map(|file| file.key);
        let of_event = |key: &String| keys::parse_visit(key).is_some_and(|(of, _)| of == event_id);
        Ok(Self {
            ok: failures.is_empty(),
            event,
            event_day: ledger.as_ref().and_then(|ledger| ledger.event_day),
            state: ledger.as_ref().map(|ledger| State::of(ledger, context.horizon, now)),
            visits,
            days: days::of(ledger.as_ref(), cells),
            staged: staged.filter(of_event).collect(),
            seen: sought.map(|_| seen),
            failures,
        })
    }
}

/// The first day that can have anything of the event: the day before the earliest of its first rows, its own day, and the day on
/// which it was first seen. People may wait for it to begin, and a visit that broke off may have staged that day.
fn first_day(context: &Context, ledger: &Ledger) -> Date {
    let first_seen = context.lake.settings.zone.day_of(ledger.first_seen);
    let of_rows = ledger.days.keys().next().copied();
    let first =
        [Some(first_seen), ledger.event_day, of_rows].into_iter().flatten().min().unwrap_or(first_seen);
    first.yesterday().unwrap_or(first)
}

/// The last day that can have anything of the event: that of its last visit, of its last rows, or its own; `None` if it has none
/// of these.
fn last_day(context: &Context, ledger: &Ledger) -> Option<Date> {
    let visited = ledger.last_visit.map(|visited| context.lake.settings.zone.day_of(visited));
    visited.max(ledger.days.keys().next_back().copied()).max(ledger.event_day)
}

/// Reads what the objects of the lake have of the event. An object that cannot be read is a failure, and does not hide the
/// others.
async fn gather(
    context: &Context,
    event_id: i64,
    ledger: Option<&Ledger>,
    sought: Option<&Sought>,
    failures: &mut Vec<Failure>,
) -> Result<Gathered> {
    let from = ledger.map(|ledger| first_day(context, ledger));
    // Foreign files are reported by `status`, not here.
    let listed = lake_objects::since(&context.lake.store, from, &mut Vec::new()).await?;
    // The lake may be ahead of the ledger of an open event, by what a visit staged before it broke off.
    let closed = ledger.filter(|ledger| ledger.closed.is_some());
    let until = closed.and_then(|ledger| last_day(context, ledger)).unwrap_or(Date::MAX);
    let listed = listed.into_iter().take_while(|(day, _)| *day <= until);
    let objects = listed.flat_map(|(day, tables)| {
        tables.into_iter().map(move |(table, head)| LakeObject {
            store: &context.lake.store,
            table,
            day,
            head,
        })
    });
    let asked = objects.map(|object| async move { gather_object(&object, event_id, sought).await });
    let mut asked = stream::iter(asked).buffer_unordered(READERS);
    let mut all = Gathered::default();
    while let Some(gathered) = asked.next().await {
        match gathered {
            Ok(gathered) => all.add(gathered),
            Err(error) if error.is_unreadable() => failures.push(Failure::of_run(&error)),
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// The event as its ledger describes it, else as its row does.
fn described(
    event_id: i64,
    ledger: Option<&Ledger>,
    rows: Vec<Event>,
    failures: &[Failure],
    place: &str,
) -> Result<Event> {
    if let Some(event) = ledger.map(|ledger| ledger.event.clone()).or(rows.into_iter().next()) {
        return Ok(event);
    }
    // The event may be in what could not be read.
    if !failures.is_empty() {
        return Ok(Event::unknown(event_id));
    }
    Err(Error::new(Kind::Usage, "nothing is known about this event")
        .with("event", event_id)
        .with("store", place)
        .hint("check the number and `--store`; `sync --event` asks the vendor for it"))
}

/// Reads what the object of one table and day has of the event.
async fn gather_object(object: &LakeObject<'_>, event_id: i64, sought: Option<&Sought>) -> Result<Gathered> {
    let (table, day) = (object.table, object.day);
    let gathered = object.read(async |reader| {
        let cells = reader.cells_of(event_id);
        let may_lack_people = reader.privacy_version().is_none_or(|version| version.suppressed > 0);
        let cells_in_lake = days::in_lake(table, day, &cells, may_lack_people);
        let mut gathered = Gathered { cells: cells_in_lake, ..Gathered::default() };
        let is_sought = sought.filter(|_| viewer::TABLES.contains(&table));
        if cells.is_empty() || is_sought.is_none() && !matches!(table, Table::Pulls | Table::Events) {
            return Ok(gathered);
        }
        each_row(&reader, Some(event_id), |row| match is_sought {
            Some(sought) => gathered.seen.extend(sought.find(table, day, &row)),
            None if table == Table::Pulls => gathered.visits.push(row.to_json(table)),
            None => gathered.events.extend(row.event()),
        })
        .await?;
        Ok(gathered)
    });
    Ok(gathered.await?.unwrap_or_default())
}
