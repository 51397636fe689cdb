"""Power cuts at every write to the flash during a change, and the negative control."""

import collections
import concurrent.futures
import json
import random
import time

import flash
import images
import machines
import power
from agent import NEW, NEW_SERIAL, OLD, OLD_SERIAL, answer, chip, config, mqtt, request, tree
from parts import fw_setenv
from upstream import Broker

# What a board says of itself when `restore` has run, on one line.
PROBE = """echo "probe: $(intercom-agent status --json 2>/dev/null | tr -d '\\n')"
echo "carries: $(cat /sys/class/net/eth0/address) $(tr '\\n' ' ' </run/intercom-agent/identity.env)"
echo "environment: $(fw_printenv -n ethaddr 2>&1) $(fw_printenv -n serialno 2>&1)"
echo "probe: end"
exec sleep 1000
"""


def redundant(lab):
    """Two copies, default policy: after a cut at any write the board is wholly the old or the new one, and boots."""
    dead = _cuts(lab, "redundant", "redundant-only")
    assert dead == 0


def single(lab):
    """One copy, default policy: the same, and the environment is never touched."""
    dead = _cuts(lab, "single", "redundant-only")
    assert dead == 0


def single_always(lab):
    """One copy, policy `always`: the record stays whole; how many cuts leave a board that U-Boot cannot start."""
    dead = _cuts(lab, "single", "always")
    assert dead > 0, "a single copy cannot be safe: this test must have gone wrong"


def _cuts(lab, copies, policy):
    """Boots what every chosen cut left; how many of all cuts leave no good environment for U-Boot."""
    with Broker(lab) as broker:
        before, writes = _recorded_change(lab, broker, copies, policy)
        cuts = _chosen(writes, 10_000 if lab.long else 72)
        environments = _all_environments(before, writes)
        dead = environments["none"]
        lab.note(f"{len(writes)} writes in a change; the environment after each: {_counted(environments)}")
        seen = _boot_all(lab, before, writes, cuts, config(mqtt(broker), policy))
        lab.note(f"{len(cuts)} cuts booted: {_counted(collections.Counter(name for _, name in seen))}")
        names = [name for _, name in seen]
        assert names == sorted(names, key=["old", "changing", "new"].index), f"back and forth: {names}"
        assert {"old", "new"} <= set(names)
        _to_the_end(lab, broker, before, writes)
        return dead


def _recorded_change(lab, broker, copies, policy):
    """The flash before a change and every write of it."""
    board_chip = chip(lab, config(mqtt(broker), policy), copies)
    started = lab.copy(board_chip)
    recording = power.Recording(board_chip.path.with_suffix(".writes"))
    board = machines.panel(board_chip, lab.log("recorded"), extra=recording.arguments)
    with board:
        board.shell()
        broker.online(OLD)
        board.sh("sync")
        first = len(recording.writes())
        broker.publish(f"intercoms/{OLD}/patch/r1", request())
        assert broker.report()["status"] == "installed"
        _settled(recording)
        board.qmp("stop")
    writes = recording.writes()
    whole = power.after(started, writes, len(writes))
    assert whole == board_chip.path.read_bytes(), "the recorded writes are not those of the board"
    started.write(0, power.after(started, writes, first))
    return started, writes[first:]


def _settled(recording, quiet=2.0, limit=30):
    """Waits until nothing more is written."""
    last, since, end = -1, time.monotonic(), time.monotonic() + limit
    while time.monotonic() - since < quiet and time.monotonic() < end:
        if (size := recording.path.stat().st_size) != last:
            last, since = size, time.monotonic()
        time.sleep(0.1)


def _chosen(writes, count):
    """Cuts as (whole writes, bytes of the next one): all about the record, the rest spread over the environment's,
    every other one in the middle of a page."""
    chance = random.Random(5)
    of_record = [n for n, (offset, _) in enumerate(writes) if offset >= flash.DATA]
    of_environment = [n for n, (offset, _) in enumerate(writes) if offset < flash.DATA]
    cuts = {(0, 0), (len(writes), 0)}
    while len(cuts) < count:
        some = chance.choice([kind for kind in (of_record, of_environment) if kind])
        number = chance.choice(some)
        size = len(writes[number][1])
        # An erase is one step for this chip.
        cuts.add((number, chance.randrange(size) if size <= power.PAGE and len(cuts) % 2 else 0))
    return sorted(cuts)


def _content(before, writes, cut):
    whole, part = cut
    content = power.after(before, writes, whole)
    if part:
        offset, data = writes[whole]
        power.apply(content, (offset, data[:part]))
    return content


