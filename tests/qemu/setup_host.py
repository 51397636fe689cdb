"""QEMU and the host's tools, installed where they are missing."""

import os
import pathlib
import subprocess

DEBIAN = pathlib.Path(__file__).resolve().parent.parent.parent / "cross" / "debian"


def install():
    """Installs what is missing; says so."""
    subprocess.run([DEBIAN, "qemu-system-arm", "qemu-utils", "u-boot-tools", "mosquitto", "mosquitto-clients"], check=True)
    os.environ["PATH"] += ":/usr/sbin:/sbin"
