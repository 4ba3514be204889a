//! A lake as a reader finds it: the cells that its footers name, checked against its rows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use rollcall::load::cell::Cell;
use rollcall::load::keys;
use rollcall::load::lake_objects::each_row;
use rollcall::load::ledger::Ledger;
use rollcall::load::ledger::ledgers::Ledgers;
use rollcall::load::object::ObjectReader;
use rollcall::load::store::{Folder, Listed, Store};
use rollcall::transform::digest::Digest;
use rollcall::transform::row::Row;
use rollcall::transform::tables::Table;

use super::command::Desk;

/// Rows and digest of each cell, by table, day, and event.
pub(crate) type Cells = BTreeMap<(Table, Date, i64), (u64, Digest)>;

/// All cells of the tables of viewings in a folder.
pub(crate) async fn cells(folder: &Path) -> Cells {
    let store: Arc<dyn Store> = Arc::new(Folder::new(folder));
    cells_of(&store).await
}

async fn objects(store: &Arc<dyn Store>, table: Table) -> Vec<(Date, ObjectReader)> {
    let mut objects = Vec::new();
    for Listed { key, head } in store.list(&format!("lake/{}/", table.name()), "").await.unwrap() {
        let day: Date = key.split("dt=").nth(1).unwrap()[..10].parse().unwrap();
        assert_eq!(key, keys::object(table, day), "nothing but data lies under a table's prefix");
        objects.push((day, ObjectReader::open(store, &key, head, table, day).await.unwrap()));
    }
    objects
}

/// How many rows a table has of an event.
pub(crate) async fn rows_of(folder: &Path, table: Table, event: i64) -> u64 {
    let store: Arc<dyn Store> = Arc::new(Folder::new(folder));
    let objects = objects(&store, table).await;
    let cells = objects.iter().flat_map(|(_, object)| object.cells());
    cells.filter(|cell| cell.event_id == event).map(|cell| cell.rows).sum()
}

/// The events that have a row.
pub(crate) async fn events_of(store: &Arc<dyn Store>) -> BTreeSet<i64> {
    let events = objects(store, Table::Events).await;
    events.iter().flat_map(|(_, object)| object.cells()).map(|cell| cell.event_id).collect()
}

/// All cells of the tables of viewings. The index of every object is compared with its rows.
pub(crate) async fn cells_of(store: &Arc<dyn Store>) -> Cells {
    let mut cells = Cells::new();
    for table in Table::ALL {
        for (day, object) in objects(store, table).await {
            let key = keys::object(table, day);
            let with_rows = object.cells().iter().filter(|cell| cell.rows > 0);
            let of_rows: Vec<Cell> =
                object.totals().await.unwrap().into_iter().map(|(cell, _)| cell).collect();
            assert_eq!(of_rows.len(), with_rows.clone().count(), "{key}");
            for (cell, found) in with_rows.zip(&of_rows) {
                // What only the index knows.
                let Cell { staged_at, accepted_at, .. } = *cell;
                assert_eq!(*cell, Cell { staged_at, accepted_at, ..found.clone() }, "{key}");
            }
            if matches!(table, Table::Lives | Table::Interactions | Table::ViewerDetails) {
                let cells_here = object.cells().iter();
                cells.extend(cells_here.map(|cell| ((table, day, cell.event_id), (cell.rows, cell.digest))));
            }
        }
    }
    cells
}

/// What the row of an event says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EventSaid {
    pub(crate) is_closed: Option<bool>,
    pub(crate) outcome: Option<String>,
    pub(crate) through: Option<Timestamp>,
    pub(crate) first_day: Option<Date>,
}

/// What the rows of all events say.
pub(crate) async fn events_said(store: &Arc<dyn Store>) -> Vec<EventSaid> {
    let mut said = Vec::new();
    for event in events_of(store).await {
        said.push(event_said(store, event).await);
    }
    said
}

/// What the row of this event says.
pub(crate) async fn event_said(store: &Arc<dyn Store>, event: i64) -> EventSaid {
    let mut said = Vec::new();
    for (_, object) in objects(store, Table::Events).await {
        let each = |row: Row<'_>| {
            said.push(EventSaid {
                is_closed: row.flag("closed"),
                outcome: row.text("outcome").map(|text| text.to_string()),
                through: row.instant("pulled_through"),
                first_day: row.day("first_day"),
            });
        };
        each_row(&object, Some(event), each).await.unwrap();
    }
    assert_eq!(said.len(), 1, "{said:?}");
    said.remove(0)
}

/// How many records the visits say that they left out because they are of people to be forgotten; each accounts for all of its
/// records.
pub(crate) async fn suppressed_records(store: &Arc<dyn Store>) -> i64 {
    let mut suppressed = 0;
    for (_, object) in objects(store, Table::Pulls).await {
        let each = |row: Row<'_>| {
            let sum = |columns: &[&str]| columns.iter().map(|name| row.number(name).unwrap()).sum::<i64>();
            assert_eq!(sum(&["received"]), sum(&["rows", "rejects", "outside", "counted", "suppressed"]));
            suppressed += sum(&["suppressed"]);
        };
        each_row(&object, None, each).await.unwrap();
    }
    suppressed
}

/// The ledger of an event.
pub(crate) async fn ledger(desk: &Desk, event: i64) -> Option<Ledger> {
    Ledgers::new(desk.open()).find(event).await.unwrap().map(|entry| entry.ledger)
}
