"""Power cuts: the flash as it was after each write of a recorded run, and boards killed in the middle of one."""

import pathlib
import re
import select
import time

import flash as layout
from board import BoardError, patience

_ERASED = re.compile(r"m25p80_flash_erase .*offset = (0x[0-9a-f]+), len = (\d+)")
_PROGRAMMED = re.compile(r"m25p80_page_program .*cur_addr=(0x[0-9a-f]+) data=(0x[0-9a-f]+)")
PAGE = 256


class Recording:
    """Every write of a run, in the order in which the chip was told. (QEMU's file behind the chip is no such record:
    it is written later and from memory, so that a late erase already carries what was programmed after it.)

    Give `arguments` to the machine as `extra`. A write is an erased sector or what was programmed within one page."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.touch()
        self.arguments = ["-trace", "m25p80_flash_erase", "-trace", "m25p80_page_program", "-D", self.path]

    def writes(self):
        """The writes so far: (offset, data); an erase is a whole sector of ones."""
        done, page = [], None
        for line in self.path.read_text().splitlines():
            if match := _ERASED.match(line):
                page = None
                done.append((int(match[1], 16), b"\xff" * int(match[2])))
            elif match := _PROGRAMMED.match(line):
                address, byte = int(match[1], 16), int(match[2], 16)
                if page is None or address % PAGE == 0 or address != page[0] + len(page[1]):
                    page = (address, bytearray())
                    done.append(page)
                page[1].append(byte)
        return done


def apply(content, write):
    """Does one write to a flash's content: erasing sets bits, programming only clears them."""
    offset, data = write
    if len(data) > PAGE:
        content[offset : offset + len(data)] = data
    else:
        end = offset + len(data)
        kept = int.from_bytes(content[offset:end], "big") & int.from_bytes(data, "big")
        content[offset:end] = kept.to_bytes(len(data), "big")


def after(chip, writes, count):
    """What the flash held when the power went after `count` of the writes."""
    content = bytearray(chip.path.read_bytes())
    for write in writes[:count]:
        apply(content, write)
    return content


class Saved:
    """A running board, frozen together with its flash, to be continued many times: a cycle without a boot.

    Clock and random numbers are frozen too: not for anything that uses TLS."""

    def __init__(self, board, chip, path):
        self.path = pathlib.Path(path)
        board.qmp("migrate", uri=f"file:{self.path}")
        deadline = time.monotonic() + 30 * patience()
        while (status := board.qmp("query-migrate").get("status")) != "completed":
            if status == "failed" or time.monotonic() > deadline:
                raise BoardError(f"the board's state could not be saved: {status}")
            select.select([], [], [], 0.02)
        self.chip = chip.copy(self.path.with_suffix(".img"))

    def resume(self):
        """What to give to the machine as `extra`; its flash must have the content of `chip`. Then `running`."""
        return ["-incoming", f"file:{self.path}"]


def running(board, limit=30):
    """Waits until a continued board runs."""
    deadline = time.monotonic() + limit * patience()
    while board.qmp("query-status")["status"] != "running":
        if time.monotonic() > deadline:
            raise BoardError("the saved board does not continue")
        select.select([], [], [], 0.01)


def cut_on_change(board, chip, offset=layout.ENVIRONMENT[0], limit=20):
    """Cuts the power as soon as the flash is seen to change at `offset`."""
    deadline = time.monotonic() + limit * patience()
    before = chip.read(offset, PAGE)
    with chip.path.open("rb", buffering=0) as file:
        while True:
            file.seek(offset)
            if file.read(PAGE) != before:
                board.process.kill()
                return
            if time.monotonic() > deadline:
                raise BoardError("the flash did not change")


def cut_on_write(board, chip, changed_at, later=0.0, limit=20):
    """Cuts the power as soon as the flash is seen to change after `changed_at` (its st_mtime_ns), or so many seconds
    later."""
    deadline = time.monotonic() + limit * patience()
    while chip.path.stat().st_mtime_ns == changed_at:
        if time.monotonic() > deadline:
            raise BoardError("the flash did not change")
        time.sleep(0.001)
    time.sleep(later)
    board.process.kill()
