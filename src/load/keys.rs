//! The keys of everything in the store. No key has personal data in it.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::transform::tables::Table;

/// The settings of the lake as a whole.
pub const SETTINGS: &str = "ledger/lake.json";
/// How far the vendor's lists of events were read.
pub const ROSTER: &str = "ledger/roster.json";
/// The list of people to be forgotten.
pub const SUPPRESSED: &str = "ledger/suppressed.json";
/// The ledgers of events that are still visited.
pub const ACTIVE: &str = "ledger/active/";
/// The ledgers of events that are no longer visited.
pub const CLOSED: &str = "ledger/closed/";
/// All tables.
pub const TABLES: &str = "lake/";
/// All staged files.
pub const STAGING: &str = "staging/";
/// All archived answers.
pub const ARCHIVE: &str = "archive/";
/// The log of erasures.
pub const ERASURES: &str = "ledger/erasures/";
/// The lists of the events of plans.
const PLANS: &str = "plans/";
/// The prefixes under which everything lies that is written; the archive exists only if answers are archived.
pub const PREFIXES: [&str; 5] = [TABLES, STAGING, "ledger/", PLANS, ARCHIVE];

/// An archived answer of a visit that began on `day`. `attempt` numbers the visit's attempts at all answers of a day or snapshot,
/// `window` the answers of one attempt.
#[must_use]
pub fn archived(
    day: Date,
    event_id: i64,
    pulled_at: Timestamp,
    run: &str,
    attempt: u32,
    window: usize,
) -> String {
    format!("{}{attempt}-{window}.json.zst", archived_by(day, event_id, pulled_at, run))
}

/// The prefix of all archived answers of a visit that began on `day`.
#[must_use]
pub fn archived_by(day: Date, event_id: i64, pulled_at: Timestamp, run: &str) -> String {
    format!("{ARCHIVE}dt={day}/{event_id}-{}-{run}-", pulled_at.as_millisecond())
}

/// Parses the key of an archived answer: the day on which the visit began, what the keys of one attempt have in common, and the
/// number of the answer in its attempt. `None` if it is not such a key.
#[must_use]
pub fn parse_archived(key: &str) -> Option<(Date, &str, usize)> {
    let (day, _) = key.strip_prefix(ARCHIVE)?.strip_prefix("dt=")?.split_once('/')?;
    let (together, window) = key.strip_suffix(".json.zst")?.rsplit_once('-')?;
    parse_visit(key)?;
    Some((day.parse().ok()?, together, window.parse().ok()?))
}

/// The log's document of one erasure.
#[must_use]
pub fn erasure(run: &str) -> String {
    format!("{ERASURES}{run}.json")
}

/// The list of a plan's events.
#[must_use]
pub fn plan(run: &str) -> String {
    format!("{PLANS}{run}.json")
}

/// An object that exists for a moment, to test the store.
#[must_use]
pub fn trial(name: &str) -> String {
    format!("ledger/trial/{name}")
}

/// Whether this program and all engines ignore a file because of its name, like those that file managers and editors leave
/// behind. Never true of Parquet files: some engines read hidden ones.
#[must_use]
pub fn is_hidden(key: &str) -> bool {
    let is_parquet = key.ends_with(".parquet");
    key.rsplit('/').next().is_some_and(|name| name.starts_with(['.', '_'])) && !is_parquet
}

/// The prefix of all objects of a table.
#[must_use]
pub fn table(table: Table) -> String {
    format!("{TABLES}{}/", table.name())
}

/// The prefix of the only object of one table and day.
#[must_use]
pub fn day(of: Table, day: Date) -> String {
    format!("{}dt={day}/", table(of))
}

/// The object of one table and day.
#[must_use]
pub fn object(table: Table, day: Date) -> String {
    format!("{}part-0.parquet", self::day(table, day))
}

/// The day of a table's object; `None` if it is not such a key.
#[must_use]
pub fn parse_object(of: Table, key: &str) -> Option<Date> {
    let day =
        key.strip_prefix(&table(of))?.strip_prefix("dt=")?.strip_suffix("/part-0.parquet")?.parse().ok()?;
    // A day can be written in several ways; only one of them is a key.
    (object(of, day) == key).then_some(day)
}

