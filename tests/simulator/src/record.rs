//! One record of `lives` or `interactions`, with the keys in the sample's order and the vendor's mix of types.

use crate::draw::Draw;
use crate::event::Event;
use crate::json::Object;
use crate::local::{DAY, WallClock};
use crate::quirks::Oddity;
use crate::session::{Array, Session};
use crate::viewer::Viewer;

/// An instant in the year 60000, in seconds.
const YEAR_60000: i64 = 1_831_249_900_800;

/// Writes the record of `session`, one of `viewer`'s.
pub(crate) fn write(out: &mut Vec<u8>, event: &Event, viewer: &Viewer, session: &Session, odd: Oddity) {
    let draw = session.draw;
    let in_lives = session.array == Array::Lives;
    let (role, iden) = viewer.role();
    let (device, client) = (session.device().0, session.client().0);

    let mut record = Object::open(out, viewer.in_ascii());
    if in_lives {
        record.plain("viewerId", format_args!("{:016x}{:016x}", draw.roll("id high"), draw.roll("id low")));
    } else {
        record.text("viewerId", None);
        record.number("role", Some(role));
    }
    record.number("live_type", Some(session.kind.code()));
    counter(&mut record, session, odd, "prize_num");
    record.text("device_type", Some(device));
    record.text("client_type", Some(client));
    counter(&mut record, session, odd, "call_duration");
    distinct_id(&mut record, viewer);
    record.number("online_time", (!odd.unplaceable).then_some(session.online));
    counter(&mut record, session, odd, "raise_hand_num");
    record.text("clientType", Some(client));
    if odd.telling {
        record.text("praise_num", viewer.mobile.as_ref().map(|mobile| format!("tel {mobile}")).as_deref());
    } else {
        counter(&mut record, session, odd, "praise_num");
    }
    counter(&mut record, session, odd, "sign_num");
    record.plain("offline_date", WallClock(session.offline));
    text(&mut record, "company", viewer.company(), draw);
    text(&mut record, "extId", viewer.ext_id.as_deref(), draw);
    text(&mut record, "email", viewer.email.as_deref(), draw);
    counter(&mut record, session, odd, "share_num");
    text(&mut record, "group", viewer.company(), draw);
    record.text("auth_type", in_lives.then(|| auth_type(event)));
    record.number("whitelist_type", Some(whitelist_type(event, viewer)));
    text(&mut record, "ip", session.ip().as_deref(), draw);
    text(&mut record, "mobile", viewer.mobile.as_deref(), draw);
    if in_lives {
        record.number("watch_duration", Some(session.seconds()));
    }
    record.plain("hostId", event.host_id);
    counter(&mut record, session, odd, "goods_sum_hits");
    counter(&mut record, session, odd, "chat_num");
    counter(&mut record, session, odd, "question_num");
    record.text("billingCode", Some(&event.billing_code));
    let is_far = odd.wrong_types && draw.one_in("year 60000", 16);
    record.number("offline_time", Some(if is_far { YEAR_60000 } else { session.offline }));
    counter(&mut record, session, odd, "quiz_num");
    counter(&mut record, session, odd, "envelope_num");
    if in_lives {
        record.text("conferenceId", Some(&event.conference_id));
    } else {
        // To the vendor, the app's side of an event is another conference.
        record.plain("conferenceId", event.draw.between("interactions", 700_000_000, 799_999_999));
    }
    record.text("iden", Some(iden));
    let disagrees = odd.wrong_types && draw.one_in("disagrees", 8);
    record.plain("online_date", WallClock(session.online + if disagrees { DAY } else { 0 }));
    record.text("name", Some(&viewer.name(session)));
    record.text("location", Some(&location(session)));
    if !in_lives {
        record.number("online_duration", Some(session.seconds()));
    }
    counter(&mut record, session, odd, "vote_num");
    if sends_phone_numbers(event) {
        text(&mut record, "countryCode", viewer.mobile.as_ref().map(|_| "+86"), draw);
        text(&mut record, "phoneNumber", viewer.phone_number().as_deref(), draw);
    }
    if odd.unknown_field {
        record.text("newField", Some("新"));
    }
    if odd.telling {
        tell(&mut record, viewer, &viewer.name(session));
    }
    record.close();
}

/// A text, or one of the ways in which the vendor says that there is none.
pub(crate) fn text(record: &mut Object<'_>, key: &str, value: Option<&str>, draw: Draw) {
    record.text(key, value.or_else(|| draw.pick(key, &[None, Some(""), Some("-")])));
}

/// Names the viewer in fields where nobody would look.
pub(crate) fn tell(record: &mut Object<'_>, viewer: &Viewer, name: &str) {
    let mobile = viewer.mobile.as_deref().unwrap_or_default();
    record.text("contact", Some(&format!("{name}, {mobile}")));
    if !mobile.is_empty() {
        record.text(mobile, Some("1"));
    }
}

/// How viewers are let into `event`: the vendor's code.
pub(crate) fn auth_type(event: &Event) -> &'static str {
    event.draw.pick("auth_type", &["0", "0", "0", "1", "1", "2", "3", "4"])
}

/// By which whitelist `viewer` was let in: 1 the company's, 2 a temporary one; 0, which the page does not name, by none.
pub(crate) fn whitelist_type(event: &Event, viewer: &Viewer) -> i64 {
    if auth_type(event) == "1" { viewer.draw.between("whitelist_type", 1, 2) } else { 0 }
}

fn counter(record: &mut Object<'_>, session: &Session, odd: Oddity, key: &str) {
    match odd.wrong_types.then(|| session.draw.branch(1).below(key, 24)) {
        Some(0) => record.text(key, Some("many")),
        Some(1) => record.text(key, Some("3")),
        Some(2) => record.float(key, 3.0),
        _ => record.number(key, session.counter(key)),
    }
}

fn distinct_id(record: &mut Object<'_>, viewer: &Viewer) {
    let known = viewer.mobile.as_ref().or(viewer.email.as_ref()).or(viewer.ext_id.as_ref());
    match known {
        Some(known) => record.text("distinctId", Some(known)),
        None => record.plain("distinctId", format_args!("{:016x}", viewer.draw.roll("distinctId"))),
    }
}

fn location(session: &Session) -> String {
    match (session.place(), session.ip()) {
        (Some((province, city)), _) => format!("中国-{province}-{city}"),
        (None, Some(_)) => "本地局域网".to_owned(),
        (None, None) => "-".to_owned(),
    }
}

/// Whether the records of `event` have the fields that the page names and the sample lacks.
fn sends_phone_numbers(event: &Event) -> bool {
    event.draw.one_in("phone numbers", 2)
}
