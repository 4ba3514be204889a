//! What is asked of a report, and what the answer says about that.

use jiff::Timestamp;

use crate::quirks::Envelope;
use crate::range::{Range, ViewerDetails};
use crate::session::Session;

/// What is asked for, when, and under which id.
#[derive(Clone, Debug)]
pub struct Query {
    /// Which records are wanted.
    pub range: Range,
    /// The kind of viewing asked for, by its code; all, if `None`.
    pub live_type: Option<i64>,
    /// What the totals cover.
    pub viewer_details: ViewerDetails,
    /// The time of the answer. What has not ended by then is not in it.
    pub now: Timestamp,
    /// The id of the request.
    pub request_id: String,
}

impl Query {
    /// Whether `session` is one of the records asked for.
    pub(crate) fn keeps(&self, session: &Session) -> bool {
        session.exists_at(self.now.as_second())
            && self.range.contains(session.online)
            && self.live_type.is_none_or(|code| code == session.kind.code())
    }

    /// Whether `session` counts in `viewerDetails`.
    pub(crate) fn counts(&self, session: &Session) -> bool {
        match self.viewer_details {
            ViewerDetails::Cumulative => session.exists_at(self.now.as_second()),
            ViewerDetails::PerRange => self.keeps(session),
        }
    }

    /// The body up to the first array of the report.
    pub(crate) fn head(&self, event: u64, envelope: Envelope) -> String {
        let [time_stamp, code, msg, request_id] = self.envelope();
        let before = match envelope {
            Envelope::Around => format!("{time_stamp},{code},{msg},"),
            Envelope::Before => format!("{request_id},{time_stamp},{code},{msg},"),
            Envelope::After => String::new(),
        };
        format!(r#"{{{before}"data":{{"eventId":{event},"report":{{"#)
    }

    /// The body from the last array's end on.
    pub(crate) fn tail(&self, envelope: Envelope) -> String {
        let instant =
            |instant: Option<i64>| instant.map_or_else(|| "null".to_owned(), |instant| instant.to_string());
        let (start, end) = (instant(self.range.start), instant(self.range.end));
        let [time_stamp, code, msg, request_id] = self.envelope();
        let after = match envelope {
            Envelope::Around => format!(",{request_id}"),
            Envelope::Before => String::new(),
            Envelope::After => format!(",{request_id},{msg},{time_stamp},{code}"),
        };
        format!(r#"}},"startTime":{start},"endTime":{end}}}{after}}}"#)
    }

    /// `timeStamp`, `code`, `msg` and `requestId`, each with its value.
    fn envelope(&self) -> [String; 4] {
        [
            format!(r#""timeStamp":{}"#, self.now.as_millisecond()),
            r#""code":200"#.to_owned(),
            r#""msg":"Successfully to get the event report details!""#.to_owned(),
            format!(r#""requestId":"{}""#, self.request_id),
        ]
    }
}
