//! From the bytes of an answer to the three staged files, piece by piece, as they come from the network.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rollcall::calendar::Zone;
use rollcall::extract::body::Splitter;
use rollcall::load::staging::{CellWriter, VisitId};
use rollcall::load::store::{Folder, Store};
use rollcall::transform::decode::{DecodeContext, Decoder};
use rollcall::transform::privacy::{Privacy, PrivacyVersion};
use rollcall::transform::tables::Table;

use crate::Outcome;

const TABLES: [Table; 3] = [Table::Lives, Table::Interactions, Table::ViewerDetails];
/// As large as the pieces that a TLS connection hands over.
pub(crate) const PIECE: usize = 16 * 1024;

#[tokio::main]
pub(crate) async fn stage(answer: &Path, store: PathBuf) -> Outcome {
    let mut answer = File::open(answer)?;
    let store: Arc<dyn Store> = Arc::new(Folder::new(store));
    let pulled_at: Timestamp = "2023-01-01T00:00:00Z".parse()?;
    let zone = Zone::parse("Asia/Shanghai")?;
    let day = zone.day_of(pulled_at);
    let decode_context = DecodeContext { event_id: 1, pulled_at, zone, privacy: Privacy::default() };
    let visit_id = VisitId {
        event_id: 1,
        pulled_at,
        run: "bench".to_owned(),
        privacy_version: PrivacyVersion::default(),
    };
    let mut open = TABLES.map(|table| {
        let cell = CellWriter::new(Arc::clone(&store), visit_id.clone(), table, day);
        Some((Decoder::new(table, decode_context.clone()), cell))
    });
    let (mut splitter, mut reading) = (Splitter::default(), None);
    let mut piece = vec![0; PIECE];
    loop {
        let length = answer.read(&mut piece)?;
        if length == 0 {
            break;
        }
        let before = reading;
        splitter.push(piece.get(..length).unwrap_or_default(), |position, record| {
            reading = Table::of_array(position.array);
            let mut decoders = open.iter_mut().flatten().map(|(decoder, _)| decoder);
            if let Some(decoder) = decoders.find(|decoder| Some(decoder.table()) == reading) {
                decoder.push(record);
            }
        })?;
        for slot in &mut open {
            if let Some((decoder, cell)) = slot {
                for batch in decoder.full_batches()? {
                    cell.write(batch).await?;
                }
            }
            // Once another array has begun, the one before has ended.
            if let Some((decoder, cell)) =
                slot.take_if(|(decoder, _)| before != reading && before == Some(decoder.table()))
            {
                finish(decoder, cell, pulled_at).await?;
            }
        }
    }
    splitter.finish()?;
    for (decoder, cell) in open.into_iter().flatten() {
        finish(decoder, cell, pulled_at).await?;
    }
    Ok(())
}

async fn finish(mut decoder: Decoder, mut cell: CellWriter, staged_at: Timestamp) -> Outcome {
    cell.write(decoder.batch()?).await?;
    cell.stage(staged_at, None).await?;
    Ok(())
}
