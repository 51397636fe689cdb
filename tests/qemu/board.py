"""One emulated board: QEMU, its serial console, its monitor. Every wait has a limit, and every boot a log."""

import itertools
import json
import os
import pathlib
import re
import select
import socket
import subprocess
import tempfile
import threading
import time

import images

# The second core has nothing to do on this board: wfi, and a branch back to it.
PARKED = bytes.fromhex("03f020e3fdffffea")
# Where U-Boot's compiled-in command looks whether it belongs to a board that can boot without an environment.
DEFAULT_BOOTS = 0x600DB007


def patience():
    """How many times longer things take here than on two idle cores: every limit is for those."""
    return max(1.0, os.getloadavg()[0] / 2)


class BoardError(Exception):
    """The board did not do what was waited for. The message ends with what its console last said."""


class Board:
    """A running board. Use it in a `with` statement; leaving it cuts the power."""

    def __init__(self, arguments, log, name="board"):
        self.name = name
        self.log_path = pathlib.Path(log)
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        self._log = self.log_path.open("ab", buffering=0)
        self._directory = tempfile.TemporaryDirectory(prefix="board-")
        self.monitor = pathlib.Path(self._directory.name) / "monitor"
        self._console = bytearray()
        self._seen = 0
        self._changed = threading.Condition()
        self._ended = False
        self._numbers = itertools.count(1)
        # One thread: the only core that works is quicker without locks against another.
        command = ["qemu-system-arm", "-accel", "tcg,thread=single", *map(str, arguments),
                   "-display", "none", "-monitor", "none", "-no-reboot", "-serial", "stdio",
                   "-qmp", f"unix:{self.monitor},server=on,wait=off"]
        self._log.write(("\n" + " ".join(command) + "\n").encode())
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self._log, bufsize=0)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._qmp = self._qmp_lines = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut()

    def _read(self):
        while data := self.process.stdout.read(4096):
            self._log.write(data)
            with self._changed:
                self._console += data
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def console(self):
        """Everything that the console has said since the start."""
        with self._changed:
            return self._console.decode(errors="replace").replace("\r", "")

    def wait(self, pattern, limit=20):
        """Waits for a regular expression on the console, after what was waited for before; returns the match."""
        expression = re.compile(pattern.encode(), re.MULTILINE)
        limit = round(limit * patience())
        deadline = time.monotonic() + limit
        with self._changed:
            while True:
                if match := expression.search(self._console, self._seen):
                    self._seen = match.end()
                    return match
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    why = "the board stopped" if self._ended else f"not within {limit} s"
                    tail = self.log_path.read_bytes()[-1500:].decode(errors="replace").replace("\r", "")
                    raise BoardError(f"waited for {pattern!r}: {why}; log {self.log_path}; its end:\n{tail}")
                self._changed.wait(left)

    def type(self, text):
        """Types on the serial console, no faster than a UART takes it."""
        data = text.encode()
        for start in range(0, len(data), 16):
            self.process.stdin.write(data[start : start + 16])
            time.sleep(0.001)

    def shell(self, limit=30):
        """Waits for the shell on the console and makes it quiet."""
        self.wait(r"^board# ", limit)
        return self.quiet(limit)

    def quiet(self, limit=30):
        """Makes the shell on the console say nothing but what commands print. Again after init has started something:
        BusyBox init then makes the console echo what is typed."""
        self.type("stty -echo; PS1=; dmesg -n 1; echo re''ady\n")
        self.wait(r"^ready\r?\n", limit)
        return self

    def run(self, command, limit=20):
        """Runs a command on the board: (exit status, output)."""
        number = next(self._numbers)
        self.type(f"{command}\necho \"<${{x}}{number}:$?>\"\n")
        match = self.wait(rf"(?s)(.*?)<{number}:(\d+)>\r?\n", limit)
        return int(match[2]), match[1].decode(errors="replace").replace("\r", "").strip("\n")

    def sh(self, command, limit=20):
        """Runs a command that must succeed; returns its output."""
        status, output = self.run(command, limit)
        if status != 0:
            raise BoardError(f"{command!r} on the board ended with {status}: {output}; log {self.log_path}")
        return output

    def qmp(self, command, **arguments):
        """One command to QEMU's monitor; returns its answer."""
        if self._qmp is None:
            self._qmp = _connect(self.monitor)
            self._qmp_lines = self._qmp.makefile("rb")
            self._receive()
            self.qmp("qmp_capabilities")
        self._qmp.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while "return" not in (answer := self._receive()):
            if "error" in answer:
                raise BoardError(f"{command}: {answer['error']['desc']}")
        return answer["return"]

    def _receive(self):
        try:
            line = self._qmp_lines.readline()
        except OSError as error:
            raise BoardError(f"QEMU's monitor is gone ({error}); log {self.log_path}") from None
        if not line:
            raise BoardError(f"QEMU's monitor is gone; log {self.log_path}")
        return json.loads(line)

    def link(self, up):
        """Plugs the network cable of eth0 in, or pulls it out."""
        self.qmp("set_link", name="net0", up=up)

    def capture(self, path, network="net0"):
        """Writes every frame from now on into a file, in libpcap's format."""
        self.qmp("object-add", **{"qom-type": "filter-dump", "id": path.stem, "netdev": network, "file": str(path)})

    def ended(self, limit=20):
        """Waits until the board has switched itself off, or asked for a reset."""
        try:
            self.process.wait(limit * patience())
        except subprocess.TimeoutExpired:
            raise BoardError(f"still running after {limit} s; log {self.log_path}") from None

    def cut(self):
        """The power goes away, now."""
        self.process.kill()
        self.process.wait()
        self._reader.join(5)
        if self._qmp is not None:
            self._qmp.close()
        self.process.stdin.close()
        self._log.close()
        self._directory.cleanup()


def _connect(path, limit=10):
    deadline = time.monotonic() + limit * patience()
    while True:
        try:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(30)
            connection.connect(str(path))
            return connection
        except OSError:
            connection.close()
            if time.monotonic() > deadline:
                raise BoardError("QEMU's monitor does not answer") from None
            select.select([], [], [], 0.02)
