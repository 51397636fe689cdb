"""The first start on a board that has never seen the agent."""

import flash
import machines
from agent import OLD, OLD_SERIAL, answer, chip, config, identity, log_shown, mqtt
from upstream import Broker


def factory_identity(lab):
    """The factory identity comes from the U-Boot environment, and every value says where it was read.

    The root file system is compressed with xz, as OpenIPC's is."""
    with Broker(lab) as broker:
        shipped = chip(lab, config(mqtt(broker)), compressor="xz")
        assert shipped.compressor() == "xz"
        with machines.panel(shipped, lab.log()) as board:
            board.shell()
            with log_shown(board):
                broker.online(OLD)
            found = answer(board, "identity")
            assert (found["mac"]["value"], found["mac"]["source"]) == (OLD, "env ethaddr"), found
            assert (found["serial_number"]["value"], found["serial_number"]["source"]) == (OLD_SERIAL, "env serialno")
            assert found["link"]["mac"]["value"] == OLD
            assert (found["current"]["mac"], found["current"]["serial_number"]) == (OLD, OLD_SERIAL), found
            assert not found["warnings"], found["warnings"]
            status = answer(board, "status")
            assert status["factory"] == {"mac": OLD, "serial_number": OLD_SERIAL}, status
            assert status["reached"] == ["mqtt"] and status["durable"], status
            assert identity(board) == (OLD, OLD, OLD_SERIAL)
            lab.note(f"the board's name is {found['board'] or status['board']}")


def small_memory(lab):
    """The same with 32 MB of memory."""
    with Broker(lab) as broker:
        small = chip(lab, config(mqtt(broker)))
        with machines.panel(small, lab.log(), boot="kernel", memory="32M") as board:
            board.shell()
            broker.online(OLD)
            lab.note(f"MemAvailable with the daemon: {board.sh('grep MemAvailable /proc/meminfo').split()[1]} kB")


def nothing_given(lab):
    """Without ethaddr and serialno the board is named by its link, and says that it knows no serial number."""
    variables = {name: value for name, value in flash.environment().items() if name not in ("ethaddr", "serialno")}
    with Broker(lab) as broker:
        bare = chip(lab, config(mqtt(broker)))
        other = flash.Flash(lab.directory / "bare.img", "redundant", variables, lab.directory / "tree")
        other.write(flash.SETTINGS, bare.read(flash.SETTINGS, flash.SETTINGS_SIZE))
        with machines.panel(other, lab.log()) as board:
            board.shell()
            found = answer(board, "identity")
            assert found["environment_mac"] is None and found["serial_number"] is None, found
            lab.note(f"MAC {found['mac']}")


CHECKS = [factory_identity, small_memory, nothing_given]
