//! Oddities of reports, which the vendor's page does not rule out.

use clap::{Args, ValueEnum};

/// Oddities of the reports of generated events; by default none. The sample stays as it is.
#[allow(clippy::struct_excessive_bools, reason = "each is odd in its own way, in any combination")]
#[derive(Args, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// The rows stand in another order: the last viewer and the last session first.
    #[arg(long)]
    pub shuffled: bool,
    /// Every k-th row of each array has a field `newField`, and the report an array `polls`.
    #[arg(long, value_name = "K")]
    pub unknown_fields: Option<u64>,
    /// Some records hold what is not to be read as it stands: counters `"many"`, `3.0` and `"3"`, an `online_date`
    /// a day after `online_time`, an `offline_time` in the year 60000.
    #[arg(long)]
    pub wrong_types: bool,
    /// Every k-th record of `lives` has no `online_time` and so is in every answer, whatever the range. The first
    /// element of `lives` is a text, if the event has viewers.
    #[arg(long, value_name = "K")]
    pub unplaceable: Option<u64>,
    /// Every record names its viewer where nobody looks for it: in a field `contact`, in a field whose key is the mobile
    /// number, and in `praise_num`.
    #[arg(long)]
    pub telling: bool,
    /// The report of the whole event, without a range, lacks the first record of `lives` that the one of its day has.
    #[arg(long)]
    pub contradicting: bool,
    /// An answer has no more than so many rows of each array, and does not say that there are more.
    #[arg(long, value_name = "ROWS")]
    pub most_rows: Option<u64>,
    /// A report is refused for a range of more than so many seconds.
    #[arg(long, value_name = "SECONDS")]
    pub longest_range: Option<i64>,
    /// An array that is left out.
    #[arg(long, value_enum, value_name = "ARRAY")]
    pub missing_array: Option<ReportArray>,
    /// An array in whose place there is null.
    #[arg(long, value_enum, value_name = "ARRAY")]
    pub null_array: Option<ReportArray>,
    /// In the place of an array without rows there is null.
    #[arg(long)]
    pub null_if_empty: bool,
    /// Where the envelope's keys stand.
    #[arg(long, value_enum, default_value_t)]
    pub envelope: Envelope,
}

/// Where `timeStamp`, `code`, `msg` and `requestId` stand in a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Envelope {
    /// As in the sample: `requestId` after the data, the others before it.
    #[default]
    Around,
    /// All before the data, `requestId` first.
    Before,
    /// All after the data, `code` last.
    After,
}

/// An array of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportArray {
    /// `lives`.
    Lives,
    /// `viewerDetails`.
    ViewerDetails,
    /// `interactions`.
    Interactions,
}

impl ReportArray {
    /// Its key.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Lives => "lives",
            Self::ViewerDetails => "viewerDetails",
            Self::Interactions => "interactions",
        }
    }
}

/// What is odd about one row.
#[allow(clippy::struct_excessive_bools, reason = "each is odd in its own way, in any combination")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Oddity {
    /// There is a field that nobody knows.
    pub(crate) unknown_field: bool,
    /// Some values have wrong types, or make no sense.
    pub(crate) wrong_types: bool,
    /// There is no `online_time`.
    pub(crate) unplaceable: bool,
    /// The viewer is named in odd places.
    pub(crate) telling: bool,
}

impl Quirks {
    /// What is odd about the row `number` of `array`, from 1. Rows that an answer leaves out are counted too, so that
    /// a row is the same in every answer.
    pub(crate) fn of_row(&self, array: ReportArray, number: u64) -> Oddity {
        let is_one_of = |every: Option<u64>| every.is_some_and(|k| number.is_multiple_of(k));
        Oddity {
            unknown_field: is_one_of(self.unknown_fields),
            wrong_types: self.wrong_types,
            telling: self.telling,
            unplaceable: array == ReportArray::Lives && is_one_of(self.unplaceable),
        }
    }
}
