//! What the specifications have in common: the program as a command and in this process, stores that fail, and what the lake has.

pub(crate) mod bad_runs;
pub(crate) mod bytes;
pub(crate) mod command;
pub(crate) mod faults;
pub(crate) mod faulty;
pub(crate) mod lake;
pub(crate) mod lossy;
pub(crate) mod parquet;
pub(crate) mod person;
pub(crate) mod policies;
pub(crate) mod run;
pub(crate) mod scenes;
pub(crate) mod status;
pub(crate) mod stores;
pub(crate) mod vendor_lists;
