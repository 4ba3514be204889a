//! Options: each defined once, from the command line or the environment, checked once.

mod privacy;
mod store;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Span, SpanRelativeTo};
use secrecy::{ExposeSecret, SecretString};

use self::privacy::PrivacyOptions;
use self::store::StoreOptions;
use crate::calendar::Zone;
use crate::error::{Error, Explain, Kind, Result};
use crate::extract::auth::{App, Credentials, User};
use crate::extract::secret::{self, Hidden, Secret};
use crate::load::store::Location;
use crate::transform::privacy::Policy;

/// The longest pause after the first failure of a request.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Options as they are written. Durations are written like `12h`, `30d` or `90s`.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Settings")]
pub struct Options {
    /// Where the tables are kept.
    #[command(flatten)]
    pub store: StoreOptions,
    /// The vendor's host.
    #[arg(
        long,
        env = "ROLLCALL_API_URL",
        default_value = "https://events-openapi.quanshi.com",
        global = true
    )]
    pub api_url: String,
    /// Token of the vendor's API. Better given by the environment, which other users cannot see.
    #[arg(long, env = "ROLLCALL_TOKEN", hide_env_values = true, value_parser = hidden, global = true)]
    pub token: Option<SecretString>,
    /// Instead of a token: the application's key.
    #[arg(long, env = "ROLLCALL_APP_KEY", global = true)]
    pub app_key: Option<String>,
    /// Instead of a token: the application's secret.
    #[arg(long, env = "ROLLCALL_APP_SECRET", hide_env_values = true, value_parser = hidden, global = true)]
    pub app_secret: Option<SecretString>,
    /// Instead of a token: the vendor's number of the user.
    #[arg(long, env = "ROLLCALL_USER_ID", global = true)]
    pub user_id: Option<i64>,
    /// Instead of the user's number: the mail address that it is looked up by.
    #[arg(long, env = "ROLLCALL_USER_EMAIL", hide_env_values = true, value_parser = hidden, global = true)]
    pub user_email: Option<SecretString>,
    /// Header that carries the application's key; some of the vendor's pages say `AppId`.
    #[arg(long, env = "ROLLCALL_APP_KEY_HEADER", default_value = "AppKey", global = true)]
    pub app_key_header: String,
    /// Field of the answer to `token/create` that carries the token.
    #[arg(long, env = "ROLLCALL_TOKEN_FIELD", default_value = "token", global = true)]
    pub token_field: String,
    /// Instead of all these: the AWS Secrets Manager secret that holds them, as JSON with the same names.
    #[arg(long, env = "ROLLCALL_SECRET_ARN", global = true)]
    pub secret_arn: Option<String>,
    /// AWS Secrets Manager secret in which the token that is made is kept for other machines; without credentials of its
    /// own a run reads its token there.
    #[arg(long, env = "ROLLCALL_TOKEN_SECRET_ARN", global = true)]
    pub token_secret_arn: Option<String>,
    /// Time zone in which days begin and end.
    #[arg(long, env = "ROLLCALL_ZONE", default_value = "Asia/Shanghai", global = true)]
    pub zone: String,
    /// How long after its end a day's rows may still change.
    #[arg(long, env = "ROLLCALL_SETTLE", default_value = "12h", global = true)]
    pub settle: String,
    /// How long after its end an event is visited.
    #[arg(long, env = "ROLLCALL_HORIZON", default_value = "30d", global = true)]
    pub horizon: String,
    /// How far back the first listing of events looks for when they were last edited.
    #[arg(long, env = "ROLLCALL_LOOKBACK", default_value = "400d", global = true)]
    pub lookback: String,
    /// Roster of your own besides the vendor's lists: CSV or JSON lines with `event_id`; `store:KEY` for one in the store.
    #[arg(long, env = "ROLLCALL_ROSTER", value_name = "FILE", global = true)]
    pub roster: Option<String>,
    /// Do not ask for the vendor's lists: only the events of `--roster`, and those that are known.
    #[arg(long, env = "ROLLCALL_NO_LISTS", global = true)]
    pub no_lists: bool,
    /// Do not ask for the vendor's list of public events.
    #[arg(long, env = "ROLLCALL_NO_PUBLIC_LIST", global = true)]
    pub no_public_list: bool,
    /// Events visited at once.
    #[arg(long, env = "ROLLCALL_CONCURRENCY", default_value_t = 4, global = true)]
    pub concurrency: usize,
    /// Requests a second, for the whole run.
    #[arg(long, env = "ROLLCALL_REQUESTS_PER_SECOND", default_value = "20", global = true)]
    pub requests_per_second: NonZeroU32,
    /// Largest report, in bytes; a day whose report is larger is asked for in parts.
    #[arg(long, env = "ROLLCALL_MAX_RESPONSE_BYTES", default_value_t = 4 << 30, global = true)]
    pub max_response_bytes: u64,
    /// How long one request may take.
    #[arg(long, env = "ROLLCALL_TIMEOUT", default_value = "5m", global = true)]
    pub timeout: String,
    /// How long the vendor may be silent, before its answer begins and within it.
    #[arg(long, env = "ROLLCALL_READ_TIMEOUT", default_value = "2m", global = true)]
    pub read_timeout: String,
    /// How long the run may take; what is not done by then is left to the next [default: no limit].
    #[arg(long, env = "ROLLCALL_DEADLINE", global = true)]
    pub deadline: Option<String>,
    /// What may be kept of people.
    #[command(flatten)]
    pub privacy: PrivacyOptions,
    /// Keep every answer that is used, packed, to make tables of it again when the vendor has forgotten: `replay`.
    #[arg(long, env = "ROLLCALL_ARCHIVE", global = true)]
    pub archive: bool,
}

