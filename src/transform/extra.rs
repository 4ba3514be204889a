//! What goes to `extra`: fields without a column, and values that their column cannot hold.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::json::escape;
use crate::json::record::Sent;

/// The fields of one record that go to `extra`, under the vendor's keys.
#[derive(Default)]
pub(super) struct Extra<'a> {
    fields: BTreeMap<Cow<'a, str>, &'a str>,
}

impl<'a> Extra<'a> {
    /// Adds a field. If a key comes twice, the last one counts.
    pub(super) fn add(&mut self, sent: &Sent<'a>) {
        self.fields.insert(sent.key(), sent.value());
    }

    /// The fields as JSON, sorted by key; `None` if there are no fields.
    pub(super) fn json(&self) -> Option<String> {
        if self.fields.is_empty() {
            return None;
        }
        let raw = |value| serde_json::from_str::<&RawValue>(value).ok();
        let values = self.fields.iter().map(|(key, value)| Some((key, raw(value)?)));
        let json = serde_json::to_string(&values.collect::<Option<BTreeMap<_, _>>>()?).ok()?;
        Some(escape::readable(&json).into_owned())
    }
}
