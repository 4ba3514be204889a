//! Days and wall clocks of the lake's time zone. The zone's rules are compiled in, so that no machine's own copy of
//! the zone database changes what a day is.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneTransition};
use jiff::{Timestamp, ToSpan};

use crate::error::{Error, Explain, Kind, Result};

/// The zone in which the lake's days begin and end.
#[derive(Clone, Debug)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

impl Zone {
    /// Looks up a zone by its IANA name, such as `Asia/Shanghai`.
    pub fn parse(name: &str) -> Result<Self> {
        let rules = jiff::tz::TimeZoneDatabase::bundled().get(name).map_err(|_| {
            Error::new(Kind::Usage, format!("unknown time zone `{name}`"))
                .hint("use a name of the IANA database, such as `Asia/Shanghai` or `UTC`")
        })?;
        Ok(Self { name: rules.iana_name().unwrap_or(name).to_owned(), rules })
    }

    /// The zone's name, as the database spells it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The local day on which an instant falls.
    #[must_use]
    pub fn day_of(&self, instant: Timestamp) -> Date {
        self.wall_clock(instant).date()
    }

    /// The local date and time at an instant.
    #[must_use]
    pub fn wall_clock(&self, instant: Timestamp) -> DateTime {
        self.rules.to_datetime(instant)
    }

    /// The first instant of a day; if the clocks jump over midnight, the first instant after the jump.
    pub fn start_of(&self, day: Date) -> Result<Timestamp> {
        day.to_zoned(self.rules.clone())
            .map(|start| start.timestamp())
            .explain(Kind::Usage, || format!("there is no day `{day}` in the zone `{}`", self.name))
    }

    /// The first instant after a day.
    pub fn end_of(&self, day: Date) -> Result<Timestamp> {
        self.start_of(next(day)?)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Local time for many instants in a row: the zone's rules are looked up only once between two clock changes.
#[derive(Clone, Debug)]
pub struct WallClock {
    zone: Zone,
    /// The period for which `ahead` holds, in seconds since 1970.
    known: Range<i64>,
    /// Seconds by which local time is ahead of UTC.
    ahead: i64,
}

impl WallClock {
    /// The wall clock of a zone.
    #[must_use]
    pub fn new(zone: Zone) -> Self {
        Self { zone, known: 0..0, ahead: 0 }
    }

    /// The local time at an instant, in milliseconds since 1970 as if it were UTC.
    pub fn millis(&mut self, instant: Timestamp) -> i64 {
        let second = instant.as_second();
        if !self.known.contains(&second) {
            let rules = &self.zone.rules;
            let change = |change: Option<TimeZoneTransition<'_>>| change.map(|at| at.timestamp().as_second());
            // At the very instant of a change, the new offset already holds.
            let before =
                instant.checked_add(1.second()).map_or(None, |after| change(rules.preceding(after).next()));
            let after = change(rules.following(instant).next());
            self.known = before.unwrap_or(second)..after.unwrap_or(i64::MAX);
            self.ahead = i64::from(rules.to_offset(instant).seconds());
        }
        instant.as_millisecond() + self.ahead * 1000
    }
}

/// Where the current time comes from. It is passed as an argument, so that tests can set it.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The machine's own clock.
    System,
    /// A clock that stands still at this instant.
    Fixed(Timestamp),
}

impl Clock {
    /// The current time, in whole milliseconds, as it is stored.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = match self {
            Self::System => Timestamp::now(),
            Self::Fixed(instant) => *instant,
        };
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}

/// A time limit, with the clock that tells whether it has passed.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    /// The clock to compare with.
    pub clock: Clock,
    /// The first instant that is too late; `None` if there is no limit.
    pub end: Option<Timestamp>,
}

impl Deadline {
    /// A deadline that never passes.
    #[must_use]
    pub fn never() -> Self {
        Self { clock: Clock::System, end: None }
    }

    /// The time that is left; `None` if there is no limit.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        let left = self.end?.duration_since(self.clock.now());
        Some(Duration::try_from(left).unwrap_or_default())
    }

    /// Whether the deadline has passed.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over_in(Duration::ZERO)
    }

    /// Whether the deadline will have passed after this time.
    #[must_use]
    pub fn is_over_in(&self, time: Duration) -> bool {
        self.time_left().is_some_and(|left| left <= time)
    }
}

/// `now`, or the millisecond after `last` if that is later: so two instants in a row are never the same.
#[must_use]
pub fn later_than(last: Timestamp, now: Timestamp) -> Timestamp {
    now.max(last.checked_add(1.millisecond()).unwrap_or(last))
}

/// The day after `day`.
pub fn next(day: Date) -> Result<Date> {
    day.checked_add(1.day()).explain(Kind::Usage, || format!("there is no day after `{day}`"))
}

/// The day before `day`.
pub fn previous(day: Date) -> Result<Date> {
    day.checked_sub(1.day()).explain(Kind::Usage, || format!("there is no day before `{day}`"))
}

/// All days from `first` to `last`, both included; none if `last` is before `first`.
pub fn days(first: Date, last: Date) -> impl Iterator<Item = Date> {
    first.series(1.day()).take_while(move |day| *day <= last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_starts_at_the_first_instant_that_its_clock_shows() {
        for (zone, day, start) in [
            ("Asia/Shanghai", "2022-10-26", "2022-10-25T16:00:00Z"),
            ("America/New_York", "2022-11-06", "2022-11-06T04:00:00Z"),
            ("America/New_York", "2022-11-07", "2022-11-07T05:00:00Z"),
            // Here the clocks jumped from 00:00 to 01:00.
            ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
        ] {
            let zone = Zone::parse(zone).unwrap();
            let day: Date = day.parse().unwrap();
            assert_eq!(zone.start_of(day).unwrap(), start.parse().unwrap(), "{zone} {day}");
            assert_eq!(zone.day_of(start.parse().unwrap()), day);
        }
    }

    #[test]
    fn a_wall_clock_shows_what_the_zone_says_at_every_instant() {
        for name in ["Asia/Shanghai", "America/New_York", "UTC", "Africa/Casablanca"] {
            let zone = Zone::parse(name).unwrap();
            let mut clock = WallClock::new(zone.clone());
            // Two years in steps of 50 minutes and one second, forwards and backwards, and each second around a clock change.
            let there = (0..21_000).map(|step| 1_640_000_000 + step * 3001);
            let change = 1_667_714_397..1_667_714_405;
            for second in there.clone().chain(there.rev()).chain(change.clone()).chain(change.rev()) {
                let instant = Timestamp::from_second(second).unwrap();
                let shown = jiff::tz::Offset::UTC.to_timestamp(zone.wall_clock(instant)).unwrap();
                assert_eq!(clock.millis(instant), shown.as_millisecond(), "{name} {instant}");
            }
        }
    }

    #[test]
    fn an_unknown_zone_is_refused_with_a_hint() {
        let error = Zone::parse("Asia/Shangai").unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert!(error.to_string().contains("hint: "));
    }
}
