//! The keys of a record stand in any order, which may change from one record to the next, also between two arrays.

use arrow::array::RecordBatch;
use proptest::prelude::*;
use rollcall::calendar::Zone;
use rollcall::transform::decode::{Decoder, Setting};
use rollcall::transform::privacy::Privacy;
use rollcall::transform::record::Records;
use rollcall::transform::tables::Table;

/// With a column, with one that is said again, and without any. Few, so that records are like each other.
const KEYS: [&str; 4] = ["name", "client_type", "clientType", "zeta"];
const TABLES: [Table; 2] = [Table::Lives, Table::Interactions];

/// The rows of these records of one answer, each of one of the tables.
fn rows(records: &[(&String, Table)]) -> [RecordBatch; 2] {
    let zone = Zone::parse("UTC").unwrap();
    let pulled_at = "2022-11-01T00:00:00Z".parse().unwrap();
    let setting = Setting { event_id: 1, pulled_at, zone, privacy: Privacy::default() };
    let mut decoders = TABLES.map(|table| Decoder::new(table, setting.clone()));
    let mut found = Records::default();
    for (record, table) in records {
        let decoder = decoders.iter_mut().find(|decoder| decoder.table() == *table).unwrap();
        decoder.push(found.first(record.as_bytes()).unwrap().unwrap());
    }
    decoders.map(|mut decoder| decoder.batch().unwrap())
}

/// A record of these keys, some of them more than once.
fn record() -> impl Strategy<Value = String> {
    let fields = prop::collection::vec((prop::sample::select(&KEYS[..]), 0..3_u8), 0..4);
    fields.prop_map(|fields| {
        let fields = fields.iter().map(|(key, value)| format!("\"{key}\":{value},"));
        format!("{{\"online_time\":1,{}\"last\":0}}", fields.collect::<String>())
    })
}

proptest! {
    #[test]
    fn a_record_is_read_the_same_whichever_keys_the_records_before_it_had(
        (kinds, order) in prop::collection::vec(record(), 1..4).prop_flat_map(|kinds| {
            let order = prop::collection::vec((0..kinds.len(), prop::sample::select(&TABLES[..])), 1..24);
            (Just(kinds), order)
        }),
    ) {
        let records: Vec<(&String, Table)> = order.iter().map(|(at, table)| (&kinds[*at], *table)).collect();
        let all = rows(&records);
        for (all, table) in all.iter().zip(TABLES) {
            for (row, (record, _)) in records.iter().filter(|(_, of)| *of == table).enumerate() {
                let alone = rows(&[(*record, table)]);
                let alone = alone.iter().find(|rows| rows.num_rows() == 1).unwrap();
                prop_assert_eq!(&all.slice(row, 1), alone, "{}", record);
            }
        }
    }
}
