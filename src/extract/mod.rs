//! What is asked of the vendor: which events there are, and their reports, one window at a time.

pub mod answer;
pub mod auth;
pub mod body;
pub mod client;
pub mod envelope;
mod failure;
pub mod http;
mod pace;
pub mod reply;
pub mod retry;
pub mod roster;
pub mod roster_file;
pub mod secret;
mod token;
pub mod usage;
pub mod vendor;
pub mod window;
