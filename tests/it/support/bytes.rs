//! Every byte that a run leaves, as somebody who searches for people would read it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::TryStreamExt;
use rollcall::load::keys;
use rollcall::load::object::ObjectReader;
use rollcall::load::store::Store;
use rollcall::transform::column::Personal;
use rollcall::transform::row::rows;
use rollcall::transform::tables::Table;
use serde_json::Value;
use simulator::{Query, Quirks, Range, RangeEnds, ViewerDetails, World, quirky_report};

/// Shorter texts are found by chance.
const SHORTEST: usize = 4;

/// What the vendor says of people in its answers, by the columns that point to one.
pub(crate) fn personal_values(world: &World, quirks: Quirks) -> BTreeSet<String> {
    let mut values = BTreeSet::new();
    for event in world.events() {
        values.insert(event.host_name.clone());
        let query = Query {
            range: Range { start: None, end: None, ends: RangeEnds::Inclusive },
            live_type: None,
            viewer_details: ViewerDetails::Cumulative,
            now: "2023-06-01T00:00:00Z".parse().unwrap(),
            request_id: "1".to_owned(),
        };
        let answer: Vec<u8> = quirky_report(event, query, quirks).flatten().collect();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        for (table, array) in [
            (Table::Lives, "lives"),
            (Table::Interactions, "interactions"),
            (Table::ViewerDetails, "viewerDetails"),
        ] {
            let points = |personal: Personal| !matches!(personal, Personal::Trait | Personal::Anything);
            let columns = table.columns().iter().filter(|column| column.personal.is_some_and(points));
            let keys: Vec<&str> = columns.filter_map(|column| column.key).collect();
            for record in answer["data"]["report"][array].as_array().into_iter().flatten() {
                let texts = keys.iter().filter_map(|key| record[*key].as_str());
                values.extend(texts.flat_map(|text| text.split(',')).map(str::to_owned));
            }
        }
    }
    // An address that ends in `.0` is what a mask leaves of one.
    values.retain(|value| value.len() >= SHORTEST && !value.ends_with(".0"));
    values
}

/// A value in clear, URL-coded, in Base64 wherever it begins, and escaped.
fn codings(value: &str) -> Vec<Vec<u8>> {
    let url: String = value
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    let escaped: String = value
        .encode_utf16()
        .map(|unit| match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
            _ => format!("\\u{unit:04x}"),
        })
        .collect();
    // For each of the three alignments of the bits, the part that does not depend on the neighbours.
    let base64 = (0..3_usize).map(|before| {
        let coded = STANDARD.encode([&vec![0; before], value.as_bytes()].concat());
        let from = (before * 8).div_ceil(6);
        let to = (before + value.len()) * 8 / 6;
        coded[from..to].to_owned()
    });
    let upper = escaped.replace("\\u", "\u{0}").to_uppercase().replace('\u{0}', "\\u");
    let mut codings: Vec<String> = vec![value.to_owned(), url.to_lowercase(), url, escaped, upper];
    codings.extend(base64.filter(|coded| coded.len() >= 8));
    codings.into_iter().map(String::into_bytes).collect()
}

/// Values, to be looked for.
pub(crate) struct Search {
    needles: Vec<(String, Vec<u8>)>,
}

impl Search {
    pub(crate) fn of<'a>(values: impl IntoIterator<Item = &'a String>) -> Self {
        let codings =
            |value: &'a String| codings(value).into_iter().map(move |coding| (value.clone(), coding));
        Self { needles: values.into_iter().flat_map(codings).collect() }
    }

    /// The first few values that a text contains, in one of their codings.
    pub(crate) fn found(&self, text: &[u8]) -> Vec<&str> {
        // Indexed by their first four bytes: few places of a text begin like any value.
        let mut by_head: HashMap<&[u8], Vec<&(String, Vec<u8>)>> = HashMap::new();
        for needle in &self.needles {
            by_head.entry(&needle.1[..SHORTEST.min(needle.1.len())]).or_default().push(needle);
        }
        let at = |from: usize| {
            let head = text.get(from..from + SHORTEST)?;
            let needles = by_head.get(head)?;
            needles
                .iter()
                .find(|(_, coding)| text[from..].starts_with(coding))
                .map(|(value, _)| value.as_str())
        };
        (0..text.len()).filter_map(at).take(5).collect()
    }
}

/// Everything in a store, unpacked, by its key: bytes as they are, and the rows of Parquet as text.
pub(crate) async fn everything(store: &Arc<dyn Store>) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for listed in store.list("", "").await.unwrap() {
        let (bytes, _) = store.get(&listed.key).await.unwrap().unwrap();
        all.push((listed.key.clone(), [listed.key.as_bytes(), b"\n", &bytes].concat()));
        if listed.key.starts_with(keys::ARCHIVE) {
            let unpacked = zstd::decode_all(&bytes[..]).unwrap();
            all.push((format!("{} unpacked", listed.key), unpacked));
        }
        let of_lake =
            Table::ALL.into_iter().find_map(|table| Some((table, keys::parse_object(table, &listed.key)?)));
        if let Some((table, day)) = of_lake.or_else(|| keys::parse_staged(&listed.key)) {
            let object = ObjectReader::open(store, &listed.key, listed.head, table, day).await.unwrap();
            let count = object.cells().iter().map(|cell| cell.rows).sum();
            let batches: Vec<_> =
                object.rows(std::iter::once(0..count)).unwrap().try_collect().await.unwrap();
            let mut text = String::new();
            for row in batches.iter().flat_map(rows) {
                // `extra`, and the record of a reject, as the JSON that they are.
                text.extend(
                    row.to_json(table)
                        .values()
                        .map(|value| format!("{value} {}\n", value.as_str().unwrap_or(""))),
                );
            }
            all.push((format!("{} as rows", listed.key), text.into_bytes()));
        }
    }
    all
}
