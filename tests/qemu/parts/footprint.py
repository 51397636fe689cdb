"""Memory, threads, wake-ups, bytes and time over TCP, TLS 1.2 and 1.3, beside mosquitto_sub and Mender's daemon."""

import concurrent.futures
import shutil
import threading
import time

import flash as layout
import images
import machines
import power
from agent import NEW, OLD, chip, config, log_shown, mqtt, mqtts, request, tree, until_told
from board import patience
from lab import Skip
from upstream import BOARD_SEES, Broker

SECONDS = 60
# What a process maps, and how often it was waked, by the kernel's own count.
MEASURE = """m() { sed -n 's/^\\(Pss\\|Rss\\): *\\([0-9]*\\).*/\\2/p' /proc/$1/smaps_rollup | tr '\\n' ' '
ls /proc/$1/task | wc -l | tr '\\n' ' '
cat /proc/$1/task/*/status | sed -n 's/^voluntary_ctxt_switches:\\s*//p' | awk '{n+=$1} END {print n}'; }"""
# The highest PSS until it is told to stop. The daemon is looked up once: later `status` runs under the same name.
PEAK = """daemon=$(pidof intercom-agent); ((while [ ! -e /run/stop ]; do
sed -n 's/^Pss: *\\([0-9]*\\).*/\\1/p' /proc/$daemon/smaps_rollup; usleep 20000; done | sort -n | tail -n 1 >/run/peak) &)"""
TIME = "ms to subscribed"
COLUMNS = ("binary", "libraries", "all bytes", "PSS kB", "RSS kB", "peak PSS", "peak RSS", "threads", "wakes/min", TIME)
# What the agent may have while it is idle, in kB of PSS.
BUDGET = 1536
GOAL = 1280
TRANSPORTS = ("plain", "TLS 1.2", "TLS 1.3")
# Mender's daemon shares OpenSSL there with mosquitto_sub, whose PSS is lower for it.
WITH_MENDER = "TLS 1.3"
# Times are taken on one board after the other.
_TIMING = threading.Lock()


def table(lab):
    """Idle for a minute over each transport and at the peak of a change: a table with the ratios to the rivals."""
    with concurrent.futures.ThreadPoolExecutor(len(TRANSPORTS)) as boards:
        measured = dict(zip(TRANSPORTS, boards.map(lambda over: _measured(lab, over), TRANSPORTS)))
    found = {name: values for board in measured.values() for name, values in board.programs.items()}
    lab.note(f"{'':24}" + "".join(f"{column:>{_width(column)}}" for column in COLUMNS))
    for name, values in found.items():
        lab.note(f"{name:24}" + "".join(f"{values.get(column, ''):>{_width(column)}}" for column in COLUMNS))
    rivals = [(f"intercom-agent {over}", f"mosquitto_sub {over}") for over in TRANSPORTS]
    for ours, theirs in (*rivals, ("intercom-agent TLS 1.3", "mender daemon")):
        lab.note(f"{'to ' + theirs:24}" + _ratios(found[ours], found[theirs]))
    for over in TRANSPORTS[1:]:
        took = {name: found[f"{name} {over}"][TIME] - found[f"{name} plain"][TIME]
                for name in ("intercom-agent", "mosquitto_sub")}
        lab.note(f"{over} adds: " + ", ".join(f"{name} {ms} ms" for name, ms in took.items()))
    for over, board in measured.items():
        lab.note(f"flash, {over}: {board.change} for a change; {board.idle} in {SECONDS} s idle "
                 f"(an hour idle, by that: {board.idle.bytes * 3600 // SECONDS} bytes)")
    assert not any(board.idle.bytes for board in measured.values()), "the agent writes while it is idle"
    idle = max(found[f"intercom-agent {over}"]["PSS kB"] for over in TRANSPORTS)
    assert idle <= BUDGET, f"{idle} kB of PSS are over the budget of {BUDGET}"
    if idle > GOAL:
        lab.note(f"{idle} kB of PSS are in the budget of {BUDGET}, and above the goal of {GOAL}")


