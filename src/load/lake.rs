//! The lake: where it lies, and its settings, which its first run fixes. A run with other settings is refused: its days would not fit
//! those of the lake.

use std::sync::Arc;

use bytes::Bytes;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::lake_settings::{LakeSettings, NamedSettings};
use super::store::{Condition, Store, Version};
use super::{FORMAT, document, keys};
use crate::calendar::Zone;
use crate::error::{Error, Kind, Result};
use crate::transform::privacy::{Key, PolicyDocument};

/// The lake, with its settings according to one run.
#[derive(Clone)]
pub struct Lake {
    /// Where it lies: the store that holds everything.
    pub store: Arc<dyn Store>,
    /// Its settings.
    pub settings: LakeSettings,
}

/// The error for a store without a lake; `place` names the store.
#[must_use]
pub fn missing(place: &str) -> Error {
    Error::new(Kind::Usage, format!("there is no `{}` in `{place}`", keys::SETTINGS))
        .hint("name the place of the lake with `--store`, or run `sync`, which creates what is missing")
}

/// `ledger/lake.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Document {
    format: u32,
    zone: String,
    settle_seconds: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
    #[serde(default, skip_serializing_if = "is_open")]
    privacy: PolicyDocument,
    /// Identifies the key of the pseudonyms that an earlier policy made, and that may still be in the lake; `None` if there was
    /// no such policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    former_key: Option<String>,
}

impl Document {
    /// Identifies the key of all pseudonyms in the lake.
    fn key(&self) -> Option<&str> {
        self.privacy.key.as_deref().or(self.former_key.as_deref())
    }
}

fn is_open(privacy: &PolicyDocument) -> bool {
    *privacy == PolicyDocument::default()
}

/// The settings in the store, and the version of their document.
struct StoredSettings {
    document: Document,
    bytes: Bytes,
    version: Version,
}

impl Lake {
    /// Refuses a store whose lake was made with other settings ([`Kind::OtherLake`]), and returns whether it has a lake at all.
    /// Writes nothing.
    pub async fn check(&self, customer: Option<&str>) -> Result<bool> {
        Ok(self.read(customer).await?.is_some())
    }

    /// Takes zone and settling time from the lake, unless the user named them. For commands that only read the lake.
    pub async fn take_over(&mut self, named: NamedSettings) -> Result<()> {
        let Some((bytes, _)) = self.store.get(keys::SETTINGS).await? else { return Ok(()) };
        let document: Document = document::read(keys::SETTINGS, &bytes)?;
        if !named.zone {
            self.settings.zone = Zone::parse(&document.zone)?;
        }
        if !named.settle {
            self.settings.settle = SignedDuration::from_secs(document.settle_seconds);
        }
        Ok(())
    }

    /// Like [`Lake::check`], for a run that writes tables: also refuses a run that would keep more of people, or less, than the
    /// lake does.
    pub async fn check_privacy(&self) -> Result<bool> {
        let Some(stored) = self.read(None).await? else { return Ok(false) };
        self.compare_privacy(&stored.document.privacy)?;
        Ok(true)
    }

    /// Like [`Lake::check_privacy`], before a run writes anything: also refuses a store in which writers could overwrite each
    /// other ([`Kind::Unconditional`]).
    pub async fn check_to_write(&self) -> Result<bool> {
        let Some(stored) = self.read(None).await? else { return Ok(false) };
        self.compare_privacy(&stored.document.privacy)?;
        self.store.prove(keys::SETTINGS, stored.bytes).await?;
        Ok(true)
    }

