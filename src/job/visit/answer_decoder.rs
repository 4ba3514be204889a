//! Decodes one answer: each record becomes a row, a reject, or part of a count. None of it is used unless the answer ends well.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use jiff::civil::Date;

use super::day_count::DayCount;
use super::record_counts::RecordCounts;
use crate::error::{Error, Kind, Result};
use crate::extract::body::Position;
use crate::extract::envelope::Envelope;
use crate::json::escape;
use crate::json::record::Record;
use crate::load::cell::Source;
use crate::transform::batch::BatchBuilder;
use crate::transform::decode::{DecodeContext, Decoder, day_of};
use crate::transform::decoded::{Decoded, MOST_UNKNOWN, RejectReason, shown};
use crate::transform::privacy::{RedactedAnswer, Redactor};
use crate::transform::tables::Table;
use crate::transform::value::Value;

/// An answer that is being decoded.
pub(super) struct AnswerDecoder<'a> {
    source: Source,
    decode_context: &'a DecodeContext,
    decoders: Vec<Decoder>,
    redactors: BTreeMap<Table, Redactor<'a>>,
    /// What the archive may keep of the answer; `None` if nothing is archived, or if it may be kept as it is.
    redacted: Option<RedactedAnswer<'a>>,
    rejects: BatchBuilder,
    day_counts: BTreeMap<Date, DayCount>,
    records: RecordCounts,
}

/// What an answer amounts to, once it has ended.
pub(super) struct DecodedAnswer {
    pub(super) day_counts: BTreeMap<Date, DayCount>,
    pub(super) records: RecordCounts,
    /// Whether the answer may lack some of the records.
    pub(super) may_be_cut_off: bool,
    /// The tables whose arrays the answer lacks.
    pub(super) missing: BTreeSet<Table>,
}

impl<'a> AnswerDecoder<'a> {
    pub(super) fn new(source: Source, decode_context: &'a DecodeContext, decoders: Vec<Decoder>) -> Self {
        let policy = &decode_context.privacy.policy;
        Self {
            source,
            decode_context,
            decoders,
            redactors: Table::ALL.map(|table| (table, Redactor::new(policy, table))).into(),
            redacted: None,
            rejects: BatchBuilder::new(Table::Rejects),
            day_counts: BTreeMap::new(),
            records: RecordCounts::default(),
        }
    }

    /// From now on, also puts together what the archive may keep of the answer.
    pub(super) fn redact(&mut self) {
        self.redacted = Some(RedactedAnswer::new(&self.decode_context.privacy));
    }

    /// What was put together since the last call; `None` if the archive may keep the answer as it is.
    pub(super) fn take_redacted(&mut self) -> Option<String> {
        self.redacted.as_mut().map(RedactedAnswer::take)
    }

    /// The rest of what the archive may keep, once the answer has ended.
    pub(super) fn finish_redacted(&mut self, envelope: &Envelope) -> Option<String> {
        let code = envelope.code.unwrap_or_default();
        self.redacted
            .take()
            .map(|redacted| redacted.finish(&envelope.arrays, code, envelope.request_id.as_deref()))
    }

