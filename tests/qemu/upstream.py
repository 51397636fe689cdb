"""What the panel talks to, on the host's loopback: a real mosquitto, and the billing service of this project."""

import json
import os
import pathlib
import queue
import re
import socket
import subprocess
import threading
import time
import urllib.request

import images
from board import patience
from lab import Skip

BOARD_SEES = "10.0.2.2"
# OpenSSL's configuration for a server that speaks one version of TLS.
ONE_VERSION = """openssl_conf = start
[start]
ssl_conf = ssl
[ssl]
system_default = versions
[versions]
MinProtocol = TLSv{0}
MaxProtocol = TLSv{0}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port, limit=15):
    """Waits until somebody listens."""
    deadline = time.monotonic() + limit * patience()
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise AssertionError(f"nobody listens on port {port}") from None
            time.sleep(0.02)


class Broker:
    """mosquitto, and everything that is published to it; `reports` are those so far. With `tls`, only over TLS for
    the board: "1.2" or "1.3" for this version alone, True for either."""

    def __init__(self, lab, tls=False):
        self.port, self.plain = free_port(), free_port()
        directory = pathlib.Path(lab.directory)
        # Root would otherwise become a user who cannot read in root's home.
        lines = ["user root", "per_listener_settings false", "allow_anonymous true", "persistence false",
                 f"listener {self.plain} 127.0.0.1"]
        if tls:
            made = images.certificates()
            lines += [f"listener {self.port} 127.0.0.1", f"certfile {made}/server.pem", f"keyfile {made}/server.key"]
        else:
            self.port = self.plain
        config = directory / f"mosquitto-{self.port}.conf"
        config.write_text("\n".join(lines) + "\n")
        self._log = (lab.logs / f"mosquitto-{self.port}.log").open("w")
        environment = dict(os.environ)
        if isinstance(tls, str):
            # mosquitto's own option is the lowest version.
            versions = config.with_suffix(".openssl")
            versions.write_text(ONE_VERSION.format(tls))
            environment["OPENSSL_CONF"] = str(versions)
        self._broker = subprocess.Popen(["mosquitto", "-v", "-c", config], stdout=self._log, stderr=self._log,
                                        env=environment)
        answers(self.port)
        self._heard = queue.Queue()
        self.reports = []
        self._client = subprocess.Popen(
            ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.plain), "-t", "#", "-q", "1", "-F", "%t %p"],
            stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (self._client, self._broker):
            process.kill()
            process.wait()
        self._log.close()

    def _listen(self):
        for line in self._client.stdout:
            topic, _, payload = line.rstrip("\n").partition(" ")
            if topic.endswith("/status") and payload:
                self.reports.append(json.loads(payload))
            self._heard.put((topic, payload))

    def signal(self, number):
        """Stops the broker, or lets it go on: its connections stay, and are silent."""
        self._broker.send_signal(number)

    def publish(self, topic, message, retain=True):
        """Publishes an object as JSON, or clears the topic with None."""
        command = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.plain), "-q", "1", "-t", topic]
        command += ["-r"] if retain else []
        command += ["-n"] if message is None else ["-m", json.dumps(message)]
        subprocess.run(command, check=True)

    def wait(self, topic, text="", limit=60):
        """The next message on a topic (a regular expression) whose payload has `text` in it."""
        limit = round(limit * patience())
        deadline = time.monotonic() + limit
        while True:
            try:
                heard, payload = self._heard.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"nothing on {topic} with {text!r} within {limit} s") from None
            if re.fullmatch(topic, heard) and text in payload:
                return json.loads(payload) if payload else None

    def forget(self):
        """Drops what was heard and not waited for."""
        while not self._heard.empty():
            self._heard.get()

    def online(self, mac, limit=60):
        """Waits until a panel with this MAC address is there."""
        return self.wait("intercoms/by-board/[^/]+/presence", f'"mac":"{mac}"', limit)

    def offline(self, limit=60):
        """Waits until a panel has gone."""
        return self.wait("intercoms/by-board/[^/]+/presence", '"offline"', limit)

    def report(self, limit=60):
        """Waits for the next report."""
        return self.wait("intercoms/by-board/[^/]+/status", limit=limit)


class Billing:
    """`intercom-billing serve`."""

    def __init__(self, lab, grace_ms=1000):
        try:
            binary = images.billing()
        except subprocess.CalledProcessError as error:
            raise Skip(f"intercom-billing cannot be built: {error.stderr[-500:]}") from None
        self.port, self.mqtt = free_port(), free_port()
        self._log = (lab.logs / "billing.log").open("w")
        self._service = subprocess.Popen(
            [binary, "serve", "--listen", f"127.0.0.1:{self.port}", "--mqtt-listen", f"127.0.0.1:{self.mqtt}",
             "--host", BOARD_SEES, "--database", lab.directory / "billing.sqlite", "--grace-ms", str(grace_ms)],
            stdout=self._log, stderr=self._log)
        answers(self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._service.kill()
        self._service.wait()
        self._log.close()

    def ask(self, method, path, body=None):
        """One call of the documented API: its answer."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def until(self, path, right, limit=60):
        """Asks until the answer is right."""
        limit = round(limit * patience())
        deadline = time.monotonic() + limit
        while True:
            answer = self.ask("GET", path)
            if right(answer):
                return answer
            if time.monotonic() > deadline:
                raise AssertionError(f"{path} still answers {answer} after {limit} s")
            time.sleep(0.1)
