//! The line between the MQTT library and the broker.
//!
//! The library cannot be given a connection, only a host name or a Unix socket. With a host name it waits
//! for a silent address as long as TCP does, ends the connection over a message that is larger than
//! it reads without saying which one it is, and does not say how a connection ended. So the panel
//! connects by itself ([`Way`]), and a Unix socket leads from the library to that connection. What comes
//! from the broker passes a [`Cutter`], and a [`Trace`] remembers what happened.

mod copy;
mod cutter;
mod race;
mod socket;
mod trace;
mod way;

pub use cutter::Cutter;

pub(super) use copy::copy;
pub(super) use socket::Socket;
pub(super) use trace::Trace;
pub(super) use way::Way;

use intercom_wire::MAX_REQUEST_BYTES;
use rumqttc::Publish;

use crate::upstream::cause::{MqttCause, shown};

/// The largest packet that the library gets, without its fixed header: a whole request with its topic.
pub(super) const MAX_PACKET: usize = MAX_REQUEST_BYTES + 1024;
/// The fixed header of a packet that was cut: its first byte and three bytes for its length.
const CUT_HEADER: usize = 4;

/// Whether a message is larger than the panel reads, so that it may have been cut.
pub(super) fn is_too_large(message: &Publish) -> bool {
    message.payload.len() > MAX_REQUEST_BYTES || message.size() >= CUT_HEADER + MAX_PACKET
}

/// What is told of such a message.
pub(super) fn too_large(message: &Publish) -> MqttCause {
    MqttCause::MessageTooLarge { topic: shown(&message.topic), limit: MAX_REQUEST_BYTES }
}
