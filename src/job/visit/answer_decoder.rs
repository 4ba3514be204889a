//! Reading one answer: each record becomes a row, a reject, or a number. Nothing of it counts before the answer has
//! ended well.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use jiff::civil::Date;

use super::days::Count;
use super::tally::Tally;
use super::wanted::Wanted;
use crate::error::{Error, Kind, Result};
use crate::extract::body::Position;
use crate::extract::envelope::Envelope;
use crate::transform::batch::BatchBuilder;
use crate::transform::decode::{Decoder, day_of};
use crate::transform::decoded::{Decoded, MOST_UNKNOWN, Reason, shown};
use crate::transform::escape;
use crate::transform::privacy::{Weave, Withholding};
use crate::transform::record::Record;
use crate::transform::tables::Table;
use crate::transform::value::Value;

/// One answer under way.
pub(super) struct Reading<'a> {
    wanted: &'a Wanted,
    decoders: Vec<Decoder>,
    withholding: BTreeMap<Table, Withholding<'a>>,
    /// The answer for the archive, where that may not keep it as it is.
    weave: Option<Weave<'a>>,
    rejects: BatchBuilder,
    counts: BTreeMap<Date, Count>,
    tally: Tally,
}

/// What an answer brought, once it has ended.
pub(super) struct Brought {
    pub(super) counts: BTreeMap<Date, Count>,
    pub(super) tally: Tally,
}

impl<'a> Reading<'a> {
    pub(super) fn new(wanted: &'a Wanted, decoders: Vec<Decoder>) -> Self {
        let policy = &wanted.setting().privacy.policy;
        Self {
            wanted,
            decoders,
            withholding: Table::ALL.map(|table| (table, Withholding::new(policy, table))).into(),
            weave: None,
            rejects: BatchBuilder::new(Table::Rejects),
            counts: BTreeMap::new(),
            tally: Tally::default(),
        }
    }

    /// From now on, also puts together what the archive may keep of the answer.
    pub(super) fn weave(&mut self) {
        self.weave = Some(Weave::new(&self.wanted.setting().privacy));
    }

    /// What was put together since this was last asked; none where the archive may keep the answer as it is.
    pub(super) fn woven(&mut self) -> Option<String> {
        self.weave.as_mut().map(Weave::take)
    }

    /// The rest of it, once the answer has ended.
    pub(super) fn last_woven(&mut self, envelope: &Envelope) -> Option<String> {
        let code = envelope.code.unwrap_or_default();
        self.weave.take().map(|weave| weave.finish(&envelope.arrays, code, envelope.request_id.as_deref()))
    }

    /// Takes a record.
    pub(super) fn record(&mut self, position: Position<'_>, record: Record<'_>) {
        let table = Table::of_array(position.array);
        if self.wanted.setting().privacy.suppressed.has_record(table, record) {
            if let Some(table) = table {
                *self.tally.suppressed.entry(table).or_default() += 1;
                return;
            }
        } else if let Some(weave) = &mut self.weave {
            weave.add(position.array, record);
        }
        let reason = match self.decoders.iter_mut().find(|decoder| Some(decoder.table()) == table) {
            Some(decoder) => match decoder.push(record) {
                Decoded::Reject(reason) => Some(reason),
                Decoded::Row | Decoded::Outside => None,
            },
            None => self.count(table, record),
        };
        if let (Some(reason), Some(table)) = (reason, table) {
            self.reject(table, position, reason, record);
        }
    }

    /// Counts a record that is not kept; says why where it has no day to be counted by.
    fn count(&mut self, table: Option<Table>, record: Record<'_>) -> Option<Reason> {
        if let (true, Some(table)) = (self.wanted.counts_days(), table) {
            match day_of(record, &self.wanted.setting().zone) {
                Ok(day) => {
                    let count = self.counts.entry(day).or_default();
                    *(if table == Table::Lives { &mut count.lives } else { &mut count.interactions }) += 1;
                }
                Err(reason) => return Some(reason),
            }
        }
        self.tally.counted += 1;
        self.tally.without_table += u64::from(table.is_none());
        None
    }

