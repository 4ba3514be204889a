//! Forget: one person out of everything. First the list that every later run keeps to, then whatever is there already.

use clap::Args;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer};

use super::archive::{self, is_of_one_object};
use super::context::Context;
use super::publish::check_lake;
use super::upgrade::clean_ledgers;
use crate::error::{Error, Kind, Result};
use crate::load::erasure::{self, Erasure, Logged, People};
use crate::load::staged_days::{StagedDays, staged_files};
use crate::load::store::{Head, Listed};
use crate::load::table_day::TableDay;
use crate::load::{keys, lake_objects, suppression};
use crate::report::Report;
use crate::transform::privacy::Privacy;
use crate::transform::tables::Table;

/// What `forget` is called with.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Forget {
    /// What the person is known by: a number, a mail address, an identifier of your own. All that you know; several at once.
    #[arg(long, value_name = "TEXT", num_args = 1.., required = true)]
    #[serde(deserialize_with = "one_or_many")]
    pub viewer: Vec<String>,
    /// Only count what there is of the person.
    #[arg(long)]
    pub dry_run: bool,
}

/// In a payload, one text may stand without a list around it. What else stands there is not repeated in the error.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "`viewer` is a text, or a list of texts")]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(viewer) => vec![viewer],
        OneOrMany::Many(viewers) => viewers,
    })
}

pub(super) async fn forget(context: &Context, call: &Forget, report: &mut Report) -> Result<()> {
    if call.viewer.is_empty() {
        return Err(Error::new(Kind::Usage, "nothing says who is to be forgotten").hint("give `--viewer`"));
    }
    if call.viewer.iter().any(|text| text.trim().chars().count() < SHORTEST) {
        return Err(Error::new(Kind::Usage, format!("`--viewer` is shorter than {SHORTEST} letters"))
            .hint("give a whole number, mail address or identifier"));
    }
    // Also before there is a lake: a first run may be under way. But it may be a wrong place as well.
    let is_empty = !check_lake(context).await? && is_empty(context).await?;
    if is_empty && call.dry_run {
        return Err(no_lake());
    }
    let (store, policy, began) = (context.store.as_ref(), &context.lake.policy, context.clock.now());
    let people = suppression::people(policy, &call.viewer)?;
    let erasure = Erasure { identifiers: call.viewer.len(), is_dry: call.dry_run, ..Erasure::default() };
    let mut failures = Vec::new();
    // First, so that whoever has another key than the list's is refused before anything is noted.
    let mut privacy = suppression::with(store, policy, &people).await?;
    if !call.dry_run {
        let Logged { people: before, has_others, damaged } = erasure::logged(store, &people.key).await?;
        failures.extend(damaged);
        if has_others && !suppression::is_listed(store).await? {
            failures.push(suppression::lost());
        }
        // The log before the list: it has whoever is on the list. Where that is an older one, or was lost, they come back to it.
        erasure::begin(store, &context.run, began, &erasure, &people).await?;
        let all = People { people: [before, people.people.clone()].concat(), ..people.clone() };
        privacy = suppression::suppress(store, policy, &all).await?;
    }
    let mut forgetting = Forgetting { context, privacy: &privacy, is_dry: call.dry_run, erasure, failures };
    // What is staged goes into the lake, and so is looked at before.
    forgetting.staged().await?;
    forgetting.lake().await?;
    forgetting.archive().await?;
    forgetting.hidden().await?;
    let Forgetting { mut erasure, failures, .. } = forgetting;
    for error in &failures {
        report.failed(error);
    }
    if is_empty {
        report.failed(&no_lake());
    }
    if !call.dry_run {
        for error in clean_ledgers(context).await? {
            report.failed(&error);
        }
        // Where something failed, a version may be what mends it.
        if report.failures.is_empty() {
            match purge(context).await {
                Ok(versions) => erasure.versions = versions,
                Err(error) => report.failed(&error),
            }
        }
        if report.failures.is_empty() {
            erasure::end(store, &context.run, (began, context.clock.now()), &erasure, &people).await?;
        }
    }
    report.erasure = Some(erasure);
    Ok(())
}

