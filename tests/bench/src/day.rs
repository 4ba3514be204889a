//! A day of many events, staged: the input on which publishing is measured.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rollcall::calendar::Zone;
use rollcall::extract::body::Splitter;
use rollcall::load::lake::Lake;
use rollcall::load::lake_settings::LakeSettings;
use rollcall::load::staging::{CellWriter, VisitId};
use rollcall::load::store::{Folder, Store};
use rollcall::transform::decode::{DecodeContext, Decoder};
use rollcall::transform::privacy::{Privacy, PrivacyVersion};
use rollcall::transform::tables::Table;
use simulator::report;

use crate::Outcome;
use crate::answer::{events, everything};

/// A later visit finds this many more viewers.
const MORE: u64 = 10;

#[tokio::main]
pub(crate) async fn stage(store: PathBuf, count: u64, viewers: u64, again: Option<u64>) -> Outcome {
    let store: Arc<dyn Store> = Arc::new(Folder::new(store));
    let zone = Zone::parse("Asia/Shanghai")?;
    let settings =
        LakeSettings { zone: zone.clone(), settle: SignedDuration::from_hours(12), policy: Arc::default() };
    let lake = Lake { store: Arc::clone(&store), settings };
    if !lake.check(None).await? {
        lake.establish(None).await?;
    }
    let first: Timestamp = "2023-01-01T00:00:00Z".parse()?;
    let pulled_at = if again.is_some() { first + SignedDuration::from_hours(1) } else { first };
    let viewers = if again.is_some() { viewers + MORE } else { viewers };
    for (number, event) in (1..).zip(events(usize::try_from(count)?, viewers)) {
        if again.is_some_and(|again| again != number) {
            continue;
        }
        let event_id = i64::try_from(event.id)?;
        let decode_context =
            DecodeContext { event_id, pulled_at, zone: zone.clone(), privacy: Privacy::default() };
        let visit_id = VisitId {
            event_id,
            pulled_at,
            run: "bench".to_owned(),
            privacy_version: PrivacyVersion::default(),
        };
        let mut decoder = Decoder::new(Table::Lives, decode_context);
        let mut cell = CellWriter::new(Arc::clone(&store), visit_id, Table::Lives, zone.day_of(first));
        let mut splitter = Splitter::default();
        for chunk in report(event, everything()?) {
            splitter.push(&chunk, |position, record| {
                if position.array == "lives" {
                    decoder.push(record);
                }
            })?;
            for batch in decoder.full_batches()? {
                cell.write(batch).await?;
            }
        }
        cell.write(decoder.batch()?).await?;
        cell.stage(pulled_at, None).await?;
    }
    Ok(())
}
