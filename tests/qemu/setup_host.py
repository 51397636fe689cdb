"""QEMU and the host's tools, installed where they are missing."""

import os
import shutil
import subprocess

PACKAGES = {
    "qemu-system-arm": "qemu-system-arm",
    "qemu-img": "qemu-utils",
    "mkenvimage": "u-boot-tools",
    "mosquitto": "mosquitto",
}
# Older ones have the board, but not everything that it does here has been seen to work.
QEMU = 8
BACKPORTS = "deb http://deb.debian.org/debian bookworm-backports main"


def install():
    """Installs what is missing; says so."""
    missing = sorted(package for tool, package in PACKAGES.items() if not shutil.which(tool, path=_path()))
    if missing:
        print(f"installing {' '.join(missing)}", flush=True)
        _root("apt-get", "update", "-qq")
        _root("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing, *_backports(missing))
    os.environ["PATH"] = _path()


def _path():
    return os.environ["PATH"] + ":/usr/sbin:/sbin"


def _backports(missing):
    """Bookworm's own QEMU is too old: take the one from backports, without adding backports to the system."""
    with open("/etc/os-release") as file:
        bookworm = "VERSION_CODENAME=bookworm" in file.read()
    if not bookworm or not any(package.startswith("qemu") for package in missing):
        return []
    lists = "/var/cache/intercom-agent-backports"
    _root("mkdir", "-p", f"{lists}/partial")
    script = f"cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null > {lists}/sources.list; " \
             f"echo '{BACKPORTS}' >> {lists}/sources.list; " \
             f"echo 'deb http://deb.debian.org/debian bookworm main' >> {lists}/sources.list"
    _root("sh", "-c", script)
    options = ["-o", f"Dir::State::lists={lists}", "-o", f"Dir::Etc::sourcelist={lists}/sources.list",
               "-o", "Dir::Etc::sourceparts=-"]
    _root("apt-get", *options, "update", "-qq")
    return [*options, "-t", "bookworm-backports"]


def _root(*command):
    if os.geteuid() != 0:
        command = ("sudo", *command)
    subprocess.run(command, check=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                   stdout=subprocess.DEVNULL)
