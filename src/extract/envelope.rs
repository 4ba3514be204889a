//! What surrounds the records of an answer: whether it is a success, and which arrays it has.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::reply::{Reply, SUCCESS};
use crate::error::{Error, Kind, Result};
use crate::json::raw::Raw;
use crate::transform::reading::present;
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

/// An array with a multiple of this many records may have been cut off by a limit of the vendor's: its documentation names no
/// limit, and the usual ones are multiples of this.
const ROUND: u64 = 50;

impl Envelope {
    /// Whether the answer has the array of a table.
    #[must_use]
    pub fn has_array(&self, table: Table) -> bool {
        self.arrays.iter().any(|(key, count)| count.is_some() && Table::of_array(key) == Some(table))
    }

    /// Whether the array of one of these tables has a round number of records, so that the vendor may have more.
    #[must_use]
    pub fn may_be_cut_off(&self, tables: &[Table]) -> bool {
        let arrays = self
            .arrays
            .iter()
            .filter(|(key, _)| Table::of_array(key).is_some_and(|table| tables.contains(&table)));
        let mut counts = arrays.filter_map(|(_, count)| *count);
        counts.any(|count| count > 0 && count.is_multiple_of(ROUND))
    }

    /// Reads an answer whose records have been taken out. `arrays` says how many each array had.
    pub(super) fn read(bytes: &[u8], mut arrays: BTreeMap<String, Option<u64>>) -> Result<Self> {
        let ends_early = || Error::new(Kind::Broken, "the answer ends early");
        let json = str::from_utf8(bytes).map_err(|error| match error.error_len() {
            Some(_) => Error::new(Kind::BadAnswer, "the answer is not UTF-8"),
            None => ends_early(),
        })?;
        let reply = Reply::parse(json).map_err(|error| {
            if error.is_eof() { ends_early() } else { Error::new(Kind::BadAnswer, "the answer is not JSON") }
        })?;
        let (request_id, code, message) = (reply.request_id(), reply.code(), reply.message());
        // Next to the code of a failure, anything may stand.
        if code != Some(SUCCESS) {
            return Ok(Self { request_id, code, event_id: None, message, arrays });
        }
        let data = members(&reply, "data", Some(&*reply.data))?;
        for (key, value) in members(&reply, "report", data.get("report").copied())? {
            if Table::of_array(&key).is_some() && !value.get().starts_with('[') && !raw(value).is_absent() {
                return Err(other_shape(&reply, &key));
            }
            arrays.entry(key).or_insert(None);
        }
        let event_id = data.get("eventId").and_then(|event_id| present(raw(event_id))?.parse().ok());
        Ok(Self { request_id, code, event_id, message, arrays })
    }
}

/// The fields of an object; none if there is no value.
fn members<'a>(
    reply: &Reply,
    name: &str,
    value: Option<&'a RawValue>,
) -> Result<BTreeMap<String, &'a RawValue>> {
    match value.filter(|value| !raw(value).is_absent()) {
        Some(value) => serde_json::from_str(value.get()).map_err(|_| other_shape(reply, name)),
        None => Ok(BTreeMap::new()),
    }
}

fn raw(value: &RawValue) -> Raw<'_> {
    Raw::read(value.get(), value.get().contains('\\'))
}

fn other_shape(reply: &Reply, name: &str) -> Error {
    reply.error(Kind::BadAnswer, format!("`{name}` is not what the vendor's documentation describes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_number_of_records_in_an_array_that_becomes_rows_means_it_may_be_cut_off() {
        for (array, records, may_be_cut_off) in [
            ("lives", Some(50), true),
            ("lives", Some(1000), true),
            ("lives", Some(51), false),
            ("lives", Some(0), false),
            ("lives", None, false),
            ("viewerDetails", Some(50), false),
            ("polls", Some(50), false),
        ] {
            let arrays = [(array.to_owned(), records)].into();
            let envelope = Envelope { arrays, ..Envelope::default() };
            let found = envelope.may_be_cut_off(&[Table::Lives, Table::Interactions]);
            assert_eq!(found, may_be_cut_off, "{array} {records:?}");
        }
    }
}
