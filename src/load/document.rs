//! Documents of the store, such as those of the ledger: JSON objects whose `format` is checked before anything else is read.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{check_format, keys};
use crate::error::{Explain, Kind, Result};

/// Hint for a damaged document. The lake has the same information, except for events that were never visited: those come
/// from the vendor's lists.
const MEND: &str = "delete it together with `ledger/lake.json` and `ledger/roster.json`: the next `sync` rebuilds them \
                    from the lake and from the vendor's lists";

/// Hint for a damaged `lake.json`.
const MEND_LAKE: &str =
    "delete it: the next `sync` creates it again from `--zone`, `--settle` and `--privacy`";

#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// Parses the document stored under `key`. Returns [`Kind::Newer`] if a newer program wrote it, even if the rest cannot be
/// read, and [`Kind::Damaged`] if it is not a valid document.
pub fn read<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T> {
    let Format { format } = parse(key, bytes)?;
    check_format(format, "a document").map_err(|error| error.with("key", key))?;
    parse(key, bytes)
}

fn parse<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T> {
    let mend = if key == keys::SETTINGS { MEND_LAKE } else { MEND };
    serde_json::from_slice(bytes)
        .explain(Kind::Damaged, || "a document cannot be read".to_owned())
        .map_err(|error| error.with("key", key).hint(mend))
}

/// Serializes a document to JSON.
pub fn write(document: &impl Serialize) -> Result<Bytes> {
    let bytes = serde_json::to_vec(document).explain(Kind::Store, || "cannot write a document".to_owned())?;
    Ok(Bytes::from(bytes))
}
