//! Upgrade: the lake's objects in the format, with the columns and under the policy of today.

use std::sync::Arc;

use super::lake::Lake;
use super::object::ObjectReader;
use super::publish::Published;
use super::store::Store;
use super::table_day::TableDay;
use super::{standing, suppression};
use crate::error::{Kind, Result};
use crate::transform::tables::Table;

/// Writes every object anew whose format or columns are older than this program's, or that keeps what may not be kept any
/// more, and tables that a day lacks.
pub async fn upgrade(store: &Arc<dyn Store>, lake: &Lake) -> Result<Published> {
    let mut published = Published::default();
    let listed = standing::since(store, None, &mut published.failures).await?;
    let privacy = suppression::privacy(store.as_ref(), &lake.policy).await?;
    for (day, mut standing) in listed {
        for table in Table::ALL {
            let place = TableDay { store, lake, privacy: &privacy, table, day };
            let outcome = async {
                match standing.remove(&table) {
                    Some(head) => {
                        let object =
                            ObjectReader::open(store, &place.key(), head.clone(), table, day).await?;
                        if object.is_current() && object.is_kept_under(&privacy) {
                            Ok(false)
                        } else {
                            place.rewrite(&place.key(), object).await.map(|()| true)
                        }
                    }
                    None => place.replace(&[], None).await.map(|replaced| replaced.is_put),
                }
            };
            match outcome.await {
                Ok(true) => published.put(table, day),
                Ok(false) => {}
                // It was replaced meanwhile; if by an older program, the next upgrade finds it.
                Err(error) if error.kind() == Kind::Conflict => {}
                Err(error) => published.failures.push(error.with("table", table.name()).with("day", day)),
            }
        }
    }
    Ok(published)
}
