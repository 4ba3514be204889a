//! Forget: erases one person everywhere. First it extends the list that every later run obeys, then it cleans what is already
//! stored.

use clap::Args;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer};

use super::archive::{self, is_of_one_object};
use super::context::Context;
use super::upgrade::clean_ledgers;
use crate::error::{Error, Explain, Kind, Result};
use crate::load::erasure::{self, Erasure, Logged, People};
use crate::load::publish::staged_days::{StagedDays, staged_files};
use crate::load::store::{Head, Listed};
use crate::load::{keys, lake_objects, suppression};
use crate::report::Report;
use crate::transform::privacy::Privacy;
use crate::transform::tables::Table;

/// The arguments of `forget`.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Forget {
    /// What the person is known by: a number, a mail address, an identifier of your own. Give all that you know, several at once;
    /// or `-`, and one on each line of standard input, where neither the shell's history nor a list of processes shows it.
    #[arg(long, value_name = "TEXT", num_args = 1.., required = true)]
    #[serde(deserialize_with = "one_or_many")]
    pub viewer: Vec<String>,
    /// Only count what is stored about the person.
    #[arg(long)]
    pub dry_run: bool,
}

/// In a payload, a single text needs no list around it. The error does not repeat what was given instead.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "`viewer` must be a text, or a list of texts")]
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
    let viewers = named(&call.viewer)?;
    if viewers.is_empty() {
        return Err(Error::new(Kind::Usage, "no person to forget is named").hint("give `--viewer`"));
    }
    if viewers.iter().any(|text| text.trim().chars().count() < SHORTEST) {
        return Err(Error::new(Kind::Usage, format!("`--viewer` is shorter than {SHORTEST} characters"))
            .hint("give the complete number, mail address or identifier"));
    }
    // This works before there is a lake, too: a first run may be under way. But it may also be the wrong place.
    let is_empty = !context.lake.check_to_write().await? && is_empty(context).await?;
    if is_empty && call.dry_run {
        return Err(no_lake());
    }
    let (lake, began) = (&context.lake, context.clock.now());
    let store = lake.store.as_ref();
    let has_pseudonyms = lake.check_key().await?;
    let people = suppression::people(&lake.settings.policy, &viewers, has_pseudonyms)?;
    let erasure = Erasure { identifiers: viewers.len(), is_dry: call.dry_run, ..Erasure::default() };
    let mut failures = Vec::new();
    // First, so that a run with another key than the list's is refused before anything is written.
    let mut privacy = lake.privacy_with(&people).await?;
    if !call.dry_run {
        let Logged { people: before, has_others, damaged } = erasure::logged(store, &people.key).await?;
        failures.extend(damaged);
        if has_others && !suppression::is_listed(store).await? {
            failures.push(suppression::lost());
        }
        // The log is written before the list, so it names everybody on the list. If the list is an older copy, or was lost, the
        // log brings them back.
        erasure::begin(store, &context.run, began, &erasure, &people).await?;
        let all = People { people: [before, people.people.clone()].concat(), ..people.clone() };
        privacy = lake.suppress(&all).await?;
    }
    let mut forgetting = Forgetting { context, privacy: &privacy, is_dry: call.dry_run, erasure, failures };
    // Staged files may be published into the lake, so they are cleaned before it.
    forgetting.staged().await?;
    forgetting.lake().await?;
    forgetting.archive().await?;
    forgetting.hidden().await?;
    let Forgetting { mut erasure, failures, .. } = forgetting;
    report.failed_each(&failures);
    if is_empty {
        report.failed(&no_lake());
    }
    if !call.dry_run {
        report.failed_each(&clean_ledgers(context).await?);
        // If something failed, an old version may be needed for the repair.
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

/// What the person is known by: as given, or the lines of standard input, where no list of commands shows it.
fn named(viewer: &[String]) -> Result<Vec<String>> {
    if viewer != ["-"] {
        return Ok(viewer.to_vec());
    }
    let lines = std::io::read_to_string(std::io::stdin().lock())
        .explain(Kind::Usage, || "standard input cannot be read".to_owned())?;
    Ok(lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// Deletes the old versions of objects that the store keeps, and returns how many there were.
async fn purge(context: &Context) -> Result<u64> {
    let mut versions = 0;
    for prefix in keys::PREFIXES {
        versions += context.lake.store.purge(prefix).await?;
    }
    Ok(versions)
}

/// Whether there is neither a table nor a staged file nor an archived answer from which a person could be erased.
async fn is_empty(context: &Context) -> Result<bool> {
    for prefix in [keys::TABLES, keys::STAGING, keys::ARCHIVE] {
        if !context.lake.store.below(prefix).await?.folders.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn no_lake() -> Error {
    Error::new(Kind::Usage, "there is no lake here from which a person could be erased")
        .hint("check `--store`; if a first run follows, it keeps nothing of the person named")
}

fn not_searched(listed: &Listed) -> Error {
    let error = Error::new(Kind::Damaged, "a hidden file was not searched");
    error.with("key", &listed.key).hint("delete it")
}

/// The fewest characters of an identifier: a shorter one would match many people.
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
        let StagedDays { days, failures } = StagedDays::find(self.context.lake.store.as_ref()).await?;
        self.failures.extend(failures);
        for (day, tables) in days {
            for table in tables {
                let (files, failures) = staged_files(self.context.lake.store.as_ref(), table, day).await?;
                self.failures.extend(failures);
                for Listed { key, head } in files {
                    self.object(table, day, &key, head).await?;
                }
            }
        }
        Ok(())
    }

    async fn lake(&mut self) -> Result<()> {
        let standing = lake_objects::since(&self.context.lake.store, None, &mut self.failures).await?;
        for (day, tables) in standing {
            for (table, head) in tables {
                self.object(table, day, &keys::object(table, day), head).await?;
            }
        }
        Ok(())
    }

    /// Cleans one object with rows. One that cannot be read is a failure, and does not stop the others.
    async fn object(&mut self, table: Table, day: Date, key: &str, head: Head) -> Result<()> {
        let table_day = self.context.lake.table_day(self.privacy, table, day);
        let outcome = async {
            let rows = table_day.suppressed_rows(key, head).await?;
            if rows > 0 && !self.is_dry {
                table_day.rewrite_if_unclean(key).await?;
            }
            Ok::<_, Error>(rows)
        };
        match outcome.await.map_err(|error| error.with("key", key)) {
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

    /// Reports hidden files, which everything else ignores: an editor's copy may name anybody.
    async fn hidden(&mut self) -> Result<()> {
        for prefix in keys::PREFIXES.into_iter().filter(|prefix| *prefix != keys::ARCHIVE) {
            let listed = self.context.lake.store.list(prefix, "").await?;
            self.failures
                .extend(listed.iter().filter(|listed| keys::is_hidden(&listed.key)).map(not_searched));
        }
        Ok(())
    }

    async fn archive(&mut self) -> Result<()> {
        for day in archive::days(self.context).await? {
            let (hidden, listed): (Vec<_>, Vec<_>) = self
                .context
                .lake
                .store
                .list(&day, "")
                .await?
                .into_iter()
                .partition(|listed| keys::is_hidden(&listed.key));
            self.failures.extend(hidden.iter().map(not_searched));
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
