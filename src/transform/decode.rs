//! Decodes records into rows of `lives`, `interactions` and `viewer_details`.

use std::ops::Range;

use arrow::array::RecordBatch;
use jiff::Timestamp;
use jiff::civil::Date;

use super::batch::BatchBuilder;
use super::column::Column;
use super::computed::{ColumnSource, Computer};
use super::decoded::{DecodeCounts, Decoded, RejectReason};
use super::fast_path;
use super::field_index::FieldIndex;
use super::fields::Fields;
use super::person::{IDENTIFIERS, Identifiers};
use super::privacy::Privacy;
use super::reading;
use super::tables::Table;
use crate::calendar::Zone;
use crate::error::Result;
use crate::json::record::Record;

/// What is the same for all rows of one answer.
#[derive(Clone)]
pub struct DecodeContext {
    /// The event that was asked for.
    pub event_id: i64,
    /// When the visit began.
    pub pulled_at: Timestamp,
    /// The lake's zone.
    pub zone: Zone,
    /// What may be kept of people.
    pub privacy: Privacy,
}

/// Decodes the records of one array, one by one, into record batches.
pub struct Decoder {
    table: Table,
    context: DecodeContext,
    computer: Computer,
    window: Option<Range<Timestamp>>,
    columns: Vec<(&'static Column, ColumnSource)>,
    online_time: Option<usize>,
    person: Identifiers<Option<usize>>,
    index: FieldIndex,
    rows: BatchBuilder,
    full: Vec<Result<RecordBatch>>,
    counts: DecodeCounts,
}

impl Decoder {
    /// A decoder that keeps all records.
    #[must_use]
    pub fn new(table: Table, context: DecodeContext) -> Self {
        let source = |column| (column, ColumnSource::of(table, column, &context.privacy.policy));
        let columns = table.columns().iter().map(source).collect();
        Self {
            table,
            computer: Computer::new(context.event_id, context.pulled_at, context.zone.clone()),
            context,
            window: None,
            columns,
            online_time: table.index_of("online_time"),
            person: IDENTIFIERS.map(|name| table.index_of(name)),
            index: FieldIndex::of(table),
            rows: BatchBuilder::new(table),
            full: Vec::new(),
            counts: DecodeCounts::default(),
        }
    }

    /// From now on, keeps only the records whose `online_time` lies within `window`.
    pub fn keep_only(&mut self, window: Range<Timestamp>) {
        self.window = Some(window);
    }

    /// Decodes one record, as it stands in the answer.
    pub fn push(&mut self, record: Record<'_>) -> Decoded {
        let decoded = self.place(record);
        match decoded {
            Decoded::Row => {
                self.row(record);
                self.counts.rows += 1;
                if self.rows.is_full() {
                    self.full.push(self.rows.finish());
                }
            }
            Decoded::Outside => self.counts.outside += 1,
            Decoded::Reject(_) => self.counts.rejects += 1,
        }
        decoded
    }

    /// Says what a record that is not kept would have become. It is counted only if it lies outside the window.
    pub fn pass_over(&mut self, record: Record<'_>) -> Decoded {
        let decoded = self.place(record);
        self.counts.outside += u64::from(decoded == Decoded::Outside);
        decoded
    }

    /// The table that the rows are for.
    #[must_use]
    pub fn table(&self) -> Table {
        self.table
    }

    /// Takes the batches that are full.
    pub fn full_batches(&mut self) -> Result<Vec<RecordBatch>> {
        self.full.drain(..).collect()
    }

    /// Takes the remaining rows, which are not a full batch yet.
    pub fn batch(&mut self) -> Result<RecordBatch> {
        self.rows.finish()
    }

    /// What was counted so far.
    #[must_use]
    pub fn counts(&self) -> &DecodeCounts {
        &self.counts
    }

    fn place(&mut self, record: Record<'_>) -> Decoded {
        if !record.is_object() {
            return Decoded::Reject(RejectReason::NotAnObject);
        }
        self.index.find(record);
        let is_placed_by_time = self.window.is_some() || self.table != Table::ViewerDetails;
        let online =
            self.index.sent(record, self.online_time).and_then(|sent| fast_path::instant(&sent).ok());
        match (online, &self.window) {
            (None, _) if is_placed_by_time => Decoded::Reject(RejectReason::NoTime),
            (Some(online), Some(window)) if !window.contains(&online) => Decoded::Outside,
            _ => Decoded::Row,
        }
    }

