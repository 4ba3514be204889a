//! One event: what `event/info` says of it, and who came.

use serde::Serialize;

use crate::draw::Draw;
use crate::local::{self, DAY, HOUR, MINUTE};
use crate::session::Session;
use crate::viewer::Viewer;
use crate::words::{HOSTS, TITLES};
use crate::world::WorldOptions;
use crate::{attendance, sample};

/// How long after an event's end the vendor holds it open for people who come back.
const OPEN_AFTER_END: i64 = 12 * HOUR;

/// How long before its start an event was last edited, if it was edited long before.
const LONG_BEFORE: i64 = 350 * DAY;

/// One event. It serializes as `event/info` shows it, except for its status, which depends on the time.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The vendor's id.
    #[serde(rename = "eventId")]
    pub id: u64,
    /// Its title.
    pub title: String,
    /// When it is to start, in seconds.
    pub start_time: i64,
    /// When it is to end, in seconds.
    pub end_time: i64,
    /// When it was created, in seconds.
    pub create_time: i64,
    /// When it was last edited or cancelled, in seconds.
    pub modify_time: i64,
    /// From start to end, in minutes.
    pub length: i64,
    /// 1 phone, 3 web meeting, 4 interactive live, 7 large live.
    pub event_form: u8,
    /// The host's id.
    pub host_id: u64,
    /// The host's name.
    pub host_name: String,
    /// The billing code, digits.
    pub billing_code: String,
    /// The conference id in `lives` and `viewerDetails`, digits.
    pub conference_id: String,
    /// A secret: lets anybody in.
    pub join_url: String,
    /// A secret: makes anybody the host.
    pub host_password: String,
    /// A secret: lets anybody broadcast.
    pub push_stream_url: String,
    /// Whether it was cancelled before its start. Then nobody came.
    #[serde(skip)]
    pub cancelled: bool,
    /// How many viewers it has, some of whom never came.
    #[serde(skip)]
    pub viewer_count: u64,
    /// The source of everything else about it.
    #[serde(skip)]
    pub(crate) draw: Draw,
}

impl Event {
    /// The generated event `number` of a world.
    ///
    /// Its kind depends on its number and not on chance, so that every small world has all kinds.
    pub(crate) fn generate(id: u64, number: u64, draw: Draw, options: &WorldOptions) -> Self {
        let (late, empty, cancelled) = (number % 6 == 3, number % 12 == 5, number % 12 == 8);
        let edited_after_end = number % 8 == 6;

        let day = draw.below("day", u64::from(options.days.max(1))).cast_signed();
        // A late one starts between 22:30 and 23:30 and lasts past midnight.
        let (opening, steps, shortest) =
            if late { (22 * HOUR + 30 * MINUTE, 12, 100) } else { (8 * HOUR, 144, 30) };
        let start_time = local::midnight(options.first_day)
            + day * DAY
            + opening
            + draw.between("start", 0, steps) * 5 * MINUTE;
        let length = draw.between("length", shortest, 180);
        let end_time = start_time + length * MINUTE;
        let planned_at = start_time - if options.edited_long_before { LONG_BEFORE } else { 0 };
        let create_time = planned_at - draw.between("created", 3 * DAY, 30 * DAY);
        let modify_time = if options.edited_long_before {
            planned_at
        } else if edited_after_end {
            end_time + draw.between("modified", HOUR, 2 * DAY)
        } else {
            draw.between("modified", create_time, start_time - 1)
        };
        let (host_id, host_name) = draw.pick("host", &HOSTS);
        let secret = draw.roll("secret");
        Self {
            id,
            title: format!("{} 第{number}期", draw.pick("title", &TITLES)),
            start_time,
            end_time,
            create_time,
            modify_time,
            length,
            event_form: draw.pick("form", &[7, 7, 7, 4, 3, 1]),
            host_id,
            host_name: host_name.to_owned(),
            billing_code: draw.between("billing", 90_000_000, 99_999_999).to_string(),
            conference_id: draw.between("conference", 200_000_000, 299_999_999).to_string(),
            join_url: format!("https://live.example.com/j/{id}?pwd=secret-{secret:016x}"),
            host_password: format!("secret-{:06}", secret % 1_000_000),
            push_stream_url: format!("rtmp://push.example.com/live/{id}?key=secret-{secret:016x}"),
            cancelled,
            viewer_count: if empty || cancelled { 0 } else { options.viewers.draw(draw) },
            draw,
        }
    }

    /// The event as it was at the instant `now`: before its last edit, it was not yet edited or cancelled; `None` before it was
    /// created.
    #[must_use]
    pub fn at(mut self, now: i64) -> Option<Self> {
        if now < self.modify_time {
            self.modify_time = self.create_time;
            self.cancelled = false;
        }
        (self.create_time <= now).then_some(self)
    }

    /// Its status at the instant `now`: 0 cancelled, 1 created, 4 ended.
    #[must_use]
    pub fn status(&self, now: i64) -> u8 {
        match self.cancelled {
            true => 0,
            false if now < self.end_time + OPEN_AFTER_END => 1,
            false => 4,
        }
    }

    /// Its viewers, in the order of the report. A viewer is an identifier as sent: one person may be two.
    pub fn viewers(&self) -> impl Iterator<Item = Viewer> {
        (0..self.viewer_count).map(|number| self.viewer(number))
    }

    /// All sessions of all viewers, in the order of the report, those of the future included.
    pub fn sessions(&self) -> impl Iterator<Item = Session> {
        self.viewers().flat_map(|viewer| viewer.sessions)
    }

    /// The viewer `number`, counted from 0.
    pub(crate) fn viewer(&self, number: u64) -> Viewer {
        if self.id == sample::SAMPLE_ID {
            return sample::viewer(number);
        }
        let mut viewer = Viewer::generate(number, self.draw);
        viewer.sessions = attendance::sessions(self, &viewer);
        viewer
    }
}
