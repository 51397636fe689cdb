"""A firmware laid out as OpenIPC's, with the package in it: driver, syslog, a radio's branch, upgrade and factory reset."""

import shutil
import subprocess

import flash
import images
import machines
from agent import NEW, NEW_SERIAL, OLD, OLD_SERIAL, answer, change, config, identity, mqtt, until_told
from images import CHECKOUT, HERE
from parts.firmware import captured, senders
from upstream import Broker

# The last 512 KiB of the overlay's are the record's own: the same numbers as in panel.dts before it.
PARTITIONS = "mtdparts=hi_sfc:256k(boot),64k(env),64k(env2),3712k(kernel),6144k(rootfs),5632k(rootfs_data),512k(panel)"


def _firmware(lab, options=()):
    """The firmware's files with the package in them, as its build makes them, to be laid over the board's own."""
    tree, package, archive = (lab.directory / name for name in ("openipc", "package", "build/intercom-agent-0"))
    shutil.copytree(HERE / "rootfs-openipc", tree, symlinks=True)
    for hooks in ("if-pre-up.d", "if-up.d", "if-down.d", "if-post-down.d"):
        (tree / "etc/network" / hooks).mkdir()
    shutil.copy(HERE / "rootfs/etc/inittab", tree / "etc")
    (tree / "etc/intercom-agent.toml").symlink_to("/run/settings/intercom-agent.toml")
    (tree / "bin").mkdir()
    shutil.copy(images.busybox(), tree / "bin")
    # What an unpacked release archive is to the build.
    archive.mkdir(parents=True)
    installer = archive / "install"
    installer.write_text(f'#!/bin/sh\nexec {CHECKOUT}/systemd/install --binary {lab.agent()} "$@"\n')
    installer.chmod(0o755)
    shutil.copytree(CHECKOUT / "packaging/buildroot/package/intercom-agent", package)
    shutil.copy(CHECKOUT / "packaging/openipc/openipc.sh", package)
    chosen = lab.directory / "config"
    chosen.write_text("".join(f"BR2_PACKAGE_INTERCOM_AGENT_{option}\n" for option in ("HOOKS=y", *options)))
    subprocess.run([package / "openipc.sh", tree], check=True, stdout=subprocess.PIPE,
                   env={"PATH": "/usr/bin:/bin", "BUILD_DIR": archive.parent, "BR2_CONFIG": chosen})
    return tree


def _chip(lab, broker, options=(), append="", **variables):
    """One copy of the environment, which is never written under the default policy."""
    return lab.flash("single", flash.environment(append=append, **variables), _firmware(lab, options)).settings(
        {"intercom-agent.toml": config(mqtt(broker)), "start": "ls /sys/class/net >/run/early\n"})




def no_frame_under_the_old_mac(lab):
    """The driver comes late, and still no frame leaves under the old MAC; what the agent says is in syslog."""
    with Broker(lab) as broker:
        chip = _chip(lab, broker)
        board, _ = change(lab, broker, chip)
        with board:
            until_told(board)
            assert "confirmed and durable" in board.sh("logread | grep intercom-agent")
            assert board.run("dmesg | grep intercom-agent")[0] != 0, "said twice"
            board.sh("sync")
        capture = lab.logs / "rebooted.pcap"
        with machines.panel(chip, lab.log("again"), extra=captured(capture)) as board:
            board.shell(60)
            broker.online(NEW)
            assert identity(board) == (NEW, NEW, NEW_SERIAL)
            assert board.run("grep eth0 /run/early")[0] != 0, "the driver was there from the start"
            log = board.sh("logread | grep intercom-agent")
            assert NEW in log and "intercom-agent: intercom-agent" not in log, log
        frames = senders(lab, capture)
        assert OLD not in frames and frames[NEW] > 2, frames


def with_a_radio(lab):
    """Where S40network sets the MAC addresses itself, because there is a radio, it asks the agent too."""
    with Broker(lab) as broker:
        chip = _chip(lab, broker, wlandev="none", netaddr_fallback="10.0.2.15")
        board, _ = change(lab, broker, chip)
        with board:
            until_told(board)
            board.sh("sync")
        capture = lab.logs / "rebooted.pcap"
        with machines.panel(chip, lab.log("again"), extra=captured(capture)) as board:
            board.shell(60)
            broker.online(NEW)
            assert board.sh("fw_printenv -n ethaddr").upper() == OLD
        frames = senders(lab, capture)
        assert OLD not in frames and frames[NEW] > 2, frames


def upgraded(lab):
    """sysupgrade finds the agent stopped before it writes the flash, and the record is carried over."""
    with Broker(lab) as broker:
        chip = _chip(lab, broker)
        board, _ = change(lab, broker, chip)
        with board:
            until_told(board)
            board.type("sysupgrade\n")
            board.wait("sysupgrade: writes the flash, agent: none", 30)
            broker.offline()
            board.ended(60)
        with machines.panel(chip, lab.log("upgraded")) as board:
            board.shell(60)
            broker.online(NEW)
            assert identity(board) == (NEW, NEW, NEW_SERIAL)


def reset(lab):
    """firstboot gives the identity back: the panel is what the factory made, and says that it is new."""
    with Broker(lab) as broker:
        chip = _chip(lab, broker)
        board, _ = change(lab, broker, chip)
        with board:
            until_told(board)
            broker.publish(f"intercoms/{OLD}/patch/r1", None)
            board.type("firstboot\n")
            board.wait("sysupgrade: writes the flash, agent: none", 30)
            board.ended(120)
        with machines.panel(chip, lab.log("reset")) as board:
            board.shell(60)
            broker.online(OLD)
            assert identity(board) == (OLD, OLD, OLD_SERIAL)
            assert answer(board, "status")["record_is_new"] is True


def reset_with_a_partition(lab):
    """With a partition of its own the record outlives firstboot, and the panel keeps its identity."""
    with Broker(lab) as broker:
        chip = _chip(lab, broker, ['PARTITION="panel"'], PARTITIONS)
        board, _ = change(lab, broker, chip)
        with board:
            until_told(board)
            assert board.sh("mount | grep -c 'mtd:panel on /var/lib/intercom-agent type jffs2'") == "1"
            assert board.run("intercom-agent doctor 2>/dev/null | grep -q '^ok *state-room'")[0] == 0
            board.type("firstboot\n")
            board.wait("sysupgrade: writes the flash, agent: none", 30)
            board.ended(120)
        with machines.panel(chip, lab.log("reset")) as board:
            board.shell(60)
            broker.online(NEW)
            assert identity(board) == (NEW, NEW, NEW_SERIAL)
            assert answer(board, "status")["record_is_new"] is False


CHECKS = [no_frame_under_the_old_mac, with_a_radio, upgraded, reset, reset_with_a_partition]
