//! Status: whether yesterday is complete, and if not, why; from ledgers, footers, and the rows of visits.

mod figures;
mod missing_rows;
mod not_known;
mod show;

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use self::figures::{LakeFigures, Staged};
use self::missing_rows::MissingRows;
use self::not_known::{NotKnown, RosterRead};
use super::advice::Advice;
use crate::error::Result;
use crate::job::context::Context;
use crate::load::ledger::Ledger;
use crate::load::ledger::complete::{self, HeldBy, Hold};
use crate::load::ledger::cursor::Cursor;
use crate::load::ledger::health::Health;
use crate::load::ledger::ledgers::Entry;
use crate::load::{keys, lake as lakes};

/// How long staged files may wait, or the roster may stay unread, before somebody should look.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

const GONE: &str = "the vendor no longer knows {}: the lake keeps what it answered before";
const LAKE_LOST: &str = "events were visited, but there is nothing under `lake/`: restore it, or run `sync` with `--from` and `--to`";
const ROSTER_NEVER_READ: &str =
    "the vendor's list of events has never been read: run `sync` without chosen events, or give `--no-lists`";

/// What `status` shows.
#[derive(Debug, Serialize)]
pub struct Status {
    /// When the lake was looked at.
    pub at: Timestamp,
    /// Whether nobody has to do anything.
    pub ok: bool,
    /// How many events there are, by state.
    pub events: Events,
    /// The last day that has settled and is complete; `None` if that is not known.
    pub complete_through: Option<Date>,
    #[serde(skip)]
    not_known: Option<NotKnown>,
    /// What holds back the days after it, the earliest day first.
    pub holds: Vec<Hold>,
    /// When the last visit began.
    pub last_visit: Option<Timestamp>,
    /// The time up to which the vendor's lists of events were read; `None` if they never were, or no run is to read them.
    pub roster_read: Option<Timestamp>,
    /// What is in the lake.
    pub lake: LakeFigures,
    /// What waits to be published.
    pub staged: Staged,
    /// What needs a person.
    pub problems: Vec<Advice>,
    /// What somebody may want to know.
    pub notes: Vec<Advice>,
}

/// How many events there are, by state.
#[derive(Debug, Default, Serialize)]
pub struct Events {
    /// All events that have a ledger.
    pub known: usize,
    /// Those that are still visited.
    pub open: usize,
    /// Of the open ones, those to be visited now.
    pub due: usize,
    /// Those that are no longer visited.
    pub closed: usize,
    /// Open ones that need a person.
    #[serde(flatten)]
    pub health: Health,
}

