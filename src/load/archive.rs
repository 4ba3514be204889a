//! The archive: answers of the vendor as they were received, each with what was asked beside it, so that tables can be made
//! again when the vendor has forgotten.
//!
//! An object is one JSON document under zstd: `{"asked": …, "answer": …}`, the answer byte for byte.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use zstd::stream::raw::CParameter;
use zstd::stream::write::{Decoder, Encoder};

use super::document;
use super::index::PrivacyVersion;
use super::store::{Condition, Head, Store, Upload};
use crate::error::{Error, Explain, Kind, Result};

/// Fast, and small enough for a processor's nearest memory, which decoding needs too: an answer is packed meanwhile.
const LEVEL: i32 = -1;
const WINDOW: CParameter = CParameter::WindowLog(17);
const TABLE: CParameter = CParameter::HashLog(13);
/// Bytes that are read at once.
const CHUNK: u64 = 1024 * 1024;
/// What stands between the two parts of a document, and behind them.
const BEGIN: &[u8] = b"{\"asked\":";
const BETWEEN: &[u8] = b",\n\"answer\":";
const END: &[u8] = b"}\n";
/// What mends a damaged answer.
const MEND: &str =
    "restore it from a version or a backup; without it, what the lake has of that visit stands";
/// The longest first part, in bytes.
const LONGEST: usize = 1024 * 1024;

/// What stands before an archived answer: what was asked, and what the lake needs to know of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveHeader {
    /// Format of the document.
    pub format: u32,
    /// The event.
    pub event_id: i64,
    /// When the visit began.
    pub pulled_at: Timestamp,
    /// The run that it belonged to.
    pub run: String,
    /// The lake's zone, by which days are what they are.
    pub zone: String,
    /// The day that the rows lie in; of a snapshot, the event's.
    pub day: Date,
    /// Which requests they were: `windows` of a day, or the `snapshot`.
    pub source: String,
    /// The windows of the day, each `[from, to)` in seconds; none of a snapshot. All of them make the day.
    pub windows: Vec<(i64, i64)>,
    /// Which of the windows this one is, counted from 0.
    pub window: usize,
    /// When a user last said that fewer rows are right, as far as the visit knew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// What was sent, without the token.
    pub request: serde_json::Map<String, serde_json::Value>,
    /// What was kept of people.
    #[serde(default, skip_serializing_if = "PrivacyVersion::is_everything")]
    pub kept: PrivacyVersion,
}

/// One answer on its way into the archive. Dropped before it is finished, it leaves nothing behind.
pub struct ArchiveWriter {
    upload: Box<dyn Upload>,
    zstd: Encoder<'static, Vec<u8>>,
}

impl ArchiveWriter {
    /// Begins an object.
    pub async fn create(store: &dyn Store, key: &str, header: &ArchiveHeader) -> Result<Self> {
        let mut zstd = Encoder::new(Vec::new(), LEVEL).explain(Kind::Store, cannot_pack)?;
        for parameter in [WINDOW, TABLE] {
            zstd.set_parameter(parameter).explain(Kind::Store, cannot_pack)?;
        }
        let mut writer = Self { upload: store.upload(key).await?, zstd };
        let header = document::write(header)?;
        writer.write(&[BEGIN, &header, BETWEEN].concat()).await?;
        Ok(writer)
    }

    /// Adds bytes of the answer.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.zstd.write_all(bytes).explain(Kind::Store, cannot_pack)?;
        let packed = std::mem::take(self.zstd.get_mut());
        if packed.is_empty() { Ok(()) } else { self.upload.write(Bytes::from(packed)).await }
    }

    /// Completes the object, and makes it visible under `condition`.
    pub async fn finish(mut self, condition: Condition) -> Result<()> {
        self.write(END).await?;
        let packed = self.zstd.finish().explain(Kind::Store, cannot_pack)?;
        self.upload.write(Bytes::from(packed)).await?;
        self.upload.finish(condition).await
    }
}

