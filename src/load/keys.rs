//! Where everything lies in the store. No key holds anything personal.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::transform::tables::Table;

/// What is true of the lake as a whole.
pub const LAKE: &str = "ledger/lake.json";
/// How far the vendor's list was read.
pub const ROSTER: &str = "ledger/roster.json";
/// The ledgers of events that are still visited.
pub const ACTIVE: &str = "ledger/active/";
/// All staged files.
pub const STAGING: &str = "staging/";

/// The object of one table and day.
#[must_use]
pub fn lake(table: Table, day: Date) -> String {
    format!("lake/{}/dt={day}/part-0.parquet", table.name())
}

/// The ledger of an event that is still visited.
#[must_use]
pub fn active(event_id: i64) -> String {
    format!("{ACTIVE}{event_id}.json")
}

/// The ledger of an event that is not visited any more.
#[must_use]
pub fn closed(event_id: i64) -> String {
    format!("ledger/closed/{event_id}.json")
}

/// A staged file. The run makes the name one that is never used twice; `part` tells apart the cells of one visit in
/// one table and day.
#[must_use]
pub fn staged(table: Table, day: Date, event_id: i64, pulled_at: Timestamp, run: &str, part: &str) -> String {
    let millis = pulled_at.as_millisecond();
    let part = if part.is_empty() || part == run { String::new() } else { format!("-{part}") };
    format!("{STAGING}{}/dt={day}/{event_id}-{millis}-{run}{part}.parquet", table.name())
}

/// Table and day of a staged file; none where the name is no such name.
#[must_use]
pub fn parse_staged(key: &str) -> Option<(Table, Date)> {
    let mut parts = key.strip_prefix(STAGING)?.split('/');
    let (table, day, file) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || !file.ends_with(".parquet") {
        return None;
    }
    Some((Table::named(table)?, day.strip_prefix("dt=")?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staged_key_says_its_table_and_day_and_nothing_else_is_taken_for_one() {
        let day = "2022-10-26".parse().unwrap();
        let key = staged(Table::Rejects, day, 7, Timestamp::UNIX_EPOCH, "r1", "snapshot");
        assert_eq!(key, "staging/rejects/dt=2022-10-26/7-0-r1-snapshot.parquet");
        assert_eq!(parse_staged(&key), Some((Table::Rejects, day)));
        for foreign in [
            "staging/lives/dt=2022-10-26/notes.txt",
            "staging/lives/7-0-r1.parquet",
            "staging/others/dt=2022-10-26/7-0-r1.parquet",
            "staging/lives/dt=2022-13-26/7-0-r1.parquet",
            "staging/lives/dt=2022-10-26/x/7-0-r1.parquet",
        ] {
            assert_eq!(parse_staged(foreign), None, "{foreign}");
        }
    }
}
