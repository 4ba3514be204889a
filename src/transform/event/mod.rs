//! An event as the vendor's lists describe it: the fields that have a column, and nothing else.

mod entry;
mod row;

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::privacy::Privacy;
use super::tables::Table;
use super::value::Value;

/// One webinar. A field is `None` if the vendor did not send it, or sent a value that its column cannot hold.
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

    /// Whether it describes the event as it was before an edit that `other` already knows.
    #[must_use]
    pub fn is_older_than(&self, other: &Self) -> bool {
        self.modify_time.is_some() && self.modify_time < other.modify_time
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_counts_as_cancelled_before_its_start_only_if_it_was_edited_before_then() {
        for (modified, expected) in [(1_666_772_399, true), (1_666_772_400, false)] {
            let event = Event::read(&format!(
                r#"{{"eventId": 1, "eventStatus": 0, "startTime": 1666772400, "modifyTime": {modified}}}"#
            ));
            assert_eq!(event.unwrap().was_cancelled_before_start(), expected);
        }
    }
}
