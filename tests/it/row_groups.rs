//! A large day whose row groups are taken over as they are: the same bytes as if it had been written at once.

use std::collections::BTreeSet;
use std::iter;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::TryStreamExt;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use parquet::basic::Compression;
use parquet::file::reader::{FileReader, SerializedFileReader};
use rollcall::calendar::{Deadline, Zone};
use rollcall::json::record::Records;
use rollcall::load::keys;
use rollcall::load::lake::Lake;
use rollcall::load::lake_settings::LakeSettings;
use rollcall::load::object::ObjectReader;
use rollcall::load::publish::publish;
use rollcall::load::staging::{CellWriter, VisitId};
use rollcall::load::store::{Folder, Store};
use rollcall::transform::batch::{BatchBuilder, text_bytes};
use rollcall::transform::decode::{DecodeContext, Decoder};
use rollcall::transform::privacy::{Privacy, PrivacyVersion};
use rollcall::transform::row::rows;
use rollcall::transform::tables::Table;

const DAY: Date = date(2022, 10, 26);

fn settings() -> LakeSettings {
    LakeSettings {
        zone: Zone::parse("UTC").unwrap(),
        settle: SignedDuration::from_hours(12),
        policy: Arc::default(),
    }
}

fn hour(hour: i64) -> Timestamp {
    settings().zone.start_of(DAY).unwrap() + SignedDuration::from_hours(hour)
}

/// A cell of a visit; visits are told apart by their hour.
fn cell(store: &Arc<dyn Store>, event_id: i64, visit: i64) -> CellWriter {
    let run = "run".to_owned();
    let visit_id =
        VisitId { event_id, pulled_at: hour(visit), run, privacy_version: PrivacyVersion::default() };
    CellWriter::new(Arc::clone(store), visit_id, Table::Lives, DAY)
}

/// Rows of a visit.
fn batch(event_id: i64, visit: i64, rows: Range<i64>) -> RecordBatch {
    let at = hour(visit);
    let mut batch = BatchBuilder::new(Table::Lives);
    for row in rows {
        batch.push_named(vec![
            ("event_id", event_id.into()),
            ("viewer_id", format!("{event_id}-{visit}-{row}").into()),
            ("mobile", format!("1900{:07}", row % 5_000).into()),
            ("online_time", (at + SignedDuration::from_secs(row)).into()),
            ("online_date", settings().zone.wall_clock(at + SignedDuration::from_secs(row)).into()),
            ("chat_num", (row % 7).into()),
            ("pulled_at", at.into()),
        ]);
    }
    batch.finish().unwrap()
}

/// Stages a visit's rows of an event.
async fn stage(store: &Arc<dyn Store>, event_id: i64, visit: i64, rows: i64) {
    let mut cell = cell(store, event_id, visit);
    cell.write(batch(event_id, visit, 0..rows)).await.unwrap();
    let at = hour(visit);
    cell.stage(at, (rows == 0).then_some(at)).await.unwrap();
}

async fn published(store: &Arc<dyn Store>) -> Vec<u8> {
    let published = publish(
        &Lake { store: Arc::clone(store), settings: settings() },
        &BTreeSet::new(),
        Deadline::never(),
        |_, _| (),
    )
    .await
    .unwrap();
    assert!(published.failures.is_empty(), "{:?}", published.failures);
    bytes(store).await
}

async fn bytes(store: &Arc<dyn Store>) -> Vec<u8> {
    store.get(&keys::object(Table::Lives, DAY)).await.unwrap().unwrap().0.to_vec()
}

async fn object(store: &Arc<dyn Store>) -> ObjectReader {
    let key = keys::object(Table::Lives, DAY);
    let head = store.head(&key).await.unwrap().unwrap();
    ObjectReader::open(store, &key, head, Table::Lives, DAY).await.unwrap()
}

