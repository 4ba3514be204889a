//! The policy: which treatment each column's values get, and which fields without a column are kept.

use std::borrow::Cow;

use super::document::{PolicyDocument, Preset};
use super::mask;
use super::pseudonym::Key;
use super::treatment::Treatment;
use crate::error::{Error, Kind, Result};
use crate::transform::column::{Column, ColumnKind, Personal};
use crate::transform::tables::{Table, UNTREATABLE};

/// A policy that has been checked, with the key that it needs.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    document: PolicyDocument,
    key: Option<Key>,
    /// Whether fields without a column are withheld unless they are allowed by name.
    withholds_unknown: bool,
}

impl Policy {
    /// Checks that the columns exist and can be treated this way, and that there is a key if one is needed; [`Kind::Usage`]
    /// if not.
    pub fn checked(mut document: PolicyDocument, key: Option<Key>) -> Result<Self> {
        for (name, treatment) in &document.columns {
            check(name, *treatment)?;
        }
        let base = document.base;
        document
            .columns
            .retain(|name, treatment| all_named(name).any(|column| base.treatment(column) != *treatment));
        document.key = None;
        let mut policy = Self { document, key, withholds_unknown: base != Preset::Open };
        let columns = || Table::ALL.into_iter().flat_map(Table::columns);
        let of_anything = columns().filter(|column| column.personal == Some(Personal::Anything));
        policy.withholds_unknown |=
            of_anything.into_iter().any(|column| policy.treatment(column) == Treatment::Drop);
        if !columns().any(|column| policy.treatment(column) == Treatment::Hmac) {
            return Ok(policy);
        }
        let Some(key) = &policy.key else {
            let message = "the privacy policy makes pseudonyms, but there is no key for them";
            return Err(Error::new(Kind::Usage, message).hint(
                "set `ROLLCALL_HMAC_KEY`, for example to the output of `openssl rand -hex 32`, or give `--hmac-secret-arn`",
            ));
        };
        policy.document.key = Some(key.id().to_owned());
        Ok(policy)
    }

    /// The policy in the form in which it is written to files.
    #[must_use]
    pub fn document(&self) -> &PolicyDocument {
        &self.document
    }

    /// The key for pseudonyms, if there is one.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    /// Whether nothing is withheld.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.document.base == Preset::Open && self.document.columns.is_empty()
    }

    /// How the values of a column are treated.
    #[must_use]
    pub fn treatment(&self, column: &Column) -> Treatment {
        let said = self.document.columns.get(column.name).copied();
        said.filter(|_| column.nullable).unwrap_or_else(|| self.document.base.treatment(column))
    }

    /// Whether a field is kept although it has no column, or its value does not fit its column.
    #[must_use]
    pub fn keeps_field(&self, key: &str) -> bool {
        !self.withholds_unknown || self.document.fields.contains(key)
    }

    /// Whether an array that belongs to no table is kept. Its records may hold what is withheld elsewhere, so it is kept only if
    /// nothing is withheld, or if it is allowed by name.
    #[must_use]
    pub fn keeps_array(&self, array: &str) -> bool {
        self.is_open() || self.document.fields.contains(array)
    }

    /// Whether a field that has no column, or whose value its column cannot hold, goes to `extra`: like [`Self::keeps_field`],
    /// but not if the column is treated.
    #[must_use]
    pub(in crate::transform) fn keeps_extra(&self, column: Option<&Column>, key: &str) -> bool {
        self.keeps_field(key) && column.is_none_or(|column| self.treatment(column) == Treatment::Keep)
    }

    /// What is kept of a text under this treatment; `country` is the country code for a telephone number without one.
    #[must_use]
    pub(in crate::transform) fn treated<'a>(
        &self,
        treatment: Treatment,
        personal: Option<Personal>,
        text: Cow<'a, str>,
        country: Option<&str>,
    ) -> Option<Cow<'a, str>> {
        match treatment {
            Treatment::Keep => Some(text),
            Treatment::Drop => None,
            Treatment::Mask => Some(Cow::Owned(mask::mask(&text))),
            Treatment::Hmac => self.key.as_ref()?.pseudonym(personal, &text, country).map(Cow::Owned),
        }
    }
}

/// The columns with this name, in all tables.
fn all_named(name: &str) -> impl Iterator<Item = &'static Column> {
    Table::ALL.into_iter().flat_map(Table::columns).filter(move |column| column.name == name)
}

