//! The firmware's own scripts: a line that sets the MAC address asks the agent first.

use std::fs;
use std::path::PathBuf;

use super::{Check, Finding, Look};
use crate::panel::Panel;
use crate::root::Root;

pub(super) const ASKS: Check = Check {
    id: "firmware",
    description: "the firmware's scripts ask the agent before they set the MAC address",
    look: Look::Board(look),
};

/// Where firmware sets it, as `systemd/install` looks for it.
const FILE: &str = "/etc/network/interfaces";
const DIRECTORIES: [&str; 2] = ["/etc/network/interfaces.d", "/etc/init.d"];

fn look(panel: &Panel) -> Finding {
    let mut lines = Vec::new();
    for (path, shown) in files(&panel.root) {
        let bytes = fs::read(path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let setting = text.lines().enumerate().filter(|(_, line)| sets_without_asking(line));
        lines.extend(setting.map(|(at, line)| format!("{shown}:{}: {}", at + 1, line.trim())));
    }
    if lines.is_empty() {
        return Finding::ok("no line that sets one without asking");
    }
    Finding::failed(
        format!("{}; at each start of the network the old address is back", lines.join("; ")),
        "if that is the panel's interface, let the line take the address from `$(intercom-mac \
         INTERFACE || ...)`, with what it takes now in place of the dots",
    )
}

fn files(root: &Root) -> Vec<(PathBuf, String)> {
    let mut names = vec![FILE.to_owned()];
    for directory in DIRECTORIES {
        let entries = fs::read_dir(root.path(directory)).into_iter().flatten().flatten();
        let found = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.extend(found.map(|name| format!("{directory}/{name}")));
    }
    names.sort();
    names.into_iter().map(|name| (root.path(&name), name)).collect()
}

fn sets_without_asking(line: &str) -> bool {
    let code = line.split('#').next().unwrap_or_default();
    let sets =
        |from: &str, to: &str| code.split_once(from).is_some_and(|(_, rest)| rest.contains(to));
    (sets("hwaddress ", "") || sets("hw ether ", "") || sets("ip link set ", " addr"))
        && !code.contains("intercom-mac")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_sets_the_address_and_does_not_ask_is_found() {
        for line in [
            "    hwaddress ether $(fw_printenv -n ethaddr)",
            "ifconfig eth0 hw ether 00:00:23:34:45:66",
            "ip link set dev eth0 address \"$mac\"",
        ] {
            assert!(sets_without_asking(line), "{line}");
        }
        for line in [
            "    hwaddress ether $(intercom-mac $IFACE || fw_printenv -n ethaddr)",
            "# hwaddress ether 00:00:23:34:45:66",
            "ip link set eth0 up",
            "ip addr add 192.0.2.1/24 dev eth0",
        ] {
            assert!(!sets_without_asking(line), "{line}");
        }
    }
}
