//! Minutes of an event, as the lake's wall clock shows them.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

use super::chart::Label;
use crate::calendar::Zone;

/// The possible steps between two labels, and lengths of one span of a chart, in minutes.
const STEPS: [i64; 9] = [1, 2, 5, 10, 15, 30, 60, 120, 240];
/// The step if none of [`STEPS`] is large enough, in minutes: enough for the longest time that is drawn.
const LARGEST_STEP: i64 = 720;

/// The smallest step that divides `minutes` into at most `parts` parts.
pub(super) fn step(minutes: i64, parts: i64) -> i64 {
    STEPS.into_iter().find(|step| minutes / step < parts).unwrap_or(LARGEST_STEP)
}

/// What the wall clock shows this many minutes after `start`.
pub(super) fn after(zone: &Zone, start: Timestamp, minute: i64) -> DateTime {
    zone.wall_clock(start.checked_add(SignedDuration::from_mins(minute)).unwrap_or(start))
}

/// A time, with its day if that is not the day of `start`.
pub(super) fn shown(at: DateTime, start: Option<DateTime>) -> String {
    let is_that_day = start.is_some_and(|start| start.date() == at.date());
    at.strftime(if is_that_day { "%H:%M" } else { "%m-%d %H:%M" }).to_string()
}

/// Labels at round times, from the first minute to the last.
pub(super) fn labels(zone: &Zone, start: Timestamp, (first, last): (i64, i64)) -> Vec<Label> {
    let step = step(last - first, 9);
    let format = if last - first > 1440 { "%m-%d %H:%M" } else { "%H:%M" };
    #[allow(clippy::cast_precision_loss, reason = "a place in a drawing")]
    let place = |minute: i64| (minute - first) as f64 / (last - first).max(1) as f64;
    let times = (first..=last).map(|minute| (minute, after(zone, start, minute)));
    let round =
        times.filter(|(_, time)| (i64::from(time.hour()) * 60 + i64::from(time.minute())) % step == 0);
    round.map(|(minute, time)| (place(minute), time.strftime(format).to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_on_another_day_is_shown_with_its_date() {
        let at = |text: &str| text.parse::<DateTime>().unwrap();
        let start = at("2022-10-26T09:00:00");
        for (time, shown_as) in [("2022-10-26T18:00:00", "18:00"), ("2022-10-30T18:00:00", "10-30 18:00")] {
            assert_eq!(shown(at(time), Some(start)), shown_as);
        }
        assert_eq!(shown(start, None), "10-26 09:00");
    }

    #[test]
    fn labels_are_at_round_times_even_when_the_clocks_change() {
        let texts = |zone: &str, start: &str, minutes| {
            let labels = labels(&Zone::parse(zone).unwrap(), start.parse().unwrap(), minutes);
            labels.into_iter().map(|(_, text)| text).collect::<Vec<String>>()
        };
        let shanghai = texts("Asia/Shanghai", "2022-10-26T08:20:00Z", (-7, 60));
        assert_eq!(shanghai, ["16:20", "16:30", "16:40", "16:50", "17:00", "17:10", "17:20"]);
        let new_york = texts("America/New_York", "2022-11-06T05:00:00Z", (0, 120));
        assert_eq!(
            new_york,
            ["01:00", "01:15", "01:30", "01:45", "01:00", "01:15", "01:30", "01:45", "02:00"]
        );
        let zone = Zone::parse("UTC").unwrap();
        let (place, _) = labels_of_an_hour(&zone)[1];
        assert!((place - 1.0 / 6.0).abs() < 1e-9, "{place}");
    }

    fn labels_of_an_hour(zone: &Zone) -> Vec<Label> {
        labels(zone, "2022-10-26T08:20:00Z".parse().unwrap(), (-10, 50))
    }
}