/// Where the roster comes from, besides chosen events.
#[derive(Clone, Debug)]
pub struct Rosters {
    /// `event/modify/list`.
    pub edited: bool,
    /// `event/public/list`.
    pub public: bool,
    /// A file, or an object of the store as `store:KEY`.
    pub file: Option<String>,
}

/// Options that were checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the tables are kept.
    pub store: Location,
    /// The vendor's host.
    pub api_url: String,
    /// How a token is come by; none where none was given, which is fine for jobs that do not ask the vendor.
    pub credentials: Option<Credentials>,
    /// The secret in which a token is shared with other machines.
    pub token_secret_arn: Option<String>,
    /// In which days begin and end.
    pub zone: Zone,
    /// How long after its end a day's rows may still change.
    pub settle: SignedDuration,
    /// How long after its end an event is visited.
    pub horizon: SignedDuration,
    /// How far back the first listing looks.
    pub lookback: SignedDuration,
    /// Where the roster comes from.
    pub rosters: Rosters,
    /// Events visited at once; at least one.
    pub concurrency: usize,
    /// Requests a second, for the whole run.
    pub requests_per_second: NonZeroU32,
    /// The longest pause after the first failure of a request; it doubles with each.
    pub first_pause: Duration,
    /// Largest report, in bytes.
    pub max_response_bytes: u64,
    /// How long one request may take.
    pub timeout: Duration,
    /// How long the vendor may be silent.
    pub read_timeout: Duration,
    /// How long the run may take.
    pub deadline: Option<SignedDuration>,
    /// What may be kept of people.
    pub policy: Arc<Policy>,
    /// Whether answers are archived.
    pub archive: bool,
}

impl Options {
    /// The same, with what the named secrets hold: the credentials, and the key for pseudonyms.
    pub async fn with_secret(mut self) -> Result<Self> {
        self.privacy = self.privacy.with_secret().await?;
        let Some(arn) = &self.secret_arn else { return Ok(self) };
        let given = self.token.is_some() || self.app_key.is_some() || self.app_secret.is_some();
        if given {
            return Err(Error::new(
                Kind::Usage,
                "there are credentials and a secret that holds them as well",
            )
            .hint("give `--secret-arn`, or the credentials themselves, not both"));
        }
        let secret = secret::read(arn).await?;
        self.with(secret)
    }

    /// The same with this secret. Which user the application acts for may stand in either.
    fn with(self, secret: Secret) -> Result<Self> {
        let Secret { token, app_key, app_secret, mut user_id, mut user_email } = secret;
        if self.user_id.is_some() || self.user_email.is_some() {
            if user_id.is_some() || user_email.is_some() {
                return Err(Error::new(Kind::Usage, "there is a user, and a secret that names one as well")
                    .hint("leave `--user-id` and `--user-email` out, or take the user out of the secret"));
            }
            (user_id, user_email) = (self.user_id, self.user_email.clone().map(Hidden));
        }
        let shown = |hidden: Option<Hidden>| hidden.map(|hidden| hidden.0);
        let (token, app_secret, user_email) = (shown(token), shown(app_secret), shown(user_email));
        Ok(Self { token, app_key, app_secret, user_id, user_email, ..self })
    }
}

impl TryFrom<Options> for Config {
    type Error = Error;

