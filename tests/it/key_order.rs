//! The keys of a record stand in any order, which may change from one record to the next.

use arrow::array::RecordBatch;
use proptest::prelude::*;
use rollcall::calendar::Zone;
use rollcall::transform::decode::{Decoder, Setting};
use rollcall::transform::privacy::Privacy;
use rollcall::transform::record::Records;
use rollcall::transform::tables::Table;

/// With a column, with one and said again, and without any.
const KEYS: [&str; 6] = ["name", "email", "clientType", "client_type", "zeta", "chat_num"];

/// The rows of these records of one answer.
fn rows(records: &[String]) -> RecordBatch {
    let zone = Zone::parse("UTC").unwrap();
    let pulled_at = "2022-11-01T00:00:00Z".parse().unwrap();
    let setting = Setting { event_id: 1, pulled_at, zone, privacy: Privacy::default() };
    let (mut decoder, mut found) = (Decoder::new(Table::Lives, setting), Records::default());
    for record in records {
        decoder.push(found.first(record.as_bytes()).unwrap().unwrap());
    }
    decoder.batch().unwrap()
}

/// A record of these keys, some of them more than once.
fn record() -> impl Strategy<Value = String> {
    let fields = prop::collection::vec((prop::sample::select(&KEYS[..]), 0..3_u8), 0..5);
    fields.prop_map(|fields| {
        let fields = fields.iter().map(|(key, value)| format!("\"{key}\":{value},"));
        format!("{{{}\"online_time\":1}}", fields.collect::<String>())
    })
}

proptest! {
    #[test]
    fn a_record_is_read_the_same_whichever_keys_the_records_before_it_had(
        (kinds, order) in prop::collection::vec(record(), 1..5)
            .prop_flat_map(|kinds| (Just(kinds.clone()), prop::collection::vec(0..kinds.len(), 1..16))),
    ) {
        let records: Vec<String> = order.iter().map(|at| kinds[*at].clone()).collect();
        let all = rows(&records);
        for (at, record) in records.iter().enumerate() {
            prop_assert_eq!(&all.slice(at, 1), &rows(std::slice::from_ref(record)), "{}", record);
        }
    }
}
