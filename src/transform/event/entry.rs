//! An entry of the vendor's lists: the event that it describes, and what the entry leaves as it was known before.

use jiff::{SignedDuration, Timestamp};

use super::Event;
use crate::json::record::Records;
use crate::transform::column::ColumnKind;
use crate::transform::reading;
use crate::transform::tables::Table;
use crate::transform::value::Value;

/// The longest stated length, in minutes, from which the end of an event is computed: a year.
const MOST_MINUTES: i64 = 366 * 24 * 60;

impl Event {
    /// Reads one element of a list of events; `None` if it is not an object, or its `eventId` is not a number of at least 1.
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
        // An end before the start does not count.
        let end_time = event.end_time.filter(|end| event.start_time.is_none_or(|start| start <= *end));
        event.end_time = end_time.or_else(|| event.end_by_length());
        Some(event)
    }

    /// Fills the fields that this entry lacks with what was known `before`: the vendor's documentation does not show the entry of
    /// a deleted event. Status and last edit always come from this entry.
    #[must_use]
    pub fn completed_by(self, before: &Self) -> Self {
        let text = |now: Option<String>, before: &Option<String>| now.or_else(|| before.clone());
        let start_time = self.start_time.or(before.start_time);
        // If the event was moved to a time after its previous end, that end no longer counts.
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

    /// When it ends according to its start and its length; `None` without a start, or without a length of at most a year.
    fn end_by_length(&self) -> Option<Timestamp> {
        let length = self.length_minutes.filter(|minutes| (1..=MOST_MINUTES).contains(minutes))?;
        self.start_time?.checked_add(SignedDuration::from_mins(length)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_keeps_the_fields_that_have_a_column_and_drops_links_and_passcodes() {
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
    fn an_entry_without_a_positive_event_number_is_not_an_event() {
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
    fn an_end_that_is_not_stated_follows_from_the_length() {
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
    fn an_end_before_the_start_is_ignored() {
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
}
