//! Options: each defined once, from the command line or the environment, checked once.

use clap::Args;
use jiff::{SignedDuration, Span, SpanRelativeTo};
use secrecy::SecretString;

use crate::calendar::Zone;
use crate::error::{Error, Explain, Kind, Result};
use crate::extract::auth::Credentials;

/// Options as they are written. Durations are written like `12h`, `30d` or `90s`.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Options")]
pub struct Options {
    /// Folder that the tables are kept in.
    #[arg(long, env = "ROLLCALL_STORE", default_value = "./rollcall-data", global = true)]
    pub store: String,
    /// The vendor's host.
    #[arg(
        long,
        env = "ROLLCALL_API_URL",
        default_value = "https://events-openapi.quanshi.com",
        global = true
    )]
    pub api_url: String,
    /// Token of the vendor's API. Better given by the environment, which other users cannot see.
    #[arg(long, env = "ROLLCALL_TOKEN", hide_env_values = true, value_parser = secret, global = true)]
    pub token: Option<SecretString>,
    /// Instead of a token: the application's key.
    #[arg(long, env = "ROLLCALL_APP_KEY", global = true)]
    pub app_key: Option<String>,
    /// Instead of a token: the application's secret.
    #[arg(long, env = "ROLLCALL_APP_SECRET", hide_env_values = true, value_parser = secret, global = true)]
    pub app_secret: Option<SecretString>,
    /// Instead of a token: the vendor's number of the user.
    #[arg(long, env = "ROLLCALL_USER_ID", global = true)]
    pub user_id: Option<i64>,
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
    /// Events visited at once.
    #[arg(long, env = "ROLLCALL_CONCURRENCY", default_value_t = 4, global = true)]
    pub concurrency: usize,
    /// Largest report, in bytes; a day whose report is larger is asked for in parts.
    #[arg(long, env = "ROLLCALL_MAX_RESPONSE_BYTES", default_value_t = 4 << 30, global = true)]
    pub max_response_bytes: u64,
    /// How long one request may take.
    #[arg(long, env = "ROLLCALL_TIMEOUT", default_value = "10m", global = true)]
    pub timeout: String,
    /// How long the run may take; what is not done by then is left to the next [default: no limit].
    #[arg(long, env = "ROLLCALL_DEADLINE", global = true)]
    pub deadline: Option<String>,
}

/// Options that were checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the tables are kept.
    pub store: String,
    /// The vendor's host.
    pub api_url: String,
    /// How a token is come by; none where none was given, which is fine for jobs that do not ask the vendor.
    pub credentials: Option<Credentials>,
    /// In which days begin and end.
    pub zone: Zone,
    /// How long after its end a day's rows may still change.
    pub settle: SignedDuration,
    /// How long after its end an event is visited.
    pub horizon: SignedDuration,
    /// How far back the first listing looks.
    pub lookback: SignedDuration,
    /// Events visited at once; at least one.
    pub concurrency: usize,
    /// Largest report, in bytes.
    pub max_response_bytes: u64,
    /// How long one request may take.
    pub timeout: std::time::Duration,
    /// How long the run may take.
    pub deadline: Option<SignedDuration>,
}

impl TryFrom<Options> for Config {
    type Error = Error;

    fn try_from(options: Options) -> Result<Self> {
        if options.concurrency == 0 {
            return Err(Error::new(Kind::Usage, "`--concurrency` is at least 1"));
        }
        let timeout = duration("--timeout", &options.timeout)?;
        Ok(Self {
            credentials: credentials(&options)?,
            store: options.store,
            api_url: options.api_url,
            zone: Zone::parse(&options.zone)?,
            settle: duration("--settle", &options.settle)?,
            horizon: duration("--horizon", &options.horizon)?,
            lookback: duration("--lookback", &options.lookback)?,
            concurrency: options.concurrency,
            max_response_bytes: options.max_response_bytes,
            timeout: timeout.try_into().explain(Kind::Usage, || "`--timeout` is negative".to_owned())?,
            deadline: options.deadline.map(|text| duration("--deadline", &text)).transpose()?,
        })
    }
}

#[allow(clippy::unnecessary_wraps, reason = "the form that a value parser has")]
fn secret(text: &str) -> std::result::Result<SecretString, std::convert::Infallible> {
    Ok(SecretString::from(text))
}

fn credentials(options: &Options) -> Result<Option<Credentials>> {
    match (&options.token, &options.app_key, &options.app_secret, options.user_id) {
        (Some(token), None, None, None) => Ok(Some(Credentials::Token(token.clone()))),
        (None, Some(key), Some(secret), Some(user_id)) => {
            Ok(Some(Credentials::App { key: key.clone(), secret: secret.clone(), user_id }))
        }
        (Some(_), ..) => Err(Error::new(Kind::Usage, "there is a token and an application's key as well")
            .hint("give `--token`, or `--app-key`, `--app-secret` and `--user-id`, not both")),
        (None, None, None, None) => Ok(None),
        (None, ..) => Err(Error::new(Kind::Usage, "the application's credentials are not complete")
            .hint("give all of `--app-key`, `--app-secret` and `--user-id`")),
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
    use super::*;

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