class _Board:
    def __init__(self):
        self.programs = {}
        self.change = self.idle = None


class Writes:
    """What went to the flash: sectors erased, bytes programmed."""

    def __init__(self, writes):
        self.erased = sum(len(data) > power.PAGE for _, data in writes)
        self.bytes = sum(len(data) for _, data in writes if len(data) <= power.PAGE)

    def __str__(self):
        return f"{self.bytes} bytes programmed, {self.erased} sectors erased"


def _measured(lab, over):
    """One board with the agent over one transport, and the rivals."""
    found = _Board()
    with Broker(lab, tls=False if over == "plain" else over.removeprefix("TLS ")) as broker:
        ca = (images.certificates() / "ca.pem").read_text()
        agents = chip(lab, config((mqtt if over == "plain" else mqtts)(broker)),
                      **{"ca.pem": ca, "start": "date -s 2026-11-01"})
        with_rivals = _tree(lab, over)
        board_chip = layout.Flash(lab.directory / f"rivals {over}.img", "redundant", agents.variables(), with_rivals)
        board_chip.write(layout.SETTINGS, agents.read(layout.SETTINGS, layout.SETTINGS_SIZE))
        recording = power.Recording(board_chip.path.with_suffix(".writes"))
        with machines.panel(board_chip, lab.log(over.replace(" ", "-")), boot="kernel",
                            append=_partitions(with_rivals), extra=recording.arguments) as board:
            board.shell()
            with log_shown(board):
                broker.online(OLD)
            programs = {f"intercom-agent {over}": "intercom-agent", **_rivals(board, broker, over)}
            formatted(board, recording)
            board.sh(MEASURE)
            first = {name: _sample(board, process) for name, process in programs.items()}
            written = len(recording.writes())
            board.sh(f"sleep {SECONDS}", SECONDS + 60)
            found.idle = Writes(recording.writes()[written:])
            for name, process in programs.items():
                rss, pss, threads, wakes = _sample(board, process)
                found.programs[name] = {**_bytes(board, process), "PSS kB": pss, "RSS kB": rss, "threads": threads,
                                        "wakes/min": (wakes - first[name][3]) * 60 // SECONDS}
            ours = found.programs[f"intercom-agent {over}"]
            board.sh("echo 5 >/proc/$(pidof intercom-agent)/clear_refs")
            board.sh(PEAK)
            written = len(recording.writes())
            with log_shown(board):
                broker.publish(f"intercoms/{OLD}/patch/r1", request())
                assert broker.report()["status"] == "installed"
            until_told(board)
            found.change = Writes(recording.writes()[written:])
            board.sh("touch /run/stop; while [ ! -s /run/peak ]; do usleep 50000; done")
            ours["peak PSS"] = int(board.sh("cat /run/peak"))
            ours["peak RSS"] = int(board.sh("sed -n 's/^VmHWM:\\s*\\([0-9]*\\).*/\\1/p' "
                                            "/proc/$(pidof intercom-agent)/status"))
            with _TIMING:
                for name, values in found.programs.items():
                    if "mender" not in name:
                        values[TIME] = _time(board, broker, values is ours, over)
    return found


def formatted(board, recording, limit=120):
    """Waits until jffs2 has formatted its new partition, which it goes on with after it is mounted."""
    end, before = time.monotonic() + limit * patience(), -1
    while (now := len(recording.writes())) != before:
        assert time.monotonic() < end, "the board does not stop writing"
        before = now
        board.sh("sleep 4")


def _rivals(board, broker, over):
    """Starts them: {name: process}."""
    board.sh(f"{_subscriber(broker, over)} >/dev/null 2>&1 & sleep 3")
    subscriber = {f"mosquitto_sub {over}": "mosquitto_sub"}
    if over != WITH_MENDER:
        return subscriber
    # Its database cannot be on jffs2.
    board.sh("mkdir -p /var/lib/mender /etc/mender; mount -t tmpfs tmpfs /var/lib/mender; "
             """echo '{"ServerURL": "https://10.0.2.2:1", "DBus": {"Enabled": false}}' >/etc/mender/mender.conf; """
             "mender daemon >/run/mender.log 2>&1 & sleep 5")
    if board.run("pidof mender")[0] != 0:
        raise Skip(f"mender's daemon ended: {board.run('cat /run/mender.log')[1]}")
    return {**subscriber, "mender daemon": "mender"}


def _subscriber(broker, over, more=""):
    version = over.replace("TLS ", "tlsv")
    with_tls = f"--cafile /run/settings/ca.pem --insecure --tls-version {version}" if over != "plain" else ""
    return f"mosquitto_sub -h {BOARD_SEES} -p {broker.port} {with_tls} -q 1 -t probe {more}"


def _sample(board, process):
    return [int(word) for word in board.sh(f"m $(pidof {process})").split()]


def _bytes(board, process):
    """The program's own file and what it maps besides."""
    lines = board.sh(f"p=$(pidof {process}); readlink /proc/$p/exe; "
                     "for f in $(sed -n 's/.* \\(\\/.*\\)/\\1/p' /proc/$p/maps | sort -u); do stat -c '%s %n' $f; done"
                     ).splitlines()
    sizes = {name: int(size) for size, name in (line.split(" ", 1) for line in lines[1:])}
    binary = sizes.pop(lines[0])
    libraries = sum(sizes.values())
    return {"binary": binary, "libraries": libraries, "all bytes": binary + libraries}


def _time(board, broker, agent, over, attempts=3):
    """Milliseconds from exec until the subscription holds, by the host's clock; the best of some."""
    best = None
    if agent:
        # The presences of before would end the first waits at once.
        broker.forget()
        # Not by init any more, which is in no hurry.
        board.sh("sed -i '/intercom-agent run/d' /etc/inittab; kill -HUP 1; sleep 1; kill $(pidof intercom-agent); "
                 "while pidof intercom-agent >/dev/null; do usleep 50000; done")
        broker.offline()
    else:
        broker.publish("probe", {"any": "thing"})
    for _ in range(attempts):
        started = time.monotonic()
        if agent:
            board.type("intercom-agent run >/dev/null 2>&1 &\n")
            broker.online(NEW)
        else:
            board.sh(_subscriber(broker, over, "-C 1 >/dev/null"))
        took = round((time.monotonic() - started) * 1000)
        best = min(best or took, took)
        if agent:
            board.sh("kill $(pidof intercom-agent); while pidof intercom-agent >/dev/null; do usleep 50000; done")
            broker.offline()
    return best


def _tree(lab, over):
    """The agent's tree with Debian's mosquitto_sub and mender, and what they need."""
    directory = lab.directory / f"tree-rivals {over}"
    shutil.copytree(tree(lab), directory, symlinks=True)
    programs = ["usr/bin/mosquitto_sub"] + (["usr/bin/mender"] if over == WITH_MENDER else [])
    for part in (*programs, "usr/lib/arm-linux-gnueabihf", "lib/arm-linux-gnueabihf", "usr/share/mender"):
        source, target = images.rivals() / part, directory / part
        if not source.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            unused = {"gio", "glib-2.0", "engines-3", "ossl-modules"}
            shutil.copytree(source, target, symlinks=True, ignore=lambda _, names: unused & set(names))
        else:
            shutil.copy(source, target)
    return directory


def _partitions(with_rivals):
    """With room for the rivals in the root file system: a larger partition than a panel has."""
    size = (images.rootfs("redundant", with_rivals) / "rootfs.squashfs").stat().st_size
    sectors = -(-size // 0x10000)
    return f"mtdparts=hi_sfc:256k(boot),64k(env),64k(env2),3712k(kernel),{sectors * 64}k(rootfs),-(rootfs_data)"


def _width(column):
    return max(10, len(column) + 2)


def _ratios(ours, theirs):
    def ratio(column):
        if column not in ours or not theirs.get(column):
            return ""
        return f"{ours[column] / theirs[column]:.2f}"
    return "".join(f"{ratio(column):>{_width(column)}}" for column in COLUMNS)


CHECKS = [table]
