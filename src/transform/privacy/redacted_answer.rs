//! An answer that is put together again from what may be kept of it: the same arrays, with the records that may stay.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{Privacy, Redactor};
use crate::json::record::Record;
use crate::transform::tables::Table;

/// The answer, as far as it has been put together.
pub struct RedactedAnswer<'a> {
    privacy: &'a Privacy,
    redactors: BTreeMap<Table, Redactor<'a>>,
    text: String,
    /// The array that is open.
    array: Option<String>,
    /// All arrays that were opened so far.
    arrays: Vec<String>,
}

impl<'a> RedactedAnswer<'a> {
    /// An answer of which nothing has been put together yet.
    #[must_use]
    pub fn new(privacy: &'a Privacy) -> Self {
        let redactor = |table| (table, Redactor::for_archive(&privacy.policy, table));
        Self {
            privacy,
            redactors: Table::ALL.map(redactor).into(),
            text: String::new(),
            array: None,
            arrays: Vec::new(),
        }
    }

    /// Adds what may be kept of a record. The caller leaves out records of people to be forgotten.
    pub fn add(&mut self, array: &str, record: Record<'_>) {
        if !self.keeps(array) {
            return;
        }
        if self.array.as_deref() == Some(array) {
            self.text.push(',');
        } else {
            self.open(array);
            self.text.push('[');
            self.array = Some(array.to_owned());
        }
        match Table::of_array(array).and_then(|table| self.redactors.get_mut(&table)) {
            Some(redactor) => self.text.push_str(&redactor.text(record)),
            None => self.text.push_str(record.text()),
        }
    }

    fn keeps(&self, array: &str) -> bool {
        Table::of_array(array).is_some() || self.privacy.policy.keeps_array(array)
    }

    /// Takes what has been put together since the last call.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    /// The rest of the answer: arrays without records, and the envelope around all arrays.
    #[must_use]
    pub fn finish(
        mut self,
        arrays: &BTreeMap<String, Option<u64>>,
        code: i64,
        request_id: Option<&str>,
    ) -> String {
        for (array, count) in arrays {
            if !self.arrays.contains(array) && self.keeps(array) {
                self.open(array);
                self.text.push_str(if count.is_some() { "[]" } else { "null" });
            }
        }
        if self.arrays.is_empty() {
            self.text.push_str(r#"{"data":{"report":{"#);
        }
        self.close();
        let request_id = Json::from(request_id);
        self.text.extend([
            r#"}},"code":"#,
            &code.to_string(),
            r#","requestId":"#,
            &request_id.to_string(),
            "}",
        ]);
        self.text
    }

    /// Closes the open array, and adds what stands before the next one: a separator and its key.
    fn open(&mut self, array: &str) {
        self.close();
        self.text.push_str(if self.arrays.is_empty() { r#"{"data":{"report":{"# } else { "," });
        self.text.extend([&Json::from(array).to_string(), ":"]);
        self.arrays.push(array.to_owned());
    }

    fn close(&mut self) {
        if self.array.take().is_some() {
            self.text.push(']');
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::json::record::Records;
    use crate::transform::privacy::{Policy, PolicyDocument};

    #[test]
    fn a_redacted_answer_is_json_with_all_its_arrays_however_many_records_stay() {
        let privacy = Privacy::default();
        let arrays =
            [("lives", Some(3)), ("interactions", Some(1)), ("viewerDetails", None), ("polls", Some(2))];
        let arrays = arrays.map(|(name, count)| (name.to_owned(), count)).into();
        let (mut redacted, mut records) = (RedactedAnswer::new(&privacy), Records::default());
        redacted.add("lives", records.whole(r#"{"a": 1}"#).unwrap());
        let first = redacted.take();
        redacted.add("lives", records.whole("null").unwrap());
        redacted.add("interactions", records.whole("{}").unwrap());
        assert_eq!(
            first + &redacted.finish(&arrays, 200, Some("x\"y")),
            r#"{"data":{"report":{"lives":[{"a": 1},null],"interactions":[{}],"polls":[],"viewerDetails":null}},"code":200,"requestId":"x\"y"}"#
        );
        assert_eq!(
            RedactedAnswer::new(&privacy).finish(&BTreeMap::new(), 200, None),
            r#"{"data":{"report":{}},"code":200,"requestId":null}"#
        );
    }

    #[test]
    fn an_array_that_belongs_to_no_table_stays_only_if_nothing_is_withheld_or_it_is_named() {
        for (policy, stays) in [
            (r#"{"base": "open"}"#, true),
            (r#"{"base": "open", "columns": {"mobile": "drop"}}"#, false),
            (r#"{"base": "open", "columns": {"mobile": "drop"}, "fields": ["polls"]}"#, true),
            (r#"{"base": "anonymous"}"#, false),
        ] {
            let document = PolicyDocument::parse(policy.as_bytes()).unwrap();
            let policy = Arc::new(Policy::checked(document, None).unwrap());
            let privacy = Privacy { policy, ..Privacy::default() };
            let (mut redacted, mut records) = (RedactedAnswer::new(&privacy), Records::default());
            redacted.add("polls", records.whole(r#"{"mobile": "19000101106"}"#).unwrap());
            let kept = redacted.finish(&BTreeMap::new(), 200, None);
            assert_eq!(kept.contains("19000101106"), stays, "{kept}");
        }
    }
}