#[tokio::test]
async fn many_events_of_a_row_or_two_are_published_in_order() {
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
async fn a_day_changed_step_by_step_has_the_same_bytes_as_one_written_at_once() {
    // Events of 900 rows, and one that has row groups of its own.
    let rows = |event_id: i64| if event_id == 70 { 70_000 } else { 900 };
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let changing: Arc<dyn Store> = Arc::new(Folder::new(one.path()));
    for event_id in 1..=100 {
        stage(&changing, event_id, 1, rows(event_id)).await;
    }
    published(&changing).await;
    // One event gets more rows, one none, one is new while another gets fewer, and the large one is replaced.
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

#[tokio::test]
async fn a_staged_file_is_compressed_if_it_has_many_rows_in_whatever_batches_they_came() {
    let many_small = (1..=300).map(|part| part * 10).collect();
    for (ends, is_packed) in [
        (vec![10], false),
        (vec![10, 20], false),
        (vec![5_000], true),
        (vec![10, 5_000], true),
        (many_small, true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(Folder::new(folder.path()));
        let mut cell = cell(&store, 1, 1);
        let mut rows = 0;
        for end in ends {
            cell.write(batch(1, 1, rows..end)).await.unwrap();
            rows = end;
        }
        cell.stage(hour(1), None).await.unwrap();
        let staged = store.list(&keys::staged_day(Table::Lives, DAY), "").await.unwrap();
        let (bytes, _) = store.get(&staged[0].key).await.unwrap().unwrap();
        let file = SerializedFileReader::new(bytes).unwrap();
        let columns = file.metadata().row_group(0).columns().iter();
        let packed = columns.filter(|column| column.compression() != Compression::UNCOMPRESSED).count();
        assert_eq!(packed > 0, is_packed, "{rows} rows");
        assert_eq!(file.metadata().file_metadata().num_rows(), rows);
    }
}

/// Stages rows that have this many bytes each.
async fn stage_large(store: &Arc<dyn Store>, event_id: i64, rows: i64, bytes: usize) {
    let mut cell = cell(store, event_id, 1);
    for row in 0..rows {
        let mut batch = BatchBuilder::new(Table::Lives);
        let at = hour(1) + SignedDuration::from_secs(row);
        batch.push_named(vec![
            ("event_id", event_id.into()),
            ("online_time", at.into()),
            ("online_date", settings().zone.wall_clock(at).into()),
            ("extra", "x".repeat(bytes).into()),
            ("pulled_at", hour(1).into()),
        ]);
        cell.write(batch.finish().unwrap()).await.unwrap();
    }
    cell.stage(hour(1), None).await.unwrap();
}

#[tokio::test]
async fn very_large_rows_give_the_same_bytes_in_any_order_and_do_not_overfill_a_row_group() {
    let cells = [(1, 500, 20_000), (2, 1_500, 20_000), (3, 1, 100), (4, 150, 1_000_000)];
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let stores = folders.each_ref().map(|folder| Arc::new(Folder::new(folder.path())) as Arc<dyn Store>);
    let orders = [&[&[0, 1, 2, 3][..]][..], &[&[0, 1], &[2], &[3]], &[&[3], &[2, 1], &[0]]];
    for (store, order) in stores.iter().zip(orders) {
        for at_once in order {
            for at in *at_once {
                let (event_id, rows, bytes) = cells[*at];
                stage_large(store, event_id, rows, bytes).await;
            }
            published(store).await;
        }
    }
    let [expected, others @ ..] = &stores;
    for other in others {
        assert!(bytes(other).await == bytes(expected).await, "the bytes differ");
    }
    // 2,000 rows of 20 KB, and rows of 1 MB until all have 128 MiB together, which what is encoded at once may exceed.
    assert_eq!(object(expected).await.groups(), [2_001 + 101, 49]);
}

/// Each fits an answer, but 2,000 of them would not fit a batch.
#[tokio::test]
async fn very_large_records_are_written_and_read_in_parts() {
    const RECORDS: i64 = 300;
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(Folder::new(folder.path()));
    let setting =
        DecodeContext { event_id: 1, pulled_at: hour(1), zone: settings().zone, privacy: Privacy::default() };
    let (mut decoder, mut records) = (Decoder::new(Table::Lives, setting), Records::default());
    let mut cell = cell(&store, 1, 1);
    let large = "x".repeat(1 << 20);
    for row in 0..RECORDS {
        let at = hour(1).as_second() + row;
        let record = format!(r#"{{"online_time": {at}, "viewerId": "{row}", "newField": "{large}"}}"#);
        decoder.push(records.whole(&record).unwrap());
        for batch in decoder.full_batches().unwrap() {
            assert!(text_bytes(&batch) < 8 << 20);
            cell.write(batch).await.unwrap();
        }
    }
    cell.write(decoder.batch().unwrap()).await.unwrap();
    cell.stage(hour(1), None).await.unwrap();
    published(&store).await;
    let object = object(&store).await;
    assert_eq!(object.groups(), [128, 128, 44]);
    let mut batches = object.rows(iter::once(0..RECORDS as u64)).unwrap();
    let mut seconds = Vec::new();
    while let Some(batch) = batches.try_next().await.unwrap() {
        assert!(text_bytes(&batch) < 140 << 20);
        seconds.extend(rows(&batch).map(|row| row.instant("online_time").unwrap().as_second()));
    }
    let first = hour(1).as_second();
    assert_eq!(seconds, (first..first + RECORDS).collect::<Vec<_>>());
}
