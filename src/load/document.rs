//! Documents of the store, such as those of the ledger: JSON objects whose `format` is checked before anything else is read.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{check_format, keys};
use crate::error::{Explain, Kind, Result};

/// Hint for a damaged document. The lake has the same information, except for events that were never visited: those come
/// from the vendor's lists.
const MEND: &str = "delete it together with `ledger/lake.json`, of which keep a copy, and `ledger/roster.json`: the next `sync` \
                    rebuilds them from the lake and from the vendor's lists";
/// Hint for a damaged `roster.json`.
const MEND_ROSTER: &str = "delete it: the next `sync` reads the vendor's lists from their beginning";

/// Hint for a damaged `lake.json`.
const MEND_LAKE: &str = "keep a copy, and delete it: the next `sync` creates it again from `--zone`, `--settle` and `--privacy`; if the \
                         copy has a `former_key`, put that into the new one";

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
    let mend = match key {
        keys::SETTINGS => MEND_LAKE,
        keys::ROSTER => MEND_ROSTER,
        _ => MEND,
    };
    serde_json::from_slice(bytes)
        .explain(Kind::Damaged, || "a document cannot be read".to_owned())
        .map_err(|error| error.with("key", key).hint(mend))
}

/// Serializes a document to JSON.
pub fn write(document: &impl Serialize) -> Result<Bytes> {
    let bytes = serde_json::to_vec(document).explain(Kind::Store, || "cannot write a document".to_owned())?;
    Ok(Bytes::from(bytes))
}