impl Status {
    /// Looks at the whole lake. What cannot be read becomes a problem, and does not hide the rest.
    pub async fn of(context: &Context) -> Result<Self> {
        let (store, lake, now) = (&context.lake.store, &context.lake, context.clock.now());
        if !lake.check(None).await? {
            return Err(lakes::missing(&context.place));
        }
        let mut problems = Vec::new();
        let (active, damaged) = context.ledgers.active().await?;
        problems.extend(damaged.iter().map(|error| Advice::new("ledger", error.to_string())));
        let ledgers: Vec<Ledger> =
            active.into_iter().map(|entry| entry.ledger).filter(|ledger| ledger.closed.is_none()).collect();
        let closed = store.list(keys::CLOSED, "").await?;
        let closed = closed.iter().filter(|listed| keys::parse_ledger(&listed.key).is_some()).count();
        let unread = damaged.iter().filter_map(|error| keys::parse_active(error.context("key")?));
        let unread: Vec<i64> = unread.collect();
        let known = ledgers.len() + unread.len() + closed;
        let mut events = Events { known, open: ledgers.len(), closed, ..Events::default() };
        let mut holds: Vec<Hold> = Vec::new();
        for ledger in &ledgers {
            events.due += usize::from(ledger.due_at(context.horizon, now).is_some_and(|at| at <= now));
            events.health += Health::of(ledger, now);
            holds.extend(Hold::of(ledger, &lake.settings, now));
        }
        let (staged, staged_holds) = figures::staged(store.as_ref(), &mut problems).await?;
        let answered = MissingRows::of(&ledgers, &staged.days);
        holds.extend(staged_holds);
        let cursor = match Cursor::read(&context.ledgers).await {
            Err(error) if error.is_unreadable() => {
                problems.push(Advice::new("ledger", error.to_string()));
                None
            }
            cursor => Some(cursor?),
        };
        let first = lake.settings.zone.day_of(now.checked_sub(context.horizon).unwrap_or(now));
        let open = ledgers.iter().map(|ledger| ledger.event.event_id).chain(unread.iter().copied()).collect();
        let (figures, mut notes, damage) = figures::of(store, first, &open, answered).await?;
        let damaged_days = damage.days.into_iter();
        holds.extend(damaged_days.map(|day| Hold { event_id: None, day, because: HeldBy::Damaged }));
        let is_lost = figures.days == 0 && staged.files == 0 && was_any_visited(context, &ledgers).await?;
        let roster = RosterRead::of(&context.rosters, cursor.as_ref());
        let not_known = NotKnown::of(roster, !unread.is_empty(), is_lost);
        let known_until = if let RosterRead::Until(read) = roster { read } else { now };
        let complete_through =
            complete::through(&holds, &lake.settings, now, known_until).filter(|_| not_known.is_none());
        let settled = complete::through(&[], &lake.settings, now, now);
        holds.retain(|hold| Some(hold.day) <= settled);
        holds.sort_by_key(|hold| (hold.day, hold.because, hold.event_id));

        let gone = ledgers.iter().filter(|ledger| ledger.is_gone);
        notes.extend(Advice::about("gone", gone.map(|ledger| ledger.event.event_id).collect(), GONE));
        if matches!(roster, RosterRead::Never) {
            notes.push(Advice::new("roster", ROSTER_NEVER_READ.to_owned()));
        }
        problems.extend(damage.errors.iter().map(|error| Advice::new("lake", error.to_string())));
        problems.extend(is_lost.then(|| Advice::new("lake", LAKE_LOST)));
        problems.extend(of_events(&ledgers, now));
        if let Some(oldest) = staged.oldest.filter(|oldest| is_late(*oldest, now)) {
            let text = format!("files that were staged at {oldest:.0} are not published yet");
            problems.push(Advice::new("staged", text + ": run `publish`, which says what stands in the way"));
        }
        if let RosterRead::Until(read) = roster
            && is_late(read, now)
        {
            let text = format!("the vendor's lists of events were last read at {read:.0}");
            problems.push(Advice::new("roster", text + ": check that `sync` still runs, and how it ends"));
        }
        Ok(Self {
            at: now,
            ok: problems.is_empty(),
            events,
            complete_through,
            not_known,
            holds,
            last_visit: ledgers.iter().filter_map(|ledger| ledger.last_visit).max().max(figures.last_visit),
            roster_read: if let RosterRead::Until(read) = roster { Some(read) } else { None },
            lake: figures,
            staged,
            problems,
            notes,
        })
    }
}

/// Whether there ever was a visit: each leaves a row.
async fn was_any_visited(context: &Context, active: &[Ledger]) -> Result<bool> {
    if active.iter().any(|ledger| ledger.last_visit.is_some()) {
        return Ok(true);
    }
    let mut was_visited = false;
    let look = |read: Result<Entry>| was_visited |= read.is_ok_and(|entry| entry.ledger.last_visit.is_some());
    context.ledgers.each_closed(look).await?;
    Ok(was_visited)
}

fn is_late(since: Timestamp, now: Timestamp) -> bool {
    now.duration_since(since) > PATIENCE
}

/// Advice about open events that need a person.
fn of_events(ledgers: &[Ledger], now: Timestamp) -> Vec<Advice> {
    let those = |needs: fn(Health) -> bool| -> BTreeSet<i64> {
        let needing = ledgers.iter().filter(|ledger| needs(Health::of(ledger, now)));
        needing.map(|ledger| ledger.event.event_id).collect()
    };
    let failing = those(|health| health.failing > 0);
    let lacking = ledgers.iter().filter(|ledger| ledger.lacks_end(now));
    let endless: BTreeSet<i64> = lacking.map(|ledger| ledger.event.event_id).collect();
    let overdue = those(|health| health.overdue > 0);
    let advice = [
        Advice::about("failing", failing, "the last three visits of {} failed: `explain` shows why"),
        Advice::about(
            "overdue",
            &overdue - &endless,
            "{} had no good visit within a day after one was due: run `sync`",
        ),
        Advice::about(
            "overdue",
            &overdue & &endless,
            "the vendor states no end for {}, more than a day after its beginning: `sync --event ID` visits it all the same",
        ),
    ];
    advice.into_iter().flatten().collect()
}
