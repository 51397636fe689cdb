"""What a board is made of: kernel, device tree, U-Boot, root file system. The scripts in images/ build and cache it."""

import functools
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent


@functools.cache
def _made(script, *arguments):
    command = [HERE / "images" / script, *arguments]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return pathlib.Path(result.stdout.strip())


def kernel():
    return _made("kernel.sh") / "zImage"


def device_tree():
    return _made("dtb.sh") / "panel.dtb"


def uboot(copies):
    """U-Boot for one ("single") or two ("redundant") copies of the environment."""
    return _made("uboot.sh") / copies / "u-boot.bin"


def rootfs(copies, tree=None):
    """The directory with rootfs.squashfs and initrd.gz; `tree` is laid over the board's own files."""
    return _made("rootfs.sh", copies, *([str(tree)] if tree else []))


def rivals():
    """The programs that the agent's footprint is compared with."""
    return _made("armhf.sh") / "rivals"


def certificates():
    """The directory with ca.pem, and server.pem and server.key for a broker called broker.test."""
    return _made("certificates.sh")
