//! A report while it arrives.

use reqwest::Response;
use secrecy::{ExposeSecret, SecretString};

use super::body::{Envelope, Splitter};
use super::failure;
use super::http::{Http, SUCCESS};
use super::tokens::Tokens;
use super::usage::Usage;
use crate::error::{Error, Kind, Result};

/// A report on its way.
pub struct Answer<'a> {
    http: &'a Http,
    tokens: &'a Tokens,
    token: SecretString,
    response: Response,
    usage: &'a Usage,
    splitter: Splitter,
    /// Bytes that the answer may still have.
    left: u64,
}

impl<'a> Answer<'a> {
    pub(super) fn new(
        http: &'a Http,
        tokens: &'a Tokens,
        token: SecretString,
        response: Response,
        usage: &'a Usage,
        left: u64,
    ) -> Self {
        Self { http, tokens, token, response, usage, splitter: Splitter::default(), left }
    }

    /// Waits for the next part of the answer and hands its records on, with the key of their array. False at the end.
    pub async fn advance(&mut self, record: impl FnMut(&str, &str) -> Result<()>) -> Result<bool> {
        let chunk = self.response.chunk().await.map_err(|error| self.http.transport(error))?;
        let Some(chunk) = chunk else { return Ok(false) };
        self.usage.received(chunk.len());
        self.left = self.left.checked_sub(chunk.len() as u64).ok_or_else(|| {
            Error::new(Kind::TooLarge, "the answer is larger than allowed")
                .hint("raise `--max-response-bytes`")
        })?;
        self.splitter.push(&chunk, record)?;
        Ok(true)
    }

    /// What stood around the records. An error where the vendor says that it failed.
    pub async fn finish(self) -> Result<Envelope> {
        let envelope = self.splitter.finish()?;
        if envelope.code == Some(SUCCESS) {
            return Ok(envelope);
        }
        let (text, request_id) = (envelope.message.as_deref(), envelope.request_id.as_deref());
        let error = failure::told(envelope.code, text, request_id, self.token.expose_secret());
        Err(self.tokens.refused(&self.token, error).await)
    }
}
