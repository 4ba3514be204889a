//! Calls to the vendor's API: the endpoints with small answers, and the report.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::answer::{Answer, REPORT};
use super::auth::Credentials;
use super::http::{Http, HttpOptions};
use super::reply::Reply;
use super::retry::Attempts;
use super::token::Tokens;
use super::token::check;
use super::usage::Usage;
use super::window::Window;
use crate::error::Result;

/// A client for the vendor's API.
pub struct Client {
    http: Http,
    tokens: Tokens,
    max_response_bytes: u64,
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

    /// A count of attempts at one request, none made yet.
    #[must_use]
    pub fn attempts<'a>(&self, usage: &'a Usage) -> Attempts<'a> {
        self.http.attempts(usage)
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.http.now()
    }

    /// The vendor's code of the customer; `None` if it did not come with the token.
    pub async fn customer(&self, usage: &Usage) -> Result<Option<String>> {
        self.tokens.get(&self.http, usage).await?;
        Ok(self.tokens.customer().await)
    }

    /// Puts the token into the secret that other machines read, unless it is there already.
    pub async fn share_token(&self) -> Result<()> {
        self.tokens.share().await
    }

    /// Calls an endpoint whose answer is small, with the usual retries.
    pub async fn call(&self, usage: &Usage, path: &str, parameters: Map<String, Value>) -> Result<Reply> {
        let mut attempts = self.attempts(usage);
        loop {
            match self.try_call(usage, path, parameters.clone()).await {
                Err(error) => attempts.pause(error, self.now()).await?,
                reply => return reply,
            }
        }
    }

    async fn try_call(&self, usage: &Usage, path: &str, parameters: Map<String, Value>) -> Result<Reply> {
        let token = self.tokens.get(&self.http, usage).await?;
        match self.call_with(usage, path, parameters, &token).await {
            Ok(reply) => {
                self.tokens.accepted();
                Ok(reply)
            }
            Err(error) => Err(self.tokens.failed(&self.http, usage, path, &token, error).await),
        }
    }

    async fn call_with(
        &self,
        usage: &Usage,
        path: &str,
        mut parameters: Map<String, Value>,
        token: &SecretString,
    ) -> Result<Reply> {
        parameters.insert("token".to_owned(), json!(token.expose_secret()));
        let arriving = self.http.post(usage, path, &[], Value::Object(parameters).to_string(), token).await?;
        self.http.document(usage, arriving, token).await
    }

    /// Whether a new token ends the one before, found out by making one; `None` if tokens are not made here.
    pub async fn token_ends_old(&self, usage: &Usage) -> Result<Option<bool>> {
        let Some(old) = self.tokens.renew(&self.http, usage).await? else { return Ok(None) };
        check::is_accepted(&self.http, usage, &old).await.map(|is_accepted| Some(!is_accepted))
    }

    /// Asks for the report of an event, of one window or of everything so far. One attempt, without retries.
    pub async fn report<'a>(
        &'a self,
        usage: &'a Usage,
        event_id: i64,
        window: Option<Window>,
    ) -> Result<Answer<'a>> {
        let range: Vec<(&str, i64)> = window.iter().flat_map(Window::parameters).collect();
        self.report_with(usage, event_id, &range).await
    }

    /// Asks for the report of an event with these parameters. One attempt, without retries.
    pub async fn report_with<'a>(
        &'a self,
        usage: &'a Usage,
        event_id: i64,
        parameters: &[(&str, i64)],
    ) -> Result<Answer<'a>> {
        let token = self.tokens.get(&self.http, usage).await?;
        tracing::debug!(event_id, ?parameters, "requesting a report");
        let token_and_event = [("token", json!(token.expose_secret())), ("eventId", json!(event_id))];
        let parameters = parameters.iter().map(|(name, value)| (*name, json!(value)));
        let asked = token_and_event.into_iter().chain(parameters);
        let asked: Map<String, Value> = asked.map(|(name, value)| (name.to_owned(), value)).collect();
        match self.http.post(usage, REPORT, &[], Value::Object(asked).to_string(), &token).await {
            Ok(arriving) => {
                let most = self.max_response_bytes;
                Ok(Answer::new(&self.http, &self.tokens, token, arriving, usage, event_id, most))
            }
            Err(error) => Err(self.tokens.failed(&self.http, usage, REPORT, &token, error).await),
        }
    }
}
