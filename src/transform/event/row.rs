//! The row of `events` that describes an event.

use arrow::array::RecordBatch;
use jiff::Timestamp;

use super::Event;
use crate::calendar::Zone;
use crate::error::Result;
use crate::transform::batch::{self, BatchBuilder};
use crate::transform::tables::Table;
use crate::transform::value::Value;

impl Event {
    /// Reads a row of `events`; `None` if it has no `event_id`.
    #[must_use]
    pub fn of_row(batch: &RecordBatch, row: usize) -> Option<Self> {
        let Value::Integer(event_id) = batch::value(batch, "event_id", row) else { return None };
        let mut event = Self::unknown(event_id);
        for column in Table::Events.columns().iter().filter(|column| column.key.is_some()) {
            event.set(column.name, batch::value(batch, column.name, row));
        }
        Some(event)
    }

    /// Its row in `events`; `made` are the values of the columns that this program makes.
    pub fn row(&self, zone: &Zone, made: Vec<(&'static str, Value<'_>)>) -> Result<RecordBatch> {
        let clock = |instant: Option<Timestamp>| Value::from(instant.map(|instant| zone.wall_clock(instant)));
        let mut values = vec![
            ("event_id", self.event_id.into()),
            ("title", self.title.as_deref().into()),
            ("start_time", self.start_time.into()),
            ("end_time", self.end_time.into()),
            ("create_time", self.create_time.into()),
            ("modify_time", self.modify_time.into()),
            ("length_minutes", self.length_minutes.into()),
            ("event_form", self.event_form.as_deref().into()),
            ("status", self.status.as_deref().into()),
            ("host_id", self.host_id.as_deref().into()),
            ("host_name", self.host_name.as_deref().into()),
            ("billing_code", self.billing_code.as_deref().into()),
            ("conference_id", self.conference_id.as_deref().into()),
            ("start_date", clock(self.start_time)),
            ("end_date", clock(self.end_time)),
        ];
        values.extend(made);
        let mut batch = BatchBuilder::new(Table::Events);
        batch.push_named(values);
        batch.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_events_row_holds_every_listed_field_that_has_a_column_and_can_be_read_back() {
        let keys = Table::Events.columns().iter().filter_map(|column| column.key);
        let fields = keys.chain(["eventId"]).map(|key| (key.to_owned(), 1_666_772_400.into()));
        let event = Event::read(&serde_json::Value::Object(fields.collect()).to_string()).unwrap();
        let pulled_at = Timestamp::UNIX_EPOCH;
        let made =
            vec![("closed", false.into()), ("outcome", "complete".into()), ("pulled_at", pulled_at.into())];
        let row = event.row(&Zone::parse("Asia/Shanghai").unwrap(), made).unwrap();
        for column in Table::Events.columns().iter().filter(|column| column.key.is_some()) {
            assert_ne!(batch::value(&row, column.name, 0), Value::Null, "{}", column.name);
        }
        assert_eq!(Event::of_row(&row, 0), Some(event));
    }
}
