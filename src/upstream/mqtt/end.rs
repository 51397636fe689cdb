//! Why a connection was not made, or has ended: as types for the route, and in words for people.

use std::fmt;
use std::time::Duration;

use rumqttc::mqttbytes::Error as PacketError;
use rumqttc::{ClientError, ConnectReturnCode, ConnectionError, StateError};

use crate::config::{SecretFileError, Unfilled};
use crate::random::NoRandomNumbers;
use crate::upstream::mqtt::acknowledgements::TooManyUnacknowledged;
use crate::upstream::mqtt::line::{Ended, LineError, Trace};
use crate::upstream::tls::TlsFileError;

/// How a session ended.
#[derive(Debug)]
pub(in crate::upstream::mqtt) enum SessionEnd {
    /// The agent wants another connection, or none any more.
    GivenUp,
    /// There is no connection, for this reason.
    Lost { why: SessionError, was_reachable: bool },
    /// The broker has closed a connection on which all topics had been subscribed to, after a silence.
    Closed { why: SessionError, silence: Duration },
}

impl SessionEnd {
    /// The end of a session for this reason.
    pub(super) fn of(why: SessionError, was_reachable: bool) -> Self {
        match why {
            SessionError::LineEnded { how: Ended::Closed, after: silence } if was_reachable => {
                SessionEnd::Closed { why, silence }
            }
            _ => SessionEnd::Lost { why, was_reachable },
        }
    }
}

/// Why there is no connection any more.
#[derive(Debug)]
pub(in crate::upstream::mqtt) enum SessionError {
    /// A topic of the configuration asks for something that the board does not know.
    Topic(Unfilled),
    /// The file with the password cannot be used.
    Password(SecretFileError),
    /// A file for TLS cannot be used.
    TlsFile(TlsFileError),
    /// The broker answers CONNECT with this return code.
    ConnectRefused(ConnectReturnCode),
    /// The broker refuses a topic that the panel needs.
    SubscriptionRefused { filter: String },
    /// The broker does not answer the subscription to the panel's own topics.
    SubscriptionUnanswered,
    /// The broker sends more than so many bytes of requests before it answers the subscription.
    TooMuchBeforeSubAck { limit: usize },
    /// The broker grants the subscription, but does not deliver the panel's own presence.
    PresenceNotReturned { topic: String },
    /// The broker has not acknowledged a message within this time.
    NotAcknowledged { within: Duration },
    /// The broker ignores that its messages are not acknowledged.
    TooManyUnacknowledged(TooManyUnacknowledged),
    /// The broker has sent DISCONNECT.
    Disconnected,
    /// A presence needs a random number.
    NoRandomNumbers(NoRandomNumbers),
    /// No connection to the broker was made.
    Line(LineError),
    /// The connection to the broker has ended, after this silence.
    LineEnded { how: Ended, after: Duration },
    /// The MQTT library has ended the connection.
    Connection(Box<ConnectionError>),
    /// The client tells nothing, not even pings.
    ClientSilent,
    /// The client's task has ended.
    ClientEnded,
    /// The client's queue holds far more than this route ever needs at once: the client hangs.
    ClientJammed(Box<ClientError>),
    /// The agent wants unacknowledged messages delivered again.
    AskAgain,
    /// The daemon no longer takes events.
    DaemonEnds,
}

impl SessionError {
    /// The library has ended the connection. Where it only found its socket closed, `trace` knows why.
    pub(super) fn of_library(why: ConnectionError, trace: &Trace) -> Self {
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
            Some((how, after)) if is_closed => SessionError::LineEnded { how, after },
            _ => SessionError::Connection(Box::new(why)),
        }
    }
}

impl From<ClientError> for SessionError {
    fn from(why: ClientError) -> Self {
        SessionError::ClientJammed(Box::new(why))
    }
}

impl From<NoRandomNumbers> for SessionError {
    fn from(why: NoRandomNumbers) -> Self {
        SessionError::NoRandomNumbers(why)
    }
}

impl From<Unfilled> for SessionError {
    fn from(why: Unfilled) -> Self {
        SessionError::Topic(why)
    }
}

impl From<TooManyUnacknowledged> for SessionError {
    fn from(why: TooManyUnacknowledged) -> Self {
        SessionError::TooManyUnacknowledged(why)
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SessionError::Topic(why) => write!(f, "a topic cannot be filled in: {why}"),
            SessionError::Password(why) => write!(f, "{why}"),
            SessionError::TlsFile(why) => write!(f, "{why}"),
            SessionError::ConnectRefused(code) => refused(*code, f),
            SessionError::SubscriptionRefused { filter } => {
                write!(f, "the broker refuses the subscription to {filter}")
            }
            SessionError::SubscriptionUnanswered => {
                f.write_str("the broker does not answer the subscription")
            }
            SessionError::TooMuchBeforeSubAck { limit } => write!(
                f,
                "the broker sends more than {limit} bytes of requests before it answers the subscription"
            ),
            SessionError::PresenceNotReturned { topic } => write!(
                f,
                "the broker does not give {topic} back to this panel: do its access rules let the panel write and read it?"
            ),
            SessionError::NotAcknowledged { within } => write!(
                f,
                "the broker answers, but has not acknowledged a message within {} s",
                within.as_secs()
            ),
            SessionError::TooManyUnacknowledged(why) => write!(f, "{why}"),
            SessionError::Disconnected => f.write_str("the broker closes the connection"),
            SessionError::NoRandomNumbers(why) => write!(f, "{why}"),
            SessionError::Line(why) => why.fmt(f),
            SessionError::LineEnded { how, .. } => how.fmt(f),
            SessionError::Connection(why) => connection(why, f),
            SessionError::ClientSilent => f.write_str("the MQTT client no longer responds"),
            SessionError::ClientEnded => f.write_str("the MQTT client has ended"),
            SessionError::ClientJammed(why) => write!(f, "the MQTT client is jammed: {why}"),
            SessionError::AskAgain => f.write_str("asking for unacknowledged messages again"),
            SessionError::DaemonEnds => f.write_str("the daemon ends"),
        }
    }
}

/// The library's errors in our words wherever it would print a value as the compiler does.
fn connection(why: &ConnectionError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match why {
        ConnectionError::NetworkTimeout => f.write_str("the broker did not answer in time"),
        ConnectionError::ConnectionRefused(code) => refused(*code, f),
        ConnectionError::NotConnAck(_) => {
            f.write_str("what answers does not speak MQTT 3.1.1: is this the right port?")
        }
        ConnectionError::MqttState(StateError::Deserialization(why)) => {
            write!(f, "what it sends is not MQTT 3.1.1: is this the right port? ({why})")
        }
        ConnectionError::MqttState(StateError::AwaitPingResp) => {
            f.write_str("it no longer answers (PINGREQ)")
        }
        other => write!(f, "the connection failed: {other}"),
    }
}

/// The return codes of CONNACK, MQTT 3.1.1 section 3.2.2.3.
fn refused(code: ConnectReturnCode, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let why = match code {
        ConnectReturnCode::Success => "and says that it does not",
        ConnectReturnCode::RefusedProtocolVersion => "it does not speak MQTT 3.1.1",
        ConnectReturnCode::BadClientId => "it does not take this client id",
        ConnectReturnCode::ServiceUnavailable => "it is not available now",
        ConnectReturnCode::BadUserNamePassword => {
            "wrong user name or password: check `username` and `password_file`"
        }
        ConnectReturnCode::NotAuthorized => {
            "this panel may not connect: check `username` and `password_file`, and the broker's access rules"
        }
    };
    write!(f, "the broker refuses the connection: {why}")
}
