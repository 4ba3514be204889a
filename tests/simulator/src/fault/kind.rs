//! What can go wrong with an answer.

use std::str::FromStr;

/// The HTTP statuses that can be given: a client takes those below for the beginning of an answer.
const STATUSES: std::ops::RangeInclusive<u16> = 200..=599;

/// What goes wrong with an answer; each with its text. Faults of a body hold all of it in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// `status=503`: that HTTP status and a short page of HTML.
    Status(u16),
    /// `gateway=404`: that HTTP status, and the JSON of a gateway, which has a code and a message, but no `requestId`.
    Gateway(u16),
    /// `retry-after=429:2`: that HTTP status, and a header that asks to come back after that many seconds.
    RetryAfter(u16, u64),
    /// `reset`: the connection is closed instead of an answer.
    Reset,
    /// `stall`: the headers, the first bytes, then nothing until the client goes.
    Stall,
    /// `slow-drip=100`: 64 bytes at a time, each after that many milliseconds.
    SlowDrip(u64),
    /// `cut-body`: the connection is closed in the middle of a chunked body.
    CutBody,
    /// `cut-length`: the connection is closed in the middle of a body whose length was announced.
    CutLength,
    /// `cut-clean`: half a body, which HTTP takes for all of it.
    CutClean,
    /// `junk`: bytes in the middle of the body that are allowed nowhere in JSON.
    Junk,
    /// `not-utf8`: the byte FF at the start of a text in the second half of the body.
    NotUtf8,
    /// `other-event`: the usual answer, but said to be of another event.
    OtherEvent,
    /// `null-array=lives` or `null-array=lives+interactions`: the usual answer, but with `null` in place of the first array of
    /// each name.
    NullArray(String),
    /// `html`: a page of HTML with status 200.
    Html,
    /// `code=500`: status 200 and JSON with that code, a message, and no data.
    Code(i64),
    /// `endless`: the first element of the first array, again and again. If there is none, like `endless-space`.
    Endless,
    /// `endless-space`: the whole answer, and then spaces for ever.
    EndlessSpace,
    /// `redirect=URL`: 302, to that URL.
    Redirect(String),
}

impl FaultKind {
    /// Its name, without its value.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::Gateway(_) => "gateway",
            Self::RetryAfter(..) => "retry-after",
            Self::Reset => "reset",
            Self::Stall => "stall",
            Self::SlowDrip(_) => "slow-drip",
            Self::CutBody => "cut-body",
            Self::CutLength => "cut-length",
            Self::CutClean => "cut-clean",
            Self::Junk => "junk",
            Self::NotUtf8 => "not-utf8",
            Self::OtherEvent => "other-event",
            Self::NullArray(_) => "null-array",
            Self::Html => "html",
            Self::Code(_) => "code",
            Self::Endless => "endless",
            Self::EndlessSpace => "endless-space",
            Self::Redirect(_) => "redirect",
        }
    }
}

impl FromStr for FaultKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        Ok(match (name, value) {
            ("status", Some(status)) => Self::Status(http_status(status)?),
            ("gateway", Some(status)) => Self::Gateway(http_status(status)?),
            ("retry-after", Some(value)) => {
                let (status, seconds) = value.split_once(':').ok_or("retry-after=STATUS:SECONDS")?;
                Self::RetryAfter(http_status(status)?, number(seconds)?)
            }
            ("reset", None) => Self::Reset,
            ("stall", None) => Self::Stall,
            ("slow-drip", Some(milliseconds)) => Self::SlowDrip(number(milliseconds)?),
            ("cut-body", None) => Self::CutBody,
            ("cut-length", None) => Self::CutLength,
            ("cut-clean", None) => Self::CutClean,
            ("junk", None) => Self::Junk,
            ("not-utf8", None) => Self::NotUtf8,
            ("other-event", None) => Self::OtherEvent,
            ("null-array", Some(name)) => Self::NullArray(name.to_owned()),
            ("html", None) => Self::Html,
            ("code", Some(code)) => Self::Code(number(code)?),
            ("endless", None) => Self::Endless,
            ("endless-space", None) => Self::EndlessSpace,
            ("redirect", Some(url)) => Self::Redirect(url.to_owned()),
            _ => return Err(format!("no fault is called {text:?}, or not with this value or without one")),
        })
    }
}

fn http_status(text: &str) -> Result<u16, String> {
    let status = number(text)?;
    if STATUSES.contains(&status) { Ok(status) } else { Err(format!("{status} is no final HTTP status")) }
}

/// Reads any kind of number.
pub(super) fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is no such number"))
}
