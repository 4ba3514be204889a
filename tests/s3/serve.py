"""A real S3 server (SeaweedFS) for as long as a command runs: `serve.py COMMAND…`.

The command finds its address in `ROLLCALL_TEST_S3`, an empty bucket `rollcall`, and credentials where AWS looks for them.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3
import botocore.config
import botocore.exceptions

PORTS = ["master.port", "volume.port", "filer.port", "s3.port"]
BUCKET = "rollcall"
KEY, SECRET = "rollcall-test", "rollcall-test-secret"
# A tier that is full refuses writes; the tests of one run write far less.
LIMITS = ["-master.volumeSizeLimitMB=64", "-volume.max=100", "-s3.port.iceberg=0", "-s3.port.lance=0"]


def free_ports(count):
    """Ports that are free, and whose port for gRPC, 10,000 higher, is free too."""
    found = []
    while len(found) < count:
        with socket.socket() as probe, socket.socket() as grpc:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            if port + 10_000 > 65_535 or port in found:
                continue
            try:
                grpc.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
            found.append(port)
    return found


def is_ready(client):
    """Ready when it takes an object: its port opens earlier."""
    try:
        client.create_bucket(Bucket=BUCKET)
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in ("BucketAlreadyExists", "BucketAlreadyOwnedByYou"):
            return False
    except botocore.exceptions.BotoCoreError:
        return False
    try:
        client.put_object(Bucket=BUCKET, Key="ready", Body=b"ready")
        client.delete_object(Bucket=BUCKET, Key="ready")
    except (client.exceptions.ClientError, botocore.exceptions.BotoCoreError):
        return False
    return True


def main(command):
    # Whoever ends this ends the server, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    ports = dict(zip(PORTS, free_ports(len(PORTS))))
    endpoint = f"http://127.0.0.1:{ports['s3.port']}"
    with tempfile.TemporaryDirectory(prefix="rollcall-s3-", ignore_cleanup_errors=True) as folder:
        identity = {
            "name": "test",
            "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "List", "Write"],
        }
        config = Path(folder) / "s3.json"
        config.write_text(json.dumps({"identities": [identity]}))
        words = [Path(sys.executable).parent / "weed", "server", f"-dir={folder}", "-ip=127.0.0.1"]
        words += ["-ip.bind=127.0.0.1", "-s3", f"-s3.config={config}", "-master.telemetry=false", *LIMITS]
        words += [f"-{name}={port}" for name, port in ports.items()]
        log = open(Path(folder) / "weed.log", "w+")
        server = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            settings = botocore.config.Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"})
            client = boto3.client(
                "s3",
                endpoint_url=endpoint,
                aws_access_key_id=KEY,
                aws_secret_access_key=SECRET,
                region_name="us-east-1",
                config=settings,
            )
            deadline = time.monotonic() + 120
            while not is_ready(client):
                if server.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    sys.exit(f"the S3 server did not start:\n{log.read()[-4000:]}")
                time.sleep(0.25)
            # Of the machine's own settings for AWS, none may reach the tests.
            environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
            environment |= {
                "ROLLCALL_TEST_S3": endpoint,
                "AWS_ACCESS_KEY_ID": KEY,
                "AWS_SECRET_ACCESS_KEY": SECRET,
                "AWS_REGION": "us-east-1",
                "AWS_EC2_METADATA_DISABLED": "true",
            }
            return subprocess.run(command, env=environment).returncode
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
