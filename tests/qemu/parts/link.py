"""What can happen to the link and to the way upstream while the daemon runs, and to the overlay while the power is off."""

import signal
import time

import machines
from agent import (NEW, NEW_SERIAL, OLD, OLD_SERIAL, answer, change, chip, config, identity, log_shown, mqtt, request,
                   until, until_reached, until_told)
from parts.firmware import senders
from upstream import Broker

OTHER = "02:00:5E:00:53:AA"


def other_software_sets_the_mac(lab):
    """Other software sets the MAC: it is put right at once, lease included, and no frame leaves under another one then."""
    with Broker(lab) as broker:
        board, _ = change(lab, broker, chip(lab, config(mqtt(broker))))
        with board, log_shown(board):
            until_told(board)
            client = board.sh("pidof udhcpc")
            board.sh(f"ip link set eth0 down && ip link set eth0 address {OTHER} && ip link set eth0 up")
            until("put right", lambda: identity(board) == (NEW, NEW, NEW_SERIAL))
            until("a new lease", lambda: board.run("pidof udhcpc")[1] not in ("", client)
                   and board.run("ip route | grep -q ^default")[0] == 0)
            contest = answer(board, "status")["link_contest"]
            assert (contest["mac"], contest["without_hooks"]) == (OTHER, False), contest
            assert f"last to {OTHER}" in board.run("intercom-agent doctor 2>/dev/null")[1]
            capture = lab.logs / "afterwards.pcap"
            board.capture(capture)
            board.sh("ping -c 3 10.0.2.2 >/dev/null")
            frames = senders(lab, capture)
            assert not {OLD, OTHER} & set(frames) and frames[NEW] > 2, frames


def address_lost(lab):
    """The panel's address and routes are gone, and its DHCP client does not know: the hooks get it another one."""
    with Broker(lab) as broker:
        board, _ = change(lab, broker, chip(lab, config(mqtt(broker))))
        with board, log_shown(board):
            until_told(board)
            board.sh("ip addr flush dev eth0")
            began = time.monotonic()
            until("an address", lambda: board.run("ip route | grep -q ^default")[0] == 0, 240)
            lab.note(f"an address after {time.monotonic() - began:.0f} s")
            assert board.sh("ip -4 addr show eth0 | grep -c 'inet 10.0.2.'") == "1"
            assert board.sh("dmesg | grep -c 'the link has no IP address'") == "1"
            until_reached(board)


def overlay_wiped(lab):
    """The overlay is wiped after a change that is nowhere else: the panel is as it was made, and says that it is new."""
    with Broker(lab) as broker:
        flash = chip(lab, config(mqtt(broker)), "single")
        board, _ = change(lab, broker, flash)
        with board:
            until_told(board)
            assert answer(board, "status")["record_is_new"] is False
        flash.erase_data()
        broker.publish(f"intercoms/{OLD}/patch/r1", None)
        with machines.panel(flash, lab.log("wiped")) as board:
            board.shell(60)
            with log_shown(board):
                broker.online(OLD)
                assert identity(board) == (OLD, OLD, OLD_SERIAL)
                assert answer(board, "status")["record_is_new"] is True
                said = " ".join(board.run("intercom-agent doctor 2>/dev/null")[1].split())
                assert "nothing was decided since it began" in said, said
                assert "the state directory was wiped" in board.sh("dmesg | grep intercom-agent")


def silent_path(lab):
    """The way to the broker goes silent while the new connection is watched: rolled back, and reported when it is back."""
    with Broker(lab) as broker:
        with machines.panel(chip(lab, config(mqtt(broker), confirm_within=30, settle=10)), lab.log()) as board:
            board.shell()
            with log_shown(board):
                broker.online(OLD)
                broker.publish(f"intercoms/{OLD}/patch/r1", request())
                until("watched", lambda: board.run("dmesg | grep -q 'watching it for'")[0] == 0)
                broker.signal(signal.SIGSTOP)
                until("put back", lambda: identity(board) == (OLD, OLD, OLD_SERIAL), 120)
                broker.signal(signal.SIGCONT)
                report = broker.report(120)
            assert report["status"] == "rolled_back", report
            lab.note(report["reason"])
            assert "silent" in report["reason"], report


CHECKS = [other_software_sets_the_mac, address_lost, overlay_wiped, silent_path]
