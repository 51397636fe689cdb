//! Why a connection was not made, or has ended, in words.

use rumqttc::{ConnectReturnCode, ConnectionError, StateError};

use crate::upstream::tls;

/// In words of our own wherever the library's show a value as the compiler does.
pub(super) fn in_words(why: &ConnectionError) -> String {
    if let Some(failure) = tls::tls_failure(why) {
        return tls::explain(failure);
    }
    match why {
        ConnectionError::NetworkTimeout => "the broker did not answer in time".to_owned(),
        ConnectionError::ConnectionRefused(code) => refused(*code),
        ConnectionError::NotConnAck(_) => {
            "what answers does not speak MQTT 3.1.1: is this the right port?".to_owned()
        }
        ConnectionError::MqttState(StateError::Io(why)) => why.to_string(),
        other => other.to_string(),
    }
}

/// The return codes of CONNACK, MQTT 3.1.1 section 3.2.2.3.
pub(super) fn refused(code: ConnectReturnCode) -> String {
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
    format!("the broker refuses the connection: {why}")
}
