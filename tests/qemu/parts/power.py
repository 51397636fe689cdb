"""Power cuts during a change: at every write to the flash, on seeing it change, at random; and the negative control."""

import json
import random
import time

import flash
import images
import machines
import power
from agent import NEW, NEW_SERIAL, OLD, OLD_SERIAL, chip, config, mqtt, request, tree, until_told
from cuts import Change, counted, environment, environment_image
from parts import fw_setenv
from upstream import Broker

# What a board says of itself when `restore` has run.
PROBE = """intercom-agent status --json 2>/dev/null
echo "probe: carries"
cat /sys/class/net/eth0/address /run/intercom-agent/identity.env
echo "probe: end"
exec sleep 1000
"""
TOPIC = f"intercoms/{OLD}/patch/r1"


def redundant(lab):
    """Two copies, default policy: after a cut at any write the board is wholly the old or the new one, and boots."""
    assert _cuts(lab, "redundant", "redundant-only") == 0


def single(lab):
    """One copy, default policy: the same, and the environment is never touched."""
    assert _cuts(lab, "single", "redundant-only") == 0


def single_always(lab):
    """One copy, policy `always`: `restore` heals every cut, but U-Boot alone cannot start the board after many."""
    assert _cuts(lab, "single", "always") > 0, "a single copy cannot be safe: this check must have gone wrong"


def killed(lab):
    """Boards killed during a change, on seeing their flash change or at random: U-Boot starts them, and each is told
    to be the new one once."""
    chance = random.Random(6)
    for number in range(200 if lab.long else 6):
        copies = ("redundant", "single")[number % 2]
        board_chip = chip(lab, "", copies)
        with Broker(lab) as broker:
            board_chip.settings({"intercom-agent.toml": config(mqtt(broker))})
            with machines.panel(board_chip, lab.log(f"killed-{number}"), boot="kernel") as board:
                board.shell()
                broker.online(OLD)
                board.sh("sync")
                changes = board_chip.path.stat().st_mtime_ns
                broker.publish(TOPIC, request())
                power.cut_on_write(board, board_chip, changes, chance.uniform(0, 4) if number % 4 > 1 else 0)
        assert environment(board_chip, board_chip.path.read_bytes()) != "none", f"board {number} lost its environment"
        _to_the_end(lab, board_chip, f"after-{number}")
        board_chip.path.unlink()
    lab.note(f"{number + 1} boards killed, all installed once and reported")


