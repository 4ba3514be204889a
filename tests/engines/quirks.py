"""The vendor at its oddest: hands requests on to a simulator, and makes each report odd on its way back."""

import json
import zlib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.error import HTTPError
from urllib.request import Request, urlopen

TEXTS = ["中😀", "～", "e\u0301", "nul \0", " kept as sent ", "two\nlines", "'\";\\", "\U0010ffff", "-", "", None, 7.0, {}]
NUMBERS = ["many", "3", 3.0, -3, 2**53 + 1, 10**30, True, None]
# The first and the last second that a column holds and those past them, a wall clock that New York skips, one that
# it shows twice, two instants at which New York shows the same, and a year that no column holds.
SECONDS = [0, 1, 253370764799, 253370764800, 1647109800, 1667669400, 1667712600, 1667716200, 1831249900800, None]
FLAGS = ["Y", "否", 1, False, "maybe", None]
ODD = {
    **dict.fromkeys(["name", "company", "location", "group", "iden", "ip", "dialedIn", "whitelist_tag"], TEXTS),
    **dict.fromkeys(["prize_num", "chat_num", "quiz_num", "praise_num", "call_duration", "times"], NUMBERS),
    **dict.fromkeys(["watch_duration", "online_duration", "duration"], ["01:00:01", "00:60:00", "-1", 2.0]),
    **dict.fromkeys(["survey", "vote", "sign", "envelope"], FLAGS),
    "offline_time": SECONDS,
    "hostId": [88589655, "007", 8.8589655e7, 10**29],
    "online_date": ["2022-10-26 16:27:03", "yesterday", 5],
}
# Without a time they are in every answer, whatever the range.
UNPLACEABLE = ["lost", {"name": "中😀", "online_time": None}]


def odd(record):
    """The record with some of its values replaced: the same ones in every answer."""
    draw = zlib.crc32(json.dumps(record, sort_keys=True).encode())
    changed = {key: values[draw % len(values)] for key, values in ODD.items() if key in record and draw >> 3 & 3}
    return {**record, **changed, "newField": {"draw": draw}} if draw % 5 else record


def odd_report(event, report):
    report = {array: [odd(record) for record in reversed(records)] for array, records in report.items()}
    report["lives"] += UNPLACEABLE
    if event % 4 == 2:
        del report["interactions"]
    if event % 4 == 3:
        report["viewerDetails"] = None
    return {**report, "polls": [1]}


class Relay(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        request = Request(self.server.upstream + self.path, asked, {"Content-Type": "application/json"})
        try:
            with urlopen(request) as response:
                status, body = response.status, response.read()
        except HTTPError as error:
            status, body = error.code, error.read()
        if self.path.endswith("report/details") and body.startswith(b"{") and (data := json.loads(body)["data"]):
            data["report"] = odd_report(data["eventId"], data["report"])
            # `code` comes last, after all data.
            body = json.dumps({"data": data, **json.loads(body), "data": data}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def quirky(api):
    """The URL of a relay before the simulator at `api`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Relay) as relay:
        relay.upstream = api
        relay.daemon_threads = True
        Thread(target=relay.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{relay.server_port}"
        relay.shutdown()
