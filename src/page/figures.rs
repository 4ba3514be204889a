//! The figures of one event, computed from its audience alone. `samples/queries` computes the same in SQL.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;

use super::audience::{Audience, DEEDS, Names, Person, Viewing, ViewingKind, Watched};

/// How long people watched: the upper bound of each group, in minutes.
const WATCH_TIMES: [i64; 6] = [5, 15, 30, 60, 120, i64::MAX];

/// Sums over everybody but the hosts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) people: u64,
    pub(super) live_people: u64,
    pub(super) replay_people: u64,
    pub(super) people_both: u64,
    pub(super) viewings: u64,
    /// Viewings that do not identify anybody: it is not known how many people they are of.
    pub(super) unidentified: u64,
    pub(super) seconds: i64,
    pub(super) live_seconds: i64,
    pub(super) replay_seconds: i64,
    /// Live time of the people who can be told apart.
    pub(super) identified_live_seconds: i64,
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
            sums.identified_live_seconds = sums.identified_live_seconds.saturating_add(person.live.seconds);
        }
        for person in audience.attending() {
            sums.unidentified += if person.is_identified { 0 } else { person.all.viewings };
            sums.viewings += person.all.viewings;
            sums.seconds = sums.seconds.saturating_add(person.all.seconds);
            sums.live_seconds = sums.live_seconds.saturating_add(person.live.seconds);
            sums.replay_seconds = sums.replay_seconds.saturating_add(person.replay.seconds);
        }
        sums
    }

    /// Whether anything can be said about people: not if there are viewings, and none of them identifies anybody.
    pub(super) fn tells_people(&self) -> bool {
        self.people > 0 || self.unidentified == 0
    }
}

/// How many viewings began on a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DayViewings {
    pub(super) live: u64,
    pub(super) replay: u64,
}

/// Live viewings and replays of each day with any.
pub(super) fn by_day(audience: &Audience) -> BTreeMap<Date, DayViewings> {
    let mut days: BTreeMap<Date, DayViewings> = BTreeMap::new();
    for (viewing, _) in audience.viewings() {
        let of_day = days.entry(viewing.day).or_default();
        of_day.live += u64::from(viewing.kind == ViewingKind::Live);
        of_day.replay += u64::from(viewing.kind == ViewingKind::Replay);
    }
    days
}

/// A group of people, such as those of a region.
pub(super) struct Group {
    /// Empty if the vendor names none.
    pub(super) name: String,
    /// A number for each person, the same in every group.
    pub(super) people: BTreeSet<usize>,
}

/// Groups by the region or device of each viewing, the largest first. A person in two groups counts in both.
pub(super) fn groups(audience: &Audience, names: &Names, of: fn(&Viewing) -> usize) -> Vec<Group> {
    let mut found: HashMap<usize, BTreeSet<usize>> = HashMap::new();
    for (viewing, person) in audience.viewings() {
        found.entry(of(viewing)).or_default().extend(person.is_identified.then_some(viewing.person));
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

/// How many people watched for a number of minutes, all their viewings together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WatchTime {
    /// At least this many minutes.
    pub(super) from: i64,
    /// Fewer than this many minutes; `None` if there is no upper bound.
    pub(super) to: Option<i64>,
    pub(super) live: u64,
    pub(super) replay: u64,
}

/// How long people watched, from the shortest to the longest.
pub(super) fn watch_times(audience: &Audience) -> Vec<WatchTime> {
    let mut from = 0;
    let times = WATCH_TIMES.map(|to| {
        let bounds = from..to;
        from = to;
        let watched =
            |watched: &Watched| watched.viewings > 0 && bounds.contains(&(watched.seconds.max(0) / 60));
        WatchTime {
            from: bounds.start,
            to: Some(to).filter(|to| *to < i64::MAX),
            live: audience.viewers().filter(|person| watched(&person.live)).count() as u64,
            replay: audience.viewers().filter(|person| watched(&person.replay)).count() as u64,
        }
    });
    times.into()
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

    #[test]
    fn a_watch_time_counts_in_the_range_from_its_first_minute_up_to_the_next_range() {
        for (seconds, place) in [(-300, 0), (0, 0), (299, 0), (300, 1), (899, 1), (7_199, 4), (7_200, 5)] {
            let mut audience = Audience::default();
            let live = Watched { viewings: 1, seconds };
            audience.people.push(Person { is_identified: true, live, ..Person::default() });
            let found: Vec<(u64, u64)> =
                watch_times(&audience).iter().map(|time| (time.live, time.replay)).collect();
            let mut expected = [(0, 0); WATCH_TIMES.len()];
            expected[place] = (1, 0);
            assert_eq!(found, expected, "{seconds}");
        }
    }
}
