"""A kernel of 4.9: restore and a whole change with every newer system call answering ENOSYS, and the list of calls."""

import re
import shutil
import subprocess

import flash as layout
import images
import machines
from agent import NEW, NEW_SERIAL, OLD, chip, config, identity, log_shown, mqtts, request, tree, until_told
from images import CHECKOUT
from upstream import Broker

# In the agent's place: itself, traced, and on a kernel that ends with 4.9.
TRACED = """#!/bin/sh
exec strace -f -c -o "/run/trace.$1.$$" linux-4.9 /usr/sbin/agent-traced "$@"
"""


def change_over_tls(lab):
    """restore, run, status and a change over TLS need no system call newer than Linux 4.9."""
    with Broker(lab, tls=True) as broker:
        authority = (images.certificates() / "ca.pem").read_text()
        settings = chip(lab, config(mqtts(broker), confirm_within=180), **{"ca.pem": authority})
        board_chip = layout.Flash(lab.directory / "traced.img", "redundant", settings.variables(), _tree(lab))
        board_chip.write(layout.SETTINGS, settings.read(layout.SETTINGS, layout.SETTINGS_SIZE))
        with machines.panel(board_chip, lab.log(), boot="kernel") as board:
            board.shell(90)
            with log_shown(board):
                broker.online(OLD, 90)
                broker.publish(f"intercoms/{OLD}/patch/r1", request())
                report = broker.report(180)
                assert report["status"] == "installed", report
            assert identity(board) == (NEW, NEW, NEW_SERIAL)
            assert board.sh("fw_printenv -n ethaddr") == NEW
            until_told(board)
            # The list is written when the traced ones end, the DHCP client of the hook among them.
            board.sh("sed -i '/intercom-agent run/d' /etc/inittab; kill -HUP 1; sleep 1; kill $(pidof agent-traced udhcpc); "
                     "while [ ! -s /run/trace.run.* ]; do usleep 100000; done", 60)
            traces = board.sh("cat /run/trace.run.* /run/trace.restore.* /run/trace.status.*")
    newer = re.compile(re.search(r"^newer='(.*)'$", (CHECKOUT / "cross/syscalls").read_text(), re.MULTILINE)[1])
    calls = {}
    for line in traces.splitlines():
        if match := re.match(r"\s*[0-9.]+\s+[0-9.]+\s+\d+\s+(\d+)\s+(\d+)?\s*([a-z_0-9]+)\s*$", line):
            count, failed = calls.get(match[3], (0, 0))
            calls[match[3]] = count + int(match[1]), failed + int(match[2] or 0)
    del calls["total"]
    tried = {name: counts for name, counts in calls.items() if newer.fullmatch(name)}
    older = sorted(set(calls) - set(tried))
    lab.note(f"{len(older)} system calls, those of the hooks and the DHCP client among them: {', '.join(older)}")
    lab.note(f"newer than 4.9, tried and refused: {', '.join(sorted(tried)) or 'none'}")
    assert {"execve", "sendto", "fsync", "clock_gettime"} <= set(calls), "this is not the list of a change"
    assert all(count == failed for count, failed in tried.values()), f"the filter let some pass: {tried}"


def _tree(lab):
    """The agent's tree with the agent behind the filter and strace."""
    directory = lab.directory / "tree-traced"
    shutil.copytree(tree(lab), directory, symlinks=True)
    programs = directory / "usr/sbin"
    (programs / "intercom-agent").rename(programs / "agent-traced")
    (programs / "intercom-agent").write_text(TRACED)
    (programs / "intercom-agent").chmod(0o755)
    subprocess.run([CHECKOUT / "cross/syscalls", "--wrapper"], check=True)
    shutil.copy(CHECKOUT / "cross/out/linux-4.9", programs)
    shutil.copy(images.rivals() / "usr/bin/strace", programs)
    libraries = directory / "usr/lib/arm-linux-gnueabihf"
    libraries.mkdir(parents=True, exist_ok=True)
    for name in ("usr/lib/arm-linux-gnueabihf/libunwind*.so.8", "lib/arm-linux-gnueabihf/liblzma.so.5"):
        for found in images.rivals().glob(name):
            shutil.copy(found, libraries)
    return directory


CHECKS = [change_over_tls]
