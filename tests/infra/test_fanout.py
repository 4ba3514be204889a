"""The whole chain at once: a simulated vendor, the built functions, a real S3 server, and DuckDB over `s3://`."""

import importlib.util
import json
import os
import re
import subprocess
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import duckdb
import pytest
from conftest import BINARIES, CREDENTIALS, REGION, ROOT, TOKEN, client, simulator
from machine import Functions, definition, execute

S3 = os.environ.get("ROLLCALL_TEST_S3")
TABLES = ["lives", "interactions", "viewer_details", "events", "rejects"]
# What belongs to the visit, not to the event.
OF_THE_VISIT = {"events": ["pulled_at", "pulled_through"], None: ["pulled_at"]}
# So that it is found wherever it is told.
APP_SECRET = f"secret-{uuid.uuid4().hex}"
APPLICATION = {"app_key": "demo", "app_secret": APP_SECRET, "user_id": 1}


def simulated(*words):
    return simulator("--app-secret", APP_SECRET, *words)


@pytest.fixture
def bucket():
    """An empty bucket of the S3 server that these tests run beside."""
    assert S3, "run these tests with `make test-infra`: it starts the S3 server"
    name = f"rollcall-{uuid.uuid4().hex[:12]}"
    s3().create_bucket(Bucket=name)
    return name


def s3():
    return boto3.client("s3", endpoint_url=S3)


@pytest.fixture
def secrets(aws):
    """The two secrets that Terraform makes: the vendor's credentials, and a token that is not there yet."""
    manager = client(aws, "secretsmanager")
    run = uuid.uuid4().hex
    vendor = manager.create_secret(Name=f"{run}/vendor", SecretString=json.dumps(APPLICATION))
    token = manager.create_secret(Name=f"{run}/token")
    return manager, vendor["ARN"], token["ARN"]


def environments(vendor, bucket, aws, secrets, workers=20, **more):
    """What Terraform gives the functions, and where this machine's servers are."""
    _, vendor_arn, token_arn = secrets
    common = {
        **{name: value for name, value in os.environ.items() if name.startswith("AWS_")},
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": aws,
        "AWS_REGION": REGION,
        "ROLLCALL_API_URL": vendor,
        "ROLLCALL_STORE": f"s3://{bucket}",
        "ROLLCALL_S3_ENDPOINT": S3,
        "ROLLCALL_S3_PATH_STYLE": "true",
        "ROLLCALL_TOKEN_SECRET_ARN": token_arn,
        "ROLLCALL_LOOKBACK": "4000d",
        "ROLLCALL_REQUESTS_PER_SECOND": "10000",
        **more,
    }
    return {"sync": ({**common, "ROLLCALL_SECRET_ARN": vendor_arn}, 1), "worker": (common, workers)}


def rows(source, table):
    """The rows of a table, in an order of their own."""
    connection = duckdb.connect()
    if source.startswith("s3://"):
        package = Path(importlib.util.find_spec("duckdb_extension_httpfs").origin).parent
        [extension] = package.rglob("httpfs.duckdb_extension")
        connection.execute(f"LOAD '{extension}'")
        address = urlsplit(S3)
        connection.execute(
            f"CREATE SECRET (TYPE s3, KEY_ID '{os.environ['AWS_ACCESS_KEY_ID']}', "
            f"SECRET '{os.environ['AWS_SECRET_ACCESS_KEY']}', REGION '{REGION}', "
            f"ENDPOINT '{address.netloc}', URL_STYLE 'path', USE_SSL false)"
        )
    without = ", ".join(OF_THE_VISIT.get(table, OF_THE_VISIT[None]))
    files = f"read_parquet('{source}/lake/{table}/*/*.parquet', union_by_name = true)"
    return connection.execute(f"SELECT * EXCLUDE ({without}) FROM {files} ORDER BY ALL").fetchall()


def states(of):
    """Every state with its name, also those within a map."""
    for name, state in of["States"].items():
        yield name, state
        yield from states(state.get("ItemProcessor", {"States": {}}))


def test_no_two_states_have_the_same_name_even_within_a_map():
    names = [name for name, _ in states(json.loads(definition("bucket")))]
    assert len(names) > 10 and len(names) == len(set(names)), "Step Functions refuses the definition"


