//! An event as the vendor's lists describe it: the fields that have a column, and nothing else.

use std::borrow::Cow;

use arrow::array::RecordBatch;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::batch::{self, BatchBuilder};
use super::column::ColumnKind;
use super::privacy::Privacy;
use super::reading;
use super::tables::Table;
use super::value::Value;
use crate::calendar::Zone;
use crate::error::Result;
use crate::json::record::Records;

/// The longest length that tells when an event ends, in minutes: a year.
const MOST_MINUTES: i64 = 366 * 24 * 60;

/// One webinar. A field is none if the vendor did not send it, or sent a value that its column cannot hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// The vendor's `eventId`.
    pub event_id: i64,
    /// Title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Scheduled start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Timestamp>,
    /// Scheduled end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Timestamp>,
    /// When it was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_time: Option<Timestamp>,
    /// When it was last edited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modify_time: Option<Timestamp>,
    /// Scheduled length, in minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length_minutes: Option<i64>,
    /// `phone`, `web_meeting`, `interactive_live`, `large_live`, or the code as sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_form: Option<String>,
    /// `cancelled`, `created`, `ended`, or the code as sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Account of the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_id: Option<String>,
    /// Name of the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_name: Option<String>,
    /// Billing code of the conference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_code: Option<String>,
    /// Identifier of the conference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conference_id: Option<String>,
}

impl Event {
    /// An event of which only the number is known.
    #[must_use]
    pub fn unknown(event_id: i64) -> Self {
        Self { event_id, ..Self::default() }
    }

