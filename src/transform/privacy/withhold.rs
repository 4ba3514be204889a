//! Records as text, without what a policy withholds.

use std::borrow::Cow;

use super::policy::{Policy, Treatment};
use crate::transform::column::{Column, Kind};
use crate::transform::record::{Record, Sent};
use crate::transform::route::{Routes, Target};
use crate::transform::tables::Table;
use crate::transform::value::{self, Value};

/// What stands for a record of which nothing is kept.
const NOTHING: &str = "null";

/// What may be kept of the records of one table.
pub struct Withholding<'a> {
    policy: &'a Policy,
    table: Table,
    routes: Routes,
    country_code: Option<&'static str>,
}

impl<'a> Withholding<'a> {
    /// The fields of all records have their keys' numbers from the same `Records`.
    #[must_use]
    pub fn new(policy: &'a Policy, table: Table) -> Self {
        let columns = table.columns().iter();
        let country_code =
            columns.filter(|column| column.name == "country_code").find_map(|column| column.key);
        Self { policy, table, routes: Routes::of(table), country_code }
    }

    /// The record as JSON, with the vendor's keys: as it was sent where nothing is withheld.
    pub fn text<'r>(&mut self, record: Record<'r>) -> Cow<'r, str> {
        if self.policy.is_open() {
            return Cow::Borrowed(record.text());
        }
        if !record.is_object() {
            // It has no field that could be allowed by name.
            return Cow::Borrowed(if self.policy.keeps_field("") { record.text() } else { NOTHING });
        }
        let country = self.country_code.and_then(|key| record.get(key));
        let country = country.and_then(|raw| value::present(&raw));
        let mut text = String::from("{");
        for sent in record.fields() {
            let target = self.routes.target(&sent);
            if let Some(value) = self.value(target, &sent, country.as_deref()) {
                let separator = if text.len() > 1 { "," } else { "" };
                let key = serde_json::Value::from(sent.key());
                text.extend([separator, &key.to_string(), ":", &value]);
            }
        }
        text.push('}');
        Cow::Owned(text)
    }

    /// What is kept of a field, as JSON.
    fn value<'r>(&self, target: Target, sent: &Sent<'r>, country: Option<&str>) -> Option<Cow<'r, str>> {
        let column = |at: usize| self.table.columns().get(at);
        let as_sent = || Some(Cow::Borrowed(sent.value()));
        match target {
            Target::Column(at) => {
                let column = column(at)?;
                let treatment = self.policy.treatment(column);
                if treatment == Treatment::Keep {
                    let is_kept = fits(column, sent) || self.policy.keeps_field(&sent.key());
                    return if is_kept { as_sent() } else { None };
                }
                let Ok(Value::Text(text)) = value::read(column.kind, &sent.raw()) else { return None };
                let treated = self.policy.treated(treatment, column.personal, text, country)?;
                Some(Cow::Owned(serde_json::Value::from(treated).to_string()))
            }
            Target::Repeat(at) if self.policy.keeps_extra(column(at), &sent.key()) => as_sent(),
            Target::Unknown if self.policy.keeps_extra(None, &sent.key()) => as_sent(),
            Target::Repeat(_) | Target::Unknown => None,
        }
    }
}

/// Whether the value is one that its column holds, or compares.
fn fits(column: &Column, sent: &Sent<'_>) -> bool {
    let raw = sent.raw();
    match column.kind {
        Kind::WallClock { .. } => {
            raw.is_absent() || value::present(&raw).is_some_and(|text| value::vendor_clock(&text).is_some())
        }
        kind => value::read(kind, &raw).is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Document, Key};
    use super::*;
    use crate::transform::record::Records;

    fn text(document: &str, table: Table, record: &str) -> String {
        let key = Key::checked(&"k".repeat(32).into()).unwrap();
        let policy = Policy::checked(Document::parse(document.as_bytes()).unwrap(), Some(key)).unwrap();
        let mut records = Records::default();
        let record = records.first(record.as_bytes()).unwrap().unwrap();
        Withholding::new(&policy, table).text(record).into_owned()
    }

    #[test]
    fn a_record_keeps_what_its_columns_may() {
        let record = r#"{"name": "张三", "ip": "192.168.40.44", "chat_num": "many", "newField": {"a": 1}, "live_type": 0,
            "online_time": 12, "online_date": "13900000000", "clientType": "x", "company": "\u0041"}"#;
        for (document, kept) in [
            (r#"{"base": "open"}"#, record),
            (
                r#"{"base": "pseudonymous"}"#,
                r#"{"ip":"192.168.40.0","live_type":0,"online_time":12,"company":"\u0041"}"#,
            ),
            (
                r#"{"base": "pseudonymous", "columns": {"name": "mask", "company": "drop"}, "fields": ["newField", "chat_num"]}"#,
                r#"{"name":"张***","ip":"192.168.40.0","chat_num":"many","newField":{"a": 1},"live_type":0,"online_time":12}"#,
            ),
            (r#"{"base": "anonymous"}"#, r#"{"live_type":0,"online_time":12}"#),
        ] {
            assert_eq!(text(document, Table::Lives, record), kept, "{document}");
        }
    }

    #[test]
    fn of_what_is_no_object_nothing_is_kept() {
        assert_eq!(text(r#"{"base": "anonymous"}"#, Table::Lives, r#""13900000000""#), "null");
        assert_eq!(text(r#"{"base": "open"}"#, Table::Lives, r#""13900000000""#), r#""13900000000""#);
    }
}
