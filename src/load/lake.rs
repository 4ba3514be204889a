//! What is true of the lake as a whole, put once: a run that says otherwise would make days that do not fit together.

use bytes::Bytes;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::cell::Judge;
use super::store::{Condition, Store};
use super::{FORMAT, document, keys};
use crate::calendar::Zone;
use crate::error::{Error, Explain, Kind, Result};
use crate::transform::tables::Table;

/// The lake of one run: zone and settling time decide what a day is and when it is done.
#[derive(Clone, Debug)]
pub struct Lake {
    /// In which days begin and end.
    pub zone: Zone,
    /// How long after its end a day's rows may still change.
    pub settle: SignedDuration,
}

/// `ledger/lake.json`.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Document {
    format: u32,
    zone: String,
    settle_seconds: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
}

impl Lake {
    /// When the rows of a day are not expected to change any more.
    pub fn settled_at(&self, day: Date) -> Result<Timestamp> {
        let end = self.zone.end_of(day)?;
        end.checked_add(self.settle).explain(Kind::Usage, || format!("the day `{day}` never settles"))
    }

    /// How rivals for a place in a table and day are judged.
    pub fn judge(&self, table: Table, day: Date) -> Result<Judge> {
        Ok(Judge::new(table, self.settled_at(day)?))
    }

    /// Refuses a store whose lake was made with other settings, and says whether it has a lake at all. Writes nothing.
    pub async fn check(&self, store: &dyn Store, customer: Option<&str>) -> Result<bool> {
        Ok(self.read(store, customer).await?.is_some())
    }

    /// The same for a run that is going to write: also refuses a store in which writers could write over each other.
    pub async fn check_to_write(&self, store: &dyn Store, customer: Option<&str>) -> Result<bool> {
        let Some(content) = self.read(store, customer).await? else { return Ok(false) };
        store.prove(keys::LAKE, content).await?;
        Ok(true)
    }

    /// Puts the settings of a new lake.
    pub async fn establish(&self, store: &dyn Store, customer: Option<&str>) -> Result<()> {
        match store.put(keys::LAKE, document::write(&self.document(customer))?, Condition::Absent).await {
            // Where another run was faster, what it wrote counts.
            Err(error) if error.kind() != Kind::Conflict => Err(error),
            _ => self.check_to_write(store, customer).await.map(|_| ()),
        }
    }

    /// The settings of the lake, where there are some and this run says the same.
    async fn read(&self, store: &dyn Store, customer: Option<&str>) -> Result<Option<Bytes>> {
        let Some((bytes, _)) = store.get(keys::LAKE).await? else { return Ok(None) };
        let found: Document = document::read(keys::LAKE, &bytes)?;
        let ours = self.document(customer);
        for (setting, ours, found) in [
            ("--zone", Some(ours.zone), Some(found.zone)),
            ("--settle", Some(seconds(ours.settle_seconds)), Some(seconds(found.settle_seconds))),
            ("the vendor's customer", ours.customer, found.customer),
        ] {
            if let (Some(ours), Some(found)) = (ours, found)
                && ours != found
            {
                let message = format!("the lake was made with {setting} `{found}`, this run says `{ours}`");
                let hint = format!("use `{found}`, or another `--store`");
                return Err(Error::new(Kind::OtherLake, message).hint(hint));
            }
        }
        Ok(Some(bytes))
    }

    fn document(&self, customer: Option<&str>) -> Document {
        Document {
            format: FORMAT,
            zone: self.zone.name().to_owned(),
            settle_seconds: self.settle.as_secs(),
            customer: customer.map(str::to_owned),
        }
    }
}

fn seconds(seconds: i64) -> String {
    format!("{:#}", SignedDuration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::store::Folder;

    fn lake(zone: &str, hours: i64) -> Lake {
        Lake { zone: Zone::parse(zone).unwrap(), settle: SignedDuration::from_hours(hours) }
    }

    #[tokio::test]
    async fn a_run_with_other_settings_is_refused_and_told_which() {
        let folder = tempfile::tempdir().unwrap();
        let store = Folder::new(folder.path());
        lake("Asia/Shanghai", 12).establish(&store, None).await.unwrap();
        lake("Asia/Shanghai", 12).establish(&store, Some("acme")).await.unwrap();
        for (other, named) in [(lake("UTC", 12), "`Asia/Shanghai`"), (lake("Asia/Shanghai", 6), "`12h`")] {
            let error = other.establish(&store, None).await.unwrap_err();
            assert_eq!(error.kind(), Kind::OtherLake);
            assert!(error.to_string().contains(named), "{error}");
        }
    }

    #[tokio::test]
    async fn a_newer_lake_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let store = Folder::new(folder.path());
        let newer = r#"{"format": 2, "zones": ["UTC"]}"#;
        store.put(keys::LAKE, Bytes::from(newer), Condition::Absent).await.unwrap();
        let error = lake("UTC", 12).establish(&store, None).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Newer);
    }
}
