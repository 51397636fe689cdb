"""Power cuts: at the N-th write to the flash, on seeing the flash change, or at a random moment."""

import pathlib

import flash as layout


def last_write(path, count):
    """A configuration for blkdebug: once armed, `count` more writes reach the flash and none after them."""
    rules = ['[set-state]\nevent = "pwritev_zero"\nstate = "1"\nnew_state = "2"\n']
    for state in range(2, count + 2):
        rules.append(f'[set-state]\nevent = "pwritev"\nstate = "{state}"\nnew_state = "{state + 1}"\n')
    rules.append(f'[inject-error]\nevent = "pwritev"\nstate = "{count + 2}"\nerrno = "5"\nonce = "off"\n')
    pathlib.Path(path).write_text("\n".join(rules))
    return path


def arm(board):
    """From now on the writes are counted. The sign for it is a write of zeros, which the chip itself never asks for,
    to the unused start of the flash."""
    board.qmp("human-monitor-command", **{"command-line": 'qemu-io mtd0 "write -q -z 0 512"'})


def differing_pages(before, after):
    """How many 256-byte pages of the environment two flashes differ in; to see how far a write has come."""
    one, two = (each.read(layout.ENVIRONMENT[0], layout.ENVIRONMENT_SIZE) for each in (before, after))
    return sum(one[at : at + 256] != two[at : at + 256] for at in range(0, len(one), 256))
