//! The settings written back as a configuration, with every default filled in. What is secret stands in
//! files, of which only the names are here.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::settings::{HttpSettings, MqttSettings, Settings, Tls, TlsVersion, Trust};
use crate::environment::Policy;

/// A table of the configuration by its name, which is empty for the file itself, with its keys.
pub type Table = (&'static str, Vec<(&'static str, Value)>);

/// The tables as a configuration that could be used.
pub fn written(tables: &[Table]) -> String {
    let mut text = String::new();
    for (name, keys) in tables {
        // Writing to a String cannot fail.
        let _ = match *name {
            "" => Ok(()),
            name => writeln!(text, "\n[{name}]"),
        };
        for (key, value) in keys {
            // Texts, numbers and lists of texts are written in TOML as they are in JSON.
            let _ = writeln!(text, "{key} = {value}");
        }
    }
    text
}

impl Settings {
    /// Every table that is in force. A setting that is not set is left out.
    pub fn in_force(&self) -> Vec<Table> {
        let mut tables = vec![
            ("", self.own_keys()),
            (
                "serial_number",
                vec![
                    ("sources", texts(&self.serial_number.sources, |source| source.written())),
                    ("environment_variable", text(&self.serial_number.environment_variable)),
                ],
            ),
            (
                "signature",
                vec![
                    ("required", self.signature.required.into()),
                    ("keys", texts(&self.signature.key_ids, String::clone)),
                ],
            ),
        ];
        if let Some(mqtt) = &self.mqtt {
            tables.push(("mqtt", mqtt_keys(mqtt)));
            let topics = &mqtt.topics;
            let topics = [
                ("patch", &topics.patch),
                ("board_patch", &topics.board_patch),
                ("status", &topics.status),
                ("presence", &topics.presence),
                ("board_who", &topics.board_who),
                ("everybody_who", &topics.everybody_who),
                ("mac_who", &topics.mac_who),
                ("mac_here", &topics.mac_here),
            ];
            let topics = topics.map(|(key, topic)| (key, topic.to_string().into()));
            tables.push(("mqtt.topics", topics.into()));
        }
        if let Some(http) = &self.http {
            let mut keys = service_keys(http);
            keys.extend([
                ("poll_every", seconds(http.poll_every)),
                ("pending", http.pending.to_string().into()),
                ("status", http.status.to_string().into()),
            ]);
            tables.push(("http", keys));
        }
        if let Some(billing) = &self.billing {
            tables.push(("billing", service_keys(billing)));
        }
        for (_, keys) in &mut tables {
            keys.retain(|(_, value)| !value.is_null());
        }
        tables
    }

    fn own_keys(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("interface", self.interface.as_str().into()),
            ("uplink", text(&self.uplink)),
            ("mac_variable", text(&self.mac_variable)),
            ("id", self.id.into()),
            ("board_name", self.board_name.as_ref().map(|name| name.as_str()).into()),
            ("models", texts(&self.models, String::clone)),
            ("placeholder_macs", texts(&self.placeholder_macs, ToString::to_string)),
            ("state_dir", path(&self.state_dir)),
            ("runtime_dir", path(&self.runtime_dir)),
            ("hooks_dir", path(&self.hooks_dir)),
            ("hook_time_limit", seconds(self.hook_time_limit)),
            (
                "environment",
                match self.environment {
                    Policy::RedundantOnly => "redundant-only",
                    Policy::Always => "always",
                    Policy::Never => "never",
                }
                .into(),
            ),
            ("confirm_within", seconds(self.confirm_within)),
            ("settle", seconds(self.settle)),
            ("changes_per_hour", self.changes_per_hour.into()),
            ("log_level", self.log_level.as_str().to_ascii_lowercase().into()),
        ]
    }
}

fn mqtt_keys(mqtt: &MqttSettings) -> Vec<(&'static str, Value)> {
    let mut keys = vec![("url", mqtt.broker.to_string().into())];
    keys.extend(tls_keys(mqtt.broker.tls, &mqtt.tls, mqtt.username.is_some()));
    keys.extend([
        ("alpn", texts(&mqtt.alpn, String::clone)),
        ("username", text(&mqtt.username)),
        ("password_file", mqtt.password.as_ref().map_or(Value::Null, |file| path(file.path()))),
        ("keep_alive", seconds(mqtt.keep_alive)),
        ("connect_timeout", seconds(mqtt.connect_timeout)),
        ("mac_topics", mqtt.topics.by_mac.into()),
    ]);
    keys
}

fn service_keys(service: &HttpSettings) -> Vec<(&'static str, Value)> {
    let mut keys = vec![("url", service.base.to_string().into())];
    keys.extend(tls_keys(service.base.tls, &service.tls, service.token.is_some()));
    keys.extend([
        ("proxy", service.proxy.as_ref().map(ToString::to_string).into()),
        ("token_file", service.token.as_ref().map_or(Value::Null, |file| path(file.path()))),
    ]);
    keys
}

fn tls_keys(used: bool, tls: &Tls, credentials: bool) -> Vec<(&'static str, Value)> {
    if !used {
        return Vec::new();
    }
    let min = match tls.min_version {
        TlsVersion::V1_2 => "1.2",
        TlsVersion::V1_3 => "1.3",
    };
    let mut keys = vec![("tls_min", min.into())];
    match &tls.trust {
        Trust::Anyone => {
            keys.push(("insecure", true.into()));
            if credentials || tls.client.is_some() {
                keys.push(("insecure_with_credentials", true.into()));
            }
        }
        Trust::Authorities { ca_file, server_name } => keys.extend([
            ("ca_file", ca_file.as_deref().map_or(Value::Null, path)),
            ("server_name", text(server_name)),
        ]),
    }
    if let Some(client) = &tls.client {
        keys.extend([
            ("client_cert_file", path(&client.cert_file)),
            ("client_key_file", path(client.key.path())),
        ]);
    }
    keys
}

fn text(text: &Option<String>) -> Value {
    text.as_deref().into()
}

/// An empty list is what is in force where the key is not set.
fn texts<T>(list: &[T], written: impl Fn(&T) -> String) -> Value {
    match list {
        [] => Value::Null,
        list => list.iter().map(written).collect::<Vec<_>>().into(),
    }
}

fn path(path: &Path) -> Value {
    path.to_string_lossy().into()
}

fn seconds(time: Duration) -> Value {
    time.as_secs().into()
}
