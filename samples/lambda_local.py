"""The function on this machine: a simulated vendor, a folder for a bucket, and `cargo lambda watch` in place of Lambda.

Ends with Ctrl-C, or when its standard input is closed.
"""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
BINARIES = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
# Never the reader's own lake.
STORE = Path(os.environ.get("DEMO_STORE", ROOT / "rollcall-demo"))
ADDRESS, PORT = "127.0.0.1", os.environ.get("PORT", "9000")


def main():
    # A token of the simulator's own making: nothing here is secret.
    vendor = [BINARIES / "simulator", "--token", "demo", "--events", "24", "--until-stdin-closes"]
    watch = ["cargo", "lambda", "watch", "--only-lambda-apis", "--invoke-address", ADDRESS, "--invoke-port", PORT]
    processes = [subprocess.Popen(vendor, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)]
    try:
        url = processes[0].stdout.readline().strip()
        processes.append(subprocess.Popen(watch, stdin=subprocess.DEVNULL, stdout=sys.stderr))
        environment = {
            **os.environ,
            # As Lambda sets them, and as `cargo lambda watch` asks for.
            "AWS_LAMBDA_RUNTIME_API": f"http://{ADDRESS}:{PORT}/.rt",
            "AWS_LAMBDA_FUNCTION_NAME": "_",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "ROLLCALL_API_URL": url,
            "ROLLCALL_TOKEN": "demo",
            "ROLLCALL_STORE": str(STORE),
            # The simulated events took place in 2022.
            "ROLLCALL_LOOKBACK": "4000d",
        }
        wait_for_watch(processes[-1])
        processes.append(subprocess.Popen([BINARIES / "rollcall-lambda"], env=environment, stdin=subprocess.DEVNULL))
        print(f"a simulated vendor at {url}, the tables in {STORE}; in another terminal:", flush=True)
        print(
            f"  .venv/bin/cargo-lambda lambda invoke --invoke-address {ADDRESS} --invoke-port {PORT} --data-file samples/events/sync.json",
            flush=True,
        )
        sys.stdin.read()
    except KeyboardInterrupt:
        pass
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


def wait_for_watch(watch):
    """The function ends where nothing gives it work."""
    while watch.poll() is None:
        try:
            return socket.create_connection((ADDRESS, int(PORT)), timeout=1).close()
        except OSError:
            time.sleep(0.05)
    sys.exit("`cargo lambda watch` has ended")


if __name__ == "__main__":
    main()
