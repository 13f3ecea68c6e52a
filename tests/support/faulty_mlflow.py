"""MLflow's own REST server in this process, over an SQLite file, which can be told to misbehave."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mlflow.server import app, handlers
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from werkzeug.serving import WSGIRequestHandler, make_server

Respond = Callable[..., Any]


class FaultyMlflow:
    """The server and what is wrong with it.

    Attributes:
        address: its tracking URI.
        database: that of its SQLite file.
        trouble: "" for none; "500" and "403" refuse; "lost" does what is asked, then fails; "silent" never answers.
        asked: how many requests there were.
    """

    def __init__(self, folder: Path) -> None:
        self.database = f"sqlite:///{folder}/mlflow.db"
        self.store = SqlAlchemyStore(self.database, (folder / "artifacts").as_uri())
        self.trouble = ""
        self.asked = 0
        self.address = ""
        self._answering = threading.Event()

    def __call__(self, environ: dict[str, Any], respond: Respond) -> Iterable[bytes]:
        """Answer one request."""
        self.asked += 1
        if self.trouble == "silent":
            self._answering.wait()
        if self.trouble == "500":
            return _refuse(respond, "500 Internal Server Error")
        if self.trouble == "403":
            return _refuse(respond, "403 Forbidden")
        if self.trouble == "lost":
            for _ in app(environ, lambda *_: None):
                pass
            return _refuse(respond, "502 Bad Gateway")
        answer: Iterable[bytes] = app(environ, respond)
        return answer

    def recover(self) -> None:
        """Answer properly from now on, also those who wait."""
        self.trouble = ""
        self._answering.set()
        self._answering = threading.Event()


class _Silent(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[FaultyMlflow]:
    """Run the server on a free port of this machine."""
    faulty = FaultyMlflow(folder)
    server = make_server("127.0.0.1", 0, faulty, threaded=True, request_handler=_Silent)
    faulty.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handlers, "_tracking_store", faulty.store)
        thread.start()
        try:
            yield faulty
        finally:
            faulty.recover()
            server.shutdown()
            server.server_close()
            thread.join()


def _refuse(respond: Respond, status: str) -> list[bytes]:
    respond(status, [("Content-Type", "text/plain")])
    return [b"no"]
