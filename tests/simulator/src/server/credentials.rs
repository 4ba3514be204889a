//! Who may call: signatures and tokens.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use axum::http::HeaderMap;
use sha1::{Digest, Sha1};

use super::reply::Failure;
use super::{Clock, ServerOptions};
use crate::draw::Draw;

/// The most characters that a nonce may have.
const NONCE_CHARS: usize = 128;

/// How far the caller's clock may be off, in milliseconds, if the server's own clock runs. What the vendor allows is not known.
const MOST_OFF: i64 = 15 * 60 * 1000;

/// The nonces of signatures that were accepted: none is accepted twice.
#[derive(Debug, Default)]
pub(super) struct Nonces(Mutex<HashSet<String>>);

/// The tokens that were issued and are valid, each with the number of its uses.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<HashMap<String, u64>>);

impl Tokens {
    /// Issues a token: 32 hex characters that differ with `number`. It may end those before it.
    pub(super) fn issue(&self, number: u64, options: &ServerOptions) -> String {
        let draw = Draw::new(number);
        let token = format!("{:016x}{:016x}", draw.roll("token high"), draw.roll("token low"));
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if options.new_token_ends_old {
            tokens.clear();
        }
        tokens.insert(token.clone(), 0);
        token
    }

    /// Fails unless `token` is valid. This is one use of it.
    pub(super) fn verify(&self, token: Option<&str>, options: &ServerOptions) -> Result<(), Failure> {
        let refused = || Failure::bad_token(options.token_code);
        let token = token.ok_or_else(refused)?;
        if options.token.as_deref() == Some(token) {
            return Ok(());
        }
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let uses = tokens.get_mut(token).ok_or_else(refused)?;
        *uses += 1;
        if options.token_expires_after.is_none_or(|most| *uses <= most) { Ok(()) } else { Err(refused()) }
    }
}

/// Fails unless the call is signed by the customer, now and only once.
pub(super) fn verify_signature(
    headers: &HeaderMap,
    options: &ServerOptions,
    nonces: &Nonces,
) -> Result<(), Failure> {
    let header =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).ok_or(Failure::BAD_SIGNATURE);
    let (nonce, cur_time) = (header("Nonce")?, header("CurTime")?);
    let is_signed = header(&options.app_id_header)? == options.app_key
        && (1..=NONCE_CHARS).contains(&nonce.chars().count())
        && cur_time.parse().is_ok_and(|millis| is_now(options.clock, millis))
        && header("CheckSum")? == check_sum(&options.app_secret, nonce, cur_time);
    let mut known = nonces.0.lock().unwrap_or_else(PoisonError::into_inner);
    if is_signed && known.insert(nonce.to_owned()) { Ok(()) } else { Err(Failure::BAD_SIGNATURE) }
}

/// Whether a caller's time is about the server's. A server whose clock stands still accepts any time.
fn is_now(clock: Clock, millis: i64) -> bool {
    match clock {
        Clock::System => millis.abs_diff(clock.now().as_millisecond()) <= MOST_OFF.unsigned_abs(),
        Clock::Fixed(_) => millis > 0,
    }
}

/// The lower-case hex SHA-1 of the three, one after another.
fn check_sum(app_secret: &str, nonce: &str, cur_time: &str) -> String {
    let digest = Sha1::new().chain_update(app_secret).chain_update(nonce).chain_update(cur_time).finalize();
    digest.iter().fold(String::new(), |mut hex, byte| {
        // Writing to memory does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