    fn try_from(options: Options) -> Result<Self> {
        if options.concurrency == 0 {
            return Err(Error::new(Kind::Usage, "`--concurrency` is at least 1"));
        }
        let limit = |option: &str, text: &str| -> Result<Duration> {
            let limit = duration(option, text)?;
            limit.try_into().explain(Kind::Usage, || format!("`{option}` is negative"))
        };
        Ok(Self {
            credentials: credentials(&options)?,
            token_secret_arn: options.token_secret_arn.clone(),
            store: options.store.location()?,
            api_url: options.api_url,
            zone: Zone::parse(&options.zone)?,
            settle: duration("--settle", &options.settle)?,
            horizon: duration("--horizon", &options.horizon)?,
            lookback: duration("--lookback", &options.lookback)?,
            rosters: Rosters {
                edited: !options.no_lists,
                public: !options.no_lists && !options.no_public_list,
                file: options.roster,
            },
            concurrency: options.concurrency,
            requests_per_second: options.requests_per_second,
            first_pause: FIRST_PAUSE,
            max_response_bytes: options.max_response_bytes,
            timeout: limit("--timeout", &options.timeout)?,
            read_timeout: limit("--read-timeout", &options.read_timeout)?,
            policy: Arc::new(options.privacy.policy()?),
            archive: options.archive,
            deadline: options.deadline.map(|text| duration("--deadline", &text)).transpose()?,
        })
    }
}

#[allow(clippy::unnecessary_wraps, reason = "the form that a value parser has")]
fn hidden(text: &str) -> std::result::Result<SecretString, std::convert::Infallible> {
    Ok(SecretString::from(text))
}

fn credentials(options: &Options) -> Result<Option<Credentials>> {
    let user = match (options.user_id, &options.user_email) {
        (Some(user_id), None) => Some(User::Id(user_id)),
        (None, Some(email)) => Some(User::Email(email.clone())),
        (None, None) => None,
        (Some(_), Some(_)) => {
            return Err(Error::new(Kind::Usage, "there is a user's number and a mail address as well")
                .hint("give `--user-id` or `--user-email`, not both"));
        }
    };
    let given = [&options.token, &options.app_secret];
    if given.into_iter().flatten().any(|secret| secret.expose_secret().trim().is_empty()) {
        return Err(Error::new(Kind::Usage, "the token, or the application's secret, is empty")
            .hint("set it, or unset it"));
    }
    match (&options.token, &options.app_key, &options.app_secret, user) {
        (None, None, None, None) => Ok(None),
        (Some(token), None, None, None) => Ok(Some(Credentials::Token(token.clone()))),
        (None, Some(key), Some(secret), Some(user)) => Ok(Some(Credentials::App(App {
            key: key.clone(),
            secret: secret.clone(),
            user,
            key_header: options.app_key_header.clone(),
            token_field: options.token_field.clone(),
        }))),
        (Some(_), ..) => Err(Error::new(Kind::Usage, "there is a token and an application's key as well")
            .hint("give `--token`, or `--app-key`, `--app-secret` and `--user-id`, not both")),
        (None, ..) => Err(Error::new(Kind::Usage, "the application's credentials are not complete")
            .hint("give all of `--app-key`, `--app-secret` and `--user-id` or `--user-email`")),
    }
}

/// A duration that is not negative; a day has 24 hours.
fn duration(option: &str, text: &str) -> Result<SignedDuration> {
    let parsed = text
        .parse::<Span>()
        .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
        .ok()
        .filter(|duration| !duration.is_negative());
    parsed.ok_or_else(|| {
        Error::new(Kind::Usage, format!("`{text}` is no duration for `{option}`"))
            .hint("write it like `12h` or `30d`")
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        options: Options,
    }

    fn app(user_id: Option<i64>) -> Secret {
        Secret {
            app_key: Some("key".into()),
            app_secret: Some(Hidden("hidden".into())),
            user_id,
            ..Secret::default()
        }
    }

    #[test]
    fn the_user_stands_beside_the_secret_or_in_it_and_not_in_both() {
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
        let email = Words::parse_from(["", "--user-email", "a@example.com"]).options.with(app(None)).unwrap();
        assert!(email.user_email.is_some() && email.app_key.is_some());
    }

    #[test]
    fn durations_are_written_with_a_unit() {
        for (text, hours) in
            [("12h", Some(12)), ("30d", Some(720)), ("0s", Some(0)), ("12", None), ("-1h", None), ("", None)]
        {
            let parsed = duration("--settle", text).ok();
            assert_eq!(parsed, hours.map(SignedDuration::from_hours), "{text}");
        }
    }
}
