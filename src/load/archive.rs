//! The archive: the vendor's answers, each together with the request, so that tables can be rebuilt after the vendor has
//! forgotten the data.
//!
//! An object is one JSON document, compressed with zstd: `{"asked": …, "answer": …}`. The answer is kept byte for byte,
//! unless something of it may not be kept.

use std::io::Write;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use zstd::stream::raw::{CParameter, Decoder, InBuffer, Operation, OutBuffer};
use zstd::stream::write::Encoder;

use super::cell::Source;
use super::document;
use super::store::{Condition, Head, Store, Upload};
use crate::error::{Error, Explain, Kind, Result};
use crate::transform::privacy::PrivacyVersion;

// Settings of zstd: fast, and with little enough memory to stay in the processor's nearest caches. Decoding an answer needs
// those, too, and it is packed at the same time.
const LEVEL: i32 = -1;
const WINDOW: CParameter = CParameter::WindowLog(17);
const TABLE: CParameter = CParameter::HashLog(13);
/// Bytes of a packed object that are read from the store at once.
const CHUNK: u64 = 1024 * 1024;
/// Bytes that are unpacked at once.
const PART: usize = 1024 * 1024;
// The JSON before the header, between header and answer, and after the answer.
const BEGIN: &[u8] = b"{\"asked\":";
const BETWEEN: &[u8] = b",\n\"answer\":";
const END: &[u8] = b"}\n";
/// Hint for a damaged answer.
const MEND: &str =
    "restore it from a previous version or a backup; without it, the lake keeps what it has of that visit";
/// Unpacked bytes within which the header has to end; an object with a longer one is damaged.
const LONGEST: usize = 1024 * 1024;

/// The header of an archived answer: the request, and what is needed to build rows of the lake from the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveHeader {
    /// Format of the document.
    pub format: u32,
    /// The event.
    pub event_id: i64,
    /// When the visit began.
    pub pulled_at: Timestamp,
    /// The run that the visit belonged to.
    pub run: String,
    /// The lake's time zone, which decides where days begin and end.
    pub zone: String,
    /// The day that the rows lie in; for a snapshot, the day of the event.
    pub day: Date,
    /// Which requests the answer belongs to.
    pub source: Source,
    /// All windows of the day, each `[from, to)` in Unix seconds; empty for a snapshot. The day consists of the answers to all of
    /// them.
    pub windows: Vec<(i64, i64)>,
    /// Which of the windows this answer is for, counted from 0.
    pub window: usize,
    /// When a user last accepted fewer rows (`--accept-shrink`), as far as the visit knew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// The parameters of the request, without the token.
    pub request: serde_json::Map<String, serde_json::Value>,
    /// What was kept of people.
    #[serde(rename = "kept", default, skip_serializing_if = "PrivacyVersion::is_everything")]
    pub privacy_version: PrivacyVersion,
}

/// Writes one answer into the archive. If dropped before it is finished, it leaves nothing behind.
pub struct ArchiveWriter {
    upload: Box<dyn Upload>,
    zstd: Encoder<'static, Vec<u8>>,
}

impl ArchiveWriter {
    /// Begins an object, and writes its header.
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

    /// Completes the object, and makes it visible if `condition` holds.
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

/// Reads one archived answer from its beginning to its end.
pub struct ArchiveReader {
    packed: Packed,
    /// Unpacked bytes that have not been returned yet.
    waiting: Vec<u8>,
    header: ArchiveHeader,
}

impl ArchiveReader {
    /// Opens this version of an object, and reads its header. Returns [`Kind::Conflict`] if the version no longer exists.
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
                    _ => return Err(unreadable(Error::new(Kind::Damaged, "this is not an archived answer"))),
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

    /// The header of the answer.
    #[must_use]
    pub fn header(&self) -> &ArchiveHeader {
        &self.header
    }

