"""The built function, under the emulator of Lambda's runtime that AWS gives out."""

import json
import os
import platform
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
import pytest
import samcli
from conftest import BINARIES
from ports import free_ports, wait_for

if platform.system() != "Linux":
    pytest.skip("SKIPPED: the emulator of Lambda's runtime runs on Linux", allow_module_level=True)
MACHINE = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
# The program of the package, where that is what is tried.
PROGRAM = os.environ.get("ROLLCALL_BOOTSTRAP", BINARIES / "rollcall-lambda")
EMULATOR = Path(samcli.__file__).parent / f"local/rapid/aws-lambda-rie-{MACHINE}"


class FunctionError(Exception):
    """What Lambda calls an error of the function: its type, and its message."""

    def __init__(self, payload):
        self.payload = payload
        super().__init__(payload.get("errorMessage"))

    @property
    def kind(self):
        return self.payload.get("errorType")


class Function:
    """One sandbox: a process that takes one invocation after the other."""

    def __init__(self, environment, seconds=900):
        EMULATOR.chmod(0o755)
        self.seconds = seconds
        port, runtime = free_ports(2)
        self.url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        self.log = tempfile.TemporaryFile(mode="a+")
        command = [EMULATOR, "--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
        command += ["--runtime-api-address", f"127.0.0.1:{runtime}", PROGRAM]
        settings = {"AWS_LAMBDA_FUNCTION_TIMEOUT": str(seconds), "HOME": "/tmp", "PATH": os.environ["PATH"]}
        self.process = subprocess.Popen(
            command,
            env={**settings, **environment},
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        wait_for(port, self.process)

    def send(self, body):
        """The answer to a payload as it is; of a function that was killed for the time it took, what Lambda makes of it."""
        try:
            with urllib.request.urlopen(self.url, data=body, timeout=self.seconds + 60) as answer:
                said = answer.read() or b"null"
        except urllib.error.HTTPError as error:
            said = error.read() or b"{}"
        if said.startswith(b"Task timed out"):
            return {"errorType": "Sandbox.Timedout", "errorMessage": said.decode()}
        return json.loads(said)

    def invoke(self, payload):
        """The report, or a `FunctionError`."""
        answer = self.send(json.dumps(payload).encode())
        if not isinstance(answer, dict) or "errorType" in answer:
            raise FunctionError(answer or {})
        return answer

    def lines(self):
        """The lines in JSON that the function has logged so far."""
        self.log.seek(0)
        return [json.loads(line) for line in self.log if line.startswith("{")]

    def text(self):
        self.log.seek(0)
        return self.log.read()

    def close(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()
