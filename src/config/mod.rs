//! Options, from the command line or the environment: each is defined once, and checked once.

mod credentials;
mod privacy;
mod store;

use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Span, SpanRelativeTo};

use self::credentials::CredentialOptions;
use self::privacy::PrivacyOptions;
use self::store::StoreOptions;
use crate::calendar::Zone;
use crate::error::{Error, Explain, Kind, Result};
use crate::extract::auth::Credentials;
use crate::load::lake_settings::NamedSettings;
use crate::load::store::Location;
use crate::transform::privacy::Policy;

/// The default time zone of a new lake: the vendor's.
const ZONE: &str = "Asia/Shanghai";
/// How long after its end a day of a new lake settles, by default.
const SETTLE: &str = "12h";
/// The longest day in any time zone: one on which the clocks go back by an hour.
const LONGEST_DAY: SignedDuration = SignedDuration::from_hours(25);
/// The longest pause after the first failure of a request.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Options as they were given. Durations are written like `12h`, `30d` or `90s`.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Settings (a command ignores those that it does not need)")]
pub struct Options {
    /// Where the tables are kept.
    #[command(flatten)]
    pub store: StoreOptions,
    /// Address of the vendor's API.
    #[arg(
        long,
        env = "ROLLCALL_API_URL",
        default_value = "https://events-openapi.quanshi.com",
        global = true
    )]
    pub api_url: String,
    /// The vendor's credentials.
    #[command(flatten)]
    pub credentials: CredentialOptions,
    /// Time zone in which days begin and end; fixed by the first run [default: Asia/Shanghai; for status, explain and report: the
    /// lake's].
    #[arg(long, env = "ROLLCALL_ZONE", global = true)]
    pub zone: Option<String>,
    /// How long after its end a day's rows may still change; fixed by the first run [default: 12h; for status, explain and report: the
    /// lake's].
    #[arg(long, env = "ROLLCALL_SETTLE", value_name = "DURATION", global = true)]
    pub settle: Option<String>,
    /// How long after its end an event is visited.
    #[arg(long, env = "ROLLCALL_HORIZON", value_name = "DURATION", default_value = "30d", global = true)]
    pub horizon: String,
    /// On the first run, list events edited within this time.
    #[arg(long, env = "ROLLCALL_LOOKBACK", value_name = "DURATION", default_value = "400d", global = true)]
    pub lookback: String,
    /// Roster of your own, in addition to the vendor's lists: CSV or JSON lines with `event_id`; `store:KEY` if it is in the
    /// store.
    #[arg(long, env = "ROLLCALL_ROSTER", value_name = "FILE", global = true)]
    pub roster: Option<String>,
    /// Do not ask for the vendor's lists: use only the events of `--roster`, and those already known.
    #[arg(long, env = "ROLLCALL_NO_LISTS", global = true)]
    pub no_lists: bool,
    /// Do not ask for the vendor's list of public events.
    #[arg(long, env = "ROLLCALL_NO_PUBLIC_LIST", global = true)]
    pub no_public_list: bool,
    /// Events visited at once.
    #[arg(long, env = "ROLLCALL_CONCURRENCY", default_value_t = 4, global = true)]
    pub concurrency: usize,
    /// Most requests per second, for the whole run.
    #[arg(long, env = "ROLLCALL_REQUESTS_PER_SECOND", default_value = "20", global = true, value_parser = at_least_one::<NonZeroU32>)]
    pub requests_per_second: NonZeroU32,
    /// Largest report, in bytes; a day whose report is larger is asked for in parts.
    #[arg(long, env = "ROLLCALL_MAX_RESPONSE_BYTES", default_value_t = 4 << 30, global = true)]
    pub max_response_bytes: u64,
    /// How long one request may take.
    #[arg(long, env = "ROLLCALL_TIMEOUT", value_name = "DURATION", default_value = "5m", global = true)]
    pub timeout: String,
    /// How long the vendor may be silent, before its answer begins and within it.
    #[arg(long, env = "ROLLCALL_READ_TIMEOUT", value_name = "DURATION", default_value = "2m", global = true)]
    pub read_timeout: String,
    /// How long the run may take, such as `50m`; what is not done by then is left to the next run [default: no limit].
    #[arg(long, env = "ROLLCALL_DEADLINE", value_name = "DURATION", global = true)]
    pub deadline: Option<String>,
    /// What may be kept about people.
    #[command(flatten)]
    pub privacy: PrivacyOptions,
    /// Keep every answer that is used, compressed, so that `replay` can rebuild the tables when the vendor has forgotten.
    #[arg(long, env = "ROLLCALL_ARCHIVE", global = true)]
    pub archive: bool,
}

