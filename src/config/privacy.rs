//! Options for privacy.

use clap::Args;
use secrecy::SecretString;

use crate::error::{Error, Explain, Kind, Result};
use crate::extract::secret;
use crate::transform::privacy::{Key, Policy, PolicyDocument};

/// The policy if none is named.
const OPEN: &str = "open";

/// Options for privacy, as they were given.
#[derive(Args, Clone, Debug)]
pub struct PrivacyOptions {
    /// What may be kept about people: `open`, `pseudonymous`, `anonymous`, a JSON file that changes one of these, or that JSON
    /// itself [default: open].
    #[arg(long, env = "ROLLCALL_PRIVACY", value_name = "POLICY", global = true)]
    pub privacy: Option<String>,
    /// Key for pseudonyms, at least 32 characters. Better set in the environment, which other users cannot see.
    #[arg(long, env = "ROLLCALL_HMAC_KEY", hide_env_values = true, global = true)]
    pub hmac_key: Option<SecretString>,
    /// Instead of `--hmac-key`: the AWS Secrets Manager secret that holds the key.
    #[arg(long, env = "ROLLCALL_HMAC_SECRET_ARN", global = true)]
    pub hmac_secret_arn: Option<String>,
}

impl PrivacyOptions {
    /// Reads the key from the secret, if one is named. An error if there is a key as well.
    pub(super) async fn with_secret(self) -> Result<Self> {
        let Some(arn) = &self.hmac_secret_arn else { return Ok(self) };
        if self.hmac_key.is_some() {
            return Err(Error::new(
                Kind::Usage,
                "both a key for pseudonyms and a secret that holds one are given",
            )
            .hint("give `--hmac-secret-arn`, or the key itself, not both"));
        }
        let key = secret::read_text(arn).await?;
        Ok(Self { hmac_key: Some(key), ..self })
    }

    /// The policy that the options describe.
    pub(super) fn policy(&self) -> Result<Policy> {
        let named = self.privacy.as_deref().unwrap_or(OPEN);
        let document = match PolicyDocument::preset(named) {
            Some(document) => document,
            None if named.trim_start().starts_with('{') => PolicyDocument::parse(named.as_bytes())?,
            None => PolicyDocument::parse(&read(named)?)?,
        };
        let key = self.hmac_key.as_ref().map(Key::checked).transpose()?;
        Policy::checked(document, key)
    }
}

/// Reads the user's policy file.
fn read(name: &str) -> Result<Vec<u8>> {
    std::fs::read(name)
        .explain(Kind::Usage, || format!("cannot read the privacy policy `{name}`"))
        .map_err(|error: Error| error.hint("use `open`, `pseudonymous`, `anonymous`, or name a file"))
}
