//! The views: `sessions`, one row per viewing from both tables under common column names, and `people`, one row per person and
//! event.

use super::Labels;
use super::dialect::{Dialect, literal};
use crate::transform::person::{AT, MADE_UP_NAME, MASK, PSEUDONYM};
use crate::transform::tables::{HOST, PERSON_COLUMNS};

/// A column of a view: its name, the vendor's term, and what it is made of.
type Shown = (&'static str, &'static str, Made);

/// What a column of a view is made of.
#[derive(Clone, Copy)]
enum Made {
    /// An expression that is the same in all dialects.
    As(&'static str),
    /// The first value that tells people apart, from this index of [`PERSON_COLUMNS`] on.
    PersonKey(usize),
    /// Minutes from the event's start to this instant.
    MinutesTo(&'static str),
    /// Every value of the group once, joined.
    Values(&'static str),
    /// The sum over the group; null if it has no number.
    Sum(&'static str),
    /// The value of a column in the row of the group in which another column is least.
    FirstBy(&'static str, &'static str),
    /// The greatest of the person's values.
    OfPerson(&'static str),
    /// The greatest of the person's names; one that the vendor made up only if there is no other.
    GivenName(&'static str),
}

use Made::{As, FirstBy, GivenName, MinutesTo, OfPerson, PersonKey, Sum, Values};

impl Made {
    /// The expression in SQL.
    fn of(self, dialect: Dialect) -> String {
        match self {
            As(value) => value.to_owned(),
            PersonKey(from) => {
                let columns: Vec<String> =
                    PERSON_COLUMNS.iter().skip(from).map(|column| telling(column)).collect();
                format!("coalesce({})", columns.join(", "))
            }
            MinutesTo(instant) => dialect.minutes("e.start_time", instant),
            Values(column) => dialect.values(column),
            Sum(column) => dialect.sum(column),
            FirstBy(column, by) => dialect.first_by(column, by),
            OfPerson(column) => of_person(&format!("max({column})")),
            GivenName(column) => {
                let given = format!("CASE WHEN {column} NOT LIKE '{MADE_UP_NAME}%' THEN {column} END");
                of_person(&format!("coalesce(max({given}), max({column}))"))
            }
        }
    }
}

/// A value that says something about a person; null for viewings that do not say whose they are.
fn of_person(value: &str) -> String {
    format!("CASE WHEN p.person IS NOT NULL THEN {value} END")
}

/// The value of a column of `s` if it tells one person apart, by the rule of `person::tells`.
fn telling(column: &str) -> String {
    let is_address = if column == "email" {
        format!(" AND (s.{column} LIKE '%_{AT}_%' OR s.{column} LIKE '{PSEUDONYM}%')")
    } else {
        String::new()
    };
    format!("CASE WHEN s.{column} NOT LIKE '%{MASK}%'{is_address} THEN s.{column} END")
}

/// The columns of `sessions`: `s` is a viewing from one of the two tables, `e` its event.
const SESSIONS: &[Shown] = &[
    ("event_id", "直播会议ID", As("s.event_id")),
    ("title", "直播主题", As("e.title")),
    ("event_start_time", "直播开始时间", As("e.start_time")),
    ("event_end_time", "直播结束时间", As("e.end_time")),
    ("event_start_date", "直播开始日期", As("e.start_date")),
    ("event_end_date", "直播结束日期", As("e.end_date")),
    ("entry", "观看入口", As("s.entry")),
    ("is_host", "是否主持人", As("s.is_host")),
    ("person_key", "人员标识", As("s.person_key")),
    ("viewer_key", "观众标识", PersonKey(1)),
    ("person", "人员", PersonKey(0)),
    ("name", "姓名", As("s.name")),
    ("company", "公司", As("s.company")),
    ("group_name", "分组", As("s.group_name")),
    ("iden", "身份", As("s.iden")),
    ("role", "参会角色", As("s.role")),
    ("mobile", "手机号", As("s.mobile")),
    ("email", "邮箱", As("s.email")),
    ("ext_id", "第三方ID", As("s.ext_id")),
    ("live_type", "观看类型", As("s.live_type")),
    ("online_time", "上线时间", As("s.online_time")),
    ("offline_time", "下线时间", As("s.offline_time")),
    ("online_date", "上线日期", As("s.online_date")),
    ("offline_date", "下线日期", As("s.offline_date")),
    ("duration_seconds", "观看时长（秒）", As("s.duration_seconds")),
    ("online_minute", "上线分钟", MinutesTo("s.online_time")),
    ("offline_minute", "下线分钟", MinutesTo("s.offline_time")),
    ("device_type", "终端类型", As("s.device_type")),
    ("client_type", "客户端类型", As("s.client_type")),
    ("location", "地域", As("s.location")),
    ("ip", "IP", As("s.ip")),
    ("chat_num", "聊天数", As("s.chat_num")),
    ("praise_num", "点赞数", As("s.praise_num")),
    ("raise_hand_num", "举手数", As("s.raise_hand_num")),
    ("quiz_num", "提问数", As("s.quiz_num")),
    ("question_num", "答题数", As("s.question_num")),
    ("vote_num", "投票数", As("s.vote_num")),
    ("sign_num", "签到数", As("s.sign_num")),
    ("share_num", "分享数", As("s.share_num")),
    ("goods_sum_hits", "商品点击数", As("s.goods_sum_hits")),
    ("dt", "日期", As("s.dt")),
];

/// The columns of `people`: `p` is `sessions`. If nothing says who the person is, the viewer takes its place. Viewings that say
/// nothing about the viewer either are in one row without a person: what they add up to is known, how many people came is not.
const PEOPLE: &[Shown] = &[
    ("event_id", "直播会议ID", As("p.event_id")),
    ("person", "人员", As("p.person")),
    ("person_key", "人员标识", OfPerson("p.person_key")),
    ("title", "直播主题", As("max(p.title)")),
    ("event_start_time", "直播开始时间", As("max(p.event_start_time)")),
    ("event_start_date", "直播开始日期", As("max(p.event_start_date)")),
    ("name", "姓名", GivenName("p.name")),
    ("company", "公司", OfPerson("p.company")),
    ("is_host", "是否主持人", As("max(CASE WHEN p.is_host THEN 1 ELSE 0 END) = 1")),
    ("sessions", "观看次数", As("count(*)")),
    ("live_sessions", "直播观看次数", As("count(CASE WHEN p.live_type = 'live' THEN 1 END)")),
    ("replay_sessions", "回放观看次数", As("count(CASE WHEN p.live_type = 'replay' THEN 1 END)")),
    ("seconds", "观看时长（秒）", As("CAST(coalesce(sum(p.duration_seconds), 0) AS bigint)")),
    (
        "live_seconds",
        "直播观看时长（秒）",
        As("CAST(coalesce(sum(CASE WHEN p.live_type = 'live' THEN p.duration_seconds END), 0) AS bigint)"),
    ),
    (
        "replay_seconds",
        "回放观看时长（秒）",
        As("CAST(coalesce(sum(CASE WHEN p.live_type = 'replay' THEN p.duration_seconds END), 0) AS bigint)"),
    ),
    ("first_online_time", "首次上线时间", As("min(p.online_time)")),
    ("last_offline_time", "最后下线时间", As("max(p.offline_time)")),
    ("first_online_date", "首次上线日期", FirstBy("p.online_date", "p.online_time")),
    ("devices", "终端类型", Values("p.device_type")),
    ("locations", "地域", Values("p.location")),
    ("chats", "聊天数", Sum("p.chat_num")),
    ("praises", "点赞数", Sum("p.praise_num")),
    ("raised_hands", "举手数", Sum("p.raise_hand_num")),
    ("questions_asked", "提问数", Sum("p.quiz_num")),
    ("quizzes_answered", "答题数", Sum("p.question_num")),
    ("votes", "投票数", Sum("p.vote_num")),
    ("signs", "签到数", Sum("p.sign_num")),
    ("shares", "分享数", Sum("p.share_num")),
    ("goods_hits", "商品点击数", Sum("p.goods_sum_hits")),
];

/// The columns that both tables have under the same name, and that `sessions` uses.
const SHARED: &str = "event_id, person_key, distinct_id, mobile, email, ext_id, name, company, group_name, \
    iden, live_type, online_time, offline_time, online_date, offline_date, device_type, client_type, location, ip, chat_num, \
    praise_num, raise_hand_num, quiz_num, question_num, vote_num, sign_num, share_num, goods_sum_hits, dt";

/// The name and statement of each view; a view comes after those that it selects from.
pub(super) fn views(dialect: Dialect, labels: Labels) -> Vec<(&'static str, String)> {
    let mut all = vec![("sessions", sessions(dialect)), ("people", people(dialect))];
    if labels == Labels::Zh {
        all.push(("sessions_zh", labelled(dialect, "sessions", SESSIONS)));
        all.push(("people_zh", labelled(dialect, "people", PEOPLE)));
    }
    all
}

fn sessions(dialect: Dialect) -> String {
    format!(
        "{}\nSELECT\n{}\nFROM (\n  \
           SELECT 'live' AS entry, coalesce(iden = {host}, false) AS is_host,\n    \
             watch_duration_seconds AS duration_seconds, NULL AS role, {SHARED}\n  FROM lives\n  \
           UNION ALL\n  \
           SELECT 'interaction' AS entry, coalesce(role = 'host' OR iden = {host}, false) AS is_host,\n    \
             online_duration_seconds AS duration_seconds, role, {SHARED}\n  FROM interactions\n\
         ) s\nLEFT JOIN events e ON e.event_id = s.event_id;\n",
        dialect.create_view("sessions"),
        shown(dialect, SESSIONS),
        host = literal(HOST),
    )
}

fn people(dialect: Dialect) -> String {
    format!(
        "{}\nSELECT\n{}\nFROM sessions p\n\
         GROUP BY p.event_id, p.person, CASE WHEN p.person IS NULL THEN p.is_host ELSE false END;\n",
        dialect.create_view("people"),
        shown(dialect, PEOPLE),
    )
}

/// A view that shows the columns of another one under the vendor's terms.
fn labelled(dialect: Dialect, view: &str, columns: &[Shown]) -> String {
    let columns: Vec<String> =
        columns.iter().map(|(name, label, _)| format!("  {name} AS {}", dialect.quoted(label))).collect();
    format!("{}\nSELECT\n{}\nFROM {view};\n", dialect.create_view(&format!("{view}_zh")), columns.join(",\n"))
}

fn shown(dialect: Dialect, columns: &[Shown]) -> String {
    let column = |(name, _, made): &Shown| format!("  {} AS {name}", made.of(dialect));
    columns.iter().map(column).collect::<Vec<_>>().join(",\n")
}

/// The documentation of the views, one section each.
pub(super) fn described() -> String {
    let section = |view: &str, doc: &str, columns: &[Shown]| {
        let line = |(name, label, made): &Shown| {
            format!("| `{name}` | {label} | `{}` |\n", made.of(Dialect::Athena).replace('|', "\\|"))
        };
        let lines: String = columns.iter().map(line).collect();
        format!(
            "\n## The view {view}\n\n{doc}\n\n| column | in `{view}_zh` | what it is |\n|---|---|---|\n{lines}"
        )
    };
    let sessions = "One row per viewing, from `lives` and `interactions` under common column names; `entry` says from which: \
        `live` or `interaction`. Replays come from `lives`, too: `live_type` says what was watched. `is_host` is true where the role \
        of this viewing is `host`, or `iden` says so; a speaker counts as a viewer. Viewings from `lives` have no `role`. `s` is the \
        viewing, `e` its event.";
    let people = "One row per person and event; `p` is `sessions`. `is_host` is true if any of the viewings is a host's. Of several \
        names, the last in order of their characters is shown, and of several companies likewise; a name that begins with 网友, as \
        those that the vendor makes up, is shown only if there is no other. If nothing says who the person is, `person` is the viewer, \
        as the vendor tells viewers apart. Viewings that say nothing about the viewer either, such as all viewings in a lake whose \
        policy keeps no identifiers, form one row without a `person` for each event (those of hosts form another), which has no \
        name, key or company: count people with `count(person)`. Devices and locations that the vendor joins in one viewing \
        stay joined.";
    [section("sessions", sessions, SESSIONS), section("people", people, PEOPLE)].concat()
}
