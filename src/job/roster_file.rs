//! The user's own roster: a file on this machine, or an object in the store.

use super::context::Context;
use crate::error::{Error, Explain, Kind, Result};
use crate::extract::roster_file;

/// Reads the event numbers in the user's roster.
pub(super) async fn read(context: &Context, name: &str) -> Result<Vec<i64>> {
    let unreadable = || format!("cannot read the roster `{name}`");
    let bytes = match name.strip_prefix("store:") {
        Some(key) => {
            let object = context.lake.store.get(key).await?;
            object.map(|(bytes, _)| bytes.to_vec()).ok_or_else(|| {
                let error = Error::new(Kind::Usage, unreadable() + ": the store has no such object");
                error.hint("check `--roster`")
            })?
        }
        None => std::fs::read(name)
            .explain(Kind::Usage, unreadable)
            .map_err(|error: Error| error.hint("check `--roster`"))?,
    };
    let text = String::from_utf8(bytes).explain(Kind::Usage, unreadable);
    roster_file::parse(&text.map_err(|error: Error| error.hint("save it as UTF-8"))?)
}
