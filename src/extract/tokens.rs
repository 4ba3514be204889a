//! The token that requests are made with: made when it is needed, shared by all, made anew before it runs out and when
//! the vendor refuses it.

use std::sync::atomic::{AtomicU32, Ordering};

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::auth::{App, Credentials, User};
use super::failure;
use super::http::Http;
use super::reply::{Reply, named};
use super::shared_token::{SharedToken, Token};
use super::usage::Usage;
use crate::error::{Error, Kind, Result};

/// How long before its end a token is made anew, so that whoever takes it up by then can use it for a while: longer than
/// an invocation of the Lambda, which has a quarter of an hour.
const RESERVE: SignedDuration = SignedDuration::from_mins(30);

/// How long a token is used where the vendor does not say how long it is valid.
const UNSTATED: SignedDuration = SignedDuration::from_hours(1);

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
    let is_passing = error.is_passing();
    error.taken_for(Kind::Credentials).passing(is_passing)
}

fn is_same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

async fn make(http: &Http, usage: &Usage, app: &App) -> Result<Token> {
    let user_id = match &app.user {
        User::Id(user_id) => json!(user_id),
        User::Email(email) => {
            let asked = json!({ "email": email.expose_secret() });
            let found = signed(http, usage, app, "user/search/email", asked, email).await?;
            let user_id = found.fields()?.remove("userId");
            user_id.ok_or_else(|| found.error(Kind::Refused, "the vendor does not know this user"))?
        }
    };
    let now = http.now();
    let reply = signed(http, usage, app, "token/create", json!({ "userId": user_id }), &app.secret).await?;
    let made = reply.fields()?;
    let token = made.get(&app.token_field).and_then(Value::as_str).ok_or_else(|| {
        let message = format!("the answer has no `{}`", app.token_field);
        reply.error(Kind::Refused, message).hint("say with `--token-field` what the token's field is called")
    })?;
    // The unit of `expire` is not documented; its sample, 86400, is a day in seconds. None at all is not what it says.
    let valid = made.get("expire").and_then(Value::as_i64).filter(|seconds| *seconds > 0);
    let valid = valid.map_or(UNSTATED, SignedDuration::from_secs);
    let customer = match made.get("customerCode") {
        Some(Value::String(code)) => Some(code.clone()),
        Some(Value::Number(code)) => Some(code.to_string()),
        _ => None,
    };
    let after = |span: SignedDuration| now.checked_add(span).unwrap_or(Timestamp::MAX);
    // One of a few minutes is not made anew for every request.
    let used = (valid - RESERVE).max(valid / 2);
    Ok(Token {
        secret: token.into(),
        customer,
        made_with: Some(app.fingerprint()),
        renew_at: after(used),
        valid_until: after(valid),
    })
}

/// A request that is signed by the application, tried as often as any; `hidden` is kept out of its errors.
async fn signed(
    http: &Http,
    usage: &Usage,
    app: &App,
    path: &str,
    body: Value,
    hidden: &SecretString,
) -> Result<Reply> {
    let mut attempts = http.attempts(usage);
    loop {
        let nonce: String = (0..32).map(|_| fastrand::alphanumeric()).collect();
        let headers = app.headers(&nonce, http.now());
        let outcome = async {
            let response = http.post(usage, path, &headers, body.to_string(), hidden).await?;
            http.document(usage, response, hidden).await
        };
        match outcome.await {
            Ok(reply) => return Ok(reply),
            Err(error) if error.kind() == Kind::UnknownEvent => {
                return Err(named(
                    Error::new(Kind::Refused, "the vendor does not know this user")
                        .hint("check `--user-id`, or `--user-email`"),
                    error.context("requestId"),
                ));
            }
            Err(error) if error.kind() == Kind::Credentials => {
                return Err(error.hint("check `--app-key`, `--app-secret` and the user"));
            }
            Err(error) => attempts.pause(error, http.now()).await?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_that_others_made_anew_since_is_not_the_one_that_was_refused() {
        let token = |secret: &str| Token {
            secret: secret.into(),
            customer: None,
            made_with: None,
            renew_at: Timestamp::MAX,
            valid_until: Timestamp::MAX,
        };
        let tokens = Tokens::new(None, None);
        tokens.current.lock().await.token = Some(token("old"));
        assert!(!tokens.are_those_refused().await, "none was refused");
        tokens.current.lock().await.refused = Some("old".into());
        assert!(tokens.are_those_refused().await);
        tokens.current.lock().await.token = Some(token("new"));
        assert!(!tokens.are_those_refused().await);
    }
}
