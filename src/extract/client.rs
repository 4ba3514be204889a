//! The client for the vendor's API: one connection and one set of tokens for a whole run.

use std::time::Duration;

use jiff::Timestamp;

use super::auth::Credentials;
use super::http::{Http, HttpOptions};
use super::token::Tokens;
use crate::error::Result;

/// A client for the vendor's API.
pub struct Client {
    pub(super) http: Http,
    pub(super) tokens: Tokens,
    pub(super) max_response_bytes: u64,
}

impl Client {
    /// A client that accepts reports of up to `max_response_bytes`, decompressed. `shared` is the secret through which machines
    /// share a token. Nothing is asked yet; without credentials and without such a secret, every call will fail.
    pub fn new(
        options: HttpOptions,
        credentials: Option<Credentials>,
        shared: Option<String>,
        max_response_bytes: u64,
    ) -> Result<Self> {
        Ok(Self { http: Http::new(options)?, tokens: Tokens::new(credentials, shared), max_response_bytes })
    }

    /// For how long requests may still begin; `None` if there is no limit.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        self.http.time_left()
    }

    /// Whether no request may begin any more.
    #[must_use]
    pub fn is_out_of_time(&self) -> bool {
        self.time_left().is_some_and(|left| left.is_zero())
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.http.now()
    }

    /// Puts the token into the secret that other machines read, unless it is there already.
    pub async fn share_token(&self) -> Result<()> {
        self.tokens.share().await
    }
}
