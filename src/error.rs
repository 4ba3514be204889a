//! The one error type of the program: what kind of error, whether a retry helps, where it happened, what to do.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::one_line::OneLine;

/// The result of anything that can fail in this program.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as finely as callers need to distinguish it. Callers branch on this, never on a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// The call itself is wrong: an option, a payload, or a contradiction between two of them.
    Usage,
    /// The vendor does not accept the token, or there is none.
    Credentials,
    /// The vendor does not know the event.
    UnknownEvent,
    /// The vendor refuses the request, and would refuse it again.
    Refused,
    /// The vendor answered with a failure that may pass.
    Unavailable,
    /// The vendor refuses a token that can be replaced: another machine has made a newer one, or one can be made here.
    TokenRefused,
    /// No connection to the vendor can be made.
    Unreachable,
    /// A connection to the vendor broke, or an answer ended early.
    Broken,
    /// No complete answer in the time allowed.
    Timeout,
    /// An answer is larger than allowed.
    TooLarge,
    /// An answer is not what the vendor's documentation describes: not JSON, or not UTF-8.
    BadAnswer,
    /// The counts of an answer do not add up, so none of it may be kept.
    Unbalanced,
    /// The store cannot be read or written.
    Store,
    /// A conditional write lost to another writer.
    Conflict,
    /// The store does not honour conditional writes, so concurrent writers could overwrite each other.
    Unconditional,
    /// An object is damaged, or is not what belongs in its place.
    Damaged,
    /// An object was written by a newer version of this program.
    Newer,
    /// An object was moved to a storage class in which it cannot be read before it is restored.
    Frozen,
    /// The lake was made with settings other than this run's.
    OtherLake,
    /// This machine's clock is wrong: compared with the vendor's, or with that of the last visit.
    Clock,
    /// This program made a mistake.
    Bug,
}

impl Kind {
    /// Whether the same call usually succeeds a moment later.
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Unavailable
                | Self::TokenRefused
                | Self::Unreachable
                | Self::Broken
                | Self::Timeout
                | Self::BadAnswer
                | Self::Conflict
        )
    }
}

/// An error with everything that its reader needs, shown on one line.
///
/// ```text
/// the vendor does not know this event (code: 404, requestId: 172.10…, event: 609768); hint: check the number
/// ```
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    message: String,
    context: Vec<(&'static str, String)>,
    hint: Option<String>,
    retry_after: Option<Duration>,
    is_transient: bool,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A new error. `message` starts in lower case and says what happened; literals are in backticks.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            context: Vec::new(),
            hint: None,
            retry_after: None,
            is_transient: kind.is_transient(),
            source: None,
        }))
    }

    /// An error that only a mistake in this program can cause.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Kind::Bug, message).is_a_bug()
    }

    /// Adds where it happened: a name such as `event`, `window`, `requestId` or `key`, with its value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        let value = value.to_string();
        if self.context(name) != Some(&value) {
            self.0.context.push((name, value));
        }
        self
    }

    /// Sets what the reader can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Sets the hint of an error that only a mistake in this program can cause.
    #[must_use]
    pub fn is_a_bug(self) -> Self {
        self.hint("report it to the makers of rollcall")
    }

    /// Sets what the reader can do about it, unless the error already has a hint.
    #[must_use]
    pub fn or_hint(mut self, hint: &str) -> Self {
        self.0.hint.get_or_insert_with(|| hint.to_owned());
        self
    }

    /// Sets how long the other side asks to wait before the next request.
    #[must_use]
    pub fn retry_after(mut self, pause: Option<Duration>) -> Self {
        self.0.retry_after = pause;
        self
    }

    /// Changes the kind of the error, and with it whether a retry may help.
    #[must_use]
    pub fn taken_for(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self.transient(kind.is_transient())
    }

    /// Sets whether the same call may succeed a moment later, if the caller knows better than the kind implies.
    #[must_use]
    pub fn transient(mut self, is_transient: bool) -> Self {
        self.0.is_transient = is_transient;
        self
    }

    /// Sets the error that caused this one.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Whether an object cannot be read: it is damaged, or a newer program wrote it. Other objects can still be read.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        matches!(self.0.kind, Kind::Damaged | Kind::Newer)
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Whether the same call may succeed a moment later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.0.is_transient
    }

    /// How long the other side asked to wait before the next request.
    #[must_use]
    pub fn pause_asked(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The value of one name in the context, such as the vendor's `requestId`.
    #[must_use]
    pub fn context(&self, name: &str) -> Option<&str> {
        self.0.context.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        OneLine(&self.0).fmt(f)
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, context, hint, source, .. } = self;
        f.write_str(message)?;
        let mut cause = source.as_deref().map(|source| source as &dyn std::error::Error);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        for (index, (name, value)) in context.iter().enumerate() {
            write!(f, "{}{name}: {value}", if index == 0 { " (" } else { ", " })?;
        }
        if !context.is_empty() {
            f.write_str(")")?;
        }
        if let Some(hint) = hint {
            write!(f, "; hint: {hint}")?;
        }
        Ok(())
    }
}

// The causes are part of `Display`, so that nobody has to walk them: `source` stays empty on purpose.
impl std::error::Error for Error {}

/// Adds to a foreign error what was being done when it occurred.
pub trait Explain<T> {
    /// Turns any error into one of `kind` with `message`, and keeps the original as its cause.
    fn explain(self, kind: Kind, message: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Box<dyn std::error::Error + Send + Sync>>> Explain<T> for Result<T, E> {
    fn explain(self, kind: Kind, message: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::new(kind, message()).caused_by(source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_with_cause_context_and_hint() {
        let error = Error::new(Kind::Store, "cannot write `x`")
            .caused_by(std::io::Error::other("disk full"))
            .with("event", 7)
            .with("requestId", "a_b")
            .with("msg", "two\n\u{1b}[31mlines")
            .hint("free some space");
        assert_eq!(
            error.to_string(),
            "cannot write `x`: disk full (event: 7, requestId: a_b, msg: two  [31mlines); hint: free some space"
        );
        assert_eq!(error.context("requestId"), Some("a_b"));
    }
}
