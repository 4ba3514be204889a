//! The token for requests: made when it is needed, shared by all of them, renewed before it expires and when the vendor
//! refuses it.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::Token;
use super::make::make;
use super::shared::SharedToken;
use crate::error::{Error, Kind, Result};
use crate::extract::auth::Credentials;
use crate::extract::http::Metered;

/// After a token could not be renewed, the next attempt is this much later.
const RENEW_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// The hint if a token that another machine makes does not work.
pub(super) const RENEW: &str = "run the job `token` with the application's credentials: it renews the token";

/// The tokens of one run.
#[derive(Debug)]
pub(in crate::extract) struct Tokens {
    pub(super) credentials: Option<Credentials>,
    /// Where other machines find the token that this one makes; without credentials, where this one finds it.
    shared: Option<SharedToken>,
    /// Locked while a token is made, so that only one is made for all requests that wait.
    pub(super) current: Mutex<Current>,
    /// How many failures whose code may mean that the token has ended have come since the last good answer.
    pub(super) doubts: AtomicU32,
    /// Whether the token was already checked because requests were refused: that is done only once, because a user may lack many
    /// rights.
    pub(super) has_checked_refusals: AtomicBool,
}

#[derive(Debug, Default)]
pub(super) struct Current {
    pub(super) token: Option<Token>,
    /// The token that the vendor refused last, which may still be in the shared secret.
    refused: Option<SecretString>,
    /// Whether the token could not be put into the shared secret.
    is_unshared: bool,
}

impl Current {
    /// Whether this is the token that is used now: another request may have made a new one already.
    pub(super) fn is(&self, secret: &SecretString) -> bool {
        self.token.as_ref().is_some_and(|token| is_same(&token.secret, secret))
    }

    pub(super) fn end(&mut self, secret: &SecretString) {
        self.token = None;
        self.refused = Some(secret.clone());
    }
}

impl Tokens {
    pub(in crate::extract) fn new(credentials: Option<Credentials>, shared: Option<String>) -> Self {
        Self {
            credentials,
            shared: shared.map(SharedToken::new),
            current: Mutex::default(),
            doubts: AtomicU32::new(0),
            has_checked_refusals: AtomicBool::new(false),
        }
    }

    /// The headers that sign a request; none without an application. The vendor's documentation contradicts itself on whether a
    /// request with a token must be signed as well.
    pub(in crate::extract) fn signature(&self, now: Timestamp) -> Vec<(&str, String)> {
        match &self.credentials {
            Some(Credentials::App(app)) => app.signature(now).into(),
            Some(Credentials::Token(_)) | None => Vec::new(),
        }
    }

    /// The token to use now.
    pub(in crate::extract) async fn get(&self, http: Metered<'_>) -> Result<SecretString> {
        if let Some(Credentials::Token(token)) = &self.credentials {
            return Ok(token.clone());
        }
        let mut current = self.current.lock().await;
        if let Some(token) = &current.token
            && self.is_good(token, http.now())
        {
            return Ok(token.secret.clone());
        }
        // If the token is still good for a while, renewing it is not urgent.
        let soon = http.now().checked_add(RENEW_AGAIN_AFTER * 5).unwrap_or(Timestamp::MAX);
        let is_urgent = current.token.as_ref().is_none_or(|token| soon >= token.valid_until);
        match self.find(http, current.refused.as_ref(), is_urgent).await {
            Ok((token, is_unshared)) => {
                current.is_unshared = is_unshared;
                Ok(current.token.insert(token).secret.clone())
            }
            Err(error) => match &mut current.token {
                // It is still good for a while: by then, what a new one needs may be available again.
                Some(token) if http.now() < token.valid_until => {
                    tracing::warn!(%error, "cannot renew the token yet");
                    token.renew_at = http
                        .now()
                        .checked_add(RENEW_AGAIN_AFTER)
                        .unwrap_or(token.valid_until)
                        .min(token.valid_until);
                    Ok(token.secret.clone())
                }
                _ => Err(error),
            },
        }
    }

    /// Makes a new token, which everybody uses from now on, and returns the one before; `None` if tokens are not made here.
    pub(in crate::extract) async fn renew(&self, http: Metered<'_>) -> Result<Option<SecretString>> {
        let Some(Credentials::App(app)) = &self.credentials else { return Ok(None) };
        let old = self.get(http).await?;
        let mut current = self.current.lock().await;
        let token = make(http, app, true).await?;
        if let Some(shared) = &self.shared {
            shared.write(&token).await?;
        }
        (current.token, current.is_unshared) = (Some(token), false);
        Ok(Some(old))
    }

    /// Returns the shared token if it is still good, otherwise a new one, which is then shared; and whether sharing it failed. If
    /// so, this run can still use it.
    async fn find(
        &self,
        http: Metered<'_>,
        refused: Option<&SecretString>,
        is_urgent: bool,
    ) -> Result<(Token, bool)> {
        if let Some(token) = self.read_shared().await?
            && self.is_ours(&token)
            && self.is_good(&token, http.now())
            && !refused.is_some_and(|refused| is_same(refused, &token.secret))
        {
            return Ok((token, false));
        }
        let Some(Credentials::App(app)) = &self.credentials else {
            return Err(match &self.shared {
                Some(_) => missing(),
                None => Error::new(Kind::Usage, "there is no token")
                    .hint("set `ROLLCALL_TOKEN`, or give `--app-key`, `--app-secret` and `--user-id`"),
            });
        };
        let token = make(http, app, is_urgent).await.map_err(without_token)?;
        let Some(shared) = &self.shared else { return Ok((token, false)) };
        let outcome = shared.write(&token).await;
        if let Err(error) = &outcome {
            tracing::warn!(%error, "cannot share the new token");
        }
        Ok((token, outcome.is_err()))
    }

