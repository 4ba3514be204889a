//! The keys of a record stand in any order, which may change from one record to the next, also between two arrays.

use arrow::array::RecordBatch;
use proptest::prelude::*;
use rollcall::calendar::Zone;
use rollcall::json::record::Records;
use rollcall::transform::decode::{DecodeContext, Decoder};
use rollcall::transform::decoded::Decoded;
use rollcall::transform::privacy::Privacy;
use rollcall::transform::tables::Table;

/// Keys with a column, one that repeats another, one without a column, and the one without which a record is not a row. They are
/// few, so that records resemble each other.
const KEYS: [&str; 5] = ["name", "client_type", "clientType", "zeta", "online_time"];
const TABLES: [Table; 2] = [Table::Lives, Table::Interactions];

/// Which of these records are rows, and the rows. The records are of one answer, each of one of the tables.
fn rows(records: &[(&String, Table)]) -> (Vec<bool>, [RecordBatch; 2]) {
    let zone = Zone::parse("UTC").unwrap();
    let pulled_at = "2022-11-01T00:00:00Z".parse().unwrap();
    let setting = DecodeContext { event_id: 1, pulled_at, zone, privacy: Privacy::default() };
    let mut decoders = TABLES.map(|table| Decoder::new(table, setting.clone()));
    let mut found = Records::default();
    let push = |(record, table): &(&String, Table)| {
        let decoder = decoders.iter_mut().find(|decoder| decoder.table() == *table).unwrap();
        decoder.push(found.first(record.as_bytes()).unwrap().unwrap()) == Decoded::Row
    };
    let are_rows = records.iter().map(push).collect();
    (are_rows, decoders.map(|mut decoder| decoder.batch().unwrap()))
}

/// A record of these keys, some of them more than once.
fn record() -> impl Strategy<Value = String> {
    let fields = prop::collection::vec((prop::sample::select(&KEYS[..]), 1..4_u8), 0..5);
    fields.prop_map(|fields| {
        let fields: Vec<String> = fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        format!("{{{}}}", fields.join(","))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_record_is_read_the_same_whichever_keys_the_records_before_it_had(
        (kinds, order) in prop::collection::vec(record(), 1..5).prop_flat_map(|kinds| {
            let order = prop::collection::vec((0..kinds.len(), prop::sample::select(&TABLES[..])), 1..24);
            (Just(kinds), order)
        }),
    ) {
        let records: Vec<(&String, Table)> = order.iter().map(|(at, table)| (&kinds[*at], *table)).collect();
        let (are_rows, all) = rows(&records);
        let mut row = TABLES.map(|_| 0);
        for (record, is_row) in records.iter().zip(are_rows) {
            let (alone_is_row, alone) = rows(&[*record]);
            prop_assert_eq!(&[is_row][..], &alone_is_row[..], "{:?}", record);
            for ((all, alone), row) in all.iter().zip(&alone).zip(&mut row) {
                prop_assert_eq!(&all.slice(*row, alone.num_rows()), alone, "{:?}", record);
                *row += alone.num_rows();
            }
        }
    }
}
