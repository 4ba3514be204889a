"""Ports of this machine, for the servers that tests start."""

import contextlib
import socket
import time

# How long a server may take to listen.
PATIENCE = 120


def free_port():
    (port,) = free_ports(1)
    return port


def free_ports(count):
    """Different ones: each is held until all are found."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def wait_for(port, process):
    """Until something listens; a process that ended will never."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{process.args} does not listen (exit status {process.returncode})")
