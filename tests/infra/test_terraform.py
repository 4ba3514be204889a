"""The module: what it refuses, what it makes, and that it makes it once."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name
from conftest import REGION, ROOT, client, control_planes

KEY = "arn:aws:kms:eu-central-1:123456789012:key/11111111-1111-1111-1111-111111111111"
ARCHIVE_KEY = "arn:aws:kms:eu-central-1:123456789012:key/22222222-2222-2222-2222-222222222222"
FORMER_KEY = "arn:aws:kms:eu-central-1:123456789012:key/33333333-3333-3333-3333-333333333333"
FORMER_ARCHIVE_KEY = "arn:aws:kms:eu-central-1:123456789012:key/44444444-4444-4444-4444-444444444444"


def test_the_terraform_code_is_formatted(terraform, tmp_path):
    terraform(tmp_path).run("fmt", "-check", "-recursive")


@pytest.mark.parametrize("region", ["eu-central-1", "cn-north-1"])
def test_the_module_is_valid_in_both_partitions(terraform, tmp_path, region):
    module = terraform(tmp_path, region=region)
    module.variables({"main": {}})
    module.run("validate")


def test_in_china_every_arn_is_of_the_chinese_partition(terraform, tmp_path):
    with control_planes() as aws:
        module = terraform(tmp_path, aws, region="cn-north-1")
        module.variables({"main": {"fan_out": True, "schedule_enabled": True, "hmac_key": True}})
        module.run("apply", "-auto-approve", "-input=false")
        state = module.run("show", "-json").stdout
    assert "arn:aws:" not in state
    for service in ("states", "iam", "s3", "lambda", "logs"):
        assert f"arn:aws-cn:{service}:" in state, service


def test_no_partition_or_domain_suffix_is_hard_coded():
    files = list((ROOT / "infra").rglob("*.tf"))
    assert len(files) > 10
    for file in files:
        text = "\n".join(line for line in file.read_text().splitlines() if not line.lstrip().startswith("#"))
        assert "arn:aws" not in text, file
        assert "amazonaws.com" not in text, file
    assert "arn:aws" not in (ROOT / "infra/account/fanout.asl.json").read_text()


REFUSED = [
    ({"schedule": "rate(banana)"}, "schedule"),
    ({"schedule": "rate(0 hours)"}, "schedule"),
    ({"schedule": "rate(1 hours)"}, "schedule"),
    ({"schedule": "rate(2 hour)"}, "schedule"),
    ({"schedule": "rate(90 seconds)"}, "schedule"),
    ({"schedule": "cron(0 2 * * *)"}, "schedule"),
    ({"schedule": "cron(0 2 * * * *)"}, "schedule"),
    ({"schedule": "cron(60 2 * * ? *)"}, "schedule"),
    ({"schedule": "cron(0 24 * * ? *)"}, "schedule"),
    ({"schedule": "cron(0 2 ? * ? *)"}, "schedule"),
    ({"schedule": "cron(0 2 ? * FUN *)"}, "schedule"),
    ({"schedule": "0 2 * * *"}, "schedule"),
    ({"zone": "Shanghai"}, "zone"),
    ({"settle": "12"}, "settle"),
    ({"settle": "12h", "horizon": "36h"}, "horizon"),
    ({"requests_per_second": 20, "concurrency": 2.5, "parallel_pulls": 20, "events_per_pull": 10}, "concurrency"),
    ({"memory_mb": 128}, "memory_mb"),
    ({"timeout_seconds": 901}, "timeout_seconds"),
    ({"requests_per_second": 10, "parallel_pulls": 20}, "requests_per_second"),
    ({"log_retention_days": 8}, "log_retention_days"),
    ({"secret_recovery_days": 5}, "secret_recovery_days"),
    ({"reject_share": 0}, "reject_share"),
    ({"first_day": "2015-02-30"}, "first_day"),
    ({"heartbeat_hours": 169}, "heartbeat_hours"),
    ({"kms_key_arn": "arn:aws:kms:eu-central-1:123456789012:alias/lake"}, "kms_key_arn"),
    ({"privacy": "pseudonymous", "hmac_key": False}, "hmac_key"),
    ({"privacy": '{"base":"open","columns":{"mobile":"hmac"}}', "hmac_key": False}, "hmac_key"),
]


SCHEDULES = ["rate(1 hour)", "rate(90 minutes)", "cron(15 2 * * ? *)", "cron(0/30 8-20 ? * MON-FRI *)", "cron(0 2 L * ? *)"]


def refused(module, *words, level="error"):
    """What a plan says against the settings."""
    lines = module.run("plan", "-input=false", "-refresh=false", "-json", *words, check=False).stdout.splitlines()
    return [line["diagnostic"] for line in map(json.loads, lines) if line["@level"] == level and "diagnostic" in line]


def test_a_schedule_whose_alarms_notify_nobody_gives_a_warning(terraform, aws, tmp_path):
    module = terraform(tmp_path, aws)
    told = {"schedule_enabled": True, "alarm_topic_arns": ["arn:aws:sns:eu-central-1:123456789012:alarms"]}
    module.variables({"off": {}, "told": told, "silent": {"schedule_enabled": True}})
    warned = [warning["detail"] for warning in refused(module, level="warn")]
    assert len(warned) == 1 and "rollcall-silent" in warned[0] and "alarm_topic_arns" in warned[0], warned


PAUSES = [
    ("rate(1 hour)", 4, None),
    ("rate(1 hour)", 1, 1),
    ("rate(90 minutes)", 2, None),
    ("rate(2 hours)", 2, 2),
    ("rate(1 day)", 24, 24),
    ("rate(1 day)", 25, None),
    ("rate(7 days)", 168, 168),
    ("cron(15 2 * * ? *)", 4, 24),
    ("cron(15 2 * * ? *)", 25, None),
    ("cron(0 0,12 * * ? *)", 12, 12),
    ("cron(0 0,12 * * ? *)", 13, None),
    ("cron(0 2 ? * MON *)", 30, 48),
    ("cron(0/30 8-20 ? * MON-FRI *)", 24, 24),
    # What is not known is not warned of.
    ("cron(0/30 2 * * ? *)", 1, None),
    ("cron(0 */6 * * ? *)", 1, None),
]


def test_a_schedule_whose_pauses_would_raise_alarms_gives_a_warning(terraform, aws, tmp_path):
    module = terraform(tmp_path, aws)
    pauses = dict(enumerate(PAUSES))
    module.variables({f"n{n}": {"schedule": at, "heartbeat_hours": hours} for n, (at, hours, _) in pauses.items()})
    warned = [warning["detail"] for warning in refused(module, level="warn")]
    found = {tuple(map(int, re.search(r"rollcall-n(\d+) pauses for (\d+) h", warning).groups())) for warning in warned}
    assert found == {(n, pause) for n, (_, _, pause) in pauses.items() if pause}


def test_settings_that_aws_would_refuse_are_refused_here_and_others_are_not(terraform, aws, tmp_path):
    module = terraform(tmp_path, aws)
    accounts = {f"refused-{number}": settings for number, (settings, _) in enumerate(REFUSED)}
    accounts |= {f"taken-{number}": {"schedule": schedule} for number, schedule in enumerate(SCHEDULES)}
    module.variables(accounts)
    errors = refused(module)
    # Each names the setting, and the value that it does not take.
    found = {
        (value["traversal"].removeprefix("var.settings."), value["statement"].removeprefix("is "))
        for error in errors
        for value in error["snippet"]["values"]
    }
    expected = {(name, json.dumps(value)) for settings, _ in REFUSED for name, value in settings.items()}
    assert found == expected
    for _, named in REFUSED:
        assert any(named in error["detail"] for error in errors), "the message names the setting"


@pytest.fixture(scope="module")
def applied(terraform, aws, tmp_path_factory):
    """Two accounts, applied: one with defaults, one with everything else."""
    module = terraform(tmp_path_factory.mktemp("applied"), aws)
    other = {
        "fan_out": True,
        "schedule_enabled": True,
        "schedule": "cron(15 2 * * ? *)",
        "heartbeat_hours": 100,
        "environment": {"MALLOC_ARENA_MAX": "2", "ROLLCALL_ROSTER": "store:rosters/own.jsonl"},
        "kms_key_arn": KEY,
        "privacy": "pseudonymous",
        "hmac_key": True,
        "archive": True,
        "archive_kms_key_arn": ARCHIVE_KEY,
        "former_kms_key_arns": [FORMER_KEY],
        "former_archive_kms_key_arns": [FORMER_ARCHIVE_KEY],
        "archive_days": 400,
        "public_list": False,
        "alarm_topic_arns": ["arn:aws:sns:eu-central-1:123456789012:alarms"],
        "vpc": {"subnet_ids": ["subnet-1"], "security_group_ids": ["sg-1"]},
    }
    module.variables({"main": {}, "other": other})
    module.run("apply", "-auto-approve", "-input=false")
    yield module
    module.run("state", "rm", *[f'module.account["{account}"].aws_s3_bucket.lake' for account in ("main", "other")])
    module.run("destroy", "-auto-approve", "-input=false")
    assert not client(aws, "lambda").list_functions()["Functions"], "everything is taken away"


def test_a_second_plan_is_empty(applied):
    planned = applied.run("plan", "-detailed-exitcode", "-input=false", check=False)
    assert planned.returncode == 0, planned.stdout[-5000:]


def test_the_schedule_is_off_until_it_is_turned_on_and_starts_what_it_should(applied, aws):
    scheduler = client(aws, "scheduler")
    main, other = (scheduler.get_schedule(Name=f"rollcall-{name}") for name in ("main", "other"))
    assert (main["State"], other["State"]) == ("DISABLED", "ENABLED")
    assert json.loads(main["Target"]["Input"]) == {"job": "sync"}
    assert ":function:rollcall-main-sync" in main["Target"]["Arn"]
    assert ":stateMachine:rollcall-other-fan-out" in other["Target"]["Arn"]
    assert main["ScheduleExpressionTimezone"] == "Asia/Shanghai"


def test_the_workers_share_the_rate_of_one_run_and_only_sync_knows_the_application(applied, aws):
    functions = client(aws, "lambda")
    sync, worker = (
        functions.get_function(FunctionName=f"rollcall-main-{name}")["Configuration"]["Environment"]["Variables"]
        for name in ("sync", "worker")
    )
    assert (sync["ROLLCALL_REQUESTS_PER_SECOND"], worker["ROLLCALL_REQUESTS_PER_SECOND"]) == ("20", "1")
    assert "ROLLCALL_SECRET_ARN" in sync
    assert "ROLLCALL_SECRET_ARN" not in worker
    assert sync["ROLLCALL_TOKEN_SECRET_ARN"] == worker["ROLLCALL_TOKEN_SECRET_ARN"]
    assert not {"ROLLCALL_HMAC_SECRET_ARN", "ROLLCALL_ARCHIVE"} & set(sync)
    assert sync["ROLLCALL_PRIVACY"] == "open", "named, so that `upgrade --change-privacy` changes to it"
    for name in ("sync", "worker"):
        other = functions.get_function(FunctionName=f"rollcall-other-{name}")["Configuration"]["Environment"]["Variables"]
        assert (other["ROLLCALL_PRIVACY"], other["ROLLCALL_ARCHIVE"]) == ("pseudonymous", "true")
        assert "hmac-key" in other["ROLLCALL_HMAC_SECRET_ARN"]
        assert other["ROLLCALL_ARCHIVE_KMS_KEY"] == ARCHIVE_KEY
        assert other["ROLLCALL_ROSTER"] == "store:rosters/own.jsonl"
        assert other["MALLOC_ARENA_MAX"] == "2", "the user's own word is the last"
    for name, value in {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "131072"}.items():
        assert sync[name] == worker[name] == value
    at_once = functions.get_function_concurrency(FunctionName="rollcall-main-sync")
    assert at_once["ReservedConcurrentExecutions"] == 1
    again = functions.get_function_event_invoke_config(FunctionName="rollcall-main-sync")
    assert again["MaximumRetryAttempts"] == 0


def allowed(policy):
    """Every pair of action and resource that a policy allows."""
    for statement in policy["Statement"]:
        assert statement["Effect"] == "Allow"
        many = lambda value: [value] if isinstance(value, str) else value
        for action in many(statement["Action"]):
            for resource in many(statement["Resource"]):
                yield action, resource


@pytest.mark.parametrize("account", ["main", "other"])
@pytest.mark.parametrize("name", ["sync", "worker"])
def test_a_function_has_the_rights_that_it_needs_and_no_others(applied, aws, account, name):
    role = f"rollcall-{account}-{name}"
    policy = client(aws, "iam").get_role_policy(RoleName=role, PolicyName="function")["PolicyDocument"]
    bucket = f"arn:aws:s3:::{applied.outputs()[account]['bucket']}"
    rights = set(allowed(policy))
    prefixes = ["lake", "staging", "ledger"] + (["plans"] if name == "sync" else [])
    prefixes += ["archive"] if account == "other" or name == "sync" else []
    own = {f"{bucket}/{prefix}/*" for prefix in prefixes}
    written = own
    if name == "worker":
        ledger = "active/*", "closed/*", "trial/*", "lake.json", "roster.json", "suppressed.json"
        written = own - {f"{bucket}/ledger/*"} | {f"{bucket}/ledger/{place}" for place in ledger}
    deleted = ["staging", "ledger/active", "ledger/closed", "ledger/trial"] + [p for p in prefixes if p == "archive"]
    deleted = {f"{bucket}/{prefix}/*" for prefix in deleted}
    read = ["rosters"] if name == "sync" else []
    for action, resource in rights:
        service = action.split(":")[0]
        assert "*" not in action, action
        if action == "s3:DeleteObject":
            assert resource in deleted, "the lake and the list of the forgotten only grow"
        elif service == "s3" and action != "s3:GetObject":
            assert resource in written | {bucket}, (action, resource)
        elif service == "s3":
            assert resource in own | {f"{bucket}/{prefix}/*" for prefix in read}
        elif service == "secretsmanager":
            secret = resource.split(":secret:")[1]
            assert secret.startswith(f"rollcall-{account}/"), resource
            assert name == "sync" or "/token-" in secret or "/hmac-key-" in secret, "a worker does not know the application"
        elif service == "kms":
            former = resource in (FORMER_KEY, FORMER_ARCHIVE_KEY)
            assert resource in (KEY, ARCHIVE_KEY) or (action == "kms:Decrypt" and former)
        elif service == "logs":
            assert f"/aws/lambda/{role}:" in resource
        elif service == "sqs":
            assert resource.endswith(f":rollcall-{account}-dead-letters")
        else:
            assert (service, resource, account) == ("ec2", "*", "other")
    reads_and_writes = {("s3:GetObject", place) for place in own} | {("s3:PutObject", place) for place in written}
    assert reads_and_writes | {("s3:GetObject", f"{bucket}/{prefix}/*") for prefix in read} <= rights
    assert {("s3:ListBucket", bucket)} | {("s3:DeleteObject", place) for place in deleted} <= rights
    [listing] = [statement for statement in policy["Statement"] if statement["Action"] == "s3:ListBucket"]
    listed = listing["Condition"]["StringLikeIfExists"]["s3:prefix"]
    assert sorted(listed) == sorted(f"{prefix}/*" for prefix in prefixes + read), "the doctor lists what it may write"
    assert not any("Version" in action for action, _ in rights), "who forgets people has rights of their own"
    assert any("/hmac-key-" in resource for _, resource in rights) == (account == "other")
    writes = {resource for action, resource in rights if action == "secretsmanager:PutSecretValue"}
    assert bool(writes) == (name == "sync")
    assert all("/token-" in resource for resource in writes)


def test_a_fan_out_may_start_stop_and_list_only_its_own_executions(applied, aws):
    for account in ("main", "other"):
        policy = client(aws, "iam").get_role_policy(RoleName=f"rollcall-{account}-fan-out", PolicyName="fan-out")
        rights = {pair for pair in allowed(policy["PolicyDocument"]) if pair[0].startswith("states:")}
        name = f"rollcall-{account}-fan-out"
        machine, executions = (f"arn:aws:states:{REGION}:123456789012:{kind}:{name}" for kind in ("stateMachine", "execution"))
        assert rights == {
            ("states:StartExecution", machine),
            ("states:ListExecutions", machine),
            *((f"states:{verb}Execution", executions + of) for verb in ("Describe", "Stop") for of in ("/*", ":*")),
        }


def test_the_command_gets_the_settings_of_the_functions_but_none_that_only_they_need(applied, aws):
    for account in ["main", "other"]:
        outputs = applied.outputs()[account]
        function = client(aws, "lambda").get_function(FunctionName=outputs["sync_function"])["Configuration"]
        of_function = function["Environment"]["Variables"]
        own = outputs["environment"]
        # On AWS the function has its own.
        assert own.pop("AWS_REGION") == "eu-central-1"
        assert own.items() <= of_function.items()
        assert {"ROLLCALL_STORE", "ROLLCALL_ZONE", "ROLLCALL_SETTLE"} <= set(own)
        assert own["ROLLCALL_PRIVACY"] == ("pseudonymous" if account == "other" else "open")
        assert not {"ROLLCALL_DEPLOYMENT", "ROLLCALL_SECRET_ARN", "MALLOC_ARENA_MAX", "MALLOC_MMAP_THRESHOLD_"} & set(own)


def policy_of_analysts(aws, outputs):
    iam, arn = client(aws, "iam"), outputs["analysts_policy_arn"]
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]


def rights_of_analysts(aws, outputs):
    return set(allowed(policy_of_analysts(aws, outputs)))


def test_an_analyst_may_read_only_tables_and_query_results_of_the_bucket(applied, aws):
    outputs = applied.outputs()["main"]
    bucket = f"arn:aws:s3:::{outputs['bucket']}"
    objects = {(action, resource) for action, resource in rights_of_analysts(aws, outputs) if action.endswith("Object")}
    assert objects == {
        ("s3:GetObject", f"{bucket}/lake/*"),
        ("s3:GetObject", f"{bucket}/athena-results/*"),
        ("s3:PutObject", f"{bucket}/athena-results/*"),
    }


def test_an_analyst_may_decrypt_tables_through_s3_alone_and_no_archived_answers(applied, aws):
    outputs = applied.outputs()["other"]
    rights = rights_of_analysts(aws, outputs)
    assert {resource for action, resource in rights if action == "kms:Decrypt"} == {KEY, FORMER_KEY}
    keys = [statement for statement in policy_of_analysts(aws, outputs)["Statement"] if "kms:" in json.dumps(statement)]
    assert len(keys) == 2
    for statement in keys:
        assert statement["Condition"] == {"StringLike": {"kms:ViaService": f"s3.{REGION}.*"}}


def test_an_analyst_finds_work_group_database_and_tables_in_athenas_console(applied, aws):
    rights = rights_of_analysts(aws, applied.outputs()["main"])
    everywhere = {action for action, resource in rights if resource == "*"}
    assert everywhere == {"athena:ListWorkGroups", "athena:ListDataCatalogs", "athena:ListEngineVersions"}
    catalog = f"arn:aws:athena:{REGION}:123456789012:datacatalog/AwsDataCatalog"
    assert {action for action, resource in rights if resource == catalog} == {
        "athena:ListDatabases",
        "athena:GetDatabase",
        "athena:ListTableMetadata",
        "athena:GetTableMetadata",
    }


def test_the_bucket_is_private_and_encrypted_and_expires_no_current_object_of_the_lake(applied, aws):
    s3 = client(aws, "s3")
    for account, algorithm in [("main", "AES256"), ("other", "aws:kms")]:
        bucket = applied.outputs()[account]["bucket"]
        assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == algorithm
        policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
        assert policy["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        rules = {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
        expiring = {name: rule for name, rule in rules.items() if "Days" in rule.get("Expiration", {})}
        assert set(expiring) == {"plans", "query-results"} | ({"archive"} if account == "other" else set())
        assert all(rule["Filter"]["Prefix"] for rule in expiring.values())
        assert rules["unfinished-uploads"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1
        assert rules["replaced"]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30


def test_glue_has_every_table_with_its_columns_and_computes_its_days(applied, aws):
    catalog = json.loads((ROOT / "infra/catalog.json").read_text())
    bucket = applied.outputs()["main"]["bucket"]
    tables = client(aws, "glue").get_tables(DatabaseName="rollcall_main")["TableList"]
    assert {table["Name"] for table in tables} == set(catalog["tables"])
    for table in tables:
        found = [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]]
        assert found == [(column["name"], column["type"]) for column in catalog["tables"][table["Name"]]]
        assert [(key["Name"], key["Type"]) for key in table["PartitionKeys"]] == [("dt", "date")]
        parameters = table["Parameters"]
        assert parameters["storage.location.template"] == f"s3://{bucket}/lake/{table['Name']}/dt=${{dt}}/"
        assert parameters["projection.enabled"] == "true"


def test_every_sample_query_is_saved_for_athena(applied, aws):
    athena = client(aws, "athena")
    saved = athena.list_named_queries(WorkGroup="rollcall-main")["NamedQueryIds"]
    names = {athena.get_named_query(NamedQueryId=query)["NamedQuery"]["Name"] for query in saved}
    samples = {Path(sample).stem for sample in (ROOT / "samples/queries").glob("*.sql")}
    views = json.loads((ROOT / "infra/catalog.json").read_text())["views"]
    assert names == samples | {f"create view {view}" for view in views}


def test_there_is_a_heartbeat_alarm_only_where_runs_are_scheduled(applied, aws):
    for account, is_scheduled in [("main", False), ("other", True)]:
        alarms = client(aws, "cloudwatch").describe_alarms(AlarmNames=[f"rollcall-{account}-heartbeat"])["MetricAlarms"]
        assert len(alarms) == is_scheduled, account


def test_every_alarm_says_what_to_do_and_watches_a_metric_that_exists(applied, aws):
    metrics = (ROOT / "src/metrics.rs").read_text()
    alarms = client(aws, "cloudwatch").describe_alarms(AlarmNamePrefix="rollcall-other")["MetricAlarms"]
    missing = {alarm["AlarmName"]: alarm["TreatMissingData"] for alarm in alarms}
    assert missing.pop("rollcall-other-heartbeat") == "breaching"
    assert set(missing.values()) == {"notBreaching"}
    assert len(missing) == 12
    for alarm in alarms:
        assert len(alarm["AlarmDescription"]) > 80, alarm["AlarmName"]
        assert len(alarm["AlarmDescription"]) <= 1024
        watched = [alarm] if "MetricName" in alarm else []
        watched += [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
        for metric in watched:
            if metric["Namespace"] == "rollcall":
                assert f'"{metric["MetricName"]}"' in metrics, alarm["AlarmName"]
                assert metric["Dimensions"] == [{"Name": "deployment", "Value": "rollcall-other"}]


def test_an_alarm_about_something_that_happened_sends_no_all_clear(applied, aws):
    alarms = client(aws, "cloudwatch").describe_alarms(AlarmNamePrefix="rollcall-other-")["MetricAlarms"]
    assert all(alarm["AlarmActions"] for alarm in alarms)
    once = {alarm["AlarmName"].removeprefix("rollcall-other-") for alarm in alarms if not alarm["OKActions"]}
    assert once == {"newly-failing", "given-up", "shrunk", "worker-errors", "fan-out"}


@pytest.mark.parametrize(
    ("name", "counts", "is_raised"),
    [
        ("rejects", {"rows": 9, "rejects": 1, "without_table": 0}, False),
        ("rejects", {"rows": 100, "rejects": 12, "without_table": 12}, False),
        ("rejects", {"rows": 100, "rejects": 12, "without_table": 13}, True),
        ("rejects", {"rows": 2475, "rejects": 25, "without_table": 0}, False),
        ("rejects", {"rows": 2474, "rejects": 25, "without_table": 0}, True),
        ("rejects", {"rows": 1, "rejects": 1, "without_table": 0}, False),
        ("rejects", {"rows": 0, "rejects": 1, "without_table": 0}, True),
        ("set-aside", {"rows": 10, "set_aside": 10}, False),
        ("set-aside", {"rows": 10, "set_aside": 11}, True),
        ("set-aside", {"rows": 2500, "set_aside": 25}, False),
        ("set-aside", {"rows": 2499, "set_aside": 25}, True),
    ],
)
def test_a_few_odd_records_raise_no_alarm_but_a_large_share_of_them_does(applied, aws, name, counts, is_raised):
    [alarm] = client(aws, "cloudwatch").describe_alarms(AlarmNames=[f"rollcall-main-{name}"])["MetricAlarms"]
    queries = {query["Id"]: query for query in alarm["Metrics"]}
    assert set(queries) == {"share", *counts}
    # The words that CloudWatch's expressions and Python's do not have in common.
    expression = queries["share"]["Expression"].replace(" OR ", " or ").replace(" AND ", " and ")
    share = eval(expression, {"IF": lambda condition, then, otherwise: then if condition else otherwise}, counts)
    assert (share > alarm["Threshold"]) == is_raised


def test_the_dashboard_shows_what_the_alarms_watch_and_every_figure_of_a_whole_run(applied, aws):
    body = client(aws, "cloudwatch").get_dashboard(DashboardName="rollcall-main")["DashboardBody"]
    widgets = [widget["properties"] for widget in json.loads(body)["widgets"]]
    shown = [metric for widget in widgets for _, metric, *_ in widget["metrics"]]
    metrics = (ROOT / "src/metrics.rs").read_text()
    assert len(shown) == len(set(shown)) and all(f'"{metric}"' in metrics for metric in shown)
    watched = re.findall(r'^ +metric += "(\w+)"$', (ROOT / "infra/account/alarms.tf").read_text(), re.M)
    ours = {metric for metric in watched if f'"{metric}"' in metrics}
    assert ours | {"heartbeat", "events_known"} <= set(shown)


def period(alarm):
    """In seconds, of the alarm's own metric or of the one that it reckons with."""
    stats = [query["MetricStat"]["Period"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    return alarm.get("Period") or stats[0]


@pytest.mark.parametrize(("account", "hours"), [("main", 4), ("other", 100)])
def test_an_alarm_that_counts_runs_looks_back_as_far_as_the_schedule_spreads_them(applied, aws, account, hours):
    prefix = f"rollcall-{account}-"
    alarms = {
        alarm["AlarmName"].removeprefix(prefix): alarm
        for alarm in client(aws, "cloudwatch").describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]
    }
    counted = {name: (alarm.get("DatapointsToAlarm", 1), alarm["EvaluationPeriods"]) for name, alarm in alarms.items()}
    several = {name: numbers for name, numbers in counted.items() if numbers != (1, 1)}
    # Only one of them has a schedule, of which silence is told.
    assert several.get("heartbeat") == {"main": None, "other": (hours, hours)}[account]
    assert {name: numbers for name, numbers in several.items() if name != "heartbeat"} == {
        "overdue": (1, hours),
        "failing": (1, hours),
        "run-failures": (min(3, 168 // hours), min(3 * hours, 168)),
        "sync-errors": (min(2, 168 // hours), min(2 * hours, 168)),
        "dead-letters": (min(2, 168 // hours), min(2 * hours, 168)),
    }
    for name, (_, periods) in several.items():
        # CloudWatch looks back seven days at most.
        assert periods * period(alarms[name]) <= 7 * 24 * 3600, name
        assert f"{periods} h" in alarms[name]["AlarmDescription"], name


def test_what_the_readme_says_of_costs_is_what_its_command_prints():
    printed = subprocess.run([sys.executable, ROOT / "infra/costs.py"], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() in (ROOT / "infra/README.md").read_text()


def test_the_readme_names_every_setting_and_every_alarm(applied, aws):
    readme = (ROOT / "infra/README.md").read_text()
    variables = (ROOT / "infra/account/variables.tf").read_text()
    settings = re.findall(r"^    (\w+) +=", variables.split("type = object({")[2].split("})\n\n")[0], re.M)
    assert len(settings) > 25
    assert [name for name in settings if f"`{name}`" not in readme] == []
    alarms = client(aws, "cloudwatch").describe_alarms(AlarmNamePrefix="rollcall-other-")["MetricAlarms"]
    names = [alarm["AlarmName"].removeprefix("rollcall-other-") for alarm in alarms]
    assert len(names) == 13 and [name for name in names if f"`{name}`" not in readme] == []


def test_the_secrets_are_created_empty_and_the_readme_fills_those_of_the_user(applied, aws):
    secrets = client(aws, "secretsmanager")
    made = {}
    for secret in secrets.list_secrets(Filters=[{"Key": "name", "Values": ["rollcall-"]}])["SecretList"]:
        with pytest.raises(secrets.exceptions.ResourceNotFoundException):
            secrets.get_secret_value(SecretId=secret["Name"])
        account, name = secret["Name"].removeprefix("rollcall-").split("/")
        made.setdefault(account, {})[name] = secret["ARN"]
    assert {account: set(names) for account, names in made.items()} == {
        "main": {"vendor", "token"},
        "other": {"vendor", "token", "hmac-key"},
    }
    outputs = applied.outputs()
    assert outputs["main"]["hmac_key_secret_arn"] is None
    for account in made:
        for name in set(made[account]) - {"token"}:
            assert outputs[account][f"{name.replace('-', '_')}_secret_arn"] == made[account][name]
    filled = [options["--secret-id"] for called, options in calls() if called == ("secretsmanager", "put-secret-value")]
    assert filled == ["rollcall-main/vendor", "rollcall-main/hmac-key"]


def commands():
    """The lines that the pages give to a shell. On the operator's page, those of `sh` are run by tests/readme."""
    for page, language in [("infra/README.md", "sh"), ("docs/operator.md", "bash")]:
        for block in re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.S):
            yield from (line.strip() for line in block.replace("\\\n", " ").splitlines())


def calls():
    """The pages' calls of AWS: service and operation, and their options."""
    for line in commands():
        if line.startswith("aws "):
            _, service, operation, *words = shlex.split(line)
            yield (service, operation), {name: value for name, value in zip(words, words[1:]) if name.startswith("--")}


def test_every_aws_command_in_the_docs_has_its_required_options():
    session = botocore.session.get_session()
    found = list(calls())
    assert len(found) >= 13
    for (service, operation), options in found:
        model = session.get_service_model({"s3api": "s3"}.get(service, service))
        operations = {xform_name(name, "-"): model.operation_model(name) for name in model.operation_names}
        needed = {f"--{xform_name(name, '-')}" for name in operations[operation].input_shape.required_members}
        assert needed <= set(options), (service, operation)


def test_a_plan_that_would_delete_a_bucket_is_refused(applied):
    for words in ["-var=prefix=another", "-destroy"]:
        assert any("prevent_destroy" in error["detail"] for error in refused(applied, words)), words


def test_a_bucket_kept_on_destroy_stays_private_versioned_and_encrypted(terraform, aws, tmp_path):
    module = terraform(tmp_path, aws)
    module.variables({"kept": {}})
    # All of the bucket's but its lifecycle, for which the provider waits a minute.
    kinds = ["policy", "public_access_block", "versioning", "server_side_encryption_configuration", "ownership_controls"]
    targets = [f'-target=module.account["kept"].aws_s3_bucket_{kind}.lake' for kind in kinds]
    module.run("apply", "-auto-approve", "-input=false", *targets)
    bucket = f"rollcall-kept-123456789012-{REGION}"
    [keep] = [line for line in commands() if "terraform state rm" in line]
    keep = ["bash", "-c", keep.replace('"main"', '"kept"')]
    subprocess.run(keep, cwd=module.folder, env=module.environment, check=True, capture_output=True)
    module.run("destroy", "-auto-approve", "-input=false")
    s3 = client(aws, "s3")
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert "TlsOnly" in s3.get_bucket_policy(Bucket=bucket)["Policy"]
