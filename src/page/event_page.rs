//! The page of one event.

use askama::Template;
use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

use super::audience::{Audience, ViewingKind};
use super::bars::{self, Bar};
use super::chart::{self, Series};
use super::clock;
use super::figures::{self, Sums};
use super::online::{self, Online};
use super::source::{DayRows, EventRow, Source, Visits};
use super::viewers::{self, DeedLine};
use super::words;
use crate::calendar::Zone;
use crate::error::Result;
use crate::job::context::Context;
use crate::load::ledger::visit::Owed;
use crate::load::ledger::visit_row::Compared;

/// How many minutes before the start the curve shows at most; what lies further out is only in the tables.
const BEFORE: i64 = 120;
/// How many minutes after the end the curve shows at most.
const AFTER: i64 = 240;
/// The longest event that the curve shows whole, in minutes.
const LONGEST: i64 = 2880;

/// How many days after the event's own the chart of days shows at most.
const CHARTED: i32 = 366;

/// What the template shows.
#[derive(Template)]
#[template(path = "event.html", config = "src/page/askama.toml")]
pub(super) struct EventPage {
    event: EventRow,
    zone: String,
    made_at: DateTime,
    index: Option<&'static str>,
    sums: Sums,
    /// The most people at once, and when.
    peak: Option<(u64, DateTime)>,
    curve: Option<Curves>,
    days_chart: String,
    watch_times: Vec<Bar>,
    regions: Vec<Bar>,
    devices: Vec<Bar>,
    companies: Vec<Bar>,
    deeds: Vec<DeedLine>,
    viewers: String,
    data: Data,
}

/// The charts of the event itself.
struct Curves {
    online: String,
    /// Joins and leaves, in spans of `span` minutes.
    moves: String,
    span: i64,
}

/// How complete the data is.
struct Data {
    /// The days with rows, and when these were pulled.
    days: Vec<(DayRows, DateTime)>,
    through: Option<DateTime>,
    visited: DateTime,
    owed: Owed,
    rejects: u64,
    compared: Compared,
}

impl Data {
    /// Whether everything that the vendor has is here, and will not change.
    fn is_final(&self, event: &EventRow) -> bool {
        event.is_closed && self.owed.is_empty() && event.is_complete
    }

    /// The days that are missing, without the snapshot; shown as spans.
    fn owed_days(&self) -> Owed {
        Owed { snapshot: false, ..self.owed.clone() }
    }

    fn of(event: &EventRow, days: Vec<DayRows>, visits: Visits, rejects: u64, context: &Context) -> Self {
        let compared = visits.compared.unwrap_or_default();
        let zone = &context.lake.settings.zone;
        Self {
            days: days.into_iter().map(|day| (day, zone.wall_clock(day.pulled_at))).collect(),
            through: event.through.map(|through| zone.wall_clock(through)),
            visited: zone.wall_clock(event.pulled_at),
            owed: visits.owed,
            rejects,
            compared,
        }
    }
}

/// What the page of all events shows of this one.
pub(super) struct Line {
    pub(super) event: EventRow,
    pub(super) file: String,
    pub(super) sums: Sums,
    /// Rows by day.
    pub(super) days: Vec<(Date, u64)>,
    pub(super) owed: Owed,
    pub(super) is_final: bool,
    pub(super) visited: DateTime,
}

impl EventPage {
    pub(super) async fn draw(
        context: &Context,
        source: &Source,
        event: &EventRow,
        index: Option<&'static str>,
    ) -> Result<Self> {
        event.check_zone(&context.lake.settings.zone)?;
        let (audience, days) = source.audience(context, event).await?;
        let visits = source.visits(context, event).await?;
        let rejects = source.rejects(context, event).await?;
        let sums = Sums::of(&audience);
        let zone = &context.lake.settings.zone;
        let (curve, peak) = curves(zone, event, &audience);
        Ok(Self {
            event: event.clone(),
            zone: zone.name().to_owned(),
            made_at: zone.wall_clock(context.clock.now()),
            index,
            sums,
            peak,
            curve,
            days_chart: days_chart(event.day, &audience),
            watch_times: bars::of_watch_times(&figures::watch_times(&audience)),
            regions: bars::of_groups(&figures::groups(&audience, &audience.regions, |viewing| {
                viewing.region
            })),
            devices: bars::of_groups(&figures::groups(&audience, &audience.devices, |viewing| {
                viewing.device
            })),
            companies: bars::of_groups(&figures::companies(&audience)),
            deeds: viewers::deeds(&audience),
            viewers: viewers::json(&audience),
            data: Data::of(event, days, visits, rejects, context),
        })
    }