    /// Refuses a lake that belongs to another of the vendor's customers. A lake that was made with a token, which does not name a
    /// customer, belongs to this customer from now on.
    pub async fn claim(&self, customer: &str) -> Result<()> {
        let Some(stored) = self.read(Some(customer)).await? else { return Ok(()) };
        if stored.document.customer.is_some() {
            return Ok(());
        }
        let document = Document { format: FORMAT, customer: Some(customer.to_owned()), ..stored.document };
        let condition = Condition::Unchanged(stored.version);
        match self.store.put(keys::SETTINGS, document::write(&document)?, condition).await {
            // If another run was faster, what it wrote counts.
            Err(error) if error.kind() == Kind::Conflict => self.check(Some(customer)).await.map(|_| ()),
            outcome => outcome,
        }
    }

    /// Refuses a key other than that of the lake's pseudonyms: with it, nobody would be found by an older pseudonym. Returns whether
    /// the lake may have pseudonyms, be it from an earlier policy.
    pub async fn check_key(&self) -> Result<bool> {
        let stored = self.read(None).await?;
        let key = stored.as_ref().and_then(|stored| stored.document.key());
        self.compare_key(key)?;
        Ok(key.is_some() || self.settings.policy.document().key.is_some())
    }

    fn compare_key(&self, stored: Option<&str>) -> Result<()> {
        match (self.settings.policy.key().map(Key::id), stored) {
            (Some(ours), Some(stored)) if ours != stored => Err(other_key(stored, ours)),
            _ => Ok(()),
        }
    }

    /// Gives the lake the privacy policy of this run. What is already stored stays as it is until it is rewritten. Returns the
    /// policy that the lake had before, if it was another one. A lake keeps its key for ever: with another, the same people would
    /// have two pseudonyms each.
    pub async fn change_privacy(&self) -> Result<Option<PolicyDocument>> {
        let Some(stored) = self.read(None).await? else { return Ok(None) };
        let (before, privacy) = (stored.document.privacy.clone(), self.settings.policy.document().clone());
        if before == privacy {
            return Ok(None);
        }
        self.compare_key(stored.document.key())?;
        // The list of people to be forgotten is made with the same key, even if that list has to be restored first.
        self.mend_suppressed().await?;
        self.privacy().await?;
        let former_key = stored.document.key().map(str::to_owned).filter(|_| privacy.key.is_none());
        let document = Document { format: FORMAT, privacy, former_key, ..stored.document };
        let document = document::write(&document)?;
        self.store.put(keys::SETTINGS, document, Condition::Unchanged(stored.version)).await?;
        Ok(Some(before))
    }

    fn compare_privacy(&self, stored: &PolicyDocument) -> Result<()> {
        let ours = self.settings.policy.document();
        if ours == stored {
            return Ok(());
        }
        if let (Some(ours), Some(stored)) = (&ours.key, &stored.key)
            && ours != stored
        {
            return Err(other_key(stored, ours));
        }
        let message = format!("the lake's privacy policy is {stored}, this run's is {ours}");
        Err(Error::new(Kind::OtherLake, message)
            .hint("set `--privacy`, or `ROLLCALL_PRIVACY`, to the lake's policy"))
    }

    /// Puts the settings of a new lake; checks them if another run has put some.
    pub async fn establish(&self, customer: Option<&str>) -> Result<()> {
        match self
            .store
            .put(keys::SETTINGS, document::write(&self.document(customer))?, Condition::Absent)
            .await
        {
            // If another run was faster, what it wrote counts.
            Err(error) if error.kind() != Kind::Conflict => Err(error),
            _ => {
                self.check_to_write().await?;
                self.check(customer).await.map(|_| ())
            }
        }
    }

