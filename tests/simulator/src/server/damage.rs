//! What can happen to a body: the same bytes cut, spoilt, late, or without end.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use serde::de::IgnoredAny;
use serde_json::Deserializer;

use crate::report::CHUNK_BYTES;

/// How many bytes come before a stall, and at a time in a drip.
const DRIP_BYTES: usize = 64;

/// Bytes that JSON holds neither in a text nor elsewhere.
const JUNK: &[u8] = b"\0\x01<junk>\x1f";

/// The connection is closed before anything was sent: headers wait for the first piece of the body.
pub(super) fn nothing() -> impl Stream<Item = io::Result<Bytes>> {
    stream::iter([Err(closed())])
}

/// The first half of `body`, and then the connection is closed.
pub(super) fn broken_off(body: &Bytes) -> impl Stream<Item = io::Result<Bytes>> + use<> {
    let closing = stream::once(async {
        // Otherwise, what comes before would be dropped with the connection.
        tokio::task::yield_now().await;
        Err(closed())
    });
    stream::iter([Ok(half(body))]).chain(closing)
}

/// The first bytes of `body`, and then nothing.
pub(super) fn stalled(mut body: Bytes) -> impl Stream<Item = io::Result<Bytes>> {
    body.truncate(DRIP_BYTES);
    stream::iter([Ok(body)]).chain(stream::pending())
}

/// A few bytes of `body` at a time, each time after a pause in milliseconds.
pub(super) fn dripping(body: Bytes, pause: u64) -> impl Stream<Item = io::Result<Bytes>> {
    let drips = (0..body.len()).step_by(DRIP_BYTES);
    stream::iter(drips).then(move |at| {
        let drip = body.slice(at..body.len().min(at + DRIP_BYTES));
        async move {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            Ok(drip)
        }
    })
}

/// `body`, and then `filler` for ever.
pub(super) fn endless(body: Bytes, filler: &[u8]) -> impl Stream<Item = io::Result<Bytes>> + use<> {
    let fillers = filler.repeat(CHUNK_BYTES.div_ceil(filler.len().max(1)));
    stream::iter([body]).chain(stream::repeat(Bytes::from(fillers))).then(async |piece| {
        // With gzip, it takes long until a buffer is full, and until then no other task would have its turn.
        tokio::task::yield_now().await;
        Ok(piece)
    })
}

/// The first half of `body`.
pub(super) fn half(body: &Bytes) -> Bytes {
    body.slice(..body.len() / 2)
}

/// `body` with junk in its middle.
pub(super) fn with_junk(body: &[u8]) -> Vec<u8> {
    inserted(body, body.len() / 2, JUNK)
}

/// `body` with a byte that is never in UTF-8, at the start of the first text in its second half.
pub(super) fn not_utf8(body: &[u8]) -> Vec<u8> {
    let middle = body.len() / 2;
    let starts = |at: &usize| {
        let before = body.get(..*at).unwrap_or_default();
        before.ends_with(b"\":\"") || before.ends_with(b"\": \"")
    };
    let text = (middle..body.len()).find(starts);
    inserted(body, text.unwrap_or(middle), b"\xff")
}

/// `body` with another number in its first `eventId`.
pub(super) fn of_another_event(body: &[u8]) -> Vec<u8> {
    const KEY: &[u8] = b"\"eventId\":";
    let number = (0..=body.len()).find(|at| body.get(..*at).unwrap_or_default().ends_with(KEY));
    inserted(body, number.unwrap_or_default(), b"9")
}

/// `body` with `null` in place of its first array of each of these names.
pub(super) fn without_arrays(body: &[u8], names: &str) -> Vec<u8> {
    names.split('+').fold(body.to_vec(), |body, name| without_array(&body, name))
}

fn without_array(body: &[u8], name: &str) -> Vec<u8> {
    let key = format!("\"{name}\":");
    let start = (0..=body.len()).find(|at| body.get(..*at).unwrap_or_default().ends_with(key.as_bytes()));
    let (before, rest) = body.split_at(start.unwrap_or(body.len()));
    let mut values = Deserializer::from_slice(rest).into_iter::<IgnoredAny>();
    let is_there = values.next().is_some_and(|value| value.is_ok());
    let after = rest.get(values.byte_offset()..).unwrap_or_default();
    [before, if is_there { b"null" } else { b"" }, after].concat()
}

/// The first value that is an element of an array: `body` up to its end, and what to repeat after that.
pub(super) fn first_element(body: &Bytes) -> Option<(Bytes, Vec<u8>)> {
    let arrays = body.iter().enumerate().filter(|(_, byte)| **byte == b'[').map(|(at, _)| at + 1);
    arrays.into_iter().find_map(|start| {
        let rest = body.slice(start..);
        let mut elements = Deserializer::from_slice(&rest).into_iter::<IgnoredAny>();
        elements.next()?.ok()?;
        let end = elements.byte_offset();
        Some((body.slice(..start + end), [b",", &*rest.slice(..end)].concat()))
    })
}

fn inserted(body: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let (before, after) = body.split_at(at);
    [before, bytes, after].concat()
}

fn closed() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}
