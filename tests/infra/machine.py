"""The state machine as it is deployed, executed by moto's interpreter, with the built functions behind its tasks."""

import io
import json
import queue
import re
import threading
import time

import boto3
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval import resource_eval_s3 as reader
from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.resource_eval import (
    resource_eval_s3 as writer,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils as tasks
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_aws_sdk as calls,
)

from conftest import REGION, ROOT
from functions import Function, FunctionError

ACCOUNT = "123456789012"


class Functions:
    """What Step Functions calls Lambda, with as many sandboxes as each function may have."""

    def __init__(self, environments):
        self.free, self.calls, self.lock = {}, [], threading.Lock()
        for name, (environment, count) in environments.items():
            self.free[name] = queue.Queue()
            for _ in range(count):
                self.free[name].put(Function(environment))

    def invoke(self, FunctionName, Payload, **_):
        sandboxes = self.free[FunctionName.rsplit("-", 1)[1]]
        payload = json.loads(Payload)
        sandbox = sandboxes.get()
        try:
            answer, error = sandbox.invoke(payload), {}
        except FunctionError as failed:
            answer, error = failed.payload, {"FunctionError": "Unhandled"}
        finally:
            sandboxes.put(sandbox)
        with self.lock:
            self.calls.append((FunctionName, payload, answer))
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(answer).encode()), **error}

    def logs(self):
        """All that the functions have logged."""
        return "".join(sandbox.text() for sandboxes in self.free.values() for sandbox in list(sandboxes.queue))

    def close(self):
        for sandboxes in self.free.values():
            while not sandboxes.empty():
                sandboxes.get().close()


class Executions:
    """What Step Functions says of the executions that run, in the words of a call from within one; no number is no answer."""

    def __init__(self, number):
        self.number = number

    def list_executions(self, StateMachineArn, StatusFilter):
        assert (StateMachineArn.split(":")[5:], StatusFilter) == (["stateMachine", "fan-out"], "RUNNING")
        if self.number is None:
            raise ConnectionError("no answer")
        return {"Executions": [{"Name": f"execution-{number}"} for number in range(self.number)]}


def definition(bucket, **settings):
    """What Terraform makes of the file."""
    values = {
        "partition": "aws",
        "bucket": bucket,
        "parallel_pulls": 20,
        "events_per_pull": 10,
        "task_seconds": 960,
        **{name: f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:rollcall-{name}" for name in ("sync", "worker")},
        **settings,
    }
    text = (ROOT / "infra/account/fanout.asl.json").read_text()
    return re.sub(r"\$\{(\w+)\}", lambda found: str(values[found[1]]), text)


def execute(monkeypatch, functions, store, definition, sent, running=1):
    """Runs the machine to its end, as one of so many that run: its status, and its output or its error."""
    clients = {"lambda": functions, "s3": store, "stepfunctions": Executions(running)}
    for module in (reader, writer, tasks, calls):
        monkeypatch.setattr(module, "boto_client_for", lambda service, **_: clients[service])
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        steps = boto3.client("stepfunctions", REGION, aws_access_key_id="test", aws_secret_access_key="test")
        role = f"arn:aws:iam::{ACCOUNT}:role/rollcall"
        machine = steps.create_state_machine(name="fan-out", definition=definition, roleArn=role)
        arn = machine["stateMachineArn"]
        execution = steps.start_execution(stateMachineArn=arn, input=json.dumps(sent))["executionArn"]
        while (state := steps.describe_execution(executionArn=execution))["status"] == "RUNNING":
            time.sleep(0.2)
    return state["status"], json.loads(state["output"]) if "output" in state else state
