//! The rows of one viewer of an event, found by any part of what identifies the viewer.

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{Error, Kind, Result};
use crate::transform::column::{Column, Personal};
use crate::transform::privacy::{Policy, Suppressed, Treatment};
use crate::transform::row::Row;
use crate::transform::tables::Table;

/// The tables that identify viewers.
pub(super) const TABLES: [Table; 4] =
    [Table::Lives, Table::Interactions, Table::ViewerDetails, Table::Rejects];

/// What is looked for: a text in lower case and, if it is a number, without what people write between digits.
pub(super) struct Sought {
    text: String,
    number: Option<String>,
    /// The text as a pseudonym, if there is a key.
    pseudonym: Suppressed,
}

/// A row in which the viewer was found.
#[derive(Debug, Serialize)]
pub struct Seen {
    /// The table.
    pub table: &'static str,
    /// The day.
    pub day: Date,
    /// The row.
    pub row: Map<String, Value>,
}

impl Sought {
    /// Checks what to look for. [`Kind::Usage`] if the text is empty, because it would be found in every row; or if the policy
    /// keeps nothing that identifies a viewer, because nobody would be found.
    pub(super) fn checked(text: &str, policy: &Policy) -> Result<Self> {
        let says_who = |column: &&Column| tells(column) && column.personal != Some(Personal::Anything);
        let mut columns = TABLES.iter().flat_map(|table| table.columns()).filter(says_who);
        if columns.all(|column| policy.treatment(column) == Treatment::Drop) {
            let message = format!("under the policy {}, no row identifies a viewer", policy.document());
            return Err(Error::new(Kind::Usage, message).hint("leave out `--viewer`"));
        }
        let mut pseudonym = Suppressed::of([], policy.key().cloned())?;
        pseudonym.add(text);
        let text = text.trim().to_lowercase();
        if text.is_empty() {
            return Err(
                Error::new(Kind::Usage, "`--viewer` is empty").hint("give a part of a name or of a number")
            );
        }
        let plain: String = text.chars().filter(|sign| !" -()".contains(*sign)).collect();
        let is_number = plain.trim_start_matches('+').bytes().all(|byte| byte.is_ascii_digit());
        Ok(Self { number: (is_number && !plain.is_empty()).then_some(plain), text, pseudonym })
    }

    /// The row, if one of its personal values contains what is looked for.
    pub(super) fn find(&self, table: Table, day: Date, row: &Row<'_>) -> Option<Seen> {
        let has = |column: &Column| {
            row.text(column.name).is_some_and(|value| {
                if self.pseudonym.has_text(&value, None) {
                    return true;
                }
                let value = value.to_lowercase();
                value.contains(&self.text)
                    || self.number.as_ref().is_some_and(|number| value.contains(number.as_str()))
            })
        };
        let is_found = table.columns().iter().filter(|column| tells(column)).any(has);
        is_found.then(|| Seen { table: table.name(), day, row: row.to_json(table) })
    }
}

/// Whether a column identifies the viewer.
fn tells(column: &Column) -> bool {
    column.personal.is_some_and(|personal| personal != Personal::Trait)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::DateTime;

    use super::*;
    use crate::transform::batch::BatchBuilder;
    use crate::transform::row::rows;

    #[test]
    fn a_viewer_is_found_by_part_of_a_name_or_number_but_not_of_a_company() {
        let mut batch = BatchBuilder::new(Table::Lives);
        batch.push_named(vec![
            ("event_id", 1_i64.into()),
            ("online_time", Timestamp::UNIX_EPOCH.into()),
            ("online_date", DateTime::ZERO.into()),
            ("pulled_at", Timestamp::UNIX_EPOCH.into()),
            ("name", "Zhang San 张三".into()),
            ("mobile", "13800001111".into()),
            ("person_key", "+8613800001111".into()),
            ("company", "Acme".into()),
        ]);
        let batch = batch.finish().unwrap();
        let row = rows(&batch).next().unwrap();
        for (text, is_found) in [
            ("zhang", true),
            ("张三", true),
            ("138 0000-1111", true),
            ("+86 138 0000 1111", true),
            ("138-1111", false),
            ("Acme", false),
            ("nobody", false),
        ] {
            let sought = Sought::checked(text, &Policy::default()).unwrap();
            let seen = sought.find(Table::Lives, "2022-10-26".parse().unwrap(), &row);
            assert_eq!(seen.is_some(), is_found, "{text}");
        }
    }
}
