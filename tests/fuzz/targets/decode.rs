//! An answer of any bytes, in pieces: no panic, and every record that was received is a row, a reject, or outside.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rollcall::calendar::Zone;
use rollcall::extract::body::Splitter;
use rollcall::transform::decode::{DecodeContext, Decoder};
use rollcall::transform::tables::Table;

const TABLES: [Table; 3] = [Table::Lives, Table::Interactions, Table::ViewerDetails];

fuzz_target!(|input: &[u8]| {
    let Some((piece, answer)) = input.split_first() else { return };
    let Ok(zone) = Zone::parse("America/New_York") else { return };
    let setting = DecodeContext { event_id: 1, pulled_at: jiff::Timestamp::UNIX_EPOCH, zone, privacy: Default::default() };
    let mut decoders = TABLES.map(|table| Decoder::new(table, setting.clone()));
    let mut splitter = Splitter::default();
    let mut others = 0;
    for chunk in answer.chunks(usize::from(*piece) + 1) {
        let pushed = splitter.push(chunk, |position, record| {
            let table = Table::of_array(position.array);
            match decoders.iter_mut().find(|decoder| Some(decoder.table()) == table) {
                Some(decoder) => {
                    decoder.push(record);
                }
                None => others += 1,
            }
        });
        if pushed.is_err() {
            return;
        }
    }
    let Ok(envelope) = splitter.finish() else { return };
    let received: u64 = envelope.arrays.values().flatten().sum();
    let mut accounted = others;
    for decoder in &mut decoders {
        let counts = decoder.counts().clone();
        assert_eq!(counts.outside, 0);
        accounted += counts.rows + counts.rejects;
        let batch = decoder.batch().expect("a batch");
        assert_eq!(batch.num_rows() as u64, counts.rows);
    }
    assert_eq!(received, accounted);
});
