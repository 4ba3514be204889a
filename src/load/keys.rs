//! Where everything lies in the store. No key holds anything personal.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::transform::tables::Table;

/// What is true of the lake as a whole.
pub const LAKE: &str = "ledger/lake.json";
/// How far the vendor's list was read.
pub const ROSTER: &str = "ledger/roster.json";
/// The list of people who are to be forgotten.
pub const SUPPRESSED: &str = "ledger/suppressed.json";
/// The ledgers of events that are still visited.
pub const ACTIVE: &str = "ledger/active/";
/// The ledgers of events that are not visited any more.
pub const CLOSED: &str = "ledger/closed/";
/// All tables.
pub const TABLES: &str = "lake/";
/// All staged files.
pub const STAGING: &str = "staging/";

/// All archived answers.
pub const ARCHIVE: &str = "archive/";

/// An archived answer of a visit that began on `day`: that of one window, of those that were asked for together.
#[must_use]
pub fn archived(
    day: Date,
    event_id: i64,
    pulled_at: Timestamp,
    run: &str,
    take: u32,
    window: usize,
) -> String {
    format!("{}{take}-{window}.json.zst", archived_by(day, event_id, pulled_at, run))
}

/// All archived answers of a visit that began on `day`.
#[must_use]
pub fn archived_by(day: Date, event_id: i64, pulled_at: Timestamp, run: &str) -> String {
    format!("{ARCHIVE}dt={day}/{event_id}-{}-{run}-", pulled_at.as_millisecond())
}

/// The day of an archived answer's visit, what those have in common that were asked for together, and which of them it is.
#[must_use]
pub fn parse_archived(key: &str) -> Option<(Date, &str, usize)> {
    let (day, _) = key.strip_prefix(ARCHIVE)?.strip_prefix("dt=")?.split_once('/')?;
    let (together, window) = key.strip_suffix(".json.zst")?.rsplit_once('-')?;
    parse_visit(key)?;
    Some((day.parse().ok()?, together, window.parse().ok()?))
}

/// The log of erasures.
pub const ERASURES: &str = "ledger/erasures/";

/// What became of an erasure.
#[must_use]
pub fn erasure(run: &str) -> String {
    format!("{ERASURES}{run}.json")
}

/// The list of a plan's events.
#[must_use]
pub fn plan(run: &str) -> String {
    format!("plans/{run}.json")
}

/// All that is written lies under one of these; the archive only where there is one.
pub const PREFIXES: [&str; 5] = [TABLES, STAGING, "ledger/", "plans/", ARCHIVE];

/// An object to try the store with, for a moment.
#[must_use]
pub fn trial(run: &str) -> String {
    format!("ledger/trial/{run}")
}

/// Whether everybody passes over a file for its name, as what file managers and editors leave behind is called. Of hidden Parquet,
/// some engines do not.
#[must_use]
pub fn is_hidden(key: &str) -> bool {
    let is_parquet = key.ends_with(".parquet");
    key.rsplit('/').next().is_some_and(|name| name.starts_with(['.', '_'])) && !is_parquet
}

/// All objects of a table.
#[must_use]
pub fn table(table: Table) -> String {
    format!("{TABLES}{}/", table.name())
}

/// All objects of one table and day: one.
#[must_use]
pub fn day(of: Table, day: Date) -> String {
    format!("{}dt={day}/", table(of))
}

/// The object of one table and day.
#[must_use]
pub fn lake(table: Table, day: Date) -> String {
    format!("{}part-0.parquet", self::day(table, day))
}

/// The day of a table's object; none where the name is no such name.
#[must_use]
pub fn parse_lake(of: Table, key: &str) -> Option<Date> {
    let day =
        key.strip_prefix(&table(of))?.strip_prefix("dt=")?.strip_suffix("/part-0.parquet")?.parse().ok()?;
    // A day can be written in several ways; only one of them is a key.
    (lake(of, day) == key).then_some(day)
}

/// The staged files of a table.
#[must_use]
pub fn staged_table(table: Table) -> String {
    format!("{STAGING}{}/", table.name())
}

/// All staged files of one table and day.
#[must_use]
pub fn staged_day(table: Table, day: Date) -> String {
    format!("{}dt={day}/", staged_table(table))
}

/// The ledger of an event that is still visited.
#[must_use]
pub fn active(event_id: i64) -> String {
    format!("{ACTIVE}{event_id}.json")
}

/// Whose ledger a key is of, if its event is still visited.
#[must_use]
pub fn parse_active(key: &str) -> Option<i64> {
    parse_ledger(key).filter(|event_id| key == active(*event_id))
}