/// Takes away what the store keeps of what stood there before, and says how many versions it were.
async fn purge(context: &Context) -> Result<u64> {
    let mut versions = 0;
    for prefix in keys::PREFIXES {
        versions += context.store.purge(prefix).await?;
    }
    Ok(versions)
}

/// Whether there is nothing that somebody could be taken out of.
async fn is_empty(context: &Context) -> Result<bool> {
    let [lake, archive] = [keys::TABLES, keys::ARCHIVE].map(|prefix| context.store.below(prefix));
    Ok(lake.await?.folders.is_empty() && archive.await?.folders.is_empty())
}

fn no_lake() -> Error {
    Error::new(Kind::Usage, "there is no lake here that somebody could be taken out of")
        .hint("check `--store`; a first run that comes later keeps nothing of who is named here")
}

fn is_hidden(listed: &Listed) -> Error {
    let error = Error::new(Kind::Damaged, "a hidden file was not looked through");
    error.with("key", &listed.key).hint("take it away")
}

/// Letters of the shortest identifier: a shorter one is many people's.
const SHORTEST: usize = 4;

/// An erasure that is under way.
struct Forgetting<'a> {
    context: &'a Context,
    privacy: &'a Privacy,
    is_dry: bool,
    erasure: Erasure,
    failures: Vec<Error>,
}

impl Forgetting<'_> {
    async fn staged(&mut self) -> Result<()> {
        let StagedDays { days, failures } = StagedDays::find(self.context.store.as_ref()).await?;
        self.failures.extend(failures);
        for (day, tables) in days {
            for table in tables {
                let (files, failures) = staged_files(self.context.store.as_ref(), table, day).await?;
                self.failures.extend(failures);
                for Listed { key, head } in files {
                    self.object(table, day, &key, head).await?;
                }
            }
        }
        Ok(())
    }

    async fn lake(&mut self) -> Result<()> {
        let standing = lake_objects::since(&self.context.store, None, &mut self.failures).await?;
        for (day, tables) in standing {
            for (table, head) in tables {
                self.object(table, day, &keys::lake(table, day), head).await?;
            }
        }
        Ok(())
    }

    /// One object with rows. One that cannot be read is a failure, and does not stop the others.
    async fn object(&mut self, table: Table, day: Date, key: &str, head: Head) -> Result<()> {
        let Context { store, lake, .. } = self.context;
        let table_day = TableDay { store, lake, privacy: self.privacy, table, day };
        let outcome = async {
            let rows = table_day.suppressed_rows(key, head).await?;
            if rows > 0 && !self.is_dry {
                table_day.clean_at(key).await?;
            }
            Ok::<_, Error>(rows)
        };
        match outcome.await {
            Ok(0) => {}
            Ok(rows) => {
                *self.erasure.rows.entry(table.name().to_owned()).or_default() += rows;
                self.erasure.objects += 1;
            }
            Err(error) if is_of_one_object(&error) => self.failures.push(error),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Hidden files, which all else passes over: a copy of an editor's may name anybody.
    async fn hidden(&mut self) -> Result<()> {
        for prefix in keys::PREFIXES.into_iter().filter(|prefix| *prefix != keys::ARCHIVE) {
            let listed = self.context.store.list(prefix, "").await?;
            self.failures.extend(listed.iter().filter(|listed| keys::is_hidden(&listed.key)).map(is_hidden));
        }
        Ok(())
    }

    async fn archive(&mut self) -> Result<()> {
        for day in archive::days(self.context).await? {
            let (hidden, listed): (Vec<_>, Vec<_>) = self
                .context
                .store
                .list(&day, "")
                .await?
                .into_iter()
                .partition(|listed| keys::is_hidden(&listed.key));
            self.failures.extend(hidden.iter().map(is_hidden));
            for listed in listed {
                match archive::forget(self.context, self.privacy, listed, self.is_dry).await {
                    Ok(0) => {}
                    Ok(records) => {
                        self.erasure.archived_records += records;
                        self.erasure.objects += 1;
                    }
                    Err(error) if is_of_one_object(&error) => self.failures.push(error),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}
