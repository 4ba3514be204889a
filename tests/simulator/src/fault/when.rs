//! Which requests a fault strikes.

use std::str::FromStr;

use jiff::civil::Date;

use super::kind::number;
use crate::draw::Draw;
use crate::local::wall_clock;
use crate::server::Request;

/// Which requests a fault strikes: some of those in its scope. By default every request.
///
/// As text, one or more of these, with commas between them: `always`, `rate:P`, `nth:N`, `first:N`, `every:N` (see [`Frequency`];
/// the last one counts), `path:ENDING`, `event:ID`, `day:DATE`, `day:ID:DATE`, `snapshot` (see [`Scope`]).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct When {
    /// Which requests count.
    pub scope: Scope,
    /// Which of those that count are struck.
    pub frequency: Frequency,
}

/// Which of the requests that count are struck.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Frequency {
    /// All.
    #[default]
    Always,
    /// This share, at random, as the seed, the fault's place in the list and the number of the request decide.
    Rate(f64),
    /// The n-th only, from 1.
    Nth(u64),
    /// The first n.
    First(u64),
    /// The n-th, the 2n-th, the 3n-th and so on.
    Every(u64),
}

/// Which requests count: those for which all of this is true. By default all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The path ends like this, such as `report/details`.
    pub path: Option<String>,
    /// This event is asked for.
    pub event: Option<u64>,
    /// The middle of the range asked for lies in this day of UTC+8.
    pub day: Option<Date>,
    /// A report without a range is asked for.
    pub snapshot: bool,
}

impl Frequency {
    /// Whether a request is struck; it is the `count`-th that counts, from 1, and its chance is `draw`.
    pub(crate) fn strikes(self, count: u64, draw: Draw) -> bool {
        match self {
            Self::Always => true,
            Self::Rate(rate) => draw.share("rate") < rate,
            Self::Nth(n) => count == n,
            Self::First(n) => count <= n,
            Self::Every(n) => count.is_multiple_of(n),
        }
    }
}

impl Scope {
    /// Whether `request` counts.
    pub(crate) fn contains(&self, request: &Request) -> bool {
        let range = request.start_time.zip(request.end_time);
        let day = range.map(|(start, end)| wall_clock(start.midpoint(end)).date());
        let is_snapshot = request.path.ends_with("report/details")
            && request.start_time.is_none()
            && request.end_time.is_none();
        self.path.as_deref().is_none_or(|ending| request.path.ends_with(ending))
            && (self.event.is_none() || self.event == request.event_id)
            && (self.day.is_none() || self.day == day)
            && (is_snapshot || !self.snapshot)
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut when = Self::default();
        for part in text.split(',') {
            let Self { scope, frequency } = &mut when;
            let (name, value) = part.split_once(':').unwrap_or((part, ""));
            match name {
                "always" => *frequency = Frequency::Always,
                "rate" => *frequency = Frequency::Rate(number(value)?),
                "nth" => *frequency = Frequency::Nth(number(value)?),
                "first" => *frequency = Frequency::First(number(value)?),
                "every" => *frequency = Frequency::Every(number(value)?),
                "path" => scope.path = Some(value.to_owned()),
                "event" => scope.event = Some(number(value)?),
                "day" => {
                    let (event, day) =
                        value.split_once(':').map_or((None, value), |(id, day)| (Some(id), day));
                    scope.event = event.map(number).transpose()?.or(scope.event);
                    scope.day = Some(day.parse().map_err(|_| format!("{day:?} is no day"))?);
                }
                "snapshot" => scope.snapshot = true,
                _ => return Err(format!("{part:?} says nothing about requests")),
            }
        }
        Ok(when)
    }
}
