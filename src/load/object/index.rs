//! The index: the list of an object's cells in its footer. If it is lost, it is rebuilt from the rows.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampMillisecondType};
use jiff::Timestamp;
use jiff::civil::Date;
use parquet::file::metadata::KeyValue;

use crate::error::{Error, Explain, Kind, Result};
use crate::load::cell::Cell;
use crate::load::{FORMAT, check_format};
use crate::transform::privacy::{PolicyDocument, PrivacyVersion};
use crate::transform::tables::Table;
use crate::transform::totals::Totals;

/// Name and version of the program, as written into objects.
pub const PROGRAM: &str = concat!("rollcall ", env!("CARGO_PKG_VERSION"));

const KEY_PROGRAM: &str = "rollcall.program";
const KEY_FORMAT: &str = "rollcall.format";
const KEY_TABLE: &str = "rollcall.table";
const KEY_DAY: &str = "rollcall.day";
const KEY_CELLS: &str = "rollcall.cells";
const KEY_PRIVACY: &str = "rollcall.privacy";
const KEY_SUPPRESSED: &str = "rollcall.suppressed";
const KEY_SUPPRESSED_HASH: &str = "rollcall.suppressed_hash";

/// What the footer of an object states.
#[derive(Debug, PartialEq, Eq)]
pub struct Index {
    /// The format; 0 if the footer does not name one.
    pub format: u32,
    /// Every cell, in the order of the rows; `None` if the list is lost or damaged.
    pub cells: Option<Vec<Cell>>,
    /// What was kept of people; `None` if that cannot be read.
    pub privacy_version: Option<PrivacyVersion>,
}

/// Returns the entries of the footer: program, format, table, day, every cell in the order of the rows, and what was kept of
/// people, unless that is everything.
pub fn write(table: Table, day: Date, cells: &[&Cell], version: &PrivacyVersion) -> Result<Vec<KeyValue>> {
    let json =
        |json: serde_json::Result<String>| json.explain(Kind::Damaged, || "cannot write an index".to_owned());
    let mut entries = Vec::from([
        (KEY_PROGRAM, PROGRAM.to_owned()),
        (KEY_FORMAT, FORMAT.to_string()),
        (KEY_TABLE, table.name().to_owned()),
        (KEY_DAY, day.to_string()),
        (KEY_CELLS, json(serde_json::to_string(cells))?),
    ]);
    if version.policy != PolicyDocument::default() {
        entries.push((KEY_PRIVACY, json(serde_json::to_string(&version.policy))?));
    }
    if version.suppressed > 0 {
        entries.push((KEY_SUPPRESSED, version.suppressed.to_string()));
        entries.push((KEY_SUPPRESSED_HASH, version.suppressed_hash.to_string()));
    }
    Ok(entries.into_iter().map(|(key, value)| KeyValue::new(key.to_owned(), value)).collect())
}

/// Reads the footer of an object of `table` and `day` that has `rows` rows. Returns [`Kind::Newer`] if a newer program wrote
/// it, and [`Kind::Damaged`] if it names another table or day.
pub fn read(table: Table, day: Date, footer: Option<&Vec<KeyValue>>, rows: u64) -> Result<Index> {
    let value = |key: &str| {
        let entry = footer.and_then(|entries| entries.iter().find(|entry| entry.key == key));
        entry.and_then(|entry| entry.value.as_deref())
    };
    let format = value(KEY_FORMAT).and_then(|format| format.parse().ok()).unwrap_or(0);
    check_format(format, "the object")?;
    let table_of = value(KEY_TABLE).unwrap_or(table.name());
    let day_of = value(KEY_DAY).map_or_else(|| day.to_string(), str::to_owned);
    if table_of != table.name() || day_of != day.to_string() {
        let message = format!("the object belongs to the table `{table_of}` and the day `{day_of}`");
        return Err(Error::new(Kind::Damaged, message).hint("move it back: it was moved by hand"));
    }
    let cells: Option<Vec<Cell>> = value(KEY_CELLS).and_then(|cells| serde_json::from_str(cells).ok());
    let policy = value(KEY_PRIVACY)
        .map_or(Some(PolicyDocument::default()), |policy| serde_json::from_str(policy).ok());
    let number = |key: &str| value(key).map_or(Some(0), |number| number.parse().ok());
    let version = || {
        let (suppressed, suppressed_hash) = (number(KEY_SUPPRESSED)?, number(KEY_SUPPRESSED_HASH)?);
        Some(PrivacyVersion { policy: policy?, suppressed, suppressed_hash })
    };
    let privacy_version = version();
    Ok(Index { format, cells: cells.filter(|cells| is_sound(cells, rows)), privacy_version })
}

