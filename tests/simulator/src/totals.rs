//! The totals of some sessions of one viewer.

use crate::session::{Kind, Session};

/// How often and how long.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Watched {
    /// The number of sessions.
    pub(crate) times: i64,
    /// Their total length, in seconds.
    pub(crate) seconds: i64,
}

impl Watched {
    fn add(&mut self, session: &Session) {
        self.times += 1;
        self.seconds += session.seconds();
    }
}

/// The totals of some sessions of one viewer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    /// Of all.
    pub(crate) all: Watched,
    /// Of the live ones.
    pub(crate) live: Watched,
    /// Of the replays.
    pub(crate) replay: Watched,
    /// When the first began, in seconds.
    pub(crate) online: i64,
    /// When the last ended, in seconds.
    pub(crate) offline: i64,
}

impl Totals {
    /// The totals of `sessions`.
    pub(crate) fn of(sessions: &[Session]) -> Self {
        let mut totals = Self {
            online: sessions.iter().map(|session| session.online).min().unwrap_or_default(),
            offline: sessions.iter().map(|session| session.offline).max().unwrap_or_default(),
            ..Self::default()
        };
        for session in sessions {
            totals.all.add(session);
            match session.kind {
                Kind::Live => totals.live.add(session),
                Kind::Replay => totals.replay.add(session),
            }
        }
        totals
    }

    /// What was watched, as `viewerDetails` calls it.
    pub(crate) fn live_type(&self) -> &'static str {
        match (self.live.times, self.replay.times) {
            (_, 0) => "直播",
            (0, _) => "回放",
            _ => "直播+回放",
        }
    }
}
