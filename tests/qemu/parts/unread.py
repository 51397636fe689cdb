"""A board whose own identity cannot be read at first, or that has none: what could not be read is no fact."""

import flash
import machines
from agent import MODEL, NEW, NEW_SERIAL, OLD, OLD_SERIAL, answer, chip, config, log_shown, mqtt, until_reached, until_told
from board import patience
from upstream import Broker

# The network's script leaves the address alone.
KEPT = {"boot": "kernel", "append": "hwaddress=keep"}
# What the environment does not have; and the driver invents one, since its registers have none (aspeed-g6.dtsi).
LINK = "02:00:00:00:00:33"
OTHER_ADDRESS = f"ip link set eth0 address {LINK}\n"
INVENTS = ("device=$(readlink -f /sys/class/net/eth0/device); driver=$(readlink -f $device/driver)\n"
           "echo ${device##*/} >$driver/unbind\n"
           "devmem 0x1e660008 32 0; devmem 0x1e66000c 32 0\n"
           "echo ${device##*/} >$driver/bind\n")

# Holds the lock as a tool does that waits for its input.
HOLDS_THE_LOCK = ("sleep {seconds} | fw_setenv -s - &\n"
                  "until grep -q FLOCK /proc/locks; do :; done\n")
# The nodes of the environment come late.
COMES_LATE = ("mkdir /dev/late; mv /dev/mtd1 /dev/mtd2 /dev/late\n"
              "(sleep {seconds}; mv /dev/late/mtd1 /dev/late/mtd2 /dev) &\n")


def _link(board):
    return board.sh("cat /sys/class/net/eth0/address").upper()


def _is_read_late(lab, start, seconds):
    """Starts a new board with `start` in the way for a while; what it says meanwhile, and what it is in the end."""
    seconds = round(seconds * patience())
    with Broker(lab) as broker:
        board_chip = chip(lab, config(mqtt(broker), policy="always"), start=OTHER_ADDRESS + start.format(seconds=seconds))
        before = board_chip.variables()
        with machines.panel(board_chip, lab.log("unread"), **KEPT) as board, log_shown(board):
            board.shell()
            status = until_reached(board)
            assert status["factory"] == "unknown" and status["not_read"], status
            assert answer(board, "identity")["mac"] == "unreadable"
            code, said = board.run("intercom-agent doctor --json 2>/dev/null")
            assert code and "the board's own" not in said, said
            assert "INTERCOM_MAC=\"\"" in board.sh("cat /run/intercom-agent/identity.env")
            lab.note("; ".join(status["not_read"]))
            broker.online(OLD, limit=seconds + 60)
            status = answer(board, "status")
            assert status["current"] == {"mac": OLD, "serial_number": OLD_SERIAL}, status
            assert status["factory"] == status["current"] and not status["not_read"], status
            assert _link(board) == LINK, "a live link was touched"
            board.sh("sync")
        # (fw_setenv itself writes even what it does not change.)
        assert board_chip.variables() == before, "the environment was written"
        with machines.panel(board_chip, lab.log("again"), **KEPT) as board, log_shown(board):
            board.shell()
            broker.online(OLD)
            assert _link(board) == OLD


def lock_is_held(lab):
    """A tool holds the environment's lock while the board starts for the first time: nothing is taken from the link."""
    _is_read_late(lab, HOLDS_THE_LOCK, 60)


def nodes_come_late(lab):
    """The device nodes of the environment come after the daemon: the same."""
    _is_read_late(lab, COMES_LATE, 15)


def another_address_at_each_boot(lab):
    """A board without ethaddr gets another address at each boot: none is kept, until a request gives it one."""
    variables = {name: value for name, value in flash.environment().items() if name != "ethaddr"}
    with Broker(lab) as broker:
        given = chip(lab, config(mqtt(broker), policy="always"), start=INVENTS)
        bare = flash.Flash(lab.directory / "bare.img", "redundant", variables, lab.directory / "tree")
        bare.write(flash.SETTINGS, given.read(flash.SETTINGS, flash.SETTINGS_SIZE))
        seen, names = set(), set()
        for _ in range(3):
            with machines.panel(bare, lab.log("invented"), **KEPT) as board, log_shown(board):
                board.shell()
                invented = _link(board)
                status = until_reached(board)
                assert status["factory"] == "unknown" and status["current"]["mac"] == invented, status
                seen.add(invented)
                names.add(status["board"])
                board.sh("sync")
            assert "ethaddr" not in bare.variables(), bare.variables()
        assert len(seen) == 3 and len(names) == 1, (seen, names)
        lab.note(f"addresses {', '.join(sorted(seen))}; the name {names.pop()}")
        with machines.panel(bare, lab.log("given"), **KEPT) as board, log_shown(board):
            board.shell()
            name = until_reached(board)["board"]
            broker.publish(f"intercoms/by-board/{name}/patch/r1", {
                "target": {"board": name}, "id": 7, "new_mac": NEW, "new_serial_number": NEW_SERIAL, "model": MODEL,
                "request_id": "r1"})
            assert broker.report()["status"] == "installed"
            until_told(board)
            board.sh("sync")
        with machines.panel(bare, lab.log("kept"), **KEPT) as board:
            board.shell()
            broker.online(NEW)
            assert _link(board) == NEW


CHECKS = [lock_is_held, nodes_come_late, another_address_at_each_boot]
