//! The Lambda: runs the jobs of the command, one per invocation. Its settings are the command's options, from the environment.

use std::io::Write;
use std::sync::Arc;

use clap::Parser;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use rollcall::calendar::Clock;
use rollcall::config::{Config, Options};
use rollcall::error::{Error, Explain, Kind, Result};
use rollcall::job::Job;
use rollcall::job::context::Context;
use rollcall::load::store::Store;
use rollcall::metrics;
use rollcall::progress::Progress;
use rollcall::report::{Failure, JobName, Report};
use serde_json::Value;
use tokio::sync::OnceCell;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

#[derive(Parser)]
struct Environment {
    #[command(flatten)]
    options: Options,
    /// The name that all functions of one installation share.
    #[arg(long, env = "ROLLCALL_DEPLOYMENT", default_value = "rollcall")]
    deployment: String,
}

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let logs = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    // If the function is killed amid a visit, its log names the event.
    let level = Targets::new().with_target("rollcall", LevelFilter::INFO).with_default(LevelFilter::WARN);
    tracing_subscriber::registry().with(logs.with_target(false).without_time().with_filter(level)).init();
    let store = OnceCell::new();
    let handler = service_fn(|event| Box::pin(invoke(&store, event)));
    lambda_runtime::run(handler).await
}

/// Handles one invocation. What failed within a run is in its report; an error means that the run could not work at all.
async fn invoke(store: &OnceCell<Arc<dyn Store>>, event: LambdaEvent<Value>) -> Result<Report, Diagnostic> {
    let outcome = Box::pin(work(store, event)).await;
    outcome.map_err(|error| Diagnostic { error_type: error_type(&error), error_message: error.to_string() })
}

async fn work(store: &OnceCell<Arc<dyn Store>>, event: LambdaEvent<Value>) -> Result<Report> {
    if event.payload.get("job").is_some_and(|job| job == "forget") {
        // No function may delete versions of objects. This is not an error: after one, the dead-letter queue would keep the
        // payload, and with it the person named there.
        let mut report = Report::new(JobName::Forget, "", Timestamp::now());
        let refused = Error::new(Kind::Usage, "`forget` is not a job for the functions");
        let refused = refused.hint("use the command `rollcall forget`, as docs/privacy.md describes");
        report.failures.push(Failure::of_run(&refused));
        return Ok(report);
    }
    let job: Job = serde_json::from_value(event.payload)
        .explain(Kind::Usage, || "the payload is not a job".to_owned())
        .map_err(|error| error.hint("write it like `{\"job\": \"sync\"}`"))?;
    let Environment { options, deployment } = Environment::try_parse()
        .explain(Kind::Usage, || "the function's environment cannot be read".to_owned())?;
    // The secret is read each time, so that a new one takes effect with the next run.
    let mut config = Config::try_from(options.with_secret().await?)?;
    config.deadline = time_left(event.context.deadline);
    let store = store.get_or_init(|| config.store.clone().open()).await;
    let context = Context::over(Arc::clone(store), config, Clock::System, Progress::hidden())?;
    let mut report = job.run(&context).await?;
    writeln!(std::io::stdout().lock(), "{}", metrics::line(&report, &deployment))
        .explain(Kind::Store, || "cannot write to the log".to_owned())?;
    report.name_few();
    Ok(report)
}

/// The time left until a deadline in milliseconds since 1970. A deadline that has passed when the work begins counts as no
/// deadline: `cargo lambda watch` always states ten minutes after the beginning of 1970.
fn time_left(deadline: u64) -> Option<SignedDuration> {
    let deadline = Timestamp::from_millisecond(i64::try_from(deadline).ok()?).ok()?;
    Some(deadline.duration_since(Timestamp::now())).filter(SignedDuration::is_positive)
}

/// The error's type for AWS to branch on: whether a retry helps, and the kind, as in `Transient.Timeout` or `Permanent.Usage`.
fn error_type(error: &Error) -> String {
    format!("{}.{:?}", if error.is_transient() { "Transient" } else { "Permanent" }, error.kind())
}
