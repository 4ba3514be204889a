//! What a call asks for: the JSON in its body.

use serde::Deserialize;

/// The parameters of all endpoints; each reads its own.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Parameters {
    pub(super) token: Option<String>,
    pub(super) event_id: Option<u64>,
    pub(super) start_time: Option<i64>,
    pub(super) end_time: Option<i64>,
    pub(super) live_type: Option<i64>,
    pub(super) page: Option<usize>,
    pub(super) page_size: Option<usize>,
    pub(super) count: Option<usize>,
    pub(super) host_id: Option<u64>,
    pub(super) user_id: Option<u64>,
    pub(super) email: Option<String>,
}

/// One call, as the server's log of calls keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The endpoint, such as `/eventopenapi/event/info`.
    pub path: &'static str,
    /// The event asked for.
    pub event_id: Option<u64>,
    /// Where the range asked for starts, in seconds.
    pub start_time: Option<i64>,
    /// Where the range asked for ends, in seconds.
    pub end_time: Option<i64>,
    /// The name of the fault that struck it, such as `cut-body`.
    pub fault: Option<&'static str>,
}
