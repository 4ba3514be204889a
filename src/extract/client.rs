//! The vendor's API over HTTP: one connection pool, one place where a request is made and its answer judged.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::{Response, Url, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use super::answer::{Answer, SUCCESS};
use super::auth::{self, Credentials, Token};
use super::body::Splitter;
use super::failure;
use super::retry::Attempts;
use super::usage::Usage;
use super::window::Window;
use crate::calendar::Clock;
use crate::error::{Error, Explain, Kind, Result};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer that is no report, in bytes: a page of a list has some 100 KB.
const LARGEST_DOCUMENT: usize = 16 * 1024 * 1024;

/// How the vendor is asked.
#[derive(Clone, Debug)]
pub struct Options {
    /// The vendor's host.
    pub api_url: String,
    /// How a token is come by.
    pub credentials: Credentials,
    /// How long one request may take until its answer has ended.
    pub timeout: Duration,
    /// The largest report, in bytes, unpacked.
    pub max_response_bytes: u64,
    /// When the run must have ended.
    pub deadline: Option<Timestamp>,
    /// The time.
    pub clock: Clock,
}

/// The vendor's API.
pub struct Client {
    http: reqwest::Client,
    base: Url,
    options: Options,
    /// The token that was made; held while one is made, so that one is made for all.
    token: Mutex<Option<Token>>,
}

impl Client {
    /// A client. Nothing is asked yet.
    pub fn new(options: Options) -> Result<Self> {
        let base = checked_url(&options.api_url)?;
        let http = reqwest::Client::builder()
            .user_agent(concat!("rollcall/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(options.timeout)
            .build()
            .explain(Kind::Usage, || "cannot set up HTTPS".to_owned())?;
        Ok(Self { http, base, options, token: Mutex::new(None) })
    }

    /// When no request may begin any more.
    #[must_use]
    pub fn is_out_of_time(&self) -> bool {
        self.options.deadline.is_some_and(|deadline| self.options.clock.now() >= deadline)
    }

    /// The attempts at one thing, none of them after the deadline.
    #[must_use]
    pub fn attempts<'a>(&self, usage: &'a Usage) -> Attempts<'a> {
        Attempts::new(usage, self.options.clock.now(), self.options.deadline)
    }

    /// The vendor's name of the customer, where the credentials tell it.
    pub async fn customer(&self, usage: &Usage) -> Result<Option<String>> {
        self.token(usage).await?;
        Ok(self.token.lock().await.as_ref().and_then(|token| token.customer.clone()))
    }

    /// Calls an endpoint whose answer is small, and gives its `data` as sent.
    pub async fn call(
        &self,
        usage: &Usage,
        path: &str,
        parameters: Map<String, Value>,
    ) -> Result<Box<RawValue>> {
        let token = self.token(usage).await?;
        let mut attempts = self.attempts(usage);
        loop {
            let outcome = async {
                let response = self.request(usage, path, parameters.clone(), &token).await?;
                self.document(usage, response, &token).await
            };
            match outcome.await {
                Err(error) => attempts.pause(error).await?,
                data => return data,
            }
        }
    }

