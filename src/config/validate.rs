//! From what is written to what cannot be wrong: the defaults and limits of each section
//! are with it.

use std::str::FromStr;

use intercom_wire::{BoardName, InvalidBoardName, Mac, comparable_model};
use log::LevelFilter;

use super::section::{Section, Wrong};
use super::serial_source::is_variable_name;
use super::settings::{SerialNumberSettings, Settings};
use super::values::{path, seconds, told};
use super::{billing, http, mqtt, signature};
use crate::environment::Policy;

pub(super) fn validate(mut file: Section) -> Result<Settings, Wrong> {
    let mut serial_numbers = file.section_or_defaults("serial_number")?;
    let signatures = file.section_or_defaults("signature")?;
    let interface = file.text("interface", "eth0", &interface)?;
    let uplink = file.optional("uplink", &self::interface)?.filter(|uplink| *uplink != interface);
    let mac_variable = file.optional("mac_variable", &variable)?;
    let mac_variable = mac_variable.or_else(|| mac_variable_of(&interface));
    let serial_number = serial_number(&mut serial_numbers, mac_variable.as_deref())?;
    let hook_time_limit = file.number("hook_time_limit", 30, 1..=600, " seconds")?;
    let confirm_within = file.number("confirm_within", 180, 10..=3600, " seconds")?;
    // No change could be confirmed that is watched for longer than it may take.
    let settle = match confirm_within {
        limit @ ..=60 => {
            file.number("settle", 5, 0..=limit - 1, " seconds, within `confirm_within`")
        }
        _ => file.number("settle", 5, 0..=60, " seconds"),
    }?;
    Ok(Settings {
        mac_variable,
        interface,
        uplink,
        hook_time_limit: seconds(hook_time_limit),
        confirm_within: seconds(confirm_within),
        settle: seconds(settle),
        id: id(&mut file)?,
        board_name: file.optional("board_name", &board_name)?,
        models: file.texts("models", &[], &model)?,
        placeholder_macs: file.texts(
            "placeholder_macs",
            &["00:00:23:34:45:66"],
            &told(str::parse::<Mac>),
        )?,
        state_dir: file.text("state_dir", "/var/lib/intercom-agent", &path)?,
        runtime_dir: file.text("runtime_dir", "/run/intercom-agent", &path)?,
        hooks_dir: file.text("hooks_dir", "/etc/intercom-agent/hooks.d", &path)?,
        environment: file.text("environment", "redundant-only", &environment)?,
        changes_per_hour: file.number("changes_per_hour", 6, 1..=100, "")?,
        log_level: file.text("log_level", "info", &log_level)?,
        serial_number,
        signature: signature::signature(signatures)?,
        mqtt: route(&mut file, "mqtt", cfg!(feature = "mqtt"), mqtt::mqtt)?,
        http: route(&mut file, "http", cfg!(feature = "http"), http::http)?,
        billing: route(&mut file, "billing", cfg!(feature = "http"), billing::billing)?,
    })
}

/// The section of a route, which this build may have been made without.
fn route<T>(
    file: &mut Section,
    name: &str,
    built_in: bool,
    read: impl FnOnce(Section) -> Result<T, Wrong>,
) -> Result<Option<T>, Wrong> {
    match file.place(name) {
        Some(at) if !built_in => {
            let text =
                "this build of the agent has no such route: install one that was built with it";
            Err(file.wrong(name, at, text))
        }
        _ if !built_in => Ok(None),
        _ => file.section(name)?.map(read).transpose(),
    }
}

fn id(file: &mut Section) -> Result<Option<i64>, Wrong> {
    match file.take_number("id")? {
        Some(id) if *id.get_ref() < 1 => {
            let text = format!("{} is not an id, which is at least 1", id.get_ref());
            Err(file.wrong("id", id.span(), text))
        }
        id => Ok(id.map(toml::Spanned::into_inner)),
    }
}

fn serial_number(
    section: &mut Section,
    mac_variable: Option<&str>,
) -> Result<SerialNumberSettings, Wrong> {
    let variable = |name: &str| match name.ends_with("addr") || mac_variable == Some(name) {
        true => Err(not_a_place(name)),
        false => variable(name),
    };
    Ok(SerialNumberSettings {
        sources: section.texts(
            "sources",
            &["env:serialno", "env:serial#", "device-tree", "cpuinfo"],
            &str::parse,
        )?,
        environment_variable: section.optional("environment_variable", &variable)?,
    })
}

/// A variable that the agent may write. U-Boot boots by some, and the `intercom_` ones are the agent's own.
fn variable(name: &str) -> Result<String, String> {
    const BOOT: [&str; 5] = ["bootcmd", "bootargs", "bootdelay", "altbootcmd", "preboot"];
    match is_variable_name(name) {
        true if BOOT.contains(&name) || name.starts_with("intercom_") => Err(not_a_place(name)),
        true => Ok(name.to_owned()),
        false => Err(format!("`{name}` is not the name of a U-Boot variable, such as ethaddr")),
    }
}

fn not_a_place(name: &str) -> String {
    format!("`{name}` holds something else, which would be lost")
}

/// As U-Boot names them: `ethaddr` is the first wired interface's, `eth1addr` the second's. Any other
/// interface has none: the first one's address would make two interfaces equal.
fn mac_variable_of(interface: &str) -> Option<String> {
    // `end0` is systemd's name for what the device tree calls `ethernet0`.
    let number = interface.strip_prefix("eth").or(interface.strip_prefix("end"))?;
    match number.parse::<u8>().ok()? {
        0 => Some("ethaddr".to_owned()),
        number => Some(format!("eth{number}addr")),
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

fn board_name(text: &str) -> Result<BoardName, String> {
    text.parse().map_err(|why: InvalidBoardName| match text.contains('.') {
        true => {
            format!("`{text}` has a dot, which brokers do not take in a topic: write a `-` instead")
        }
        false => format!("`{text}` {why}"),
    })
}

fn model(text: &str) -> Result<String, String> {
    match !comparable_model(text).is_empty() && !text.chars().any(char::is_control) {
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

/// A level of the log.
///
/// # Errors
/// Which ones there are.
pub fn log_level(text: &str) -> Result<LevelFilter, String> {
    LevelFilter::from_str(text)
        .map_err(|_| format!("`{text}` is not `error`, `warn`, `info`, `debug`, `trace` or `off`"))
}

#[cfg(test)]
#[cfg(not(all(feature = "http", feature = "mqtt")))]
mod tests {
    use std::path::Path;

    use crate::config::parse;

    #[test]
    fn a_route_that_this_build_does_not_have_cannot_be_configured() {
        let mqtt = "[mqtt]\nurl = \"mqtt://broker.example\"\n";
        let http = "[http]\nurl = \"http://billing.example\"\n";
        let (ours, other) = if cfg!(feature = "mqtt") { (mqtt, http) } else { (http, mqtt) };
        assert!(parse(ours, Path::new("a.toml")).is_ok());
        let why = parse(other, Path::new("a.toml")).expect_err("no such route").to_string();
        assert!(why.starts_with("a.toml, line 1: ") && why.contains("no such route"), "{why}");
    }
}
