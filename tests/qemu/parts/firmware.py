"""A firmware that sets the MAC itself, as OpenIPC's does: by ifupdown, from the U-Boot environment, before DHCP."""

import shutil
import struct
import subprocess

import flash
import images
import machines
from agent import NEW, NEW_SERIAL, OLD, change, config, identity, log_shown, mqtt, until_told
from images import CHECKOUT, HERE
from parts.init import BY_INSTRUCTIONS
from upstream import Broker

NETWORK = "/etc/init.d/S40network"
SETS_THE_MAC = "etc/network/interfaces.d/eth0"


def _firmware(lab, name="firmware"):
    """The firmware's files, to be laid over the board's own."""
    tree = lab.directory / name
    shutil.copytree(HERE / "rootfs-firmware", tree, symlinks=True)
    for hooks in ("if-pre-up.d", "if-up.d", "if-down.d", "if-post-down.d"):
        (tree / "etc/network" / hooks).mkdir()
    shutil.copy(HERE / "rootfs/etc/inittab", tree / "etc")
    (tree / "etc/intercom-agent.toml").symlink_to("/run/settings/intercom-agent.toml")
    (tree / "bin").mkdir()
    shutil.copy(images.busybox(), tree / "bin")
    return tree


def _with_agent(lab):
    """The same, with the agent as systemd/install puts it there."""
    tree = _firmware(lab, "firmware-with-agent")
    subprocess.run([CHECKOUT / "systemd/install", "--root", tree, "--binary", lab.agent(), "--busybox", "--respawn"],
                   check=True)
    return tree


def _chip(lab, tree, settings=""):
    """One copy of the environment, which is never written under the default policy; and the kernel's log as it is where
    nobody has set it up."""
    variables = flash.environment()
    variables["bootargs"] = variables["bootargs"].replace("printk.devkmsg=on ", "")
    return lab.flash("single", variables, tree).settings({"intercom-agent.toml": settings})


def no_frame_under_the_old_mac(lab):
    """After a change no frame leaves under the old MAC: not when the network restarts, nor at the next boot."""
    with Broker(lab) as broker:
        chip = _chip(lab, _with_agent(lab), config(mqtt(broker)))
        captures = [lab.logs / f"{name}.pcap" for name in ("changed", "rebooted")]
        board, _ = change(lab, broker, chip)
        with board, log_shown(board):
            until_told(board)
            board.capture(captures[0])
            # The client's script is still at work.
            _restart_network(board)
            board.sh("sync")
        with machines.panel(chip, lab.log("again"), extra=captured(captures[1])) as board:
            board.shell(60)
            with log_shown(board):
                broker.online(NEW)
                _restart_network(board)
    for capture in captures:
        frames = senders(lab, capture)
        # DHCP alone takes two.
        assert OLD not in frames and frames[NEW] > 2, frames


def _restart_network(board):
    """Restarts it as an installer does: the panel has its address again, under the new identity."""
    board.sh(f"{NETWORK} restart >/dev/null 2>&1", 60)
    assert board.sh("ip -4 addr show eth0 | grep -c 'inet 10.0.2.'") == "1"
    assert board.sh("ip route | grep -c ^default") == "1"
    assert identity(board) == (NEW, NEW, NEW_SERIAL)


def captured(path):
    return ["-object", f"filter-dump,id=capture,netdev=net0,file={path}"]


def senders(lab, capture):
    """How many frames each MAC address has sent, by a capture in libpcap's format: a header of 24 bytes, and one of 16
    for each frame."""
    data, frames, at = capture.read_bytes(), {}, 24
    while at + 16 <= len(data):
        sender = data[at + 22 : at + 28].hex(":").upper()
        frames[sender] = frames.get(sender, 0) + 1
        at += 16 + struct.unpack_from("<I", data, at + 8)[0]
    lab.note(f"{capture.name}: " + ", ".join(f"{count} frames from {mac}" for mac, count in frames.items()))
    return frames


