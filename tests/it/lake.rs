//! A lake as a reader finds it: the cells that its footers name, checked against its rows.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures::TryStreamExt;
use jiff::civil::Date;
use rollcall::load::keys;
use rollcall::load::object::ObjectReader;
use rollcall::load::store::{Folder, Store};
use rollcall::transform::digest::{Digest, Totals};
use rollcall::transform::tables::Table;

/// Rows and digest of each cell, by table, day, and event.
pub(crate) type Cells = BTreeMap<(Table, Date, i64), (u64, Digest)>;

/// All cells of the tables of viewings. The index of every object is compared with its rows.
pub(crate) async fn cells(folder: &Path) -> Cells {
    let store: Arc<dyn Store> = Arc::new(Folder::new(folder));
    let mut cells = Cells::new();
    for table in Table::ALL {
        for key in store.list(&format!("lake/{}/", table.name())).await.unwrap() {
            let day: Date = key.split("dt=").nth(1).unwrap()[..10].parse().unwrap();
            assert_eq!(key, keys::lake(table, day), "nothing but data lies under a table's prefix");
            let object = ObjectReader::open(&store, &key, table, day).await.unwrap().unwrap();
            let mut row = 0;
            for cell in object.cells() {
                let rows = object.rows(std::iter::once(row..row + cell.rows)).unwrap();
                let mut totals = Totals::default();
                for batch in rows.try_collect::<Vec<_>>().await.unwrap() {
                    totals.add(table, &batch);
                }
                let found = (totals.rows, totals.weight, totals.digest);
                assert_eq!(found, (cell.rows, cell.weight, cell.digest), "{key} {}", cell.event_id);
                row += cell.rows;
                if matches!(table, Table::Lives | Table::Interactions | Table::ViewerDetails) {
                    cells.insert((table, day, cell.event_id), (cell.rows, cell.digest));
                }
            }
        }
    }
    cells
}
