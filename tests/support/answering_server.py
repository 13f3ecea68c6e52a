"""A server that answers every question with one status and body, and remembers how it was asked."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Answering", "answering_server"]


class Answering(http.server.ThreadingHTTPServer):
    """The answer, which a test may change, and the last `Authorization` header."""

    code = 200
    body = b""
    authorization: str | None = None


class _Answer(http.server.BaseHTTPRequestHandler):
    server: Answering

    def do_GET(self) -> None:
        self.server.authorization = self.headers.get("Authorization")
        self.send_response(self.server.code)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def answering_server() -> Iterator[Answering]:
    """Serve on a free port of this machine."""
    server = Answering(("127.0.0.1", 0), _Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
