"""Credentials that are kept in AWS Secrets Manager."""

import json

import boto3
import pytest
import trustme
from conftest import TOKEN, simulated, tls_front

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "cn-north-1"}


@pytest.fixture
def secret(aws):
    """Puts a secret, and gives its name."""
    client = boto3.client(
        "secretsmanager",
        endpoint_url=f"http://127.0.0.1:{aws}",
        region_name=CREDENTIALS["AWS_REGION"],
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    made = []

    def put(content=None):
        content = {"SecretString": content} if content else {}
        made.append(client.create_secret(Name=f"rollcall/vendor-{len(made)}", **content)["ARN"])
        return made[-1]

    yield put
    for arn in made:
        client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


def environment(vendor, authority, endpoint):
    return {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": endpoint,
        "ROLLCALL_API_URL": f"https://localhost:{vendor}",
        "SSL_CERT_FILE": str(authority[0]),
    }


ALL = [{"token": TOKEN}, {"app_key": "demo", "app_secret": "demo", "user_id": 1}]


@pytest.mark.parametrize("content", ALL)
def test_credentials_may_come_from_a_secret_instead_of_options(rollcall, vendor, authority, aws, secret, content):
    words = ["--secret-arn", secret(json.dumps(content))]
    outcome = rollcall(*words, **environment(vendor, authority, f"http://127.0.0.1:{aws}"))
    assert outcome.returncode == 0, outcome.stderr


def test_the_key_for_pseudonyms_may_be_in_a_secret_of_its_own(rollcall, vendor, authority, aws, secret, tmp_path):
    key, other = (f"{number}" * 40 for number in (1, 2))
    inside = environment(vendor, authority, f"http://127.0.0.1:{aws}")
    words = ["--token", TOKEN, "--store", str(tmp_path / "lake"), "--privacy", "pseudonymous"]
    for given, status in [
        (["--hmac-secret-arn", secret(key)], 0),
        (["--hmac-key", key], 0),
        (["--hmac-key", other], 2),
        (["--hmac-secret-arn", secret(other)], 2),
        (["--hmac-key", key, "--hmac-secret-arn", secret(key)], 2),
    ]:
        outcome = rollcall(*words, *given, **inside)
        assert outcome.returncode == status, (given, outcome.stderr)
        assert key not in outcome.stderr + outcome.stdout


def test_aws_is_reached_through_the_proxy_and_its_certificate_is_checked(
    rollcall, proxy, vendor, authority, aws, secret, tmp_path
):
    front = tls_front(authority[1], aws)
    words = ["--secret-arn", secret(json.dumps({"token": TOKEN}))]
    inside = environment(vendor, authority, f"https://localhost:{front}")
    outcome = rollcall(*words, **inside, HTTPS_PROXY=proxy.url)
    assert outcome.returncode == 0, outcome.stderr
    assert proxy.saw_connections_to(front) and proxy.saw_connections_to(vendor)

    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    outcome = rollcall(*words, **{**inside, "SSL_CERT_FILE": str(other)}, HTTPS_PROXY=proxy.url)
    assert outcome.returncode == 1
    (error,) = outcome.stderr.splitlines()
    assert "cannot read the secret" in error


@pytest.mark.parametrize(
    ("content", "said"), [("hidden-token", "not the expected JSON"), ('{"tokn": "hidden-token"}', "not the expected JSON")]
)
def test_an_invalid_secret_is_reported_without_being_shown(rollcall, vendor, authority, aws, secret, content, said):
    words = ["--secret-arn", secret(content)]
    outcome = rollcall(*words, **environment(vendor, authority, f"http://127.0.0.1:{aws}"))
    assert outcome.returncode == 2
    (error,) = outcome.stderr.splitlines()
    assert said in error and " hint: " in error and "hidden" not in error


def test_a_missing_secret_is_named_in_the_error(rollcall, vendor, authority, aws):
    outcome = rollcall("--secret-arn", "rollcall/nothing", **environment(vendor, authority, f"http://127.0.0.1:{aws}"))
    assert outcome.returncode == 1
    (error,) = outcome.stderr.splitlines()
    assert "`rollcall/nothing`" in error and " hint: " in error, error


@pytest.mark.parametrize("content", ALL)
def test_a_token_shared_by_one_machine_is_used_by_another(rollcall, vendor, authority, aws, secret, content):
    inside = environment(vendor, authority, f"http://127.0.0.1:{aws}") | {"ROLLCALL_TOKEN_SECRET_ARN": secret()}
    outcome = rollcall(**inside)
    assert outcome.returncode == 1
    assert "hint: run the job `token`" in outcome.stderr

    shared = rollcall("--secret-arn", secret(json.dumps(content)), job=("token",), **inside)
    assert shared.returncode == 0, shared.stderr
    assert TOKEN not in shared.stdout + shared.stderr
    outcome = rollcall(**inside)
    assert outcome.returncode == 0, outcome.stderr


def test_replaced_credentials_take_effect_with_the_next_run(rollcall, vendor, authority, aws, secret):
    inside = environment(vendor, authority, f"http://127.0.0.1:{aws}") | {"ROLLCALL_TOKEN_SECRET_ARN": secret()}

    def keep(job, content):
        return rollcall("--secret-arn", secret(json.dumps(content)), job=job, **inside)

    tried, application = ALL
    for content in (tried, application, application):
        assert keep(("token",), content).returncode == 0
    # The token that is shared is good still, but not theirs.
    wrong = keep(("token",), application | {"app_secret": "wrong"})
    assert wrong.returncode == 1, wrong.stdout
    doctor = keep(("doctor",), application | {"app_secret": "wrong"})
    assert doctor.returncode == 1 and "vendor" in doctor.stdout


@pytest.mark.parametrize("code", [401, 400, 403])
def test_a_shared_token_that_has_ended_is_renewed_whatever_the_vendor_says_of_it(rollcall, authority, aws, secret, code):
    application = secret(json.dumps(ALL[1]))
    with simulated(authority, "--token-code", str(code), "--new-token-ends-old") as vendor:
        inside = environment(vendor, authority, f"http://127.0.0.1:{aws}")
        shared = inside | {"ROLLCALL_TOKEN_SECRET_ARN": secret()}
        for another_makes_one in [False, True]:
            if another_makes_one:
                outcome = rollcall("--secret-arn", application, **inside)
                assert outcome.returncode == 0, outcome.stderr
            outcome = rollcall("--secret-arn", application, job=("token",), **shared)
            assert outcome.returncode == 0, outcome.stderr
            outcome = rollcall(**shared)
            assert outcome.returncode == 0, outcome.stderr


def test_a_token_is_shared_though_the_list_that_it_is_tried_with_fails(rollcall, authority, aws, secret):
    words = ["--secret-arn", secret(json.dumps(ALL[0]))]
    with simulated(authority, "--fault", "code=404@path:event/modify/list") as vendor:
        inside = environment(vendor, authority, f"http://127.0.0.1:{aws}") | {"ROLLCALL_TOKEN_SECRET_ARN": secret()}
        outcome = rollcall(*words, job=("token",), **inside)
        assert outcome.returncode == 1 and "event/modify/list" in outcome.stderr, outcome.stderr
        outcome = rollcall(**inside)
        assert outcome.returncode == 0, outcome.stderr


@pytest.mark.parametrize("content", ALL)
def test_a_damaged_shared_token_is_reported_without_being_shown_and_replaced(
    rollcall, vendor, authority, aws, secret, content
):
    inside = environment(vendor, authority, f"http://127.0.0.1:{aws}")
    inside["ROLLCALL_TOKEN_SECRET_ARN"] = secret("hidden-token")
    outcome = rollcall(**inside)
    assert outcome.returncode == 1
    (error,) = outcome.stderr.splitlines()
    assert "not what rollcall wrote there" in error and " hint: " in error and "hidden" not in error
    mended = rollcall("--secret-arn", secret(json.dumps(content)), job=("token",), **inside)
    assert mended.returncode == 0, mended.stderr
    assert rollcall(**inside).returncode == 0


def test_a_token_is_shared_only_if_a_place_for_it_is_given(rollcall, vendor, authority, aws, secret):
    inside = environment(vendor, authority, f"http://127.0.0.1:{aws}")
    outcome = rollcall("--secret-arn", secret(json.dumps({"token": TOKEN})), job=("token",), **inside)
    assert outcome.returncode == 2
    assert "`--token-secret-arn`" in outcome.stderr
