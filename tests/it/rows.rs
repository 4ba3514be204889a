//! Rows stay the same on their way through the program: in any order of keys, and through Parquet and back.

use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::TryStreamExt;
use jiff::Timestamp;
use proptest::prelude::*;
use rollcall::calendar::Zone;
use rollcall::json::record::Records;
use rollcall::load::cell::Cell;
use rollcall::load::keys;
use rollcall::load::object::properties::Expected;
use rollcall::load::object::{ObjectReader, ObjectWriter};
use rollcall::load::store::{Condition, Folder, Store};
use rollcall::transform::column::ColumnKind;
use rollcall::transform::decode::{DecodeContext, Decoder};
use rollcall::transform::privacy::{Privacy, PrivacyVersion};
use rollcall::transform::tables::Table;
use rollcall::transform::totals::Totals;

const TABLES: [Table; 3] = [Table::Lives, Table::Interactions, Table::ViewerDetails];

/// Values that the vendor may send for any key, and some that it never sent.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<i64>().prop_map(|number| number.to_string()),
        4 => (0..2_000_000_000_i64).prop_map(|second| second.to_string()),
        4 => "[a-zA-Z0-9 \u{4e00}-\u{4fff},+-]{0,12}".prop_map(|text| format!("{text:?}")),
        1 => any::<f64>().prop_filter("JSON has no other", |number| number.is_finite()).prop_map(|number| number.to_string()),
        1 => "[0-9]{2}:[0-5][0-9]:[0-5][0-9]".prop_map(|text| format!("{text:?}")),
        2 => prop::sample::select(vec!["null", "\"-\"", "\"\"", "true", "\"Y\"", "\"否\"", "[1,{}]", "{\"a\":null}"])
            .prop_map(str::to_owned),
    ]
}

/// A record of a table: some of its keys, some unknown ones, and an instant that places it.
fn record(table: Table) -> impl Strategy<Value = Vec<(String, String)>> {
    let keys: Vec<String> =
        table.columns().iter().filter_map(|column| column.key.map(str::to_owned)).collect();
    let unknown = prop::collection::vec(("new[A-Z][a-z]{0,3}", value()), 0..3);
    let known = prop::collection::btree_map(prop::sample::select(keys), value(), 0..30);
    (known, unknown, 1..2_000_000_000_i64).prop_map(|(mut fields, unknown, second)| {
        fields.insert("online_time".to_owned(), second.to_string());
        fields.extend(unknown);
        fields.into_iter().collect()
    })
}