def test_every_failure_that_may_pass_is_tried_again():
    source = (ROOT / "src/error.rs").read_text()
    [kinds] = re.findall(r"fn is_transient\(self\) -> bool \{\s*matches!\(\s*self,(.*?)\)", source, re.S)
    # The last two pass where what stands behind them does.
    passing = {f"Transient.{kind}" for kind in [*re.findall(r"Self::(\w+)", kinds), "Store", "Credentials"]}
    assert len(passing) > 5
    every = states(json.loads(definition("bucket")))
    found = {name: state for name, state in every if state["Type"] == "Task"}
    assert len(found) == 8
    for name, task in found.items():
        # Step Functions compares whole names.
        named = [set(retrier["ErrorEquals"]) for retrier in task["Retry"] + task.get("Catch", [])]
        assert passing in named or {"States.ALL"} in named, name
        # A function that is killed names no kind: what AWS names instead differs by runtime.
        killed = {"Lambda.Unknown", "Sandbox.Timedout", "Runtime.ExitError"}
        assert {"States.ALL"} in named or any(killed <= names for names in named), name
        assert task["TimeoutSeconds"] == 960, name
        assert {"States.ALL"} in named or any("States.Timeout" in names for names in named), name


def test_a_pull_that_would_fail_again_is_not_repeated():
    source = (ROOT / "src/error.rs").read_text()
    [kinds] = re.findall(r"pub enum Kind \{(.*?)\n\}", source, re.S)
    [passing] = re.findall(r"fn is_transient\(self\) -> bool \{\s*matches!\(\s*self,(.*?)\)", source, re.S)
    lasting = set(re.findall(r"^    (\w+),", kinds, re.M)) - set(re.findall(r"Self::(\w+)", passing))
    # The next round is preceded by a new token.
    lasting -= {"Credentials"}
    assert len(lasting) > 8
    [pull] = [state for name, state in states(json.loads(definition("bucket"))) if name == "Pull the events"]
    stopping = [set(catcher["ErrorEquals"]) for catcher in pull["Catch"] if catcher["Next"] == "Not all there"]
    assert stopping == [{f"Permanent.{kind}" for kind in lasting}]


