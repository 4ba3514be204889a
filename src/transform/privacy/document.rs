//! A policy as it is written: a preset, and the differences from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::treatment::Treatment;
use crate::error::{Error, Explain, Kind, Result};
use crate::transform::column::{Column, Personal};

/// A preset, with which every policy begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Everything is kept.
    #[default]
    Open,
    /// People can be told apart, counted and joined, but not reached.
    Pseudonymous,
    /// Nothing points to a person.
    Anonymous,
}

impl Preset {
    /// The word in options and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Pseudonymous => "pseudonymous",
            Self::Anonymous => "anonymous",
        }
    }

    /// How the preset treats a column.
    #[must_use]
    pub fn treatment(self, column: &Column) -> Treatment {
        let Some(personal) = column.personal else { return Treatment::Keep };
        match (self, personal) {
            // What may be kept of `extra` and of a reject is decided field by field.
            (Self::Open, _) | (_, Personal::Anything) | (Self::Pseudonymous, Personal::Trait) => {
                Treatment::Keep
            }
            (Self::Pseudonymous, Personal::Number | Personal::Mail | Personal::Identifier) => Treatment::Hmac,
            (Self::Pseudonymous, Personal::Address) => Treatment::Mask,
            (Self::Pseudonymous, Personal::Name) | (Self::Anonymous, _) => Treatment::Drop,
        }
    }
}

/// A policy as it is written: in a file of the user's, in `lake.json`, and in footers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyDocument {
    /// The preset that it begins with.
    pub base: Preset,
    /// Columns that are treated differently from the preset, by name, in every table.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, Treatment>,
    /// Fields, by the vendor's keys, that are kept although they have no column, or their value does not fit it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub fields: BTreeSet<String>,
    /// Identifies the key for pseudonyms; `None` in a file of the user's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl fmt::Display for PolicyDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.base.name())?;
        let columns = self.columns.iter().map(|(name, treatment)| format!("{} `{name}`", treatment.name()));
        let fields = self.fields.iter().map(|field| format!("keep the field `{field}`"));
        columns.chain(fields).try_for_each(|also| write!(f, ", {also}"))
    }
}

impl PolicyDocument {
    /// The policy that is the preset of this name, unchanged; `None` if there is no such preset.
    #[must_use]
    pub fn preset(name: &str) -> Option<Self> {
        let presets = [Preset::Open, Preset::Pseudonymous, Preset::Anonymous];
        let base = presets.into_iter().find(|preset| preset.name() == name)?;
        Some(Self { base, ..Self::default() })
    }

    /// Reads the policy in a file; [`Kind::Usage`] if it cannot be read.
    pub fn parse(text: &[u8]) -> Result<Self> {
        serde_json::from_slice(text).explain(Kind::Usage, || "the privacy policy cannot be read".to_owned())
            .map_err(|error: Error| error.hint(
                "write it like `{\"base\": \"pseudonymous\", \"columns\": {\"name\": \"mask\"}, \"fields\": []}`"))
    }
}
