"""What a check is given: a directory for its boards and logs, the agent, and a place for what is worth telling."""

import itertools
import pathlib
import shutil
import tempfile

import flash
from images import CHECKOUT


class Skip(Exception):
    """Raised by a check that cannot run here; the message says why."""


class Lab:
    def __init__(self, logs, long=False, binary=None):
        self.logs = pathlib.Path(logs)
        self.logs.mkdir(parents=True, exist_ok=True)
        self.long = long
        self._binary = binary
        self.notes = []
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="lab-"))
        self._numbers = itertools.count(1)

    def close(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def note(self, text):
        """A line or more under the result."""
        self.notes.append(str(text))

    def log(self, name="boot"):
        """A new log file for one boot."""
        return self.logs / f"{next(self._numbers):04}-{name}.log"

    def flash(self, copies="single", variables=None, tree=None, compressor="gzip"):
        """A new flash with its own content."""
        return flash.Flash(self.directory / f"flash-{next(self._numbers)}.img", copies, variables, tree, compressor)

    def copy(self, original):
        """A new flash with the content of another one."""
        return original.copy(self.directory / f"flash-{next(self._numbers)}.img")

    def agent(self):
        """The binary that ships; or another that this lab was given."""
        if self._binary:
            return self._binary
        binary = CHECKOUT / "cross" / "out" / "intercom-agent"
        if not binary.exists():
            raise Skip("cross/out/intercom-agent is not there; run cross/build")
        return binary