    /// Reads one element of a list of events; none if it is not an object, or its `eventId` is not a number of at least 1.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut records = Records::default();
        let record = records.whole(text)?;
        let Ok(Value::Integer(event_id @ 1..)) = reading::read(ColumnKind::Count, record.get("eventId")?)
        else {
            return None;
        };
        let mut event = Self::unknown(event_id);
        for column in Table::Events.columns() {
            let Some(raw) = column.key.and_then(|key| record.get(key)) else { continue };
            if let Ok(value) = reading::read(column.kind, raw) {
                event.set(column.name, value);
            }
        }
        // The list of edited events has a key of its own for events that were cancelled.
        if record.get("eventStatus").and_then(reading::present).as_deref() == Some("0") {
            event.status = Some("cancelled".to_owned());
        }
        // An end before the start is none.
        let end_time = event.end_time.filter(|end| event.start_time.is_none_or(|start| start <= *end));
        event.end_time = end_time.or_else(|| event.end_by_length());
        Some(event)
    }

    /// Reads a row of `events`; none if it has no `event_id`.
    #[must_use]
    pub fn of_row(batch: &RecordBatch, row: usize) -> Option<Self> {
        let Value::Integer(event_id) = batch::value(batch, "event_id", row) else { return None };
        let mut event = Self::unknown(event_id);
        for column in Table::Events.columns().iter().filter(|column| column.key.is_some()) {
            event.set(column.name, batch::value(batch, column.name, row));
        }
        Some(event)
    }

    /// The event with only what may be kept of it.
    #[must_use]
    pub fn treated(mut self, privacy: &Privacy) -> Self {
        let columns = Table::Events.columns();
        for (name, field) in self.texts() {
            let Some(column) = columns.iter().find(|column| column.name == name) else { continue };
            let kept = field.take().filter(|text| !privacy.suppressed.has_text(text, None));
            let treatment = privacy.policy.treatment(column);
            let treated =
                kept.and_then(|text| privacy.policy.treated(treatment, column.personal, text.into(), None));
            *field = treated.map(Cow::into_owned);
        }
        self
    }

    /// Fills the fields that this entry lacks with what was known `before`: the vendor's documentation does not show the entry of
    /// a deleted event. Status and last edit always come from this entry.
    #[must_use]
    pub fn completed_by(self, before: &Self) -> Self {
        let text = |now: Option<String>, before: &Option<String>| now.or_else(|| before.clone());
        let start_time = self.start_time.or(before.start_time);
        // If it was moved behind the end that it had, that is its end no more.
        let may_end_at = |end: &Timestamp| start_time.is_none_or(|start| start <= *end);
        Self {
            event_id: self.event_id,
            title: text(self.title, &before.title),
            start_time,
            end_time: self.end_time.or(before.end_time).filter(may_end_at),
            create_time: self.create_time.or(before.create_time),
            modify_time: self.modify_time,
            length_minutes: self.length_minutes.or(before.length_minutes),
            event_form: text(self.event_form, &before.event_form),
            status: self.status,
            host_id: text(self.host_id, &before.host_id),
            host_name: text(self.host_name, &before.host_name),
            billing_code: text(self.billing_code, &before.billing_code),
            conference_id: text(self.conference_id, &before.conference_id),
        }
    }

    /// Its texts, by column name.
    fn texts(&mut self) -> [(&'static str, &mut Option<String>); 7] {
        [
            ("title", &mut self.title),
            ("event_form", &mut self.event_form),
            ("status", &mut self.status),
            ("host_id", &mut self.host_id),
            ("host_name", &mut self.host_name),
            ("billing_code", &mut self.billing_code),
            ("conference_id", &mut self.conference_id),
        ]
    }

    fn set(&mut self, column: &str, value: Value<'_>) {
        match value {
            Value::Text(text) => {
                if let Some((_, field)) = self.texts().into_iter().find(|(name, _)| *name == column) {
                    *field = Some(text.into_owned());
                }
            }
            Value::Millis(millis) => {
                let field = match column {
                    "start_time" => &mut self.start_time,
                    "end_time" => &mut self.end_time,
                    "create_time" => &mut self.create_time,
                    "modify_time" => &mut self.modify_time,
                    _ => return,
                };
                *field = Timestamp::from_millisecond(millis).ok();
            }
            Value::Integer(number) if column == "length_minutes" => self.length_minutes = Some(number),
            _ => {}
        }
    }

    /// Whether it describes an event as it was before an edit that another entry knows.
    #[must_use]
    pub fn is_older_than(&self, other: &Self) -> bool {
        self.modify_time.is_some() && self.modify_time < other.modify_time
    }

    /// When it ends according to its start and its length; none if it has no length.
    fn end_by_length(&self) -> Option<Timestamp> {
        let length = self.length_minutes.filter(|minutes| (1..=MOST_MINUTES).contains(minutes))?;
        self.start_time?.checked_add(SignedDuration::from_mins(length)).ok()
    }

    /// Whether it was cancelled, before it began or later.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.status.as_deref() == Some("cancelled")
    }

    /// Whether it was cancelled before it began, so that nobody can have come.
    #[must_use]
    pub fn was_cancelled_before_start(&self) -> bool {
        self.is_cancelled()
            && match (self.modify_time, self.start_time) {
                (Some(modified), Some(start)) => modified < start,
                _ => false,
            }
    }

    /// Whether it is over: the vendor says so, or its end has passed.
    #[must_use]
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.status.as_deref() == Some("ended") || self.end_time.is_some_and(|end| end <= now)
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
    fn an_event_keeps_what_has_a_column_and_drops_links_and_passcodes() {
        let event = Event::read(
            r#"{"eventId": "609768", "title": "发布会", "startTime": 1666772400, "status": 4, "eventForm": 7,
                "hostId": 88589655, "joinUrl": "https://secret", "hostPassword": "1234"}"#,
        )
        .unwrap();
        assert_eq!(event.event_id, 609_768);
        assert_eq!(event.host_id.as_deref(), Some("88589655"));
        assert_eq!(event.status.as_deref(), Some("ended"));
        assert_eq!(event.event_form.as_deref(), Some("large_live"));
        assert!(!serde_json::to_string(&event).unwrap().contains("secret"));
    }

    #[test]
    fn what_has_no_number_from_one_on_is_no_event() {
        for (entry, event_id) in [
            (r#"{"eventId": 1}"#, Some(1)),
            (r#"{"eventId": 0}"#, None),
            (r#"{"eventId": -5}"#, None),
            (r#"{"eventId": "x"}"#, None),
            (r#"{"title": "x"}"#, None),
            ("7", None),
        ] {
            assert_eq!(Event::read(entry).map(|event| event.event_id), event_id, "{entry}");
        }
    }

    #[test]
    fn where_no_end_is_stated_the_length_tells_it() {
        for (end, length, known) in [
            ("null", "60", Some(1_666_776_000)),
            ("0", "\"60\"", Some(1_666_776_000)),
            ("1666773000", "60", Some(1_666_773_000)),
            ("1666772399", "60", Some(1_666_776_000)),
            ("null", "0", None),
            ("null", "-60", None),
            ("null", "99999999999", None),
            ("null", "null", None),
        ] {
            let entry =
                format!(r#"{{"eventId": 1, "startTime": 1666772400, "endTime": {end}, "length": {length}}}"#);
            let event = Event::read(&entry).unwrap();
            assert_eq!(event.end_time.map(Timestamp::as_second), known, "{entry}");
        }
    }

    #[test]
    fn an_end_before_the_start_is_none() {
        let read = |start: i64, end: i64| {
            Event::read(&format!(r#"{{"eventId": 1, "startTime": {start}, "endTime": {end}}}"#)).unwrap()
        };
        let end = |event: Event| event.end_time.map(Timestamp::as_second);
        assert_eq!(end(read(1_666_772_400, 1_666_772_400)), Some(1_666_772_400));
        assert_eq!(end(read(1_666_772_400, 1_666_772_399)), None);
        // The entry of a moved event may lack its new end.
        for (moved_to, known) in [(1_666_770_000, Some(1_666_776_000)), (1_666_780_000, None)] {
            let moved = Event { end_time: None, ..read(moved_to, 0) };
            assert_eq!(end(moved.completed_by(&read(1_666_772_400, 1_666_776_000))), known, "{moved_to}");
        }
        let without_start = Event { start_time: None, ..read(0, 1_666_770_000) };
        assert_eq!(end(without_start.completed_by(&read(1_666_772_400, 1_666_776_000))), None);
    }

    #[test]
    fn an_event_was_cancelled_before_its_start_only_if_it_was_edited_before_it() {
        for (modified, expected) in [(1_666_772_399, true), (1_666_772_400, false)] {
            let event = Event::read(&format!(
                r#"{{"eventId": 1, "eventStatus": 0, "startTime": 1666772400, "modifyTime": {modified}}}"#
            ));
            assert_eq!(event.unwrap().was_cancelled_before_start(), expected);
        }
    }
}
