//! The vendor's credentials in AWS Secrets Manager: a JSON object with the names of the options,
//! `{"token": …}` or `{"app_key": …, "app_secret": …, "user_id": …}`.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::address;
use crate::aws;
use crate::error::{Error, Kind, Result};

/// The time limit of one attempt at a request: by default, the SDK would wait for an answer for ever.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// What the secret may hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Secret {
    /// A token.
    pub token: Option<SecretString>,
    /// The application's key.
    pub app_key: Option<String>,
    /// The application's secret.
    pub app_secret: Option<SecretString>,
    /// The user's number at the vendor.
    pub user_id: Option<i64>,
    /// The mail address of the user.
    pub user_email: Option<SecretString>,
}

/// Secrets Manager, with the credentials of the usual chain: environment, profile, role.
pub(super) async fn client() -> Result<Client> {
    address::check_endpoint("SECRETS_MANAGER")?;
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
    let chain = aws_config::defaults(BehaviorVersion::v2026_01_12()).timeout_config(timeouts).load().await;
    Ok(Client::new(&chain))
}

/// Reads the credentials that a secret holds.
pub async fn read(arn: &str) -> Result<Secret> {
    let text = read_text(arn).await?;
    parse(text.expose_secret()).map_err(|error| {
        error.hint("write `{\"token\": …}` or `{\"app_key\": …, \"app_secret\": …, \"user_id\": …}`")
    })
}

/// Reads the text of a secret; it is empty if the secret holds none.
pub async fn read_text(arn: &str) -> Result<SecretString> {
    let answer = client().await?.get_secret_value().secret_id(arn).send().await;
    let answer = answer.map_err(|error| {
        let is_transient = aws::is_transient(&error);
        let error = aws_sdk_secretsmanager::Error::from(error);
        let cause = format!("cannot read the secret `{arn}`");
        let hint = "check its name, the region, and the permission `secretsmanager:GetSecretValue`";
        Error::new(Kind::Credentials, cause).transient(is_transient).caused_by(error).hint(hint)
    })?;
    Ok(answer.secret_string().unwrap_or_default().into())
}

fn parse(text: &str) -> Result<Secret> {
    // The parser's own message may repeat a part of the secret: only the position is reported.
    serde_json::from_str(text).map_err(|error| {
        let at = format!("line {} column {}", error.line(), error.column());
        Error::new(Kind::Usage, format!("the secret is not the expected JSON, at {at}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_uses_the_names_of_the_options_and_is_never_printed() {
        let secret = parse(r#"{"app_key": "key", "app_secret": "hidden", "user_id": 7}"#).unwrap();
        assert_eq!((secret.app_key.as_deref(), secret.user_id), (Some("key"), Some(7)));
        assert!(!format!("{secret:?}").contains("hidden"));
        for wrong in ["", "hidden", r#"{"tokn": "hidden"}"#, r#"{"token": ["hidden"]}"#] {
            let error = parse(wrong).unwrap_err();
            assert!(!error.to_string().contains("hidden"), "{error}");
        }
    }
}
