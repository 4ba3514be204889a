//! Records as text, without what a policy withholds.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::policy::Policy;
use super::treatment::Treatment;
use crate::json::record::{Record, Sent};
use crate::transform::column::{Column, ColumnKind};
use crate::transform::person::{IDENTIFIERS, Identifiers};
use crate::transform::reading;
use crate::transform::route::{PERSON_KEY, Routes, Target};
use crate::transform::tables::Table;
use crate::transform::value::Value;
use crate::transform::vendor_clock;

/// Stands for a record of which nothing is kept.
const NOTHING: &str = "null";

/// Reduces the records of one table to what may be kept of them.
pub struct Redactor<'a> {
    policy: &'a Policy,
    table: Table,
    routes: Routes,
    /// The vendor's keys for what identifies a person.
    person: Identifiers<Option<&'static str>>,
    /// Whether the `person_key` is added to records, unless the policy withholds it.
    names_person: bool,
}

impl<'a> Redactor<'a> {
    /// A redactor for records that all come from the same `Records`, which numbers their keys.
    #[must_use]
    pub fn new(policy: &'a Policy, table: Table) -> Self {
        let key = |name: &str| table.columns().get(table.index_of(name)?)?.key;
        let person = IDENTIFIERS.map(key);
        Self { policy, table, routes: Routes::of(table), person, names_person: false }
    }

    /// Like [`Self::new`], for records in the archive: each gets its `person_key`, because rows will be made from it again, and
    /// the fields that the key is made from may be withheld.
    #[must_use]
    pub fn for_archive(policy: &'a Policy, table: Table) -> Self {
        Self { names_person: true, ..Self::new(policy, table) }
    }

    /// The record as JSON, with the vendor's keys; exactly as it was sent if the policy withholds nothing.
    pub fn text<'r>(&mut self, record: Record<'r>) -> Cow<'r, str> {
        if self.policy.is_open() {
            return Cow::Borrowed(record.text());
        }
        if !record.is_object() {
            // It has no field that could be allowed by name.
            return Cow::Borrowed(if self.policy.keeps_field("") { record.text() } else { NOTHING });
        }
        let texts = self.person.map(|key| reading::present(record.get(key?)?));
        let country = texts.country_code.as_deref();
        let mut text = String::from("{");
        let mut add = |key: &str, value: &str| {
            let separator = if text.len() > 1 { "," } else { "" };
            text.extend([separator, &serde_json::Value::from(key).to_string(), ":", value]);
        };
        let mut kept = BTreeSet::new();
        for sent in record.fields() {
            let (target, key) = (self.routes.target(&sent), sent.key());
            // This is not a field of the vendor's.
            if key == PERSON_KEY && !self.names_person {
                continue;
            }
            match (self.value(target, &sent, country), target) {
                (Some(value), Target::Column(at)) => {
                    kept.insert(at);
                    add(&key, &value);
                }
                (Some(value), _) => add(&key, &value),
                // If a key is sent twice, its last value counts, even if nothing of it is kept.
                (None, Target::Column(at)) if kept.contains(&at) => add(&key, "null"),
                (None, _) => {}
            }
        }
        if self.names_person && record.get(PERSON_KEY).and_then(reading::present).is_none() {
            let key = texts.key().and_then(|key| self.person_key(key));
            if let Some(key) = key {
                add(PERSON_KEY, &serde_json::Value::from(key).to_string());
            }
        }
        text.push('}');
        Cow::Owned(text)
    }

    fn person_key(&self, key: String) -> Option<Cow<'static, str>> {
        let column = self.table.columns().get(self.table.index_of("person_key")?)?;
        self.policy.treated(self.policy.treatment(column), column.personal, key.into(), None)
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
                let Ok(Value::Text(text)) = reading::read(column.kind, sent.raw()) else { return None };
                let treated = self.policy.treated(treatment, column.personal, text, country)?;
                Some(Cow::Owned(serde_json::Value::from(treated).to_string()))
            }
            Target::Repeat(at) if self.policy.keeps_extra(column(at), &sent.key()) => as_sent(),
            Target::Unknown if self.policy.keeps_extra(None, &sent.key()) => as_sent(),
            Target::Repeat(_) | Target::Unknown => None,
        }
    }
}

