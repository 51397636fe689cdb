//! The MQTT side: the broker, which is built in unless another is named, and our link to it.
//!
//! ```text
//! link (connects again and again) ─► session (one connection) ─► agenda, offers (what to publish)
//!   └─► broker (built in)
//! ```

mod agenda;
pub mod broker;
pub mod link;
mod offers;
mod session;
