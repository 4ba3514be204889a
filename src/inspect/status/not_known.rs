//! Why it may not be known which day is complete.

use std::fmt;

use jiff::Timestamp;

use crate::config::Rosters;
use crate::load::ledger::cursor::Cursor;

/// How far the vendor's lists of events were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RosterRead {
    /// No run is to read them.
    NotWanted,
    /// The document that says how far cannot be read.
    Unreadable,
    /// Never.
    Never,
    /// Until then.
    Until(Timestamp),
}

/// Why it is not known which day is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotKnown {
    /// A ledger cannot be read: that of an event, or how far the vendor's list was read.
    LedgerUnreadable,
    /// Nothing is left of the lake.
    LakeLost,
    /// The vendor's list of events has never been read.
    RosterNeverRead,
}

impl RosterRead {
    /// `cursor` is `None` if it cannot be read.
    pub(super) fn of(rosters: &Rosters, cursor: Option<&Cursor>) -> Self {
        match cursor {
            _ if !rosters.edited => Self::NotWanted,
            None => Self::Unreadable,
            // The runs may leave out the public list, whatever the options of this command say.
            Some(Cursor { edited, public, skips_public, .. }) => edited.until.map_or(Self::Never, |until| {
                let of_public = public.until.filter(|_| rosters.public && !skips_public);
                Self::Until(of_public.map_or(until, |of_public| of_public.min(until)))
            }),
        }
    }
}

impl NotKnown {
    /// Nothing is known of events that are new since the roster was read, or of an event whose ledger cannot be read.
    pub(super) fn of(roster: RosterRead, is_ledger_unread: bool, is_lost: bool) -> Option<Self> {
        match roster {
            _ if is_ledger_unread => Some(Self::LedgerUnreadable),
            RosterRead::Unreadable => Some(Self::LedgerUnreadable),
            _ if is_lost => Some(Self::LakeLost),
            RosterRead::Never => Some(Self::RosterNeverRead),
            RosterRead::NotWanted | RosterRead::Until(_) => None,
        }
    }
}

impl fmt::Display for NotKnown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LedgerUnreadable => "a ledger cannot be read",
            Self::LakeLost => "nothing is left of the lake",
            Self::RosterNeverRead => "the list of events has never been read",
        })
    }
}
