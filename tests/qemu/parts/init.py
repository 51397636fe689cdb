"""BusyBox init: restore before the network, the daemon started and supervised, the boot not delayed."""

import statistics

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
    """By S95intercom-agent: started in the background and once only, killed and come again, stopped, started again."""
    script = "/etc/init.d/S95intercom-agent"
    with Broker(lab) as broker:
        with machines.panel(chip(lab, config(mqtt(broker)), options=("--busybox",)), lab.log(), boot="kernel") as board:
            board.shell()
            broker.online(OLD)
            first = board.sh("pidof intercom-agent")
            board.sh(f"{script} start")
            assert board.sh("pidof intercom-agent") == first, "started twice"
            board.sh(f"{script} status")
            board.sh(f"kill -9 {first.strip()}")
            broker.offline()
            broker.online(OLD)
            assert board.sh("pidof intercom-agent") != first
            board.sh(f"{script} stop")
            broker.offline()
            assert board.run("pidof intercom-agent")[0] != 0 and board.run(f"{script} status")[0] != 0
            board.sh(f"{script} restart")
            broker.online(OLD)
            assert answer(board, "status")["durable"]


# The board's time goes by its instructions, 2 ns each, as on a slow Cortex-A7: a busy host does not lengthen a boot.
BY_INSTRUCTIONS = ("-icount", "shift=1")
# After the first one, which the agent's record begins with.
LATER_BOOTS = 5
# What a boot prints with its time since the kernel's start; S40network ends when DHCP has given a lease.
MOMENTS = {"network": r"rcS: S40network at", "prompt": r"profile: a prompt at"}


def boot_not_delayed(lab):
    """How long a boot takes with the agent and without, on a board whose clock counts its instructions."""
    with Broker(lab) as broker:
        with_agent = _boots(lab, "with", chip(lab, config(mqtt(broker))))
    without = _boots(lab, "without", lab.flash("redundant"))
    for moment in MOMENTS:
        (first, *later), (first_with, *later_with) = ([boot[moment] for boot in boots] for boots in (without, with_agent))
        usual, usual_with = statistics.median(later), statistics.median(later_with)
        lab.note(f"from the kernel's start to the {moment}: first boot {first:.2f} s without the agent, {first_with:.2f} s "
                 f"with it; median of {LATER_BOOTS} later ones {usual:.2f} s without, {usual_with:.2f} s with")
        assert first_with - first < 1 and usual_with - usual < 1


def _boots(lab, name, flash):
    """For the first boot of a flash and those after it: when each moment came, in seconds."""
    boots = []
    for number in range(1 + LATER_BOOTS):
        with machines.panel(flash, lab.log(f"{name}-{number}"), boot="kernel", extra=BY_INSTRUCTIONS) as board:
            boots.append({moment: float(board.wait(rf"{says} ([0-9.]+) s", 40)[1]) for moment, says in MOMENTS.items()})
    return boots


CHECKS = [respawned, started_by_script, boot_not_delayed]
