//! The token for requests: who makes it, where it is shared, and what becomes of it when the vendor refuses it.

pub(super) mod check;
mod make;
mod refusal;
mod shared;
mod tokens;

use jiff::Timestamp;
use secrecy::SecretString;

pub(super) use self::tokens::Tokens;

/// A token, with when it has to be renewed.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) secret: SecretString,
    pub(super) customer: Option<String>,
    /// The fingerprint of the credentials that it was made with; `None` if a user gave it.
    pub(super) made_with: Option<String>,
    /// The time from which on a machine that can make a new token does so.
    pub(super) renew_at: Timestamp,
    pub(super) valid_until: Timestamp,
}
