//! The MQTT side: the broker, which is built in unless another is named, and our link to it.
//!
//! ```text
//! link (connects again and again) ─► session (one connection) ─► conversation ─► agenda, offers
//!   ├─► broker (built in) ─► doorkeeper (who is let in) ─► rules (what for)
//!   └─► external (another one) ─► tunnel ─► race (TCP)
//! ```

mod agenda;
pub mod broker;
pub mod conversation;
mod doorkeeper;
pub mod external;
pub mod link;
mod never_retained;
mod offers;
mod race;
mod rounds;
mod rules;
mod session;
mod silence;
mod tunnel;
