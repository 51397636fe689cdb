"""The board's flash as a file: 16 MiB of SPI-NOR with the partitions of panel.dts."""

import io
import pathlib
import shutil
import struct
import subprocess
import tarfile
import zlib

import images

SIZE = 0x1000000
DEVICE_TREE = 0x20000
SETTINGS = 0x30000
SETTINGS_SIZE = 0x10000
ENVIRONMENT = (0x40000, 0x50000)
ENVIRONMENT_SIZE = 0x10000
KERNEL = 0x60000
ROOTFS = 0x400000
DATA = 0xA00000

MAC = "02:00:5E:00:53:01"
ROOT = "root=/dev/mtdblock4 rootfstype=squashfs ro init=/init"
CONSOLE = "console=ttyS4,115200n8 quiet panic=-1 printk.devkmsg=on"


def environment(memory="64M", append="", **more):
    """The environment of a board that boots Linux from its flash."""
    size = images.kernel().stat().st_size
    boot = f"sf probe 0; sf read 0x83000000 {DEVICE_TREE:#x} 0x10000; sf read 0x84000000 {KERNEL:#x} {size:#x}; "
    return {
        "bootdelay": "0",
        "bootargs": f"{CONSOLE} mem={memory} {ROOT} {append}".strip(),
        "bootcmd": boot + "bootz 0x84000000 - 0x83000000",
        "ethaddr": MAC,
        "serialno": "FACTORY-0001",
        **more,
    }


def filler(size=40_000):
    """Variables that fill an environment: a nearly empty one seldom tears."""
    return {f"filler{n}": ("%08x" % (n * 2654435761 % 2**32)) * 12 for n in range(size // 107)}


def environment_image(copies, variables, active=True):
    """One of the copies of an environment."""
    text = "".join(f"{name}={value}\n" for name, value in variables.items())
    command = ["mkenvimage", "-s", hex(ENVIRONMENT_SIZE), "-o", "-"]
    if copies == "redundant":
        command.append("-r")
    image = subprocess.run([*command, "-"], input=text.encode(), stdout=subprocess.PIPE, check=True).stdout
    if copies == "redundant" and not active:
        # mkenvimage marks every copy active; the flag is not part of the checksum.
        image = image[:4] + b"\x00" + image[5:]
    return image


def archive(files):
    """The files, of text or bytes, as a tar archive."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            content = content.encode() if isinstance(content, str) else content
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o700
            tar.addfile(entry, io.BytesIO(content))
    return data.getvalue()


class Flash:
    """One image file, written whole at the start and then only by the board."""

    def __init__(self, path, copies="single", variables=None, tree=None, compressor="gzip"):
        self.path = pathlib.Path(path)
        self.copies = copies
        content = bytearray(b"\xff" * SIZE)
        for offset, part in (
            (DEVICE_TREE, images.device_tree()),
            (KERNEL, images.kernel()),
            (ROOTFS, images.rootfs(copies, tree, compressor) / "rootfs.squashfs"),
        ):
            data = part.read_bytes()
            content[offset : offset + len(data)] = data
        for number in range(2 if copies == "redundant" else 1):
            data = environment_image(copies, variables or environment(), active=number == 0)
            content[ENVIRONMENT[number] : ENVIRONMENT[number] + len(data)] = data
        self.path.write_bytes(content)

    def copy(self, path):
        """A second flash with the same content."""
        other = object.__new__(Flash)
        other.path, other.copies = pathlib.Path(path), self.copies
        shutil.copyfile(self.path, other.path)
        return other

    def read(self, offset, size):
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def write(self, offset, data):
        """What no board did: damage, or an erased partition."""
        with self.path.open("r+b") as file:
            file.seek(offset)
            file.write(data)

    def settings(self, files):
        """Files that the board finds in /run/settings at its start; a `start` among them is run by its init."""
        data = archive(files)
        assert len(data) <= SETTINGS_SIZE, "too much for its partition"
        self.write(SETTINGS, data.ljust(SETTINGS_SIZE, b"\xff"))
        return self

    def variables(self, number=0):
        """The environment in copy `number`, or None when its checksum is bad."""
        return self.parse(self.read(ENVIRONMENT[number], ENVIRONMENT_SIZE))

    def parse(self, image):
        """The variables in one copy of the environment, or None when its checksum is bad."""
        head = 5 if self.copies == "redundant" else 4
        if struct.unpack("<I", image[:4])[0] != zlib.crc32(image[head:]):
            return None
        text = image[head:].split(b"\0\0", 1)[0]
        return dict(line.split("=", 1) for line in text.decode().split("\0") if line)

    def active(self, content=None):
        """The environment that U-Boot would take, or None when none is good; of this flash, or of a content like its."""
        content = self.path.read_bytes() if content is None else content
        good = []
        for number, at in enumerate(ENVIRONMENT[: 2 if self.copies == "redundant" else 1]):
            image = bytes(content[at : at + ENVIRONMENT_SIZE])
            if (variables := self.parse(image)) is not None:
                good.append((image[4], -number, variables))
        return max(good, key=lambda each: each[:2])[2] if good else None

    def compressor(self):
        """What compresses the root file system, by the number in its superblock."""
        magic, number = struct.unpack_from("<I16xH", self.read(ROOTFS, 22))
        assert magic == 0x73717368, "not a squashfs"
        return {1: "gzip", 4: "xz"}[number]

    def erase_data(self):
        """The overlay's partition as it leaves the factory."""
        self.write(DATA, b"\xff" * (SIZE - DATA))
