//! How a server answers.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::ValueEnum;
use jiff::Timestamp;

use crate::fault::Fault;
use crate::quirks::Quirks;
use crate::range::{RangeEnds, ViewerDetails};

/// How a server answers.
#[allow(clippy::struct_excessive_bools, reason = "each is a way of its own, in any combination")]
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where it listens; port 0 takes a free one.
    pub bind: SocketAddr,
    /// A token that is valid besides those that `token/create` issues.
    pub token: Option<String>,
    /// The customer's `AppKey`.
    pub app_key: String,
    /// The secret with which calls are signed.
    pub app_secret: String,
    /// The customer's user, for whom tokens are issued.
    pub user_id: u64,
    /// Which ends of a range belong to it.
    pub range_ends: RangeEnds,
    /// What the totals in `viewerDetails` cover when a range is asked for.
    pub viewer_details: ViewerDetails,
    /// Whether `liveType` leaves out viewings of the other kind.
    pub live_type_filters: bool,
    /// The shape of what `event/public/list` answers.
    pub public_list: PublicList,
    /// What a list sends for a page without events.
    pub empty_page: EmptyPage,
    /// What time it is.
    pub clock: Clock,
    /// Whether small answers do not state their time.
    pub timeless: bool,
    /// What goes wrong. The first fault that strikes a request counts.
    pub faults: Vec<Fault>,
    /// The seed of what goes wrong at random.
    pub fault_seed: u64,
    /// What is odd about the reports of generated events.
    pub quirks: Quirks,
    /// Whether clients that take gzip are sent it.
    pub gzip: bool,
    /// For how long a token is said to be valid, in seconds.
    pub token_valid: i64,
    /// After how many uses an issued token is refused; never, if `None`.
    pub token_expires_after: Option<u64>,
    /// The code with which a token is refused.
    pub token_code: i64,
    /// Whether what is asked with a token has to be signed, too: parts of the vendor's documentation say so.
    pub signature_everywhere: bool,
    /// Whether issuing a token ends those issued before.
    pub new_token_ends_old: bool,
    /// The name of the header with the customer's key.
    pub app_id_header: String,
    /// The name of the token's field in what `token/create` answers.
    pub token_field: String,
    /// The one address that `user/search/email` knows; every address, if `None`.
    pub email: Option<String>,
    /// How long the server waits before every answer.
    pub latency: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            token: None,
            app_key: "demo".to_owned(),
            app_secret: "demo".to_owned(),
            user_id: 1,
            range_ends: RangeEnds::default(),
            viewer_details: ViewerDetails::default(),
            live_type_filters: false,
            public_list: PublicList::default(),
            empty_page: EmptyPage::default(),
            clock: Clock::default(),
            timeless: false,
            faults: Vec::new(),
            fault_seed: 1,
            quirks: Quirks::default(),
            gzip: false,
            token_valid: 86_400,
            token_expires_after: None,
            token_code: 401,
            signature_everywhere: false,
            new_token_ends_old: false,
            app_id_header: "AppKey".to_owned(),
            token_field: "token".to_owned(),
            email: None,
            latency: Duration::ZERO,
        }
    }
}

/// The shape of the `data` of `event/public/list`, which the vendor's page leaves open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PublicList {
    /// The events alone: `[…]`.
    #[default]
    Array,
    /// In an object: `{"list": […]}`.
    Object,
}

/// The `data` of a page of either list on which no event is, which the vendor's page leaves open as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum EmptyPage {
    /// As of any other page, with an empty array.
    #[default]
    Array,
    /// `null`.
    Null,
    /// `{"list": null}`.
    NullList,
    /// `{"total": 0}`.
    Total,
}

/// What time it is to a server.
#[derive(Clone, Copy, Debug, Default)]
pub enum Clock {
    /// The machine's time.
    #[default]
    System,
    /// Always this.
    Fixed(Timestamp),
}

impl Clock {
    pub(super) fn now(self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Fixed(now) => now,
        }
    }
}
