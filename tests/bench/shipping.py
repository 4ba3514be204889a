"""What is uploaded for the Lambda, and how soon it asks for work."""

import http.server
import os
import subprocess
import threading
import time
import zipfile

import measure


class Runtime(http.server.BaseHTTPRequestHandler):
    """The API of the Lambda runtime, up to the first request for work: it notes when that comes, and has no work."""

    asked = threading.Event()

    def do_GET(self):
        if self.path.endswith("/invocation/next"):
            Runtime.at = time.monotonic()
            Runtime.asked.set()
        # The process is stopped while it waits.

    def log_message(self, *_):
        pass


def start(function, address):
    """Seconds from the start of the process to its first request for work."""
    Runtime.asked.clear()
    environment = {
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_LOG_GROUP_NAME": "bench",
        "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
        "AWS_REGION": "us-east-1",
        "ROLLCALL_TOKEN": "bench",
        "ROLLCALL_STORE": "s3://bench",
    }
    begin = time.monotonic()
    process = subprocess.Popen([function], env={**os.environ, **measure.OF_FUNCTIONS, **environment}, stderr=subprocess.DEVNULL)
    came = Runtime.asked.wait(30)
    process.kill()
    process.wait()
    if not came:
        raise SystemExit("the Lambda never asked for work")
    return Runtime.at - begin


def run(tools, findings):
    package = tools.root / "target/lambda/rollcall-lambda/bootstrap.zip"
    if not package.exists():
        raise SystemExit("there is no package: run `make lambda`, for this machine's architecture")
    with zipfile.ZipFile(package) as archive:
        archive.extract("bootstrap", tools.folder)
    function = tools.folder / "bootstrap"
    function.chmod(0o755)
    findings.note(f"The program for the Lambda, as `make lambda` makes it, has {function.stat().st_size / 1e6:.1f} MB.")
    findings.limit("zip of the Lambda, in MB", package.stat().st_size / 1e6, 7)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Runtime) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{server.server_port}"
        starts = sorted(start(function, address) for _ in range(tools.runs * 4))
        server.shutdown()
    findings.limit(
        "start of the process to its first request for work, in ms", starts[len(starts) // 2] * 1000, 20
    )
