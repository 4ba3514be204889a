"""What runs rollcall on AWS: Terraform over an AWS of this machine, and the functions that it deploys."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
from ports import free_port, wait_for

ROOT = Path(__file__).parent.parent.parent
BINARIES = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
TOKEN = "5d41c4ac806c6440eb6aa8e071115f2b"
SERVICES = "athena cloudwatch glue iam lambda logs s3 scheduler secretsmanager sfn sqs sts".split()
REGION = "eu-central-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@contextmanager
def simulator(*words):
    """The address of a simulated vendor."""
    command = [BINARIES / "simulator", "--token", TOKEN, "--until-stdin-closes", *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as vendor:
        yield vendor.stdout.readline().strip().split()[-1]
        vendor.stdin.close()


@contextmanager
def control_planes():
    """The address of an AWS, as far as control planes go."""
    port = free_port()
    command = [sys.executable, Path(__file__).parent / "aws.py", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as moto:
        try:
            wait_for(port, moto)
            yield f"http://127.0.0.1:{port}"
        finally:
            moto.terminate()


@pytest.fixture(scope="session")
def aws():
    with control_planes() as address:
        yield address


def plugins():
    """A folder with Terraform's provider for AWS: what the environment names, or one that lies on this machine."""
    named = os.environ.get("TF_PLUGIN_DIR")
    places = [named] if named else ["/opt/tf-plugins", "/usr/share/terraform/providers"]
    found = [Path(place) for place in places if list(Path(place).glob("**/terraform-provider-aws_v5.100.0*"))]
    return found[0] if found else None


class Terraform:
    """The module of `infra`, copied, because Terraform writes beside what it reads."""

    def __init__(self, folder, endpoint=None, region=REGION):
        self.folder, self.region = folder / "infra", region
        shutil.copytree(ROOT / "infra", self.folder, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
        shutil.copytree(ROOT / "samples/queries", folder / "samples/queries")
        (folder / "bootstrap.zip").write_bytes(b"a package")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("TF_", "AWS_"))},
            **CREDENTIALS,
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
            # Ten requests at a time once failed with `AlreadyExists` for a table that the apply had just made.
            "TF_CLI_ARGS_apply": "-parallelism=4",
        }
        if endpoint:
            addresses = "\n".join(f'    {service} = "{endpoint}"' for service in SERVICES)
            (self.folder / "local_override.tf").write_text(
                'provider "aws" {\n  skip_credentials_validation = true\n  skip_metadata_api_check = true\n  max_retries = 2\n'
                f"  s3_use_path_style = true\n  endpoints {{\n{addresses}\n  }}\n}}\n"
            )
        self.run("init", "-backend=false", "-input=false", f"-plugin-dir={plugins()}")

    def variables(self, accounts):
        package = {"path": str(self.folder.parent / "bootstrap.zip")}
        values = {"region": self.region, "accounts": accounts, "package": package}
        (self.folder / "test.auto.tfvars.json").write_text(json.dumps(values))

    def run(self, *words, check=True):
        done = subprocess.run(
            ["terraform", *words, "-no-color"], cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    def outputs(self):
        return json.loads(self.run("output", "-json", "accounts").stdout)


@pytest.fixture(scope="session")
def terraform():
    """Makes copies of the module; where Terraform or its provider cannot be had, the tests say that they are skipped."""
    if not shutil.which("terraform"):
        pytest.skip("SKIPPED: there is no `terraform`")
    if not plugins():
        pytest.skip("SKIPPED: there is no provider for AWS 5.100.0; name its folder in TF_PLUGIN_DIR")
    return Terraform


def client(endpoint, service, region=REGION):
    return boto3.client(
        service, endpoint_url=endpoint, region_name=region, aws_access_key_id="test", aws_secret_access_key="test"
    )
