"""Places to cut the power within a recorded change, and what the flash holds there."""

import collections
import itertools
import random

import flash
import power
from agent import NEW, OLD


class Change:
    """The flash before a change and every write of it. A cut is (whole writes, bytes of the next one)."""

    def __init__(self, before, writes):
        self.before = before
        self.writes = writes

    def chosen(self, count):
        """As many cuts, in order, or all that there are: half about the record, half about the environment, as far as
        both are written; every other one in the middle of a page."""
        chance = random.Random(5)
        of_record = [n for n, (offset, _) in enumerate(self.writes) if offset >= flash.DATA]
        of_environment = [n for n, (offset, _) in enumerate(self.writes) if offset < flash.DATA]
        # An erase is one step for this chip.
        steps = [len(data) if len(data) <= power.PAGE else 1 for _, data in self.writes]
        cuts = {(0, 0), (len(self.writes), 0)}
        for turn in itertools.count():
            if len(cuts) >= min(count, sum(steps) + 1):
                return sorted(cuts)
            number = chance.choice(chance.choice([kind for kind in (of_record, of_environment) if kind]))
            cuts.add((number, chance.randrange(steps[number]) if turn % 2 else 0))

    def content(self, cut):
        """What the flash held when the power went."""
        whole, part = cut
        content = power.after(self.before, self.writes, whole)
        if part:
            offset, data = self.writes[whole]
            power.apply(content, (offset, data[:part]))
        return content

    def environments(self):
        """What U-Boot finds after each whole write, counted: "old", "new" or "none"."""
        content = bytearray(self.before.path.read_bytes())
        name = environment(self.before, content)
        found = collections.Counter([name])
        for write in self.writes:
            power.apply(content, write)
            if write[0] < flash.DATA:
                name = environment(self.before, content)
            found[name] += 1
        return found


def environment(chip, content):
    """Which identity the environment that counts has, or "none" when no copy is good."""
    variables = chip.active(content)
    return "none" if variables is None else {OLD: "old", NEW: "new"}[variables["ethaddr"]]


def environment_image(content, number):
    at = flash.ENVIRONMENT[number]
    return bytes(content[at : at + flash.ENVIRONMENT_SIZE])


def counted(found):
    """A count of each, for people."""
    return ", ".join(f"{count} {what}" for what, count in sorted(collections.Counter(found).items()))
