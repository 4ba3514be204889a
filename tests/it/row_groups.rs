//! A large day whose row groups are taken over as they are: the same bytes as if it had been written at once.

use std::collections::BTreeSet;
use std::iter;
use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::TryStreamExt;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use rollcall::calendar::Zone;
use rollcall::load::index::Kept;
use rollcall::load::keys;
use rollcall::load::lake::Lake;
use rollcall::load::object::ObjectReader;
use rollcall::load::publish::publish;
use rollcall::load::staging::{CellWriter, Visitor};
use rollcall::load::store::{Folder, Store};
use rollcall::transform::batch::BatchBuilder;
use rollcall::transform::row::rows;
use rollcall::transform::tables::Table;

const DAY: Date = date(2022, 10, 26);

fn lake() -> Lake {
    Lake { zone: Zone::parse("UTC").unwrap(), settle: SignedDuration::from_hours(12), policy: Arc::default() }
}

fn hour(hour: i64) -> Timestamp {
    lake().zone.start_of(DAY).unwrap() + SignedDuration::from_hours(hour)
}

/// Stages a visit's rows of an event, told apart by the hour of the visit.
async fn stage(store: &Arc<dyn Store>, event_id: i64, visit: i64, rows: i64) {
    let at = hour(visit);
    let visitor = Visitor { event_id, pulled_at: at, run: "run".to_owned(), kept: Kept::default() };
    let mut cell = CellWriter::new(Arc::clone(store), visitor, Table::Lives, DAY, "");
    let mut batch = BatchBuilder::new(Table::Lives);
    for row in 0..rows {
        batch.push_named(vec![
            ("event_id", event_id.into()),
            ("viewer_id", format!("{event_id}-{visit}-{row}").into()),
            ("mobile", format!("1900{:07}", row % 5_000).into()),
            ("online_time", (at + SignedDuration::from_secs(row)).into()),
            ("online_date", lake().zone.wall_clock(at + SignedDuration::from_secs(row)).into()),
            ("chat_num", (row % 7).into()),
            ("pulled_at", at.into()),
        ]);
    }
    cell.write(batch.finish().unwrap()).await.unwrap();
    cell.stage(at, (rows == 0).then_some(at)).await.unwrap();
}

async fn published(store: &Arc<dyn Store>) -> Vec<u8> {
    let published = publish(store, &lake(), &BTreeSet::new(), |_, _| ()).await.unwrap();
    assert!(published.failures.is_empty(), "{:?}", published.failures);
    bytes(store).await
}

async fn bytes(store: &Arc<dyn Store>) -> Vec<u8> {
    store.get(&keys::lake(Table::Lives, DAY)).await.unwrap().unwrap().0.to_vec()
}

async fn object(store: &Arc<dyn Store>) -> ObjectReader {
    let key = keys::lake(Table::Lives, DAY);
    let head = store.head(&key).await.unwrap().unwrap();
    ObjectReader::open(store, &key, head, Table::Lives, DAY).await.unwrap()
}

#[tokio::test]
async fn many_events_of_a_row_or_two_are_published_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(Folder::new(folder.path()));
    let mut expected = Vec::new();
    for event_id in 1..=300 {
        let rows = 1 + event_id % 2;
        stage(&store, event_id, 1, rows).await;
        expected.extend((0..rows).map(|row| format!("{event_id}-1-{row}")));
    }
    published(&store).await;
    let batches = object(&store).await.rows(iter::once(0..expected.len() as u64)).unwrap();
    let batches: Vec<RecordBatch> = batches.try_collect().await.unwrap();
    let found = batches.iter().flat_map(rows).map(|row| row.text("viewer_id").unwrap().into_owned());
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_day_that_was_changed_has_the_bytes_of_a_day_that_was_written_at_once() {
    // Events of 900 rows, and one that has row groups of its own.
    let rows = |event_id: i64| if event_id == 70 { 70_000 } else { 900 };
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let changing: Arc<dyn Store> = Arc::new(Folder::new(one.path()));
    for event_id in 1..=100 {
        stage(&changing, event_id, 1, rows(event_id)).await;
    }
    published(&changing).await;
    // More rows in one, none in another, one that is new, and the large one anew.
    for change in [&[(30, 2_000)][..], &[(31, 0)], &[(200, 500), (3, 1)], &[(70, 66_000)]] {
        for (event_id, rows) in change {
            stage(&changing, *event_id, 2, *rows).await;
        }
        published(&changing).await;
    }
    let at_once: Arc<dyn Store> = Arc::new(Folder::new(other.path()));
    for event_id in (1..=100).filter(|event_id| ![30, 31, 3, 70].contains(event_id)) {
        stage(&at_once, event_id, 1, rows(event_id)).await;
    }
    for (event_id, rows) in [(30, 2_000), (31, 0), (200, 500), (3, 1), (70, 66_000)] {
        stage(&at_once, event_id, 2, rows).await;
    }
    let expected = published(&at_once).await;
    let found = bytes(&changing).await;
    assert_eq!(found.len(), expected.len());
    assert!(found == expected, "the bytes differ");
    let object = object(&changing).await;
    assert!(object.groups().len() > 5, "there are row groups to take over: {:?}", object.groups());
}