/// Checks that a column can be treated this way in every table that has it.
fn check(name: &str, treatment: Treatment) -> Result<()> {
    let refused = |why: &str| {
        let message = format!("the privacy policy cannot {} the column `{name}`: {why}", treatment.name());
        Err(Error::new(Kind::Usage, message).hint("`rollcall schema markdown` lists the columns"))
    };
    let mut columns = all_named(name).peekable();
    if columns.peek().is_none() {
        return refused("there is no such column");
    }
    for column in columns {
        if treatment != Treatment::Keep && !column.nullable {
            return refused("every row needs a value there");
        }
        let is_text = matches!(column.kind, ColumnKind::Text | ColumnKind::Identifier);
        if treatment != Treatment::Keep && UNTREATABLE.contains(&name) {
            return refused("it says who is a host, or what a number means").map_err(|error: Error| {
                error.hint("if the lake has such a policy already, change it with `upgrade --change-privacy`")
            });
        }
        // The program itself computes with counters, times and codes.
        if treatment != Treatment::Keep && column.personal.is_none() && !(is_text && column.key.is_some()) {
            return refused("it holds no personal data");
        }
        if matches!(treatment, Treatment::Mask | Treatment::Hmac) && !is_text {
            return refused("it is not text");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::checked(&"k".repeat(32).into()).unwrap()
    }

    fn policy(document: &str) -> Result<Policy> {
        Policy::checked(serde_json::from_str(document).unwrap(), Some(key()))
    }

    #[test]
    fn a_preset_treats_every_column_that_points_to_a_person() {
        for (preset, treatments) in [
            ("open", ["keep", "keep", "keep", "keep", "keep", "keep"]),
            ("pseudonymous", ["hmac", "hmac", "drop", "mask", "keep", "keep"]),
            ("anonymous", ["drop", "drop", "drop", "drop", "drop", "keep"]),
        ] {
            let policy = policy(&format!(r#"{{"base": "{preset}"}}"#)).unwrap();
            let of = |name: &str| policy.treatment(all_named(name).next().unwrap()).name();
            let found = ["mobile", "person_key", "name", "ip", "company", "location"].map(of);
            assert_eq!(found, treatments, "{preset}");
            assert_eq!(policy.keeps_field("newField"), preset == "open");
            assert_eq!(policy.document().key.is_some(), preset == "pseudonymous");
        }
    }

    #[test]
    fn columns_treated_as_in_the_preset_are_left_out_of_a_policy_and_named_fields_are_kept() {
        let policy = policy(
            r#"{"base": "pseudonymous", "columns": {"name": "mask", "ip": "mask"}, "fields": ["newField"]}"#,
        )
        .unwrap();
        assert_eq!(policy.document().columns.keys().collect::<Vec<_>>(), ["name"]);
        assert!(policy.keeps_field("newField") && !policy.keeps_field("otherField"));
    }

    #[test]
    fn the_sample_policy_is_valid_and_the_same_as_in_the_docs() {
        let sample = PolicyDocument::parse(include_bytes!("../../../samples/privacy.json")).unwrap();
        let docs = include_str!("../../../docs/privacy.md");
        let shown = docs.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
        assert_eq!(PolicyDocument::parse(shown.as_bytes()).unwrap(), sample);
        Policy::checked(sample, Some(key())).unwrap();
    }

    #[test]
    fn a_policy_that_cannot_be_carried_out_is_refused_with_the_reason() {
        for (columns, why) in [
            (r#"{"nmae": "drop"}"#, "there is no such column"),
            (r#"{"event_id": "drop"}"#, "every row needs"),
            (r#"{"record": "mask"}"#, "every row needs"),
            (r#"{"chat_num": "hmac"}"#, "it holds no personal data"),
            (r#"{"times": "drop"}"#, "it holds no personal data"),
            (r#"{"live_type": "drop"}"#, "it holds no personal data"),
            (r#"{"error": "drop"}"#, "it holds no personal data"),
            (r#"{"extra": "hmac"}"#, "it is not text"),
            (r#"{"iden": "drop"}"#, "who is a host"),
            (r#"{"country_code": "mask"}"#, "what a number means"),
        ] {
            let error = policy(&format!(r#"{{"base": "open", "columns": {columns}}}"#)).unwrap_err();
            assert!(error.kind() == Kind::Usage && error.to_string().contains(why), "{error}");
        }
        let document = PolicyDocument { base: Preset::Pseudonymous, ..PolicyDocument::default() };
        assert_eq!(Policy::checked(document, None).unwrap_err().kind(), Kind::Usage);
    }
}
