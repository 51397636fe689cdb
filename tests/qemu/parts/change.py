"""A change of identity over each route, and what the panel's other software sees of it."""

import json

import images
import machines
from agent import (MODEL, NEW, NEW_SERIAL, OLD, OLD_SERIAL, change, chip, config, http, identity, log_shown, mqtt,
                   mqtts, request)
from upstream import Billing, Broker


def over_mqtt(lab):
    """Over MQTT: kernel, environment, runtime files and report, and a new lease."""
    with Broker(lab) as broker:
        flash = chip(lab, config(mqtt(broker)))
        with machines.panel(flash, lab.log()) as board:
            board.shell()
            with log_shown(board):
                broker.online(OLD)
                client = board.sh("pidof udhcpc")
                broker.publish(f"intercoms/{OLD}/patch/r1", request(log_extra={"why": "test"}))
                report = broker.report()
                assert report["status"] == "installed" and report["source"] == "auto-replace", report
                assert (report["mac"], report["serial_number"]) == (NEW, NEW_SERIAL), report
                assert report["previous"] == report["factory"] == {"mac": OLD, "serial_number": OLD_SERIAL}
                assert report["log_extra"] == {"why": "test"} and report["request_id"] == "r1"
                assert identity(board) == (NEW, NEW, NEW_SERIAL)
                assert board.sh("ip route | grep -c ^default") == "1"
                assert board.sh("pidof udhcpc") != client, "udhcpc still asks as the old panel"
                for name, value in {"ethaddr": NEW, "serialno": NEW_SERIAL, "intercom_factory_mac": OLD,
                                    "intercom_factory_serial": OLD_SERIAL, "filler7": None}.items():
                    seen = board.sh(f"fw_printenv -n {name}")
                    assert value is None or seen == value, f"{name}={seen}"
                env = board.sh("cat /run/intercom-agent/identity.env")
                assert f'INTERCOM_MAC="{NEW}"' in env and f'INTERCOM_SERIAL_NUMBER="{NEW_SERIAL}"' in env, env
        assert flash.active()["ethaddr"] == NEW


def busy_link_keeps_routes(lab):
    """The link is busy while up, and down it loses its routes: with a fixed address they are all there afterwards."""
    with Broker(lab) as broker:
        with machines.panel(chip(lab, config(mqtt(broker))), lab.log(), boot="kernel") as board:
            board.shell()
            with log_shown(board):
                broker.online(OLD)
                board.sh("kill $(pidof udhcpc); while pidof udhcpc; do usleep 10000; done; rm /etc/intercom-agent/hooks.d/*")
                board.sh("ip addr add 10.0.2.15/24 dev eth0 2>/dev/null; ip route add default via 10.0.2.2 2>/dev/null; "
                         "ip route add 10.99.0.0/16 via 10.0.2.3 metric 7")
                assert board.run("ip link set eth0 address 02:00:5e:00:53:aa")[0] != 0, "the link is not busy"
                routes, addresses = board.sh("ip route | sort"), board.sh("ip -4 addr show eth0 | grep inet")
                broker.publish(f"intercoms/{OLD}/patch/r1", request())
                assert broker.report()["status"] == "installed"
                assert identity(board) == (NEW, NEW, NEW_SERIAL)
                assert (now := board.sh("ip route | sort")) == routes, f"routes were\n{routes}\nand are\n{now}"
                assert board.sh("ip -4 addr show eth0 | grep inet") == addresses


def single_copy_left_alone(lab):
    """One copy under the default policy: the environment keeps every byte, and each boot sets the MAC instead."""
    with Broker(lab) as broker:
        flash = chip(lab, config(mqtt(broker)), "single")
        before = flash.read(0x40000, 0x10000)
        board, _ = change(lab, broker, flash)
        with board:
            assert identity(board) == (NEW, NEW, NEW_SERIAL)
        assert flash.read(0x40000, 0x10000) == before
        with machines.panel(flash, lab.log("again")) as board:
            board.shell()
            broker.online(NEW)
            # The network's script has set the environment's MAC; the second restore has put that right, lease included.
            assert identity(board) == (NEW, NEW, NEW_SERIAL)
            assert board.sh("ip -4 addr show eth0 | grep -c 'inet '") == "1"
        assert flash.read(0x40000, 0x10000) == before


def over_http(lab):
    """Over HTTP from the billing service: a documented PATCH makes the panel the other one, and shows it."""
    with Billing(lab) as billing:
        intercoms = "/api/v1/billing/intercoms"
        billing.ask("POST", intercoms, {
            "mac": OLD, "serial_number": OLD_SERIAL, "vendor": "example", "model": MODEL, "name": "Front door",
            "department": 1, "group_external_id": "00000000-0000-0000-0000-000000000001"})
        with machines.panel(chip(lab, config(http(billing))), lab.log(), boot="kernel") as board:
            board.shell()
            with log_shown(board):
                billing.ask("PATCH", intercoms, {"mac": OLD, "new_mac": NEW, "new_serial_number": NEW_SERIAL,
                                                 "model": MODEL, "group_id": 1})
                shown = billing.until(f"{intercoms}/show?mac={NEW}",
                                      lambda answer: "installed" in json.dumps(answer), 90)
                assert NEW_SERIAL in json.dumps(shown), shown
                assert identity(board) == (NEW, NEW, NEW_SERIAL)
                assert board.sh("fw_printenv -n ethaddr") == NEW


def over_tls(lab):
    """Over MQTT with TLS, the clock set."""
    with Broker(lab, tls=True) as broker:
        flash = chip(lab, config(mqtts(broker)), **{"ca.pem": _authority(), "start": "date -s 2026-11-01"})
        board, _ = change(lab, broker, flash)
        with board:
            assert identity(board) == (NEW, NEW, NEW_SERIAL)


def tls_in_1970(lab):
    """Over TLS on a board whose clock says 1970: the certificate is not refused as not yet valid."""
    with Broker(lab, tls=True) as broker:
        flash = chip(lab, config(mqtts(broker)), **{"ca.pem": _authority()})
        with machines.panel(flash, lab.log()) as board:
            board.shell()
            assert board.sh("date +%Y") == "1970"
            try:
                broker.online(OLD, 30)
            finally:
                lab.note(board.run("dmesg | grep -F '[WARN]' | tail -n 3; date")[1])


def _authority():
    return (images.certificates() / "ca.pem").read_text()


CHECKS = [over_mqtt, busy_link_keeps_routes, single_copy_left_alone, over_http, over_tls, tls_in_1970]
