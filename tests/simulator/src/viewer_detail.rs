//! One row of `viewerDetails`: a viewer's sessions, summed up, with the keys in the sample's order.

use crate::event::Event;
use crate::json::Object;
use crate::local::{Duration, WallClock};
use crate::quirks::Oddity;
use crate::record::{auth_type, tell, text, whitelist_type};
use crate::session::{Array, Session};
use crate::totals::Totals;
use crate::viewer::Viewer;

/// Writes the row of `viewer` over `sessions`, which are some of the viewer's and at least one.
pub(crate) fn write(out: &mut Vec<u8>, event: &Event, viewer: &Viewer, sessions: &[Session], odd: Oddity) {
    let draw = viewer.draw;
    let totals = Totals::of(sessions);
    let sum = |key: &str| Some(sessions.iter().filter_map(|session| session.counter(key)).sum());
    let took_part = |key: &str| if sum(key) == Some(0) { "N" } else { "Y" };
    let name = sessions.first().map(|session| viewer.name(session));

    let mut row = Object::open(out, viewer.in_ascii());
    row.text("auth_type", Some(if auth_type(event) == "1" { "是" } else { "否" }));
    row.text("billingCode", Some(&event.billing_code));
    row.number("call_duration", sum("call_duration"));
    row.number("chat_num", sum("chat_num"));
    row.text("client_type", Some(&joined(sessions, |session| session.client().1.to_owned())));
    text(&mut row, "company", viewer.company(), draw);
    row.text("conferenceId", Some(&event.conference_id));
    text(&mut row, "countryCode", viewer.mobile.as_ref().map(|_| "+86"), draw);
    row.text("device_type", Some(&joined(sessions, |session| session.device().1.to_owned())));
    row.text("dialedIn", Some(if viewer.by_app { "主动拨号入会" } else { "-" }));
    row.text("dialoutSource", Some(if viewer.by_app { "电话会议外呼" } else { "-" }));
    row.number("duration", Some(totals.all.seconds));
    text(&mut row, "email", viewer.email.as_deref(), draw);
    row.text("envelope", Some(took_part("envelope_num")));
    text(&mut row, "extId", viewer.ext_id.as_deref(), draw);
    row.number("goods_sum_hits", sum("goods_sum_hits"));
    text(&mut row, "group", viewer.company(), draw);
    row.number("hostId", Some(event.host_id.cast_signed()));
    row.text("iden", Some(viewer.role().1));
    row.text("ip", Some(&joined(sessions, |session| session.ip().unwrap_or_else(|| "-".to_owned()))));
    row.number("liveTimes", Some(totals.live.times));
    row.plain("liveWatchDuration", Duration(totals.live.seconds));
    row.text("live_type", Some(totals.live_type()));
    row.text("location", Some(&joined(sessions, place)));
    text(&mut row, "mobile", viewer.mobile.as_deref(), draw);
    row.text("name", name.as_deref());
    row.plain("offline_date", WallClock(totals.offline));
    row.number("offline_time", Some(totals.offline));
    row.plain("online_date", WallClock(totals.online));
    row.number("online_time", Some(totals.online));
    row.number("praise_num", sum("praise_num"));
    text(&mut row, "phoneNumber", viewer.phone_number().as_deref(), draw);
    row.number("quiz_num", sum("quiz_num"));
    row.number("raise_hand_num", sum("raise_hand_num"));
    row.number("replayTimes", Some(totals.replay.times));
    row.plain("replayWatchDuration", Duration(totals.replay.seconds));
    row.text("sign", Some(took_part("sign_num")));
    row.text("survey", Some(took_part("question_num")));
    row.number("times", Some(totals.all.times));
    row.text("type", Some(&joined(sessions, entry)));
    row.text("vote", Some(took_part("vote_num")));
    row.plain("watchDuration", Duration(totals.all.seconds));
    row.text("whitelist_tag", Some("-"));
    row.text("whitelist_type", whitelist(event, viewer));
    if event.draw.one_in("watch form", 2) {
        row.text("watchForm", Some(totals.live_type()));
    }
    if odd.unknown_field {
        row.text("newField", Some("新"));
    }
    if odd.telling {
        tell(&mut row, viewer, viewer.ext_id.as_deref().unwrap_or_default());
    }
    row.close();
}

/// The values of the sessions, each once, joined by commas.
fn joined(sessions: &[Session], value: impl Fn(&Session) -> String) -> String {
    let mut values: Vec<String> = Vec::with_capacity(sessions.len());
    for value in sessions.iter().map(value) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values.join(",")
}

fn place(session: &Session) -> String {
    session.place().map_or_else(|| "-".to_owned(), |(province, city)| format!("{province}{city}"))
}

fn entry(session: &Session) -> String {
    match session.array {
        Array::Lives => "直播端".to_owned(),
        Array::Interactions => "互动端".to_owned(),
    }
}

fn whitelist(event: &Event, viewer: &Viewer) -> Option<&'static str> {
    match whitelist_type(event, viewer) {
        1 => Some("企业白名单"),
        2 => Some("临时白名单"),
        _ => None,
    }
}
