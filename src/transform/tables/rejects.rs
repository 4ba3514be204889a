//! `rejects`: one row per record that no table can hold, kept whole, so that nothing is lost; once for each answer that
//! had it.

use super::shared::{EVENT_ID, PULLED_AT};
use crate::transform::column::{Column, ColumnKind, Personal};

pub(super) const COLUMNS: &[Column] = &[
    EVENT_ID,
    Column::made("source_table", ColumnKind::Text, "The table that the record was sent for").required(),
    Column::made("source", ColumnKind::Text, "Which request brought it: windows or snapshot").required(),
    Column::made("path", ColumnKind::Text, "Where the record was in its answer, as a JSON path").required(),
    Column::made("reason", ColumnKind::Text, "Why it is not a row: not_an_object or no_time").required(),
    Column::made("record", ColumnKind::Text, "The record as sent, without what the privacy policy withholds")
        .required()
        .personal(Personal::Anything),
    PULLED_AT,
];