def restarted_where_the_firmware_does_not_ask(lab):
    """Where the firmware does not ask, S45 puts the MAC right, and a restart of the network at once leaves an address."""
    with Broker(lab) as broker:
        tree = _with_agent(lab)
        shutil.copy(HERE / "rootfs-firmware" / SETS_THE_MAC, tree / SETS_THE_MAC)
        chip = _chip(lab, tree, config(mqtt(broker)))
        board, _ = change(lab, broker, chip)
        with board:
            until_told(board)
            board.sh("sync")
        capture = lab.logs / "rebooted.pcap"
        with machines.panel(chip, lab.log("again"), extra=captured(capture)) as board:
            board.shell(60)
            assert OLD in senders(lab, capture), "a capture that cannot show the old MAC proves nothing"
            with log_shown(board):
                assert identity(board) == (NEW, NEW, NEW_SERIAL)
                board.sh(f"{NETWORK} restart >/dev/null 2>&1", 60)
                # What an earlier client's script does at its end must not matter.
                board.sh("while ps | grep -q '[d]efault.script'; do sleep 1; done", 60)
                assert board.sh("ip -4 addr show eth0 | grep -c 'inet 10.0.2.'") == "1"
                assert board.sh("ip route | grep -c ^default") == "1"


def beside_the_daemon(lab):
    """S45 beside the daemon says nothing is wrong, and the kernel's log has every line of the agent under its name."""
    with Broker(lab) as broker:
        board, _ = change(lab, broker, _chip(lab, _with_agent(lab), config(mqtt(broker))))
        with board:
            until_told(board)
            assert board.run("/etc/init.d/S45intercom-restore start") == (0, "")
            log = board.sh("dmesg | grep intercom-agent")
            lab.note(board.sh("dmesg | grep -c intercom-agent") + " lines of the agent's in the kernel's log")
            # S45 asks the daemon, which answers with what it is now.
            for line in (f"the board carries MAC {OLD}", "the board now carries MAC", "confirmed and durable",
                         f"the board carries MAC {NEW}"):
                assert line in log, f"no {line!r} in\n{log}"
            assert "suppressed" not in board.sh("dmesg"), log


def installed_and_removed(lab):
    """Put in place on the running board and taken away again: the firmware's own files are as they were."""
    with Broker(lab) as broker:
        tree = _firmware(lab)
        shutil.copytree(CHECKOUT / "systemd", tree / "root/systemd")
        shutil.copy(lab.agent(), tree / "root")
        with machines.panel(_chip(lab, tree, config(mqtt(broker))), lab.log()) as board:
            board.shell(60)
            files = f"md5sum /etc/inittab /{SETS_THE_MAC} {NETWORK}; ls /etc/init.d /etc/network/interfaces.d /usr/sbin"
            before = board.sh(files)
            said = board.sh("/root/systemd/install --binary /root/intercom-agent --busybox --respawn")
            assert "now:" in said and "checks: " in said, f"not what doctor says of the result: {said}"
            board.sh("kill -HUP 1")
            broker.online(OLD)
            board.quiet()
            assert "intercom-mac $IFACE ||" in board.sh(f"cat /{SETS_THE_MAC}")
            board.sh("/root/systemd/install --remove")
            broker.offline()
            assert board.run("pidof intercom-agent")[0] != 0
            assert board.sh(files) == before


def boot_not_delayed(lab):
    """How long the init scripts take with the agent and without, on a board whose clock counts its instructions."""
    took = {}
    for name in ("without", "with"):
        with Broker(lab) as broker:
            tree = _with_agent(lab) if name == "with" else _firmware(lab)
            chip = _chip(lab, tree, config(mqtt(broker)))
            for boot in ("first", "second"):
                with machines.panel(chip, lab.log(f"{name}-{boot}"), boot="kernel", extra=BY_INSTRUCTIONS) as board:
                    took[name, boot] = float(board.wait(r"rcS: done at ([0-9.]+) s", 80)[1])
    lab.note(", ".join(f"{boot} boot {name}: {seconds} s" for (name, boot), seconds in took.items()))
    for boot in ("first", "second"):
        assert took["with", boot] - took["without", boot] < 1


CHECKS = [no_frame_under_the_old_mac, restarted_where_the_firmware_does_not_ask, beside_the_daemon, installed_and_removed,
          boot_not_delayed]
