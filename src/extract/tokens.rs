//! The token that requests are made with: made when it is needed, shared by all, made anew before it runs out and when
//! the vendor refuses it.

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use super::auth::{App, Credentials, User};
use super::http::Http;
use super::usage::Usage;
use crate::error::{Error, Kind, Result};

/// How long before its end a token is made anew.
const RESERVE: SignedDuration = SignedDuration::from_mins(5);

/// How long a token is used where the vendor does not say how long it is valid.
const UNSTATED: SignedDuration = SignedDuration::from_hours(1);

/// The tokens of one run.
#[derive(Debug)]
pub(super) struct Tokens {
    credentials: Option<Credentials>,
    /// Held while a token is made, so that one is made for all who wait.
    made: Mutex<Option<Token>>,
}

#[derive(Debug)]
struct Token {
    secret: SecretString,
    customer: Option<String>,
    valid_until: Timestamp,
}

impl Tokens {
    pub(super) fn new(credentials: Option<Credentials>) -> Self {
        Self { credentials, made: Mutex::new(None) }
    }

    /// The token to use now.
    pub(super) async fn get(&self, http: &Http, usage: &Usage) -> Result<SecretString> {
        let app = match &self.credentials {
            Some(Credentials::Token(token)) => return Ok(token.clone()),
            Some(Credentials::App(app)) => app,
            None => {
                return Err(Error::new(Kind::Usage, "there is no token")
                    .hint("set `ROLLCALL_TOKEN`, or give `--app-key`, `--app-secret` and `--user-id`"));
            }
        };
        let mut made = self.made.lock().await;
        let now = http.now();
        if let Some(token) = &*made
            && token.valid_until.duration_since(now) > RESERVE
        {
            return Ok(token.secret.clone());
        }
        // Without a token nothing can be asked of the vendor, whatever the reason: no event would be spared.
        let token = make(http, usage, app).await.map_err(|error| error.taken_for(Kind::Credentials))?;
        let token = made.insert(token);
        Ok(token.secret.clone())
    }

    /// What the refusal of a token means: one that was made is made anew, another is for the user to replace.
    pub(super) async fn refused(&self, secret: &SecretString, error: Error) -> Error {
        if error.kind() != Kind::Credentials || !matches!(self.credentials, Some(Credentials::App(_))) {
            return error;
        }
        let mut made = self.made.lock().await;
        // Another request may have been refused before and have made a new one already.
        if made.as_ref().is_some_and(|token| token.secret.expose_secret() == secret.expose_secret()) {
            *made = None;
        }
        error.taken_for(Kind::TokenRefused)
    }

    /// The vendor's name of the customer, where it came with the token.
    pub(super) async fn customer(&self) -> Option<String> {
        self.made.lock().await.as_ref().and_then(|token| token.customer.clone())
    }
}

async fn make(http: &Http, usage: &Usage, app: &App) -> Result<Token> {
    let user_id = match &app.user {
        User::Id(user_id) => json!(user_id),
        User::Email(email) => {
            let asked = json!({ "email": email.expose_secret() });
            let found = signed(http, usage, app, "user/search/email", asked, email).await?;
            found
                .get("userId")
                .cloned()
                .ok_or_else(|| Error::new(Kind::Refused, "the vendor does not know this user"))?
        }
    };
    let now = http.now();
    let made = signed(http, usage, app, "token/create", json!({ "userId": user_id }), &app.secret).await?;
    let token = made.get(&app.token_field).and_then(Value::as_str).ok_or_else(|| {
        let message = format!("the answer has no `{}`", app.token_field);
        Error::new(Kind::Refused, message).hint("say with `--token-field` what the token's field is called")
    })?;
    // The unit of `expire` is not documented; its sample, 86400, is a day in seconds.
    let valid = made.get("expire").and_then(Value::as_i64).map_or(UNSTATED, SignedDuration::from_secs);
    let customer = match made.get("customerCode") {
        Some(Value::String(code)) => Some(code.clone()),
        Some(Value::Number(code)) => Some(code.to_string()),
        _ => None,
    };
    let valid_until = now.checked_add(valid).unwrap_or(Timestamp::MAX);
    Ok(Token { secret: token.into(), customer, valid_until })
}

/// A request that is signed by the application, tried as often as any; `hidden` is kept out of its errors.
async fn signed(
    http: &Http,
    usage: &Usage,
    app: &App,
    path: &str,
    body: Value,
    hidden: &SecretString,
) -> Result<Map<String, Value>> {
    let mut attempts = http.attempts(usage);
    loop {
        let nonce: String = (0..32).map(|_| fastrand::alphanumeric()).collect();
        let headers = app.headers(&nonce, http.now());
        let outcome = async {
            let response = http.post(usage, path, &headers, body.to_string(), hidden).await?;
            http.document(usage, response, hidden).await
        };
        match outcome.await {
            Ok(data) => {
                return serde_json::from_str(data.get())
                    .map_err(|_| Error::new(Kind::BadAnswer, "the answer's `data` is no object"));
            }
            Err(error) if error.kind() == Kind::UnknownEvent => {
                return Err(Error::new(Kind::Refused, "the vendor does not know this user"));
            }
            Err(error) => attempts.pause(error, http.now()).await?,
        }
    }
}