    /// Asks for the report of an event: of one window, or all of it so far. One attempt.
    pub async fn report<'a>(
        &self,
        usage: &'a Usage,
        event_id: i64,
        window: Option<Window>,
    ) -> Result<Answer<'a>> {
        let token = self.token(usage).await?;
        let mut parameters = Map::from_iter([("eventId".to_owned(), json!(event_id))]);
        if let Some(window) = window {
            let (from, to) = window.asked();
            parameters.extend([("startTime".to_owned(), json!(from)), ("endTime".to_owned(), json!(to))]);
        }
        let response = self.request(usage, "event/report/details", parameters, &token).await?;
        Ok(Answer {
            response,
            splitter: Splitter::default(),
            left: self.options.max_response_bytes,
            usage,
            host: self.host().to_owned(),
            token,
        })
    }

    async fn token(&self, usage: &Usage) -> Result<SecretString> {
        let Credentials::App { key, secret, user_id } = &self.options.credentials else {
            let Credentials::Token(token) = &self.options.credentials else {
                return Err(Error::new(Kind::Credentials, "there is no token"));
            };
            return Ok(token.clone());
        };
        let mut known = self.token.lock().await;
        if let Some(token) = known.as_ref().filter(|token| token.is_fresh(self.options.clock.now())) {
            return Ok(token.secret.clone());
        }
        let mut attempts = self.attempts(usage);
        let token = loop {
            match self.make_token(usage, key, secret, *user_id).await {
                Err(error) => attempts.pause(error).await?,
                Ok(token) => break token,
            }
        };
        let secret = token.secret.clone();
        *known = Some(token);
        Ok(secret)
    }

    async fn make_token(
        &self,
        usage: &Usage,
        key: &str,
        secret: &SecretString,
        user_id: i64,
    ) -> Result<Token> {
        #[derive(Deserialize)]
        struct Made {
            token: String,
            expire: Option<i64>,
            #[serde(rename = "customerCode")]
            customer_code: Option<Value>,
        }
        let nonce: String = (0..32).map(|_| fastrand::alphanumeric()).collect();
        let now = self.options.clock.now();
        let mut request = self.http.post(self.url("token/create")?).header("accept", "application/json");
        for (name, value) in auth::headers(key, secret, &nonce, now) {
            request = request.header(name, value);
        }
        usage.request();
        let body = json!({ "userId": user_id }).to_string();
        let response = request.header("content-type", "application/json").body(body).send().await;
        let response = self.accepted(response)?;
        let data = self.document(usage, response, secret).await?;
        let made: Made = serde_json::from_str(data.get())
            .map_err(|_| Error::new(Kind::BadAnswer, "the answer has no `token`"))?;
        // The unit of `expire` is not documented; its sample, 86400, is a day in seconds.
        let valid = SignedDuration::from_secs(made.expire.unwrap_or(3600));
        let customer = match made.customer_code {
            Some(Value::String(code)) => Some(code),
            Some(Value::Number(code)) => Some(code.to_string()),
            _ => None,
        };
        let valid_until = now.checked_add(valid).unwrap_or(Timestamp::MAX);
        Ok(Token { secret: made.token.into(), customer, valid_until })
    }

    async fn request(
        &self,
        usage: &Usage,
        path: &str,
        mut parameters: Map<String, Value>,
        token: &SecretString,
    ) -> Result<Response> {
        parameters.insert("token".to_owned(), json!(token.expose_secret()));
        usage.request();
        let request = self.http.post(self.url(path)?).header("accept", "application/json");
        let body = Value::Object(parameters).to_string();
        self.accepted(request.header("content-type", "application/json").body(body).send().await)
    }

    fn accepted(&self, response: reqwest::Result<Response>) -> Result<Response> {
        let response = response.map_err(|error| failure::transport(error, self.host()))?;
        if response.status().is_success() { Ok(response) } else { Err(failure::status(response.status())) }
    }

    /// Reads an answer that is no report to its end.
    async fn document(
        &self,
        usage: &Usage,
        mut response: Response,
        secret: &SecretString,
    ) -> Result<Box<RawValue>> {
        #[derive(Deserialize)]
        struct Sent {
            #[serde(rename = "requestId")]
            request_id: Option<String>,
            code: Option<i64>,
            msg: Option<String>,
            data: Option<Box<RawValue>>,
        }
        let mut body = Vec::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|error| failure::transport(error, self.host()))?
        {
            usage.received(chunk.len());
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_DOCUMENT {
                return Err(Error::new(Kind::TooLarge, "the answer is larger than a list can be"));
            }
        }
        let sent: Sent = serde_json::from_slice(&body).map_err(|_| {
            Error::new(Kind::BadAnswer, "the answer is not the JSON that the vendor's page describes")
        })?;
        if sent.code != Some(SUCCESS) {
            let (text, request_id) = (sent.msg.as_deref(), sent.request_id.as_deref());
            return Err(failure::told(sent.code, text, request_id, secret.expose_secret()));
        }
        sent.data.ok_or_else(|| Error::new(Kind::BadAnswer, "the answer has no `data`"))
    }

    fn url(&self, path: &str) -> Result<Url> {
        self.base
            .join(&format!("eventopenapi/{path}"))
            .explain(Kind::Usage, || "cannot make a URL".to_owned())
    }

    fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }
}

/// The vendor's host: HTTPS, or plain HTTP on this machine.
fn checked_url(text: &str) -> Result<Url> {
    let hint = "name it as in `https://events-openapi.quanshi.com`";
    let invalid = || format!("`{text}` is no URL");
    let mut url = Url::parse(text).explain(Kind::Usage, invalid).map_err(|error| error.hint(hint))?;
    let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if !(url.scheme() == "https" || url.scheme() == "http" && is_local) {
        let message = format!("`{text}` would send the token in the clear");
        return Err(Error::new(Kind::Usage, message).hint("use `https://`"));
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_sent_in_the_clear_to_this_machine_only() {
        for (url, allowed) in [
            ("https://events-openapi.quanshi.com", true),
            ("http://127.0.0.1:8080", true),
            ("http://localhost:8080/base", true),
            ("http://[::1]:8080", true),
            ("http://events-openapi.quanshi.com", false),
            ("http://127.0.0.1.example.com", false),
            ("ftp://127.0.0.1", false),
            ("events-openapi.quanshi.com", false),
        ] {
            assert_eq!(checked_url(url).is_ok(), allowed, "{url}");
        }
    }
}
