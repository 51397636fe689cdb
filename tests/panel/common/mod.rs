//! What the tests share: boards with the real agent on them, a real broker, the real billing service.

mod billing;
mod board;
mod broker;
mod directory;
mod lan;
mod listener;
mod process;
mod proxy;
mod relay;
mod strace;
mod watcher;

use std::time::Duration;

pub use billing::{Billing, curl};
pub use board::{Board, FACTORY_SERIAL, MODEL, NEW, OLD, OTHER, request};
pub use broker::{Broker, free_port};
pub use directory::Directory;
pub use lan::{LAN, kernels_mac, lan};
pub use listener::Listener;
pub use process::Process;
pub use proxy::Proxy;
pub use relay::{Fate, Relay, Way};
pub use strace::{Fault, Strace, at_every, traced};
pub use watcher::Watcher;

/// How long anything that must happen may take.
pub const LIMIT: Duration = Duration::from_secs(60);
