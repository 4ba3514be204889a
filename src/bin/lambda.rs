//! The Lambda: the jobs of the command, one an invocation. Its settings are the command's, from the environment.

use std::sync::Arc;

use clap::Parser;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use rollcall::calendar::Clock;
use rollcall::config::{Config, Options};
use rollcall::error::{Error, Result};
use rollcall::job::Job;
use rollcall::job::context::Context;
use rollcall::load::store::Store;
use rollcall::progress::Progress;
use rollcall::report::Report;
use tracing::level_filters::LevelFilter;

#[derive(Parser)]
struct Environment {
    #[command(flatten)]
    options: Options,
}

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let logs = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false);
    logs.with_max_level(LevelFilter::INFO).with_target(false).without_time().init();
    let Environment { options } = Environment::try_parse()?;
    let config = Config::try_from(options.with_secret().await?)?;
    let store = config.store.clone().open().await;
    lambda_runtime::run(service_fn(|event| invoke(&config, &store, event))).await
}

/// One invocation. What failed within a run that worked is in its report; an error is a run that could not work.
async fn invoke(
    config: &Config,
    store: &Arc<dyn Store>,
    event: LambdaEvent<Job>,
) -> Result<Report, Diagnostic> {
    let mut config = config.clone();
    config.deadline = Some(left(event.context.deadline));
    let context = Context::over(Arc::clone(store), config, Clock::System, Progress::new());
    let outcome = async { event.payload.run(&context?).await };
    outcome.await.map_err(|error| diagnostic(&error))
}

/// Time that is left until a deadline in milliseconds since 1970.
fn left(deadline: u64) -> SignedDuration {
    let deadline = i64::try_from(deadline).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    deadline.unwrap_or(Timestamp::MAX).duration_since(Timestamp::now())
}

/// The kind of the error, to branch on, and what it says.
fn diagnostic(error: &Error) -> Diagnostic {
    Diagnostic { error_type: format!("{:?}", error.kind()), error_message: error.to_string() }
}
