//! `viewer_details`: the vendor's summary of `lives` and `interactions`, one row per viewer, as the vendor tells viewers apart.

#[allow(clippy::wildcard_imports, reason = "a list of columns is made of nothing but these")]
use super::shared::*;
use crate::transform::column::{Column, Personal};

/// Labels of `type`.
const ENTRIES: &[(&str, &str)] = &[
    ("直播端", "live"),
    ("互动端", "interaction"),
    // Joined as the vendor joins several devices, or live and replay. No answer is known that has both.
    ("直播端,互动端", "both"),
    ("互动端,直播端", "both"),
    ("直播端+互动端", "both"),
    ("互动端+直播端", "both"),
];

pub(super) const COLUMNS: &[Column] = &[
    EVENT_ID,
    CONFERENCE_ID,
    BILLING_CODE,
    HOST_ID,
    EXT_ID,
    MOBILE,
    EMAIL,
    NAME,
    ONLINE_TIME,
    OFFLINE_TIME,
    seconds(
        "duration_seconds",
        "duration",
        "Total time of all viewings (时长), which pulls compares with that of lives and interactions",
    ),
    IP,
    IDEN,
    label(
        "entry",
        "type",
        ENTRIES,
        "Where the viewer came in (观看入口): live is the web (直播端), for replays, too; interaction is the app or telephone (互动端); or both",
    ),
    LIVE_TYPE,
    flag("whitelisted", "auth_type", "Whether the viewer is on the whitelist (是否白名单)"),
    text(
        "device_type",
        "device_type",
        "Devices as sent, joined by commas, in other words than in lives (观看设备)",
    ),
    text(
        "client_type",
        "client_type",
        "Clients as sent, joined by commas, in other words than in lives, such as 客户端 or Web (客户端类型)",
    ),
    COMPANY,
    text(
        "location",
        "location",
        "Province and city of the IP address as sent, written otherwise than in lives (地域)",
    ),
    WHITELIST_TYPE,
    text("whitelist_tag", "whitelist_tag", "Tag of the whitelist (白名单标签)").personal(Personal::Trait),
    count("times", "times", "Total viewings (合计观看次数)"),
    count("live_times", "liveTimes", "Live viewings (直播观看次数)"),
    count("replay_times", "replayTimes", "Replays (回放观看次数)"),
    seconds(
        "watch_duration_seconds",
        "watchDuration",
        "Total time watched (合计观看时长): in the vendor's sample the same as duration_seconds; its page tells no difference",
    ),
    seconds("live_watch_duration_seconds", "liveWatchDuration", "Time watched live (直播观看时长)"),
    seconds("replay_watch_duration_seconds", "replayWatchDuration", "Time watched as replays (回放观看时长)"),
    CHAT_NUM,
    PRAISE_NUM,
    RAISE_HAND_NUM,
    QUIZ_NUM,
    GOODS_SUM_HITS,
    flag("survey", "survey", "Whether the viewer answered a quiz (是否参与答题)"),
    flag("vote", "vote", "Whether the viewer voted (是否参与投票)"),
    flag("sign", "sign", "Whether the viewer signed a roll call (是否签到)"),
    flag("envelope", "envelope", "Whether the viewer took a red envelope (是否领红包)"),
    GROUP_NAME,
    CALL_DURATION,
    text(
        "dialed_in",
        "dialedIn",
        "How somebody joined by telephone (电话入会方式), as sent: 外呼入会 (was called), 主动拨号入会 (dialled); in the vendor's sample also of who came by the web alone",
    )
    .personal(Personal::Trait),
    text(
        "dialout_source",
        "dialoutSource",
        "How one was called (电话外呼方式): 主持人外呼 (host), 联席主持人外呼 (co-host), 预约外呼 (booked), 全时秘书外呼 (secretary), 销售外呼 (sales), 电话会议外呼 (conference), 接口外呼 (API), 其它外呼 (other)",
    )
    .personal(Personal::Trait),
    COUNTRY_CODE,
    PHONE_NUMBER,
    text("watch_form", "watchForm", "Form of watching as sent (观看形式)"),
    ONLINE_DATE,
    OFFLINE_DATE,
    PERSON_KEY,
    EXTRA,
    PULLED_AT,
];
