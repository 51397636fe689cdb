//! intercom-billing: the documented billing API as a service, and the routes that panels speak.
//!
//! ```text
//!                 ┌─ http ── PATCH, POST, show, DELETE; pending and status for panels; a page
//! callers, panels ┤
//!                 └─ mqtt ── reports and presence in; requests out
//!                      │ ▲
//!                      ▼ │
//!                operations ──► replacement (pure) ──► store (one transaction)
//!                                                        │ what has changed
//!         mqtt::offers ◄── offer (who is asked, pure) ◄──┤
//!         webhooks ◄── event (what is told, pure) ◄──────┘
//! ```
//!
//! The queue is in the database, and nothing is retained on the broker: every board that shows itself
//! is answered from the queue, so a restart loses nothing.

pub mod backup;
pub mod command;
pub mod config;
pub mod enrol;
pub mod health;
mod leader;
pub mod logging;
pub mod program;
pub mod serve;
pub mod service;
pub mod tls;

pub mod http;
pub mod mqtt;
pub mod webhooks;

pub mod audit;
pub mod credentials;
pub mod event;
pub mod offer;
pub mod operations;
pub mod principal;
pub mod replacement;
pub mod schedule;
pub mod signing;
pub mod store;

pub mod host;

mod lock;
mod retention;
mod secret_file;
