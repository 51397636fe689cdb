"""The billing service and a panel, as the programs that they are."""

import pathlib
import subprocess
import tempfile

BUILT = pathlib.Path(__file__).resolve().parents[3] / "target/debug"
MODEL = "3516EV200"


class Service:
    """`intercom-billing serve` on free ports of loopback, until it is closed."""

    def __init__(self):
        self._directory = tempfile.TemporaryDirectory(prefix="client-")
        self._database = pathlib.Path(self._directory.name) / "billing.sqlite"
        self.operator = self.token("--role", "operator", "--name", "the office")
        self._process = subprocess.Popen(
            [BUILT / "intercom-billing", "serve", "--listen", "127.0.0.1:0", "--mqtt-listen", "127.0.0.1:0",
             "--database", self._database, "--grace-ms", "1000"],
            stderr=subprocess.PIPE, text=True)
        for line in self._process.stderr:
            if "serving on " in line:
                self.url = line.split()[-1]
                return
        raise RuntimeError("the service has not started")

    def token(self, *arguments):
        """A new token."""
        command = [BUILT / "intercom-billing", "token", "add", "--database", self._database, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def close(self):
        _end(self._process)
        self._directory.cleanup()


class Panel:
    """`intercom-agent run` on a board that is nothing but files; it polls every second, until it is closed."""

    def __init__(self, service, board, mac, serial_number):
        self._directory = tempfile.TemporaryDirectory(prefix="board-")
        root = pathlib.Path(self._directory.name)
        self._link = root / "sys/class/net/eth0/address"
        files = {
            self._link: mac.lower() + "\n",
            root / "etc/serial": serial_number + "\n",
            root / "etc/token": service.token("--role", "panel", "--board", board) + "\n",
            root / "etc/intercom-agent.toml": f"""
                board_name = "{board}"
                models = ["{MODEL}"]
                settle = 1
                environment = "never"
                state_dir = "/state"
                runtime_dir = "/run"
                hooks_dir = "/hooks"
                [serial_number]
                sources = ["file:/etc/serial"]
                [http]
                url = "{service.url}"
                token_file = "/etc/token"
                poll_every = 1
                """,
        }
        for file, text in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        (root / "etc/token").chmod(0o600)
        (root / "state").mkdir()
        self._log = open(root / "log", "w+")
        self._process = subprocess.Popen([BUILT / "intercom-agent", "run", "--root", root], stderr=self._log)

    def mac(self):
        """What its link carries."""
        return self._link.read_text().strip().upper()

    def log(self):
        self._log.seek(0)
        return self._log.read()

    def close(self):
        _end(self._process)
        self._log.close()
        self._directory.cleanup()


def _end(process):
    process.terminate()
    if process.stderr:
        process.stderr.close()
    process.wait(10)