/// Whose ledger a key is of; none where the name is no such name.
#[must_use]
pub fn parse_ledger(key: &str) -> Option<i64> {
    let name = key.strip_prefix(ACTIVE).or_else(|| key.strip_prefix(CLOSED))?;
    let event_id = name.strip_suffix(".json")?.parse().ok()?;
    // A number can be written in several ways; only one of them is a key.
    (key == active(event_id) || key == closed(event_id)).then_some(event_id)
}

/// The ledger of an event that is not visited any more.
#[must_use]
pub fn closed(event_id: i64) -> String {
    format!("{CLOSED}{event_id}.json")
}

/// A staged file. The run makes the name one that is never used twice; `part` tells apart the cells of one visit in
/// one table and day.
#[must_use]
pub fn staged(table: Table, day: Date, event_id: i64, pulled_at: Timestamp, run: &str, part: &str) -> String {
    let millis = pulled_at.as_millisecond();
    let part = if part.is_empty() || part == run { String::new() } else { format!("-{part}") };
    format!("{}{event_id}-{millis}-{run}{part}.parquet", staged_day(table, day))
}

/// The table of a folder with staged files; none where the name is no such name.
#[must_use]
pub fn parse_staged_table(folder: &str) -> Option<Table> {
    Table::named(folder.strip_prefix(STAGING)?.strip_suffix('/')?)
}

/// The day of a folder with staged files of a table; none where the name is no such name.
#[must_use]
pub fn parse_staged_day(table: Table, folder: &str) -> Option<Date> {
    let day = folder.strip_prefix(&staged_table(table))?.strip_prefix("dt=")?.strip_suffix('/')?;
    let day = day.parse().ok()?;
    (staged_day(table, day) == folder).then_some(day)
}

/// Table and day of a staged file; none where the name is no such name.
#[must_use]
pub fn parse_staged(key: &str) -> Option<(Table, Date)> {
    let mut parts = key.strip_prefix(STAGING)?.split('/');
    let (table, day, file) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || !file.ends_with(".parquet") {
        return None;
    }
    let (table, day) = (Table::named(table)?, day.strip_prefix("dt=")?.parse().ok()?);
    key.starts_with(&staged_day(table, day)).then_some((table, day))
}

/// Event and beginning of the visit of a staged file.
#[must_use]
pub fn parse_visit(key: &str) -> Option<(i64, Timestamp)> {
    let mut parts = key.rsplit('/').next()?.splitn(3, '-');
    let (event_id, millis) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some((event_id, Timestamp::from_millisecond(millis).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_of_the_lake_says_its_day_and_nothing_else_is_taken_for_one() {
        let day = "2022-10-26".parse().unwrap();
        assert_eq!(parse_lake(Table::Lives, &lake(Table::Lives, day)), Some(day));
        for foreign in [
            "lake/lives/dt=2022-10-26/part-1.parquet",
            "lake/lives/dt=20221026/part-0.parquet",
            "lake/lives/x.csv",
            &lake(Table::Pulls, day),
        ] {
            assert_eq!(parse_lake(Table::Lives, foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_staged_key_says_its_table_and_day_and_nothing_else_is_taken_for_one() {
        let day = "2022-10-26".parse().unwrap();
        let key = staged(Table::Rejects, day, 7, Timestamp::UNIX_EPOCH, "r1", "snapshot");
        assert_eq!(key, "staging/rejects/dt=2022-10-26/7-0-r1-snapshot.parquet");
        assert_eq!(parse_staged(&key), Some((Table::Rejects, day)));
        assert_eq!(parse_visit(&key), Some((7, Timestamp::UNIX_EPOCH)));
        let key = archived(day, 7, Timestamp::UNIX_EPOCH, "r1", 2, 0);
        assert_eq!(key, "archive/dt=2022-10-26/7-0-r1-2-0.json.zst");
        assert_eq!(parse_archived(&key), Some((day, "archive/dt=2022-10-26/7-0-r1-2", 0)));
        assert_eq!(parse_archived("archive/dt=2022-10-26/notes.txt"), None);
        for foreign in [
            "staging/lives/dt=2022-10-26/notes.txt",
            "staging/lives/7-0-r1.parquet",
            "staging/lives/dt=20221026/7-0-r1.parquet",
            "staging/others/dt=2022-10-26/7-0-r1.parquet",
            "staging/lives/dt=2022-13-26/7-0-r1.parquet",
            "staging/lives/dt=2022-10-26/x/7-0-r1.parquet",
        ] {
            assert_eq!(parse_staged(foreign), None, "{foreign}");
        }
    }
}