/// Whether the value is one that its column can hold or, for a wall clock, compare.
pub(super) fn fits(column: &Column, sent: &Sent<'_>) -> bool {
    let raw = sent.raw();
    match column.kind {
        ColumnKind::WallClock { .. } => {
            raw.is_absent() || reading::present(raw).is_some_and(|text| vendor_clock::read(&text).is_some())
        }
        kind => reading::read(kind, raw).is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::super::{Key, PolicyDocument, Privacy};
    use super::*;
    use crate::calendar::Zone;
    use crate::json::record::Records;
    use crate::transform::decode::{DecodeContext, Decoder};
    use crate::transform::decoded::Decoded;

    fn policy(document: &str) -> Policy {
        let key = Key::checked(&"k".repeat(32).into()).unwrap();
        Policy::checked(PolicyDocument::parse(document.as_bytes()).unwrap(), Some(key)).unwrap()
    }

    fn text(document: &str, table: Table, record: &str) -> String {
        let policy = policy(document);
        let mut records = Records::default();
        let record = records.whole(record).unwrap();
        Redactor::new(&policy, table).text(record).into_owned()
    }

    #[test]
    fn a_record_keeps_only_what_the_policy_lets_its_columns_keep() {
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
    fn an_archived_record_makes_the_same_row_or_reject_as_the_record_that_was_sent() {
        let documents = [
            r#"{"base": "pseudonymous"}"#,
            r#"{"base": "anonymous"}"#,
            r#"{"base": "open", "columns": {"name": "hmac", "mobile": "mask", "email": "hmac"}}"#,
        ];
        let records = [
            r#"{"online_time": 1, "mobile": "19000101106", "email": "li@example.com", "extId": "c-7", "name": "张三"}"#,
            r#"{"mobile": "19000101106", "name": "no time"}"#,
            r#"{"online_time": 1, "email": "无"}"#,
            r#"{"online_time": 1, "email": "li@example.com"}"#,
            r#"{"online_time": 1, "mobile": "19000101107", "mobile": "-"}"#,
            r#"{"online_time": 1, "mobile": "-", "mobile": "19000101107"}"#,
            r#"{"online_time": 1, "chat_num": 3, "chat_num": "many"}"#,
            r#"{"online_time": 1, "mobile": "190****1106", "ip": "192.168.40.44"}"#,
        ];
        for (document, sent) in documents.into_iter().flat_map(|of| records.map(|sent| (of, sent))) {
            let policy = Arc::new(policy(document));
            let mut read = Records::default();
            let mut archive = Redactor::for_archive(&policy, Table::Lives);
            let archived = archive.text(read.whole(sent).unwrap()).into_owned();
            let [now, then] = [sent, &archived].map(|text| {
                let privacy = Privacy { policy: Arc::clone(&policy), ..Privacy::default() };
                let (pulled_at, zone) = (Timestamp::UNIX_EPOCH, Zone::parse("UTC").unwrap());
                let context = DecodeContext { event_id: 7, pulled_at, zone, privacy };
                let (mut rows, mut read) = (Decoder::new(Table::Lives, context), Records::default());
                let record = read.whole(text).unwrap();
                let became = rows.push(record);
                let rejected = Redactor::new(&policy, Table::Lives).text(record).into_owned();
                let rejected = (became != Decoded::Row).then_some(rejected);
                (became, rejected, rows.batch().unwrap())
            });
            assert_eq!(now, then, "{document} {sent} {archived}");
        }
    }

    #[test]
    fn a_record_that_is_not_an_object_is_kept_only_under_an_open_policy() {
        assert_eq!(text(r#"{"base": "anonymous"}"#, Table::Lives, r#""13900000000""#), "null");
        assert_eq!(text(r#"{"base": "open"}"#, Table::Lives, r#""13900000000""#), r#""13900000000""#);
    }
}
