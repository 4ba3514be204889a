//! Minutes of an event as the lake's clock on the wall shows them.

use jiff::ToSpan;
use jiff::civil::DateTime;

use super::chart::Label;

/// Minutes between two labels, or in one span of a chart: one of these.
const STEPS: [i64; 12] = [1, 2, 5, 10, 15, 30, 60, 120, 240, 720, 1440, 2880];

/// The smallest step by which so many minutes make at most so many parts.
pub(super) fn step(minutes: i64, parts: i64) -> i64 {
    STEPS.into_iter().find(|step| minutes / step < parts).unwrap_or(minutes / parts + 1)
}

/// What the clock shows so many minutes after `start`.
pub(super) fn after(start: DateTime, minute: i64) -> DateTime {
    start.checked_add(minute.minutes()).unwrap_or(start)
}

/// Round times from the first minute to the last.
pub(super) fn labels(start: DateTime, (first, last): (i64, i64)) -> Vec<Label> {
    let step = step(last - first, 9);
    let of_day = i64::from(start.hour()) * 60 + i64::from(start.minute());
    let begin = first + (-(of_day + first)).rem_euclid(step);
    let format = if last - first > 1440 { "%m-%d %H:%M" } else { "%H:%M" };
    #[allow(clippy::cast_precision_loss, reason = "a place in a drawing")]
    let place = |minute: i64| (minute - first) as f64 / (last - first).max(1) as f64;
    let times = (begin..=last).step_by(usize::try_from(step).unwrap_or(1));
    times.map(|minute| (place(minute), after(start, minute).strftime(format).to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_at_round_times() {
        let start: DateTime = "2022-10-26T16:20:00".parse().unwrap();
        let texts: Vec<String> = labels(start, (-7, 60)).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["16:20", "16:30", "16:40", "16:50", "17:00", "17:10", "17:20"]);
        let (place, _) = labels(start, (-10, 50))[1];
        assert!((place - 1.0 / 6.0).abs() < 1e-9, "{place}");
    }
}
