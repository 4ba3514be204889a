//! When a viewer attends an event: the times of the sessions.

use crate::draw::Draw;
use crate::event::Event;
use crate::local::{self, DAY, MINUTE};
use crate::session::{Array, Kind, Session};
use crate::viewer::Viewer;

/// How many sessions viewers have: one of these, 2.3 on average.
const COUNTS: [i64; 20] = [0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 4, 4, 5, 6];

/// How long before the start people may come, how long after the end they may stay, and how long after the end replays begin.
const MARGIN: i64 = 10 * MINUTE;

/// For how long replays are watched; with what `snapped` adds, 28 days.
const REPLAYED: u64 = 27 * DAY.unsigned_abs();

/// All sessions of `viewer` in `event`: live ones one after another, replays in no order.
pub(crate) fn sessions(event: &Event, viewer: &Viewer) -> Vec<Session> {
    let count = viewer.draw.pick("sessions", &COUNTS);
    let session = |number: i64| {
        let draw = viewer.draw.branch(number.unsigned_abs());
        let kind = if draw.below("kind", 10) < 6 { Kind::Live } else { Kind::Replay };
        let (online, offline) = match kind {
            Kind::Live => live(event, number, count, draw),
            Kind::Replay => replay(event, draw),
        };
        let array = if kind == Kind::Live && viewer.by_app { Array::Interactions } else { Array::Lives };
        Session { viewer: viewer.number, kind, array, online, offline, draw }
    };
    (0..count).map(session).collect()
}

/// A live session, within slot `number` of `count` equal ones, so that the live sessions of a viewer never overlap.
fn live(event: &Event, number: i64, count: i64, draw: Draw) -> (i64, i64) {
    let opening = event.start_time - MARGIN;
    let slot = (event.end_time + MARGIN - opening) / count;
    let (first, last) = (opening + slot * number, opening + slot * (number + 1) - 1);
    let online = snapped(draw.between("online", first, last - 1), last - 1, draw);
    // Most stay to the end.
    let left_early = draw.skewed("offline", last.abs_diff(online) - 1);
    (online, last.saturating_sub_unsigned(left_early))
}

/// A replay in the weeks after the end, when replays become ever rarer.
fn replay(event: &Event, draw: Draw) -> (i64, i64) {
    let online = event.end_time.saturating_add_unsigned(draw.skewed("online", REPLAYED)) + MARGIN;
    let online = snapped(online, online + DAY, draw);
    let seconds = 10 + draw.skewed("offline", (event.length * MINUTE).unsigned_abs());
    (online, online.saturating_add_unsigned(seconds))
}

/// `online`, but now and then the next midnight or the second before it, if that is not after `last`: mistakes are made where
/// days meet.
fn snapped(online: i64, last: i64, draw: Draw) -> i64 {
    let midnight = local::next_midnight(online);
    let snapped = match draw.below("snap", 40) {
        0 => midnight,
        1 => midnight - 1,
        _ => online,
    };
    if snapped <= last { snapped } else { online }
}
