//! Windows: the parts of a day, each of which is asked for in one request.

use std::ops::Range;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::calendar::Zone;
use crate::error::Result;

/// The shortest window that a day is split into; if even its answer is too large or too late, that is an error.
const SHORTEST: SignedDuration = SignedDuration::from_mins(1);

/// The most pieces of a day, as a power of two, that are not shorter than [`SHORTEST`].
const MOST_PIECES: u32 = 1024;

/// A half-open range `[from, to)` of `online_time`, in whole seconds: a day or a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first instant inside the window.
    pub from: Timestamp,
    /// The first instant after the window.
    pub to: Timestamp,
}

impl Window {
    /// What the vendor is asked for: `startTime` and `endTime` in seconds, one second wider at both ends, because it is not
    /// known which ends the vendor includes; nothing was watched before 1970.
    #[must_use]
    pub fn asked(&self) -> (i64, i64) {
        ((self.from.as_second() - 1).max(0), self.to.as_second() + 1)
    }

    /// Like [`Window::asked`], with the names of the vendor's parameters.
    #[must_use]
    pub fn parameters(&self) -> [(&'static str, i64); 2] {
        let (from, to) = self.asked();
        [("startTime", from), ("endTime", to)]
    }

    /// The range of `online_time` whose rows are kept from the answer.
    #[must_use]
    pub fn kept(&self) -> Range<Timestamp> {
        self.from..self.to
    }
}

/// Splits a day into `pieces` consecutive windows of equal length, to the second. `None` if they would be shorter than a
/// minute.
pub fn split(zone: &Zone, day: Date, pieces: u32) -> Result<Option<Vec<Window>>> {
    let (from, to) = (zone.start_of(day)?.as_second(), zone.end_of(day)?.as_second());
    let length = to - from;
    let pieces = i64::from(pieces);
    if pieces > 1 && length / pieces < SHORTEST.as_secs() {
        return Ok(None);
    }
    let edge = |piece: i64| Timestamp::from_second(from + length * piece / pieces).unwrap_or(Timestamp::MAX);
    Ok(Some((0..pieces).map(|piece| Window { from: edge(piece), to: edge(piece + 1) }).collect()))
}

/// The pieces that a day needs so as to have at least this many windows, as a power of two; no more than a day can have.
#[must_use]
pub fn pieces_for(windows: usize) -> u32 {
    u32::try_from(windows).unwrap_or(MOST_PIECES).min(MOST_PIECES).next_power_of_two()
}

/// These windows, with two halves in place of each of the `chosen` ones that is not too short for that. `None` if all are.
#[must_use]
pub fn halved(windows: &[Window], chosen: &[Window]) -> Option<Vec<Window>> {
    let halves = windows.iter().flat_map(|window| {
        let Window { from, to } = *window;
        let half = from + to.duration_since(from) / 2;
        let middle = Timestamp::from_second(half.as_second()).unwrap_or(half);
        if chosen.contains(window) && middle.duration_since(from) >= SHORTEST {
            vec![Window { from, to: middle }, Window { from: middle, to }]
        } else {
            vec![*window]
        }
    });
    let halves: Vec<Window> = halves.collect();
    (halves.len() > windows.len()).then_some(halves)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    #[test]
    fn windows_cover_the_day_exactly_once_even_when_clocks_change() {
        for (zone, day, hours) in [
            ("Asia/Shanghai", "2022-10-26", 24),
            ("America/New_York", "2022-11-06", 25),
            ("America/New_York", "2022-03-13", 23),
            ("America/Sao_Paulo", "2018-11-04", 23),
            ("Australia/Lord_Howe", "2022-04-03", 24),
        ] {
            let zone = Zone::parse(zone).unwrap();
            let day = day.parse().unwrap();
            for pieces in [1, 2, 4, 8, 1024] {
                let windows = split(&zone, day, pieces).unwrap().unwrap();
                assert_eq!(windows.len(), pieces as usize);
                assert_eq!(windows[0].from, zone.start_of(day).unwrap());
                assert_eq!(windows.last().unwrap().to, zone.end_of(day).unwrap());
                assert!(windows.windows(2).all(|pair| pair[0].to == pair[1].from));
                assert!(windows.iter().all(|window| window.from < window.to));
            }
            let whole = split(&zone, day, 1).unwrap().unwrap()[0];
            assert_eq!(whole.to.duration_since(whole.from).as_hours(), hours, "{zone}");
        }
    }

    proptest! {
        /// Whichever ends the vendor includes, in all kinds of zones, with windows of all lengths: each second is kept by
        /// exactly one window, and that window's answer has it.
        #[test]
        fn every_second_is_answered_and_kept_by_exactly_one_window(
            zone in select(vec!["Asia/Shanghai", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "UTC"]),
            day in 0_i16..3000,
            pieces in select(vec![1_u32, 2, 4, 64, 1024]),
            second in -3_i64..90_003,
            edge in proptest::option::of(any::<prop::sample::Index>()),
            (first, last) in any::<(bool, bool)>(),
        ) {
            let zone = Zone::parse(zone).unwrap();
            let day = jiff::civil::date(2015, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap();
            let days = [crate::calendar::previous(day).unwrap(), day, crate::calendar::next(day).unwrap()];
            let windows: Vec<Window> =
                days.iter().flat_map(|day| split(&zone, *day, pieces).unwrap().unwrap()).collect();
            let mut instant = zone.start_of(day).unwrap().as_second() + second;
            if let Some(edge) = edge {
                instant = edge.get(&windows).to.as_second() + second % 2;
            }
            let online = Timestamp::from_second(instant).unwrap();
            let is_answered = |window: &Window| {
                let (from, to) = window.asked();
                (if first { instant >= from } else { instant > from }) && (if last { instant <= to } else { instant < to })
            };
            let kept = windows.iter().filter(|window| is_answered(window) && window.kept().contains(&online)).count();
            let is_inside = (windows[0].from..windows.last().unwrap().to).contains(&online);
            prop_assert_eq!(kept, usize::from(is_inside));
        }
    }

    #[test]
    fn a_window_is_never_shorter_than_a_minute() {
        let zone = Zone::parse("UTC").unwrap();
        let day = "2022-10-26".parse().unwrap();
        assert!(split(&zone, day, 1440).unwrap().is_some());
        assert!(split(&zone, day, 1441).unwrap().is_none());
    }

    #[test]
    fn a_number_of_windows_is_rounded_up_to_a_power_of_two_of_at_most_1024() {
        for (windows, pieces) in
            [(1, 1), (2, 2), (3, 4), (64, 64), (65, 128), (1025, 1024), (usize::MAX, 1024)]
        {
            assert_eq!(pieces_for(windows), pieces, "{windows}");
        }
    }

    #[test]
    fn a_window_is_asked_for_one_second_wider_at_each_end() {
        let window = Window {
            from: "2022-10-25T16:00:00Z".parse().unwrap(),
            to: "2022-10-26T16:00:00Z".parse().unwrap(),
        };
        assert_eq!(window.asked(), (1_666_713_599, 1_666_800_001));
    }

    #[test]
    fn a_window_is_halved_unless_the_halves_would_be_shorter_than_a_minute() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let windows = |edges: &[i64]| -> Vec<Window> {
            edges.windows(2).map(|edge| Window { from: at(edge[0]), to: at(edge[1]) }).collect()
        };
        for (before, chosen, after) in [
            (&[0, 240][..], &[0][..], Some(&[0, 120, 240][..])),
            (&[0, 241], &[0], Some(&[0, 120, 241])),
            (&[0, 240], &[], None),
            (&[0, 119], &[0], None),
            (&[0, 119, 400, 520], &[0, 2], Some(&[0, 119, 400, 460, 520])),
        ] {
            let before = windows(before);
            let chosen: Vec<Window> = chosen.iter().map(|at: &usize| before[*at]).collect();
            assert_eq!(halved(&before, &chosen), after.map(windows), "{before:?}");
        }
    }
}
