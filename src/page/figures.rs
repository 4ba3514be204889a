//! The figures of one event: pure, from its audience. `samples/queries` says the same in SQL.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;

use super::audience::{Audience, DEEDS, Kind, Names, Person, Viewing, Watched};

/// Bounds, in minutes, of how long people stayed.
const STAYS: [i64; 6] = [5, 15, 30, 60, 120, i64::MAX];

/// Sums over everybody who is no host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) people: u64,
    pub(super) live_people: u64,
    pub(super) replay_people: u64,
    pub(super) people_both: u64,
    pub(super) viewings: u64,
    /// Viewings that say nothing of who came: they are of people whose number is not known.
    pub(super) untold: u64,
    pub(super) seconds: i64,
    pub(super) live_seconds: i64,
    pub(super) replay_seconds: i64,
    /// Live time of the people.
    pub(super) told_live_seconds: i64,
}

impl Sums {
    pub(super) fn of(audience: &Audience) -> Self {
        let mut sums = Self::default();
        for person in audience.viewers() {
            let (live, replay) = (person.live.viewings > 0, person.replay.viewings > 0);
            sums.people += 1;
            sums.live_people += u64::from(live);
            sums.replay_people += u64::from(replay);
            sums.people_both += u64::from(live && replay);
            sums.told_live_seconds = sums.told_live_seconds.saturating_add(person.live.seconds);
        }
        for person in audience.attending() {
            sums.untold += if person.is_told { 0 } else { person.all.viewings };
            sums.viewings += person.all.viewings;
            sums.seconds = sums.seconds.saturating_add(person.all.seconds);
            sums.live_seconds = sums.live_seconds.saturating_add(person.live.seconds);
            sums.replay_seconds = sums.replay_seconds.saturating_add(person.replay.seconds);
        }
        sums
    }

    /// Whether anything can be said of people: not where somebody watched, and no viewing says who.
    pub(super) fn tells_people(&self) -> bool {
        self.people > 0 || self.untold == 0
    }
}

/// How many people are online, by minutes counted from an event's start. Somebody is online in every minute that a viewing
/// touches, and once, also with two devices. Kept as the minutes in which the number changes, so that a viewing that
/// never ends takes no more than another.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Online {
    changes: BTreeMap<i64, i64>,
}

