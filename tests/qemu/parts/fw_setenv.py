"""The negative control of `power`: what cuts do to a plain fw_setenv."""

import flash
import machines
import power
from cuts import counted

OLD, NEW = flash.MAC, "02:00:5E:00:53:09"


def plain_fw_setenv_tears(lab):
    """The negative control: a plain fw_setenv on a filled single copy is torn by a cut at any of its writes."""
    original = _filled(lab)
    chip, writes = _recorded_fw_setenv(lab, original)
    # One erase and 256 pages, and replaying them must give what the board really left.
    assert len(writes) == 257, f"{len(writes)} writes"
    content = bytearray(original.path.read_bytes())
    seen = [_environment(chip, content)]
    for write in writes:
        power.apply(content, write)
        seen.append(_environment(chip, content))
    assert content == chip.path.read_bytes(), "the recorded writes are not those of the board"
    lab.note(f"{len(seen)} cuts: {counted(seen)}")
    assert seen == ["old", *["torn"] * 256, "new"]


def killed_fw_setenv_tears(lab):
    """The same with boards that are killed as soon as their flash is seen to change."""
    saved = _ready(lab)
    seen = []
    for _ in range(100 if lab.long else 8):
        chip = lab.copy(saved.chip)
        with machines.panel(chip, lab.log("killed"), boot="kernel", append="overlay=tmpfs",
                            extra=saved.resume()) as board:
            power.running(board)
            board.type(f"fw_setenv ethaddr {NEW}\n")
            power.cut_on_change(board, chip)
        seen.append(_environment(chip, chip.path.read_bytes()))
    lab.note(f"{len(seen)} cuts: {counted(seen)}")
    assert seen.count("torn") > len(seen) // 2, "cuts that tear nothing prove nothing"


def torn_board_is_dead(lab):
    """A torn board does not come back when its compiled-in default cannot boot."""
    original = _filled(lab)
    chip, writes = _recorded_fw_setenv(lab, original)
    for count in (1, 100, 256):
        chip.write(0, power.after(original, writes, count))
        with machines.panel(chip, lab.log(f"after-{count}")) as board:
            board.wait("bad CRC, using default environment")
            board.wait("compiled-in default: cannot boot")


def _filled(lab):
    return lab.flash(variables=flash.environment(**flash.filler()))


def _recorded_fw_setenv(lab, original):
    chip = lab.copy(original)
    recording = power.Recording(chip.path.with_suffix(".writes"))
    with machines.panel(chip, lab.log("recorded"), boot="kernel", append="overlay=tmpfs",
                        extra=recording.arguments) as board:
        board.shell()
        board.sh(f"fw_setenv ethaddr {NEW}")
        board.qmp("stop")  # what is still on its way to the file arrives
    return chip, recording.writes()


def _ready(lab):
    """A board at its shell, with nothing of the flash mounted but the read-only root."""
    chip = _filled(lab)
    with machines.panel(chip, lab.log("ready"), boot="kernel", append="overlay=tmpfs") as board:
        board.shell()
        return power.Saved(board, chip, lab.directory / "ready")


def _environment(chip, content):
    at = flash.ENVIRONMENT[0]
    variables = chip.parse(content[at : at + flash.ENVIRONMENT_SIZE])
    return "torn" if variables is None else {OLD: "old", NEW: "new"}[variables["ethaddr"]]


CHECKS = [plain_fw_setenv_tears, killed_fw_setenv_tears, torn_board_is_dead]