    /// Decodes a record.
    pub(super) fn record(&mut self, position: Position<'_>, record: Record<'_>) {
        let table = Table::of_array(position.array);
        if self.is_used(table) && self.decode_context.privacy.suppressed.has_record(table, record) {
            // What only the archive would keep is counted like anybody's.
            if let Some(table) = table.filter(|_| self.is_counted(table)) {
                return self.suppress(table, record);
            }
        } else if let Some(redacted) = &mut self.redacted {
            redacted.add(position.array, record);
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

    /// Whether anything of a table's records is kept, even if only their number by day. Searching the other records for people to
    /// be forgotten would take most of the time: every answer repeats the records of all viewers.
    fn is_used(&self, table: Option<Table>) -> bool {
        self.redacted.is_some() || self.is_counted(table)
    }

    /// Whether a table's records become rows here, or are counted by day.
    fn is_counted(&self, table: Option<Table>) -> bool {
        self.decoders.iter().any(|decoder| Some(decoder.table()) == table) || self.source.counts_days()
    }

    /// Counts a record of one of the people to be forgotten.
    fn suppress(&mut self, table: Table, record: Record<'_>) {
        let decoder = self.decoders.iter_mut().find(|decoder| decoder.table() == table);
        let table = match decoder.map(|decoder| decoder.pass_over(record)) {
            Some(Decoded::Outside) => return,
            Some(Decoded::Reject(_)) => Table::Rejects,
            Some(Decoded::Row) | None => table,
        };
        *self.records.suppressed.entry(table).or_default() += 1;
    }

    /// Counts a record that does not become a row; returns the reason if it has no day to be counted by.
    fn count(&mut self, table: Option<Table>, record: Record<'_>) -> Option<RejectReason> {
        if let (true, Some(table)) = (self.source.counts_days(), table) {
            match day_of(record, &self.decode_context.zone) {
                Ok(day) => self.day_counts.entry(day).or_default().add(table),
                Err(reason) => return Some(reason),
            }
        }
        self.records.counted += 1;
        self.records.without_table += u64::from(table.is_none());
        None
    }

    fn reject(&mut self, table: Table, position: Position<'_>, reason: RejectReason, record: Record<'_>) {
        self.records.rejects += 1;
        let context = self.decode_context;
        let kept = self.redactors.get_mut(&table).map(|redactor| redactor.text(record));
        let kept = kept.as_deref().map(escape::readable).unwrap_or_default();
        let Position { array, index } = position;
        self.rejects.push_named(vec![
            ("event_id", Value::Integer(context.event_id)),
            ("source_table", table.name().into()),
            ("source", self.source.name().into()),
            ("path", format!("$.data.report.{array}[{index}]").into()),
            ("reason", reason.name().into()),
            ("record", kept.into()),
            ("pulled_at", context.pulled_at.into()),
        ]);
    }

    /// Takes the batches that are full.
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

    /// Takes all rows that were not taken yet.
    pub(super) fn last_batches(&mut self) -> Result<Vec<(Table, RecordBatch)>> {
        let mut batches = self.full_batches()?;
        for decoder in &mut self.decoders {
            batches.push((decoder.table(), decoder.batch()?));
        }
        batches.push((Table::Rejects, self.rejects.finish()?));
        batches.retain(|(_, batch)| batch.num_rows() > 0);
        Ok(batches)
    }

    /// Ends the decoding. An error unless every record of the answer is accounted for.
    pub(super) fn finish(self, envelope: Envelope) -> Result<DecodedAnswer> {
        let Self { source, decode_context, decoders, day_counts, mut records, .. } = self;
        for decoder in &decoders {
            let decoded = decoder.counts();
            records.rows += decoded.rows;
            records.outside += decoded.outside;
            records.set_aside += decoded.set_aside;
            records
                .notes
                .extend(decoded.unknown.iter().map(|key| format!("a field {} has no column", shown(key))));
            if decoded.unknown.len() == MOST_UNKNOWN {
                records
                    .notes
                    .insert(format!("there may be more than {MOST_UNKNOWN} fields without a column"));
            }
        }
        records.received = envelope.arrays.values().flatten().sum();
        let suppressed: u64 = records.suppressed.values().sum();
        let accounted = records.rows + records.rejects + records.outside + records.counted + suppressed;
        if accounted != records.received {
            let message =
                format!("{} records were received, {accounted} are accounted for", records.received);
            let error = Error::new(Kind::Unbalanced, message).is_a_bug();
            return Err(match envelope.request_id {
                Some(request_id) => error.with("requestId", request_id),
                None => error,
            });
        }
        // Only the arrays that make up days count: the `viewerDetails` of a window are not used.
        let may_be_cut_off = envelope.may_be_cut_off(Source::Windows.tables());
        if source == Source::Snapshot && envelope.may_be_cut_off(source.tables()) {
            let event_id = decode_context.event_id;
            let note = "the snapshot has a round number of viewers, perhaps not all that there are";
            records.notes.insert(format!("event {event_id}: {note}"));
        }
        let mut missing = BTreeSet::new();
        for (array, table) in Table::ARRAYS {
            if !envelope.has_array(table) {
                records.notes.insert(format!("the array `{array}` is missing"));
                missing.insert(table);
            }
        }
        for array in envelope.arrays.keys().filter(|array| Table::of_array(array).is_none()) {
            records.notes.insert(format!("an array {} has no table", shown(array)));
        }
        records.request_ids.extend(envelope.request_id);
        Ok(DecodedAnswer { day_counts, records, may_be_cut_off, missing })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::AsArray;
    use jiff::Timestamp;

    use super::*;
    use crate::calendar::Zone;
    use crate::json::record::Records;
    use crate::transform::privacy::{Privacy, Suppressed};

    fn decode_context(privacy: Privacy) -> DecodeContext {
        let zone = Zone::parse("UTC").unwrap();
        DecodeContext { event_id: 1, pulled_at: Timestamp::UNIX_EPOCH, zone, privacy }
    }

    fn push(decoder: &mut AnswerDecoder<'_>, sent: &str) {
        let mut records = Records::default();
        let record = records.first(sent.as_bytes()).unwrap().unwrap();
        decoder.record(Position { array: "lives", index: 0 }, record);
    }

    #[test]
    fn a_rejected_record_is_kept_as_json_that_every_parser_reads() {
        let context = decode_context(Privacy::default());
        let mut decoder =
            AnswerDecoder::new(Source::Windows, &context, vec![Decoder::new(Table::Lives, context.clone())]);
        push(&mut decoder, r#"{"name": "cut \ud83d", "company": "\u4e2d"}"#);
        let rejects = decoder.rejects.finish().unwrap();
        let kept = rejects.column_by_name("record").unwrap().as_string::<i32>().value(0);
        assert_eq!(kept, "{\"name\": \"cut \u{fffd}\", \"company\": \"\\u4e2d\"}");
    }

    #[test]
    fn the_number_of_suppressed_records_does_not_depend_on_what_the_archive_may_keep() {
        let suppressed = Arc::new(Suppressed::of_people(&["a@b.c"]));
        let context = decode_context(Privacy { suppressed, ..Privacy::default() });
        for is_archived in [false, true] {
            let lives = Decoder::new(Table::Lives, context.clone());
            let mut decoder = AnswerDecoder::new(Source::Windows, &context, vec![lives]);
            if is_archived {
                decoder.redact();
            }
            for array in ["lives", "viewerDetails"] {
                let mut records = Records::default();
                let record = records.first(br#"{"email": "a@b.c", "online_time": 10}"#).unwrap().unwrap();
                decoder.record(Position { array, index: 0 }, record);
            }
            assert_eq!(decoder.records.suppressed, [(Table::Lives, 1)].into());
            assert_eq!(decoder.records.counted, 1, "a window's viewers are not used");
            assert!(!decoder.take_redacted().unwrap_or_default().contains("a@b.c"));
        }
    }

    #[test]
    fn the_number_of_suppressed_rows_does_not_depend_on_how_a_day_is_cut_into_windows() {
        let suppressed = Arc::new(Suppressed::of_people(&["a@b.c"]));
        let context = decode_context(Privacy { suppressed, ..Privacy::default() });
        for windows in [&[(1, 100)][..], &[(1, 50), (50, 100)], &[(1, 20), (20, 50), (50, 100)]] {
            let mut left_out = RecordCounts::default();
            for (from, to) in windows {
                let mut lives = Decoder::new(Table::Lives, context.clone());
                let at = |second: &i64| Timestamp::from_second(*second).unwrap();
                lives.keep_only(at(from)..at(to));
                let mut decoder = AnswerDecoder::new(Source::Windows, &context, vec![lives]);
                for time in ["10", "50", "null"] {
                    push(&mut decoder, &format!(r#"{{"email": "a@b.c", "online_time": {time}}}"#));
                }
                left_out.add(decoder.records);
            }
            let expected = [(Table::Lives, 2), (Table::Rejects, windows.len() as u64)];
            assert_eq!(left_out.suppressed, expected.into());
        }
    }
}
