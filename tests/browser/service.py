"""A billing service with a door whose panel has died, and the panels that speak to it over HTTP."""

import json
import pathlib
import subprocess
import tempfile
import time
import urllib.request

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = CHECKOUT / "target/debug/intercom-billing"
MODEL = "3516EV200"


class Service:
    """Runs on free ports of loopback until it is closed."""

    def __init__(self):
        self._directory = tempfile.TemporaryDirectory(prefix="browser-")
        self._database = pathlib.Path(self._directory.name) / "billing.sqlite"
        self.operator = self._token("--role", "operator", "--name", "the office")
        self.viewer = self._token("--role", "viewer", "--name", "the caretaker")
        self._process = subprocess.Popen(
            [PROGRAM, "serve", "--listen", "127.0.0.1:0", "--mqtt-listen", "127.0.0.1:0", "--database", self._database],
            stderr=subprocess.PIPE, text=True)
        for line in self._process.stderr:
            if "serving on " in line:
                self.url = line.split()[-1]
                return
        raise RuntimeError("the service has not started")

    def close(self):
        self._process.terminate()
        self._process.stderr.close()
        self._process.wait(10)
        self._directory.cleanup()

    def _token(self, *arguments):
        command = [PROGRAM, "token", "add", "--database", self._database, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def call(self, token, method, path, body=None):
        """The answer's JSON, or None."""
        request = urllib.request.Request(self.url + path, method=method)
        request.add_header("Authorization", f"Bearer {token}")
        request.add_header("User-Agent", "intercom-agent/1.0")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def door(self, title, mac, serial_number):
        """A door whose panel was seen once; its number."""
        intercoms = "/api/v1/billing/intercoms"
        made = self.call(self.operator, "POST", intercoms, {"mac": mac, "serial_number": serial_number, "model": MODEL})
        self.call(self.operator, "PATCH", intercoms, {"id": made["id"], "group_id": 6, "title": title, "flat_from": 1, "flat_to": 40})
        Panel(self, "old-" + str(made["id"]), mac, serial_number).poll()
        return made["id"]


class Panel:
    """A board that polls and reports."""

    def __init__(self, service, board, mac, serial_number):
        self.service, self.board, self.mac, self.serial_number = service, board, mac, serial_number
        self.token = service._token("--role", "panel", "--board", board)

    def poll(self):
        """The requests that it is offered."""
        path = f"/api/v1/agent/pending?mac={self.mac}&serial_number={self.serial_number}&board={self.board}&nonce=n1"
        return self.service.call(self.token, "GET", path)

    def installs(self, previous):
        """Polls until it is offered a request, and reports that it carries what was asked for."""
        end = time.monotonic() + 20
        while not (offered := self.poll()):
            if time.monotonic() > end:
                raise RuntimeError(f"{self.board} is offered nothing")
        report = dict.fromkeys(["id", "external_id", "department", "title", "flat_from", "flat_to", "group"])
        report.update(mac=self.mac, serial_number=self.serial_number, model=MODEL, status="installed", source="auto-replace",
                      request_id=offered[0]["request_id"], issuer=offered[0]["issuer"], board=self.board, previous=previous,
                      factory="unknown")
        self.service.call(self.token, "POST", "/api/v1/agent/status", report)
