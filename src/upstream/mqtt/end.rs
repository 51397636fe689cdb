//! How a session ends.

use std::time::Duration;

use rumqttc::mqttbytes::Error as PacketError;
use rumqttc::{ClientError, ConnectionError, StateError};

use crate::upstream::cause::{Cause, MqttCause, NetworkCause};
use crate::upstream::mqtt::line::Trace;

/// How a session ended.
#[derive(Debug)]
pub(in crate::upstream::mqtt) enum SessionEnd {
    /// The agent wants another connection, or none any more.
    GivenUp,
    /// There is no connection, for this reason.
    Lost { why: Cause, was_reachable: bool },
    /// The broker has closed a connection on which all topics had been subscribed to, after a silence.
    Closed { silence: Duration },
}

impl SessionEnd {
    /// The end of a session for this reason.
    pub(super) fn of(why: ClientEnd, was_reachable: bool) -> Self {
        match why {
            ClientEnd::Closed { silence } if was_reachable => SessionEnd::Closed { silence },
            why => SessionEnd::Lost { why: why.into(), was_reachable },
        }
    }
}

/// Why the client of one connection has ended.
#[derive(Debug)]
pub(super) enum ClientEnd {
    /// The broker, or what lies before it, has closed the connection after a silence.
    Closed { silence: Duration },
    /// Anything else.
    Other(Cause),
}

impl ClientEnd {
    /// The library has ended the connection. Where it only found its socket closed, `trace` knows why.
    pub(super) fn of_library(why: &ConnectionError, trace: &Trace) -> Self {
        let is_closed = matches!(
            why,
            ConnectionError::Io(_)
                | ConnectionError::MqttState(
                    StateError::ConnectionAborted
                        | StateError::Io(_)
                        | StateError::Deserialization(PacketError::Io(_)),
                )
        );
        match trace.take_end() {
            Some((Cause::Network(NetworkCause::Closed), silence)) if is_closed => {
                ClientEnd::Closed { silence }
            }
            Some((why, _)) if is_closed => ClientEnd::Other(why),
            _ => ClientEnd::Other(connection(why)),
        }
    }
}

/// What a CONNECT says, and a broker may refuse.
#[derive(Debug)]
pub(super) struct Connect {
    pub(super) client_id: String,
    /// In seconds.
    pub(super) keep_alive: u64,
}

impl Connect {
    /// There was no CONNACK, or one that refuses.
    pub(super) fn failed(&self, why: &ConnectionError, trace: &Trace) -> ClientEnd {
        let Connect { client_id, keep_alive } = self;
        if let ConnectionError::ConnectionRefused(code) = why {
            return Cause::from(MqttCause::refused(*code, client_id, *keep_alive)).into();
        }
        match ClientEnd::of_library(why, trace) {
            // The banner or the short answer of another protocol looks like the beginning of a packet.
            ClientEnd::Closed { .. } if trace.is_in_packet() => no_connack().into(),
            ClientEnd::Closed { .. } => {
                Cause::from(MqttCause::NoConnAck { keep_alive: *keep_alive }).into()
            }
            other => other,
        }
    }
}

impl From<ClientEnd> for Cause {
    fn from(end: ClientEnd) -> Self {
        match end {
            ClientEnd::Closed { silence } => {
                MqttCause::Closed { silence: silence.as_secs() }.into()
            }
            ClientEnd::Other(why) => why,
        }
    }
}

impl From<Cause> for ClientEnd {
    fn from(why: Cause) -> Self {
        ClientEnd::Other(why)
    }
}

/// The client's queue holds far more than this route ever needs at once: the client hangs.
impl From<ClientError> for Cause {
    fn from(why: ClientError) -> Self {
        MqttCause::client(why).into()
    }
}

fn no_connack() -> Cause {
    MqttCause::NotMqtt { why: "no CONNACK".to_owned() }.into()
}

/// The library's errors in our words wherever it would print a value as the compiler does.
fn connection(why: &ConnectionError) -> Cause {
    match why {
        ConnectionError::NetworkTimeout => NetworkCause::Silent.into(),
        ConnectionError::NotConnAck(_) => no_connack(),
        ConnectionError::MqttState(StateError::Deserialization(why)) => {
            MqttCause::NotMqtt { why: why.to_string() }.into()
        }
        ConnectionError::MqttState(StateError::AwaitPingResp) => MqttCause::NoPingResp.into(),
        other => MqttCause::Other { why: other.to_string() }.into(),
    }
}
