//! What the integration tests share: boards with the real agent on them, a real broker, the real
//! billing service, networks of a test's own.
//!
//! It depends on no other crate of this workspace, so that each of them can use it in its tests.
//! The programs are those that cargo has built beside the test (`built`).

#![allow(clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod billing;
mod board;
mod broker;
mod built;
pub mod certificates;
mod curl;
mod database;
mod directory;
mod lan;
mod listener;
mod mac_owner;
mod namespace;
mod postgres;
mod process;
mod proxy;
mod relay;
mod replacement;
mod skipped;
mod strace;
mod watcher;

use std::time::Duration;

pub use self::postgres::Postgres;
pub use billing::Billing;
pub use board::{Answer, Board};
pub use broker::{Broker, free_port};
pub use curl::{curl, curl_with};
pub use database::{Database, Outside, is_on_postgres, skipped_on_postgres};
pub use directory::Directory;
pub use lan::{LAN, kernels_mac, lan};
pub use listener::Listener;
pub use mac_owner::MacOwner;
pub use namespace::{in_a_namespace, ip, unshare};
pub use process::Process;
pub use proxy::Proxy;
pub use relay::{Fate, Relay, Way};
pub use replacement::{FACTORY_SERIAL, MODEL, NEW, OLD, OTHER, request};
pub use rumqttc::Publish;
pub use strace::{Fault, Strace, at_every, traced};
pub use watcher::Watcher;

/// How long anything that must happen may take.
pub const LIMIT: Duration = Duration::from_secs(60);
