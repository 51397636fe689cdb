"""Memory, threads, wake-ups and bytes on the board, beside mosquitto_sub."""

import concurrent.futures
import shutil

import images
import machines
from agent import NEW, OLD, chip, config, log_shown, mqtt, mqtts, request, tree
from upstream import BOARD_SEES, Broker

SECONDS = 60
# What a process maps, and how often it was waked, by the kernel's own count.
MEASURE = """m() { sed -n 's/^\\(Pss\\|Rss\\|Private_Dirty\\): *\\([0-9]*\\).*/\\2/p' /proc/$1/smaps_rollup | tr '\\n' ' '
ls /proc/$1/task | wc -l | tr '\\n' ' '
cat /proc/$1/task/*/status | sed -n 's/^voluntary_ctxt_switches:\\s*//p' | awk '{n+=$1} END {print n}'; }"""


def table(lab):
    """Idle for a minute over each transport, and at the peak of a change."""
    with concurrent.futures.ThreadPoolExecutor(2) as boards:
        plain, tls = boards.map(lambda over: _measured(lab, over), (False, True))
    size = lab.agent().stat().st_size
    lab.note(f"{'':22}{'PSS kB':>8}{'RSS kB':>8}{'dirty':>7}{'threads':>9}{'wakes/min':>11}{'peak RSS':>10}{'bytes':>11}")
    for over, found in (("plain", plain), ("TLS", tls)):
        for name, (rss, pss, dirty, threads, wakes, peak, bytes_) in found.items():
            lab.note(f"{name + ' ' + over:22}{pss:8}{rss:8}{dirty:7}{threads:9}{wakes:11}{peak:>10}{bytes_:11}")
        ours, theirs = found["intercom-agent"], found["mosquitto_sub"]
        lab.note(f"{'ratio ' + over:22}" + "".join(f"{ours[n] / max(1, theirs[n]):{w}.2f}" for n, w in
                                                   ((1, 8), (0, 8), (2, 7), (3, 9), (4, 11))) +
                 f"{'':10}{ours[6] / theirs[6]:11.2f}")
    assert size <= 1310720
    assert plain["intercom-agent"][1] <= 1792 and tls["intercom-agent"][1] <= 1792, "over the budget of 1.75 MiB PSS"


def _measured(lab, over_tls):
    """{program: (RSS, PSS, private dirty, threads, wake-ups a minute, peak RSS, bytes with libraries)} on one board."""
    rivals = lab.directory / "tree-rivals"
    with Broker(lab, tls=over_tls) as broker:
        settings = config((mqtts if over_tls else mqtt)(broker))
        files = {"ca.pem": (images.certificates() / "ca.pem").read_text(), "start": "date -s 2026-11-01"}
        flash = chip(lab, settings, **files)
        flash_ = type(flash)(lab.directory / f"rivals-{over_tls}.img", "redundant", flash.variables(), _tree(lab, rivals))
        flash_.write(0x30000, flash.read(0x30000, 0x10000))
        with machines.panel(flash_, lab.log("tls" if over_tls else "plain")) as board:
            board.shell()
            with log_shown(board):
                broker.online(OLD)
            with_tls = "--cafile /run/settings/ca.pem --insecure" if over_tls else ""
            board.sh(f"mosquitto_sub -h {BOARD_SEES} -p {broker.port} {with_tls} -q 1 -t probe >/dev/null 2>&1 & sleep 3")
            board.sh(MEASURE)
            programs = ("intercom-agent", "mosquitto_sub")
            first = {name: _sample(board, name) for name in programs}
            board.sh(f"sleep {SECONDS}", SECONDS + 30)
            found = {}
            for name in programs:
                rss, pss, dirty, threads, wakes = _sample(board, name)
                bytes_ = int(board.sh("for f in $(sed -n 's/.* \\(\\/.*\\)/\\1/p' /proc/$(pidof " + name + ")/maps | "
                                      "sort -u); do stat -c %s $f; done | awk '{n+=$1} END {print n}'"))
                found[name] = [rss, pss, dirty, threads, (wakes - first[name][4]) * 60 // SECONDS, "", bytes_]
            with log_shown(board):
                broker.publish(f"intercoms/{OLD}/patch/r1", request())
                assert broker.report()["status"] == "installed"
            broker.online(NEW)
            found["intercom-agent"][5] = board.sh("sed -n 's/^VmHWM:\\s*\\([0-9]*\\).*/\\1/p' /proc/$(pidof intercom-agent)/status")
            return found


def _sample(board, name):
    return [int(word) for word in board.sh(f"m $(pidof {name})").split()]


def _tree(lab, directory):
    """The agent's tree with Debian's mosquitto_sub and what it needs."""
    if not directory.exists():
        shutil.copytree(tree(lab), directory, symlinks=True)
        for part in ("usr/bin/mosquitto_sub", "usr/lib/arm-linux-gnueabihf"):
            source, target = images.rivals() / part, directory / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, symlinks=True, ignore=lambda _, names: {
                    n for n in names if not n.startswith(("libmosquitto", "libssl", "libcrypto", "libcjson"))})
            else:
                shutil.copy(source, target)
    return directory


CHECKS = [table]