/// Where the roster comes from, besides chosen events.
#[derive(Clone, Debug)]
pub struct Rosters {
    /// Whether to read `event/modify/list`: events by their last edit.
    pub edited: bool,
    /// Whether to read `event/public/list`: public events by their own time.
    pub public: bool,
    /// The user's own roster: a file, or an object of the store as `store:KEY`.
    pub file: Option<String>,
}

/// The options, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the tables are kept.
    pub store: Location,
    /// Address of the vendor's API.
    pub api_url: String,
    /// How to obtain a token; `None` if no credentials were given, which is fine for jobs that do not ask the vendor.
    pub credentials: Option<Credentials>,
    /// The secret in which a token is shared with other machines.
    pub token_secret_arn: Option<String>,
    /// The time zone in which days begin and end.
    pub zone: Zone,
    /// How long after its end a day's rows may still change.
    pub settle: SignedDuration,
    /// How long after its end an event is visited.
    pub horizon: SignedDuration,
    /// How far back the vendor's lists are read on the first run.
    pub lookback: SignedDuration,
    /// Where the roster comes from.
    pub rosters: Rosters,
    /// Events visited at once; at least one.
    pub concurrency: usize,
    /// Most requests per second, for the whole run.
    pub requests_per_second: NonZeroU32,
    /// The longest pause after the first failure of a request; it doubles with each further failure.
    pub first_pause: Duration,
    /// Largest report, in bytes.
    pub max_response_bytes: u64,
    /// How long one request may take.
    pub timeout: Duration,
    /// How long the vendor may be silent.
    pub read_timeout: Duration,
    /// How long the run may take.
    pub deadline: Option<SignedDuration>,
    /// What may be kept about people.
    pub policy: Arc<Policy>,
    /// Which settings of the lake the user named: a lake is never given another policy because none was named.
    pub named: NamedSettings,
    /// Whether answers are archived.
    pub archive: bool,
}

impl Options {
    /// Reads what the named secrets hold: the credentials, and the key for pseudonyms.
    pub async fn with_secret(mut self) -> Result<Self> {
        self.credentials = self.credentials.with_secret().await?;
        self.privacy = self.privacy.with_secret().await?;
        Ok(self)
    }
}

impl TryFrom<Options> for Config {
    type Error = Error;

    fn try_from(options: Options) -> Result<Self> {
        if options.concurrency == 0 {
            return Err(Error::new(Kind::Usage, "`--concurrency` must be at least 1"));
        }
        let limit = |option: &str, text: &str| -> Result<Duration> {
            let limit = duration(option, text)?;
            if limit.is_zero() {
                return Err(Error::new(Kind::Usage, format!("`{option}` must be longer than zero")));
            }
            limit.try_into().explain(Kind::Usage, || format!("`{option}` is negative"))
        };
        let settle = duration("--settle", options.settle.as_deref().unwrap_or(SETTLE))?;
        let horizon = duration("--horizon", &options.horizon)?;
        if horizon < settle.saturating_add(LONGEST_DAY) {
            let message = "`--horizon` is not at least 25 hours longer than `--settle`: viewings that come in before an event's \
                           last day has settled would never be asked for";
            return Err(Error::new(Kind::Usage, message)
                .hint("make it longer, such as `--horizon 30d` with the default `--settle 12h`"));
        }
        let named = NamedSettings {
            zone: options.zone.is_some(),
            settle: options.settle.is_some(),
            policy: options.privacy.privacy.is_some(),
        };
        Ok(Self {
            credentials: options.credentials.credentials()?,
            token_secret_arn: options.credentials.token_secret_arn,
            store: options.store.location()?,
            api_url: options.api_url,
            zone: Zone::parse(options.zone.as_deref().unwrap_or(ZONE))?,
            settle,
            horizon,
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
            named,
            policy: Arc::new(options.privacy.policy()?),
            archive: options.archive,
            deadline: options.deadline.map(|text| duration("--deadline", &text)).transpose()?,
        })
    }
}

