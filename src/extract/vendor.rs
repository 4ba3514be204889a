//! The vendor, as one visit or one plan asks it: the endpoints with small answers, and the report. What is asked is counted.

use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::answer::{Answer, REPORT};
use super::client::Client;
use super::http::Metered;
use super::reply::Reply;
use super::retry::Attempts;
use super::usage::{Usage, Used};
use super::window::Window;
use crate::error::Result;

/// The vendor, as one visit or one plan asks it.
#[derive(Clone, Copy)]
pub struct Vendor<'a> {
    client: &'a Client,
    usage: &'a Usage,
}

impl Client {
    /// The vendor; `usage` counts what is asked.
    #[must_use]
    pub fn vendor<'a>(&'a self, usage: &'a Usage) -> Vendor<'a> {
        Vendor { client: self, usage }
    }
}

impl<'a> Vendor<'a> {
    /// What was asked so far.
    #[must_use]
    pub fn used(self) -> Used {
        self.usage.used()
    }

    /// How far the vendor's clock is ahead of this machine's; see [`Usage::clock_ahead`].
    #[must_use]
    pub fn clock_ahead(self) -> Option<SignedDuration> {
        self.usage.clock_ahead()
    }

    /// A count of attempts at one request, none made yet.
    #[must_use]
    pub fn attempts(self) -> Attempts<'a> {
        self.metered().attempts()
    }

    /// The vendor's code of the customer; `None` if it did not come with the token.
    pub async fn customer(self) -> Result<Option<String>> {
        self.client.tokens.get(self.metered()).await?;
        Ok(self.client.tokens.customer().await)
    }

    /// Calls an endpoint whose answer is small, with the usual retries.
    pub async fn call(self, path: &str, parameters: Map<String, Value>) -> Result<Reply> {
        self.call_within(self.attempts(), path, parameters).await
    }

    /// The same, with these attempts.
    pub async fn call_within(
        self,
        mut attempts: Attempts<'_>,
        path: &str,
        parameters: Map<String, Value>,
    ) -> Result<Reply> {
        loop {
            match self.try_call(path, parameters.clone()).await {
                Err(error) => attempts.pause(error).await?,
                reply => return reply,
            }
        }
    }

    async fn try_call(self, path: &str, mut parameters: Map<String, Value>) -> Result<Reply> {
        let (tokens, at) = (&self.client.tokens, self.metered());
        let token = tokens.get(at).await?;
        parameters.insert("token".to_owned(), json!(token.expose_secret()));
        match at.ask(path, &tokens.signature(at.now()), Value::Object(parameters).to_string(), &token).await {
            Ok(reply) => {
                tokens.accepted();
                Ok(reply)
            }
            Err(error) => Err(tokens.failed(at, path, &token, error).await),
        }
    }

    /// Makes a new token, which everybody uses from now on; false if tokens are not made here.
    pub async fn renew_token(self) -> Result<bool> {
        Ok(self.client.tokens.renew(self.metered()).await?.is_some())
    }

    /// Whether a new token ends the one before, found out by making one; `None` if tokens are not made here.
    pub async fn token_ends_old(self) -> Result<Option<bool>> {
        let Some(old) = self.client.tokens.renew(self.metered()).await? else { return Ok(None) };
        let tokens = &self.client.tokens;
        tokens.accepts(self.metered(), &old, None).await.map(|is_accepted| Some(!is_accepted))
    }

    /// Asks for the report of an event, for one window or for everything so far. One attempt, without retries.
    pub async fn report(self, event_id: i64, window: Option<Window>) -> Result<Answer<'a>> {
        let range: Vec<(&str, i64)> = window.iter().flat_map(Window::parameters).collect();
        self.report_with(event_id, &range).await
    }

    /// Asks for the report of an event with these parameters. One attempt, without retries.
    pub async fn report_with(self, event_id: i64, parameters: &[(&str, i64)]) -> Result<Answer<'a>> {
        let Client { tokens, max_response_bytes, .. } = self.client;
        let at = self.metered();
        let token: SecretString = tokens.get(at).await?;
        tracing::debug!(event_id, ?parameters, "requesting a report");
        let token_and_event = [("token", json!(token.expose_secret())), ("eventId", json!(event_id))];
        let parameters = parameters.iter().map(|(name, value)| (*name, json!(value)));
        let asked = token_and_event.into_iter().chain(parameters);
        let asked: Map<String, Value> = asked.map(|(name, value)| (name.to_owned(), value)).collect();
        match at.post(REPORT, &tokens.signature(at.now()), Value::Object(asked).to_string(), &token).await {
            Ok(arriving) => Ok(Answer::new(at, tokens, token, arriving, event_id, *max_response_bytes)),
            Err(error) => Err(tokens.failed(at, REPORT, &token, error).await),
        }
    }

    fn metered(self) -> Metered<'a> {
        self.client.http.metered(self.usage)
    }
}
