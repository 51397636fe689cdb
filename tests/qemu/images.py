"""What a board is made of: kernel, device tree, U-Boot, root file system. The scripts in images/ build and cache it."""

import collections
import concurrent.futures
import functools
import hashlib
import os
import pathlib
import subprocess
import threading

HERE = pathlib.Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
_one_at_a_time = collections.defaultdict(threading.Lock)


def _made(script, *arguments):
    # Checks run side by side; what one builds the others wait for.
    with _one_at_a_time[script]:
        return _made_once(script, *arguments)


@functools.cache
def _made_once(script, *arguments):
    command = [HERE / "images" / script, *arguments]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return pathlib.Path(result.stdout.strip())


def build(with_billing):
    """Builds what takes long, side by side, so that the first boards need not wait for it."""
    rivals()
    with concurrent.futures.ThreadPoolExecutor() as builders:
        if with_billing:
            # A failure is for the check that needs it.
            builders.submit(billing)
        for made in [builders.submit(make) for make in (device_tree, functools.partial(uboot, "single"), certificates)]:
            made.result()


def _cache():
    own = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("INTERCOM_QEMU_CACHE") or pathlib.Path(own) / "intercom-agent" / "qemu")


def _inputs():
    """What all that takes long is made from, as one number."""
    files = sorted([*HERE.glob("images/*.sh"), *HERE.glob("*.config"), HERE / "panel.dts"])
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def are_cached():
    """Whether a whole run has built everything from the same inputs before."""
    stamp = _cache() / "whole-run"
    return stamp.is_file() and stamp.read_text() == _inputs()


def remember():
    """Says that a whole run has built everything."""
    (_cache() / "whole-run").write_text(_inputs())


def kernel():
    return _made("kernel.sh") / "zImage"


def device_tree(name="panel"):
    """The first board's: "panel", or "two-links" with a second network interface."""
    return _made("dtb.sh") / f"{name}.dtb"


def uboot(copies):
    """U-Boot for one ("single") or two ("redundant") copies of the environment."""
    return _made("uboot.sh") / copies / "u-boot.bin"


def rootfs(copies, tree=None, compressor="gzip"):
    """The directory with rootfs.squashfs and initrd.gz; `tree` is laid over the board's own files."""
    return _made("rootfs.sh", str(_programs()), copies, compressor, *([str(tree)] if tree else []))


def systemd(tree):
    """The root disk of the second board with Debian and systemd; `tree` is laid over it."""
    return _made("systemd.sh", str(tree)) / "root.ext4"


@functools.cache
def billing():
    """The billing service of this checkout."""
    command = ["nice", "cargo", "build", "-q", "-p", "intercom-billing"]
    subprocess.run(command, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True, check=True)
    return CHECKOUT / "target" / "debug" / "intercom-billing"


def mutant(file, old, new):
    """The agent with one line of its source replaced; beside it, intercom-agent.debug."""
    return _made("mutant.sh", file, old, new) / "intercom-agent"


def ciphers():
    """The program that times TLS's ciphers on the board (ciphers/)."""
    return _made("ciphers.sh") / "intercom-ciphers"


def _programs():
    """Debian's programs for the guest, its own and the rivals'."""
    return _made("armhf.sh")


def busybox():
    """BusyBox with ifupdown, for the part `firmware`."""
    return _made("busybox.sh") / "busybox"


def rivals():
    """The programs that the agent's footprint is compared with."""
    return _programs() / "rivals"


def certificates():
    """The directory with ca.pem, and server.pem and server.key for a broker called broker.test."""
    return _made("certificates.sh")
