//! What a failed request says about the token.

use std::sync::atomic::Ordering;

use secrecy::SecretString;

use super::check::EDITS;
use super::tokens::{RENEW, Tokens, is_same};
use crate::error::{Error, Kind, Result};
use crate::extract::auth::Credentials;
use crate::extract::failure;
use crate::extract::http::Metered;

/// After this many failures in a row whose code may mean that the token has ended, the token is checked: it may have ended before
/// its time, and nobody knows which code the vendor sends then.
const DOUBTS: u32 = 3;

impl Tokens {
    /// What a failure says about the token. A token that the vendor accepts elsewhere is refused for this request alone: it
    /// stays, and the request has failed. A token that has ended is made again, or read again if other machines make it, and the
    /// request is worth a retry; a token that the user gave is for the user to replace.
    pub(in crate::extract) async fn failed(
        &self,
        http: Metered<'_>,
        path: &str,
        secret: &SecretString,
        error: Error,
    ) -> Error {
        let is_refused = error.kind() == Kind::Credentials;
        // A check would ask for the very list that has failed, which shows nothing; with credentials it is made all the same, for
        // a new token does no harm.
        let shows_nothing = path == EDITS && self.credentials.is_none();
        if !is_refused && (shows_nothing || !self.is_doubted(&error)) {
            return error;
        }
        // Boxed: this is rare, and otherwise the future of every request would hold all of it.
        let is_ended = Box::pin(self.is_ended(http, path, secret, error.context("code"))).await;
        if matches!(is_ended, Ok(false)) {
            self.accepted();
        }
        match is_ended {
            Ok(false) if is_refused => error
                .taken_for(Kind::Refused)
                .hint("the token is good, but not for this event: check what its user may see"),
            Ok(true) => match &self.credentials {
                Some(Credentials::App(_)) if is_refused => error.taken_for(Kind::TokenRefused),
                Some(_) => error,
                None => self.replaced_by_others(secret, error).await,
            },
            Ok(false) | Err(_) => error,
        }
    }

    /// Whether enough requests in a row have failed, with codes that may mean that the token has ended, for it to be checked.
    fn is_doubted(&self, error: &Error) -> bool {
        let is_of_rights = error.kind() == Kind::Refused;
        if !failure::may_mean_an_ended_token(error)
            || is_of_rights && self.has_checked_refusals.load(Ordering::Relaxed)
            || self.doubts.fetch_add(1, Ordering::Relaxed) + 1 != DOUBTS
        {
            return false;
        }
        self.has_checked_refusals.fetch_or(is_of_rights, Ordering::Relaxed);
        true
    }

    /// Whether the token with which a call of `path` failed has ended. If it has, and is the one in use, the next call finds or
    /// makes another.
    async fn is_ended(
        &self,
        http: Metered<'_>,
        path: &str,
        secret: &SecretString,
        failed: Option<&str>,
    ) -> Result<bool> {
        let makes_tokens = matches!(self.credentials, Some(Credentials::App(_)));
        // Locked during the check, so that it is made once for all requests that wait.
        let mut current = self.current.lock().await;
        if makes_tokens && !current.is(secret) {
            return Ok(true);
        }
        // What failed was already a request that concerns no event.
        let is_accepted = if path == EDITS { Ok(false) } else { self.accepts(http, secret, failed).await };
        if makes_tokens && !matches!(is_accepted, Ok(true)) {
            // Even if the check shows nothing: a new token does no harm.
            current.end(secret);
            return Ok(true);
        }
        is_accepted.map(|is_accepted| !is_accepted)
    }

    /// The error if a token of another machine has ended: either there is a newer one by now, or the job `token` has to make one.
    async fn replaced_by_others(&self, secret: &SecretString, error: Error) -> Error {
        match self.read_shared().await {
            Ok(Some(token)) if !is_same(&token.secret, secret) => {
                let mut current = self.current.lock().await;
                if current.is(secret) {
                    current.token = None;
                }
                error.taken_for(Kind::TokenRefused)
            }
            // The user may not be allowed to see the list either.
            Ok(_) if error.kind() == Kind::Refused => error,
            Ok(_) => error.taken_for(Kind::Credentials).hint(RENEW),
            Err(unread) => unread,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Clock;
    use crate::extract::http::tests::unreachable;
    use crate::extract::usage::Usage;

    #[tokio::test]
    async fn failing_reports_have_a_token_made_elsewhere_checked_but_failing_lists_do_not() {
        for (path, is_checked) in [(EDITS, false), ("event/report/details", true)] {
            let (http, usage) = (unreachable(Clock::System), Usage::default());
            let tokens = Tokens::new(None, None);
            for _ in 0..DOUBTS {
                let error = Error::new(Kind::Unavailable, "no reason").with("code", 10_086);
                let said = tokens.failed(http.metered(&usage), path, &"one".into(), error).await;
                assert_eq!(said.kind(), Kind::Unavailable, "{path}");
            }
            assert_eq!(usage.used().requests > 0, is_checked, "{path}");
        }
    }
}
