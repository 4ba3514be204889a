//! Runs in which anything may go wrong, drawn at random.

use proptest::prelude::*;
use proptest::sample::select;
use simulator::{EmptyPage, Quirks, RangeEnds, ServerOptions, ViewerDetails};

use super::faulty::Fault;

/// How many events there are to choose from.
pub(crate) const EVENTS: i64 = 5;

/// What the vendor may do to any request.
const ANYWHERE: [&str; 11] = [
    "code=200",
    "code=200",
    "code=400",
    "code=401",
    "code=404",
    "code=500",
    "status=403",
    "status=503",
    "html",
    "reset",
    "junk",
];
/// And to a report: most of it is a success with less than there is.
const IN_REPORTS: [&str; 10] = [
    "code=200",
    "code=200",
    "code=404",
    "null-array=lives",
    "null-array=interactions",
    "null-array=viewerDetails",
    "null-array=lives+interactions",
    "null-array=lives+viewerDetails",
    "null-array=lives+interactions+viewerDetails",
    "other-event",
];

/// One run, and what goes wrong in it.
#[derive(Clone, Debug)]
pub(crate) struct BadRun {
    /// How long after the run before it.
    pub(crate) hours: i32,
    pub(crate) chosen: Chosen,
    pub(crate) archives: bool,
    pub(crate) faults: Vec<String>,
    pub(crate) fault_seed: u64,
    /// An answer is cut off after so many rows of an array.
    pub(crate) most_rows: Option<u64>,
    /// Whether it runs twice at once.
    pub(crate) twice: bool,
    /// When the folder of ledgers is lost, if it is.
    pub(crate) loses_ledgers: Option<Lost>,
    /// At which operation the store fails, and how.
    pub(crate) store: Option<(u64, Fault)>,
}

/// When something is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// Before the run.
    Before,
    /// After the run.
    After,
}

/// What a run is asked to do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Chosen {
    Due,
    /// One event; whether fewer rows are accepted.
    Event(i64, bool),
    /// Some days of October.
    Days(i8, i8),
    /// What is due is left staged.
    Pulled,
    Published,
    /// Everything that is archived.
    Replayed,
}

/// What the vendor's page leaves open.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Vendor {
    range_ends: RangeEnds,
    viewer_details: ViewerDetails,
    empty_page: EmptyPage,
    /// Whether an array without records is null.
    null_if_empty: bool,
    /// Whether snapshots always lack a viewing that its day has, and that their viewers count.
    contradicting: bool,
}

impl Vendor {
    /// Whether neither an answer for a day nor a snapshot tells that the day has no records of an array.
    pub(crate) fn hides_what_days_have(self) -> bool {
        self.null_if_empty && self.contradicting
    }

    /// Such a vendor, when an answer has no more than so many rows of an array.
    pub(crate) fn options(self, most_rows: Option<u64>) -> ServerOptions {
        let Self { range_ends, viewer_details, empty_page, null_if_empty, contradicting } = self;
        // Nothing shows that a day lacks just the viewing that snapshots lack, too.
        let most_rows = most_rows.filter(|_| !contradicting);
        let quirks = Quirks { null_if_empty, contradicting, most_rows, ..Quirks::default() };
        ServerOptions { range_ends, viewer_details, empty_page, quirks, ..ServerOptions::default() }
    }
}

pub(crate) fn vendor() -> impl Strategy<Value = Vendor> {
    let range_ends = select(&[RangeEnds::Inclusive, RangeEnds::HalfOpen, RangeEnds::Exclusive]);
    let viewer_details = select(&[ViewerDetails::Cumulative, ViewerDetails::PerRange]);
    let empty_page = select(&[EmptyPage::Array, EmptyPage::Null, EmptyPage::NullList, EmptyPage::Total]);
    let (null_if_empty, contradicting) = (prop::bool::weighted(0.4), prop::bool::weighted(0.3));
    (range_ends, viewer_details, empty_page, null_if_empty, contradicting).prop_map(
        |(range_ends, viewer_details, empty_page, null_if_empty, contradicting)| Vendor {
            range_ends,
            viewer_details,
            empty_page,
            null_if_empty,
            contradicting,
        },
    )
}

fn chosen() -> impl Strategy<Value = Chosen> {
    let event = (700_001..=700_000 + EVENTS, prop::bool::weighted(0.3));
    prop_oneof![
        6 => Just(Chosen::Due),
        2 => event.prop_map(|(event, accepts)| Chosen::Event(event, accepts)),
        1 => (21..28_i8, 0..4_i8).prop_map(|(from, days)| Chosen::Days(from, from + days)),
        1 => Just(Chosen::Pulled),
        1 => Just(Chosen::Published),
        1 => Just(Chosen::Replayed),
    ]
}

pub(crate) fn bad_run() -> impl Strategy<Value = BadRun> {
    let anywhere = (select(&ANYWHERE), select(&["rate:0.1", "rate:0.4", "path:list,rate:0.3", "first:9"]));
    let in_reports = (
        select(&IN_REPORTS),
        select(&["rate:0.2", "rate:0.6", "snapshot,rate:0.7", "day:2022-10-23", "day:2022-10-26,rate:0.8"]),
    );
    let fault = prop_oneof![
        1 => anywhere.prop_map(|(fault, when)| format!("{fault}@{when}")),
        3 => in_reports.prop_map(|(fault, when)| format!("{fault}@path:report/details,{when}")),
    ];
    let vendor = (prop::collection::vec(fault, 0..4), any::<u64>(), prop::option::weighted(0.15, 1..12_u64));
    let fault = select(&[Fault::Fails, Fault::Dies, Fault::Ambiguous]);
    let (twice, loses_ledgers) =
        (prop::bool::weighted(0.15), prop::option::weighted(0.15, select(&[Lost::Before, Lost::After])));
    let store = (twice, loses_ledgers, prop::option::weighted(0.3, (0..250_u64, fault)));
    (2..22, chosen(), prop::bool::weighted(0.3), vendor, store).prop_map(
        |(hours, chosen, archives, (faults, fault_seed, most_rows), (twice, loses_ledgers, store))| BadRun {
            hours,
            chosen,
            archives,
            faults,
            fault_seed,
            most_rows,
            twice,
            loses_ledgers,
            store,
        },
    )
}
