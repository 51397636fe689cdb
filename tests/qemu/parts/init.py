"""BusyBox init: restore before the network, the daemon started and supervised, the boot not delayed."""

import machines
from agent import OLD, answer, chip, config, mqtt
from upstream import Broker


def respawned(lab):
    """By inittab: killed, the daemon comes again."""
    with Broker(lab) as broker:
        with machines.panel(chip(lab, config(mqtt(broker))), lab.log(), boot="kernel") as board:
            board.shell()
            broker.online(OLD)
            before = board.sh("pidof intercom-agent")
            board.sh("kill -9 $(pidof intercom-agent)")
            broker.offline()
            broker.online(OLD)
            board.quiet()
            assert board.sh("pidof intercom-agent") != before


def started_by_script(lab):
    """By S95intercom-agent: started in the background and once only, stopped, started again."""
    script = "/etc/init.d/S95intercom-agent"
    with Broker(lab) as broker:
        with machines.panel(chip(lab, config(mqtt(broker)), options=("--busybox",)), lab.log(), boot="kernel") as board:
            board.shell()
            broker.online(OLD)
            first = board.sh("pidof intercom-agent")
            board.sh(f"{script} start")
            assert board.sh("pidof intercom-agent") == first, "started twice"
            board.sh(f"{script} status")
            board.sh(f"{script} stop")
            broker.offline()
            assert board.run("pidof intercom-agent")[0] != 0 and board.run(f"{script} status")[0] != 0
            board.sh(f"{script} restart")
            broker.online(OLD)
            assert answer(board, "status")["durable"]


# The board's time goes by its instructions, 2 ns each, as on a slow Cortex-A7: a busy host does not lengthen a boot.
BY_INSTRUCTIONS = ("-icount", "shift=1")


def boot_not_delayed(lab):
    """How long the init scripts take with the agent and without, on a board whose clock counts its instructions."""
    took = {}
    for name in ("without", "with"):
        with Broker(lab) as broker:
            flash = chip(lab, config(mqtt(broker))) if name == "with" else lab.flash("redundant")
            for boot in ("first", "second"):
                with machines.panel(flash, lab.log(f"{name}-{boot}"), boot="kernel", extra=BY_INSTRUCTIONS) as board:
                    took[name, boot] = float(board.wait(r"rcS: done at ([0-9.]+) s", 40)[1])
    lab.note(", ".join(f"{boot} boot {name}: {seconds} s" for (name, boot), seconds in took.items()))
    for boot in ("first", "second"):
        assert took["with", boot] - took["without", boot] < 1


CHECKS = [respawned, started_by_script, boot_not_delayed]
