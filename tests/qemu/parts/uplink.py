"""The uplink is gone after a change."""

import machines
from agent import NEW, OLD, OLD_SERIAL, answer, chip, config, identity, log_shown, mqtt, request
from upstream import Broker


def cable_pulled(lab):
    """The cable is pulled as soon as the MAC has changed: the panel rolls back by itself and is reachable again."""
    with Broker(lab) as broker:
        flash = chip(lab, config(mqtt(broker), confirm_within=15, settle=5))
        with machines.panel(flash, lab.log(), boot="kernel") as board:
            board.shell()
            broker.online(OLD)
            broker.publish(f"intercoms/{OLD}/patch/r1", request())
            board.sh(f"while [ $(cat /sys/class/net/eth0/address) != {NEW.lower()} ]; do usleep 50000; done")
            board.link(False)
            board.sh(f"while [ $(cat /sys/class/net/eth0/address) != {OLD.lower()} ]; do sleep 1; done", 60)
            board.link(True)
            with log_shown(board):
                report = broker.report(90)
            assert report["status"] == "rolled_back" and report["reason"], report
            lab.note(report["reason"])
            assert identity(board) == (OLD, OLD, OLD_SERIAL)
            assert board.sh("fw_printenv -n ethaddr") == OLD
            assert answer(board, "status")["change"] is None


CHECKS = [cable_pulled]
