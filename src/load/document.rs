//! Documents of the ledger: JSON that says its format first.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{FORMAT, keys};
use crate::error::{Error, Explain, Kind, Result};

/// What mends a damaged document: the lake says the same, and the vendor's lists name the events that are not there yet.
const MEND: &str = "take it away together with `ledger/lake.json` and `ledger/roster.json`: the next `sync` builds them again \
                    from the lake and from the vendor's lists";

/// What mends `lake.json`.
const MEND_LAKE: &str =
    "take it away: the next `sync` makes it again, as `--zone`, `--settle` and `--privacy` say";

#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// Reads the document under `key`: [`Kind::Newer`] where a newer program wrote it, whatever else it says.
pub fn read<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T> {
    let Format { format } = parse(key, bytes)?;
    if format > FORMAT {
        let message = format!("a document has format {format}, this program knows {FORMAT}");
        return Err(Error::new(Kind::Newer, message).with("key", key).hint("upgrade rollcall"));
    }
    parse(key, bytes)
}

fn parse<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T> {
    let mend = if key == keys::LAKE { MEND_LAKE } else { MEND };
    serde_json::from_slice(bytes)
        .explain(Kind::Damaged, || "a document of the ledger cannot be read".to_owned())
        .map_err(|error| error.with("key", key).hint(mend))
}

/// The bytes of a document.
pub fn write(document: &impl Serialize) -> Result<Bytes> {
    let bytes = serde_json::to_vec(document).explain(Kind::Store, || "cannot write a document".to_owned())?;
    Ok(Bytes::from(bytes))
}
