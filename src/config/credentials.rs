//! Options for the vendor's credentials.

use clap::Args;
use secrecy::{ExposeSecret, SecretString};

use crate::error::{Error, Kind, Result};
use crate::extract::auth::{App, Credentials, User};
use crate::extract::secret::{self, Secret};

/// Options for the vendor's credentials, as they were given.
#[derive(Args, Clone, Debug)]
pub struct CredentialOptions {
    /// Token for the vendor's API. Better set in the environment, which other users cannot see.
    #[arg(long, env = "ROLLCALL_TOKEN", hide_env_values = true, global = true)]
    pub token: Option<SecretString>,
    /// Instead of a token: the application's key.
    #[arg(long, env = "ROLLCALL_APP_KEY", global = true)]
    pub app_key: Option<String>,
    /// Instead of a token: the application's secret.
    #[arg(long, env = "ROLLCALL_APP_SECRET", hide_env_values = true, global = true)]
    pub app_secret: Option<SecretString>,
    /// Instead of a token: the user's number at the vendor.
    #[arg(long, env = "ROLLCALL_USER_ID", global = true)]
    pub user_id: Option<i64>,
    /// Instead of the user's number: the mail address by which to look it up.
    #[arg(long, env = "ROLLCALL_USER_EMAIL", hide_env_values = true, global = true)]
    pub user_email: Option<SecretString>,
    /// Header that carries the application's key; parts of the vendor's documentation call it `AppId`.
    #[arg(long, env = "ROLLCALL_APP_KEY_HEADER", default_value = "AppKey", global = true)]
    pub app_key_header: String,
    /// Field of the answer to `token/create` that carries the token.
    #[arg(long, env = "ROLLCALL_TOKEN_FIELD", default_value = "token", global = true)]
    pub token_field: String,
    /// Instead of token, application and user: the AWS Secrets Manager secret that holds them, as JSON with keys like `app_key`.
    #[arg(long, env = "ROLLCALL_SECRET_ARN", global = true)]
    pub secret_arn: Option<String>,
    /// AWS Secrets Manager secret through which machines share a token: a run that has credentials keeps the token there, a
    /// run without credentials reads it.
    #[arg(long, env = "ROLLCALL_TOKEN_SECRET_ARN", global = true)]
    pub token_secret_arn: Option<String>,
}

impl CredentialOptions {
    /// Takes the credentials from the secret, if one is named. An error if there are other credentials as well.
    pub(super) async fn with_secret(self) -> Result<Self> {
        let Some(arn) = &self.secret_arn else { return Ok(self) };
        let given = self.token.is_some() || self.app_key.is_some() || self.app_secret.is_some();
        if given {
            return Err(Error::new(Kind::Usage, "both credentials and a secret that holds them are given")
                .hint("give `--secret-arn`, or the credentials themselves, not both"));
        }
        let secret = secret::read(arn).await?;
        self.with(secret)
    }

    /// Takes the credentials from this secret. The user for whom the application acts may be named in the secret or in an option,
    /// not in both.
    fn with(self, secret: Secret) -> Result<Self> {
        let Secret { token, app_key, app_secret, mut user_id, mut user_email } = secret;
        if self.user_id.is_some() || self.user_email.is_some() {
            if user_id.is_some() || user_email.is_some() {
                return Err(Error::new(Kind::Usage, "both a user and a secret that names one are given")
                    .hint("leave out `--user-id` and `--user-email`, or remove the user from the secret"));
            }
            (user_id, user_email) = (self.user_id, self.user_email.clone());
        }
        Ok(Self { token, app_key, app_secret, user_id, user_email, ..self })
    }

    /// How to obtain a token; `None` if no credentials were given.
    pub(super) fn credentials(&self) -> Result<Option<Credentials>> {
        let user = match (self.user_id, &self.user_email) {
            (Some(user_id), None) => Some(User::Id(user_id)),
            (None, Some(email)) => Some(User::Email(email.clone())),
            (None, None) => None,
            (Some(_), Some(_)) => {
                return Err(Error::new(Kind::Usage, "both a user's number and a mail address are given")
                    .hint("give `--user-id` or `--user-email`, not both"));
            }
        };
        let given = [&self.token, &self.app_secret];
        if given.into_iter().flatten().any(|secret| secret.expose_secret().trim().is_empty()) {
            return Err(Error::new(Kind::Usage, "the token or the application's secret is empty")
                .hint("give it a value, or unset it"));
        }
        match (&self.token, &self.app_key, &self.app_secret, user) {
            // A user may be named for a secret that this run does not read.
            (None, None, None, _) => Ok(None),
            (Some(token), None, None, None) => Ok(Some(Credentials::Token(token.clone()))),
            (None, Some(key), Some(secret), Some(user)) => Ok(Some(Credentials::App(App {
                key: key.clone(),
                secret: secret.clone(),
                user,
                key_header: self.app_key_header.clone(),
                token_field: self.token_field.clone(),
            }))),
            (Some(_), None, None, Some(_)) => {
                Err(Error::new(Kind::Usage, "both a token and a user are given")
                    .hint("leave out `--user-id` and `--user-email`: a token already belongs to a user"))
            }
            (Some(_), ..) => {
                Err(Error::new(Kind::Usage, "both a token and an application's credentials are given")
                    .hint("give `--token`, or `--app-key`, `--app-secret` and `--user-id`, not both"))
            }
            (None, ..) => Err(Error::new(Kind::Usage, "the application's credentials are incomplete")
                .hint("give all of `--app-key`, `--app-secret` and `--user-id` or `--user-email`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        options: CredentialOptions,
    }

    fn app(user_id: Option<i64>) -> Secret {
        Secret {
            app_key: Some("key".into()),
            app_secret: Some("hidden".into()),
            user_id,
            ..Secret::default()
        }
    }

    #[test]
    fn options_name_the_header_for_an_applications_key_and_the_field_of_its_token() {
        let words = "_ --app-key key --app-secret hidden --user-id 7 --app-key-header X-Key --token-field access_token";
        let found = Words::parse_from(words.split(' ')).options.credentials().unwrap();
        let Some(Credentials::App(app)) = found else { panic!("no application") };
        assert_eq!((app.key_header.as_str(), app.token_field.as_str()), ("X-Key", "access_token"));
    }

    #[test]
    fn the_user_is_given_as_an_option_or_in_the_secret_but_not_in_both() {
        for (words, in_secret, user) in [
            (&["", "--user-id", "1042"][..], None, Ok(Some(1042))),
            (&[""], Some(7), Ok(Some(7))),
            (&[""], None, Ok(None)),
            (&["", "--user-id", "1042"], Some(7), Err(Kind::Usage)),
            (&["", "--user-email", "a@example.com"], Some(7), Err(Kind::Usage)),
        ] {
            let found = Words::parse_from(words).options.with(app(in_secret));
            assert_eq!(found.map(|options| options.user_id).map_err(|error| error.kind()), user, "{words:?}");
        }
        // A worker reads no secret, whatever else is set.
        let alone = Words::parse_from(["", "--user-id", "1042"]).options.credentials();
        assert!(matches!(alone, Ok(None)));
        let token = Secret { token: Some("hidden".into()), ..Secret::default() };
        let both = Words::parse_from(["", "--user-id", "1042"]).options.with(token).unwrap().credentials();
        assert!(both.unwrap_err().to_string().contains("leave out `--user-id`"));
        let email = Words::parse_from(["", "--user-email", "a@example.com"]).options.with(app(None)).unwrap();
        assert!(email.user_email.is_some() && email.app_key.is_some());
    }
}
