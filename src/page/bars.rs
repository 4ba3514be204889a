//! Rows of bars.

use super::figures::{Group, Stay};

/// How many groups are shown; the others are summed up.
const SHOWN: usize = 15;

/// One row.
pub(super) struct Bar {
    /// What, in Chinese and in English.
    pub(super) name: (String, String),
    /// How many.
    pub(super) number: i64,
    /// Of the longest, in percent.
    pub(super) width: u64,
    /// The second bar of the row, where it has one.
    pub(super) second: Option<(i64, u64)>,
}

/// Bars of the largest groups.
pub(super) fn of_groups(groups: &[Group]) -> Vec<Bar> {
    let most = groups.iter().map(|group| group.people).max().unwrap_or_default();
    let bar = |name: (String, String), people: u64| Bar {
        name,
        number: i64::try_from(people).unwrap_or(i64::MAX),
        width: percent(people, most),
        second: None,
    };
    let shown = groups.iter().take(SHOWN).map(|group| {
        let unknown = || ("未知".to_owned(), "unknown".to_owned());
        let name = if group.name.is_empty() { unknown() } else { (group.name.clone(), group.name.clone()) };
        bar(name, group.people)
    });
    let mut bars: Vec<Bar> = shown.collect();
    let others = groups.get(SHOWN..).unwrap_or_default();
    if !others.is_empty() {
        let name = (format!("其他 {} 项", others.len()), format!("{} others", others.len()));
        bars.push(bar(name, others.iter().map(|group| group.people).sum()));
    }
    bars
}

/// Bars of how long people stayed, live and as a replay.
pub(super) fn of_stays(stays: &[Stay]) -> Vec<Bar> {
    let most = stays.iter().map(|stay| stay.live.max(stay.replay)).max().unwrap_or_default();
    let bar = |Stay { from, to, live, replay }: &Stay| Bar {
        name: match to {
            Some(to) => (format!("{from}–{to} 分钟"), format!("{from}–{to} min")),
            None => (format!("{from} 分钟以上"), format!("{from} min or more")),
        },
        number: i64::try_from(*live).unwrap_or(i64::MAX),
        width: percent(*live, most),
        second: Some((i64::try_from(*replay).unwrap_or(i64::MAX), percent(*replay, most))),
    };
    stays.iter().map(bar).collect()
}

fn percent(number: u64, most: u64) -> u64 {
    (number * 100).div_ceil(most.max(1)).min(100)
}
