"""A board with the agent on it, as systemd/install puts it there."""

import contextlib
import json
import pathlib
import shutil
import subprocess
import threading
import time

import flash
import machines
from board import patience
from images import CHECKOUT
from upstream import BOARD_SEES

OLD, NEW = flash.MAC, "02:00:5E:00:53:09"
OLD_SERIAL, NEW_SERIAL = "FACTORY-0001", "SPARE-0002"
MODEL = "3516EV200"


# A check may start several boards at once: none of them may find half a tree.
_PLANTING = threading.Lock()


def tree(lab, *options):
    """Files to be laid over the board's own: the agent, its scripts, and a configuration that comes from the flash."""
    directory = lab.directory / "-".join(["tree", *options])
    with _PLANTING:
        if not directory.exists():
            etc = directory / "etc"
            etc.mkdir(parents=True)
            shutil.copy(pathlib.Path(__file__).parent / "rootfs/etc/inittab", etc)
            (etc / "intercom-agent.toml").symlink_to("/run/settings/intercom-agent.toml")
            subprocess.run([CHECKOUT / "systemd/install", "--root", directory, "--binary", lab.agent(), "--busybox",
                            *(options or ["--respawn"])], check=True)
    return directory


def debian(lab, settings, **files):
    """The second board with systemd and the agent, as systemd/install puts it there."""
    directory = lab.directory / "tree-systemd"
    subprocess.run([CHECKOUT / "systemd/install", "--root", directory, "--binary", lab.agent(), "--systemd"], check=True)
    return machines.Debian(lab, directory, {"intercom-agent.toml": settings, **files})


def package(lab):
    """The Debian package of this agent, as a setting of a board."""
    folder = lab.directory / "package"
    subprocess.run([CHECKOUT / "packaging/debian/build", "--agent", lab.agent(), "--out", folder, "--fast", "armhf"], check=True)
    (made,) = folder.glob("intercom-agent_*_armhf.deb")
    return made.read_bytes()


def config(upstream, policy="redundant-only", confirm_within=60, settle=2, **more):
    """A configuration; `upstream` is the text of its [mqtt] or [http] part."""
    lines = [f'environment = "{policy}"', f"confirm_within = {confirm_within}", f"settle = {settle}",
             f'models = ["{MODEL}"]', 'log_level = "debug"', *(f"{key} = {value}" for key, value in more.items()),
             "[serial_number]", 'environment_variable = "serialno"', upstream]
    return "\n".join(lines) + "\n"


def mqtt(broker):
    return f'[mqtt]\nurl = "mqtt://{BOARD_SEES}:{broker.port}"'


def mqtts(broker):
    return (f'[mqtt]\nurl = "mqtts://{BOARD_SEES}:{broker.port}"\nserver_name = "broker.test"\n'
            'ca_file = "/run/settings/ca.pem"')


def http(billing, poll_every=2):
    return f'[http]\nurl = "http://{BOARD_SEES}:{billing.port}"\npoll_every = {poll_every}'


def request(request_id="r1", **more):
    """The request that makes OLD into NEW."""
    return {"mac": OLD, "new_mac": NEW, "new_serial_number": NEW_SERIAL, "model": MODEL, "request_id": request_id,
            **more}


def chip(lab, settings, copies="redundant", options=(), filled=True, append="", compressor="gzip", **files):
    """A flash with the agent; the environment is filled, since a nearly empty one proves little."""
    variables = flash.environment(append=append, **(flash.filler() if filled else {}))
    return lab.flash(copies, variables, tree(lab, *options), compressor).settings({"intercom-agent.toml": settings, **files})


def answer(board, command, limit=20):
    """What a command of the agent answers in JSON, whatever its exit code."""
    return json.loads(board.run(f"intercom-agent {command} --json 2>/dev/null", limit)[1])


def until(what, fits, limit=60):
    """Asks until it fits."""
    end = time.monotonic() + limit * patience()
    while not fits():
        assert time.monotonic() < end, f"not within {limit} s: {what}"


def until_status(board, what, fits, limit=60):
    """Waits until the status of the agent fits; the status then."""
    last = {}

    def ask():
        last.update(answer(board, "status"))
        return fits(last)
    until(what, ask, limit)
    return last


def until_told(board, limit=60):
    """Waits until no change is in progress and nothing is left to report; the status then."""
    return until_status(board, "told", lambda status: status["change"] is None and not status["unreported"], limit)


def until_reached(board, limit=60):
    """Waits until the broker is reached, whatever the board claims to be; the status then."""
    # Before the daemon runs, the record answers, which knows nothing of routes.
    return until_status(board, "reached", lambda status: status.get("reached") == ["mqtt"], limit)


def identity(board):
    """What the board carries: the kernel's MAC, and what the runtime files say."""
    mac = board.sh("cat /sys/class/net/eth0/address").upper()
    says = json.loads(board.sh("cat /run/intercom-agent/identity.json"))
    return mac, says["mac"], says["serial_number"]


@contextlib.contextmanager
def log_shown(board):
    """Lets a failure tell what the agent said."""
    try:
        yield
    except AssertionError:
        board.run("dmesg | grep -v '^\\[ *[01]\\.' | tail -n 40")
        raise


def change(lab, broker, chip, log="change", **machine):
    """Boots and carries out the change from OLD to NEW over MQTT: the board, still running, and the report."""
    board = machines.panel(chip, lab.log(log), **machine)
    try:
        board.shell()
        with log_shown(board):
            broker.online(OLD)
            broker.publish(f"intercoms/{OLD}/patch/r1", request())
            report = broker.report()
            assert report["status"] == "installed", report
        return board, report
    except BaseException:
        board.cut()
        raise