def test_a_fan_out_over_200_events_leaves_the_same_rows_as_one_sync(monkeypatch, tmp_path, bucket, aws, secrets):
    with simulated("--events", "222", "--viewers", "0..30") as vendor:
        functions = Functions(environments(vendor, bucket, aws, secrets))
        try:
            status, output = execute(monkeypatch, functions, s3(), definition(bucket), {})
            assert status == "SUCCEEDED", json.dumps(output, default=str)
            logs = functions.logs()
            assert '"heartbeat"' in logs
        finally:
            functions.close()
        command = [BINARIES / "rollcall", "sync", "--store", tmp_path / "alone", "--api-url", vendor, "--token", TOKEN]
        command += ["--lookback", "4000d", "--requests-per-second", "10000"]
        subprocess.run(command, check=True, capture_output=True)

    events = output["result"]["events"]
    assert (events["complete"], events["failed"], events["left"]) == (events["due"], 0, 0)
    assert output["result"]["ok"]
    pulls = [payload for name, payload, _ in functions.calls if payload["job"] == "pull"]
    assert events["due"] >= 200
    assert len(pulls) == -(-events["due"] // 10)
    assert sum(len(pull["event_id"]) for pull in pulls) == events["due"]
    for table in TABLES:
        found = rows(f"s3://{bucket}", table)
        assert found == rows(str(tmp_path / "alone"), table), table
        assert found or table == "rejects"

    manager, _, token_arn = secrets
    versions = manager.list_secret_version_ids(SecretId=token_arn, IncludeDeprecated=True)["Versions"]
    assert len(versions) == 1, "one token was made for all"
    token = json.loads(manager.get_secret_value(SecretId=token_arn)["SecretString"])["token"]
    told = json.dumps([(payload, answer) for _, payload, answer in functions.calls])
    assert all(secret not in told + logs + json.dumps(output) for secret in (token, APP_SECRET))


def test_a_fan_out_with_nothing_to_do_calls_no_worker(monkeypatch, bucket, aws, secrets):
    with simulated("--events", "3") as vendor:
        functions = Functions(environments(vendor, bucket, aws, secrets, workers=1, ROLLCALL_NO_LISTS="true"))
        try:
            status, output = execute(monkeypatch, functions, s3(), definition(bucket), {})
        finally:
            functions.close()
    assert status == "SUCCEEDED", json.dumps(output, default=str)
    assert [payload["job"] for _, payload, _ in functions.calls] == ["token", "plan", "staged", "collect"]


@pytest.mark.parametrize("sent", [{"form": "2022-10-24"}, {"from": "2022-10-24", "event_id": 609768}, {"job": "sync"}])
def test_input_unknown_to_the_plan_is_refused_before_anything_is_pulled(monkeypatch, bucket, aws, secrets, sent):
    with simulated("--events", "3") as vendor:
        functions = Functions(environments(vendor, bucket, aws, secrets, workers=1))
        try:
            # However many run: what is mistyped is not taken for what may be left to others.
            status, state = execute(monkeypatch, functions, s3(), definition(bucket), sent, running=3)
        finally:
            functions.close()
    assert (status, state["error"]) == ("FAILED", "Permanent.Usage"), state
    assert [payload["job"] for _, payload, _ in functions.calls] == ["token", sent.get("job", "plan")]
    if "form" in sent:
        assert "form" in state["cause"], "it says which"


@pytest.mark.parametrize(
    ("sent", "running", "does_run"),
    [
        ({}, 2, True),
        ({}, 3, False),
        ({"from": "2022-10-24", "to": "2022-10-25"}, 3, True),
        # Step Functions does not say how many there are: that is no reason to leave out a run.
        ({}, None, True),
    ],
)
def test_a_fan_out_over_what_is_due_ends_at_once_while_two_others_run(
    monkeypatch, bucket, aws, secrets, sent, running, does_run
):
    with simulated("--events", "3") as vendor:
        functions = Functions(environments(vendor, bucket, aws, secrets, workers=1))
        try:
            status, output = execute(monkeypatch, functions, s3(), definition(bucket), sent, running)
        finally:
            functions.close()
    assert status == "SUCCEEDED", json.dumps(output, default=str)
    assert bool(functions.calls) == does_run
    assert ("result" in output) == does_run


def test_a_backfill_visits_the_days_that_it_names(monkeypatch, bucket, aws, secrets):
    with simulated("--events", "40", "--viewers", "0..10") as vendor:
        functions = Functions(environments(vendor, bucket, aws, secrets, workers=4))
        days = {"from": "2022-10-24", "to": "2022-10-25"}
        try:
            status, output = execute(monkeypatch, functions, s3(), definition(bucket, events_per_pull=3), days)
            assert status == "SUCCEEDED", json.dumps(output, default=str)
            again = execute(monkeypatch, functions, s3(), definition(bucket, events_per_pull=3), days)
            logs = functions.logs()
        finally:
            functions.close()
    assert 0 < output["result"]["events"]["due"] < 40
    # Of those that were held before, it is known by now which were watched on these days.
    assert 0 < again[1]["result"]["events"]["complete"] < output["result"]["events"]["due"]
    for name, payload, _ in functions.calls:
        if payload["job"] == "pull":
            assert (payload["from"], payload["to"]) == ("2022-10-24", "2022-10-25")
    assert '"heartbeat"' not in logs, "what is said of chosen events is not said of all"


def test_what_a_pull_leaves_for_lack_of_time_is_finished_by_another(monkeypatch, bucket, aws, secrets):
    # A batch has more to ask than fits into the few seconds that a pull has.
    with simulated("--events", "12", "--viewers", "1..5", "--latency", "400") as vendor:
        slow = environments(vendor, bucket, aws, secrets, workers=2, ROLLCALL_CONCURRENCY="1")
        environment, count = slow["worker"]
        slow["worker"] = ({**environment, "AWS_LAMBDA_FUNCTION_TIMEOUT": "10"}, count)
        functions = Functions(slow)
        try:
            status, output = execute(monkeypatch, functions, s3(), definition(bucket), {})
        finally:
            functions.close()
    assert status == "SUCCEEDED", json.dumps(output, default=str)
    events = output["result"]["events"]
    assert (events["complete"], events["left"], events["failed"]) == (events["due"], 0, 0)
    pulls = [answer for _, payload, answer in functions.calls if payload["job"] == "pull"]
    assert any(pull["events"]["left"] for pull in pulls), "one was cut off"
    assert sum(pull["events"]["complete"] for pull in pulls) == events["due"], "none was visited twice"


def test_a_token_that_the_vendor_refuses_is_renewed_once_for_all_workers(monkeypatch, bucket, aws, secrets):
    manager, _, token_arn = secrets
    # A token lives for 25 requests, and one that is made ends the one before it.
    words = ["--events", "20", "--viewers", "1..5", "--token-expires-after", "25", "--new-token-ends-old"]
    with simulated(*words) as vendor:
        functions = Functions(environments(vendor, bucket, aws, secrets, workers=4))
        try:
            status, output = execute(monkeypatch, functions, s3(), definition(bucket, events_per_pull=5), {})
        finally:
            functions.close()
    assert status == "SUCCEEDED", json.dumps(output, default=str)
    assert output["result"]["events"]["complete"] == output["result"]["events"]["due"] > 0
    renewals = sum(payload["job"] == "token" for _, payload, _ in functions.calls)
    versions = manager.list_secret_version_ids(SecretId=token_arn, IncludeDeprecated=True)["Versions"]
    alone = sum(name.endswith("-sync") for name, _, _ in functions.calls)
    assert renewals > 1, "a pull was refused"
    assert 1 < len(versions) <= alone, "one makes the tokens, at most one a call"


def test_an_event_that_fails_is_listed_and_the_others_are_published(monkeypatch, bucket, aws, secrets):
    with simulated("--events", "12", "--viewers", "1..5", "--fault", "code=404@event:609768") as vendor:
        functions = Functions(environments(vendor, bucket, aws, secrets, workers=2))
        try:
            status, output = execute(monkeypatch, functions, s3(), definition(bucket, events_per_pull=3), {})
        finally:
            functions.close()
    assert status == "SUCCEEDED", json.dumps(output, default=str)
    assert not output["result"]["ok"]
    assert [failure["event_id"] for failure in output["result"]["failures"]] == [609768]
    assert rows(f"s3://{bucket}", "lives")


@pytest.mark.parametrize("fault", ["code=404@event:609768", "code=400@path:event/public/list"])
def test_a_backfill_fails_if_an_event_or_a_list_fails_but_the_others_are_published(
    monkeypatch, bucket, aws, secrets, fault
):
    with simulated("--events", "12", "--viewers", "1..5", "--fault", fault) as vendor:
        functions = Functions(environments(vendor, bucket, aws, secrets, workers=2))
        try:
            days = {"from": "2022-10-01", "to": "2022-10-31"}
            status, state = execute(monkeypatch, functions, s3(), definition(bucket), days)
        finally:
            functions.close()
    assert (status, state["error"]) == ("FAILED", "NotDone")
    assert rows(f"s3://{bucket}", "lives")


def test_days_that_cannot_be_published_fail_the_fan_out_but_do_not_stop_others(monkeypatch, bucket, aws, secrets):
    with simulated("--events", "40", "--viewers", "0..10") as vendor:
        functions = Functions(environments(vendor, bucket, aws, secrets, workers=4))
        days = {"from": "2022-10-24", "to": "2022-10-25"}
        try:
            status, output = execute(monkeypatch, functions, s3(), definition(bucket), days)
            assert status == "SUCCEEDED", json.dumps(output, default=str)
            before = len(rows(f"s3://{bucket}", "pulls"))
            for day in days.values():
                s3().put_object(Bucket=bucket, Key=f"lake/lives/dt={day}/part-0.parquet", Body=b"damaged")
            status, state = execute(monkeypatch, functions, s3(), definition(bucket), days)
        finally:
            functions.close()
    assert (status, state["error"]) == ("FAILED", "NotDone")
    assert len(rows(f"s3://{bucket}", "pulls")) > before, "the day of the visits is the last, and it is there"


def test_a_token_refused_for_one_event_alone_does_not_stop_the_others(monkeypatch, bucket, aws, secrets):
    fault = "code=401@path:report/details,event:700004"
    with simulated("--events", "12", "--viewers", "1..5", "--fault", fault) as vendor:
        functions = Functions(environments(vendor, bucket, aws, secrets, workers=1))
        try:
            status, output = execute(monkeypatch, functions, s3(), definition(bucket), {})
        finally:
            functions.close()
    assert status == "SUCCEEDED", json.dumps(output, default=str)
    events = output["result"]["events"]
    assert (events["complete"], events["failed"], events["left"]) == (events["due"] - 1, 1, 0)
    assert [failure["event_id"] for failure in output["result"]["failures"]] == [700004]
    told = [failure for _, _, answer in functions.calls for failure in answer.get("failures", [])]
    assert any("not for this event" in failure["error"] for failure in told)
    manager, _, token_arn = secrets
    versions = manager.list_secret_version_ids(SecretId=token_arn, IncludeDeprecated=True)["Versions"]
    assert len(versions) == 1, "the token is good"
