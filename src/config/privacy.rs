//! Options of privacy.

use clap::Args;
use secrecy::SecretString;

use super::hidden;
use crate::error::{Error, Explain, Kind, Result};
use crate::extract::secret;
use crate::transform::privacy::{Key, Policy, PolicyDocument};

/// Options of privacy, as they are written.
#[derive(Args, Clone, Debug)]
pub struct PrivacyOptions {
    /// What may be kept of people: `open`, `pseudonymous`, `anonymous`, a file of JSON that changes one of them, or that JSON
    /// itself.
    #[arg(long, env = "ROLLCALL_PRIVACY", default_value = "open", value_name = "POLICY", global = true)]
    pub privacy: String,
    /// Key for pseudonyms, at least 32 characters. Better given by the environment, which other users cannot see.
    #[arg(long, env = "ROLLCALL_HMAC_KEY", hide_env_values = true, value_parser = hidden, global = true)]
    pub hmac_key: Option<SecretString>,
    /// Instead of a key: the AWS Secrets Manager secret that is one.
    #[arg(long, env = "ROLLCALL_HMAC_SECRET_ARN", global = true)]
    pub hmac_secret_arn: Option<String>,
}

impl PrivacyOptions {
    /// The same, with the key that the secret is, if one is named.
    pub(super) async fn with_secret(self) -> Result<Self> {
        let Some(arn) = &self.hmac_secret_arn else { return Ok(self) };
        if self.hmac_key.is_some() {
            return Err(Error::new(
                Kind::Usage,
                "there is a key for pseudonyms and a secret that holds one as well",
            )
            .hint("give `--hmac-secret-arn`, or the key itself, not both"));
        }
        let key = secret::read_text(arn).await?;
        Ok(Self { hmac_key: Some(key), ..self })
    }

    /// The policy that they say.
    pub(super) fn policy(&self) -> Result<Policy> {
        let document = match PolicyDocument::preset(&self.privacy) {
            Some(document) => document,
            None if self.privacy.trim_start().starts_with('{') => {
                PolicyDocument::parse(self.privacy.as_bytes())?
            }
            None => PolicyDocument::parse(&self.read()?)?,
        };
        let key = self.hmac_key.as_ref().map(Key::checked).transpose()?;
        Policy::checked(document, key)
    }

    /// The file of the user's.
    fn read(&self) -> Result<Vec<u8>> {
        std::fs::read(&self.privacy)
            .explain(Kind::Usage, || format!("cannot read the privacy policy `{}`", self.privacy))
            .map_err(|error: Error| error.hint("say `open`, `pseudonymous`, `anonymous`, or name a file"))
    }
}
