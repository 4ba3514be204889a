//! What surrounds the records of an answer: whether it is a success, and which arrays it has.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::reply::{text, with_request_id};
use crate::error::{Error, Kind, Result};
use crate::json::escape;
use crate::transform::tables::Table;

/// What surrounds the records of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The vendor's ID of the request, to quote to its support.
    pub request_id: Option<String>,
    /// The vendor's code; 200 is success.
    pub code: Option<i64>,
    /// The event whose report this is; `None` if the answer does not say.
    pub event_id: Option<i64>,
    /// The vendor's text for a failure.
    pub message: Option<String>,
    /// How many records each array had, by the vendor's key; `None` if the array was null.
    pub arrays: BTreeMap<String, Option<u64>>,
}

impl Envelope {
    /// Reads an answer from which the records were taken out. `arrays` says how many each array had.
    pub(super) fn read(bytes: &[u8], mut arrays: BTreeMap<String, Option<u64>>) -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Sent {
            request_id: Option<Value>,
            code: Option<Value>,
            msg: Option<Value>,
            data: Option<Value>,
        }
        let json =
            str::from_utf8(bytes).map_err(|_| Error::new(Kind::BadAnswer, "the answer is not UTF-8"))?;
        let sent: Sent = serde_json::from_str(&escape::readable(json)).map_err(|error| {
            let what = if error.is_eof() { "the answer ends early" } else { "the answer is not JSON" };
            Error::new(Kind::BadAnswer, what)
        })?;
        let request_id = text(sent.request_id.as_ref());
        let other_shape = |name: &str| {
            let message = format!("`{name}` is not what the vendor's documentation describes");
            with_request_id(Error::new(Kind::BadAnswer, message), request_id.as_deref())
        };
        let (event_id, report) = match &sent.data {
            None | Some(Value::Null) => (None, None),
            Some(Value::Object(data)) => (data.get("eventId"), data.get("report")),
            Some(_) => return Err(other_shape("data")),
        };
        match report {
            None | Some(Value::Null) => {}
            Some(Value::Object(report)) => {
                for (key, value) in report {
                    if Table::of_array(key).is_some() && !value.is_array() && !value.is_null() {
                        return Err(other_shape(key));
                    }
                    arrays.entry(key.clone()).or_insert(None);
                }
            }
            Some(_) => return Err(other_shape("report")),
        }
        Ok(Self {
            event_id: text(event_id).and_then(|event_id| event_id.parse().ok()),
            code: text(sent.code.as_ref()).and_then(|code| code.parse().ok()),
            message: text(sent.msg.as_ref()),
            request_id,
            arrays,
        })
    }
}
