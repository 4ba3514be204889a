//! What somebody should look at, in one line each.

use std::collections::BTreeSet;

use serde::Serialize;

/// How many events a line names at most.
const NAMED: usize = 10;

/// One line: what it is, and what to do.
#[derive(Debug, Serialize)]
pub struct Advice {
    /// What it is about, in one word.
    pub name: &'static str,
    /// What was found, and what to do.
    pub text: String,
    /// The events that it is about.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub events: BTreeSet<i64>,
}

impl Advice {
    /// Advice that is not about events.
    pub(super) fn new(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, text: text.into(), events: BTreeSet::new() }
    }

    /// Advice about these events; `None` if there are no events. `{}` in the text stands for them.
    pub(super) fn about(name: &'static str, events: BTreeSet<i64>, text: &str) -> Option<Self> {
        let mut named: Vec<String> = events.iter().take(NAMED).map(i64::to_string).collect();
        if events.len() > NAMED {
            named.push(format!("{} more", events.len() - NAMED));
        }
        let noun = if events.len() == 1 { "event" } else { "events" };
        let text = text.replace("{}", &format!("{noun} {}", named.join(", ")));
        (!events.is_empty()).then_some(Self { name, text, events })
    }
}
