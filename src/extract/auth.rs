//! Credentials: a token that the user gave, or an application's key and secret, with which rollcall makes tokens.

use bytes::Bytes;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha1::{Digest, Sha1};
use sha2::Sha256;

/// How to obtain a token. Secrets cannot be printed:
///
/// ```compile_fail
/// let token = secrecy::SecretString::from("5d41c4ac806c6440eb6aa8e071115f2b");
/// println!("{token}");
/// ```
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A token that the user gave.
    Token(SecretString),
    /// An application, with whose credentials tokens are made as needed.
    App(App),
}

/// An application registered with the vendor.
#[derive(Clone, Debug)]
pub struct App {
    /// The application's key, the vendor's `AppKey`.
    pub key: String,
    /// The application's secret, the vendor's `AppSecret`.
    pub secret: SecretString,
    /// The user for whom tokens are made.
    pub user: User,
    /// The name of the header with the key: `AppKey`, or `AppId` in parts of the vendor's documentation.
    pub key_header: String,
    /// The name of the token's field in the answer, which the vendor's documentation does not show.
    pub token_field: String,
}

/// A user at the vendor.
#[derive(Clone, Debug)]
pub enum User {
    /// By number.
    Id(i64),
    /// By mail address; the number is looked up first.
    Email(SecretString),
}

impl App {
    /// Tells tokens made with these credentials from those made with others: a SHA-256 over all parts of the credentials, which
    /// does not reveal the secret.
    pub(super) fn fingerprint(&self) -> String {
        let user = match &self.user {
            User::Id(user_id) => user_id.to_string(),
            User::Email(email) => email.expose_secret().to_owned(),
        };
        let parts = [&self.key, self.secret.expose_secret(), &user];
        let sum = parts.iter().fold(Sha256::new(), |sum, part| sum.chain_update(part).chain_update([0]));
        format!("{:x}", Bytes::copy_from_slice(&sum.finalize()))
    }

    /// The headers that sign a request.
    pub(super) fn signature(&self, now: Timestamp) -> [(&str, String); 4] {
        let nonce: String = (0..32).map(|_| fastrand::alphanumeric()).collect();
        self.signature_with(&nonce, now)
    }

    /// Key, `Nonce`, `CurTime` in milliseconds, and `CheckSum`, the SHA-1 of secret, nonce and time in lower-case hex.
    fn signature_with(&self, nonce: &str, now: Timestamp) -> [(&str, String); 4] {
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
pub(super) mod tests {
    use super::*;

    pub(in crate::extract) fn app() -> App {
        App {
            key: "key".into(),
            secret: "secret".into(),
            user: User::Email("li@example.com".into()),
            key_header: "AppId".into(),
            token_field: "token".into(),
        }
    }

    #[test]
    fn the_checksum_is_sha1_of_secret_nonce_and_time() {
        // `printf secretnonce1666948293682 | sha1sum`
        let now = Timestamp::from_millisecond(1_666_948_293_682).unwrap();
        let app = app();
        let [key, _, time, sum] = app.signature_with("nonce", now);
        assert_eq!(key, ("AppId", "key".to_owned()));
        assert_eq!(time.1, "1666948293682");
        assert_eq!(sum.1, "4febf9fb2bd27d8f935b304a9c4c11cbb7dc2a54");
    }

    #[test]
    fn different_credentials_have_different_fingerprints_of_64_hex_digits() {
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
    fn secrets_are_hidden_in_debug_output() {
        let shown = format!("{:?} {:?}", Credentials::App(app()), Credentials::Token("hidden".into()));
        for secret in ["\"secret\"", "li@example.com", "hidden"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