def _cuts(lab, copies, policy):
    """Boots what every chosen cut left; how many of all writes leave a board that U-Boot cannot start."""
    change = _recorded(lab, copies, policy)
    cuts = change.chosen(3_400 if lab.long else 68)
    all_writes = change.environments()
    lab.note(f"{len(change.writes)} writes in a change; the environment after each: {counted(all_writes)}")
    judged = _judge_all(lab, change, cuts, policy)
    lab.note(f"{len(cuts)} cuts booted: {counted(judged)}")
    assert judged == sorted(judged, key=["old", "changing", "new"].index), f"back and forth: {judged}"
    assert {"old", "new"} <= set(judged)
    dead = _started_by_uboot(lab, change, cuts)
    for number in range(2):
        cut = (len(change.writes) * number // 2, 0)
        left = _left(lab, change, cut)
        if environment(left, left.path.read_bytes()) != "none":
            _to_the_end(lab, left, f"whole-{cut[0]}", policy)
    lab.note(f"U-Boot starts {len(cuts) - dead} of the {len(cuts)} boards, {dead} are dead")
    assert (dead > 0) == (all_writes["none"] > 0)
    return all_writes["none"]


def _recorded(lab, copies, policy):
    """A change with every write of it."""
    with Broker(lab) as broker:
        board_chip = chip(lab, config(mqtt(broker), policy), copies)
        started = lab.copy(board_chip)
        recording = power.Recording(board_chip.path.with_suffix(".writes"))
        with machines.panel(board_chip, lab.log("recorded"), boot="kernel", extra=recording.arguments) as board:
            board.shell()
            broker.online(OLD)
            board.sh("sync")
            first = len(recording.writes())
            broker.publish(TOPIC, request())
            assert broker.report()["status"] == "installed"
            _settled(recording)
            board.qmp("stop")
    writes = recording.writes()
    whole = power.after(started, writes, len(writes))
    assert whole == board_chip.path.read_bytes(), "the recorded writes are not those of the board"
    started.write(0, power.after(started, writes, first))
    return Change(started, writes[first:])


def _settled(recording, quiet=2.0, limit=30):
    """Waits until nothing more is written."""
    last, since, end = -1, time.monotonic(), time.monotonic() + limit
    while time.monotonic() - since < quiet and time.monotonic() < end:
        if (size := recording.path.stat().st_size) != last:
            last, since = size, time.monotonic()
        time.sleep(0.1)


def _left(lab, change, cut):
    """The flash that a cut leaves, as a board of its own."""
    left = lab.copy(change.before)
    left.write(0, change.content(cut))
    return left


def _judge_all(lab, change, cuts, policy):
    """Lets a board that waits to read its flash go on with that of every cut: "old", "changing" or "new" for each."""
    waiting = lab.copy(change.before)
    initrd = images.rootfs(waiting.copies, tree(lab)) / "initrd.gz"
    machine = {"boot": "initrd", "initrd": initrd, "append": "wait=flash hwaddress=keep"}
    with machines.panel(waiting, lab.log("waiting"), **machine) as board:
        board.wait("init: waiting")
        saved = power.Saved(board, waiting, lab.directory / "waiting")

    def boot(cut):
        left = _left(lab, change, cut)
        left.settings({"intercom-agent.toml": config('[mqtt]\nurl = "mqtt://10.0.2.2"', policy), "probe": PROBE})
        with machines.panel(left, lab.log("cut-%d-%d" % cut), extra=saved.resume(), **machine) as board:
            power.running(board)
            board.type("\n")
            record = json.loads(board.wait(r"^(\{.*\})\r?\nprobe: carries\r?\n", 40)[1])
            carries = board.wait(r"(?s)(.*?)probe: end")[1].decode()
        content = left.path.read_bytes()
        left.path.unlink()
        assert environment(left, content) != "none", f"after cut {cut} restore left no good environment"
        written = left.copies == "redundant" or policy == "always"
        return _judge(cut, record, carries, left.active(content) if written else None)

    return [boot(cut) for cut in cuts]


def _judge(cut, record, carries, variables):
    """Whether the board agrees with itself; which identity it has."""
    change = record.get("change")
    wanted = change["to"] if change else record["current"]
    mac, serial = wanted["mac"], wanted["serial_number"]
    name = {(OLD, OLD_SERIAL): "old", (NEW, NEW_SERIAL): "new"}.get((mac, serial))
    assert name, f"after cut {cut} a mixed record: {wanted}"
    assert carries.upper().startswith(mac) and f'INTERCOM_MAC="{mac}"' in carries, f"after cut {cut}: {carries}"
    assert f'INTERCOM_SERIAL_NUMBER="{serial}"' in carries, f"after cut {cut}: {carries}"
    if variables is not None and not change:
        found = (variables["ethaddr"], variables["serialno"])
        assert found == (mac, serial), f"after cut {cut}: environment {found}, record {mac} {serial}"
    return "changing" if change else name


def _started_by_uboot(lab, change, cuts):
    """Boots each different environment that the cuts leave through a U-Boot that cannot start the board without one;
    how many of the cuts are then dead."""
    numbers = range(2 if change.before.copies == "redundant" else 1)
    different = {}
    for cut in cuts:
        content = change.content(cut)
        different.setdefault(tuple(environment_image(content, number) for number in numbers), []).append(cut)
    dead = 0
    for same in different.values():
        left = _left(lab, change, same[0])
        expected = environment(left, left.path.read_bytes()) == "none"
        with machines.panel(left, lab.log("uboot-%d-%d" % same[0])) as board:
            says = board.wait("Starting kernel|compiled-in default: cannot boot")[0]
        left.path.unlink()
        assert (b"cannot" in says) == expected, f"after cut {same[0]} U-Boot says {says}"
        dead += len(same) if expected else 0
    return dead


def _to_the_end(lab, left, log, policy="redundant-only"):
    """A board with U-Boot and a broker that still has the request: it ends as the new one, installed once, reported."""
    with Broker(lab) as broker:
        left.settings({"intercom-agent.toml": config(mqtt(broker), policy)})
        broker.publish(TOPIC, request())
        with machines.panel(left, lab.log(log)) as board:
            board.shell()
            broker.online(NEW, 90)
            status = until_told(board)
        assert status["current"] == {"mac": NEW, "serial_number": NEW_SERIAL}, status
        assert status["counters"]["installed"] == 1 and status["counters"]["rolled_back"] == 0, status
        outcomes = [report["status"] for report in broker.reports]
        # Nothing is left to report when the cut came after the report.
        assert set(outcomes) <= {"installed"}, outcomes


CHECKS = [redundant, single, single_always, killed, *fw_setenv.CHECKS]
