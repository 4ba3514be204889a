//! Records to rows of `lives`, `interactions` and `viewer_details`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use arrow::array::RecordBatch;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::value::RawValue;

use super::batch::BatchBuilder;
use super::column::Kind;
use super::person;
use super::raw::{Raw, Record};
use super::tables::Table;
use super::value::{self, Value};
use crate::calendar::Zone;
use crate::error::Result;

/// What became of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// It is a row of the batch.
    Row,
    /// It lies outside the window, whose neighbour will bring it.
    Outside,
    /// No table can hold it.
    Reject(Reason),
}

/// Why a record is a reject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is no JSON object.
    NotAnObject,
    /// It says no time that it could be placed by.
    NoTime,
}

impl Reason {
    /// The word in the column `reason`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAnObject => "not_an_object",
            Self::NoTime => "no_time",
        }
    }
}

/// What is the same for all rows of one answer.
#[derive(Clone)]
pub struct Setting {
    /// The event that was asked for.
    pub event_id: i64,
    /// When the visit began.
    pub pulled_at: Timestamp,
    /// The lake's zone.
    pub zone: Zone,
}

/// What was seen while decoding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records that became rows.
    pub rows: u64,
    /// Records that no table can hold.
    pub rejects: u64,
    /// Records outside the window.
    pub outside: u64,
    /// Values that their column could not hold.
    pub set_aside: u64,
    /// Keys without a column.
    pub unknown: BTreeSet<String>,
}

/// Decodes the records of one array, one by one, into a record batch.
pub struct Decoder {
    table: Table,
    setting: Setting,
    kept: Option<Range<Timestamp>>,
    targets: HashMap<&'static str, Target>,
    rows: BatchBuilder,
    tally: Tally,
}

/// What a key of the vendor leads to.
#[derive(Clone, Copy)]
enum Target {
    /// The column at this place.
    Column(usize),
    /// Nothing of its own: it says again what this other key says.
    Repeat(&'static str),
}

impl Decoder {
    /// A decoder that keeps all records.
    #[must_use]
    pub fn new(table: Table, setting: Setting) -> Self {
        let columns = table
            .columns()
            .iter()
            .enumerate()
            .filter_map(|(at, column)| Some((column.key?, Target::Column(at))));
        let repeats = table.repeats().iter().map(|(key, other)| (*key, Target::Repeat(other)));
        Self {
            table,
            setting,
            kept: None,
            targets: columns.chain(repeats).collect(),
            rows: BatchBuilder::new(table),
            tally: Tally::default(),
        }
    }

    /// From now on, keeps only the records whose `online_time` lies within `kept`.
    pub fn keep(&mut self, kept: Range<Timestamp>) {
        self.kept = Some(kept);
    }

    /// Decodes one record, as it stands in the answer.
    pub fn push(&mut self, text: &str) -> Result<Decoded> {
        let decoded = self.place(text)?;
        match decoded {
            Decoded::Row => self.tally.rows += 1,
            Decoded::Outside => self.tally.outside += 1,
            Decoded::Reject(_) => self.tally.rejects += 1,
        }
        Ok(decoded)
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> Table {
        self.table
    }

    /// Rows that wait for [`Decoder::batch`].
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.rows.rows()
    }

    /// The waiting rows.
    pub fn batch(&mut self) -> Result<RecordBatch> {
        self.rows.finish()
    }

    /// What was seen so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    fn place(&mut self, text: &str) -> Result<Decoded> {
        let Some(record) = Record::parse(text)? else { return Ok(Decoded::Reject(Reason::NotAnObject)) };
        let is_placed_by_time = self.kept.is_some() || self.table != Table::ViewerDetails;
        match (online_time(&record), &self.kept) {
            (None, _) if is_placed_by_time => return Ok(Decoded::Reject(Reason::NoTime)),
            (Some(online), Some(kept)) if !kept.contains(&online) => return Ok(Decoded::Outside),
            _ => {}
        }
        self.row(&record);
        Ok(Decoded::Row)
    }

