//! The answer of `report/details` as it arrives: each record is cut out of the stream and passed on, so that memory
//! holds one record and the envelope, never the answer.

use std::collections::BTreeMap;

use super::envelope::Envelope;
use super::http::IN_BETWEEN;
use super::reply::BYTE_ORDER_MARK;
use crate::error::{Error, Kind, Result};
use crate::json::record::{Record, Records};

/// The largest record that is accepted, in bytes. Records of the vendor's sample have 1 KB.
const LARGEST_RECORD: usize = 4 * 1024 * 1024;
/// At least this many bytes are appended to the beginning of a record to find its end: more than most records have.
const LEAST_COPY: usize = 2048;
/// The largest envelope that is accepted, in bytes: everything that is not a record. The sample's has 300.
const LARGEST_ENVELOPE: usize = 1024 * 1024;

/// Where a record is in its answer.
#[derive(Clone, Copy, Debug)]
pub struct Position<'a> {
    /// The vendor's key for the array that holds the record.
    pub array: &'a str,
    /// How many records are before it in that array.
    pub index: u64,
}

/// Cuts an answer into its records.
#[derive(Debug, Default)]
pub struct Splitter {
    /// The answer without its records: JSON again, with empty arrays.
    envelope: Vec<u8>,
    /// How many bytes of a byte order mark stood before it.
    marked: usize,
    /// The objects and arrays of the envelope that are still open, each with its current key.
    open: Vec<Container>,
    /// Where the last string of the envelope begins.
    text_from: usize,
    place: Place,
    /// The beginning of a record whose end has not arrived yet.
    rest: Vec<u8>,
    records: Records,
    /// How many records of the current array have been read.
    index: u64,
    counts: BTreeMap<String, Option<u64>>,
}

#[derive(Debug)]
struct Container {
    is_object: bool,
    key: String,
}

/// Where in the answer the next byte is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// In the envelope.
    #[default]
    Envelope,
    /// In a string of the envelope.
    Text { escaped: bool },
    /// In an array of records, before a record.
    Before { first: bool },
    /// In an array of records, after a record.
    After,
}

impl Splitter {
    /// Takes the next bytes of the answer, and passes on each record that ends in them.
    pub fn push(&mut self, mut chunk: &[u8], mut record: impl FnMut(Position<'_>, Record<'_>)) -> Result<()> {
        while !self.rest.is_empty() && !chunk.is_empty() {
            let mut bytes = std::mem::take(&mut self.rest);
            let kept = bytes.len();
            let (more, after) = chunk.split_at(chunk.len().min(kept.max(LEAST_COPY)));
            bytes.extend_from_slice(more);
            // From the copy, only the record that had already begun is taken.
            let taken = self.take(&bytes, kept, &mut record)?;
            if let Some(of_chunk) = taken.checked_sub(kept) {
                chunk = chunk.get(of_chunk..).unwrap_or_default();
                bytes.clear();
            } else {
                chunk = after;
            }
            self.rest = bytes;
        }
        let taken = self.take(chunk, chunk.len(), &mut record)?;
        self.rest.extend_from_slice(chunk.get(taken..).unwrap_or_default());
        if self.rest.len() > LARGEST_RECORD {
            let message = format!("a record is larger than {LARGEST_RECORD} bytes");
            return Err(Error::new(Kind::TooLarge, message));
        }
        Ok(())
    }

    /// Takes `bytes`, except what begins at `until` or later, and except a record that does not end in them. Returns how many
    /// bytes it took.
    fn take(
        &mut self,
        bytes: &[u8],
        until: usize,
        record: &mut impl FnMut(Position<'_>, Record<'_>),
    ) -> Result<usize> {
        let mut at = 0;
        while at < until
            && let Some(&byte) = bytes.get(at)
        {
            match (self.place, byte) {
                (Place::Envelope | Place::Text { .. }, _) => self.envelope(byte)?,
                (_, b' ' | b'\t' | b'\r' | b'\n') => {}
                (Place::Before { first: true } | Place::After, b']') => self.end_array(),
                (Place::After, b',') => self.place = Place::Before { first: false },
                (Place::After, _) => return Err(Error::new(Kind::BadAnswer, "the answer is not JSON")),
                (Place::Before { .. }, _) => {
                    let rest = bytes.get(at..).unwrap_or_default();
                    let Some(found) = self.records.first(rest)? else { return Ok(at) };
                    let array = self.open.get(2).map_or("", |report| &report.key);
                    at += found.text().len();
                    record(Position { array, index: self.index }, found);
                    self.index += 1;
                    self.place = Place::After;
                    continue;
                }
            }
            at += 1;
        }
        Ok(at)
    }