    /// The condition for a write that may replace this version only.
    #[must_use]
    pub fn unchanged(&self) -> Condition {
        Condition::Unchanged(self.packed.head.version.clone())
    }

    /// Returns the next bytes of the answer; `None` at its end.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            // The last bytes are held back: they may be `END`, which is not a part of the answer.
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

/// An object that is being unpacked.
struct Packed {
    store: Arc<dyn Store>,
    key: String,
    head: Head,
    at: u64,
    /// What was read, and is not unpacked yet.
    chunk: Bytes,
    zstd: Decoder<'static>,
    /// Whether there may be more to unpack of what was read, because the last part was full.
    has_more: bool,
}

impl Packed {
    fn new(store: Arc<dyn Store>, key: &str, head: Head) -> Result<Self> {
        let zstd = Decoder::new().explain(Kind::Store, cannot_unpack)?;
        let (chunk, key) = (Bytes::new(), key.to_owned());
        Ok(Self { store, key, head, at: 0, chunk, zstd, has_more: false })
    }

    /// Returns the next part, unpacked; `None` at the end of the object. However small its packed form is, a part is never larger
    /// than [`PART`].
    async fn more(&mut self) -> Result<Option<Vec<u8>>> {
        if self.chunk.is_empty() && !self.has_more {
            if self.at == self.head.size {
                return Ok(None);
            }
            let end = (self.at + CHUNK).min(self.head.size);
            self.chunk = self.store.read(&self.key, &self.head.version, self.at..end).await?;
            self.at = end;
        }
        let mut part = Vec::with_capacity(PART);
        let (mut input, mut output) = (InBuffer::around(&self.chunk), OutBuffer::around(&mut part));
        let outcome = self.zstd.run(&mut input, &mut output);
        let (taken, unpacked) = (input.pos(), output.pos());
        outcome
            .explain(Kind::Damaged, cannot_unpack)
            .map_err(|error| unreadable(error).with("key", &self.key))?;
        self.chunk.advance(taken);
        self.has_more = unpacked == part.capacity();
        Ok(Some(part))
    }
}

/// Adds the hint to an error of a damaged answer: nothing can rebuild the answer, but nothing else depends on it.
fn unreadable(error: Error) -> Error {
    if error.kind() == Kind::Damaged { error.hint(MEND) } else { error }
}

fn cannot_unpack() -> String {
    "an archived answer cannot be unpacked".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::FORMAT;
    use crate::load::store::Folder;

    #[tokio::test]
    async fn a_highly_compressed_answer_is_unpacked_part_by_part() {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(Folder::new(folder.path()));
        let header = ArchiveHeader {
            format: FORMAT,
            event_id: 7,
            pulled_at: Timestamp::UNIX_EPOCH,
            run: "run".to_owned(),
            zone: "UTC".to_owned(),
            day: Date::ZERO,
            source: Source::Snapshot,
            windows: Vec::new(),
            window: 0,
            accepted_at: None,
            request: serde_json::Map::new(),
            privacy_version: PrivacyVersion::default(),
        };
        let spaces = vec![b' '; 3 * PART];
        let mut writer = ArchiveWriter::create(store.as_ref(), "answer", &header).await.unwrap();
        for bytes in [&b"[1"[..], &spaces, &spaces, &spaces, b"]"] {
            writer.write(bytes).await.unwrap();
        }
        writer.finish(Condition::Absent).await.unwrap();
        let head = store.head("answer").await.unwrap().unwrap();
        assert!(head.size < 10_000, "{}", head.size);
        let mut reader = ArchiveReader::open(&store, "answer", head).await.unwrap();
        let mut answer = Vec::new();
        while let Some(bytes) = reader.next().await.unwrap() {
            assert!(bytes.len() <= PART + END.len(), "{}", bytes.len());
            answer.extend_from_slice(&bytes);
        }
        assert!(answer == [&b"[1"[..], &spaces, &spaces, &spaces, b"]"].concat());
    }
}
