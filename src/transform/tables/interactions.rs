//! `interactions`: one row per participation through the app or by telephone.

#[allow(clippy::wildcard_imports, reason = "a list of columns is made of nothing but these")]
use super::shared::*;
use crate::transform::column::Column;

/// Codes of `role`.
const ROLES: &[(&str, &str)] = &[("4", "host"), ("5", "speaker"), ("6", "attendee")];

pub(super) const COLUMNS: &[Column] = &[
    EVENT_ID,
    CONFERENCE_ID,
    HOST_ID,
    BILLING_CODE,
    EXT_ID,
    ONLINE_TIME.required(),
    OFFLINE_TIME,
    MOBILE,
    EMAIL,
    NAME,
    LIVE_TYPE,
    seconds("online_duration_seconds", "online_duration", "Length of the participation (参会时长)"),
    DEVICE_TYPE,
    CLIENT_TYPE,
    COMPANY,
    LOCATION,
    AUTH_TYPE,
    WHITELIST_TYPE,
    GOODS_SUM_HITS,
    PRAISE_NUM,
    PRIZE_NUM,
    QUESTION_NUM,
    RAISE_HAND_NUM,
    SHARE_NUM,
    SIGN_NUM,
    VOTE_NUM,
    ENVELOPE_NUM,
    CHAT_NUM,
    IP,
    label("role", "role", ROLES, "host, speaker or attendee (参会角色: 主持人, 主讲人, 参会人)"),
    GROUP_NAME,
    CALL_DURATION,
    QUIZ_NUM,
    IDEN,
    COUNTRY_CODE,
    PHONE_NUMBER,
    VIEWER_ID,
    DISTINCT_ID,
    ONLINE_DATE.required(),
    OFFLINE_DATE,
    PERSON_KEY,
    EXTRA,
    PULLED_AT,
];
