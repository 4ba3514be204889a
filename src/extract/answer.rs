//! A report as it arrives.

use bytes::Bytes;
use reqwest::Response;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::body::{Position, Splitter};
use super::envelope::Envelope;
use super::failure;
use super::http::{Arriving, Metered};
use super::reply::{SUCCESS, with_request_id};
use super::token::Tokens;
use crate::error::{Error, Kind, Result};
use crate::json::record::Record;

/// The endpoint that returns reports.
pub(super) const REPORT: &str = "event/report/details";

/// The most chunks that are received ahead of decoding; each has up to about 400 KB.
const AHEAD: usize = 4;

/// A report that is arriving.
pub struct Answer<'a> {
    http: Metered<'a>,
    tokens: &'a Tokens,
    token: SecretString,
    chunks: mpsc::Receiver<reqwest::Result<Bytes>>,
    /// Receives chunks while earlier ones are decoded; stops when the answer is dropped.
    _receiving: JoinSet<()>,
    asked_at: Instant,
    event_id: i64,
    splitter: Splitter,
    /// Bytes that the answer may still have.
    left: u64,
}

impl<'a> Answer<'a> {
    pub(super) fn new(
        http: Metered<'a>,
        tokens: &'a Tokens,
        token: SecretString,
        Arriving { response, asked_at }: Arriving,
        event_id: i64,
        left: u64,
    ) -> Self {
        let (sender, chunks) = mpsc::channel(AHEAD);
        let mut receiving = JoinSet::new();
        receiving.spawn(receive(response, sender));
        let splitter = Splitter::default();
        Self { http, tokens, token, chunks, _receiving: receiving, asked_at, event_id, splitter, left }
    }

    /// Waits for the next part of the answer, passes on its records with their positions, and returns its bytes; `None` at the
    /// end.
    pub async fn advance(&mut self, record: impl FnMut(Position<'_>, Record<'_>)) -> Result<Option<Bytes>> {
        let chunk = self.chunks.recv().await.transpose();
        let Some(chunk) = self.http.received(chunk, self.asked_at)? else { return Ok(None) };
        self.left = self.left.checked_sub(chunk.len() as u64).ok_or_else(|| {
            Error::new(Kind::TooLarge, "the answer is larger than allowed")
                .hint("raise `--max-response-bytes`")
        })?;
        self.splitter.push(&chunk, record)?;
        Ok(Some(chunk))
    }

    /// Returns what surrounds the records. An error if the vendor reports a failure, or if this is the report of another event.
    pub async fn finish(self) -> Result<Envelope> {
        let envelope = self.splitter.finish().map_err(|error| self.http.reported(error, self.asked_at))?;
        let (text, request_id) = (envelope.message.as_deref(), envelope.request_id.as_deref());
        if envelope.code != Some(SUCCESS) {
            let error = failure::from_envelope(envelope.code, text, request_id, self.token.expose_secret());
            let error = self.http.reported(error, self.asked_at);
            return Err(self.tokens.failed(self.http, REPORT, &self.token, error).await);
        }
        self.tokens.accepted();
        if envelope.event_id.is_some_and(|event_id| event_id != self.event_id) {
            let other = Error::new(Kind::BadAnswer, "the answer is the report of another event");
            return Err(with_request_id(other, request_id));
        }
        Ok(envelope)
    }
}

/// Receives to the end, or to the first failure.
async fn receive(mut response: Response, chunks: mpsc::Sender<reqwest::Result<Bytes>>) {
    while let Some(chunk) = response.chunk().await.transpose() {
        let is_last = chunk.is_err();
        // If the answer was given up, nobody waits for more.
        if chunks.send(chunk).await.is_err() || is_last {
            return;
        }
    }
}
