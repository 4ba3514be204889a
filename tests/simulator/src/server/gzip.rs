//! Answers in gzip.

use std::io::{self, Write};

use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream::{self, StreamExt};

/// Whether the client that sent `headers` takes gzip.
pub(super) fn is_accepted(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split([',', ';']).any(|encoding| encoding.trim() == "gzip")
}

/// `response` in gzip, piece by piece, so that whatever is to happen to its body still happens.
pub(super) fn gzip(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    parts.headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    let encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Each piece, and `None` for the end. After an error there is no end: the body breaks off.
    let pieces = body.into_data_stream().map(Some).chain(stream::iter([None]));
    let packed = pieces.scan(encoder, |encoder, piece| {
        let packed = match piece {
            Some(Ok(piece)) => pack(encoder, &piece),
            Some(Err(error)) => Err(io::Error::other(error)),
            None => encoder.try_finish().map(|()| std::mem::take(encoder.get_mut()).into()),
        };
        std::future::ready(Some(packed))
    });
    Response::from_parts(parts, Body::from_stream(packed))
}

/// `piece` in gzip, so that it can be read without what follows.
fn pack(encoder: &mut GzEncoder<Vec<u8>>, piece: &[u8]) -> io::Result<Bytes> {
    encoder.write_all(piece)?;
    encoder.flush()?;
    Ok(std::mem::take(encoder.get_mut()).into())
}
