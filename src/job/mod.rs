//! The jobs: one type is both the subcommand and the payload of the Lambda.

pub mod context;
mod listing;
mod plan;
mod publish;
mod pull;
pub mod selection;
mod sync;
mod visit;

use clap::Subcommand;
use serde::Deserialize;

use self::context::Context;
use self::selection::Selection;
use crate::error::Result;
use crate::report::{Report, Step};

/// What there is to do.
#[derive(Clone, Debug, Deserialize, Subcommand)]
#[serde(tag = "job", rename_all = "snake_case", deny_unknown_fields)]
pub enum Job {
    /// Pull the reports of every event that is due, and publish them.
    Sync(Selection),
    /// Show which events are due. Asks for the roster only, and writes nothing.
    Plan(Selection),
    /// Pull the reports of every event that is due, and leave them staged: many machines can do this at once.
    Pull(Selection),
    /// Publish everything that is staged.
    Publish,
    /// Write objects of older versions of rollcall anew, with the columns of this one.
    Upgrade,
}

impl Job {
    fn step(&self) -> Step {
        match self {
            Self::Sync(_) => Step::Sync,
            Self::Plan(_) => Step::Plan,
            Self::Pull(_) => Step::Pull,
            Self::Publish => Step::Publish,
            Self::Upgrade => Step::Upgrade,
        }
    }

    /// Does it. An error is a run that could not work; what failed within one that did is in its report.
    pub async fn run(self, context: &Context) -> Result<Report> {
        let mut report = Report::new(self.step(), &context.run);
        let outcome = match self {
            Self::Sync(selection) => sync::sync(context, &selection, &mut report).await,
            Self::Plan(selection) => plan::show(context, &selection, &mut report).await,
            Self::Pull(selection) => pull::pull(context, &selection, &mut report).await,
            Self::Publish => publish::publish(context, &mut report).await,
            Self::Upgrade => publish::upgrade(context, &mut report).await,
        };
        context.store.close().await;
        context.progress.done();
        outcome.map(|()| report.finish())
    }
}
