//! Everything that the board says about itself, each value with where it was read.

use serde::Serialize;

use super::mac_source::{self, BoardMac};
use super::{DieId, Known, Link, Root, die_id, model, serial_number};
use crate::config::Settings;
use crate::contract::{BoardName, Mac, SerialNumber};

/// What the board says about itself. Nothing here comes from the record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Survey {
    /// The network link; none if there is no such interface.
    pub link: Option<LinkFacts>,
    /// The MAC address in the U-Boot environment.
    pub environment_mac: Option<Known<Mac>>,
    /// The board's MAC address: the environment's, else the link's.
    pub mac: Option<BoardMac>,
    /// The board's serial number, from the first configured source that has one.
    pub serial_number: Option<Known<SerialNumber>>,
    /// The models that the panel answers to; perhaps none.
    pub models: Vec<Known<String>>,
    /// The id that billing knows the panel by, if it is configured.
    pub id: Option<Known<i64>>,
    /// The SoC's die ID.
    pub die_id: Option<Known<DieId>>,
    /// The stable name: as configured, else from the die ID; none means that it is to be made from
    /// the factory MAC.
    pub board: Option<Known<BoardName>>,
    /// What could not be read, and why.
    pub warnings: Vec<String>,
}

/// What the kernel says about the link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkFacts {
    /// The interface's name.
    pub interface: String,
    /// The MAC address that it has now.
    pub mac: Known<Mac>,
    /// `operstate` of `linux/Documentation/ABI/testing/sysfs-class-net`: `up`, `down`, `unknown` …
    pub state: Option<String>,
    /// Its number, which ends with the interface.
    pub index: Option<u32>,
}

/// Reads all of it. `environment` looks up a variable of the U-Boot environment; whether that could
/// be read at all is not this function's business.
pub fn survey(
    root: &Root,
    settings: &Settings,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Survey {
    let mut warnings = Vec::new();
    let mut warn = |why: String| warnings.push(why);

    let link = Link::new(root.clone(), &settings.interface);
    let link_mac = link.mac().map_err(|why| warn(why.to_string())).ok();
    let environment_mac = environment("ethaddr").and_then(|text| match text.parse() {
        Ok(mac) => Some(Known::new(mac, "env ethaddr")),
        Err(why) => {
            warn(format!("env ethaddr, `{}`, {why}", text.escape_debug()));
            None
        }
    });
    let tree = model::device_tree(root).map_err(&mut warn).unwrap_or_default();
    let die_id = die_id::read(root, &tree.compatible).unwrap_or_else(|why| {
        warn(format!("the die ID cannot be read: {why}"));
        None
    });
    let from_die_id = || {
        let id = die_id.as_ref()?;
        Some(Known::new(id.value.board_name()?, "die ID"))
    };
    let configured = |name: &BoardName| Known::new(name.clone(), "configuration");

    Survey {
        mac: mac_source::of_the_board(
            environment_mac.as_ref(),
            link_mac.as_ref(),
            link.attribute("addr_assign_type").as_deref(),
            &settings.placeholder_macs,
        ),
        environment_mac,
        link: link_mac.map(|mac| LinkFacts {
            interface: settings.interface.clone(),
            mac,
            state: link.attribute("operstate"),
            index: link.attribute("ifindex").and_then(|text| text.parse().ok()),
        }),
        serial_number: serial_number::first_of(
            &settings.serial_number.sources,
            root,
            environment,
            die_id.as_ref(),
            &mut warnings,
        ),
        models: model::models(&settings.models, &tree),
        id: settings.id.map(|id| Known::new(id, "configuration")),
        board: settings.board_name.as_ref().map(configured).or_else(from_die_id),
        die_id,
        warnings,
    }
}
