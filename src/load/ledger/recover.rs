//! Rebuilds a lost ledger from the lake: from what `events`, `pulls` and the indexes say of each event, and from what staged files
//! say of accepted rows.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use jiff::civil::Date;

use super::answers::{DayAnswer, SnapshotAnswer};
use super::ledgers::{AT_ONCE, Ledgers};
use super::visit::{Outcome, Owed};
use super::visit_row::VisitRow;
use super::{Closing, Ledger};
use crate::error::{Error, Kind, Result};
use crate::load::cell::{Cell, Source};
use crate::load::keys;
use crate::load::lake::Lake;
use crate::load::lake_settings::LakeSettings;
use crate::load::object::ObjectReader;
use crate::load::store::Listed;
use crate::load::suppression;
use crate::transform::event::Event;
use crate::transform::privacy::PrivacyVersion;
use crate::transform::row::{self, Row};
use crate::transform::tables::Table;
use crate::transform::totals::Totals;

/// What the lake says of one event.
#[derive(Default)]
struct RecoveredEvent {
    ledger: Option<Ledger>,
    first_visit: Option<Timestamp>,
    last_visit: Option<Timestamp>,
    has_failed: bool,
    is_unfinished: bool,
    owed: Owed,
    days: BTreeMap<Date, DayAnswer>,
    snapshot: Option<(Date, SnapshotAnswer)>,
    /// When a user last accepted fewer rows for a day or the snapshot, according to cells that are staged only.
    accepted_days: BTreeMap<Date, Timestamp>,
    accepted_snapshot: Option<Timestamp>,
}

/// Puts a ledger for every event of the lake that has none. Reads the whole lake and what is staged, and returns an error for each
/// object of the lake and each ledger that cannot be read. The lake's settings are lost, too: returns [`Kind::OtherLake`] if its
/// rows and footers show that it was made with another zone or privacy policy than this run's.
pub async fn recover(lake: &Lake, ledgers: &Ledgers) -> Result<Vec<Error>> {
    // What is staged comes first: if it is published meanwhile, its cells are in the lake's objects, which are read after that.
    let mut events = staged_acceptances(lake).await?;
    let mut failures = Vec::new();
    let mut suppressed = 0;
    for table in Table::ALL {
        for Listed { key, head } in lake.store.list(&keys::table(table), "").await? {
            let Some(day) = keys::parse_object(table, &key) else { continue };
            let read = async {
                let object = ObjectReader::open(&lake.store, &key, head, table, day).await?;
                if let Some(version) = object.privacy_version() {
                    check_policy(&lake.settings, version)?;
                    suppressed = suppressed.max(version.suppressed);
                }
                match table {
                    Table::Events | Table::Pulls => {
                        let mut rows = object.all_rows()?;
                        while let Some(batch) = rows.try_next().await? {
                            for row in row::rows(&batch) {
                                check_zone(&lake.settings, table, row)?;
                                read_row(&mut events, table, day, row);
                            }
                        }
                    }
                    Table::Lives | Table::Interactions | Table::ViewerDetails | Table::Rejects => {
                        let totals = object.totals().await?;
                        let totals: BTreeMap<_, _> =
                            totals.iter().map(|(cell, totals)| (cell.key(), *totals)).collect();
                        for cell in object.cells() {
                            let totals = totals.get(&cell.key()).copied().unwrap_or_default();
                            let known = events.entry(cell.event_id).or_default();
                            known.read_cell(table, day, cell, totals);
                        }
                    }
                }
                Ok::<_, Error>(())
            };
            match read.await {
                // A damaged object stays damaged, and is left out. Other errors may pass: then another run rebuilds the ledger.
                Err(error) if error.kind() == Kind::Damaged => failures.push(error),
                outcome => outcome?,
            }
        }
    }
    let listed = lake.privacy().await?.suppressed.revision();
    if listed < suppressed {
        return Err(suppression::lost());
    }
    if !events.is_empty() {
        // The zone and the policy show in the rows and footers; when days settle does not.
        let settle = format!("{:#}", lake.settings.settle);
        tracing::warn!(settle, "the lake's settings were lost, and days settle as this run says");
    }
    for (event_id, known) in events {
        match ledgers.update(&known.into_ledger(event_id), |_| {}).await {
            Err(error) if error.is_unreadable() => failures.push(error),
            outcome => drop(outcome?),
        }
    }
    Ok(failures)
}

/// The events for which a user has accepted fewer rows, according to staged files: once these are published, an answer that does
/// not know of the acceptance cannot replace their cells. A file that cannot be read is left for the publish to name.
async fn staged_acceptances(lake: &Lake) -> Result<BTreeMap<i64, RecoveredEvent>> {
    let mut events: BTreeMap<i64, RecoveredEvent> = BTreeMap::new();
    for table in [Table::Lives, Table::Interactions, Table::ViewerDetails] {
        let listed = lake.store.list(&keys::staged_table(table), "").await?;
        let staged =
            listed.into_iter().filter_map(|listed| Some((keys::parse_staged(&listed.key)?.1, listed)));
        let read = stream::iter(staged).map(|(day, listed)| async move {
            staged_cells(lake, table, day, listed).await.map(|cells| (day, cells))
        });
        let mut read = read.buffer_unordered(AT_ONCE);
        while let Some((day, cells)) = read.try_next().await? {
            for Cell { event_id, accepted_at, .. } in cells {
                let Some(accepted_at) = accepted_at else { continue };
                let known = events.entry(event_id).or_default();
                if table == Table::ViewerDetails {
                    known.accepted_snapshot = known.accepted_snapshot.max(Some(accepted_at));
                } else {
                    let latest = known.accepted_days.entry(day).or_insert(accepted_at);
                    *latest = accepted_at.max(*latest);
                }
            }
        }
    }
    Ok(events)
}