    fn row(&mut self, record: Record<'_>) {
        let Self { table, context, columns, person, index, computer, rows, counts, .. } = self;
        for sent in index.unknown(record) {
            counts.note_unknown(&sent.key());
        }
        let fields = Fields { table: *table, policy: &context.privacy.policy, person, index, record };
        let mut extra = fields.without_column();
        let builders = rows.row(record.text().len()).iter_mut();
        let sources = columns.iter().zip(index.by_column(record));
        for (builder, ((column, source), sent)) in builders.zip(sources) {
            match (source, sent) {
                (ColumnSource::AsSent(kind), Some(sent)) => {
                    if builder.push_sent(kind, &sent).is_err() {
                        counts.set_aside += 1;
                        fields.keep_beside(&mut extra, column, &sent);
                    }
                }
                (ColumnSource::AsSent(_), None) | (ColumnSource::Dropped, _) => builder.push_null(),
                (ColumnSource::Computed(computed), sent) => {
                    builder.push(computer.value(computed, column, sent, &fields, &mut extra, counts));
                }
            }
        }
    }
}

/// The day to which a record of `lives` or `interactions` belongs; for counting records without decoding them.
pub fn day_of(record: Record<'_>, zone: &Zone) -> Result<Date, RejectReason> {
    if !record.is_object() {
        return Err(RejectReason::NotAnObject);
    }
    let online = record.get("online_time").and_then(|raw| reading::instant(&raw).ok());
    online.map(|online| zone.day_of(online)).ok_or(RejectReason::NoTime)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::privacy::{Key, Policy, PolicyDocument};
    use super::*;
    use crate::json::record::Records;

    fn decode_context() -> DecodeContext {
        DecodeContext {
            event_id: 609_768,
            pulled_at: "2022-11-01T00:00:00Z".parse().unwrap(),
            zone: Zone::parse("Asia/Shanghai").unwrap(),
            privacy: Privacy::default(),
        }
    }

    /// Decodes these records, which are from one answer.
    fn push(decoder: &mut Decoder, sent: &[&str]) -> Vec<Decoded> {
        let mut records = Records::default();
        sent.iter().map(|record| decoder.push(records.whole(record).unwrap())).collect()
    }

    fn decode(table: Table, records: &[&str]) -> (RecordBatch, DecodeCounts) {
        let mut decoder = Decoder::new(table, decode_context());
        push(&mut decoder, records);
        (decoder.batch().unwrap(), decoder.counts().clone())
    }

    fn text(batch: &RecordBatch, column: &str, row: usize) -> Option<String> {
        use arrow::array::{Array, AsArray};
        let array = batch.column_by_name(column).unwrap().as_string::<i32>();
        array.is_valid(row).then(|| array.value(row).to_owned())
    }

    #[test]
    fn values_that_have_no_column_or_do_not_fit_theirs_go_to_extra() {
        let (batch, counts) = decode(
            Table::Lives,
            &[
                r#"{"online_time": 1666772823, "zeta": [1, 2], "chat_num": "many", "alpha": null, "email": "a@b.c"}"#,
            ],
        );
        let extra = r#"{"alpha":null,"chat_num":"many","zeta":[1, 2]}"#;
        assert_eq!(text(&batch, "extra", 0).as_deref(), Some(extra));
        assert_eq!(text(&batch, "person_key", 0).as_deref(), Some("a@b.c"));
        assert_eq!(counts.set_aside, 1);
        assert_eq!(counts.unknown, ["alpha", "zeta"].map(String::from).into());
    }

    #[test]
    fn a_value_that_does_not_fit_a_treated_column_is_counted_but_not_kept() {
        let key = Key::checked(&"k".repeat(32).into()).unwrap();
        let document = PolicyDocument::parse(br#"{"base": "pseudonymous"}"#).unwrap();
        let policy = Arc::new(Policy::checked(document, Some(key)).unwrap());
        let privacy = Privacy { policy, ..Privacy::default() };
        let mut decoder = Decoder::new(Table::Lives, DecodeContext { privacy, ..decode_context() });
        let absent = [r#"{"online_time": 1, "mobile": null}"#, r#"{"online_time": 1, "mobile": "-"}"#];
        push(&mut decoder, &absent);
        assert_eq!(decoder.counts().set_aside, 0);
        push(&mut decoder, &[r#"{"online_time": 1, "mobile": ["19000101106"]}"#]);
        assert_eq!(decoder.counts().set_aside, 1);
        let batch = decoder.batch().unwrap();
        assert_eq!((text(&batch, "mobile", 2), text(&batch, "extra", 2)), (None, None));
    }

    #[test]
    fn a_field_that_repeats_another_is_kept_only_where_it_differs() {
        for (record, extra) in [
            (r#"{"online_time": 1666772823, "online_date": "2022-10-26 16:27:03"}"#, None),
            (
                r#"{"online_time": 1666772823, "online_date": "2022-10-26 16:27:04"}"#,
                Some(r#"{"online_date":"2022-10-26 16:27:04"}"#),
            ),
            (r#"{"online_time": 1666772823, "online_date": "-"}"#, None),
            (r#"{"online_time": 1666772823, "client_type": "WEB", "clientType": "WEB"}"#, None),
            (r#"{"online_time": 1666772823, "clientType": "WEB"}"#, Some(r#"{"clientType":"WEB"}"#)),
            (
                r#"{"online_time": 1666772823, "client_type": "WEB", "clientType": "APP", "clientType": "WEB"}"#,
                None,
            ),
            (
                r#"{"online_time": 1666772823, "clientType": "WEB", "client_type": "WEB", "clientType": "APP"}"#,
                Some(r#"{"clientType":"APP"}"#),
            ),
        ] {
            let (batch, _) = decode(Table::Lives, &[record]);
            assert_eq!(text(&batch, "extra", 0).as_deref(), extra, "{record}");
        }
    }

    #[test]
    fn the_order_of_keys_does_not_matter_and_the_last_of_a_repeated_key_counts() {
        let (one, _) = decode(Table::Lives, &[r#"{"online_time": 1, "name": "a", "name": "b"}"#]);
        let (other, _) = decode(Table::Lives, &[r#"{"name": "b", "online_time": 1}"#]);
        assert_eq!(one, other);
    }

    #[test]
    fn a_record_is_kept_by_the_window_it_lies_in_and_rejected_only_if_it_cannot_be_placed() {
        let kept = "2022-10-26T08:00:00Z".parse().unwrap().."2022-10-26T09:00:00Z".parse().unwrap();
        let mut decoder = Decoder::new(Table::Lives, decode_context());
        decoder.keep_only(kept);
        let (records, expected): (Vec<_>, Vec<_>) = [
            (r#"{"online_time": 1666771199}"#, Decoded::Outside),
            (r#"{"online_time": 1666771200}"#, Decoded::Row),
            (r#"{"online_time": "1666774799"}"#, Decoded::Row),
            (r#"{"online_time": 1666774800}"#, Decoded::Outside),
            (r#"{"online_time": null}"#, Decoded::Reject(RejectReason::NoTime)),
            (r#"{"online_time": 1666774799000000}"#, Decoded::Reject(RejectReason::NoTime)),
            ("[]", Decoded::Reject(RejectReason::NotAnObject)),
            ("null", Decoded::Reject(RejectReason::NotAnObject)),
        ]
        .into_iter()
        .unzip();
        assert_eq!(push(&mut decoder, &records), expected);
        let mut all = Decoder::new(Table::Interactions, decode_context());
        assert_eq!(push(&mut all, &[r#"{"name": "a"}"#]), [Decoded::Reject(RejectReason::NoTime)]);
        let mut summary = Decoder::new(Table::ViewerDetails, decode_context());
        assert_eq!(push(&mut summary, &[r#"{"name": "a"}"#]), [Decoded::Row], "it lies in the event's day");
        let counts = decoder.counts();
        assert_eq!((counts.rows, counts.outside, counts.rejects), (2, 2, 4));
    }
}
