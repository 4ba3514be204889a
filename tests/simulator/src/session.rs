//! One session: a viewer's stay in an event, or a viewing of its replay. One record of the report.

use crate::draw::Draw;
use crate::words::PLACES;

/// What was watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The event itself.
    Live,
    /// Its recording.
    Replay,
}

impl Kind {
    /// The vendor's code.
    pub(crate) fn code(self) -> i64 {
        match self {
            Self::Live => 0,
            Self::Replay => 1,
        }
    }
}

/// The array of the report that a session is a record of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Array {
    /// Through the web.
    Lives,
    /// Through the app or by phone.
    Interactions,
}

/// One session.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// The viewer's number within the event.
    pub viewer: u64,
    /// What was watched.
    pub kind: Kind,
    /// Where it is reported.
    pub array: Array,
    /// When it began, in seconds.
    pub online: i64,
    /// When it ended, in seconds.
    pub offline: i64,
    /// The source of everything else about it.
    pub(crate) draw: Draw,
}

/// What the records call something, and what `viewerDetails` calls it.
pub(crate) type Labels = (&'static str, &'static str);

impl Session {
    /// How long it lasted, in seconds.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        self.offline - self.online
    }

    /// Whether there is a record of it at the instant `now`: the vendor writes one when the viewer leaves.
    #[must_use]
    pub fn exists_at(&self, now: i64) -> bool {
        self.offline <= now
    }

    /// The device.
    pub(crate) fn device(&self) -> Labels {
        if self.by_phone() {
            return ("TEL", "电话");
        }
        self.draw
            .pick("device", &[("PC", "Windows"), ("IOS", "iOS"), ("Android", "Android"), ("MAC", "macOS")])
    }

    /// The client.
    pub(crate) fn client(&self) -> Labels {
        match self.array {
            Array::Interactions if self.by_phone() => ("TEL", "电话"),
            Array::Interactions => ("CLIENT", "客户端"),
            Array::Lives => self.draw.pick("client", &[("WEB", "Web"), ("WEB", "Web"), ("APPLET", "小程序")]),
        }
    }

    /// The address; by phone there is none.
    pub(crate) fn ip(&self) -> Option<String> {
        if self.by_phone() {
            return None;
        }
        let [low, high, ..] = self.draw.roll("ip").to_le_bytes();
        let network = if self.in_office() { "192.168" } else { "117.39" };
        Some(format!("{network}.{high}.{low}"))
    }

    /// Province and city; `None` on a private address and by phone.
    pub(crate) fn place(&self) -> Option<(&'static str, &'static str)> {
        (!self.by_phone() && !self.in_office()).then(|| self.draw.pick("place", &PLACES))
    }

    /// The counter `key`: how often the viewer did something, where the vendor says so.
    pub(crate) fn counter(&self, key: &str) -> Option<i64> {
        match (self.draw.below(key, 8), self.array) {
            (0, _) => Some(self.draw.branch(0).between(key, 1, 9)),
            (1..=5, Array::Lives) => Some(0),
            _ => None,
        }
    }

    /// Whether the session came in by telephone.
    fn by_phone(&self) -> bool {
        self.array == Array::Interactions && self.draw.one_in("phone", 4)
    }

    /// Whether it came from a private address.
    fn in_office(&self) -> bool {
        self.draw.one_in("office", 4)
    }
}
