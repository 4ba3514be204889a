"""The function as Lambda runs it: one job an invocation, from a payload."""

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from conftest import CREDENTIALS, ROOT, TOKEN, simulator
from functions import Function, FunctionError
from ports import free_port

SAMPLES = sorted((ROOT / "samples/events").glob("*.json"))


@pytest.fixture
def function(tmp_path):
    """Makes functions that ask a simulated vendor and keep what they find in a folder."""
    made = []

    def make(vendor, seconds=900, **environment):
        settings = {
            "ROLLCALL_API_URL": vendor,
            "ROLLCALL_STORE": str(tmp_path / "store"),
            **({} if {"ROLLCALL_SECRET_ARN", "ROLLCALL_APP_KEY"} & set(environment) else {"ROLLCALL_TOKEN": TOKEN}),
            "ROLLCALL_REQUESTS_PER_SECOND": "10000",
            "ROLLCALL_LOOKBACK": "4000d",
            "ROLLCALL_PRIVACY": "open",
        }
        made.append(Function({**settings, **environment}, seconds))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_every_sample_payload_is_a_job_that_works(function, sample):
    payload = json.loads(sample.read_text())
    with simulator("--events", "3") as vendor:
        one = function(vendor, ROLLCALL_ARCHIVE="true")
        # What there is, is published, made again or written anew.
        before = [{"job": "sync"}] if payload["job"] in {"publish", "replay", "staged", "upgrade"} else []
        for job in before:
            one.invoke(job)
        report = one.invoke(payload)
        assert report["job"] == payload["job"]
        assert report["ok"], report
        assert [line["job"] for line in one.lines()] == [job["job"] for job in [*before, payload]]


def test_a_payload_does_what_the_same_command_does(function, tmp_path):
    with simulator("--events", "3") as vendor:
        one = function(vendor)
        foretold = one.invoke({"job": "sync", "event_id": 609768, "dry_run": True})
        assert [due["event_id"] for due in foretold["due"]] == [609768]
        assert not (tmp_path / "store").exists()
        pulled = one.invoke({"job": "pull", "event_id": [609768]})
        assert pulled["events"]["complete"] == 1
        # The row in `pulls` lies in the lake's day of the visit.
        visited = str(datetime.fromisoformat(pulled["began"]).astimezone(ZoneInfo("Asia/Shanghai")).date())
        assert one.invoke({"job": "staged"})["staged"] == ["2022-10-26", visited]
        assert one.invoke({"job": "publish", "day": ["2022-10-26"]})["published"]["days"] == ["2022-10-26"]
        assert one.invoke({"job": "staged"})["staged"] == [visited]
        assert (tmp_path / "store/lake/lives/dt=2022-10-26/part-0.parquet").exists()


@pytest.mark.parametrize(
    "payload",
    [
        "null",
        "7",
        "{}",
        '{"job": "snyc"}',
        '{"job": "sync", "form": "2022-10-24"}',
        '{"job": "plan", "items": 10, "form": "2022-10-24"}',
        '{"job": "plan", "items": 0}',
        '{"job": "publish", "day": ["2022-10-32"]}',
        '{"job": "publish", "day": ["2022-10-26T23:00:00"]}',
        '{"job": "replay", "from": "20221026"}',
        '{"job": "pull", "event_id": "all"}',
        '{"job": "pull", "planned_at": "2022-10-26T00:00:00Z"}',
        '{"job": "sync", "from": "2022-10-30", "to": "2022-10-24"}',
        '{"job": "sync", "accept_shrink": true}',
    ],
)
def test_a_payload_that_is_not_a_job_is_refused_with_how_to_write_one(function, payload):
    with simulator() as vendor, pytest.raises(FunctionError) as refused:
        function(vendor).invoke(json.loads(payload))
    assert refused.value.kind == "Permanent.Usage"
    assert "hint: " in str(refused.value)


def test_a_forget_is_refused_in_the_result_so_that_no_queue_keeps_whom_it_names(function):
    with simulator() as vendor:
        one = function(vendor)
        for more in [{}, {"dryrun": True}]:
            report = one.invoke({"job": "forget", "viewer": ["13900000000"], **more})
            assert not report["ok"]
            assert "is not a job for the functions" in report["failures"][0]["error"]
            assert "13900000000" not in json.dumps(report) + one.text()


def test_a_payload_that_is_not_json_is_an_error_and_the_function_goes_on(function):
    with simulator("--events", "1") as vendor:
        one = function(vendor)
        assert "errorType" in one.send(b"{")
        assert one.invoke({"job": "sync"})["ok"]


def test_a_failed_event_is_reported_in_the_result_and_not_raised_as_an_error(function):
    with simulator("--events", "3", "--fault", "code=404@event:609768") as vendor:
        one = function(vendor)
        report = one.invoke({"job": "sync"})
        assert not report["ok"]
        assert report["events"]["failed"] == 1
        assert [failure["event_id"] for failure in report["failures"]] == [609768]
        [line] = one.lines()
        assert (line["events_failed"], line["failed"][0]["event_id"]) == (1, 609768)


