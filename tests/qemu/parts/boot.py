"""The boards themselves: what every other part takes for granted."""

import flash
import images
import machines


def whole_chain(lab):
    """U-Boot, environment, kernel, squashfs and jffs2 from one flash, and what they keep over a power cut."""
    chip = lab.flash()
    with machines.panel(chip, lab.log()) as board:
        board.shell()
        lab.note(f"a shell {board.sh('cut -d. -f1 /proc/uptime')} s after the kernel's start")
        assert board.sh("fw_printenv -n ethaddr") == flash.MAC
        assert board.sh("cat /sys/class/net/eth0/address") == flash.MAC.lower()
        assert board.sh("ip -4 addr show eth0 | grep -c 'inet 10.0.2.15'") == "1"
        assert board.sh("grep -c ' / overlay' /proc/mounts") == "1"
        assert board.sh("grep -c '/dev/mtdblock5 /overlay jffs2' /proc/mounts") == "1"
        assert board.sh("date +%Y") == "1970"
        board.sh("echo kept >/etc/probe && sync && fw_setenv probe kept")
    with machines.panel(chip, lab.log()) as board:
        board.shell()
        assert board.sh("cat /etc/probe") == "kept"
        assert board.sh("fw_printenv -n probe") == "kept"


def mac_from_environment(lab):
    """U-Boot hands ethaddr to the kernel, so that the link has it before user space."""
    chip = lab.flash(variables=flash.environment(append="hwaddress=keep", ethaddr="02:00:5E:00:53:77"))
    with machines.panel(chip, lab.log()) as board:
        board.shell()
        assert board.sh("cat /sys/class/net/eth0/address") == "02:00:5e:00:53:77"


def busy_link(lab):
    """The first board's driver refuses a MAC while the link is up; the second board's takes it."""
    with machines.panel(lab.flash(), lab.log("panel")) as board:
        board.shell()
        assert board.run("ip link set eth0 address 02:00:5e:00:53:02")[0] != 0
        board.sh("ip link set eth0 down && ip link set eth0 address 02:00:5e:00:53:02 && ip link set eth0 up")
    with machines.virt(images.rootfs("single") / "initrd.gz", lab.log("virt")) as board:
        board.shell()
        board.sh("ip link set eth0 address 02:00:5e:00:53:02")
        assert board.sh("cat /sys/class/net/eth0/address") == "02:00:5e:00:53:02"


def redundant_environment(lab):
    """Two copies: fw_setenv writes the other one, and U-Boot takes the active one."""
    chip = lab.flash("redundant", flash.environment(append="hwaddress=keep"))
    with machines.panel(chip, lab.log()) as board:
        board.shell()
        board.sh("fw_setenv ethaddr 02:00:5e:00:53:02")
    assert chip.variables(0)["ethaddr"] == flash.MAC, "the first copy should be as it was"
    assert chip.variables(1)["ethaddr"] == "02:00:5e:00:53:02", "the second copy should be the new one"
    with machines.panel(chip, lab.log()) as board:
        board.shell()
        assert board.sh("cat /sys/class/net/eth0/address") == "02:00:5e:00:53:02"


def broken_environment(lab):
    """Without a good environment a board runs its compiled-in default: one reaches Linux, the other does not."""
    chip = lab.flash()
    chip.write(flash.ENVIRONMENT[0] + 8, b"\0\0\0\0")
    with machines.panel(chip, lab.log("dead")) as board:
        board.wait("bad CRC, using default environment")
        board.wait("compiled-in default: cannot boot")
    with machines.panel(chip, lab.log("alive"), default_boots=True) as board:
        board.wait("bad CRC, using default environment")
        board.shell()


def reboot(lab):
    """A reboot asked for by the guest ends the run, as the driver of the tests expects it to."""
    with machines.panel(lab.flash(), lab.log()) as board:
        board.shell()
        board.type("reboot -f\n")
        board.ended()


def small_memory(lab):
    """The same chain in 32 MB."""
    chip = lab.flash(variables=flash.environment(memory="32M"))
    with machines.panel(chip, lab.log()) as board:
        board.shell()
        assert int(board.sh("sed -n 's/MemTotal: *\\([0-9]*\\).*/\\1/p' /proc/meminfo")) < 32 * 1024


CHECKS = [whole_chain, mac_from_environment, busy_link, redundant_environment, broken_environment, reboot,
          small_memory]
