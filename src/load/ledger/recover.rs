//! Rebuilds a lost ledger from the lake: from what `events`, `pulls` and the indexes say of each event, and from what staged files
//! say of accepted rows.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use jiff::civil::Date;

use super::ledgers::{AT_ONCE, Ledgers};
use super::recovered_event::RecoveredEvent;
use crate::error::{Error, Kind, Result};
use crate::load::conflict_retries::on_newest;
use crate::load::keys;
use crate::load::lake::Lake;
use crate::load::lake_settings::LakeSettings;
use crate::load::object::ObjectReader;
use crate::load::store::Listed;
use crate::load::suppression;
use crate::transform::privacy::PrivacyVersion;
use crate::transform::row::{self, Row};
use crate::transform::tables::Table;

/// Puts a ledger for every event of the lake that has none. Reads the whole lake and what is staged, and returns an error for each
/// object of the lake and each ledger that cannot be read. The lake's settings are lost, too: returns [`Kind::OtherLake`] if its
/// rows and footers show that it was made with another zone or privacy policy than this run's.
pub async fn recover(lake: &Lake, ledgers: &Ledgers) -> Result<Vec<Error>> {
    let mut events: BTreeMap<i64, RecoveredEvent> = BTreeMap::new();
    let mut failures = Vec::new();
    // What is staged comes first: if it is published meanwhile, its cells are in the lake's objects, which are read after that.
    let mut suppressed = read_staged(lake, &mut events).await?;
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
                                let Some(event_id) = row.number("event_id") else { continue };
                                events.entry(event_id).or_default().read_row(table, day, row);
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

/// Reads for which events a user has accepted fewer rows, according to staged files: once these are published, an answer that does
/// not know of the acceptance cannot replace their cells. Returns the greatest revision of the list of forgotten people under
/// which one of them was written.
async fn read_staged(lake: &Lake, events: &mut BTreeMap<i64, RecoveredEvent>) -> Result<u64> {
    let mut suppressed = 0;
    for table in [Table::Lives, Table::Interactions, Table::ViewerDetails] {
        let listed = lake.store.list(&keys::staged_table(table), "").await?;
        let staged =
            listed.into_iter().filter_map(|listed| Some((keys::parse_staged(&listed.key)?.1, listed)));
        let opened = stream::iter(staged).map(|(day, listed)| async move {
            let object = open_staged(lake, table, day, listed).await?;
            Ok::<_, Error>(object.map(|object| (day, object)))
        });
        let mut opened = opened.buffer_unordered(AT_ONCE);
        while let Some(opened) = opened.try_next().await? {
            let Some((day, object)) = opened else { continue };
            suppressed = suppressed.max(object.privacy_version().map_or(0, |version| version.suppressed));
            for cell in object.cells() {
                if let Some(accepted_at) = cell.accepted_at {
                    events.entry(cell.event_id).or_default().read_accepted(table, day, cell, accepted_at);
                }
            }
        }
    }
    Ok(suppressed)
}

/// Opens a staged file; `None` if another run has published it, or if it is damaged, which the publish says.
async fn open_staged(
    lake: &Lake,
    table: Table,
    day: Date,
    Listed { key, head }: Listed,
) -> Result<Option<ObjectReader>> {
    let open = |head| ObjectReader::open(&lake.store, &key, head, table, day);
    match on_newest(lake.store.as_ref(), &key, head, open).await {
        Err(error) if error.kind() == Kind::Damaged => Ok(None),
        opened => opened,
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
