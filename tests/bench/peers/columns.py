"""The columns of the three tables, which all peers make: (column, the vendor's key, kind).

Kinds, with what is sent and what becomes of it:

- text: text, or a number for some identifiers; empty text and "-" are null
- label: as text; the vendor's code or word is kept as sent
- integer: a whole number
- seconds: a duration as a whole number
- clock: a duration as "HH:MM:SS", which becomes whole seconds
- instant: seconds since 1970, which become a timestamp in UTC
- flag: Y or N, or the same in Chinese, which becomes a boolean

Any key may be missing, in one record or in all of an answer: its column is null then. Each row has
event_id as well.
"""

EVENT_ID = 1
YES = ["Y", "是"]
NO = ["N", "否"]
ABSENT = ["", "-"]

LIVES = [
    ("conference_id", "conferenceId", "text"),
    ("host_id", "hostId", "text"),
    ("billing_code", "billingCode", "text"),
    ("ext_id", "extId", "text"),
    ("online_time", "online_time", "instant"),
    ("offline_time", "offline_time", "instant"),
    ("mobile", "mobile", "text"),
    ("email", "email", "text"),
    ("name", "name", "text"),
    ("live_type", "live_type", "label"),
    ("watch_duration_seconds", "watch_duration", "seconds"),
    ("device_type", "device_type", "text"),
    ("client_type", "client_type", "text"),
    ("company", "company", "text"),
    ("location", "location", "text"),
    ("auth_type", "auth_type", "label"),
    ("whitelist_type", "whitelist_type", "label"),
    ("goods_sum_hits", "goods_sum_hits", "integer"),
    ("praise_num", "praise_num", "integer"),
    ("prize_num", "prize_num", "integer"),
    ("question_num", "question_num", "integer"),
    ("raise_hand_num", "raise_hand_num", "integer"),
    ("share_num", "share_num", "integer"),
    ("sign_num", "sign_num", "integer"),
    ("vote_num", "vote_num", "integer"),
    ("envelope_num", "envelope_num", "integer"),
    ("chat_num", "chat_num", "integer"),
    ("ip", "ip", "text"),
    ("group_name", "group", "text"),
    ("call_duration", "call_duration", "integer"),
    ("quiz_num", "quiz_num", "integer"),
    ("iden", "iden", "text"),
    ("country_code", "countryCode", "text"),
    ("phone_number", "phoneNumber", "text"),
    ("viewer_id", "viewerId", "text"),
    ("distinct_id", "distinctId", "text"),
]
INTERACTIONS = [
    ("conference_id", "conferenceId", "text"),
    ("host_id", "hostId", "text"),
    ("billing_code", "billingCode", "text"),
    ("ext_id", "extId", "text"),
    ("online_time", "online_time", "instant"),
    ("offline_time", "offline_time", "instant"),
    ("mobile", "mobile", "text"),
    ("email", "email", "text"),
    ("name", "name", "text"),
    ("live_type", "live_type", "label"),
    ("online_duration_seconds", "online_duration", "seconds"),
    ("device_type", "device_type", "text"),
    ("client_type", "client_type", "text"),
    ("company", "company", "text"),
    ("location", "location", "text"),
    ("auth_type", "auth_type", "label"),
    ("whitelist_type", "whitelist_type", "label"),
    ("goods_sum_hits", "goods_sum_hits", "integer"),
    ("praise_num", "praise_num", "integer"),
    ("prize_num", "prize_num", "integer"),
    ("question_num", "question_num", "integer"),
    ("raise_hand_num", "raise_hand_num", "integer"),
    ("share_num", "share_num", "integer"),
    ("sign_num", "sign_num", "integer"),
    ("vote_num", "vote_num", "integer"),
    ("envelope_num", "envelope_num", "integer"),
    ("chat_num", "chat_num", "integer"),
    ("ip", "ip", "text"),
    ("role", "role", "label"),
    ("group_name", "group", "text"),
    ("call_duration", "call_duration", "integer"),
    ("quiz_num", "quiz_num", "integer"),
    ("iden", "iden", "text"),
    ("country_code", "countryCode", "text"),
    ("phone_number", "phoneNumber", "text"),
    ("viewer_id", "viewerId", "text"),
    ("distinct_id", "distinctId", "text"),
]
VIEWER_DETAILS = [
    ("conference_id", "conferenceId", "text"),
    ("billing_code", "billingCode", "text"),
    ("host_id", "hostId", "text"),
    ("ext_id", "extId", "text"),
    ("mobile", "mobile", "text"),
    ("email", "email", "text"),
    ("name", "name", "text"),
    ("online_time", "online_time", "instant"),
    ("offline_time", "offline_time", "instant"),
    ("duration_seconds", "duration", "seconds"),
    ("ip", "ip", "text"),
    ("iden", "iden", "text"),
    ("entry", "type", "label"),
    ("live_type", "live_type", "label"),
    ("whitelisted", "auth_type", "flag"),
    ("device_type", "device_type", "text"),
    ("client_type", "client_type", "text"),
    ("company", "company", "text"),
    ("location", "location", "text"),
    ("whitelist_type", "whitelist_type", "label"),
    ("whitelist_tag", "whitelist_tag", "text"),
    ("times", "times", "integer"),
    ("live_times", "liveTimes", "integer"),
    ("replay_times", "replayTimes", "integer"),
    ("watch_duration_seconds", "watchDuration", "clock"),
    ("live_watch_duration_seconds", "liveWatchDuration", "clock"),
    ("replay_watch_duration_seconds", "replayWatchDuration", "clock"),
    ("chat_num", "chat_num", "integer"),
    ("praise_num", "praise_num", "integer"),
    ("raise_hand_num", "raise_hand_num", "integer"),
    ("quiz_num", "quiz_num", "integer"),
    ("goods_sum_hits", "goods_sum_hits", "integer"),
    ("survey", "survey", "flag"),
    ("vote", "vote", "flag"),
    ("sign", "sign", "flag"),
    ("envelope", "envelope", "flag"),
    ("group_name", "group", "text"),
    ("call_duration", "call_duration", "integer"),
    ("dialed_in", "dialedIn", "text"),
    ("dialout_source", "dialoutSource", "text"),
    ("country_code", "countryCode", "text"),
    ("phone_number", "phoneNumber", "text"),
    ("watch_form", "watchForm", "text"),
]

# Each table, with the array of the vendor's report that it is made of.
TABLES = {
    "lives": ("lives", LIVES),
    "interactions": ("interactions", INTERACTIONS),
    "viewer_details": ("viewerDetails", VIEWER_DETAILS),
}
