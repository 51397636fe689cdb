//! From what is written to what cannot be wrong: every default and every limit is here.

use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use log::LevelFilter;
use toml::Spanned;

use super::found::{
    Found, FoundBilling, FoundHttp, FoundMqtt, FoundSerialNumber, FoundTopics, Number, Text, Texts,
};
use super::serial_source::is_variable_name;
use super::settings::{
    ClientCertificate, HttpSettings, MqttSettings, SerialNumberSettings, Settings, Tls, Topics,
};
use super::signature::signature;
use super::{HttpBase, SecretFile, Template};
use crate::contract::Mac;
use crate::environment::Policy;

/// One wrong value.
pub(super) struct Wrong {
    pub(super) key: &'static str,
    pub(super) span: Option<Range<usize>>,
    pub(super) text: String,
}

pub(super) fn validate(found: Found) -> Result<Settings, Wrong> {
    let seconds = |key, value, default, range| {
        number(key, value, default, range, " seconds").map(Duration::from_secs)
    };
    Ok(Settings {
        interface: text("interface", found.interface, "eth0", interface)?,
        id: optional_number("id", found.id)?,
        board_name: optional("board_name", found.board_name, told(str::parse))?,
        models: texts("models", found.models, &[], model)?,
        placeholder_macs: texts(
            "placeholder_macs",
            found.placeholder_macs,
            &["00:00:23:34:45:66"],
            told(str::parse::<Mac>),
        )?,
        state_dir: text("state_dir", found.state_dir, "/var/lib/intercom-agent", path)?,
        runtime_dir: text("runtime_dir", found.runtime_dir, "/run/intercom-agent", path)?,
        hooks_dir: text("hooks_dir", found.hooks_dir, "/etc/intercom-agent/hooks.d", path)?,
        hook_time_limit: seconds("hook_time_limit", found.hook_time_limit, 30, 1..=600)?,
        environment: text("environment", found.environment, "redundant-only", environment)?,
        confirm_within: seconds("confirm_within", found.confirm_within, 180, 10..=3600)?,
        settle: seconds("settle", found.settle, 5, 0..=60)?,
        changes_per_hour: number("changes_per_hour", found.changes_per_hour, 6, 1..=3600, "")?
            as u32,
        log_level: text("log_level", found.log_level, "info", log_level)?,
        serial_number: serial_number(found.serial_number)?,
        signature: signature(found.signature)?,
        mqtt: found.mqtt.map(mqtt).transpose()?,
        http: found.http.map(http).transpose()?,
        billing: found.billing.map(billing).transpose()?,
    })
}

fn serial_number(found: FoundSerialNumber) -> Result<SerialNumberSettings, Wrong> {
    Ok(SerialNumberSettings {
        sources: texts(
            "serial_number.sources",
            found.sources,
            &["env:serialno", "env:serial#", "device-tree", "cpuinfo"],
            str::parse,
        )?,
        environment_variable: optional(
            "serial_number.environment_variable",
            found.environment_variable,
            |name| match is_variable_name(name) {
                true => Ok(name.to_owned()),
                false => {
                    Err(format!("`{name}` is not the name of a U-Boot variable, such as serialno"))
                }
            },
        )?,
    })
}

