"""The two boards. `panel` has NOR flash and a driver that is busy while up; `virt` takes a MAC at any time."""

import pathlib
import subprocess

import flash as layout
import images
from board import DEFAULT_BOOTS, PARKED, Board


TWO_NETWORKS = ["-nic", "user,id=net0,net=10.0.3.0/24", "-nic", "user,id=net1"]


def _file(directory, name, data):
    path = pathlib.Path(directory) / name
    path.write_bytes(data)
    return path


def _drive(flash):
    return ["-drive", f"id=mtd0,if=mtd,index=0,format=raw,cache=writeback,file={flash.path}"]


def _network(hostfwd, device=None):
    """QEMU's own network, in which 10.0.2.2 is the host's loopback."""
    backend = "user,id=net0" + "".join(f",hostfwd={each}" for each in hostfwd)
    if device:
        return ["-netdev", backend, "-device", f"{device},netdev=net0"]
    return ["-nic", backend]


def panel(flash, log, *, boot="uboot", memory="64M", append="", default_boots=False, network=(), initrd=None,
          second_link=False, extra=()):
    """The first board, an AST2600. `boot` is "uboot" for the whole chain from the flash, "kernel" for the kernel at
    once with the root file system from the flash, or "initrd" with the root file system in memory. With `second_link`
    it has eth1 too, not by U-Boot; then 10.0.2.2 is on that network, and eth0's is 10.0.3.0/24."""
    parked = _file(pathlib.Path(log).parent, "parked.bin", PARKED)
    # The machine's second flash is not used here: as small as there is, since each start fills it.
    arguments = ["-M", "ast2600-evb,fmc-model=mx25l12805d,spi-model=m25p80", "-m", "256M",
                 "-device", f"loader,file={parked},addr=0x10000000,force-raw=on",
                 "-device", "loader,addr=0x10000000,cpu-num=1",
                 *_drive(flash), *(TWO_NETWORKS if second_link else _network(network)), *extra]
    if boot == "uboot":
        arguments += ["-device", f"loader,file={images.uboot(flash.copies)},addr=0x80000000,cpu-num=0"]
        if default_boots:
            arguments += ["-device", f"loader,addr=0x88000000,data={DEFAULT_BOOTS:#x},data-len=4"]
        return Board(arguments, log, "panel")
    arguments += ["-kernel", images.kernel(), "-dtb", images.device_tree("two-links" if second_link else "panel")]
    command_line = f"{layout.CONSOLE} mem={memory} {append}"
    if boot == "initrd":
        initrd = initrd or images.rootfs(flash.copies) / "initrd.gz"
        size = pathlib.Path(initrd).stat().st_size
        arguments += ["-device", f"loader,file={initrd},addr=0x82800000,force-raw=on"]
        command_line += f" initrd=0x82800000,{size}"
    else:
        command_line += f" {layout.ROOT}"
    return Board([*arguments, "-append", command_line], log, "panel")


def virt(initrd, log, *, memory="64M", append="", network=(), extra=()):
    """The second board: virtio-net takes a MAC while up, as the panel's own driver does."""
    command_line = f"console=ttyAMA0 quiet panic=-1 overlay=tmpfs {append}"
    return Board(["-M", "virt", "-cpu", "cortex-a7", "-m", memory, "-kernel", images.kernel(), "-initrd", initrd,
                  *_network(network, "virtio-net-device"), *extra, "-append", command_line], log, "virt")


class Debian:
    """The second board with Debian and systemd, and what stays when it is switched off: its disk, what it finds in
    /run/settings, and a flash of 64 MiB with a filled environment. (One copy: this emulated flash cannot program the
    single byte that marks a copy obsolete; fw_setenv fails there too.)"""

    def __init__(self, lab, tree, files):
        self.disk, self.settings, self.nor = (lab.directory / name for name in ("disk.img", "settings.img", "nor.img"))
        subprocess.run(["cp", "--sparse=always", images.systemd(tree), self.disk], check=True)
        self.settings.write_bytes(layout.archive(files))
        with self.nor.open("wb") as nor:
            nor.write(layout.environment_image("single", {**layout.environment(), **layout.filler()}))
            nor.write(b"\xff" * (0x4000000 - nor.tell()))

    def boot(self, log):
        command_line = ("console=ttyAMA0 quiet panic=-1 root=/dev/vdb rw net.ifnames=0 systemd.show_status=0 "
                        "mtdparts=0.flash:64m(boot),256k(env),-(rest)")
        drives = ["-drive", f"if=pflash,unit=1,format=raw,file={self.nor}"]
        # The one that comes last is vda.
        for number, path in enumerate((self.disk, self.settings)):
            drives += ["-drive", f"if=none,id=disk{number},format=raw,file={path}",
                       "-device", f"virtio-blk-device,drive=disk{number}"]
        return Board(["-M", "virt", "-cpu", "cortex-a7", "-m", "256M", "-kernel", images.kernel(),
                      *_network((), f"virtio-net-device,mac={layout.MAC}"), *drives, "-append", command_line], log,
                     "debian")
