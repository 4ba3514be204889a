"""A proxy and a private certificate authority, given as people expect: by the environment."""

from conftest import TOKEN
from ports import free_port


def vendor_at(vendor, authority):
    return {
        "ROLLCALL_API_URL": f"https://localhost:{vendor}",
        "ROLLCALL_TOKEN": TOKEN,
        "SSL_CERT_FILE": str(authority[0]),
    }


def test_the_vendor_is_reached_through_the_proxy(rollcall, proxy, vendor, authority):
    outcome = rollcall(**vendor_at(vendor, authority), HTTPS_PROXY=proxy.url)
    assert outcome.returncode == 0, outcome.stderr
    assert proxy.saw_connections_to(vendor)


def test_a_host_listed_in_no_proxy_is_reached_directly(rollcall, vendor, authority):
    nobody = f"http://127.0.0.1:{free_port()}"
    outcome = rollcall(**vendor_at(vendor, authority), HTTPS_PROXY=nobody, NO_PROXY="localhost")
    assert outcome.returncode == 0, outcome.stderr


def test_a_certificate_of_an_unknown_authority_is_refused(rollcall, vendor, authority):
    environment = vendor_at(vendor, authority)
    del environment["SSL_CERT_FILE"]
    outcome = rollcall(**environment)
    assert outcome.returncode == 1
    (error,) = [line for line in outcome.stderr.splitlines() if line.startswith("error: ")]
    assert "certificate" in error.lower(), error
    assert TOKEN not in outcome.stdout + outcome.stderr