    /// The name of its file among those of all events.
    pub(super) fn file(&self) -> String {
        format!("{}.html", self.event.event_id)
    }

    pub(super) fn line(&self) -> Line {
        let days = self.data.days.iter().map(|(day, _)| (day.day, day.lives + day.interactions));
        Line {
            event: self.event.clone(),
            file: self.file(),
            sums: self.sums,
            days: days.collect(),
            owed: self.data.owed.clone(),
            is_final: self.data.is_final(&self.event),
            visited: self.data.visited,
        }
    }

    fn title(&self) -> &str {
        self.event.title.as_deref().unwrap_or("—")
    }

    /// The average live time of those who watched live, in seconds.
    fn live_average(&self) -> i64 {
        self.sums.identified_live_seconds / i64::try_from(self.sums.live_people.max(1)).unwrap_or(i64::MAX)
    }

    fn clock(&self, at: &DateTime) -> String {
        clock::shown(*at, self.event.start)
    }
}

/// The curves of people online, and of joins and leaves; and the peak. Both `None` if nobody watched live.
fn curves(zone: &Zone, event: &EventRow, audience: &Audience) -> (Option<Curves>, Option<(u64, DateTime)>) {
    let live = audience.viewings().filter(|(viewing, _)| viewing.kind == ViewingKind::Live);
    let Some(first_online) = live.map(|(viewing, _)| viewing.online).min() else { return (None, None) };
    // For an event without a start, the minutes count from the first viewing.
    let start = event.start_time.unwrap_or(first_online);
    let Some((first, last)) = online::live_minutes(audience, start) else { return (None, None) };
    let (live, replay) =
        (Online::of(audience, ViewingKind::Live, start), Online::of(audience, ViewingKind::Replay, start));
    let peak = live.peak().map(|(people, minute)| (people, clock::after(zone, start, minute)));
    let length = event.end_time.map_or(0, |end| end.duration_since(start).as_mins()).clamp(0, LONGEST);
    let minutes = (first.clamp(-BEFORE, 0), last.clamp(length, length + AFTER));
    let span = clock::step(minutes.1 - minutes.0, 60);
    let moves = online::joins_and_leaves(audience, start, minutes, span);
    let (joins, leaves): (Vec<u64>, Vec<u64>) = moves.into_iter().unzip();
    let labels = clock::labels(zone, start, minutes);
    let online = chart::areas(
        &[
            Series { class: "live", values: &live.curve(minutes) },
            Series { class: "replay", values: &replay.curve(minutes) },
        ],
        &labels,
    );
    let moves = chart::areas(
        &[Series { class: "live", values: &joins }, Series { class: "leaves", values: &leaves }],
        &labels,
    );
    (Some(Curves { online, moves, span }), peak)
}

/// Viewings by day, from the first day with any to the last. Only days near the event's own are shown, because a viewing may have
/// any time.
fn days_chart(event_day: Date, audience: &Audience) -> String {
    let mut found = figures::by_day(audience);
    let first = event_day.yesterday().unwrap_or(event_day);
    found.retain(|day, _| (first..=event_day.saturating_add(CHARTED.days())).contains(day));
    let (Some((first, _)), Some((last, _))) = (found.first_key_value(), found.last_key_value()) else {
        return String::new();
    };
    let days: Vec<Date> = crate::calendar::days(*first, *last).collect();
    let of = |day: &Date| found.get(day).copied().unwrap_or_default();
    let live: Vec<u64> = days.iter().map(|day| of(day).live).collect();
    let replay: Vec<u64> = days.iter().map(|day| of(day).replay).collect();
    chart::columns(
        &[Series { class: "live", values: &live }, Series { class: "replay", values: &replay }],
        &chart::day_labels(&days),
    )
}
