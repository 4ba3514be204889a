//! The token that requests are made with: made when it is needed, shared by all, made anew before it runs out and when
//! the vendor refuses it.

use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::auth::Credentials;
use super::failure;
use super::http::Http;
use super::new_token::make;
use super::shared_token::{SharedToken, Token};
use super::usage::Usage;
use crate::error::{Error, Kind, Result};

/// So many answers in a row with codes that no page explains, and a token that was made is made anew: it may have ended before its
/// time, and by which code the vendor says so is not known.
const DOUBTS: u32 = 3;

/// What helps where the token that others make does not.
const RENEW: &str = "run the job `token`, with the application's credentials: it renews it";

/// The tokens of one run.
#[derive(Debug)]
pub(super) struct Tokens {
    credentials: Option<Credentials>,
    /// Where other machines find the token that this one makes; without credentials, where this one finds it.
    shared: Option<SharedToken>,
    /// Held while a token is made, so that one is made for all who wait.
    current: Mutex<Current>,
    /// Answers with codes that no page explains, since the last good one.
    doubts: AtomicU32,
}

#[derive(Debug, Default)]
struct Current {
    token: Option<Token>,
    /// The token that the vendor refused last, which may still be in the shared secret.
    refused: Option<SecretString>,
}

impl Current {
    /// Whether this is the token that is used now: another request may have made a new one already.
    fn is(&self, secret: &SecretString) -> bool {
        self.token.as_ref().is_some_and(|token| is_same(&token.secret, secret))
    }

    fn end(&mut self, secret: &SecretString) {
        self.token = None;
        self.refused = Some(secret.clone());
    }
}

impl Tokens {
    pub(super) fn new(credentials: Option<Credentials>, shared: Option<String>) -> Self {
        Self {
            credentials,
            shared: shared.map(SharedToken::new),
            current: Mutex::default(),
            doubts: AtomicU32::new(0),
        }
    }

    /// Whether the token that is used now is the one that was refused last, or those that are refused are made anew here: only then
    /// does an answer to another question say something of the refusal.
    pub(super) async fn are_those_refused(&self) -> bool {
        let current = self.current.lock().await;
        self.credentials.is_some() || current.refused.as_ref().is_some_and(|refused| current.is(refused))
    }

    /// The token to use now.
    pub(super) async fn get(&self, http: &Http, usage: &Usage) -> Result<SecretString> {
        if let Some(Credentials::Token(token)) = &self.credentials {
            return Ok(token.clone());
        }
        let mut current = self.current.lock().await;
        if let Some(token) = &current.token
            && self.is_good(token, http.now())
        {
            return Ok(token.secret.clone());
        }
        let token = self.find(http, usage, current.refused.as_ref()).await?;
        Ok(current.token.insert(token).secret.clone())
    }

    /// Makes a new token, which everybody uses from now on, and gives the one before; none where the user gave one.
    pub(super) async fn renew(&self, http: &Http, usage: &Usage) -> Result<Option<SecretString>> {
        let Some(Credentials::App(app)) = &self.credentials else { return Ok(None) };
        let old = self.get(http, usage).await?;
        let mut current = self.current.lock().await;
        let token = make(http, usage, app).await?;
        if let Some(shared) = &self.shared {
            shared.write(&token).await?;
        }
        current.token = Some(token);
        Ok(Some(old))
    }

    /// The shared token, where it is still good, else a new one, which is shared then.
    async fn find(&self, http: &Http, usage: &Usage, refused: Option<&SecretString>) -> Result<Token> {
        if let Some(token) = self.read_shared().await?
            && self.is_ours(&token)
            && self.is_good(&token, http.now())
            && !refused.is_some_and(|refused| is_same(refused, &token.secret))
        {
            return Ok(token);
        }
        let Some(Credentials::App(app)) = &self.credentials else {
            return Err(match &self.shared {
                Some(_) => missing(),
                None => Error::new(Kind::Usage, "there is no token")
                    .hint("set `ROLLCALL_TOKEN`, or give `--app-key`, `--app-secret` and `--user-id`"),
            });
        };
        let token = make(http, usage, app).await.map_err(without_token)?;
        if let Some(shared) = &self.shared {
            shared.write(&token).await?;
        }
        Ok(token)
    }

    /// The shared token, if there is one. What cannot be read is none to whoever writes a new one.
    async fn read_shared(&self) -> Result<Option<Token>> {
        let Some(shared) = &self.shared else { return Ok(None) };
        match shared.read().await {
            Err(error) if error.kind() == Kind::Damaged && self.credentials.is_some() => Ok(None),
            outcome => outcome.map_err(without_token),
        }
    }

    /// Whether it is the token of the credentials at hand: those that were replaced count from the next run on. Who has none takes
    /// what there is.
    fn is_ours(&self, token: &Token) -> bool {
        match &self.credentials {
            Some(Credentials::App(app)) => token.made_with == Some(app.fingerprint()),
            Some(Credentials::Token(_)) | None => true,
        }
    }

