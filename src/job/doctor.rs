//! Doctor: tests whether everything that a run needs is there. It touches nothing that a reader of the tables sees.

use jiff::{SignedDuration, Timestamp};

use clap::Args;
use serde::Deserialize;

use super::context::Context;
use super::probe::probe;
use super::roster_file;
use crate::counted::counted;
use crate::error::{Error, Kind, Result};
use crate::extract::roster;
use crate::extract::usage::Usage;
use crate::extract::vendor::Vendor;
use crate::load::{keys, trial};
use crate::report::Report;

/// How far apart the vendor's clock and this machine's may be: signatures carry the time, and it decides when an event has ended.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(2);

/// The arguments of `doctor`.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Doctor {
    /// Also find out what the vendor's documentation leaves open, by asking for this event in several ways: which ends of a
    /// range belong to it, whether `liveType` filters, what the sums per viewer cover, how long answers take; and, with an
    /// application's credentials, whether a new token ends the one before.
    #[arg(long, value_name = "ID")]
    pub probe: Option<i64>,
}

pub(super) async fn examine(context: &Context, call: &Doctor, report: &mut Report) -> Result<()> {
    let usage = Usage::default();
    let asked = context.client.vendor(&usage);
    let answered = vendor(context, asked).await;
    // Without an answer, nothing is known about the clock; the check `vendor` already says that there was none.
    let is_clock_known = answered.is_ok() || asked.clock_ahead().is_some();
    let customer = match &answered {
        Ok(_) => asked.customer().await?,
        Err(_) => None,
    };
    report.check("vendor", answered);
    if is_clock_known {
        report.check("clock", clock(asked, context.clock.now()));
    }
    report.check("token", token(context).await);
    report.requests += usage.used();
    if let Some(name) = &context.rosters.file {
        let named = roster_file::read(context, name).await;
        report.check(
            "roster",
            named.map(|events| format!("it names {}", counted(events.len() as u64, "event"))),
        );
    }
    let store = context.lake.store.as_ref();
    report.check("lake", lake(context, customer.as_deref()).await);
    report.check("ledgers", ledgers(context).await);
    let conditions = trial::conditions(store, &context.run).await;
    if let Ok(gone) = &conditions {
        let needed = |prefix: &&str| context.archive || *prefix != keys::ARCHIVE;
        let prefixes: Vec<&str> = keys::PREFIXES.into_iter().filter(needed).collect();
        let rights = trial::rights(store, &prefixes, &context.run, gone).await;
        report.check("rights", rights.map(|()| format!("list and write under {}", prefixes.join(", "))));
    }
    report.check("conditions", conditions.map(|_| "of two writers, one loses".to_owned()));
    if let Some(event_id) = call.probe {
        probe(context, event_id, report).await;
    }
    Ok(())
}

/// Reads the shortest list there is: it shows that the vendor can be reached, and accepts the credentials.
async fn vendor(context: &Context, vendor: Vendor<'_>) -> Result<String> {
    let now = context.clock.now();
    let mut edited = roster::edited_between(vendor, now, now);
    loop {
        match edited.page().await {
            Ok(Some(_)) => {}
            Ok(None) => break,
            // Then the vendor knows the user by the token, and this run does not need the list. Only a code is
            // the vendor's own word.
            Err(error)
                if error.kind() == Kind::Refused
                    && error.context("code").is_some()
                    && !context.rosters.edited =>
            {
                return Ok("it answers, and accepts the token, though not for its lists".to_owned());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(format!(
        "it answers, and accepts the token; {} edited in the last hour",
        counted(edited.distinct_events() as u64, "event")
    ))
}

fn clock(vendor: Vendor<'_>, now: Timestamp) -> Result<String> {
    let Some(ahead) = vendor.clock_ahead() else {
        return Err(Error::new(Kind::BadAnswer, "the vendor's answers state no possible time"));
    };
    if ahead.abs() > TOLERANCE {
        let side = if ahead.is_negative() { "behind" } else { "ahead" };
        let message =
            format!("this machine's clock says {now:.0}, and the vendor's is {side} by {:#}", ahead.abs());
        return Err(Error::new(Kind::Clock, message).hint("set the clock"));
    }
    Ok(format!("{now:.0}, and the vendor's clock agrees"))
}

/// Tests the secret through which machines share a token, if there is one.
async fn token(context: &Context) -> Result<String> {
    let is_shared = context.client.share_token().await?;
    Ok(if is_shared { "it is in the shared secret" } else { "it is not shared with other machines" }
        .to_owned())
}

async fn lake(context: &Context, customer: Option<&str>) -> Result<String> {
    let lake = &context.lake;
    lake.check(customer).await?;
    let is_there = lake.check_privacy().await?;
    // If people are to be forgotten, only the lake's own key tells who they are.
    lake.mend_suppressed().await?;
    lake.privacy().await?;
    let found = if is_there { "there is one" } else { "the first run makes one" };
    let (zone, privacy) = (lake.settings.zone.name(), lake.settings.policy.document());
    Ok(format!(
        "{found}; zone {zone}, days settle {:#} after their end, privacy {privacy}",
        lake.settings.settle
    ))
}

async fn ledgers(context: &Context) -> Result<String> {
    let (mut open, mut damaged) = (0_u64, None);
    context
        .ledgers
        .each_active(|read| match read {
            Ok(_) => open += 1,
            Err(error) => damaged = damaged.take().or(Some(error)),
        })
        .await?;
    damaged.map_or_else(|| Ok(format!("{} open", counted(open, "event"))), Err)
}
