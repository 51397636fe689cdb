//! The `[mqtt]` section.

use intercom_wire::topics as wire;

use super::section::{Section, Wrong};
use super::settings::{ByMac, MqttSettings, Topics};
use super::tls::tls;
use super::values::{not_empty, seconds, secret};
use super::{Broker, Brokers, Template};

pub(super) fn mqtt(mut section: Section) -> Result<MqttSettings, Wrong> {
    let url = section.place("url").unwrap_or_default();
    let brokers = Brokers::new(section.one_or_more("url", &str::parse::<Broker>)?);
    let brokers = brokers.map_err(|why| section.wrong("url", url, why))?;
    let user_is_named = section.place("username").is_some();
    // MQTT 3.1.1 has no password without a user name.
    if let (Some(file), false) = (section.place("password_file"), user_is_named) {
        let text = "a password needs a `username` beside it";
        return Err(section.wrong("password_file", file, text));
    }
    let alpn_at = section.place("alpn");
    let alpn = section.texts("alpn", &[], &protocol)?;
    if let (false, false, Some(at)) = (brokers.tls(), alpn.is_empty(), alpn_at) {
        let text = "it is only used over TLS, which needs an mqtts:// url";
        return Err(section.wrong("alpn", at, text));
    }
    let by_mac = match section.place("mac_topics") {
        None => ByMac::Wished,
        Some(_) if section.flag("mac_topics", true)? => ByMac::Wanted,
        Some(_) => ByMac::No,
    };
    Ok(MqttSettings {
        tls: tls(&mut section, brokers.tls(), "an mqtts:// url", user_is_named)?,
        alpn,
        brokers,
        username: section.optional("username", &not_empty)?,
        password: section.optional("password_file", &secret)?,
        keep_alive: seconds(section.number("keep_alive", 30, 5..=3600, " seconds")?),
        connect_timeout: seconds(section.number("connect_timeout", 30, 5..=300, " seconds")?),
        topics: topics(section.section_or_defaults("topics")?, by_mac)?,
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

fn topics(mut section: Section, by_mac: ByMac) -> Result<Topics, Wrong> {
    let given = ["status", "presence", "mac_who", "mac_here"].map(|key| (key, section.place(key)));
    let mut topic = |key, default| section.text(key, default, &Template::topic);
    let topics = Topics {
        patch: topic("patch", wire::PATCH)?,
        board_patch: topic("board_patch", wire::BOARD_PATCH)?,
        by_mac,
        status: topic("status", wire::BOARD_STATUS)?,
        presence: topic("presence", wire::BOARD_PRESENCE)?,
        board_who: topic("board_who", wire::BOARD_WHO)?,
        everybody_who: topic("everybody_who", wire::EVERYBODY_WHO)?,
        mac_who: topic("mac_who", wire::MAC_WHO)?,
        mac_here: topic("mac_here", wire::MAC_HERE)?,
    };
    let said = [&topics.status, &topics.presence, &topics.mac_who, &topics.mac_here];
    for ((key, at), said) in given.into_iter().zip(said) {
        if is_heard(said, &topics) {
            let text = "the panel would read as requests what it says itself: let it be below neither \
                        `patch` nor `board_patch`";
            return Err(section.wrong(key, at.unwrap_or_else(|| section.span.clone()), text));
        }
    }
    Ok(topics)
}

/// Whether what comes on a topic is read as a request.
fn is_heard(topic: &Template, topics: &Topics) -> bool {
    let by_mac = topics.by_mac != ByMac::No && topic.is_within(&topics.patch);
    by_mac || topic.is_within(&topics.board_patch)
}