    fn row(&mut self, record: &Record<'_>) {
        let table = self.table;
        let mut sent: Vec<Option<&RawValue>> = vec![None; table.columns().len()];
        let mut extra: BTreeMap<&str, &RawValue> = BTreeMap::new();
        for (key, value) in &record.fields {
            match self.targets.get(key.as_ref()) {
                Some(Target::Column(at)) => {
                    if let Some(place) = sent.get_mut(*at) {
                        *place = Some(value);
                    }
                }
                Some(Target::Repeat(other)) => {
                    if record.get(other) != Some(Raw::read(value)) {
                        extra.insert(key, value);
                    }
                }
                None => {
                    if !self.tally.unknown.contains(key.as_ref()) {
                        self.tally.unknown.insert(key.to_string());
                    }
                    extra.insert(key, value);
                }
            }
        }
        let mut values: Vec<Value<'_>> = Vec::with_capacity(sent.len());
        for (column, sent) in table.columns().iter().zip(&sent) {
            let raw = sent.map(Raw::read);
            let value = match (column.kind, raw) {
                (Kind::WallClock { of }, raw) => {
                    let instant = record.get(of).and_then(|raw| value::instant(&raw).ok());
                    if let (Some(key), Some(sent), Some(raw)) = (column.key, sent, raw)
                        && !raw.is_absent()
                        && !says(&raw, instant)
                    {
                        extra.insert(key, sent);
                    }
                    Value::from(instant.map(|instant| self.setting.zone.wall_clock(instant)))
                }
                (_, None) => Value::Null,
                (kind, Some(raw)) => value::read(kind, &raw).unwrap_or_else(|_| {
                    self.tally.set_aside += 1;
                    if let (Some(key), Some(sent)) = (column.key, sent) {
                        extra.insert(key, sent);
                    }
                    Value::Null
                }),
            };
            values.push(value);
        }
        let person = person_key(table, &values);
        for (column, value) in table.columns().iter().zip(&mut values) {
            match column.name {
                "event_id" => *value = Value::Integer(self.setting.event_id),
                "pulled_at" => *value = self.setting.pulled_at.into(),
                "person_key" => *value = person.clone().into(),
                "extra" => *value = Value::from(json(&extra)),
                _ => {}
            }
        }
        self.rows.push(values);
    }
}

/// The day by which a record of `lives` or `interactions` is placed, for counting without decoding it.
pub fn day_of(text: &str, zone: &Zone) -> Result<Result<Date, Reason>> {
    let Some(record) = Record::parse(text)? else { return Ok(Err(Reason::NotAnObject)) };
    Ok(online_time(&record).map(|online| zone.day_of(online)).ok_or(Reason::NoTime))
}

fn online_time(record: &Record<'_>) -> Option<Timestamp> {
    value::instant(&record.get("online_time")?).ok()
}

/// Whether the vendor's own wall clock text says this instant.
fn says(raw: &Raw<'_>, instant: Option<Timestamp>) -> bool {
    let Raw::Text(text) = raw else { return false };
    instant.is_some() && value::vendor_clock(text) == instant
}

