//! A token that many machines use, in an AWS Secrets Manager secret of its own. One of them makes it, from the
//! application's secret, which the others need not know; the others only read it.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::SdkError;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;

use super::Token;
use crate::aws;
use crate::error::{Error, Kind, Result};
use crate::extract::secret;

/// The secret that holds the token.
#[derive(Debug)]
pub(super) struct SharedToken {
    arn: String,
    client: OnceCell<Client>,
}

/// What the secret holds, as JSON.
#[derive(Deserialize)]
struct Document {
    token: SecretString,
    customer: Option<String>,
    made_with: Option<String>,
    renew_at: Timestamp,
    valid_until: Timestamp,
}

impl SharedToken {
    pub(super) fn new(arn: String) -> Self {
        Self { arn, client: OnceCell::new() }
    }

    /// Reads the token, whether or not it is still valid; `None` if there is none yet. [`Kind::Damaged`] if the secret holds
    /// something else.
    pub(super) async fn read(&self) -> Result<Option<Token>> {
        let answer = self.client().await?.get_secret_value().secret_id(&self.arn).send().await;
        let answer = match answer {
            Ok(answer) => answer,
            // The secret does not exist, or has no version yet.
            Err(SdkError::ServiceError(error)) if error.err().is_resource_not_found_exception() => {
                return Ok(None);
            }
            Err(error) => return Err(self.failed("read", "GetSecretValue", error)),
        };
        let document: Document = serde_json::from_str(answer.secret_string().unwrap_or_default())
            // The parser's own message may repeat a part of the secret.
            .map_err(|_| Error::new(Kind::Damaged, "the shared token is not what rollcall wrote there"))
            .map_err(|error| {
                error.with("secret", &self.arn).hint("run the job `token`: it writes a new one")
            })?;
        let Document { token, customer, made_with, renew_at, valid_until } = document;
        Ok(Some(Token { secret: token, customer, made_with, renew_at, valid_until }))
    }

    /// Writes the token into the secret.
    pub(super) async fn write(&self, token: &Token) -> Result<()> {
        let Token { secret, customer, made_with, renew_at, valid_until } = token;
        let token = secret.expose_secret();
        let document = json!({
            "token": token, "customer": customer, "made_with": made_with, "renew_at": renew_at,
            "valid_until": valid_until
        });
        let put = self.client().await?.put_secret_value().secret_id(&self.arn);
        let put = put.secret_string(document.to_string()).send().await;
        put.map(|_| ()).map_err(|error| self.failed("write", "PutSecretValue", error))
    }

    async fn client(&self) -> Result<&Client> {
        self.client.get_or_try_init(secret::client).await
    }

    fn failed<E>(&self, verb: &str, right: &str, error: SdkError<E>) -> Error
    where
        aws_sdk_secretsmanager::Error: From<SdkError<E>>,
    {
        let is_transient = aws::is_transient(&error);
        let error = aws_sdk_secretsmanager::Error::from(error);
        let message = format!("cannot {verb} the shared token in `{}`", self.arn);
        let hint = format!("check its name, the region, and the permission `secretsmanager:{right}`");
        Error::new(Kind::Credentials, message).transient(is_transient).caused_by(error).hint(hint)
    }
}
