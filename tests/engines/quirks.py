"""Values at the edges of what columns can hold, put into a simulator's reports on their way to the program."""

import json
import zlib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.error import HTTPError
from urllib.request import Request, urlopen

TEXTS = ["中😀", "～", "\U0010ffff", "e\u0301", "a\0b", " as sent ", "two\nlines", "'\";\\"]
TEXTS += ["-", "", None, 7.0, {"a": 1}]
COUNTS = ["many", "3", 3.0, 0, -3, 2**53 + 1, 10**30, True, None]
DURATIONS = ["01:00:01", "00:60:00", 2.0, 61, None]
FLAGS = ["Y", "否", 1, False, "maybe", None]
# The first and the last second that a column holds, each with the neighbour that it does not; a wall clock that New
# York skips, one that it shows twice, two instants at which it shows the same time; and the year 60000.
SECONDS = [1, 0, 253370764799, 253370764800, 1647109800, 1667669400, 1667712600, 1667716200]
SECONDS += [1831249900800, None]
ODDITIES = {
    **dict.fromkeys(["name", "company", "location", "group", "iden", "ip", "whitelist_tag"], TEXTS),
    **dict.fromkeys(["prize_num", "chat_num", "quiz_num", "praise_num", "call_duration", "times"], COUNTS),
    **dict.fromkeys(["watch_duration", "online_duration", "duration", "watchDuration"], DURATIONS),
    **dict.fromkeys(["survey", "vote", "sign", "envelope"], FLAGS),
    "offline_time": SECONDS,
    "online_date": ["2022-10-26 16:27:03", "yesterday", 5, None],
    "hostId": [88589655, "007", 8.8589655e7, 10**29],
    "live_type": [0, "1", "直播", "录播"],
    "clientType": ["WEB", "APP"],
}
# Arrays that are left out, or null, in one event each: the simulator's own flags leave them out of all events.
WITHOUT_INTERACTIONS, WITHOUT_DETAILS = 700002, 700003


def odd(record):
    """The record with some of its values replaced, the same ones in every answer."""
    content = json.dumps(record, sort_keys=True)
    changed = dict(record)
    for key, values in ODDITIES.items():
        draw = zlib.crc32(f"{key} {content}".encode())
        if key in record and draw % 2:
            changed[key] = values[(draw >> 1) % len(values)]
    return changed


def odd_answer(body):
    """The answer with odd records and missing arrays; elements that are not records stay as they are."""
    answer = json.loads(body)
    data = answer["data"]
    report = data["report"]
    for array, records in report.items():
        report[array] = [odd(record) if isinstance(record, dict) else record for record in records]
    if data["eventId"] == WITHOUT_INTERACTIONS:
        del report["interactions"]
    if data["eventId"] == WITHOUT_DETAILS:
        report["viewerDetails"] = None
    return json.dumps(answer).encode()


class Relay(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        request = Request(self.server.api + self.path, asked, {"Content-Type": self.headers["Content-Type"]})
        try:
            answer = urlopen(request)
        except HTTPError as error:
            answer = error
        with answer:
            body = answer.read()
        if self.path.endswith("report/details") and b'"report"' in body:
            body = odd_answer(body)
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing."""


@contextmanager
def quirky(api):
    """The URL of a relay in front of the simulator at `api`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Relay) as relay:
        relay.api = api
        Thread(target=relay.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{relay.server_port}"
        finally:
            relay.shutdown()
