//! The jobs: one type is both the subcommand and the payload of the Lambda.

mod archive;
mod choice;
mod collect;
pub mod context;
mod doctor;
mod forget;
mod lake;
mod plan;
mod probe;
mod publish;
mod pull;
mod replay;
mod roster_file;
pub mod selection;
mod sync;
mod token;
mod upgrade;
mod visit;

use clap::Subcommand;
use futures::FutureExt;
use serde::Deserialize;

pub use self::collect::Collect;
use self::context::Context;
pub use self::doctor::Doctor;
pub use self::forget::Forget;
pub use self::plan::Plan;
pub use self::publish::Publish;
pub use self::replay::Replay;
use self::selection::Selection;
pub use self::sync::SyncCall;
pub use self::upgrade::Upgrade;
use crate::error::Result;
use crate::report::{JobName, Report};

/// What a run is to do.
#[derive(Clone, Debug, Deserialize, Subcommand)]
#[serde(tag = "job", rename_all = "snake_case", deny_unknown_fields)]
pub enum Job {
    /// Pull the reports of every event that is due, and publish them.
    Sync(SyncCall),
    /// Show which events are due. Asks for the roster only; writes nothing without `--items`.
    Plan(Plan),
    /// Pull the reports of every event that is due, and leave them staged: many machines can do this at once.
    Pull(Selection),
    /// Show the days with staged files that are not yet published.
    Staged {},
    /// Publish everything that is staged.
    Publish(Publish),
    /// Report what became of the events of a plan, at the end of a fan-out.
    Collect(Collect),
    /// Renew the shared token of a fan-out if the vendor no longer accepts it.
    Token {},
    /// Test whether everything that a run needs is there: vendor, clock, token, store and permissions. Changes no table.
    Doctor(Doctor),
    /// Rebuild tables from archived answers, without asking the vendor.
    Replay(Replay),
    /// Erase one person everywhere and keep them out of later runs. Needs the key for pseudonyms, whatever the policy.
    Forget(Forget),
    /// Rewrite objects of older versions of rollcall, with the columns of this one.
    Upgrade(Upgrade),
}

impl Job {
    /// The name of the job in reports and logs.
    #[must_use]
    pub fn name(&self) -> JobName {
        match self {
            Self::Sync(SyncCall { dry_run: true, .. }) | Self::Plan(_) => JobName::Plan,
            Self::Sync(_) => JobName::Sync,
            Self::Pull(_) => JobName::Pull,
            Self::Staged {} => JobName::Staged,
            Self::Publish(_) => JobName::Publish,
            Self::Collect(_) => JobName::Collect,
            Self::Token {} => JobName::Token,
            Self::Doctor(_) => JobName::Doctor,
            Self::Replay(_) => JobName::Replay,
            Self::Forget(_) => JobName::Forget,
            Self::Upgrade(_) => JobName::Upgrade,
        }
    }

    /// Runs the job. An error means that the run could not work at all; what failed within a run is in its report.
    pub async fn run(self, context: &Context) -> Result<Report> {
        let mut report = Report::new(self.name(), &context.run, context.clock.now());
        // Boxed without their types: the compiler inspects everything that a future holds, and gives up if it is nested too deep.
        let outcome = match self {
            Self::Sync(call) => sync::sync(context, &call, &mut report).boxed().await,
            Self::Plan(call) => plan::run(context, &call, &mut report).boxed().await,
            Self::Pull(selection) => pull::pull(context, &selection, &mut report).boxed().await,
            Self::Staged {} => publish::staged(context, &mut report).boxed().await,
            Self::Publish(call) => publish::publish(context, &call, &mut report).boxed().await,
            Self::Collect(call) => collect::collect(context, &call, &mut report).boxed().await,
            Self::Token {} => token::share(context, &mut report).boxed().await,
            Self::Doctor(call) => doctor::examine(context, &call, &mut report).boxed().await,
            Self::Replay(call) => replay::replay(context, &call, &mut report).boxed().await,
            Self::Forget(call) => forget::forget(context, &call, &mut report).boxed().await,
            Self::Upgrade(call) => upgrade::upgrade(context, &call, &mut report).boxed().await,
        };
        context.lake.store.close().await;
        context.progress.done();
        outcome.map(|()| report.finish(context.clock.now()))
    }
}