/// Whether the cells are in order and their rows add up to `rows`.
fn is_sound(cells: &[Cell], rows: u64) -> bool {
    cells.is_sorted_by(|one, other| one.key() < other.key())
        && cells.iter().try_fold(0, |sum: u64, cell| sum.checked_add(cell.rows)) == Some(rows)
}

/// Rebuilds the cells of an object from its rows. What only the footer had is lost: when a cell was staged, whether fewer
/// rows were accepted, and cells without rows.
pub struct Rebuild {
    table: Table,
    cells: Vec<(Cell, Totals)>,
}

impl Rebuild {
    /// No rows yet.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table, cells: Vec::new() }
    }

    /// Adds rows with the table's columns, in the order of the object.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let keys = CellColumns::of(self.table, batch)?;
        let mut from = 0;
        while from < batch.num_rows() {
            let (event_id, part, pulled_at) = keys.at(from)?;
            let mut to = from + 1;
            while to < batch.num_rows() && keys.at(to)? == (event_id, part, pulled_at) {
                to += 1;
            }
            let rows = batch.slice(from, to - from);
            match self.cells.last_mut() {
                Some((cell, totals)) if cell.key() == (event_id, part) && cell.pulled_at == pulled_at => {
                    totals.add(self.table, &rows);
                }
                Some((cell, _)) if cell.key() >= (event_id, part) => {
                    return Err(Error::new(Kind::Damaged, "the index is lost and the rows are not in order")
                        .with("event", event_id));
                }
                _ => {
                    let mut totals = Totals::default();
                    totals.add(self.table, &rows);
                    let cell = Cell::new(event_id, part, pulled_at, pulled_at, &Totals::default());
                    self.cells.push((cell, totals));
                }
            }
            from = to;
        }
        Ok(())
    }

    /// The cells, each with the sums over its rows.
    #[must_use]
    pub fn finish(self) -> Vec<(Cell, Totals)> {
        let cells = self.cells.into_iter();
        cells
            .map(|(cell, totals)| {
                let Cell { event_id, part, pulled_at, staged_at, .. } = &cell;
                (Cell::new(*event_id, part, *pulled_at, *staged_at, &totals), totals)
            })
            .collect()
    }
}

/// The columns that tell which cell a row belongs to.
struct CellColumns<'a> {
    events: &'a arrow::array::Int64Array,
    pulled: &'a arrow::array::TimestampMillisecondArray,
    parts: Option<&'a arrow::array::StringArray>,
}

impl<'a> CellColumns<'a> {
    fn of(table: Table, batch: &'a RecordBatch) -> Result<Self> {
        let column = |name: &str| batch.column_by_name(name).map(AsRef::as_ref).ok_or_else(|| damaged(table));
        let part = match table {
            Table::Pulls => Some("run"),
            Table::Rejects => Some("source"),
            _ => None,
        };
        let events = column("event_id")?.as_primitive_opt::<Int64Type>();
        let pulled = column("pulled_at")?.as_primitive_opt::<TimestampMillisecondType>();
        let parts = match part {
            Some(name) => Some(column(name)?.as_string_opt::<i32>().ok_or_else(|| damaged(table))?),
            None => None,
        };
        let (Some(events), Some(pulled)) = (events, pulled) else { return Err(damaged(table)) };
        if events.null_count() + pulled.null_count() > 0 {
            return Err(damaged(table));
        }
        Ok(Self { events, pulled, parts })
    }

    fn at(&self, row: usize) -> Result<(i64, &'a str, Timestamp)> {
        let pulled_at = Timestamp::from_millisecond(self.pulled.value(row))
            .explain(Kind::Damaged, || "the `pulled_at` of a row is out of range".to_owned())?;
        Ok((self.events.value(row), self.parts.map_or("", |parts| parts.value(row)), pulled_at))
    }
}

fn damaged(table: Table) -> Error {
    Error::new(Kind::Damaged, format!("the columns are not those of `{}`", table.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_written_under_the_same_policy_and_for_as_many_forgotten_people_need_not_be_rewritten() {
        let open = |suppressed| PrivacyVersion { suppressed, ..PrivacyVersion::default() };
        let anonymous = || PrivacyVersion {
            policy: PolicyDocument::parse(br#"{"base": "anonymous"}"#).unwrap(),
            ..open(2)
        };
        let another_list = || PrivacyVersion { suppressed_hash: 1, ..open(2) };
        for (written, now, is_enough) in [
            (open(2), open(2), true),
            (open(3), open(2), true),
            (open(1), open(2), false),
            (another_list(), open(2), false),
            (open(3), another_list(), true),
            (anonymous(), open(2), false),
            (open(2), anonymous(), false),
        ] {
            assert_eq!(written.is_as_strict_as(&now), is_enough, "{written:?} {now:?}");
        }
    }
}