    /// Reads the lake's settings; `None` if there are none. Returns [`Kind::OtherLake`] if they are not this run's.
    async fn read(&self, customer: Option<&str>) -> Result<Option<StoredSettings>> {
        let Some((bytes, version)) = self.store.get(keys::SETTINGS).await? else { return Ok(None) };
        let document: Document = document::read(keys::SETTINGS, &bytes)?;
        let (ours, found) = (self.document(customer), document.clone());
        for (setting, ours, found) in [
            ("--zone", Some(ours.zone), Some(found.zone)),
            ("--settle", Some(seconds(ours.settle_seconds)), Some(seconds(found.settle_seconds))),
            ("the vendor's customer", ours.customer, found.customer),
        ] {
            if let (Some(ours), Some(found)) = (ours, found)
                && ours != found
            {
                let message = format!("the lake was made with {setting} `{found}`, this run has `{ours}`");
                let hint = format!("use `{found}`, or another `--store`");
                return Err(Error::new(Kind::OtherLake, message).hint(hint));
            }
        }
        Ok(Some(StoredSettings { document, bytes, version }))
    }

    fn document(&self, customer: Option<&str>) -> Document {
        Document {
            format: FORMAT,
            zone: self.settings.zone.name().to_owned(),
            settle_seconds: self.settings.settle.as_secs(),
            customer: customer.map(str::to_owned),
            privacy: self.settings.policy.document().clone(),
            former_key: None,
        }
    }
}

fn other_key(stored: &str, ours: &str) -> Error {
    let message = format!("the lake's pseudonyms are made with the key `{stored}`, this run has `{ours}`");
    Error::new(Kind::OtherLake, message)
        .hint("give the lake's key; with another key, the same people would get other pseudonyms")
}

fn seconds(seconds: i64) -> String {
    format!("{:#}", SignedDuration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::store::Folder;

    fn lake(store: &Arc<dyn Store>, zone: &str, hours: i64) -> Lake {
        Lake {
            store: Arc::clone(store),
            settings: LakeSettings {
                zone: Zone::parse(zone).unwrap(),
                settle: SignedDuration::from_hours(hours),
                policy: Arc::default(),
            },
        }
    }

    #[tokio::test]
    async fn a_run_with_other_settings_than_the_lakes_is_refused_and_told_which_differ() {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(Folder::new(folder.path()));
        lake(&store, "Asia/Shanghai", 12).establish(None).await.unwrap();
        lake(&store, "Asia/Shanghai", 12).establish(Some("acme")).await.unwrap();
        for (other, named) in
            [(lake(&store, "UTC", 12), "`Asia/Shanghai`"), (lake(&store, "Asia/Shanghai", 6), "`12h`")]
        {
            let error = other.establish(None).await.unwrap_err();
            assert_eq!(error.kind(), Kind::OtherLake);
            assert!(error.to_string().contains(named), "{error}");
        }
    }

    #[tokio::test]
    async fn a_reader_need_not_name_the_lakes_settings_but_is_refused_if_it_names_wrong_ones() {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(Folder::new(folder.path()));
        lake(&store, "UTC", 6).establish(None).await.unwrap();
        for (zone, settle, is_refused) in [(false, false, false), (true, false, true), (false, true, true)] {
            let mut looking = lake(&store, "Asia/Shanghai", 12);
            looking.take_over(NamedSettings { zone, settle, policy: false }).await.unwrap();
            assert_eq!(looking.check(None).await.is_err(), is_refused, "{zone} {settle}");
        }
    }

    #[tokio::test]
    async fn a_lake_made_with_a_token_belongs_to_the_first_customer_who_claims_it() {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(Folder::new(folder.path()));
        let lake = lake(&store, "UTC", 12);
        lake.establish(None).await.unwrap();
        lake.claim("acme").await.unwrap();
        lake.claim("acme").await.unwrap();
        assert_eq!(lake.claim("other").await.unwrap_err().kind(), Kind::OtherLake);
        assert!(lake.check(None).await.unwrap(), "a token does not say whose it is");
    }

    #[tokio::test]
    async fn a_lake_of_a_newer_format_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(Folder::new(folder.path()));
        let newer = r#"{"format": 2, "zones": ["UTC"]}"#;
        store.put(keys::SETTINGS, Bytes::from(newer), Condition::Absent).await.unwrap();
        let error = lake(&store, "UTC", 12).establish(None).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Newer);
    }
}
