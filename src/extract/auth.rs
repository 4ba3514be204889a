//! Credentials: a token that is given, or an application's key and secret, with which the vendor makes one.

use bytes::Bytes;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha1::{Digest, Sha1};
use sha2::Sha256;

/// How a token is come by. Secrets cannot be printed:
///
/// ```compile_fail
/// let token = secrecy::SecretString::from("5d41c4ac806c6440eb6aa8e071115f2b");
/// println!("{token}");
/// ```
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A token of the user's own.
    Token(SecretString),
    /// A token is made when it is needed.
    App(App),
}

/// An application that the vendor knows.
#[derive(Clone, Debug)]
pub struct App {
    /// `AppKey`.
    pub key: String,
    /// `AppSecret`.
    pub secret: SecretString,
    /// For whom the token is made.
    pub user: User,
    /// The name of the header with the key: `AppKey`, or `AppId` as some pages of the vendor have it.
    pub key_header: String,
    /// The name of the token's field in the answer, which the vendor's page does not show.
    pub token_field: String,
}

/// A user of the vendor's.
#[derive(Clone, Debug)]
pub enum User {
    /// By number.
    Id(i64),
    /// By mail address, which is asked for its number first.
    Email(SecretString),
}

impl App {
    /// What tells the tokens of these credentials apart from those of others: a SHA-256 over all that they consist of, which says
    /// nothing of the secret.
    pub(super) fn fingerprint(&self) -> String {
        let user = match &self.user {
            User::Id(user_id) => user_id.to_string(),
            User::Email(email) => email.expose_secret().to_owned(),
        };
        let parts = [&self.key, self.secret.expose_secret(), &user];
        let sum = parts.iter().fold(Sha256::new(), |sum, part| sum.chain_update(part).chain_update([0]));
        format!("{:x}", Bytes::copy_from_slice(&sum.finalize()))
    }

    /// The signed headers: key, `Nonce`, `CurTime` in milliseconds, and `CheckSum`, the SHA-1 of secret, nonce and time
    /// in lower-case hex.
    pub(super) fn headers(&self, nonce: &str, now: Timestamp) -> [(&str, String); 4] {
        let time = now.as_millisecond().to_string();
        let secret = self.secret.expose_secret();
        let sum = Sha1::new().chain_update(secret).chain_update(nonce).chain_update(&time).finalize();
        [
            (&self.key_header, self.key.clone()),
            ("Nonce", nonce.to_owned()),
            ("CurTime", time),
            ("CheckSum", format!("{:x}", Bytes::copy_from_slice(&sum))),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> App {
        App {
            key: "key".into(),
            secret: "secret".into(),
            user: User::Email("li@example.com".into()),
            key_header: "AppId".into(),
            token_field: "token".into(),
        }
    }

    #[test]
    fn the_check_sum_is_sha1_of_secret_nonce_and_time() {
        // `printf secretnonce1666948293682 | sha1sum`
        let now = Timestamp::from_millisecond(1_666_948_293_682).unwrap();
        let app = app();
        let [key, _, time, sum] = app.headers("nonce", now);
        assert_eq!(key, ("AppId", "key".to_owned()));
        assert_eq!(time.1, "1666948293682");
        assert_eq!(sum.1, "4febf9fb2bd27d8f935b304a9c4c11cbb7dc2a54");
    }

    #[test]
    fn other_credentials_have_another_fingerprint_in_which_no_secret_is_seen() {
        let fingerprint = app().fingerprint();
        assert_eq!(fingerprint, app().fingerprint());
        assert!(fingerprint.len() == 64 && fingerprint.bytes().all(|digit| digit.is_ascii_hexdigit()));
        for other in [
            App { key: "other".into(), ..app() },
            App { secret: "other".into(), ..app() },
            App { user: User::Id(7), ..app() },
            App { key: "keys".into(), secret: "ecret".into(), ..app() },
        ] {
            assert_ne!(other.fingerprint(), fingerprint, "{other:?}");
        }
    }

    #[test]
    fn secrets_do_not_print() {
        let shown = format!("{:?} {:?}", Credentials::App(app()), Credentials::Token("hidden".into()));
        for secret in ["\"secret\"", "li@example.com", "hidden"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