    /// Who can make a new token does so in time; who cannot goes on with the one there is.
    fn is_good(&self, token: &Token, now: Timestamp) -> bool {
        now < if self.credentials.is_some() { token.renew_at } else { token.valid_until }
    }

    /// An answer was good, and so is the token.
    pub(super) fn accepted(&self) {
        self.doubts.store(0, Ordering::Relaxed);
    }

    /// What a failure means for the token: one that was made is made anew, one that others make is read anew, and another is
    /// for the user to replace.
    pub(super) async fn failed(&self, secret: &SecretString, error: Error) -> Error {
        let is_refused = error.kind() == Kind::Credentials;
        match &self.credentials {
            Some(Credentials::App(_)) => {
                if is_refused || failure::is_unexplained(&error) {
                    let mut current = self.current.lock().await;
                    let is_current = current.is(secret);
                    // Once, until an answer is good: where it is not the token, a new one does not help.
                    if is_current && (is_refused || self.doubts.fetch_add(1, Ordering::Relaxed) + 1 == DOUBTS)
                    {
                        current.end(secret);
                    }
                }
                if is_refused { error.taken_for(Kind::TokenRefused) } else { error }
            }
            // In a box: few come here, and the future of every request would hold all of it.
            None if is_refused => Box::pin(self.refused_to_others(secret, error)).await,
            Some(Credentials::Token(_)) | None => error,
        }
    }

    /// What it means that a token was refused which another machine made. There is a newer one, or this one goes on: it may be
    /// refused for one event alone, and good for all others.
    async fn refused_to_others(&self, secret: &SecretString, error: Error) -> Error {
        match self.read_shared().await {
            Ok(Some(token)) if !is_same(&token.secret, secret) => {
                let mut current = self.current.lock().await;
                if current.is(secret) {
                    current.token = None;
                }
                error.taken_for(Kind::TokenRefused)
            }
            Ok(_) => {
                self.current.lock().await.refused = Some(secret.clone());
                error.hint(RENEW)
            }
            Err(unread) => unread,
        }
    }

    /// Puts a token that the user gave where the other machines find it. One that was made is there already.
    pub(super) async fn share(&self) -> Result<()> {
        let Some(shared) = &self.shared else {
            return Err(Error::new(Kind::Usage, "there is no secret to share a token in")
                .hint("name it with `--token-secret-arn`"));
        };
        let Some(Credentials::Token(given)) = &self.credentials else {
            let found = self.read_shared().await?;
            return found.map(|_| ()).ok_or_else(missing);
        };
        if self.read_shared().await?.is_some_and(|token| is_same(&token.secret, given)) {
            return Ok(());
        }
        let (renew_at, valid_until) = (Timestamp::MAX, Timestamp::MAX);
        let (customer, made_with) = (None, None);
        shared.write(&Token { secret: given.clone(), customer, made_with, renew_at, valid_until }).await
    }

    /// The vendor's name of the customer, where it came with the token.
    pub(super) async fn customer(&self) -> Option<String> {
        self.current.lock().await.token.as_ref().and_then(|token| token.customer.clone())
    }
}

fn missing() -> Error {
    Error::new(Kind::Credentials, "the shared token is missing or too old").hint(RENEW)
}

/// Without a token nothing can be asked of the vendor, whatever the reason: no event would be spared.
fn without_token(error: Error) -> Error {
    let is_transient = error.is_transient();
    error.taken_for(Kind::Credentials).passing(is_transient)
}

fn is_same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::auth::{App, User};

    fn token(secret: &str) -> Token {
        Token {
            secret: secret.into(),
            customer: None,
            made_with: None,
            renew_at: Timestamp::MAX,
            valid_until: Timestamp::MAX,
        }
    }

    #[test]
    fn who_can_make_a_token_does_so_in_time_and_who_cannot_uses_one_until_it_ends() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let token = Token { renew_at: at(10), valid_until: at(20), ..token("one") };
        let app = App {
            key: "key".into(),
            secret: "secret".into(),
            user: User::Id(1),
            key_header: "AppKey".into(),
            token_field: "token".into(),
        };
        let (makes, takes) = (Tokens::new(Some(Credentials::App(app)), None), Tokens::new(None, None));
        for (second, is_good_to_makers, is_good_to_takers) in
            [(9, true, true), (10, false, true), (19, false, true), (20, false, false)]
        {
            assert_eq!(makes.is_good(&token, at(second)), is_good_to_makers, "{second}");
            assert_eq!(takes.is_good(&token, at(second)), is_good_to_takers, "{second}");
        }
    }

    #[tokio::test]
    async fn a_token_that_others_made_anew_since_is_not_the_one_that_was_refused() {
        let tokens = Tokens::new(None, None);
        tokens.current.lock().await.token = Some(token("old"));
        assert!(!tokens.are_those_refused().await, "none was refused");
        tokens.current.lock().await.refused = Some("old".into());
        assert!(tokens.are_those_refused().await);
        tokens.current.lock().await.token = Some(token("new"));
        assert!(!tokens.are_those_refused().await);
    }
}
