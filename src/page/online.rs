//! Who is online minute by minute, and who comes and goes: computed from the audience of one event alone.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::audience::{Audience, Viewing, ViewingKind};

/// How many people are online in each minute, counted from an event's start. A person is online in every minute that one of their
/// viewings touches, and counts once, even with two devices. Only the minutes in which the number changes are kept, so that a
/// viewing that never ends takes no more memory than any other.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Online {
    changes: BTreeMap<i64, i64>,
}

impl Online {
    /// The people online with viewings of one kind.
    pub(super) fn of(audience: &Audience, kind: ViewingKind, start: Timestamp) -> Self {
        let mut stays: HashMap<usize, Vec<(i64, i64)>> = HashMap::new();
        for (viewing, _) in
            audience.viewings().filter(|(viewing, who)| who.is_identified && viewing.kind == kind)
        {
            stays.entry(viewing.person).or_default().push(touched(viewing, start));
        }
        let mut changes: BTreeMap<i64, i64> = BTreeMap::new();
        for mut stays in stays.into_values() {
            stays.sort_unstable();
            let mut until = i64::MIN;
            for (from, to) in stays {
                if to > until {
                    *changes.entry(from.max(until.saturating_add(1))).or_default() += 1;
                    *changes.entry(to + 1).or_default() -= 1;
                    until = to;
                }
            }
        }
        Self { changes }
    }

    /// Each minute in which the number changes, with the number from then on.
    fn steps(&self) -> impl Iterator<Item = (i64, u64)> {
        self.changes.iter().scan(0_i64, |online, (minute, change)| {
            *online += change;
            Some((*minute, u64::try_from(*online).unwrap_or_default()))
        })
    }

    /// The most people at once, and the first minute with that many; `None` if nobody was online.
    pub(super) fn peak(&self) -> Option<(u64, i64)> {
        let most = self.steps().map(|(_, people)| people).max().filter(|most| *most > 0)?;
        self.steps().find(|(_, people)| *people == most).map(|(minute, people)| (people, minute))
    }

    /// The number in each minute from the first to the last.
    pub(super) fn curve(&self, (first, last): (i64, i64)) -> Vec<u64> {
        let mut steps = self.steps().peekable();
        let mut online = 0;
        let minute = |minute: i64| {
            while let Some((_, people)) = steps.next_if(|(from, _)| *from <= minute) {
                online = people;
            }
            online
        };
        (first..=last).map(minute).collect()
    }
}

/// The first and the last minute that a viewing touches; if it has no end, only its first.
fn touched(viewing: &Viewing, start: Timestamp) -> (i64, i64) {
    let minute = |instant: Timestamp| (instant.as_second() - start.as_second()).div_euclid(60);
    let online = minute(viewing.online);
    (online, viewing.offline.map_or(online, minute).max(online))
}

/// The first and the last minute that any live viewing touches.
pub(super) fn live_minutes(audience: &Audience, start: Timestamp) -> Option<(i64, i64)> {
    let live = audience.viewings().filter(|(viewing, _)| viewing.kind == ViewingKind::Live);
    live.map(|(viewing, _)| touched(viewing, start))
        .reduce(|(first, last), (online, offline)| (first.min(online), last.max(offline)))
}

/// How many live viewings began and ended in each span of `span` minutes; the first span begins at the minute `first`.
pub(super) fn joins_and_leaves(
    audience: &Audience,
    start: Timestamp,
    (first, last): (i64, i64),
    span: i64,
) -> Vec<(u64, u64)> {
    let spans = usize::try_from((last - first) / span + 1).unwrap_or_default();
    let mut counted = vec![(0, 0); spans];
    let place = |minute: i64| usize::try_from((minute - first).div_euclid(span)).ok();
    for (viewing, _) in audience.viewings().filter(|(viewing, _)| viewing.kind == ViewingKind::Live) {
        let (online, offline) = touched(viewing, start);
        if let Some((joins, _)) = place(online).and_then(|at| counted.get_mut(at)) {
            *joins += 1;
        }
        if let Some((_, leaves)) =
            viewing.offline.and_then(|_| place(offline)).and_then(|at| counted.get_mut(at))
        {
            *leaves += 1;
        }
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::super::audience::Person;
    use super::*;

    /// A person, and when one viewing began and ended, in seconds after the start; without an end if that is not known.
    type Seen = (usize, i64, Option<i64>);

    const START: i64 = 1_666_772_400;

    /// Live viewings of these people.
    fn audience(seen: &[Seen]) -> Audience {
        let mut audience = Audience::default();
        let at = |second: i64| Timestamp::from_second(START + second).unwrap();
        for (person, online, offline) in seen {
            while audience.people.len() <= *person {
                audience.people.push(Person { is_identified: true, ..Person::default() });
            }
            let viewing = Viewing {
                person: *person,
                kind: ViewingKind::Live,
                online: at(*online),
                offline: offline.map(at),
                day: "2022-10-26".parse().unwrap(),
                region: 0,
                device: 0,
            };
            audience.viewings.push(viewing);
        }
        audience
    }

    #[test]
    fn somebody_is_online_once_in_each_minute_that_a_viewing_touches() {
        let start = Timestamp::from_second(START).unwrap();
        for (seen, curve, peak, what) in [
            (&[][..], [0, 0, 0, 0, 0], None, "nobody"),
            (&[(0, 0, Some(59))], [1, 0, 0, 0, 0], Some((1, 0)), "within a minute"),
            (&[(0, 0, Some(60))], [1, 1, 0, 0, 0], Some((1, 0)), "up to the next"),
            (&[(0, 0, Some(59)), (0, 60, Some(119))], [1, 1, 0, 0, 0], Some((1, 0)), "one after the other"),
            (&[(0, 0, Some(130)), (0, 61, Some(200))], [1, 1, 1, 1, 0], Some((1, 0)), "two devices"),
            (&[(0, 0, Some(200)), (0, 60, Some(90))], [1, 1, 1, 1, 0], Some((1, 0)), "one within the other"),
            (&[(0, 120, None)], [0, 0, 1, 0, 0], Some((1, 2)), "without an end"),
            (&[(0, 120, Some(60))], [0, 0, 1, 0, 0], Some((1, 2)), "an end before its beginning"),
            (&[(0, 0, Some(130)), (1, 130, Some(200))], [1, 1, 2, 1, 0], Some((2, 2)), "two people"),
            (&[(0, -90, Some(0))], [1, 0, 0, 0, 0], Some((1, -2)), "before the start"),
        ] {
            let online = Online::of(&audience(seen), ViewingKind::Live, start);
            assert_eq!(online.curve((0, 4)), curve, "{what}");
            assert_eq!(online.peak(), peak, "{what}");
            assert_eq!(Online::of(&audience(seen), ViewingKind::Replay, start).peak(), None, "{what}");
        }
    }

    #[test]
    fn joins_and_leaves_are_counted_in_the_span_that_their_minute_is_in() {
        let start = Timestamp::from_second(START).unwrap();
        let audience = audience(&[(0, -70, Some(119)), (1, 0, Some(120)), (2, 239, None), (3, 9000, None)]);
        assert_eq!(live_minutes(&audience, start), Some((-2, 150)));
        assert_eq!(joins_and_leaves(&audience, start, (-2, 3), 2), [(1, 0), (1, 1), (1, 1)]);
    }
}
