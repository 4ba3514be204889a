//! The client for the vendor's API: one connection and one set of tokens for a whole run.

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

    /// Puts the token into the secret that other machines read, unless it is there already. False if there is no such secret.
    pub async fn share_token(&self) -> Result<bool> {
        self.tokens.share().await
    }
}
