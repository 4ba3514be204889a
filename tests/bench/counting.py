"""A relay in front of an S3 server that counts requests by their method: `with counting(endpoint) as (url, counts)`."""

import contextlib
import http.client
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@contextlib.contextmanager
def counting(endpoint):
    counts = Counter()
    host = urlsplit(endpoint).netloc

    class Relay(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def relay(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            server = http.client.HTTPConnection(host)
            # Headers are passed on as they came, because the signature covers them.
            server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                server.putheader(name, value)
            server.endheaders(body)
            answer = server.getresponse()
            content = answer.read()
            listing = self.command == "GET" and "list-type=2" in self.path
            counts["LIST" if listing else self.command] += 1
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                    self.send_header(name, value)
            length = answer.getheader("content-length") if self.command == "HEAD" else len(content)
            if answer.status not in (204, 304):
                self.send_header("content-length", str(length))
            self.end_headers()
            self.wfile.write(content)
            server.close()

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = relay

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Relay) as relay:
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{relay.server_port}", counts
        finally:
            relay.shutdown()