fn mqtt(section: Spanned<FoundMqtt>) -> Result<MqttSettings, Wrong> {
    let span = section.span();
    let found = section.into_inner();
    let broker = required("mqtt.url", found.url, span, str::parse::<super::Broker>)?;
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

fn http(section: Spanned<FoundHttp>) -> Result<HttpSettings, Wrong> {
    let span = section.span();
    let found = section.into_inner();
    let base = required("http.url", found.url, span, str::parse::<HttpBase>)?;
    Ok(HttpSettings {
        tls: tls(
            base.tls,
            "an https:// url",
            [
                ("http.ca_file", found.ca_file),
                ("http.client_cert_file", found.client_cert_file),
                ("http.client_key_file", found.client_key_file),
                ("http.server_name", None),
            ],
        )?,
        base,
        token: optional("http.token_file", found.token_file, secret)?,
        poll_every: number("http.poll_every", found.poll_every, 60, 1..=86_400, " seconds")
            .map(Duration::from_secs)?,
        pending: text("http.pending", found.pending, "/api/v1/agent/pending", Template::path)?,
        status: text("http.status", found.status, "/api/v1/agent/status", Template::path)?,
    })
}

fn billing(section: Spanned<FoundBilling>) -> Result<HttpSettings, Wrong> {
    let span = section.span();
    let found = section.into_inner();
    let base = required("billing.url", found.url, span, str::parse::<HttpBase>)?;
    let path = |path| text("billing.url", None, path, Template::path);
    Ok(HttpSettings {
        tls: tls(
            base.tls,
            "an https:// url",
            [
                ("billing.ca_file", found.ca_file),
                ("billing.client_cert_file", found.client_cert_file),
                ("billing.client_key_file", found.client_key_file),
                ("billing.server_name", None),
            ],
        )?,
        base,
        token: optional("billing.token_file", found.token_file, secret)?,
        // Not polled: how long to wait at least where somebody has to set something right.
        poll_every: Duration::from_secs(60),
        pending: path("/api/v1/billing/intercoms/show")?,
        status: path("/api/v1/billing/intercoms")?,
    })
}

/// CA file, client certificate, its key, and server name; none of which a plain connection uses.
fn tls(used: bool, needs: &str, found: [(&'static str, Text); 4]) -> Result<Tls, Wrong> {
    if let (false, Some((key, Some(value)))) =
        (used, found.iter().find(|(_, value)| value.is_some()))
    {
        return Err(Wrong {
            key,
            span: Some(value.span()),
            text: format!("it is only used over TLS, which needs {needs}"),
        });
    }
    let [ca_file, cert_file, key_file, server_name] = found;
    let client = match (cert_file, key_file) {
        ((_, None), (_, None)) => None,
        ((cert, Some(cert_file)), (key, Some(key_file))) => Some(ClientCertificate {
            cert_file: given(cert, cert_file, path)?,
            key: given(key, key_file, secret)?,
        }),
        ((key, Some(alone)), (needed, None)) | ((needed, None), (key, Some(alone))) => {
            let needed = needed.rsplit('.').next().unwrap_or(needed);
            return Err(Wrong {
                key,
                span: Some(alone.span()),
                text: format!("it needs `{needed}` beside it"),
            });
        }
    };
    Ok(Tls {
        ca_file: optional(ca_file.0, ca_file.1, path)?,
        client,
        server_name: optional(server_name.0, server_name.1, not_empty)?,
    })
}

// How a value is taken, by whether it must be there.

fn given<T>(
    key: &'static str,
    value: Spanned<String>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Wrong> {
    read(value.get_ref()).map_err(|text| Wrong { key, span: Some(value.span()), text })
}

fn optional<T>(
    key: &'static str,
    value: Text,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, Wrong> {
    value.map(|value| given(key, value, read)).transpose()
}

fn text<T>(
    key: &'static str,
    value: Text,
    default: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Wrong> {
    match value {
        Some(value) => given(key, value, read),
        None => read(default).map_err(|text| Wrong { key, span: None, text }),
    }
}

fn required<T>(
    key: &'static str,
    value: Text,
    section: Range<usize>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Wrong> {
    match value {
        Some(value) => given(key, value, read),
        None => Err(Wrong {
            key,
            span: Some(section),
            text: "it is missing: the section needs it".to_owned(),
        }),
    }
}

fn texts<T>(
    key: &'static str,
    values: Texts,
    default: &[&str],
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, Wrong> {
    match values {
        Some(values) => values.into_iter().map(|value| given(key, value, &read)).collect(),
        None => default
            .iter()
            .map(|value| read(value).map_err(|text| Wrong { key, span: None, text }))
            .collect(),
    }
}

fn number(
    key: &'static str,
    value: Number,
    default: u64,
    range: RangeInclusive<u64>,
    unit: &str,
) -> Result<u64, Wrong> {
    let Some(value) = value else {
        return Ok(default);
    };
    let found = *value.get_ref();
    match u64::try_from(found) {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(Wrong {
            key,
            span: Some(value.span()),
            text: format!("{found} is not {} to {}{unit}", range.start(), range.end()),
        }),
    }
}

fn optional_number(key: &'static str, value: Number) -> Result<Option<i64>, Wrong> {
    match value {
        Some(value) if *value.get_ref() < 1 => Err(Wrong {
            key,
            span: Some(value.span()),
            text: format!("{} is not an id, which is at least 1", value.get_ref()),
        }),
        value => Ok(value.map(Spanned::into_inner)),
    }
}

// What each kind of value may be.

/// Puts the value before a parser's words, which say only what is wrong with it.
fn told<T, E: std::fmt::Display>(
    read: impl Fn(&str) -> Result<T, E>,
) -> impl Fn(&str) -> Result<T, String> {
    move |text| read(text).map_err(|why| format!("`{text}` {why}"))
}

fn path(text: &str) -> Result<PathBuf, String> {
    match text.starts_with('/') && !text.contains('\0') {
        true => Ok(text.into()),
        false => Err(format!("`{text}` is not an absolute path: begin it with a slash")),
    }
}

fn secret(text: &str) -> Result<SecretFile, String> {
    path(text).map(SecretFile::new)
}

fn not_empty(text: &str) -> Result<String, String> {
    match text.is_empty() || text.contains('\0') {
        true => Err("it is empty: leave it out instead".to_owned()),
        false => Ok(text.to_owned()),
    }
}

/// As the kernel's `dev_valid_name`.
fn interface(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'/' | b':');
    if (1..=15).contains(&text.len()) && text.bytes().all(plain) && !matches!(text, "." | "..") {
        Ok(text.to_owned())
    } else {
        Err(format!("`{text}` is not the name of a network interface, such as eth0"))
    }
}

fn model(text: &str) -> Result<String, String> {
    match text.chars().any(char::is_alphanumeric) && !text.chars().any(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err(format!("`{}` is not a model, such as 3516EV200", text.escape_debug())),
    }
}

fn environment(text: &str) -> Result<Policy, String> {
    match text {
        "redundant-only" => Ok(Policy::RedundantOnly),
        "always" => Ok(Policy::Always),
        "never" => Ok(Policy::Never),
        _ => Err(format!("`{text}` is not `redundant-only`, `always` or `never`")),
    }
}

fn log_level(text: &str) -> Result<LevelFilter, String> {
    LevelFilter::from_str(text)
        .map_err(|_| format!("`{text}` is not `error`, `warn`, `info`, `debug`, `trace` or `off`"))
}
