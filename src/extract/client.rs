//! The vendor's API: endpoints with small answers, and the report.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::auth::Credentials;
use super::http::{Http, HttpOptions};
use super::reply::Reply;
use super::retry::Attempts;
use super::tokens::Tokens;
use super::usage::Usage;
use super::window::Window;
use crate::error::{Error, Kind, Result};

/// The list of events by the time of their last edit.
const EDITS: &str = "event/modify/list";

/// The vendor's API.
pub struct Client {
    http: Http,
    tokens: Tokens,
    max_response_bytes: u64,
}

impl Client {
    /// A client that takes reports of at most so many bytes, unpacked. `shared` is the secret of a token that many
    /// machines use. Nothing is asked yet, and nothing can be where there are neither credentials nor such a secret.
    pub fn new(
        options: HttpOptions,
        credentials: Option<Credentials>,
        shared: Option<String>,
        max_response_bytes: u64,
    ) -> Result<Self> {
        Ok(Self { http: Http::new(options)?, tokens: Tokens::new(credentials, shared), max_response_bytes })
    }

    /// How long requests may still begin; none where that is for ever.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        self.http.time_left()
    }

    /// Whether no request may begin any more.
    #[must_use]
    pub fn is_out_of_time(&self) -> bool {
        self.time_left().is_some_and(|left| left.is_zero())
    }

    /// The attempts at one thing.
    #[must_use]
    pub fn attempts<'a>(&self, usage: &'a Usage) -> Attempts<'a> {
        self.http.attempts(usage)
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.http.now()
    }

    /// The vendor's name of the customer, where the credentials tell it.
    pub async fn customer(&self, usage: &Usage) -> Result<Option<String>> {
        self.tokens.get(&self.http, usage).await?;
        Ok(self.tokens.customer().await)
    }

    /// Puts the token into the secret that other machines read, where it is not there already.
    pub async fn share_token(&self) -> Result<()> {
        self.tokens.share().await
    }

    /// Calls an endpoint whose answer is small.
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
            Err(error) => Err(self.tokens.failed(&token, error).await),
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

    /// Whether a new token ends the one before, found out by making one; none where tokens are not made here.
    pub async fn token_ends_old(&self, usage: &Usage) -> Result<Option<bool>> {
        let Some(old) = self.tokens.renew(&self.http, usage).await? else { return Ok(None) };
        let parameters = self.edits_of_a_second();
        let mut attempts = self.attempts(usage);
        loop {
            match self.call_with(usage, EDITS, parameters.clone(), &old).await {
                Ok(_) => return Ok(Some(false)),
                Err(error) if error.kind() == Kind::Credentials => return Ok(Some(true)),
                Err(error) => attempts.pause(error, self.now()).await?,
            }
        }
    }

    /// What it means that a question about one event failed: a token that is refused there, and good for a call that is about
    /// no event, is refused for this one. One that others make may have been made anew between the two: of that one nothing is
    /// known.
    pub async fn judged(&self, usage: &Usage, error: Error) -> Error {
        let is_refused = error.kind() == Kind::Credentials && !error.is_transient();
        // In a box: few come here, and the future of whoever asks would hold all of it.
        if is_refused
            && Box::pin(self.call(usage, EDITS, self.edits_of_a_second())).await.is_ok()
            && self.tokens.are_those_refused().await
        {
            return error
                .taken_for(Kind::Refused)
                .hint("the token is good, but not for this event: check what its user may see");
        }
        error
    }

    /// The smallest question there is.
    fn edits_of_a_second(&self) -> Map<String, Value> {
        let now = self.now().as_second();
        let asked = [("startTime", now - 1), ("endTime", now), ("page", 1), ("pageSize", 1)];
        asked.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
    }

    /// Asks for the report of an event: of one window, or all of it so far. One attempt.
    pub async fn report<'a>(
        &'a self,
        usage: &'a Usage,
        event_id: i64,
        window: Option<Window>,
    ) -> Result<Answer<'a>> {
        let range: Vec<(&str, i64)> = window.iter().flat_map(Window::parameters).collect();
        self.report_with(usage, event_id, &range).await
    }

    /// Asks for the report of an event with these parameters. One attempt.
    pub async fn report_with<'a>(
        &'a self,
        usage: &'a Usage,
        event_id: i64,
        parameters: &[(&str, i64)],
    ) -> Result<Answer<'a>> {
        let token = self.tokens.get(&self.http, usage).await?;
        let token_and_event = [("token", json!(token.expose_secret())), ("eventId", json!(event_id))];
        let parameters = parameters.iter().map(|(name, value)| (*name, json!(value)));
        let asked = token_and_event.into_iter().chain(parameters);
        let asked: Map<String, Value> = asked.map(|(name, value)| (name.to_owned(), value)).collect();
        match self
            .http
            .post(usage, "event/report/details", &[], Value::Object(asked).to_string(), &token)
            .await
        {
            Ok(arriving) => {
                let most = self.max_response_bytes;
                Ok(Answer::new(&self.http, &self.tokens, token, arriving, usage, event_id, most))
            }
            Err(error) => Err(self.tokens.failed(&token, error).await),
        }
    }
}
