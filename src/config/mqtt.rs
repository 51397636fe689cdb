//! The `[mqtt]` section.

use std::time::Duration;

use toml::Spanned;

use super::found::{FoundMqtt, FoundTopics};
use super::settings::{MqttSettings, Topics};
use super::tls::{FoundTls, tls};
use super::values::{Wrong, not_empty, number, optional, required, secret, text, texts};
use super::{Broker, Template};

pub(super) fn mqtt(section: Spanned<FoundMqtt>) -> Result<MqttSettings, Wrong> {
    let span = section.span();
    let found = section.into_inner();
    let broker = required("mqtt.url", found.url, span, str::parse::<Broker>)?;
    let seconds =
        |key, value, range| number(key, value, 30, range, " seconds").map(Duration::from_secs);
    // MQTT 3.1.1 has no password without a user name.
    if let (Some(file), None) = (&found.password_file, &found.username) {
        return Err(Wrong {
            key: "mqtt.password_file",
            span: Some(file.span()),
            text: "a password needs a `username` beside it".to_owned(),
        });
    }
    if let (false, Some([first, ..])) = (broker.tls, found.alpn.as_deref()) {
        return Err(Wrong {
            key: "mqtt.alpn",
            span: Some(first.span()),
            text: "it is only used over TLS, which needs an mqtts:// url".to_owned(),
        });
    }
    Ok(MqttSettings {
        tls: tls(
            broker.tls,
            "an mqtts:// url",
            FoundTls {
                ca_file: ("mqtt.ca_file", found.ca_file),
                server_name: ("mqtt.server_name", found.server_name),
                client_cert_file: ("mqtt.client_cert_file", found.client_cert_file),
                client_key_file: ("mqtt.client_key_file", found.client_key_file),
                insecure: ("mqtt.insecure", found.insecure),
                insecure_with_credentials: (
                    "mqtt.insecure_with_credentials",
                    found.insecure_with_credentials,
                ),
                credentials: found.username.is_some(),
            },
        )?,
        alpn: texts("mqtt.alpn", found.alpn, &[], protocol)?,
        broker,
        username: optional("mqtt.username", found.username, not_empty)?,
        password: optional("mqtt.password_file", found.password_file, secret)?,
        keep_alive: seconds("mqtt.keep_alive", found.keep_alive, 5..=3600)?,
        connect_timeout: seconds("mqtt.connect_timeout", found.connect_timeout, 5..=300)?,
        topics: topics(found.topics)?,
    })
}

/// As RFC 7301 has it: the length of each goes into one byte.
fn protocol(name: &str) -> Result<String, String> {
    match (1..=255).contains(&name.len()) {
        true => Ok(name.to_owned()),
        false => {
            Err("it is not the name of a protocol, such as mqtt: those have 1 to 255 bytes"
                .to_owned())
        }
    }
}

fn topics(found: FoundTopics) -> Result<Topics, Wrong> {
    let topic = |key, value, default| text(key, value, default, Template::topic);
    Ok(Topics {
        patch: topic("mqtt.topics.patch", found.patch, "intercoms/{mac}/patch")?,
        board_patch: topic(
            "mqtt.topics.board_patch",
            found.board_patch,
            "intercoms/by-board/{board}/patch",
        )?,
        status: topic("mqtt.topics.status", found.status, "intercoms/{mac}/status")?,
        presence: topic("mqtt.topics.presence", found.presence, "intercoms/{mac}/presence")?,
    })
}
