"""A crash on the board: what it leaves behind, and where in the source it was."""

import os
import re
import subprocess

import images
import machines
from agent import OLD, answer, chip, config, log_shown, mqtt, request
from images import CHECKOUT
from lab import Lab
from upstream import Broker

# An event that no broker delivers again: the daemon that comes after does not crash too.
FILE = "src/cli/signals.rs"
LINE = "                _ = self.interrupt.recv() => return End::Stop,"
PANICS = "                _ = self.interrupt.recv() => panic!(),"


def place_is_told(lab):
    """A build that panics on SIGINT: log, status and the next report tell of it, and symbolize finds the line."""
    # Where the panel's binary is not built, this one is not either.
    lab.agent()
    agent = images.mutant(FILE, LINE, PANICS)
    crashing = Lab(lab.logs / "board", binary=agent)
    try:
        line, address, build_id = _crash(crashing)
    finally:
        crashing.close()
    lab.note(line)
    place = _symbolize(agent.with_name("intercom-agent.debug"), address, build_id)
    mutated = f"{FILE}:{(CHECKOUT / FILE).read_text().splitlines().index(LINE) + 1}"
    assert mutated in place, f"the panic is in {mutated}, symbolize says: {place}"
    lab.note(f"symbolize: {mutated}")


def _crash(lab):
    """The log's line of the crash, its address and its build ID."""
    with Broker(lab) as broker, machines.panel(chip(lab, config(mqtt(broker))), lab.log(), boot="kernel") as board:
        board.shell()
        with log_shown(board):
            broker.online(OLD)
            board.sh("kill -INT $(pidof intercom-agent)")
            broker.offline()
            broker.online(OLD)
            board.quiet()
            log = board.sh("dmesg")
            crash = re.search(r"\[ERROR\] (crashed by signal 4 at (0x[0-9a-f]{8}), build ID ([0-9a-f]{40}))$", log,
                              re.MULTILINE)
            assert crash, log
            assert "1 runs since boot did not end cleanly; the last one: " + crash[1] in log, log
            assert crash[1] in board.sh("cat /run/intercom-agent/runs.json")
            status = answer(board, "status")
            assert (status["counters"]["unclean_ends"], status["last_crash"]) == (1, crash[1]), status
            broker.publish(f"intercoms/{OLD}/patch/r1", request())
            report = broker.report()
            assert (report["status"], report["unclean_ends"]) == ("installed", 1), report
            return crash[0], crash[2], crash[3]


def _symbolize(debug, address, build_id):
    return subprocess.run([CHECKOUT / "cross/symbolize", address, build_id], env={**os.environ, "DEBUG_FILE": debug},
                          stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


CHECKS = [place_is_told]
