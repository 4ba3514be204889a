"""What lies between the program and the outside: TLS with a private authority, a real proxy, AWS Secrets Manager."""

import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from ports import free_port, wait_for

ROOT = Path(__file__).parent.parent.parent
BINARIES = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
TOKEN = "5d41c4ac806c6440eb6aa8e071115f2b"


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A private certificate authority: the file to trust, and a server's context."""
    authority = trustme.CA()
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return file, context


def tls_front(context, upstream):
    """The port of a TLS server that hands everything on to a plain port of this machine."""
    listener = socket.create_server(("127.0.0.1", 0))

    def pipe(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def serve(plain):
        try:
            secure = context.wrap_socket(plain, server_side=True)
        except OSError:
            return
        inner = socket.create_connection(("127.0.0.1", upstream))
        threading.Thread(target=pipe, args=(secure, inner), daemon=True).start()
        pipe(inner, secure)

    def accept():
        while True:
            plain, _ = listener.accept()
            threading.Thread(target=serve, args=(plain,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


@contextmanager
def simulated(authority, *words):
    """The port of a simulated vendor behind TLS."""
    command = [BINARIES / "simulator", "--token", TOKEN, "--events", "2", "--until-stdin-closes", *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as simulator:
        port = int(simulator.stdout.readline().strip().rsplit(":", 1)[1])
        yield tls_front(authority[1], port)
        simulator.stdin.close()


@pytest.fixture(scope="session")
def vendor(authority):
    with simulated(authority) as port:
        yield port


@pytest.fixture(scope="session")
def aws():
    """The port of a plain AWS, as far as Secrets Manager goes."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as moto:
        wait_for(port, moto)
        yield port
        moto.terminate()


class Proxy:
    def __init__(self, port, log):
        self.url, self.log = f"http://127.0.0.1:{port}", log

    def connections_to(self, port):
        return self.log.read_text().count(f"CONNECT localhost:{port}") if self.log.exists() else 0

    def saw_connections_to(self, port):
        """Whether there were some: the proxy says so when it has closed them, which may be after the client has ended."""
        deadline = time.monotonic() + 30
        while not (seen := self.connections_to(port)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return seen > 0


@pytest.fixture
def proxy(tmp_path):
    port, log = free_port(), tmp_path / "proxy.log"
    command = [sys.executable, "-m", "proxy", "--hostname", "127.0.0.1", "--port", str(port), "--log-file", log]
    command += ["--num-workers", "1", "--num-acceptors", "1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for(port, process)
        yield Proxy(port, log)
        process.terminate()


@pytest.fixture
def rollcall(tmp_path):
    """Runs `rollcall sync` for the sample event, or another job, in an environment of its own."""

    def run(*words, job=("sync", "--event", "609768"), **environment):
        store = {"ROLLCALL_STORE": str(tmp_path / "store"), "HOME": str(tmp_path)}
        command = [BINARIES / "rollcall", *job, *words]
        return subprocess.run(command, env={**store, **environment}, capture_output=True, text=True, timeout=120)

    return run
