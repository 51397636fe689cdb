//! The MQTT side: the broker, which is built in unless another is named, and our link to it.

pub mod broker;
pub mod link;
mod offers;
mod session;