    fn reject(&mut self, table: Table, position: Position<'_>, reason: Reason, record: Record<'_>) {
        self.tally.rejects += 1;
        let setting = self.wanted.setting();
        let kept = self.withholding.get_mut(&table).map(|withholding| withholding.text(record));
        let kept = kept.as_deref().map(escape::readable).unwrap_or_default();
        let Position { array, index } = position;
        self.rejects.push_named(vec![
            ("event_id", Value::Integer(setting.event_id)),
            ("source_table", table.name().into()),
            ("source", self.wanted.part().into()),
            ("path", format!("$.data.report.{array}[{index}]").into()),
            ("reason", reason.name().into()),
            ("record", kept.into()),
            ("pulled_at", setting.pulled_at.into()),
        ]);
    }

    /// Batches that are full.
    pub(super) fn full_batches(&mut self) -> Result<Vec<(Table, RecordBatch)>> {
        let mut batches = Vec::new();
        for decoder in &mut self.decoders {
            batches.extend(decoder.full_batches()?.into_iter().map(|batch| (decoder.table(), batch)));
        }
        if self.rejects.is_full() {
            batches.push((Table::Rejects, self.rejects.finish()?));
        }
        Ok(batches)
    }

    /// All rows that were not taken yet.
    pub(super) fn last_batches(&mut self) -> Result<Vec<(Table, RecordBatch)>> {
        let mut batches = self.full_batches()?;
        for decoder in &mut self.decoders {
            batches.push((decoder.table(), decoder.batch()?));
        }
        batches.push((Table::Rejects, self.rejects.finish()?));
        batches.retain(|(_, batch)| batch.num_rows() > 0);
        Ok(batches)
    }

    /// The answer has ended: every record that it had must be accounted for.
    pub(super) fn finish(self, envelope: Envelope) -> Result<Brought> {
        let Self { decoders, counts, mut tally, .. } = self;
        for decoder in &decoders {
            let decoded = decoder.tally();
            tally.rows += decoded.rows;
            tally.outside += decoded.outside;
            tally.set_aside += decoded.set_aside;
            tally
                .notes
                .extend(decoded.unknown.iter().map(|key| format!("a field {} has no column", shown(key))));
            if decoded.unknown.len() == MOST_UNKNOWN {
                tally.notes.insert(format!("there may be more than {MOST_UNKNOWN} fields without a column"));
            }
        }
        tally.received = envelope.arrays.values().flatten().sum();
        let suppressed: u64 = tally.suppressed.values().sum();
        let accounted = tally.rows + tally.rejects + tally.outside + tally.counted + suppressed;
        if accounted != tally.received {
            let message = format!("{} records were received, {accounted} are accounted for", tally.received);
            let error = Error::new(Kind::Unbalanced, message).hint("report it to the makers of rollcall");
            return Err(match envelope.request_id {
                Some(request_id) => error.with("requestId", request_id),
                None => error,
            });
        }
        tally.request_ids.extend(envelope.request_id);
        for array in ["lives", "interactions", "viewerDetails"] {
            if !matches!(envelope.arrays.get(array), Some(Some(_))) {
                tally.notes.insert(format!("the array `{array}` is missing"));
            }
        }
        for array in envelope.arrays.keys().filter(|array| Table::of_array(array).is_none()) {
            tally.notes.insert(format!("an array {} has no table", shown(array)));
        }
        Ok(Brought { counts, tally })
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;
    use crate::calendar::Zone;
    use crate::transform::decode::Setting;
    use crate::transform::privacy::Privacy;
    use crate::transform::record::Records;

    #[test]
    fn a_record_that_is_no_row_is_kept_as_json_that_every_parser_reads() {
        let zone = Zone::parse("UTC").unwrap();
        let setting = Setting {
            event_id: 1,
            pulled_at: jiff::Timestamp::UNIX_EPOCH,
            zone,
            privacy: Privacy::default(),
        };
        let wanted = Wanted::Windows(setting.clone());
        let mut reading = Reading::new(&wanted, vec![Decoder::new(Table::Lives, setting)]);
        let mut records = Records::default();
        let sent = r#"{"name": "cut \ud83d", "company": "\u4e2d"}"#;
        let record = records.first(sent.as_bytes()).unwrap().unwrap();
        reading.record(Position { array: "lives", index: 0 }, record);
        let rejects = reading.rejects.finish().unwrap();
        let kept = rejects.column_by_name("record").unwrap().as_string::<i32>().value(0);
        assert_eq!(kept, "{\"name\": \"cut \u{fffd}\", \"company\": \"\\u4e2d\"}");
    }
}
