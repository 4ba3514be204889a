//! The jobs: one type is both the subcommand and the payload of the Lambda.

pub mod context;
mod listing;
mod plan;
pub mod selection;
mod sync;
mod visit;

use clap::Subcommand;
use serde::Deserialize;

use self::context::Context;
use self::selection::Selection;
use crate::error::Result;
use crate::report::Report;

/// What there is to do.
#[derive(Clone, Debug, Deserialize, Subcommand)]
#[serde(tag = "job", rename_all = "snake_case", deny_unknown_fields)]
pub enum Job {
    /// Pull the reports of every event that is due, and publish them.
    Sync(Selection),
}

impl Job {
    /// Does it. An error is a run that could not work; what failed within one that did is in its report.
    pub async fn run(self, context: &Context) -> Result<Report> {
        match self {
            Self::Sync(selection) => sync::sync(context, &selection).await,
        }
    }
}
