//! From what is written to what cannot be wrong: the defaults and limits of each section
//! are with it.

use std::str::FromStr;
use std::time::Duration;

use log::LevelFilter;

use super::billing::billing;
use super::found::{Found, FoundSerialNumber};
use super::http::http;
use super::mqtt::mqtt;
use super::serial_source::is_variable_name;
use super::settings::{SerialNumberSettings, Settings};
use super::signature::signature;
use super::values::{Wrong, number, optional, optional_number, path, text, texts, told};
use crate::contract::Mac;
use crate::environment::Policy;

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
