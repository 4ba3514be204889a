//! Bar charts: rows of horizontal bars.

use std::collections::BTreeSet;

use super::figures::{Group, WatchTime};

/// How many groups are shown at most; the others are summed up.
const SHOWN: usize = 15;

/// One row.
pub(super) struct Bar {
    /// What is counted, in Chinese and in English.
    pub(super) name: (String, String),
    /// The count.
    pub(super) number: i64,
    /// The width, in percent of the widest bar.
    pub(super) width: u64,
    /// Count and width of the row's second bar, if it has one.
    pub(super) second: Option<(i64, u64)>,
}

/// Bars for the largest groups, and one for all others, in which nobody counts twice.
pub(super) fn of_groups(groups: &[Group]) -> Vec<Bar> {
    let most = groups.first().map_or(0, |group| group.people.len());
    let bar = |name: (String, String), people: usize| Bar {
        name,
        number: i64::try_from(people).unwrap_or(i64::MAX),
        width: percent(people as u64, most as u64),
        second: None,
    };
    let shown = groups.iter().take(SHOWN).map(|group| {
        let unknown = || ("未知".to_owned(), "unknown".to_owned());
        let name = if group.name.is_empty() { unknown() } else { (group.name.clone(), group.name.clone()) };
        bar(name, group.people.len())
    });
    let mut bars: Vec<Bar> = shown.collect();
    let others = groups.get(SHOWN..).unwrap_or_default();
    if !others.is_empty() {
        let name = (format!("其他 {} 项", others.len()), format!("{} others", others.len()));
        let people: BTreeSet<&usize> = others.iter().flat_map(|group| &group.people).collect();
        bars.push(bar(name, people.len()));
    }
    bars
}

/// Bars for how long people watched, live and as a replay.
pub(super) fn of_watch_times(times: &[WatchTime]) -> Vec<Bar> {
    let most = times.iter().map(|time| time.live.max(time.replay)).max().unwrap_or_default();
    let bar = |WatchTime { from, to, live, replay }: &WatchTime| Bar {
        name: match to {
            Some(to) => (format!("{from}–{to} 分钟"), format!("{from}–{to} min")),
            None => (format!("{from} 分钟以上"), format!("{from} min or more")),
        },
        number: i64::try_from(*live).unwrap_or(i64::MAX),
        width: percent(*live, most),
        second: Some((i64::try_from(*replay).unwrap_or(i64::MAX), percent(*replay, most))),
    };
    times.iter().map(bar).collect()
}

fn percent(number: u64, most: u64) -> u64 {
    (number * 100).div_ceil(most.max(1)).min(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_in_several_of_the_groups_summed_up_as_others_counts_once() {
        let group = |name: usize, people: &[usize]| Group {
            name: format!("{name}"),
            people: people.iter().copied().collect(),
        };
        let mut groups: Vec<Group> = (0..SHOWN).map(|name| group(name, &[1, 2, 3])).collect();
        groups.extend([group(SHOWN, &[1, 2]), group(SHOWN + 1, &[1]), group(SHOWN + 2, &[])]);
        let bars = of_groups(&groups);
        let last = bars.last().unwrap();
        assert_eq!((bars.len(), last.number, last.name.1.as_str()), (SHOWN + 1, 2, "3 others"));
    }
}
