//! Histories of visits, published in any order and grouping, against a model that knows only what a user was promised.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::Index;
use rollcall::calendar::{Deadline, Zone};
use rollcall::load::cell::Cell;
use rollcall::load::keys;
use rollcall::load::lake::Lake;
use rollcall::load::lake_settings::LakeSettings;
use rollcall::load::object::ObjectReader;
use rollcall::load::publish::merge::merge;
use rollcall::load::publish::publish;
use rollcall::load::staging::{CellWriter, VisitId};
use rollcall::load::store::{Folder, Store};
use rollcall::transform::batch::BatchBuilder;
use rollcall::transform::digest::Digest;
use rollcall::transform::privacy::PrivacyVersion;
use rollcall::transform::tables::Table;
use rollcall::transform::totals::Totals;

const DAY: Date = date(2022, 10, 26);
/// The day has ended and settled at hour 36 of the histories.
const SETTLED: i64 = 36;

/// One visit's answer for the day of one event.
#[derive(Clone, Copy, Debug)]
struct Visit {
    event_id: i64,
    /// Hours after the day began.
    hour: i64,
    /// How many rows, and which: two answers with the same number of rows may differ.
    rows: u64,
    variant: u64,
    /// Whether the user said that fewer rows are right, with this visit.
    accepts: bool,
}

fn visits() -> impl Strategy<Value = Vec<Visit>> {
    let visit = (1..4_i64, 0..72_i64, 0..5_u64, 0..2_u64, prop::bool::weighted(0.1)).prop_map(
        |(event_id, hour, rows, variant, accepts)| Visit { event_id, hour, rows, variant, accepts },
    );
    prop::collection::vec(visit, 1..24)
}

/// In which order the staged files come, and after which of them a publish runs.
fn schedule() -> impl Strategy<Value = (Vec<Index>, Vec<bool>)> {
    (prop::collection::vec(any::<Index>(), 24), prop::collection::vec(any::<bool>(), 24))
}

fn settings() -> LakeSettings {
    LakeSettings {
        zone: Zone::parse("UTC").unwrap(),
        settle: SignedDuration::from_hours(SETTLED - 24),
        policy: Arc::default(),
    }
}

fn instant(hour: i64) -> Timestamp {
    settings().zone.start_of(DAY).unwrap() + SignedDuration::from_hours(hour)
}

/// What was accepted when a visit began, as the ledger tells it.
fn accepted(visits: &[Visit], visit: &Visit) -> Option<Timestamp> {
    let of_event = visits.iter().filter(|other| other.event_id == visit.event_id && other.accepts);
    of_event.map(|other| other.hour).filter(|hour| *hour <= visit.hour).max().map(instant)
}

/// What a user was promised: since the last acceptance, some rows win over none, settled rows over fresh ones, more rows over
/// fewer if the day had settled, and otherwise later ones over earlier ones.
fn promised(visits: &[Visit], event_id: i64) -> (u64, i64) {
    let of_event = || visits.iter().filter(|visit| visit.event_id == event_id);
    let since = of_event().filter(|visit| visit.accepts).map(|visit| visit.hour).max().unwrap_or(0);
    let known = || of_event().filter(|visit| visit.hour >= since);
    let settled = known().filter(|visit| visit.rows > 0 && visit.hour >= SETTLED);
    let fresh = known().filter(|visit| visit.rows > 0 && visit.hour < SETTLED);
    let best = settled.max_by_key(|visit| (visit.rows, visit.hour)).or(fresh.max_by_key(|visit| visit.hour));
    let best = best.or(known().max_by_key(|visit| visit.hour)).unwrap();
    (best.rows, best.hour)
}

/// One answer per hour and event: two visits of one event never begin at the same instant.
fn distinct(mut visits: Vec<Visit>) -> Vec<Visit> {
    visits.sort_by_key(|visit| (visit.event_id, visit.hour));
    visits.dedup_by_key(|visit| (visit.event_id, visit.hour));
    visits
}

