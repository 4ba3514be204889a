//! What goes wrong on the way, on purpose: which fault strikes which requests.

mod kind;
mod when;

use std::str::FromStr;

pub use kind::FaultKind;
pub use when::{Frequency, Scope, When};

/// A fault and the requests that it strikes.
///
/// As text `NAME[=VALUE][@WHEN]`, see [`FaultKind`] and [`When`]: `reset@rate:0.1`, `status=503@every:3`,
/// `cut-body@event:700004,nth:2`, `status=500@day:700004:2022-10-27`. What follows the last `@` is the [`When`], so a URL that
/// has an `@` needs an `@always` after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// For which requests.
    pub when: When,
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.rsplit_once('@') {
            Some((kind, when)) => Self { kind: kind.parse()?, when: when.parse()? },
            None => Self { kind: text.parse()?, when: When::default() },
        })
    }
}
