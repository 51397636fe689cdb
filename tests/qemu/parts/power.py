"""Power cuts at every write to the flash."""

import collections
import concurrent.futures

import flash
import machines
import power

# One erase and 256 pages: what one write of an environment of 64 KiB comes to.
ENVIRONMENT_WRITES = 257
OLD, NEW = flash.MAC, "02:00:5E:00:53:09"


def plain_fw_setenv_tears(lab):
    """The negative control: a plain fw_setenv on a filled single copy is torn by nearly every cut."""
    original = lab.flash(variables=flash.environment(**flash.filler()))
    places = [*range(0, ENVIRONMENT_WRITES, 1 if lab.long else 16), ENVIRONMENT_WRITES]
    seen = collections.Counter(_each(lambda place: _cut_fw_setenv(lab, original, place), places))
    lab.note(f"{len(places)} cuts: " + ", ".join(f"{count} {what}" for what, count in sorted(seen.items())))
    assert seen["old"] == 1, "only the cut before the erase should leave the old environment"
    assert seen["new"] == 1, "only the cut after the last page should leave the new one"
    assert seen["torn"] > len(places) * 3 // 4, "cuts that tear nothing prove nothing"


def torn_board_is_dead(lab):
    """A board torn by the negative control does not come back when its compiled-in default cannot boot."""
    original = lab.flash(variables=flash.environment(**flash.filler()))
    chip = lab.copy(original)
    assert _cut_fw_setenv(lab, original, 40, chip) == "torn"
    with machines.panel(chip, lab.log("uboot")) as board:
        board.wait("bad CRC, using default environment")
        board.wait("compiled-in default: cannot boot")


def _cut_fw_setenv(lab, original, place, chip=None):
    """Lets `place` writes of one fw_setenv reach a copy of the flash; tells what the environment is then."""
    chip = chip or lab.copy(original)
    debug = power.last_write(chip.path.with_suffix(".conf"), place)
    with machines.panel(chip, lab.log(f"cut-{place}"), boot="initrd", append="overlay=tmpfs", debug=debug) as board:
        board.shell()
        power.arm(board)
        board.sh(f"fw_setenv ethaddr {NEW}")
    variables = chip.variables()
    return "torn" if variables is None else {OLD: "old", NEW: "new"}[variables["ethaddr"]]


def _each(function, items):
    """Two boards at a time."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(function, items))


CHECKS = [plain_fw_setenv_tears, torn_board_is_dead]
