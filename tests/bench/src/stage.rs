//! Bytes of an answer to the three staged files, piece by piece as from the network.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rollcall::calendar::Zone;
use rollcall::extract::body::Splitter;
use rollcall::load::index::Kept;
use rollcall::load::staging::{CellWriter, Visitor};
use rollcall::load::store::{Folder, Store};
use rollcall::transform::decode::{Decoder, Setting};
use rollcall::transform::privacy::Privacy;
use rollcall::transform::tables::Table;

use crate::Outcome;

const TABLES: [Table; 3] = [Table::Lives, Table::Interactions, Table::ViewerDetails];
/// As large as what a TLS connection hands over.
const PIECE: usize = 16 * 1024;

#[tokio::main]
pub(crate) async fn stage(answer: &Path, store: PathBuf) -> Outcome {
    let mut answer = File::open(answer)?;
    let store: Arc<dyn Store> = Arc::new(Folder::new(store));
    let pulled_at: Timestamp = "2023-01-01T00:00:00Z".parse()?;
    let zone = Zone::parse("Asia/Shanghai")?;
    let day = zone.day_of(pulled_at);
    let setting = Setting { event_id: 1, pulled_at, zone, privacy: Privacy::default() };
    let visitor = Visitor { event_id: 1, pulled_at, run: "bench".to_owned(), kept: Kept::default() };
    let mut decoders = TABLES.map(|table| Decoder::new(table, setting.clone()));
    let mut cells = TABLES.map(|table| CellWriter::new(Arc::clone(&store), visitor.clone(), table, day, ""));
    let mut splitter = Splitter::default();
    let mut piece = vec![0; PIECE];
    loop {
        let length = answer.read(&mut piece)?;
        if length == 0 {
            break;
        }
        splitter.push(piece.get(..length).unwrap_or_default(), |position, record| {
            let table = Table::of_array(position.array);
            if let Some(decoder) = decoders.iter_mut().find(|decoder| Some(decoder.table()) == table) {
                decoder.push(record);
            }
        })?;
        for (decoder, cell) in decoders.iter_mut().zip(&mut cells) {
            for batch in decoder.full_batches()? {
                cell.write(batch).await?;
            }
        }
    }
    splitter.finish()?;
    for (mut cell, mut decoder) in cells.into_iter().zip(decoders) {
        cell.write(decoder.batch()?).await?;
        cell.stage(pulled_at, None).await?;
    }
    Ok(())
}
