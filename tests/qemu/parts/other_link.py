"""The traffic leaves by a link that does not bear the identity: by a second network interface."""

import machines
from agent import (NEW, NEW_SERIAL, OLD, OLD_SERIAL, answer, chip, config, identity, log_shown, mqtt, request, until)
from parts.firmware import senders
from upstream import Broker

# The second network interface's.
SECOND = "02:00:5E:00:53:CC"


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
                assert _ask(broker, "r3")["status"] == "installed"
                assert identity(board) == (NEW, NEW, NEW_SERIAL)
                board.capture(own)
                board.sh("ping -c 3 10.0.3.2 >/dev/null")
                frames = senders(lab, own)
                assert OLD not in frames and frames[NEW] > 2, frames


def _ask(broker, request_id):
    """The report of a request."""
    topic = f"intercoms/{OLD}/patch/{request_id}"
    broker.publish(topic, request(request_id))
    report = broker.wait("intercoms/by-board/[^/]+/status", f'"request_id":"{request_id}"', 90)
    broker.publish(topic, None)
    return report


def _is_rolled_back(lab, board, broker, request_id, why):
    report = _ask(broker, request_id)
    assert report["status"] == "rolled_back" and why in report["reason"], report
    lab.note(report["reason"])
    assert identity(board) == (OLD, OLD, OLD_SERIAL)


def _set(board, broker, setting):
    """Puts a setting ahead of the others, and waits for the daemon that goes by it."""
    settings = "/run/settings/intercom-agent.toml"
    board.sh(f"sed -i '1i {setting}' {settings} && kill $(pidof intercom-agent)")
    broker.offline()
    broker.online(OLD)
    board.quiet()


def _doctor(board):
    """What `doctor` says of the link that the traffic leaves by: the state, and what it found."""
    check = next(check for check in answer(board, "doctor")["checks"] if check["id"] == "outgoing-link")
    return check["state"], check["found"]


CHECKS = [second_link]
