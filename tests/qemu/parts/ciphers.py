"""The ciphers of TLS on a Cortex-A7 with NEON and without, as ratios; and which one a connection gets. Only with --long
or by name."""

import shutil
import socket
import ssl
import types

import images
import machines
from agent import chip, config, log_shown, mqtts
from board import patience
from parts.init import BY_INSTRUCTIONS

CHACHA20 = "ChaCha20-Poly1305"


def table(lab):
    """Nanoseconds to seal one byte in records of 16 KiB, on boards whose clocks count their instructions."""
    tree = lab.directory / "tree-ciphers"
    programs = tree / "usr/bin"
    programs.mkdir(parents=True)
    shutil.copy(images.ciphers(), programs)
    with machines.panel(lab.flash(tree=tree), lab.log("without"), boot="kernel", extra=BY_INSTRUCTIONS) as board:
        without = _timed(board, neon=False)
    initrd = images.rootfs("single", tree) / "initrd.gz"
    with machines.virt(initrd, lab.log("with"), extra=BY_INSTRUCTIONS) as board:
        with_neon = _timed(board, neon=True)
    lab.note(f"{'ns per byte':19}{'NEON':>8}{'ratio':>8}{'no NEON':>8}{'ratio':>8}")
    for name in with_neon:
        lab.note(f"{name:19}" + "".join(f"{took[name]:>8.1f}{took[name] / took[CHACHA20]:>8.2f}"
                                        for took in (with_neon, without)))
    for took in (with_neon, without):
        assert took[CHACHA20] == min(took.values()), "the agent should not prefer it"


def _timed(board, neon):
    board.shell(60)
    assert (board.run("grep -qw neon /proc/cpuinfo")[0] == 0) == neon, "this is another core"
    lines = board.sh("intercom-ciphers", 120).splitlines()
    return {name: float(ns) for name, ns in (line.split() for line in lines)}


def negotiated(lab):
    """A server that leaves the choice to the panel gets ChaCha20-Poly1305, over TLS 1.2 and 1.3."""
    made = images.certificates()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made / "server.pem", made / "server.key")
        context.minimum_version = context.maximum_version = version
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(60 * patience())
            broker = types.SimpleNamespace(port=listener.getsockname()[1])
            settings = chip(lab, config(mqtts(broker)),
                            **{"ca.pem": (made / "ca.pem").read_text(), "start": "date -s 2026-11-01"})
            with machines.panel(settings, lab.log(version.name), boot="kernel") as board:
                board.shell()
                with log_shown(board), context.wrap_socket(listener, server_side=True).accept()[0] as connection:
                    name, protocol, _ = connection.cipher()
        lab.note(f"{protocol}: {name}")
        assert "CHACHA20" in name, name


CHECKS = [table, negotiated]