fn cannot_pack() -> String {
    "cannot pack an answer".to_owned()
}

/// One archived answer, read from its beginning to its end.
pub struct ArchiveReader {
    packed: Packed,
    /// Unpacked, and not given yet.
    waiting: Vec<u8>,
    header: ArchiveHeader,
}

impl ArchiveReader {
    /// Opens this version of an object; [`Kind::Conflict`] where it is not there any more.
    pub async fn open(store: &Arc<dyn Store>, key: &str, head: Head) -> Result<Self> {
        let mut packed = Packed::new(Arc::clone(store), key, head)?;
        let open = async {
            let mut begin = Vec::new();
            let between = loop {
                if let Some(between) = begin.windows(BETWEEN.len()).position(|bytes| bytes == BETWEEN) {
                    break between;
                }
                match packed.more().await? {
                    Some(more) if begin.len() < LONGEST => begin.extend(more),
                    _ => return Err(unreadable(Error::new(Kind::Damaged, "it is no archived answer"))),
                }
            };
            let header = begin.get(BEGIN.len()..between).unwrap_or_default();
            let header = document::read(key, header).map_err(unreadable)?;
            Ok((header, begin.split_off(between + BETWEEN.len())))
        };
        match open.await {
            Ok((header, waiting)) => Ok(Self { packed, waiting, header }),
            Err(error) => Err(error.with("key", key)),
        }
    }

    /// What stands before the answer.
    #[must_use]
    pub fn header(&self) -> &ArchiveHeader {
        &self.header
    }

    /// Condition under which this version is replaced.
    #[must_use]
    pub fn unchanged(&self) -> Condition {
        Condition::Unchanged(self.packed.head.version.clone())
    }

    /// The next bytes of the answer; none at its end.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            // The last bytes may be what stands behind the answer.
            if let Some(end) = self.waiting.len().checked_sub(END.len()).filter(|end| *end > 0) {
                let rest = self.waiting.split_off(end);
                return Ok(Some(Bytes::from(std::mem::replace(&mut self.waiting, rest))));
            }
            match self.packed.more().await? {
                Some(more) => self.waiting.extend(more),
                None if self.waiting == END => return Ok(None),
                None => {
                    let error = unreadable(Error::new(Kind::Damaged, "an archived answer ends early"));
                    return Err(error.with("key", &self.packed.key));
                }
            }
        }
    }
}

/// An object while it is unpacked.
struct Packed {
    store: Arc<dyn Store>,
    key: String,
    head: Head,
    at: u64,
    zstd: Decoder<'static, Vec<u8>>,
}

impl Packed {
    fn new(store: Arc<dyn Store>, key: &str, head: Head) -> Result<Self> {
        let zstd = Decoder::new(Vec::new()).explain(Kind::Store, cannot_unpack)?;
        Ok(Self { store, key: key.to_owned(), head, at: 0, zstd })
    }

    /// The next bytes; none at the end.
    async fn more(&mut self) -> Result<Option<Vec<u8>>> {
        if self.at == self.head.size {
            return Ok(None);
        }
        let end = (self.at + CHUNK).min(self.head.size);
        let packed = self.store.read(&self.key, &self.head.version, self.at..end).await?;
        self.at = end;
        let unpacked = self.zstd.write_all(&packed).and_then(|()| self.zstd.flush());
        unpacked
            .explain(Kind::Damaged, cannot_unpack)
            .map_err(|error| unreadable(error).with("key", &self.key))?;
        Ok(Some(std::mem::take(self.zstd.get_mut())))
    }
}

/// Nothing brings it back, and nothing else rests on it.
fn unreadable(error: Error) -> Error {
    if error.kind() == Kind::Damaged { error.hint(MEND) } else { error }
}

fn cannot_unpack() -> String {
    "an archived answer cannot be unpacked".to_owned()
}
