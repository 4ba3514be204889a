//! Tests whether the vendor accepts a token, with the smallest request that concerns no event.

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::tokens::Tokens;
use crate::error::{Kind, Result};
use crate::extract::failure;
use crate::extract::http::Metered;

/// The endpoint that lists events by the time of their last edit.
pub(in crate::extract) const EDITS: &str = "event/modify/list";

impl Tokens {
    /// Whether the vendor accepts this token. If it refuses only the list, it knows the user, and so accepts the token; unless it
    /// refuses with the code `failed`, with which another request failed. An error if the answer shows neither.
    pub(in crate::extract) async fn accepts(
        &self,
        http: Metered<'_>,
        token: &SecretString,
        failed: Option<&str>,
    ) -> Result<bool> {
        // Few: others wait for the answer.
        let mut attempts = http.attempts().few();
        loop {
            let error = match self.ask_for_edits(http, token).await {
                Ok(()) => return Ok(true),
                Err(error) if error.kind() == Kind::Refused => {
                    return Ok(failed.is_none() || error.context("code") != failed);
                }
                Err(error) if error.kind() == Kind::Credentials => return Ok(false),
                Err(error) => error,
            };
            match attempts.pause(error).await {
                // The last attempt ended in an undocumented code, which may mean that the token has ended.
                Err(error) if failure::is_unexplained(&error) => return Ok(false),
                outcome => outcome?,
            }
        }
    }

    async fn ask_for_edits(&self, http: Metered<'_>, token: &SecretString) -> Result<()> {
        let now = http.now().as_second();
        let body = json!({
            "token": token.expose_secret(), "startTime": now - 1, "endTime": now, "page": 1, "pageSize": 1,
        });
        http.ask(EDITS, &self.signature(http.now()), body.to_string(), token).await.map(|_| ())
    }
}