fn person_key(table: Table, values: &[Value<'_>]) -> Option<String> {
    let text = |name: &str| match values.get(table.index_of(name)?)? {
        Value::Text(text) => Some(text.as_ref()),
        _ => None,
    };
    person::key(text("mobile"), text("country_code"), text("email"), text("ext_id"))
}

/// `extra` as JSON with its keys sorted; none where there is nothing.
fn json(extra: &BTreeMap<&str, &RawValue>) -> Option<String> {
    if extra.is_empty() { None } else { serde_json::to_string(extra).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting() -> Setting {
        Setting {
            event_id: 609_768,
            pulled_at: "2022-11-01T00:00:00Z".parse().unwrap(),
            zone: Zone::parse("Asia/Shanghai").unwrap(),
        }
    }

    fn decode(table: Table, records: &[&str]) -> (RecordBatch, Tally) {
        let mut decoder = Decoder::new(table, setting());
        for record in records {
            decoder.push(record).unwrap();
        }
        (decoder.batch().unwrap(), decoder.tally().clone())
    }

    fn text(batch: &RecordBatch, column: &str, row: usize) -> Option<String> {
        use arrow::array::{Array, AsArray};
        let array = batch.column_by_name(column).unwrap().as_string::<i32>();
        array.is_valid(row).then(|| array.value(row).to_owned())
    }

    #[test]
    fn what_has_no_column_or_does_not_fit_goes_to_extra() {
        let (batch, tally) = decode(
            Table::Lives,
            &[
                r#"{"online_time": 1666772823, "zeta": [1, 2], "chat_num": "many", "alpha": null, "email": "a@b.c"}"#,
            ],
        );
        let extra = r#"{"alpha":null,"chat_num":"many","zeta":[1, 2]}"#;
        assert_eq!(text(&batch, "extra", 0).as_deref(), Some(extra));
        assert_eq!(text(&batch, "person_key", 0).as_deref(), Some("a@b.c"));
        assert_eq!(tally.set_aside, 1);
        assert_eq!(tally.unknown, ["alpha", "zeta"].map(String::from).into());
    }

    #[test]
    fn what_the_vendor_says_twice_is_kept_only_where_it_differs() {
        for (record, extra) in [
            (r#"{"online_time": 1666772823, "online_date": "2022-10-26 16:27:03"}"#, None),
            (
                r#"{"online_time": 1666772823, "online_date": "2022-10-26 16:27:04"}"#,
                Some(r#"{"online_date":"2022-10-26 16:27:04"}"#),
            ),
            (r#"{"online_time": 1666772823, "online_date": "-"}"#, None),
            (r#"{"online_time": 1666772823, "client_type": "WEB", "clientType": "WEB"}"#, None),
            (r#"{"online_time": 1666772823, "clientType": "WEB"}"#, Some(r#"{"clientType":"WEB"}"#)),
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
    fn a_record_is_kept_by_the_window_it_lies_in_and_rejected_only_without_a_place() {
        let kept = "2022-10-26T08:00:00Z".parse().unwrap().."2022-10-26T09:00:00Z".parse().unwrap();
        let mut decoder = Decoder::new(Table::Lives, setting());
        decoder.keep(kept);
        for (record, decoded) in [
            (r#"{"online_time": 1666771199}"#, Decoded::Outside),
            (r#"{"online_time": 1666771200}"#, Decoded::Row),
            (r#"{"online_time": "1666774799"}"#, Decoded::Row),
            (r#"{"online_time": 1666774800}"#, Decoded::Outside),
            (r#"{"online_time": null}"#, Decoded::Reject(Reason::NoTime)),
            (r#"{"online_time": 1666774799000000}"#, Decoded::Reject(Reason::NoTime)),
            ("[]", Decoded::Reject(Reason::NotAnObject)),
            ("null", Decoded::Reject(Reason::NotAnObject)),
        ] {
            assert_eq!(decoder.push(record).unwrap(), decoded, "{record}");
        }
        assert!(decoder.push(r#"{"online_time": 16667"#).is_err());
        let mut all = Decoder::new(Table::Interactions, setting());
        assert_eq!(all.push(r#"{"name": "a"}"#).unwrap(), Decoded::Reject(Reason::NoTime));
        let mut summary = Decoder::new(Table::ViewerDetails, setting());
        assert_eq!(summary.push(r#"{"name": "a"}"#).unwrap(), Decoded::Row, "it lies in the event's day");
        let tally = decoder.tally();
        assert_eq!((tally.rows, tally.outside, tally.rejects), (2, 2, 4));
    }
}