    /// The answer so far, without its records: JSON again, with empty arrays.
    #[must_use]
    pub fn around(&self) -> &[u8] {
        &self.envelope
    }

    /// Reads the envelope, once the answer has ended.
    pub fn finish(self) -> Result<Envelope> {
        Envelope::read(&self.envelope, self.counts)
    }

    fn envelope(&mut self, byte: u8) -> Result<()> {
        if self.envelope.len() >= LARGEST_ENVELOPE {
            return Err(Error::new(Kind::BadAnswer, "the answer is not a report"));
        }
        if self.envelope.is_empty() && BYTE_ORDER_MARK.get(self.marked) == Some(&byte) {
            self.marked += 1;
            return Ok(());
        }
        let is_marked = self.marked == 0 || self.marked == BYTE_ORDER_MARK.len();
        if self.envelope.is_empty() && !(is_marked && matches!(byte, b'{' | b' ' | b'\t' | b'\r' | b'\n')) {
            return Err(Error::new(Kind::BadAnswer, "the answer is not a JSON object").hint(IN_BETWEEN));
        }
        self.envelope.push(byte);
        match (self.place, byte) {
            (Place::Text { escaped: true }, _) => self.place = Place::Text { escaped: false },
            (Place::Text { .. }, b'\\') => self.place = Place::Text { escaped: true },
            (Place::Text { .. }, b'"') => self.place = Place::Envelope,
            (Place::Text { .. }, _) => {}
            (_, b'"') => {
                self.text_from = self.envelope.len() - 1;
                self.place = Place::Text { escaped: false };
            }
            (_, b':') => {
                let text = self.envelope.get(self.text_from..self.envelope.len() - 1).unwrap_or_default();
                let key = serde_json::from_slice(text).unwrap_or_default();
                if let Some(container) = self.open.last_mut() {
                    container.key = key;
                }
            }
            (_, b'{' | b'[') => {
                if byte == b'[' && self.is_at_report() {
                    self.begin_array();
                }
                self.open.push(Container { is_object: byte == b'{', key: String::new() });
            }
            (_, b'}' | b']') => {
                self.open.pop();
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the next value is a field of `data.report`.
    fn is_at_report(&self) -> bool {
        matches!(self.open.as_slice(), [root, data, report]
            if root.is_object && root.key == "data" && data.is_object && data.key == "report" && report.is_object)
    }

    fn begin_array(&mut self) {
        let key = self.open.get(2).map_or("", |report| &report.key);
        self.index = *self.counts.entry(key.to_owned()).or_default().get_or_insert(0);
        self.place = Place::Before { first: true };
    }

    fn end_array(&mut self) {
        self.envelope.push(b']');
        self.open.pop();
        if let Some(count) = self.open.get(2).and_then(|report| self.counts.get_mut(&report.key)) {
            *count = Some(self.index);
        }
        self.place = Place::Envelope;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Records = Vec<(String, String)>;

    fn split(answer: &[u8], chunk: usize) -> Result<(Records, Envelope)> {
        let mut splitter = Splitter::default();
        let mut records = Vec::new();
        for chunk in answer.chunks(chunk) {
            splitter.push(chunk, |position, record| {
                records.push((position.array.to_owned(), record.text().to_owned()));
            })?;
        }
        Ok((records, splitter.finish()?))
    }

    const ANSWER: &str = r#" { "code" : 200, "msg": "成功 \"b\" [", "data": {"report": {
        "li\u0076es": [ {"a": "}]\"", "b": [1, {}]} , 7,"x,]\\" ,null, [ ] ],
        "other": [], "viewerDetails": null, "interactions": [true]},
        "lives": [{"not": "here"}]}, "requestId": 12 } "#;

    #[test]
    fn records_are_the_same_however_the_answer_is_cut_into_chunks() {
        let (records, envelope) = split(ANSWER.as_bytes(), ANSWER.len()).unwrap();
        let expected = [
            ("lives", r#"{"a": "}]\"", "b": [1, {}]}"#),
            ("lives", "7"),
            ("lives", r#""x,]\\""#),
            ("lives", "null"),
            ("lives", "[ ]"),
            ("interactions", "true"),
        ];
        assert_eq!(records, expected.map(|(array, record)| (array.to_owned(), record.to_owned())));
        assert_eq!(envelope.request_id.as_deref(), Some("12"));
        assert_eq!((envelope.code, envelope.message.as_deref()), (Some(200), Some("成功 \"b\" [")));
        let arrays =
            [("interactions", Some(1)), ("lives", Some(5)), ("other", Some(0)), ("viewerDetails", None)];
        assert_eq!(envelope.arrays, arrays.map(|(key, count)| (key.to_owned(), count)).into());
        for chunk in 1..40 {
            assert_eq!(split(ANSWER.as_bytes(), chunk).unwrap().0, records, "{chunk}");
        }
    }

    #[test]
    fn an_answer_that_is_cut_off_anywhere_is_an_error() {
        let answer = ANSWER.trim().as_bytes();
        for length in 0..answer.len() {
            let error = split(&answer[..length], 7).unwrap_err();
            assert_eq!(error.kind(), Kind::Broken, "{length}");
        }
    }

    #[test]
    fn an_answer_that_is_not_json_or_has_an_unexpected_shape_is_an_error() {
        for answer in [
            "<html>",
            "[]",
            r#"{"data": {"report": {"lives": [{},]}}}"#,
            r#"{"data": {"report": {"lives": [,{}]}}}"#,
            r#"{"data": {"report": {"lives": [{} {}]}}}"#,
            r#"{"data": {"report": {"lives": [}]}}}"#,
            r#"{"code": 200}}"#,
            r#"{"code": 200,}"#,
            r#"{"code": 200} x"#,
            r#"{"code": 200, "data": {"report": {"lives": {"0": {}}}}}"#,
            r#"{"code": 200, "data": {"report": "none"}}"#,
            r#"{"code": 200, "data": []}"#,
            r#"{"code": 200, "data": {"report": {"lives": "none"}}}"#,
        ] {
            assert_eq!(split(answer.as_bytes(), 5).unwrap_err().kind(), Kind::BadAnswer, "{answer}");
        }
        let latin = b"{\"data\": {\"report\": {\"lives\": [{\"name\": \"\xe9\"}]}}}";
        assert_eq!(split(latin, 100).unwrap_err().kind(), Kind::BadAnswer);
    }

    #[test]
    fn the_code_and_message_of_a_failure_are_read_whatever_its_data_is() {
        for data in
            ["null", "\"\"", "[]", "false", "7", r#"{"report": "none"}"#, r#"{"report": {"lives": {}}}"#]
        {
            let answer = format!(r#"{{"code": "401", "data": {data}, "msg": "expired", "requestId": 12}}"#);
            let (_, envelope) = split(answer.as_bytes(), 5).unwrap();
            assert_eq!((envelope.code, envelope.message.as_deref()), (Some(401), Some("expired")), "{data}");
        }
    }

    #[test]
    fn a_success_may_lack_its_report_or_an_array_and_may_hold_numbers_of_any_size() {
        for code in ["200", "200.0", "2e2", "\" 200 \""] {
            let answer = format!(r#"{{"code": {code}}}"#);
            assert_eq!(split(answer.as_bytes(), 5).unwrap().1.code, Some(200), "{code}");
        }
        for data in ["null", "\"\"", "\"-\"", r#"{"report": null}"#, r#"{"report": ""}"#, "{}"] {
            let answer = format!(r#"{{"code": 200, "data": {data}}}"#);
            assert_eq!(split(answer.as_bytes(), 5).unwrap().1.arrays, BTreeMap::new(), "{data}");
        }
        for array in ["null", "\"\"", "\"-\""] {
            let answer = format!(
                r#"{{"code": 200, "data": {{"eventId": "7", "more": 1e400, "report": {{"lives": {array}}}}}}}"#
            );
            let (_, envelope) = split(answer.as_bytes(), 5).unwrap();
            assert_eq!(envelope.arrays, [("lives".to_owned(), None)].into(), "{array}");
            assert_eq!(envelope.event_id, Some(7));
        }
    }
}
