"""The traffic leaves by a link that does not bear the identity: by a bridge, or by a second network interface."""

import shutil

import machines
from agent import (NEW, NEW_SERIAL, OLD, OLD_SERIAL, answer, chip, config, identity, log_shown, mqtt, request, tree,
                   until)
from images import HERE
from parts.firmware import senders
from upstream import Broker

# The MAC addresses of the bridge, as rootfs-bridge sets it, and of the second network interface.
BRIDGE, SECOND = "02:00:5E:00:53:BB", "02:00:5E:00:53:CC"


def bridge(lab):
    """eth0 is a port of a bridge with another MAC: a change is not confirmed there; it is where the bridge is meant."""
    shutil.copytree(HERE / "rootfs-bridge", tree(lab), dirs_exist_ok=True)
    with Broker(lab) as broker:
        with machines.panel(chip(lab, config(mqtt(broker), confirm_within=30)), lab.log()) as board:
            port, itself = lab.logs / "port.pcap", lab.logs / "bridge.pcap"
            board.capture(port)
            board.shell()
            with log_shown(board):
                broker.online(OLD)
                why = f"leaves by br0 with the MAC address {BRIDGE}, not by eth0"
                state, found = _doctor(board)
                assert state == "failed" and why in found, found
                _is_rolled_back(lab, board, broker, "r1", why)
                frames = senders(lab, port)
                assert not {OLD, NEW} & set(frames) and frames[BRIDGE] > 2, frames

                # Nobody answers on a port itself: the bridge has what arrives there.
                _set(board, broker, 'uplink = "br0"')
                state, found = _doctor(board)
                assert state == "warning" and "no neighbour is known on eth0" in found, found

                _set(board, broker, 'interface = "br0"', BRIDGE)
                assert _doctor(board) == ("ok", "br0, as configured")
                assert _ask(broker, BRIDGE, "r2")["status"] == "installed"
                assert board.sh("cat /sys/class/net/br0/address").upper() == NEW
                board.capture(itself)
                board.sh("ping -c 3 10.0.2.2 >/dev/null")
                frames = senders(lab, itself)
                assert not {OLD, BRIDGE} & set(frames) and frames[NEW] > 2, frames


def second_link(lab):
    """eth0 has no carrier, and eth1 is the way out: not confirmed; where eth1 is meant, it is once eth0 has a neighbour."""
    with Broker(lab) as broker:
        with machines.panel(chip(lab, config(mqtt(broker), confirm_within=15)), lab.log(), boot="kernel",
                            second_link=True) as board:
            board.link(False)
            way_out, own = lab.logs / "eth1.pcap", lab.logs / "eth0.pcap"
            board.capture(way_out, "net1")
            board.shell()
            board.sh(f"ip link set eth1 address {SECOND} && ip link set eth1 up && ip addr add 10.0.2.15/24 dev eth1")
            with log_shown(board):
                broker.online(OLD)
                why = f"leaves by eth1 with the MAC address {SECOND}, not by eth0"
                state, found = _doctor(board)
                assert state == "failed" and why in found, found
                _is_rolled_back(lab, board, broker, "r1", why)
                frames = senders(lab, way_out)
                assert not {OLD, NEW} & set(frames) and frames[SECOND] > 2, frames

                _set(board, broker, 'uplink = "eth1"')
                assert _doctor(board)[0] == "warning"
                _is_rolled_back(lab, board, broker, "r2", "no neighbour is known on eth0")

                board.link(True)
                until("a lease", lambda: board.run("ip route | grep -q '^default.*eth0'")[0] == 0)
                assert _doctor(board) == ("ok", "eth1, as configured")
                assert _ask(broker, OLD, "r3")["status"] == "installed"
                assert identity(board) == (NEW, NEW, NEW_SERIAL)
                board.capture(own)
                board.sh("ping -c 3 10.0.3.2 >/dev/null")
                frames = senders(lab, own)
                assert OLD not in frames and frames[NEW] > 2, frames


def _ask(broker, mac, request_id):
    """The report of a request to the panel that has this MAC address."""
    topic = f"intercoms/{mac}/patch/{request_id}"
    broker.publish(topic, {**request(request_id), "mac": mac})
    report = broker.wait("intercoms/by-board/[^/]+/status", f'"request_id":"{request_id}"', 90)
    broker.publish(topic, None)
    return report


def _is_rolled_back(lab, board, broker, request_id, why):
    report = _ask(broker, OLD, request_id)
    assert report["status"] == "rolled_back" and why in report["reason"], report
    lab.note(report["reason"])
    assert identity(board) == (OLD, OLD, OLD_SERIAL)


def _set(board, broker, setting, mac=OLD):
    """Puts a setting in the place of the one before; the daemon that goes by it has this MAC address."""
    settings = "/run/settings/intercom-agent.toml"
    board.sh(f"sed -i -e '1i {setting}' -e '/^uplink/d' {settings} && kill $(pidof intercom-agent)")
    broker.offline()
    broker.online(mac)
    board.quiet()


def _doctor(board):
    """What `doctor` says of the link that the traffic leaves by: the state, and what it found."""
    check = next(check for check in answer(board, "doctor")["checks"] if check["id"] == "outgoing-link")
    return check["state"], check["found"]


CHECKS = [bridge, second_link]
