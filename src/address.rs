//! Checks URLs to which secrets are sent.

use std::env;

use reqwest::Url;

use crate::error::{Error, Explain, Kind, Result};

/// Parses a URL to which tokens and personal data may be sent: HTTPS, or plain HTTP to this machine. The result ends with `/`.
pub fn checked(text: &str) -> Result<Url> {
    let hint = "write it like `https://example.com`";
    let invalid = || format!("`{text}` is not a URL");
    let mut url = Url::parse(text).explain(Kind::Usage, invalid).map_err(|error| error.hint(hint))?;
    let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if !(url.scheme() == "https" || url.scheme() == "http" && is_local) {
        let message = format!("`{text}` would send secrets unencrypted");
        return Err(Error::new(Kind::Usage, message).hint("use `https://`"));
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

/// Refuses an endpoint in the environment to which rows and secrets for an AWS service would be sent in the clear. The SDK reads
/// it from the environment by itself.
pub fn check_endpoint(service: &str) -> Result<()> {
    let named = [&format!("AWS_ENDPOINT_URL_{service}"), "AWS_ENDPOINT_URL"].map(|name| env::var(name).ok());
    match named.into_iter().flatten().find(|url| !url.is_empty()) {
        Some(url) => checked(&url).map(|_| ()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_sent_in_the_clear_only_to_this_machine() {
        for (url, allowed) in [
            ("https://events-openapi.quanshi.com", true),
            ("http://127.0.0.1:8080", true),
            ("http://localhost:8080/base", true),
            ("http://[::1]:8080", true),
            ("http://events-openapi.quanshi.com", false),
            ("http://127.0.0.1.example.com", false),
            ("ftp://127.0.0.1", false),
            ("events-openapi.quanshi.com", false),
        ] {
            assert_eq!(checked(url).is_ok(), allowed, "{url}");
        }
    }
}