@pytest.mark.parametrize(
    ("environment", "kind"),
    [
        ({"ROLLCALL_TOKEN": "wrong"}, "Permanent.Credentials"),
        ({"ROLLCALL_TOKEN": ""}, "Permanent.Usage"),
        ({"ROLLCALL_ZONE": "Asia/Shanghia"}, "Permanent.Usage"),
        ({"ROLLCALL_SETTLE": "12"}, "Permanent.Usage"),
        ({"ROLLCALL_CONCURRENCY": "many"}, "Permanent.Usage"),
        # The vendor cannot be reached to make a token: that passes.
        (
            {
                "ROLLCALL_APP_KEY": "demo",
                "ROLLCALL_APP_SECRET": "demo",
                "ROLLCALL_USER_ID": "1",
                "ROLLCALL_API_URL": "http://127.0.0.1:9",
            },
            "Transient.Credentials",
        ),
    ],
)
def test_a_run_that_cannot_work_is_an_error_whose_type_says_whether_a_retry_helps(function, environment, kind):
    with simulator("--events", "1") as vendor, pytest.raises(FunctionError) as refused:
        function(vendor, **environment).invoke({"job": "sync"})
    assert refused.value.kind == kind


def test_a_run_ends_before_its_deadline_and_the_next_goes_on(function):
    with simulator("--events", "12", "--latency", "150") as vendor:
        one = function(vendor, seconds=12, ROLLCALL_CONCURRENCY="1")
        # Without publishing, for which a tenth of the time is left: how long that takes is the machine's.
        first = one.invoke({"job": "pull"})
        left, complete = first["events"]["left"], first["events"]["complete"]
        assert first["ok"], "what is left has not failed"
        assert left > 0, "the deadline came first"
        while left > 0:
            after = one.invoke({"job": "pull"})
            assert after["ok"]
            assert after["events"]["left"] < left, "each run gets further"
            left, complete = after["events"]["left"], complete + after["events"]["complete"]
        assert complete == first["events"]["due"], "every event is visited in the end, and once"
    with simulator("--events", "12") as vendor:
        assert function(vendor).invoke({"job": "publish"})["ok"]


@pytest.mark.skipif("ROLLCALL_BOOTSTRAP" in os.environ, reason="SKIPPED: the SDK panics here in debug builds only")
def test_a_panic_is_an_error_and_the_function_goes_on(function, tmp_path):
    # The AWS SDK panics where the file with certificates has none, once it is asked for a secret.
    (tmp_path / "none.pem").write_text("")
    one = function(
        "http://127.0.0.1:1",
        ROLLCALL_SECRET_ARN="arn:aws:secretsmanager:eu-central-1:123456789012:secret:vendor",
        SSL_CERT_FILE=str(tmp_path / "none.pem"),
        AWS_REGION="eu-central-1",
        **CREDENTIALS,
    )
    for _ in range(2):
        with pytest.raises(FunctionError, match="Lambda panicked"):
            one.invoke({"job": "sync"})


def test_a_log_line_has_only_metrics_and_known_fields_and_no_token(function):
    with simulator("--events", "3") as vendor:
        one = function(vendor)
        one.invoke({"job": "sync"})
        [line] = one.lines()
        names = {name for name in line if name != "_aws"}
        metrics = {metric["Name"] for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
        described = {"deployment", "job", "run", "ok", "items", "notes", "failed"}
        assert names == metrics | described
        assert all(isinstance(line[metric], int) for metric in metrics)
        assert TOKEN not in one.text()


def test_every_sample_payload_works_under_cargo_lambda_too(tmp_path):
    port, tools = str(free_port()), Path(sys.executable).parent
    environment = {**os.environ, "PORT": port, "DEMO_STORE": str(tmp_path / "store")}
    environment["PATH"] = f"{tools}:{environment['PATH']}"
    environment |= {"ROLLCALL_ARCHIVE": "true", "ROLLCALL_PRIVACY": "open"}
    command = [sys.executable, ROOT / "samples/lambda_local.py"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as local:
        local.stdout.readline()  # It says where it is when all of it runs.
        # What there is, is published, made again or written anew.
        for sample in sorted(SAMPLES, key=lambda sample: sample.stem != "sync"):
            invoke = ["cargo", "lambda", "invoke", "--invoke-address", "127.0.0.1", "--invoke-port", port]
            done = subprocess.run(
                [*invoke, "--data-file", sample], env=environment, capture_output=True, text=True, timeout=60
            )
            assert done.returncode == 0, done.stderr
            report = json.loads(done.stdout)
            assert report["ok"] and report["job"] == json.loads(sample.read_text())["job"]
        local.stdin.close()
    assert (tmp_path / "store/lake/lives/dt=2022-10-26/part-0.parquet").exists()
