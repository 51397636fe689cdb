//! Everything that the board says about itself, each value with where it was read.

use intercom_wire::{BoardName, Mac, SerialNumber};
use serde::Serialize;

use super::mac_source::{self, BoardMac};
use super::variables::Variables;
use super::{DieId, Known, Link, die_id, model, serial_number};
use crate::config::Settings;
use crate::record::Reading;
use crate::root::Root;

/// What the board says about itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Survey {
    /// The network link; none if there is no such interface.
    pub link: Option<LinkFacts>,
    /// The MAC address that the U-Boot environment has for this interface.
    pub environment_mac: Reading<Known<Mac>>,
    /// The board's MAC address: the environment's, else the link's.
    pub mac: Reading<BoardMac>,
    /// The board's serial number, from the first configured source that has one.
    pub serial_number: Reading<Known<SerialNumber>>,
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

/// Reads all of it.
pub fn survey(root: &Root, settings: &Settings, environment: &Variables<'_>) -> Survey {
    let mut warnings = Vec::new();
    let mut warn = |why: String| warnings.push(why);

    let link = Link::new(root.clone(), &settings.interface);
    let link_mac = link.mac().map_err(|why| warn(why.to_string())).ok();
    let variable = settings.mac_variable.as_deref();
    let environment_mac = match variable.map(|name| (name, environment(name))) {
        None | Some((_, Reading::Absent)) => Reading::Absent,
        Some((_, Reading::Unreadable)) => Reading::Unreadable,
        Some((name, Reading::Found(text))) => match text.parse() {
            Ok(mac) => Reading::Found(Known::new(mac, format!("env {name}"))),
            Err(why) => {
                warn(format!("env {name}, `{}`, {why}", text.escape_debug()));
                Reading::Absent
            }
        },
    };
    let tree = model::device_tree(root).map_err(|why| warn(why.to_string())).unwrap_or_default();
    let die_id = match die_id::read(root, &tree.compatible) {
        Ok(die_id) => Reading::from(die_id),
        Err(why) => {
            warn(format!("the die ID cannot be read: {why}"));
            Reading::Unreadable
        }
    };
    let from_die_id = || {
        let id = die_id.found()?;
        Some(Known::new(id.value.board_name()?, "die ID"))
    };
    let configured = |name: &BoardName| Known::new(name.clone(), "configuration");

    Survey {
        mac: mac_source::of_the_board(
            &environment_mac,
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
            &die_id,
            &mut warnings,
        ),
        models: model::models(&settings.models, &tree),
        id: settings.id.map(|id| Known::new(id, "configuration")),
        board: settings.board_name.as_ref().map(configured).or_else(from_die_id),
        die_id: die_id.found().cloned(),
        warnings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::record::MacKind;
    use crate::testing::Sandbox;
    use std::path::Path;

    const ETH0: &str = "/sys/class/net/eth0";

    fn look(sandbox: &Sandbox, configuration: &str, ethaddr: Option<&str>) -> Survey {
        let settings = config::parse(configuration, Path::new("a.toml")).expect("valid");
        let environment =
            |name: &str| ethaddr.filter(|_| name == "ethaddr").map(str::to_owned).into();
        survey(sandbox.root(), &settings, &environment)
    }

    #[test]
    fn every_value_says_where_it_was_read() {
        let sandbox = Sandbox::new();
        sandbox.write(&format!("{ETH0}/address"), "aa:bb:cc:dd:ee:ff\n");
        sandbox.write(&format!("{ETH0}/addr_assign_type"), "3\n");
        sandbox.write(&format!("{ETH0}/operstate"), "up\n");
        sandbox.write(&format!("{ETH0}/ifindex"), "2\n");
        sandbox.write("/proc/device-tree/compatible", "hisilicon,hi3516ev200\0");
        sandbox.write("/proc/device-tree/serial-number", "DT-1\0");
        sandbox.write("/dev/die-id", "0123abcd\n");
        let found = look(&sandbox, "id = 5\n", Some("22:0D:CE:38:E7:15"));
        let expected = serde_json::json!({
            "link": {
                "interface": "eth0",
                "mac": {"value": "AA:BB:CC:DD:EE:FF", "source": "/sys/class/net/eth0/address"},
                "state": "up",
                "index": 2,
            },
            "environment_mac": {"value": "22:0D:CE:38:E7:15", "source": "env ethaddr"},
            "mac": {"value": "22:0D:CE:38:E7:15", "source": "env ethaddr", "kind": "real"},
            "serial_number": {"value": "DT-1", "source": "device tree"},
            "models": [
                {"value": "hisilicon,hi3516ev200", "source": "/proc/device-tree/compatible"},
                {"value": "hi3516ev200", "source": "/proc/device-tree/compatible"},
            ],
            "id": {"value": 5, "source": "configuration"},
            "die_id": {"value": "0123abcd", "source": "/dev/die-id"},
            "board": {"value": "die-0123abcd", "source": "die ID"},
            "warnings": [],
        });
        assert_eq!(serde_json::to_value(found).expect("JSON"), expected);
    }

    #[test]
    fn a_board_that_says_nothing_is_surveyed_all_the_same() {
        let found = look(&Sandbox::new(), "", None);
        assert_eq!((found.serial_number, found.board), (Reading::Absent, None));
        assert_eq!(found.mac, Reading::Unreadable, "its link may be there later");
        assert_eq!(found.warnings.len(), 1, "{:?}", found.warnings);
        assert!(found.warnings[0].starts_with("there is no network interface eth0"));
    }

    #[test]
    fn a_random_address_is_told_from_the_boards_own() {
        let sandbox = Sandbox::new();
        sandbox.write(&format!("{ETH0}/address"), "aa:bb:cc:dd:ee:ff\n");
        sandbox.write(&format!("{ETH0}/addr_assign_type"), "1\n");
        let kind = |configuration, ethaddr| {
            look(&sandbox, configuration, ethaddr).mac.found().map(|mac| mac.kind)
        };
        assert_eq!(kind("", None), Some(MacKind::Random));
        assert_eq!(kind("", Some("22:0D:CE:38:E7:15")), Some(MacKind::Real));
        let shared = "placeholder_macs = [\"22:0D:CE:38:E7:15\"]";
        assert_eq!(kind(shared, Some("22:0D:CE:38:E7:15")), Some(MacKind::Placeholder));
    }

    #[test]
    fn an_unusable_ethaddr_is_a_warning_and_the_link_counts() {
        let sandbox = Sandbox::new();
        sandbox.write(&format!("{ETH0}/address"), "aa:bb:cc:dd:ee:ff\n");
        let found = look(&sandbox, "", Some("ff:ff:ff:ff:ff:ff"));
        assert_eq!(
            found.mac.found().expect("the link's").mac.source,
            "/sys/class/net/eth0/address"
        );
        assert!(found.warnings[0].contains("env ethaddr, `ff:ff:ff:ff:ff:ff`, is a multicast"));
    }

    #[test]
    fn a_configured_name_and_models_come_first() {
        let sandbox = Sandbox::new();
        sandbox.write("/dev/die-id", "0123abcd\n");
        sandbox.write("/proc/device-tree/model", "Demo\0");
        let found = look(&sandbox, "board_name = \"gate-1\"\nmodels = [\"3516EV200\"]\n", None);
        assert_eq!(found.board.expect("a name").to_string(), "gate-1 (configuration)");
        assert_eq!(found.models.len(), 1);
    }
}