/// Reads a number that cannot be zero, for an option that takes one.
pub(crate) fn at_least_one<T: FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "give a whole number from 1 on")
}

/// Parses the duration of an option. It must not be negative; a day has 24 hours.
fn duration(option: &str, text: &str) -> Result<SignedDuration> {
    let parsed = text
        .parse::<Span>()
        .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
        .ok()
        .filter(|duration| !duration.is_negative());
    parsed.ok_or_else(|| {
        Error::new(Kind::Usage, format!("`{text}` is not a duration for `{option}`"))
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

    fn config(words: &str) -> Result<Config> {
        Config::try_from(Words::parse_from([""].into_iter().chain(words.split_whitespace())).options)
    }

    #[test]
    fn each_option_sets_its_value_in_the_configuration() {
        type Says = fn(&Config) -> bool;
        let cases: [(&str, Says); 16] = [
            ("--api-url https://example.com", |config| config.api_url == "https://example.com"),
            ("--zone UTC", |config| config.zone.name() == "UTC" && config.named.zone),
            ("--settle 13h", |config| config.settle == SignedDuration::from_hours(13) && config.named.settle),
            ("--horizon 31d", |config| config.horizon == SignedDuration::from_hours(31 * 24)),
            ("--lookback 9d", |config| config.lookback == SignedDuration::from_hours(9 * 24)),
            ("--roster own.csv", |config| config.rosters.file.as_deref() == Some("own.csv")),
            ("--no-public-list", |config| config.rosters.edited && !config.rosters.public),
            ("--no-lists", |config| !config.rosters.edited && !config.rosters.public),
            ("--concurrency 3", |config| config.concurrency == 3),
            ("--requests-per-second 7", |config| config.requests_per_second.get() == 7),
            ("--max-response-bytes 1000", |config| config.max_response_bytes == 1000),
            ("--timeout 11s", |config| config.timeout == Duration::from_secs(11)),
            ("--read-timeout 5s", |config| config.read_timeout == Duration::from_secs(5)),
            ("--deadline 77s", |config| config.deadline == Some(SignedDuration::from_secs(77))),
            ("--archive", |config| config.archive),
            ("--privacy open", |config| config.named.policy),
        ];
        for (words, says) in cases {
            assert!(says(&config(words).unwrap()) && !says(&config("").unwrap()), "{words}");
        }
    }

    #[test]
    fn options_that_are_out_of_range_or_contradict_each_other_are_refused() {
        for (words, message) in [
            ("--concurrency 0", "`--concurrency` must be at least 1"),
            ("--timeout 0s", "`--timeout` must be longer than zero"),
            ("--read-timeout 0s", "`--read-timeout` must be longer than zero"),
            ("--token x --user-id 1", "both a token and a user are given"),
            ("--token x --app-key y", "both a token and an application's credentials are given"),
            ("--user-id 1 --user-email a@example.com", "both a user's number and a mail address are given"),
        ] {
            let refused = config(words).unwrap_err();
            assert!(refused.kind() == Kind::Usage && refused.to_string().contains(message), "{refused}");
        }
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