def _all_environments(before, writes):
    """What U-Boot finds after each of all writes, booted or not."""
    content = bytearray(before.path.read_bytes())
    found = collections.Counter([_environment(before, content)])
    for write in writes:
        power.apply(content, write)
        if write[0] < flash.DATA:
            name = _environment(before, content)
        found[name if write[0] < flash.DATA else _environment(before, content)] += 1
    return found


def _environment(chip_, content):
    good = []
    for number in range(2 if chip_.copies == "redundant" else 1):
        at = flash.ENVIRONMENT[number]
        image = bytes(content[at : at + flash.ENVIRONMENT_SIZE])
        if (variables := chip_.parse(image)) is not None:
            good.append((image[4], -number, variables["ethaddr"]))
    if not good:
        return "none"
    return {OLD: "old", NEW: "new"}[(max(good) if chip_.copies == "redundant" else good[0])[2]]


def _boot_all(lab, before, writes, cuts, settings):
    """Boots every cut from a board that waits to read its flash: [(cut, "old", "changing" or "new")]."""
    waiting = lab.copy(before)
    initrd = images.rootfs(before.copies, tree(lab)) / "initrd.gz"
    machine = {"boot": "initrd", "initrd": initrd, "append": "wait=flash hwaddress=keep"}
    with machines.panel(waiting, lab.log("waiting"), **machine) as board:
        board.wait("init: waiting")
        saved = power.Saved(board, waiting, lab.directory / f"waiting-{before.copies}-{len(cuts)}")

    def boot(cut):
        left = lab.copy(before)
        left.write(0, _content(before, writes, cut))
        left.settings({"intercom-agent.toml": settings, "probe": PROBE})
        with machines.panel(left, lab.log("cut-%d-%d" % cut), extra=saved.resume(), **machine) as board:
            power.running(board)
            board.type("\n")
            says = json.loads(board.wait(r"^probe: (\{.*\})\r?$", 40)[1])
            carries = board.wait(r"^carries: (.*?)\r?$")[1].decode()
            in_environment = board.wait(r"^environment: (.*?)\r?$")[1].decode()
            board.wait("^probe: end")
        healed = _environment(left, left.path.read_bytes())
        left.path.unlink()
        return cut, _judge(cut, says, carries, in_environment, healed, before.copies, "always" in settings)

    with concurrent.futures.ThreadPoolExecutor(2) as boards:
        return list(boards.map(boot, cuts))


def _judge(cut, record, carries, in_environment, healed, copies, always):
    change = record.get("change")
    wanted = change["to"] if change else record["current"]
    both = {(OLD, OLD_SERIAL): "old", (NEW, NEW_SERIAL): "new"}
    name = both.get((wanted["mac"], wanted["serial_number"]))
    assert name, f"after cut {cut} a mixed record: {wanted}"
    mac, serial = wanted["mac"], wanted["serial_number"]
    assert carries.upper().startswith(mac) and f'INTERCOM_MAC="{mac}"' in carries, f"after cut {cut}: {carries}"
    assert f'INTERCOM_SERIAL_NUMBER="{serial}"' in carries, f"after cut {cut}: {carries}"
    assert healed != "none", f"after cut {cut} restore left no good environment"
    current = record["current"]
    if copies == "redundant" or always:
        expected = f"{current['mac']} {current['serial_number']}"
        assert change or in_environment == expected, f"after cut {cut}: environment {in_environment}, record {expected}"
    return "changing" if change else name


def _to_the_end(lab, broker, before, writes):
    """Some of the boards with U-Boot and the broker: each ends as the new one, with the request applied once."""
    for number in range(5):
        left = lab.copy(before)
        cut = len(writes) * number // 4
        content = power.after(before, writes, cut)
        if _environment(before, content) == "none":
            continue
        left.write(0, content)
        with machines.panel(left, lab.log(f"whole-{cut}")) as board:
            board.shell()
            broker.online(NEW, 90)
            _until_told(board)


def _until_told(board, limit=60):
    end = time.monotonic() + limit
    while True:
        status = answer(board, "status")
        done = status["change"] is None and not status["unreported"]
        if done or time.monotonic() > end:
            break
    assert done and status["current"] == {"mac": NEW, "serial_number": NEW_SERIAL}, status
    assert status["counters"]["installed"] == 1 and status["counters"]["rolled_back"] == 0, status


def _counted(found):
    return ", ".join(f"{count} {what}" for what, count in sorted(found.items()))


CHECKS = [*fw_setenv.CHECKS, redundant, single, single_always]
