//! The `[mqtt]` section.

use std::time::Duration;

use toml::Spanned;

use super::found::{FoundMqtt, FoundTopics};
use super::settings::{MqttSettings, Topics};
use super::tls::tls;
use super::values::{Wrong, not_empty, number, optional, required, secret, text};
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
    Ok(MqttSettings {
        tls: tls(
            broker.tls,
            "an mqtts:// url",
            [
                ("mqtt.ca_file", found.ca_file),
                ("mqtt.client_cert_file", found.client_cert_file),
                ("mqtt.client_key_file", found.client_key_file),
                ("mqtt.server_name", found.server_name),
            ],
        )?,
        broker,
        username: optional("mqtt.username", found.username, not_empty)?,
        password: optional("mqtt.password_file", found.password_file, secret)?,
        keep_alive: seconds("mqtt.keep_alive", found.keep_alive, 5..=3600)?,
        connect_timeout: seconds("mqtt.connect_timeout", found.connect_timeout, 5..=300)?,
        topics: topics(found.topics)?,
    })
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
