//! PostgreSQL: one database for several processes. One of them leads, and speaks to the broker.
//!
//! ```text
//! server ──► connection (statements: placeholders, values) ──► NOTIFY ──► feed (of every process)
//!       └──► lease (who leads, by an epoch that each of its writes names)
//! ```

mod connection;
mod feed;
mod lease;
mod placeholders;
mod schema;
mod server;
mod value;

pub(super) use connection::Connection;
pub(super) use feed::Feed;
pub use lease::{GivenBack, Lead, Lease, Standing};
pub(super) use schema::{UNFINISHED, is_unfinished};
pub(super) use schema::{prepare, prepare_to_serve};
pub use server::Server;
pub(super) use value::Bound;

#[cfg(test)]
mod tests;
