//! An answer that is read as a whole: any but a report that came well.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::error::{Error, Kind, Result};
use crate::transform::escape;

/// The longest name of a request that is shown, in characters; those that were seen have 42.
const LONGEST_ID: usize = 200;

/// An answer, whichever way its numbers and texts are sent. It does not print: there may be a token in it.
#[derive(Deserialize)]
pub struct Reply {
    code: Option<Value>,
    msg: Option<Value>,
    #[serde(rename = "requestId")]
    request_id: Option<Value>,
    #[serde(rename = "timeStamp")]
    time_stamp: Option<Value>,
    /// What was asked for, as sent; `null` where it is not there.
    #[serde(default = "nothing")]
    pub data: Box<RawValue>,
}

fn nothing() -> Box<RawValue> {
    RawValue::NULL.to_owned()
}

impl Reply {
    /// Reads an answer; none where it is not what the vendor's page describes.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_str(&escape::readable(str::from_utf8(body).ok()?)).ok()
    }

    /// 200 is success.
    pub(super) fn code(&self) -> Option<i64> {
        text(self.code.as_ref())?.parse().ok()
    }

    /// When the vendor answered, by its own clock.
    pub(super) fn time(&self) -> Option<Timestamp> {
        let millis = text(self.time_stamp.as_ref())?.parse().ok()?;
        Timestamp::from_millisecond(millis).ok()
    }

    /// The vendor's text for a failure.
    pub(super) fn message(&self) -> Option<String> {
        text(self.msg.as_ref())
    }

    /// The vendor's name of the request.
    pub(super) fn request_id(&self) -> Option<String> {
        text(self.request_id.as_ref())
    }

    /// The fields of its `data`.
    pub(super) fn fields(&self) -> Result<Map<String, Value>> {
        serde_json::from_str(self.data.get())
            .map_err(|_| self.error(Kind::BadAnswer, "the answer's `data` is no object"))
    }

    /// What is wrong with its `data`.
    pub(super) fn error(&self, kind: Kind, message: impl Into<String>) -> Error {
        named(Error::new(kind, message), self.request_id().as_deref())
    }
}

/// An error about a request, with the vendor's name of it.
pub(super) fn named(error: Error, request_id: Option<&str>) -> Error {
    match request_id {
        Some(request_id) => error.with("requestId", request_id.chars().take(LONGEST_ID).collect::<String>()),
        None => error,
    }
}

/// A text, or a number as text.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    }
}
