"""An HTTP server that ends without failing a request.

When it is asked to end (SIGTERM), it goes on serving for a moment, because whoever sends requests here learns of the
end at about the same time. Then it stops listening, finishes what is under way, and exits.
"""

import json
import signal
import socketserver
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LAME_DUCK_SECONDS = 1.0
LONGEST_BODY_BYTES = 64 * 1024


class Handler(BaseHTTPRequestHandler):
    """Answers with `answer`, `send` and `send_json`; connections are kept open between requests."""

    protocol_version = "HTTP/1.1"
    timeout = 75
    wbufsize = -1  # headers and body leave together

    def setup(self):
        super().setup()
        self.server.idle_begins(self.connection)

    def finish(self):
        self.server.idle_ends(self.connection)
        super().finish()

    def do_GET(self):
        self.server.idle_ends(self.connection)
        try:
            self.answer()
        except ConnectionError:
            self.close_connection = True
        except Exception as error:
            traceback.print_exc()
            self.send_json(500, {"error": f"a mistake in the program: {error!r}"})
        self.close_connection = self.close_connection or self.server.ending
        self.server.idle_begins(self.connection)

    do_POST = do_GET
    do_HEAD = do_GET

    def answer(self):
        raise NotImplementedError

    def body(self):
        """The request's body, or None when it is too long."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > LONGEST_BODY_BYTES:
            self.close_connection = True
            return None
        return self.rfile.read(length)

    def send(self, status, content_type, content, headers=()):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers:
            self.send_header(name, value)
        if self.server.ending:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def send_json(self, status, value):
        self.send(status, "application/json; charset=utf-8", json.dumps(value, ensure_ascii=False).encode() + b"\n")

    def version_string(self):
        return "guestbook"

    def log_message(self, format, *args):
        if not self.path.startswith("/health"):
            print(f"{self.address_string()} {format % args}", flush=True)


class Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, handler, port):
        super().__init__(("", port), handler)
        self.ending = False
        self.idle = set()
        self.lock = threading.Lock()

    def server_bind(self):
        # The base class asks the DNS for the name of this host, which nobody needs and which may take long.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "guestbook", self.server_address[1]

    def idle_begins(self, connection):
        with self.lock:
            self.idle.add(connection)

    def idle_ends(self, connection):
        with self.lock:
            self.idle.discard(connection)

    def end(self):
        self.ending = True
        time.sleep(LAME_DUCK_SECONDS)
        self.shutdown()

    def close_idle(self):
        """Ends the connections on which nothing is under way; their threads wait for a request that will not come."""
        with self.lock:
            for connection in self.idle:
                try:
                    connection.shutdown(0)  # no further requests; an answer being written still gets out
                except OSError:
                    pass  # the other side was faster


def serve(handler, port=8000):
    server = Server(handler, port)
    ender = threading.Thread(target=server.end)
    signal.signal(signal.SIGTERM, lambda *_: ender.start())
    signal.signal(signal.SIGINT, lambda *_: ender.start())
    print(f"listening on port {port}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.close_idle()
    server.server_close()  # waits for the requests under way
    print("all requests are answered", flush=True)