fn json(fields: &[(String, String)]) -> String {
    let fields: Vec<String> = fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

fn decode(table: Table, records: &[String]) -> RecordBatch {
    let pulled_at: Timestamp = "2022-11-01T00:00:00Z".parse().unwrap();
    let zone = Zone::parse("Asia/Shanghai").unwrap();
    let setting = DecodeContext { event_id: 1, pulled_at, zone, privacy: Privacy::default() };
    let mut decoder = Decoder::new(table, setting);
    let mut reader = Records::default();
    for record in records {
        decoder.push(reader.first(record.as_bytes()).unwrap().unwrap());
    }
    let counts = decoder.counts();
    assert_eq!(counts.rows + counts.rejects, records.len() as u64, "{records:?}");
    decoder.batch().unwrap()
}

fn records() -> impl Strategy<Value = (Table, Vec<Vec<(String, String)>>)> {
    prop::sample::select(TABLES.to_vec())
        .prop_flat_map(|table| (Just(table), prop::collection::vec(record(table), 1..12)))
}

/// Writes a batch as an object, and reads it back.
fn through_parquet(table: Table, batch: &RecordBatch) -> RecordBatch {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(Folder::new(folder.path()));
        let day = "2022-10-26".parse().unwrap();
        let key = keys::object(table, day);
        let mut writer =
            ObjectWriter::create(store.as_ref(), &key, table, day, Expected::Groups(&[])).await.unwrap();
        writer.write(batch.clone()).await.unwrap();
        let mut totals = Totals::default();
        totals.add(table, batch);
        let at = Timestamp::UNIX_EPOCH;
        writer
            .finish(&[&Cell::new(1, "", at, at, &totals)], &PrivacyVersion::default(), Condition::Absent)
            .await
            .unwrap();
        let head = store.head(&key).await.unwrap().unwrap();
        let object = ObjectReader::open(&store, &key, head, table, day).await.unwrap();
        let rows = object.rows(std::iter::once(0..batch.num_rows() as u64)).unwrap();
        let read: Vec<RecordBatch> = rows.try_collect().await.unwrap();
        arrow::compute::concat_batches(&table.schema(), &read).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_the_same_after_parquet((table, records) in records()) {
        let records: Vec<String> = records.iter().map(|fields| json(fields)).collect();
        let batch = decode(table, &records);
        prop_assert_eq!(through_parquet(table, &batch), batch);
    }

    #[test]
    fn the_order_of_keys_does_not_affect_a_row(
        (table, records, shuffled) in records().prop_flat_map(|(table, records)| {
            let shuffled: Vec<_> = records.iter().map(|fields| Just(fields.clone()).prop_shuffle()).collect();
            (Just(table), Just(records), shuffled)
        }),
    ) {
        let text = |records: &[Vec<(String, String)>]| records.iter().map(|fields| json(fields)).collect::<Vec<_>>();
        prop_assert_eq!(decode(table, &text(&records)), decode(table, &text(&shuffled)));
    }
}

/// A record with a value for every column, so that no kind is left out by chance.
#[test]
fn every_column_is_the_same_after_parquet() {
    for table in TABLES {
        let fields = table.columns().iter().filter_map(|column| {
            let value = match column.kind {
                ColumnKind::Count | ColumnKind::Seconds => "7",
                ColumnKind::Instant => "1666772823",
                ColumnKind::Flag => "\"是\"",
                ColumnKind::WallClock { .. } => "\"2022-10-26 16:27:03\"",
                _ => "\"x\"",
            };
            column.key.map(|key| (key.to_owned(), value.to_owned()))
        });
        let fields: Vec<(String, String)> = fields.chain([("new".to_owned(), "1".to_owned())]).collect();
        let batch = decode(table, &[json(&fields)]);
        for column in table.columns() {
            let nulls = batch.column_by_name(column.name).unwrap().null_count();
            assert!(nulls == 0, "{} of {}", column.name, table.name());
        }
        assert_eq!(through_parquet(table, &batch), batch);
    }
}

/// Columns whose values mean something to the program: who it was, when, and what adds up. Every other column is one line in the
/// list of its table, and adding a column means adding that line.
const MEANT: [&str; 17] = [
    "event_id",
    "pulled_at",
    "person_key",
    "extra",
    "mobile",
    "email",
    "ext_id",
    "country_code",
    "online_time",
    "live_type",
    "watch_duration_seconds",
    "online_duration_seconds",
    "duration_seconds",
    "times",
    "live_times",
    "replay_times",
    "name",
];

fn sources(folder: &std::path::Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                return sources(&path);
            }
            vec![(path.display().to_string(), std::fs::read_to_string(path).unwrap())]
        })
        .collect()
}

#[test]
fn a_column_is_named_only_in_the_lists_of_columns() {
    let sources = sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    // The lists of columns, and the code that shows some columns to people.
    let shown = |path: &str| {
        let showing = ["transform/tables/", "schema/views.rs", "src/page/", "src/inspect/"];
        showing.into_iter().any(|part| path.contains(part))
    };
    let code = sources.iter().filter(|(path, _)| !shown(path));
    // The event's own row is made by name, from what the vendor's lists say.
    let code = code.filter(|(path, _)| !path.contains("transform/event/"));
    let code: Vec<(&String, &str)> =
        code.map(|(path, text)| (path, text.split("#[cfg(test)]\nmod tests").next().unwrap())).collect();
    assert!(code.len() > 50);
    for column in TABLES.iter().flat_map(|table| table.columns()) {
        let quoted = format!("\"{}\"", column.name);
        let named: Vec<_> =
            code.iter().filter(|(_, text)| text.contains(&quoted)).map(|(path, _)| path).collect();
        assert!(named.is_empty() || MEANT.contains(&column.name), "{} is named in {named:?}", column.name);
    }
}

#[test]
fn every_name_by_which_a_row_is_read_is_a_column() {
    let sources = sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let mut read = 0;
    for (path, text) in &sources {
        for reader in ["text", "number", "flag", "day", "instant", "wall_clock"] {
            for rest in text.split(&format!("row.{reader}(\"")).skip(1) {
                let name = rest.split('"').next().unwrap();
                assert!(Table::ALL.iter().any(|table| table.index_of(name).is_some()), "{name} in {path}");
                read += 1;
            }
        }
    }
    assert!(read > 20, "{read}");
}
