"""An AWS of this machine: moto, and three actions that it lacks: `aws.py PORT`."""

import json
import sys

from moto.server import DomainDispatcherApplication, create_backend_app
from moto.stepfunctions.parser.asl.static_analyser.static_analyser import StaticAnalyser
from werkzeug.serving import run_simple


def validate(definition):
    """What Step Functions says of a definition: one that cannot be parsed is none."""
    try:
        StaticAnalyser().analyse(definition)
    except Exception as error:  # the parser's own, of many kinds
        return {"result": "FAIL", "diagnostics": [{"severity": "ERROR", "code": "SCHEMA", "message": str(error)}]}
    return {"result": "OK", "diagnostics": []}


LACKING = {
    "AWSStepFunctions.ValidateStateMachineDefinition": lambda body: validate(body["definition"]),
    "AWSStepFunctions.ListStateMachineVersions": lambda _: {"stateMachineVersions": []},
    "AmazonAthena.DeleteNamedQuery": lambda _: {},
}


def completed(application):
    def serve(environment, start):
        answer = LACKING.get(environment.get("HTTP_X_AMZ_TARGET"))
        if answer is None:
            return application(environment, start)
        body = environment["wsgi.input"].read(int(environment["CONTENT_LENGTH"]))
        start("200 OK", [("Content-Type", "application/x-amz-json-1.0")])
        return [json.dumps(answer(json.loads(body))).encode()]

    return serve


if __name__ == "__main__":
    moto = DomainDispatcherApplication(create_backend_app)
    run_simple("127.0.0.1", int(sys.argv[1]), completed(moto), threaded=True)