/// The prefix of all staged files of a table.
#[must_use]
pub fn staged_table(table: Table) -> String {
    format!("{STAGING}{}/", table.name())
}

/// The prefix of all staged files of one table and day.
#[must_use]
pub fn staged_day(table: Table, day: Date) -> String {
    format!("{}dt={day}/", staged_table(table))
}

/// The ledger of an event that is still visited.
#[must_use]
pub fn active(event_id: i64) -> String {
    format!("{ACTIVE}{event_id}.json")
}

/// The event whose ledger has this key; `None` if the event is no longer visited, or if it is not such a key.
#[must_use]
pub fn parse_active(key: &str) -> Option<i64> {
    parse_ledger(key).filter(|event_id| key == active(*event_id))
}

/// The event whose ledger has this key, still visited or not; `None` if it is not such a key.
#[must_use]
pub fn parse_ledger(key: &str) -> Option<i64> {
    let name = key.strip_prefix(ACTIVE).or_else(|| key.strip_prefix(CLOSED))?;
    let event_id = name.strip_suffix(".json")?.parse().ok()?;
    // A number can be written in several ways; only one of them is a key.
    (key == active(event_id) || key == closed(event_id)).then_some(event_id)
}

/// The ledger of an event that is no longer visited.
#[must_use]
pub fn closed(event_id: i64) -> String {
    format!("{CLOSED}{event_id}.json")
}

/// A staged file. `name` begins with the run, so that no key is ever used twice.
#[must_use]
pub fn staged(table: Table, day: Date, event_id: i64, pulled_at: Timestamp, name: &str) -> String {
    format!("{}{event_id}-{}-{name}.parquet", staged_day(table, day), pulled_at.as_millisecond())
}

/// The table of a folder with staged files; `None` if it is not such a folder.
#[must_use]
pub fn parse_staged_table(folder: &str) -> Option<Table> {
    Table::named(folder.strip_prefix(STAGING)?.strip_suffix('/')?)
}

/// The day of a folder with staged files of a table; `None` if it is not such a folder.
#[must_use]
pub fn parse_staged_day(table: Table, folder: &str) -> Option<Date> {
    let day = folder.strip_prefix(&staged_table(table))?.strip_prefix("dt=")?.strip_suffix('/')?;
    let day = day.parse().ok()?;
    (staged_day(table, day) == folder).then_some(day)
}

/// The table and day of a staged file; `None` if it is not such a key.
#[must_use]
pub fn parse_staged(key: &str) -> Option<(Table, Date)> {
    let mut parts = key.strip_prefix(STAGING)?.split('/');
    let (table, day, file) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || !file.ends_with(".parquet") {
        return None;
    }
    let (table, day) = (Table::named(table)?, day.strip_prefix("dt=")?.parse().ok()?);
    parse_visit(key)?;
    key.starts_with(&staged_day(table, day)).then_some((table, day))
}

/// The event of a staged file or an archived answer, and when its visit began; `None` if it is not such a key.
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
    fn the_key_of_a_lake_object_gives_its_day_and_foreign_keys_are_not_taken_for_one() {
        let day = "2022-10-26".parse().unwrap();
        assert_eq!(parse_object(Table::Lives, &object(Table::Lives, day)), Some(day));
        for foreign in [
            "lake/lives/dt=2022-10-26/part-1.parquet",
            "lake/lives/dt=20221026/part-0.parquet",
            "lake/lives/x.csv",
            &object(Table::Pulls, day),
        ] {
            assert_eq!(parse_object(Table::Lives, foreign), None, "{foreign}");
        }
    }

    #[test]
    fn the_key_of_a_staged_file_gives_its_table_and_day_and_foreign_keys_are_not_taken_for_one() {
        let day = "2022-10-26".parse().unwrap();
        let key = staged(Table::Rejects, day, 7, Timestamp::UNIX_EPOCH, "r1-snapshot");
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
