"""A reboot after a change, through U-Boot."""

import machines
import power
from agent import NEW, NEW_SERIAL, OLD, change, chip, config, identity, mqtt, until_told
from upstream import Broker


def new_mac_before_user_space(lab):
    """After the change the kernel has the new MAC before user space, and neither restore nor the daemon writes."""
    with Broker(lab) as broker:
        # Mounting an overlay writes; so the second boot waits when that is done.
        waits = "if [ -e /etc/second ]; then echo 'init: mounted'; read -r _; fi"
        flash = chip(lab, config(mqtt(broker)), append="hwaddress=keep", start=waits)
        board, _ = change(lab, broker, flash)
        with board:
            until_told(board)
            board.sh("touch /etc/second; sync")
            board.type("reboot -f\n")
            board.ended()
        recording = power.Recording(flash.path.with_suffix(".writes"))
        with machines.panel(flash, lab.log("again"), extra=recording.arguments) as board:
            first = board.wait(r"init: eth0 is ([0-9a-f:]{17})")[1].decode()
            assert first.upper() == NEW, f"the kernel came up as {first}"
            board.wait("init: mounted")
            mounted = len(recording.writes())
            board.type("\n")
            board.shell()
            broker.online(NEW)
            assert identity(board) == (NEW, NEW, NEW_SERIAL)
            writes = recording.writes()[mounted:]
            assert not writes, f"{len(writes)} writes, the first at {writes[0][0]:#x}"
            # The request is still retained: it must be answered again, and nothing done.
            broker.publish(f"intercoms/{NEW}/patch/r1", {"mac": OLD, "new_mac": NEW, "new_serial_number": NEW_SERIAL,
                                                         "model": "3516EV200", "request_id": "r1"})
            assert broker.report()["status"] == "installed"
            writes = recording.writes()[mounted:]
            assert not writes, f"{len(writes)} writes for a repeat"


CHECKS = [new_mac_before_user_space]
