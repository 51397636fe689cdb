"""Flash that is erased, volatile, full or damaged; and what is written to it."""

import contextlib

import flash as layout
import machines
import power
from agent import (NEW, NEW_SERIAL, OLD, OLD_SERIAL, answer, change, chip, config, identity, log_shown, mqtt, request,
                   until, until_reached, until_told)
from parts.footprint import Writes, formatted
from upstream import Broker


def overlay_in_memory(lab):
    """An overlay in memory: the request ends as failed, with the reason, and nothing is touched."""
    with Broker(lab) as broker:
        chip_ = chip(lab, config(mqtt(broker)))
        before = chip_.path.read_bytes()
        with machines.panel(chip_, lab.log(), boot="kernel", append="overlay=tmpfs hwaddress=keep") as board:
            board.shell()
            # The kernel alone knows no ethaddr here.
            broker.online(OLD)
            broker.publish(f"intercoms/{OLD}/patch/r1", request())
            report = broker.report()
            assert report["status"] == "failed" and "tmpfs" in report["reason"], report
            lab.note(report["reason"])
            assert identity(board) == (OLD, OLD, OLD_SERIAL)
        assert chip_.path.read_bytes() == before, "the flash was written"


def full(lab):
    """A full flash: the request ends as failed, with the reason, nothing is touched; with room again, it works."""
    with Broker(lab) as broker:
        with machines.panel(chip(lab, config(mqtt(broker))), lab.log(), boot="kernel") as board:
            board.shell()
            broker.online(OLD)
            board.run("dd if=/dev/urandom of=/overlay/fill bs=64k 2>/dev/null; sync", 90)
            board.run("dd if=/dev/urandom of=/overlay/fill2 bs=1k 2>/dev/null; sync", 60)
            lab.note(board.sh("df -k /overlay | tail -n 1"))
            broker.publish(f"intercoms/{OLD}/patch/r1", request())
            report = broker.report(90)
            assert report["status"] == "failed", report
            lab.note(report["reason"])
            assert identity(board) == (OLD, OLD, OLD_SERIAL)
            assert board.sh("fw_printenv -n ethaddr") == OLD
            broker.publish(f"intercoms/{OLD}/patch/r1", None)
            board.sh("rm /overlay/fill /overlay/fill2; sync")
            with log_shown(board):
                broker.publish(f"intercoms/{OLD}/patch/r2", request("r2"))
                report = broker.report(90)
            assert report["status"] == "installed" and report["request_id"] == "r2", report
            assert identity(board) == (NEW, NEW, NEW_SERIAL)


def erased(lab):
    """An erased overlay after a change: with two copies the environment still tells identity and factory; with one
    the board is its factory self again."""
    for copies, wanted in (("redundant", (NEW, NEW_SERIAL)), ("single", (OLD, OLD_SERIAL))):
        with Broker(lab) as broker:
            chip_ = chip(lab, config(mqtt(broker)), copies)
            board, _ = change(lab, broker, chip_, f"change-{copies}")
            board.cut()
            chip_.erase_data()
            with machines.panel(chip_, lab.log(f"erased-{copies}")) as board:
                board.shell()
                broker.online(wanted[0])
                assert identity(board) == (wanted[0], *wanted)
                factory = answer(board, "status")["factory"]
                assert factory == {"mac": OLD, "serial_number": OLD_SERIAL}, factory


def broken_environment(lab):
    """An environment whose checksum is bad and that has no backup is not written; the record gives the identity."""
    with Broker(lab) as broker:
        chip_ = chip(lab, config(mqtt(broker)))
        board, _ = change(lab, broker, chip_)
        board.cut()
        for at in layout.ENVIRONMENT:
            chip_.write(at + 16, b"\0\0\0\0")
        before = chip_.read(layout.ENVIRONMENT[0], 0x20000)
        with machines.panel(chip_, lab.log("broken"), default_boots=True) as board:
            board.wait("bad CRC, using default environment")
            board.shell()
            broker.online(NEW)
            assert identity(board) == (NEW, NEW, NEW_SERIAL)
            lab.note(board.sh("dmesg | grep -i 'environment' | tail -n 2"))
        assert chip_.read(layout.ENVIRONMENT[0], 0x20000) == before


def one_broken_copy(lab):
    """One good copy of two is enough to boot; it is not risked: the next change leaves the environment whole."""
    with Broker(lab) as broker:
        chip_ = chip(lab, config(mqtt(broker)))
        chip_.write(layout.ENVIRONMENT[1] + 16, b"\0\0\0\0")
        board, _ = change(lab, broker, chip_)
        with board:
            assert identity(board) == (NEW, NEW, NEW_SERIAL)
        assert chip_.active() is not None
        lab.note(f"the environment now says {chip_.active()['ethaddr']}")


def written(lab):
    """A first start writes a record, a change a few of them and one copy of the environment, and another start nothing."""
    # Mounting the overlay writes too, once jffs2 has formatted it.
    bare = lab.flash("single")
    for name in ("bare-first", "bare-second"):
        with _recorded(lab, bare, name) as (_, recording):
            own = Writes(recording.writes())
    lab.note(f"a start without the agent: {own}")
    for copies in ("single", "redundant"):
        with Broker(lab) as broker:
            chip_ = chip(lab, config(mqtt(broker)), copies)
            with _recorded(lab, chip_, f"{copies}-first") as (board, recording):
                # What it wrote at its start is among what jffs2 did to its new partition.
                board.sh("rm -r /var/lib/intercom-agent; sync")
                before = len(recording.writes())
                board.sh("kill $(pidof intercom-agent)")
                until("the record", lambda: board.run("test -s /var/lib/intercom-agent/record.json")[0] == 0)
                lab.note(f"{copies}: a first start: {Writes(recording.writes()[before:])}")
            with _recorded(lab, chip_, f"{copies}-second") as (board, recording):
                until_reached(board)
                before = recording.writes()
                broker.publish(f"intercoms/{OLD}/patch/r1", request())
                assert broker.report()["status"] == "installed"
                until_told(board)
                lab.note(f"{copies}: a change: {Writes(recording.writes()[len(before):])}")
                board.sh("sync")
            with _recorded(lab, chip_, f"{copies}-third") as (board, recording):
                until_reached(board)
                for start in (before, recording.writes()):
                    assert str(Writes(start)) == str(own), f"{Writes(start)}, and {own} without the agent"


@contextlib.contextmanager
def _recorded(lab, chip_, name):
    """A board that has started and no longer writes, and the record of what it writes."""
    recording = power.Recording(lab.directory / f"{name}.writes")
    with machines.panel(chip_, lab.log(name), boot="kernel", extra=recording.arguments) as board:
        board.shell()
        formatted(board, recording)
        yield board, recording


CHECKS = [written, overlay_in_memory, full, erased, broken_environment, one_broken_copy]