    /// Reads the shared token, if there is one. For a run that can write a new one, an unreadable token counts as none.
    pub(super) async fn read_shared(&self) -> Result<Option<Token>> {
        let Some(shared) = &self.shared else { return Ok(None) };
        match shared.read().await {
            Err(error) if error.kind() == Kind::Damaged && self.credentials.is_some() => Ok(None),
            outcome => outcome.map_err(without_token),
        }
    }

    /// Whether the token was made with this run's credentials: if they were replaced, the next run makes a new token. A run
    /// without credentials takes any token.
    fn is_ours(&self, token: &Token) -> bool {
        match &self.credentials {
            Some(Credentials::App(app)) => token.made_with == Some(app.fingerprint()),
            Some(Credentials::Token(_)) | None => true,
        }
    }

    /// Whether the token can still be used: a run that can make a new one does so in time, any other uses it until it expires.
    fn is_good(&self, token: &Token, now: Timestamp) -> bool {
        now < if self.credentials.is_some() { token.renew_at } else { token.valid_until }
    }

    /// Notes that an answer was good, and so is the token.
    pub(in crate::extract) fn accepted(&self) {
        self.doubts.store(0, Ordering::Relaxed);
    }

    /// Puts a token that the user gave into the shared secret. A token that was made is there already, unless that failed.
    /// False if there is no such secret.
    pub(in crate::extract) async fn share(&self) -> Result<bool> {
        let Some(shared) = &self.shared else { return Ok(false) };
        let Some(Credentials::Token(given)) = &self.credentials else {
            let mut current = self.current.lock().await;
            if let Some(token) = current.token.clone().filter(|_| current.is_unshared) {
                shared.write(&token).await?;
                current.is_unshared = false;
                return Ok(true);
            }
            let found = self.read_shared().await?;
            return found.map(|_| true).ok_or_else(missing);
        };
        if self.read_shared().await?.is_some_and(|token| is_same(&token.secret, given)) {
            return Ok(true);
        }
        let (renew_at, valid_until) = (Timestamp::MAX, Timestamp::MAX);
        let (customer, made_with) = (None, None);
        shared.write(&Token { secret: given.clone(), customer, made_with, renew_at, valid_until }).await?;
        Ok(true)
    }

    /// The vendor's code of the customer; `None` if it did not come with the token.
    pub(in crate::extract) async fn customer(&self) -> Option<String> {
        self.current.lock().await.token.as_ref().and_then(|token| token.customer.clone())
    }
}

fn missing() -> Error {
    Error::new(Kind::Credentials, "the shared token is missing or too old").hint(RENEW)
}

/// Turns an error into one of credentials: without a token, nothing can be asked of the vendor, whatever the reason.
fn without_token(error: Error) -> Error {
    let is_transient = error.is_transient();
    error.taken_for(Kind::Credentials).transient(is_transient)
}

pub(super) fn is_same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Clock;
    use crate::extract::auth::tests::app;
    use crate::extract::http::tests::unreachable;
    use crate::extract::usage::Usage;

    fn token(secret: &str) -> Token {
        Token {
            secret: secret.into(),
            customer: None,
            made_with: None,
            renew_at: Timestamp::MAX,
            valid_until: Timestamp::MAX,
        }
    }

    #[tokio::test]
    async fn a_token_that_cannot_be_renewed_early_is_used_until_it_expires() {
        let at = |second| Timestamp::from_second(second).unwrap();
        for (now, is_used) in [(9, true), (15, true), (20, false)] {
            let (http, usage) = (unreachable(Clock::Fixed(at(now))), Usage::default());
            let tokens = Tokens::new(Some(Credentials::App(app())), None);
            tokens.current.lock().await.token =
                Some(Token { renew_at: at(10), valid_until: at(20), ..token("old") });
            let found = tokens.get(http.metered(&usage)).await;
            assert_eq!(found.is_ok_and(|found| is_same(&found, &"old".into())), is_used, "{now}");
            let asked = usage.used().requests;
            assert_eq!(asked > 0, now >= 10);
            if is_used {
                tokens.get(http.metered(&usage)).await.unwrap();
                assert_eq!(usage.used().requests, asked, "it is not tried again at once");
            }
        }
    }

    #[test]
    fn a_run_that_can_make_tokens_renews_them_early_and_one_that_cannot_uses_them_until_they_expire() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let token = Token { renew_at: at(10), valid_until: at(20), ..token("one") };
        let (makes, takes) = (Tokens::new(Some(Credentials::App(app())), None), Tokens::new(None, None));
        for (second, is_good_to_makers, is_good_to_takers) in
            [(9, true, true), (10, false, true), (19, false, true), (20, false, false)]
        {
            assert_eq!(makes.is_good(&token, at(second)), is_good_to_makers, "{second}");
            assert_eq!(takes.is_good(&token, at(second)), is_good_to_takers, "{second}");
        }
    }
}