impl Online {
    /// By one kind of viewing.
    pub(super) fn of(audience: &Audience, kind: Kind, start: Timestamp) -> Self {
        let mut stays: HashMap<usize, Vec<(i64, i64)>> = HashMap::new();
        for (viewing, _) in audience.viewings().filter(|(viewing, who)| who.is_told && viewing.kind == kind) {
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

    /// The number from each minute on in which it changes.
    fn steps(&self) -> impl Iterator<Item = (i64, u64)> {
        self.changes.iter().scan(0_i64, |online, (minute, change)| {
            *online += change;
            Some((*minute, u64::try_from(*online).unwrap_or_default()))
        })
    }

    /// The most people at once, and the first minute with so many; none where nobody was.
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

/// The minutes that a viewing touches; without an end its first.
fn touched(viewing: &Viewing, start: Timestamp) -> (i64, i64) {
    let minute = |instant: Timestamp| (instant.as_second() - start.as_second()).div_euclid(60);
    let online = minute(viewing.online);
    (online, viewing.offline.map_or(online, minute).max(online))
}

/// The first and the last minute that a live viewing touches.
pub(super) fn live_minutes(audience: &Audience, start: Timestamp) -> Option<(i64, i64)> {
    let live = audience.viewings().filter(|(viewing, _)| viewing.kind == Kind::Live);
    live.map(|(viewing, _)| touched(viewing, start))
        .reduce(|(first, last), (online, offline)| (first.min(online), last.max(offline)))
}

/// How many live viewings began and ended in each span of so many minutes, the first of which begins at `first`.
pub(super) fn joins_and_leaves(
    audience: &Audience,
    start: Timestamp,
    (first, last): (i64, i64),
    span: i64,
) -> Vec<(u64, u64)> {
    let spans = usize::try_from((last - first) / span + 1).unwrap_or_default();
    let mut counted = vec![(0, 0); spans];
    let place = |minute: i64| usize::try_from((minute - first).div_euclid(span)).ok();
    for (viewing, _) in audience.viewings().filter(|(viewing, _)| viewing.kind == Kind::Live) {
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

/// Live viewings and replays of each day with any.
pub(super) fn by_day(audience: &Audience) -> BTreeMap<Date, (u64, u64)> {
    let mut days: BTreeMap<Date, (u64, u64)> = BTreeMap::new();
    for (viewing, _) in audience.viewings() {
        let (live, replay) = days.entry(viewing.day).or_default();
        *live += u64::from(viewing.kind == Kind::Live);
        *replay += u64::from(viewing.kind == Kind::Replay);
    }
    days
}

/// A group of people, such as those of a region.
pub(super) struct Group {
    /// Empty where the vendor names none.
    pub(super) name: String,
    /// A number for each of them, which they have in every group.
    pub(super) people: BTreeSet<usize>,
}

/// Groups by the place or device of each viewing, the largest first. Somebody in two of them counts in both.
pub(super) fn groups(audience: &Audience, names: &Names, of: fn(&Viewing) -> usize) -> Vec<Group> {
    let mut found: HashMap<usize, BTreeSet<usize>> = HashMap::new();
    for (viewing, person) in audience.viewings() {
        found.entry(of(viewing)).or_default().extend(person.is_told.then_some(viewing.person));
    }
    let groups = found.into_iter().map(|(number, people)| (names.name(number), people));
    largest_first(groups)
}

/// Groups by the company of each person, the largest first.
pub(super) fn companies(audience: &Audience) -> Vec<Group> {
    let mut found: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (number, person) in audience.viewers().enumerate() {
        found.entry(person.company.as_deref().unwrap_or_default()).or_default().insert(number);
    }
    largest_first(found)
}

fn largest_first<'a>(groups: impl IntoIterator<Item = (&'a str, BTreeSet<usize>)>) -> Vec<Group> {
    let groups = groups.into_iter().map(|(name, people)| Group { name: name.to_owned(), people });
    let mut groups: Vec<Group> = groups.collect();
    groups.sort_by(|one, other| {
        other.people.len().cmp(&one.people.len()).then_with(|| one.name.cmp(&other.name))
    });
    groups
}

/// How many people stayed so long in total.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stay {
    /// Minutes, at the least.
    pub(super) from: i64,
    /// Minutes that it is shorter than; none where it has no bound.
    pub(super) to: Option<i64>,
    pub(super) live: u64,
    pub(super) replay: u64,
}

/// How long people stayed, from the shortest to the longest.
pub(super) fn stays(audience: &Audience) -> Vec<Stay> {
    let mut from = 0;
    let stays = STAYS.map(|to| {
        let bounds = from..to;
        from = to;
        let stayed =
            |watched: &Watched| watched.viewings > 0 && bounds.contains(&(watched.seconds.max(0) / 60));
        Stay {
            from: bounds.start,
            to: Some(to).filter(|to| *to < i64::MAX),
            live: audience.viewers().filter(|person| stayed(&person.live)).count() as u64,
            replay: audience.viewers().filter(|person| stayed(&person.replay)).count() as u64,
        }
    });
    stays.into()
}

/// How often these people did each of the deeds.
pub(super) fn deeds<'a>(people: impl Iterator<Item = &'a Person>) -> [i64; DEEDS.len()] {
    let mut sums = [0_i64; DEEDS.len()];
    for person in people {
        for (sum, deeds) in sums.iter_mut().zip(person.deeds) {
            *sum = sum.saturating_add(deeds);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A person, and the seconds after the start between which one viewing lasted; none where nothing says when it ended.
    type Seen = (usize, i64, Option<i64>);

    const START: i64 = 1_666_772_400;

    /// Live viewings of these people.
    fn audience(seen: &[Seen]) -> Audience {
        let mut audience = Audience::default();
        let at = |second: i64| Timestamp::from_second(START + second).unwrap();
        for (person, online, offline) in seen {
            while audience.people.len() <= *person {
                audience.people.push(Person { is_told: true, ..Person::default() });
            }
            let viewing = Viewing {
                person: *person,
                kind: Kind::Live,
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
            let online = Online::of(&audience(seen), Kind::Live, start);
            assert_eq!(online.curve((0, 4)), curve, "{what}");
            assert_eq!(online.peak(), peak, "{what}");
            assert_eq!(Online::of(&audience(seen), Kind::Replay, start).peak(), None, "{what}");
        }
    }

    #[test]
    fn who_joins_and_leaves_is_counted_in_the_span_of_the_minute() {
        let start = Timestamp::from_second(START).unwrap();
        let audience = audience(&[(0, -70, Some(119)), (1, 0, Some(120)), (2, 239, None), (3, 9000, None)]);
        assert_eq!(live_minutes(&audience, start), Some((-2, 150)));
        assert_eq!(joins_and_leaves(&audience, start, (-2, 3), 2), [(1, 0), (1, 1), (1, 1)]);
    }

    #[test]
    fn a_stay_counts_where_it_has_as_many_minutes_and_fewer_than_the_next() {
        for (seconds, place) in [(-300, 0), (0, 0), (299, 0), (300, 1), (899, 1), (7_199, 4), (7_200, 5)] {
            let mut audience = audience(&[(0, 0, None)]);
            audience.people[0].live = Watched { viewings: 1, seconds };
            let found: Vec<(u64, u64)> =
                stays(&audience).iter().map(|stay| (stay.live, stay.replay)).collect();
            let mut expected = [(0, 0); STAYS.len()];
            expected[place] = (1, 0);
            assert_eq!(found, expected, "{seconds}");
        }
    }
}
