//! Makes a new token, in the name of an application and for one of its users.

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::Token;
use crate::error::{Error, Kind, Result};
use crate::extract::auth::{App, User};
use crate::extract::http::Metered;
use crate::extract::reply::{Reply, with_request_id};

/// How long before it expires a token is renewed, so that whoever still gets the old one can use it for a while: longer than an
/// invocation of the Lambda, which may take 15 minutes.
const RESERVE: SignedDuration = SignedDuration::from_mins(30);

/// How long a token counts as valid if the vendor does not say.
const UNSTATED: SignedDuration = SignedDuration::from_hours(1);

/// Asks the vendor for a new token. If that `is_urgent`, it is tried as often as any request; otherwise only a few times, because
/// others wait.
pub(super) async fn make(http: Metered<'_>, app: &App, is_urgent: bool) -> Result<Token> {
    let signing = Signing { http, app, is_urgent };
    let user_id = match &app.user {
        User::Id(user_id) => json!(user_id),
        User::Email(email) => {
            let asked = json!({ "email": email.expose_secret() });
            let found = signing.ask("user/search/email", &asked, email).await?;
            let user_id = found.fields()?.remove("userId");
            user_id.ok_or_else(|| found.error(Kind::Refused, "the vendor does not know this user"))?
        }
    };
    let now = http.now();
    let reply = signing.ask("token/create", &json!({ "userId": user_id }), &app.secret).await?;
    let made = reply.fields()?;
    let token = made.get(&app.token_field).and_then(Value::as_str).ok_or_else(|| {
        let message = format!("the answer has no `{}`", app.token_field);
        reply.error(Kind::Refused, message).hint("name the field that holds the token with `--token-field`")
    })?;
    // The unit of `expire` is not documented; its sample, 86400, is a day in seconds. Zero or less is taken as not stated.
    let valid = made.get("expire").and_then(seconds).filter(|seconds| *seconds > 0);
    let valid = valid.map_or(UNSTATED, SignedDuration::from_secs);
    let customer = match made.get("customerCode") {
        Some(Value::String(code)) => Some(code.clone()),
        Some(Value::Number(code)) => Some(code.to_string()),
        _ => None,
    };
    let after = |span: SignedDuration| now.checked_add(span).unwrap_or(Timestamp::MAX);
    // At least half of its time, so that a token that is valid for only a few minutes is not renewed for every request.
    let used = (valid - RESERVE).max(valid / 2);
    Ok(Token {
        secret: token.into(),
        customer,
        made_with: Some(app.fingerprint()),
        renew_at: after(used),
        valid_until: after(valid),
    })
}

/// A number of seconds, sent as a number or as text.
fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// Requests that an application signs.
struct Signing<'a> {
    http: Metered<'a>,
    app: &'a App,
    is_urgent: bool,
}

impl Signing<'_> {
    /// Sends a request, with the usual retries. `hidden` is kept out of its errors.
    async fn ask(&self, path: &str, body: &Value, hidden: &SecretString) -> Result<Reply> {
        let Self { http, app, is_urgent } = *self;
        let mut attempts = if is_urgent { http.attempts() } else { http.attempts().few() };
        loop {
            match http.ask(path, &app.signature(http.now()), body.to_string(), hidden).await {
                Ok(reply) => return Ok(reply),
                Err(error) if error.kind() == Kind::UnknownEvent => {
                    return Err(with_request_id(
                        Error::new(Kind::Refused, "the vendor does not know this user")
                            .hint("check `--user-id`, or `--user-email`"),
                        error.context("requestId"),
                    ));
                }
                Err(error) if error.kind() == Kind::Credentials => {
                    return Err(error.hint("check `--app-key`, `--app-secret` and the user"));
                }
                Err(error) => attempts.pause(error).await?,
            }
        }
    }
}
