//! Columns that several tables share, described once, and words for the vendor's codes and labels.

use crate::transform::column::{Column, ColumnKind, Personal};

/// Codes of `live_type`: numbers in lives and interactions, labels in viewerDetails.
const LIVE_TYPES: &[(&str, &str)] = &[
    ("0", "live"),
    ("1", "replay"),
    ("直播", "live"),
    ("回放", "replay"),
    ("直播+回放", "both"),
    ("回放+直播", "both"),
];

/// Codes of `auth_type` in lives and interactions.
const AUTH_TYPES: &[(&str, &str)] =
    &[("0", "public"), ("1", "whitelist"), ("2", "encrypted"), ("3", "paid"), ("4", "mobile")];

/// Codes of `whitelist_type`: numbers in lives and interactions, labels in viewerDetails.
const WHITELIST_TYPES: &[(&str, &str)] =
    &[("1", "enterprise"), ("2", "temporary"), ("企业白名单", "enterprise"), ("临时白名单", "temporary")];

pub(super) const fn text(name: &'static str, key: &'static str, doc: &'static str) -> Column {
    Column::sent(name, key, ColumnKind::Text, doc)
}

pub(super) const fn identifier(name: &'static str, key: &'static str, doc: &'static str) -> Column {
    Column::sent(name, key, ColumnKind::Identifier, doc)
}

pub(super) const fn count(name: &'static str, key: &'static str, doc: &'static str) -> Column {
    Column::sent(name, key, ColumnKind::Count, doc)
}

pub(super) const fn seconds(name: &'static str, key: &'static str, doc: &'static str) -> Column {
    Column::sent(name, key, ColumnKind::Seconds, doc)
}

pub(super) const fn flag(name: &'static str, key: &'static str, doc: &'static str) -> Column {
    Column::sent(name, key, ColumnKind::Flag, doc)
}

pub(super) const fn instant(name: &'static str, key: &'static str, doc: &'static str) -> Column {
    Column::sent(name, key, ColumnKind::Instant, doc)
}

pub(super) const fn label(
    name: &'static str,
    key: &'static str,
    labels: &'static [(&'static str, &'static str)],
    doc: &'static str,
) -> Column {
    Column::sent(name, key, ColumnKind::Label { labels }, doc)
}

// What this program adds.
pub(super) const EVENT_ID: Column =
    Column::made("event_id", ColumnKind::Count, "The vendor's number of the event (直播会议ID)").required();
pub(super) const PULLED_AT: Column =
    Column::made("pulled_at", ColumnKind::Instant, "When the visit that brought this row began").required();
pub(super) const PERSON_KEY: Column = Column::made(
    "person_key",
    ColumnKind::Text,
    "Key of a person: mobile as plus and digits, where it has no country with the first number in this record's country_code, \
     else with 86, and passed over if country_code has only letters; else email in lower case; else ext_id",
)
.personal(Personal::Identifier)
.looked_up();
pub(super) const EXTRA: Column = Column::made(
    "extra",
    ColumnKind::Json,
    "JSON of what has no column or does not fit its column, under the vendor's keys; null if there is nothing",
)
.personal(Personal::Anything);

// What the vendor sends about the event in every record.
pub(super) const CONFERENCE_ID: Column = identifier(
    "conference_id",
    "conferenceId",
    "Conference (会议ID); differs between the tables for the same event",
);
pub(super) const HOST_ID: Column =
    identifier("host_id", "hostId", "Account of the host (主持人ID)").personal(Personal::Trait);
pub(super) const BILLING_CODE: Column =
    identifier("billing_code", "billingCode", "Billing code of the conference (会议BC)");

// Who the viewer is.
pub(super) const EXT_ID: Column =
    identifier("ext_id", "extId", "The customer's own identifier for the viewer (第三方ID)")
        .personal(Personal::Identifier)
        .looked_up();
pub(super) const MOBILE: Column =
    identifier("mobile", "mobile", "Mobile number as sent (手机号)").personal(Personal::Number).looked_up();
pub(super) const EMAIL: Column =
    text("email", "email", "Mail address as sent (邮箱)").personal(Personal::Mail).looked_up();
pub(super) const NAME: Column =
    text("name", "name", "Name as the viewer gave it (姓名)").personal(Personal::Name);
