//! What a world holds.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use simulator::{Array, Event, Query, Session, Viewers, World, WorldOptions};

use crate::common::{answer, body, busy, everything, online_times, world};

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_gives_others() {
    let bodies = |seed| -> Vec<Vec<u8>> {
        let world = World::new(WorldOptions { seed, ..WorldOptions::default() });
        world.events().skip(1).map(|event| body(event, everything())).collect()
    };
    assert_eq!(bodies(1), bodies(1));
    assert_ne!(bodies(1), bodies(2));
}

#[test]
fn a_young_event_grows_and_never_holds_viewings_of_the_future() {
    let event = busy();
    let mut before = 0;
    for hours in [0, 1, 6, 24, 7 * 24, 30 * 24] {
        let now = event.start_time + hours * 3600;
        let answer = answer(&event, Query { now: Timestamp::from_second(now).unwrap(), ..everything() });
        let times = online_times(&answer);
        assert!(times.iter().all(|time| *time <= now));
        assert!(times.len() >= before);
        before = times.len();
    }
    assert_eq!(before, event.sessions().count());
}

#[test]
fn a_world_has_all_that_an_etl_job_trips_over() {
    let world = world();
    let events: Vec<Event> = world.events().skip(1).collect();
    assert!(events.iter().any(|event| event.cancelled && event.modify_time < event.start_time));
    assert!(events.iter().any(|event| !event.cancelled && event.viewer_count == 0));
    assert!(events.iter().any(|event| event.modify_time > event.end_time));
    let day = |time: i64| (time + 8 * 3600).div_euclid(86_400);
    assert!(events.iter().any(|event| day(event.start_time) < day(event.end_time)));

    let sessions: Vec<Session> =
        events.iter().flat_map(|event| event.sessions().collect::<Vec<_>>()).collect();
    let second_of_day = |session: &Session| (session.online + 8 * 3600).rem_euclid(86_400);
    assert!(sessions.iter().any(|session| second_of_day(session) == 0));
    assert!(sessions.iter().any(|session| second_of_day(session) == 86_399));
    assert!(sessions.iter().any(|session| session.array == Array::Interactions));
    assert!(sessions.iter().all(|session| session.online < session.offline));

    // The same person under two identifiers.
    let mut written: HashMap<String, HashSet<String>> = HashMap::new();
    for mobile in
        events.iter().flat_map(|event| event.viewers().filter_map(|viewer| viewer.mobile).collect::<Vec<_>>())
    {
        written.entry(mobile.trim_start_matches("+86-").to_owned()).or_default().insert(mobile);
    }
    assert!(written.values().any(|written| written.len() == 2));

    let text: String =
        events.into_iter().map(|event| String::from_utf8(body(event, everything())).unwrap()).collect();
    for escape in ["\\\"", "\\\\", "\\n", "\\ud83d\\ude00", "\\u4e2d", "中国", "null", "\"-\"", "\"\""] {
        assert!(text.contains(escape), "no {escape}");
    }
    for field in ["countryCode", "phoneNumber", "watchForm"] {
        assert!(text.contains(field), "no {field}");
    }
}

#[test]
fn viewers_have_2_3_sessions_on_average() {
    let options = WorldOptions { viewers: Viewers::Exactly(10_000), ..WorldOptions::default() };
    let sessions: Vec<Session> = World::new(options).event(700_001).unwrap().sessions().collect();
    assert!((22_000..24_000).contains(&sessions.len()), "{}", sessions.len());
}

#[test]
fn the_number_of_viewers_is_read_from_text() {
    assert_eq!("0..300".parse(), Ok(Viewers::Range(0, 300)));
    assert_eq!("0..=300".parse(), Ok(Viewers::Range(0, 300)));
    assert_eq!("7".parse(), Ok(Viewers::Exactly(7)));
    assert!("few".parse::<Viewers>().is_err());
}
