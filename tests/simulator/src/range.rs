//! The time range of a request, and the two things about it that the vendor's page leaves open.

use clap::ValueEnum;

/// Which ends of a range belong to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum RangeEnds {
    /// Both.
    #[default]
    Inclusive,
    /// The start alone.
    HalfOpen,
    /// Neither.
    Exclusive,
}

/// What the totals in `viewerDetails` cover when a range is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ViewerDetails {
    /// The whole event so far.
    #[default]
    Cumulative,
    /// The sessions within the range; viewers without any are left out.
    PerRange,
}

/// A range of `online_time`; an end that is `None` is open.
#[derive(Clone, Copy, Debug, Default)]
pub struct Range {
    /// Where it starts, in seconds.
    pub start: Option<i64>,
    /// Where it ends, in seconds.
    pub end: Option<i64>,
    /// Which of the two belong to it.
    pub ends: RangeEnds,
}

impl Range {
    /// Whether `instant` lies in the range.
    #[must_use]
    pub fn contains(&self, instant: i64) -> bool {
        let (with_start, with_end) = match self.ends {
            RangeEnds::Inclusive => (true, true),
            RangeEnds::HalfOpen => (true, false),
            RangeEnds::Exclusive => (false, false),
        };
        self.start.is_none_or(|start| start < instant || with_start && start == instant)
            && self.end.is_none_or(|end| instant < end || with_end && instant == end)
    }
}
