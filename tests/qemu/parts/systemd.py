"""systemd: the units on a booted Debian, with the environment on its flash and a user who is not root."""

import re

from agent import NEW, NEW_SERIAL, OLD, OLD_SERIAL, config, debian, identity, mqtt, package, request, until_told
from upstream import Broker

# What the daemon has to have: an interface to change, the flash, any address upstream, netlink for its hooks.
EXPOSURE = 1.5
# A watchdog that a test can wait for.
IN_A_HURRY = """d=/run/systemd/system/intercom-agent.service.d; mkdir -p $d
printf '[Service]\\nWatchdogSec=4\\nRestartSec=1\\n' >$d/test.conf; systemctl daemon-reload
systemctl restart intercom-agent"""


def units(lab):
    """restore runs before network-pre; the daemon says when it is ready, and one that hangs or dies is started again."""
    with Broker(lab) as broker, debian(lab, config(mqtt(broker))).boot(lab.log()) as board:
        board.shell(120)
        broker.online(OLD, 120)
        for unit in ("intercom-agent", "intercom-agent-restore"):
            board.sh(f"systemctl is-active {unit}")
        assert _property(board, "intercom-agent", "Type") == "notify"
        assert int(_property(board, "intercom-agent", "NRestarts")) == 0
        assert board.sh("stat -c %U /proc/$(pidof intercom-agent)") == "intercom-agent"
        restored = int(_property(board, "intercom-agent-restore", "ExecMainExitTimestampMonotonic"))
        reached = int(_property(board, "network-pre.target", "ActiveEnterTimestampMonotonic"))
        networkd = int(_property(board, "systemd-networkd", "ExecMainStartTimestampMonotonic"))
        assert 0 < restored <= reached <= networkd, (restored, reached, networkd)
        lab.note(f"restore ended {(networkd - restored) / 1e6:.2f} s before networkd was started")
        files = "/lib/systemd/system/intercom-agent.service /lib/systemd/system/intercom-agent-restore.service"
        status, said = board.run(f"systemd-analyze verify {files} 2>&1", 120)
        assert (status, said) == (0, ""), said
        said = board.sh("systemd-analyze security --no-pager intercom-agent.service | tail -n 1", 120)
        lab.note(said)
        assert float(re.search(r"service: ([0-9.]+)", said)[1]) <= EXPOSURE
        _hangs_and_dies(broker, board)


def change(lab):
    """A change over MQTT by a daemon that is not root: link, lease, environment; there after a reboot; and back."""
    with Broker(lab) as broker:
        machine = debian(lab, config(mqtt(broker), "always"))
        with machine.boot(lab.log("change")) as board:
            board.shell(120)
            broker.online(OLD, 120)
            broker.publish(f"intercoms/{OLD}/patch/r1", request())
            try:
                report = broker.report(120)
                assert report["status"] == "installed", report
            finally:
                board.run("journalctl --no-pager -u intercom-agent -u intercom-agent-restore | tail -n 60", 60)
            assert identity(board) == (NEW, NEW, NEW_SERIAL)
            assert board.sh("fw_printenv -n ethaddr") == NEW
            assert board.sh("ip -4 addr show eth0 | grep -c 'inet '") == "1"
            until_told(board)
            board.sh("sync")
            board.type("systemctl reboot -ff\n")
            board.ended(60)
        # The change has left presences with this MAC.
        broker.forget()
        with machine.boot(lab.log("again")) as board:
            board.shell(120)
            broker.online(NEW, 120)
            assert identity(board) == (NEW, NEW, NEW_SERIAL)
            # It came up as the old one here: without a boot loader, only restore can have changed that.
            assert int(_property(board, "intercom-agent", "NRestarts")) == 0
            # Back to an identity, and with it an address, that it had before.
            board.sh("intercom-agent rollback", 120)
            broker.online(OLD, 90)
            assert identity(board) == (OLD, OLD, OLD_SERIAL)


def debian_package(lab):
    """The Debian package takes over what systemd/install has put there, makes a change, and leaves its user alone."""
    deb = package(lab)
    with Broker(lab) as broker, debian(lab, config(mqtt(broker)), **{"agent.deb": deb}).boot(lab.log("package")) as board:
        board.shell(120)
        broker.online(OLD, 120)
        before = board.sh("pidof intercom-agent")
        # The shell has a dpkg of its own, which is BusyBox's.
        lab.note(board.sh("/usr/bin/dpkg --install /run/settings/agent.deb 2>&1 | tail -n 3", 180))
        assert board.sh("dpkg-query -W -f '${db:Status-Status}' intercom-agent") == "installed"
        assert board.sh("/usr/bin/dpkg --verify intercom-agent", 60) == ""
        assert not board.run("ls /usr/lib/intercom-agent/installed")[1].startswith("/usr")
        assert board.sh("stat -c '%U %a' /etc/intercom-agent.toml") == "intercom-agent 600"
        # The new program has been started, with the configuration that was there.
        broker.online(OLD, 120)
        assert board.sh("pidof intercom-agent") != before
        broker.publish(f"intercoms/{OLD}/patch/r1", request())
        report = broker.report(120)
        assert report["status"] == "installed", report
        assert identity(board)[:2] == (NEW, NEW)
        until_told(board)
        board.sh("/usr/bin/dpkg --purge intercom-agent 2>&1", 180)
        broker.offline(90)
        left = board.sh("find / -xdev -name '*intercom*' ! -path '/proc/*' ! -path '/sys/*'", 120).split()
        assert left == [], left
        assert board.sh("id -un intercom-agent") == "intercom-agent"


def _hangs_and_dies(broker, board):
    """A daemon that hangs is killed by systemd and started again; so is one that dies."""
    assert _property(board, "intercom-agent", "WatchdogUSec") not in ("0", "infinity")
    board.sh(IN_A_HURRY, 60)
    broker.online(OLD)
    board.sh("kill -STOP $(pidof intercom-agent)")
    broker.offline(90)
    broker.online(OLD, 90)
    assert "watchdog" in board.sh("journalctl --no-pager -u intercom-agent | grep -i watchdog | tail -n 1", 60)
    board.sh("kill -KILL $(pidof intercom-agent)")
    broker.offline(90)
    broker.online(OLD, 90)
    assert int(_property(board, "intercom-agent", "NRestarts")) == 2


def _property(board, unit, name):
    return board.sh(f"systemctl show --value -p {name} {unit}")


CHECKS = [change, units, debian_package]
