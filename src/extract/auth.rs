//! Credentials: a token that is given, or one that the vendor makes for signed headers.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use sha1::{Digest, Sha1};

/// How a token is come by. Secrets cannot be printed.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A token of the user's own.
    Token(SecretString),
    /// A token is made with the application's key and secret, for one user.
    App {
        /// `AppKey`.
        key: String,
        /// `AppSecret`.
        secret: SecretString,
        /// The vendor's `userId`.
        user_id: i64,
    },
}

/// A token that was made.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) secret: SecretString,
    pub(super) customer: Option<String>,
    pub(super) valid_until: Timestamp,
}

/// How long before its end a token is made anew.
const RESERVE: SignedDuration = SignedDuration::from_mins(5);

impl Token {
    /// Whether it can be used for one more request.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        self.valid_until.duration_since(now) > RESERVE
    }
}

/// The signed headers: `AppKey`, `Nonce`, `CurTime` in milliseconds, and `CheckSum`, the SHA-1 of secret, nonce and
/// time in lower-case hex.
pub(super) fn headers(
    key: &str,
    secret: &SecretString,
    nonce: &str,
    now: Timestamp,
) -> [(&'static str, String); 4] {
    let time = now.as_millisecond().to_string();
    let sum =
        Sha1::new().chain_update(secret.expose_secret()).chain_update(nonce).chain_update(&time).finalize();
    [
        ("AppKey", key.to_owned()),
        ("Nonce", nonce.to_owned()),
        ("CurTime", time),
        ("CheckSum", format!("{:x}", Bytes::copy_from_slice(&sum))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_sum_is_sha1_of_secret_nonce_and_time() {
        // `printf secretnonce1666948293682 | sha1sum`
        let now = Timestamp::from_millisecond(1_666_948_293_682).unwrap();
        let [_, _, time, sum] = headers("key", &"secret".into(), "nonce", now);
        assert_eq!(time.1, "1666948293682");
        assert_eq!(sum.1, "4febf9fb2bd27d8f935b304a9c4c11cbb7dc2a54");
    }

    #[test]
    fn secrets_do_not_print() {
        let credentials = Credentials::App { key: "key".into(), secret: "hidden".into(), user_id: 1 };
        assert!(!format!("{credentials:?} {:?}", Credentials::Token("hidden".into())).contains("hidden"));
    }
}