fn cell(visits: &[Visit], visit: &Visit) -> Cell {
    let digest = Digest::try_from(format!("{:x}", visit.rows * 2 + visit.variant)).unwrap();
    let totals = Totals { rows: visit.rows, weight: visit.rows, digest, ..Totals::default() };
    let at = instant(visit.hour);
    Cell { accepted_at: accepted(visits, visit), ..Cell::new(visit.event_id, "", at, at, &totals) }
}

fn found(cells: &[Cell]) -> Vec<(i64, (u64, i64))> {
    let hour = |cell: &Cell| cell.pulled_at.duration_since(instant(0)).as_hours();
    cells.iter().map(|cell| (cell.event_id, (cell.rows, hour(cell)))).collect()
}

fn expected(visits: &[Visit]) -> Vec<(i64, (u64, i64))> {
    let mut events: Vec<i64> = visits.iter().map(|visit| visit.event_id).collect();
    events.dedup();
    events.into_iter().map(|event_id| (event_id, promised(visits, event_id))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn merging_in_any_order_and_grouping_keeps_what_was_promised(
        visits in visits().prop_map(distinct),
        (order, ends) in schedule(),
    ) {
        let judge = settings().judge(Table::Lives, DAY).unwrap();
        let mut lake: Vec<Cell> = Vec::new();
        let mut group = Vec::new();
        // Some come twice, and in the end all have come.
        let shuffled = order.iter().map(|index| index.get(&visits));
        for (at, visit) in shuffled.chain(&visits).enumerate() {
            group.push(cell(&visits, visit));
            if ends.get(at).copied().unwrap_or(true)
                && let Some(merged) = merge(&judge, &lake, &std::mem::take(&mut group))
            {
                lake = merged.into_iter().map(|(cell, _)| cell.clone()).collect();
            }
        }
        prop_assert_eq!(found(&lake), expected(&visits));
    }
}

async fn stage(store: &Arc<dyn Store>, visits: &[Visit], visit: &Visit, name: usize) {
    let at = instant(visit.hour);
    let visit_id = VisitId {
        event_id: visit.event_id,
        pulled_at: at,
        run: format!("r{name}"),
        privacy_version: PrivacyVersion::default(),
    };
    let mut cell = CellWriter::new(Arc::clone(store), visit_id, Table::Lives, DAY);
    let mut batch = BatchBuilder::new(Table::Lives);
    for row in 0..visit.rows {
        let title = format!("{row} {}", visit.variant);
        batch.push_named(vec![
            ("event_id", visit.event_id.into()),
            ("online_time", at.into()),
            ("online_date", settings().zone.wall_clock(at).into()),
            ("name", title.into()),
            ("pulled_at", at.into()),
        ]);
    }
    cell.write(batch.finish().unwrap()).await.unwrap();
    cell.stage(at, accepted(visits, visit)).await.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn publishing_in_any_order_and_grouping_keeps_what_was_promised(
        visits in visits().prop_map(distinct),
        (order, ends) in schedule(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let cells = runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let store: Arc<dyn Store> = Arc::new(Folder::new(folder.path()));
            let shuffled = order.iter().take(8).map(|index| index.get(&visits));
            for (at, visit) in shuffled.chain(&visits).enumerate() {
                stage(&store, &visits, visit, at).await;
                if ends.get(at).copied().unwrap_or(false) {
                    assert!(publish(&Lake { store: Arc::clone(&store), settings: settings() }, &BTreeSet::new(), Deadline::never(), |_, _| ()).await.unwrap().failures.is_empty());
                }
            }
            assert!(publish(&Lake { store: Arc::clone(&store), settings: settings() }, &BTreeSet::new(), Deadline::never(), |_, _| ()).await.unwrap().failures.is_empty());
            assert!(store.list(keys::STAGING, "").await.unwrap().is_empty());
            let key = keys::object(Table::Lives, DAY);
            let head = store.head(&key).await.unwrap().unwrap();
            ObjectReader::open(&store, &key, head, Table::Lives, DAY).await.unwrap().cells().to_vec()
        });
        prop_assert_eq!(found(&cells), expected(&visits));
    }
}
