//! Estimates what a plan will ask the vendor for: why, how many requests, and how long they take.

use std::sync::Arc;

use crate::error::{Kind, Result};
use crate::job::context::Context;
use crate::load::keys;
use crate::load::lake_objects::{LakeObject, each_row};
use crate::load::ledger::Ledger;
use crate::load::ledger::visit_row::VisitRow;
use crate::load::object::ObjectReader;
use crate::load::store::{Listed, Store};
use crate::report::{DueBecause, Estimate, Requests};
use crate::transform::tables::Table;

/// Why an event is due now.
pub(super) fn reason(is_chosen: bool, is_last: bool, ledger: &Ledger) -> DueBecause {
    if ledger.last_visit.is_none() {
        DueBecause::New
    } else if is_chosen {
        DueBecause::Chosen
    } else if ledger.failures > 0 {
        DueBecause::Failed
    } else if !ledger.owed.is_empty() {
        DueBecause::Owed
    } else if is_last {
        DueBecause::Last
    } else {
        DueBecause::Again
    }
}

/// How long this many requests take: at the rate that is allowed, or at the pace of the latest visits, whichever is slower.
pub(super) async fn estimate(context: &Context, events: usize, requests: Requests) -> Result<Estimate> {
    let milliseconds_per_request = pace(&context.lake.store).await?;
    // The windows of one event are asked for one after the other.
    let at_once = context.concurrency.min(events).max(1) as u64;
    let allowed = 1_000_000 / u64::from(context.requests_per_second.get());
    let answering = milliseconds_per_request.unwrap_or_default().saturating_mul(1000) / at_once;
    let seconds = |requests: u64| requests.saturating_mul(allowed.max(answering)).div_ceil(1_000_000);
    Ok(Estimate {
        requests,
        seconds: (seconds(requests.at_least), seconds(requests.at_most)),
        milliseconds_per_request,
    })
}

/// How many milliseconds a request took, with decoding and staging, on average on the newest day with visits.
async fn pace(store: &Arc<dyn Store>) -> Result<Option<u64>> {
    let listed = store.list(&keys::table(Table::Pulls), "").await?;
    let objects = listed.into_iter().rev().filter_map(|Listed { key, head }| {
        let day = keys::parse_object(Table::Pulls, &key)?;
        Some(LakeObject { store, table: Table::Pulls, day, head })
    });
    // A day with viewings has an object of `pulls` even if no visit was made on that day.
    for object in objects {
        match object.read(pace_of).await {
            // Reporting a damaged object is not a plan's task.
            Err(error) if error.kind() == Kind::Damaged => {}
            pace => {
                if let Some(Some(pace)) = pace? {
                    return Ok(Some(pace));
                }
            }
        }
    }
    Ok(None)
}

/// The average for the visits of one day; `None` if they made no requests.
async fn pace_of(object: ObjectReader) -> Result<Option<u64>> {
    let (mut requests, mut milliseconds) = (0_u64, 0_u64);
    each_row(&object, None, |row| {
        if let Some(visit) = VisitRow::read(&row) {
            requests = requests.saturating_add(visit.requests);
            milliseconds = milliseconds.saturating_add(visit.milliseconds);
        }
    })
    .await?;
    Ok(milliseconds.checked_div(requests))
}