pub(super) const COMPANY: Column = text("company", "company", "Company (公司)").personal(Personal::Trait);
pub(super) const GROUP_NAME: Column = text("group_name", "group", "Group (分组)").personal(Personal::Trait);
pub(super) const IDEN: Column = text(
    "iden",
    "iden",
    "Identity, a free label (身份): 观众 (viewer) and 主持人 (host) in the vendor's sample",
);
pub(super) const COUNTRY_CODE: Column = identifier(
    "country_code",
    "countryCode",
    "Country code (国家码): of phone_number, and of a mobile that has none; the vendor's sample has it in viewer_details alone",
);
pub(super) const PHONE_NUMBER: Column = identifier(
    "phone_number",
    "phoneNumber",
    "Telephone number (电话号码). It identifies nobody: in the vendor's sample it is not the mobile, and the same for both viewers",
)
.personal(Personal::Number);
/// The value of `iden` for a host.
pub const HOST: &str = "主持人";
/// The columns that tell people apart, the most reliable first: the person, else whatever the vendor tells viewers apart by.
/// `viewer_id` is not among them, because each viewing has its own.
pub const PERSON_COLUMNS: [&str; 5] = ["person_key", "distinct_id", "mobile", "email", "ext_id"];
/// Texts that no policy may change, because the program computes with them: who is a host, and what a number means.
pub const UNTREATABLE: [&str; 2] = [IDEN.name, COUNTRY_CODE.name];
/// Columns whose digits are nobody's telephone number. Nobody is found by a part of such a value.
pub const WHOLE_VALUES: [&str; 2] = [IP.name, VIEWER_ID.name];
pub(super) const VIEWER_ID: Column = identifier(
    "viewer_id",
    "viewerId",
    "The vendor's number of one viewing (not in the vendor's documentation)",
)
.personal(Personal::Identifier)
.distinct();
pub(super) const DISTINCT_ID: Column = identifier(
    "distinct_id",
    "distinctId",
    "Identifier by which the vendor tells viewers apart (not in the vendor's documentation)",
)
.personal(Personal::Number);

// When.
pub(super) const ONLINE_TIME: Column =
    instant("online_time", "online_time", "When the viewer came (上线时间)").distinct();
pub(super) const OFFLINE_TIME: Column =
    instant("offline_time", "offline_time", "When the viewer left (下线时间)").distinct();
pub(super) const ONLINE_DATE: Column = Column::sent(
    "online_date",
    "online_date",
    ColumnKind::WallClock { of: "online_time" },
    "online_time on the lake's wall clock: a timestamp, whose date is dt in lives and interactions",
)
.distinct();
pub(super) const OFFLINE_DATE: Column = Column::sent(
    "offline_date",
    "offline_date",
    ColumnKind::WallClock { of: "offline_time" },
    "offline_time on the lake's wall clock: a timestamp",
)
.distinct();
pub(super) const CALL_DURATION: Column =
    count("call_duration", "call_duration", "Total time spoken, in an unknown unit (合计发言时长)");

// How and from where.
pub(super) const LIVE_TYPE: Column = label(
    "live_type",
    "live_type",
    LIVE_TYPES,
    "live or replay, in viewer_details also both (观看类型: 直播, 回放); the view people counts any other code as neither",
);
pub(super) const AUTH_TYPE: Column = label(
    "auth_type",
    "auth_type",
    AUTH_TYPES,
    "How the viewer was let in: public, whitelist, encrypted, paid or mobile (认证方式)",
);
pub(super) const WHITELIST_TYPE: Column = label(
    "whitelist_type",
    "whitelist_type",
    WHITELIST_TYPES,
    "enterprise or temporary (白名单类型); 0, which is not documented, stays 0",
);
pub(super) const DEVICE_TYPE: Column =
    text("device_type", "device_type", "Device as sent: TEL, PC, MAC, Android or IOS (终端类型)");
pub(super) const CLIENT_TYPE: Column = text(
    "client_type",
    "client_type",
    "Client as sent: TEL, CLIENT, WEB, APPLET, BOX, MCU or WEBRTC (客户端类型)",
);
pub(super) const IP: Column =
    text("ip", "ip", "IP address; several are joined by commas (观众外网请求IP)").personal(Personal::Address);
pub(super) const LOCATION: Column =
    text("location", "location", "Country, province and city of the IP address, as sent (地域)");

// What the viewer did.
pub(super) const GOODS_SUM_HITS: Column =
    count("goods_sum_hits", "goods_sum_hits", "Clicks on goods (商品点击次数)");
pub(super) const PRAISE_NUM: Column = count("praise_num", "praise_num", "Likes given (点赞数量)");
pub(super) const PRIZE_NUM: Column =
    count("prize_num", "prize_num", "Prize draws joined, not prizes won (抽奖次数)");
pub(super) const QUESTION_NUM: Column =
    count("question_num", "question_num", "Quizzes answered, not questions asked (参与答题次数)");
pub(super) const RAISE_HAND_NUM: Column =
    count("raise_hand_num", "raise_hand_num", "Times that the viewer raised a hand to speak (举手发言次数)");
pub(super) const SHARE_NUM: Column = count("share_num", "share_num", "Number of shares (分享数量)");
pub(super) const SIGN_NUM: Column = count("sign_num", "sign_num", "Roll calls signed (参与签到数)");
pub(super) const VOTE_NUM: Column = count("vote_num", "vote_num", "Votes taken part in (参与投票次数)");
pub(super) const ENVELOPE_NUM: Column =
    count("envelope_num", "envelope_num", "Red envelopes taken (领红包数量)");
pub(super) const CHAT_NUM: Column = count("chat_num", "chat_num", "Chat messages written (聊天/弹幕数量)");
pub(super) const QUIZ_NUM: Column =
    count("quiz_num", "quiz_num", "Questions asked, not quizzes answered (提问次数)");
