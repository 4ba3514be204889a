//! The vendor's own event: the sample answer on its page, byte for byte.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::draw::Draw;
use crate::event::Event;
use crate::local::{Duration, HOUR, MINUTE, WallClock};
use crate::query::Query;
use crate::quirks::Envelope;
use crate::session::{Array, Kind, Session};
use crate::totals::Totals;
use crate::viewer::Viewer;
use crate::words::HOSTS;

/// The id of the vendor's own event.
pub const SAMPLE_ID: u64 = 609_768;

/// The vendor's sample answer.
pub const SAMPLE: &[u8] = include_bytes!("../../../samples/answers/report-609768.json");

/// 2022-10-26 16:20 in UTC+8.
const START: i64 = 1_666_772_400;

/// What the sample holds, element by element. (Should it not parse, which a test rules out, there are none.)
#[derive(Default, Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Default, Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    report: Arrays<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Arrays<'a> {
    #[serde(borrow)]
    lives: Vec<&'a RawValue>,
    #[serde(borrow)]
    viewer_details: Vec<&'a RawValue>,
    #[serde(borrow)]
    interactions: Vec<&'a RawValue>,
}

/// The event.
pub(crate) fn event() -> Event {
    let (host_id, host_name) = HOSTS.first().copied().unwrap_or_default();
    Event {
        id: SAMPLE_ID,
        title: "产品发布会".to_owned(),
        start_time: START,
        end_time: START + 40 * MINUTE,
        create_time: START - 48 * HOUR,
        modify_time: START - HOUR,
        length: 40,
        event_form: 7,
        host_id,
        host_name: host_name.to_owned(),
        billing_code: "95469279".to_owned(),
        conference_id: "239790940".to_owned(),
        join_url: "https://live.example.com/j/609768?pwd=secret-609768".to_owned(),
        host_password: "secret-609768".to_owned(),
        push_stream_url: "rtmp://push.example.com/live/609768?key=secret-609768".to_owned(),
        cancelled: false,
        viewer_count: 2,
        draw: Draw::default(),
    }
}

/// The viewer `number`, in the order of `viewerDetails`.
pub(crate) fn viewer(number: u64) -> Viewer {
    let mobile = if number == 0 { "19000101106" } else { "+86-19000101106" };
    Viewer {
        number,
        mobile: Some(mobile.to_owned()),
        email: None,
        ext_id: None,
        sessions: sessions().into_iter().filter(|session| session.viewer == number).collect(),
        by_app: number == 0,
        draw: Draw::default(),
    }
}

/// The sessions in the order of the answer: all lives, all interactions.
fn sessions() -> [Session; 4] {
    let session = |viewer, array, kind, online, offline| Session {
        viewer,
        kind,
        array,
        online,
        offline,
        draw: Draw::default(),
    };
    [
        session(1, Array::Lives, Kind::Live, 1_666_772_823, 1_666_772_880),
        session(1, Array::Lives, Kind::Replay, 1_666_776_018, 1_666_776_028),
        session(1, Array::Lives, Kind::Replay, 1_666_776_839, 1_666_776_858),
        session(0, Array::Interactions, Kind::Live, 1_666_772_492, 1_666_774_552),
    ]
}

/// The answer: the sample as it is if `query` keeps all of it, else what is kept of it.
pub(crate) fn report(query: &Query) -> Cow<'static, [u8]> {
    if sessions().iter().all(|session| query.keeps(session)) {
        return SAMPLE.into();
    }
    let report = serde_json::from_slice::<Answer<'_>>(SAMPLE).unwrap_or_default().data.report;
    let body = [
        query.head(SAMPLE_ID, Envelope::Around),
        r#""lives":["#.to_owned(),
        records(&report.lives, Array::Lives, query),
        r#"],"viewerDetails":["#.to_owned(),
        viewer_details(&report.viewer_details, query),
        r#"],"interactions":["#.to_owned(),
        records(&report.interactions, Array::Interactions, query),
        "]".to_owned(),
        query.tail(Envelope::Around),
    ];
    body.concat().into_bytes().into()
}

/// The elements of `array` that `query` keeps, as they are.
fn records(elements: &[&RawValue], array: Array, query: &Query) -> String {
    let sessions = sessions().into_iter().filter(|session| session.array == array);
    let kept = elements.iter().zip(sessions).filter(|(_, session)| query.keeps(session));
    kept.map(|(element, _)| element.get()).collect::<Vec<_>>().join(",")
}

/// The rows of the viewers who have a session that counts: as they are if all their sessions count, otherwise with other totals.
fn viewer_details(rows: &[&RawValue], query: &Query) -> String {
    let row = |(number, row): (u64, &&RawValue)| {
        let all = viewer(number).sessions;
        let counted: Vec<Session> = all.iter().filter(|session| query.counts(session)).copied().collect();
        match counted.len() {
            0 => None,
            count if count == all.len() => Some(row.get().to_owned()),
            _ => Some(with_totals(row, &Totals::of(&counted))),
        }
    };
    (0..).zip(rows).filter_map(row).collect::<Vec<_>>().join(",")
}

/// `row`, but with `totals`.
fn with_totals(row: &RawValue, totals: &Totals) -> String {
    let mut row: Map<String, Value> = serde_json::from_str(row.get()).unwrap_or_default();
    let mut set = |key: &str, value: Value| row.insert(key.to_owned(), value);
    set("duration", totals.all.seconds.into());
    set("liveTimes", totals.live.times.into());
    set("liveWatchDuration", Duration(totals.live.seconds).to_string().into());
    set("live_type", totals.live_type().into());
    set("offline_date", WallClock(totals.offline).to_string().into());
    set("offline_time", totals.offline.into());
    set("online_date", WallClock(totals.online).to_string().into());
    set("online_time", totals.online.into());
    set("replayTimes", totals.replay.times.into());
    set("replayWatchDuration", Duration(totals.replay.seconds).to_string().into());
    set("times", totals.all.times.into());
    set("watchDuration", Duration(totals.all.seconds).to_string().into());
    Value::Object(row).to_string()
}