/// The cells of a staged file; none if it cannot be read, or was published by another run.
async fn staged_cells(
    lake: &Lake,
    table: Table,
    day: Date,
    Listed { key, head }: Listed,
) -> Result<Vec<Cell>> {
    match ObjectReader::open(&lake.store, &key, head, table, day).await {
        Err(error) if error.is_unreadable() || error.kind() == Kind::Conflict => Ok(Vec::new()),
        object => Ok(object?.cells().to_vec()),
    }
}

/// Checks that the lake's zone is this run's: the row of an event has its start both as an instant and on the lake's wall clock.
fn check_zone(settings: &LakeSettings, table: Table, row: Row<'_>) -> Result<()> {
    let (Table::Events, Some(start)) = (table, row.instant("start_time")) else { return Ok(()) };
    if row.wall_clock("start_date") == Some(settings.zone.wall_clock(start)) {
        return Ok(());
    }
    let message = format!("the ledger is lost, and the lake's days are not those of `{}`", settings.zone);
    Err(Error::new(Kind::OtherLake, message).hint("give the `--zone` that the lake was made with"))
}

/// Checks that the policy of an object is this run's: what was withheld must not come back because the lake's settings are lost.
fn check_policy(settings: &LakeSettings, version: &PrivacyVersion) -> Result<()> {
    let ours = settings.policy.document();
    if version.policy == *ours {
        return Ok(());
    }
    let message =
        format!("the ledger is lost, and the lake's privacy policy is {}, this run's {ours}", version.policy);
    Err(Error::new(Kind::OtherLake, message)
        .hint("give the `--privacy` and the key that the lake was made with"))
}

/// Reads a row of `events` or `pulls`.
fn read_row(events: &mut BTreeMap<i64, RecoveredEvent>, table: Table, day: Date, row: Row<'_>) {
    let Some(event_id) = row.number("event_id") else { return };
    let known = events.entry(event_id).or_default();
    if table == Table::Pulls {
        let Some(visit) = VisitRow::read(&row) else { return };
        let pulled_at = Some(visit.pulled_at);
        known.first_visit = known.first_visit.into_iter().chain(pulled_at).min();
        if known.last_visit < pulled_at {
            known.last_visit = pulled_at;
            known.has_failed = visit.outcome == Some(Outcome::Failed);
            known.is_unfinished = visit.outcome != Some(Outcome::Complete);
            known.owed = visit.owed;
        }
        return;
    }
    let Some(event) = row.event() else { return };
    let pulled_at = row.instant("pulled_at");
    let mut ledger = Ledger::new(event, pulled_at.unwrap_or_default());
    ledger.event_day = Some(day);
    ledger.last_visit = pulled_at;
    ledger.through = row.instant("pulled_through");
    if row.flag("closed") == Some(true) {
        let is_complete = Outcome::of_row(&row) == Some(Outcome::Complete);
        ledger.closed = Some(if is_complete { Closing::Complete } else { Closing::Incomplete });
    }
    known.ledger = Some(ledger);
}

impl RecoveredEvent {
    fn read_cell(&mut self, table: Table, day: Date, cell: &Cell, totals: Totals) {
        let (pulled_at, accepted_at) = (cell.pulled_at, cell.accepted_at);
        if table == Table::ViewerDetails {
            // What was to be asked for again is not known: the next snapshot tells.
            let empty = SnapshotAnswer { is_awaited: true, ..SnapshotAnswer::empty(pulled_at) };
            self.snapshot = Some((day, SnapshotAnswer { viewer_details: totals, accepted_at, ..empty }));
            return;
        }
        if table == Table::Rejects && cell.part == Source::Snapshot.name() {
            if let Some((_, snapshot)) = &mut self.snapshot {
                snapshot.rejects = totals;
            }
            return;
        }
        let known = self.days.entry(day).or_insert(DayAnswer::empty(pulled_at));
        known.pulled_at = known.pulled_at.max(pulled_at);
        known.accepted_at = known.accepted_at.max(accepted_at);
        match table {
            Table::Lives => known.lives = totals,
            Table::Interactions => known.interactions = totals,
            Table::Rejects => known.rejects = totals,
            Table::ViewerDetails | Table::Events | Table::Pulls => {}
        }
        *known = known.after(None);
    }

    fn into_ledger(self, event_id: i64) -> Ledger {
        let mut ledger =
            self.ledger.unwrap_or_else(|| Ledger::new(Event::unknown(event_id), Timestamp::UNIX_EPOCH));
        ledger.first_seen = self.first_visit.unwrap_or(ledger.first_seen);
        ledger.event_day = ledger.event_day.or(self.snapshot.map(|(day, _)| day));
        ledger.last_visit = ledger.last_visit.max(self.last_visit);
        ledger.failures = u32::from(self.has_failed);
        (ledger.unfinished, ledger.in_vain) = (u32::from(self.is_unfinished), ledger.failures);
        let was_complete = !self.has_failed && self.owed.is_empty();
        ledger.last_good_visit = if was_complete { ledger.last_visit } else { ledger.through };
        ledger.owed = self.owed;
        ledger.days = self.days;
        ledger.snapshot = self.snapshot.map(|(_, snapshot)| snapshot);
        for (day, accepted_at) in self.accepted_days {
            ledger.accept_day(day, accepted_at);
        }
        if let Some(accepted_at) = self.accepted_snapshot {
            ledger.accept_snapshot(accepted_at);
        }
        ledger
    }
}
