"""Looks at a tracking URI before any trial starts: the user's mistakes are errors, a sleeping server is a warning."""

import base64
import os
import socket
import urllib.error
import urllib.parse
import urllib.request
from http import HTTPStatus
from pathlib import Path

from orchestrator.tracking_uri import DISABLED, SERVERS, redact, tracking_uri, uri_kind
from search_spaces.errors import InvalidValueError, MmptError

__all__ = ["check_tracking"]

_SQLITE_MAGIC = b"SQLite format 3\x00"
_PROBE_SECONDS = 5.0
_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
_INVALID_HOST, _MOST_READ = b"Invalid Host header", 4096  # what MLflow says, and where to stop reading
_LATER = "the sweep goes on without it and `mmpt track` can write everything later"


def check_tracking(uri: str) -> str | None:
    """Check what `tracking_uri` returned.

    Returns:
        None if all is well, else a warning for the user: the server does not answer, or refuses.

    Raises:
        MmptError: the user's mistake: an unknown kind, an SQLite file that cannot be written, a missing driver.
    """
    if uri == DISABLED:
        return None
    kind = uri_kind(tracking_uri(uri, "/"))
    if kind == "sqlite":
        _check_sqlite(uri)
        return None
    if kind in SERVERS:
        return _check_server(uri)
    return _check_database(uri, kind)


def _check_sqlite(uri: str) -> None:
    path = Path(uri.partition(":///")[2].partition("?")[0])
    existing = next(parent for parent in (path.parent, *path.parent.parents) if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise InvalidValueError("tracking URI", redact(uri), f"a database in a folder that can be written; {existing}")
    if not path.exists():
        return
    if not path.is_file() or not os.access(path, os.R_OK | os.W_OK):
        raise InvalidValueError("tracking URI", redact(uri), "a database file that can be written")
    with path.open("rb") as handle:
        start = handle.read(len(_SQLITE_MAGIC))
    if start and start != _SQLITE_MAGIC:
        raise InvalidValueError("tracking URI", redact(uri), f"an SQLite database; {path} is another kind of file")


def _check_server(uri: str) -> str | None:
    url, headers = _request(uri)
    shown = redact(uri)
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_PROBE_SECONDS):  # noqa: S310 (http or https, checked)
            return None
    except urllib.error.HTTPError as error:
        return f"MLflow at {shown} {_refusal(error, urllib.parse.urlsplit(uri).hostname)}; {_LATER}"
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        return f"MLflow at {shown} cannot be reached ({redact(str(reason))}); {_LATER}"


def _refusal(error: urllib.error.HTTPError, host: str | None) -> str:
    """Tell a host name that MLflow does not answer to from a login that it does not accept."""
    if error.code == HTTPStatus.FORBIDDEN and _INVALID_HOST in error.read(_MOST_READ):
        return f"answers HTTP 403, this host is not allowed: start the server with `--allowed-hosts {host}`"
    if error.code == HTTPStatus.FORBIDDEN:
        return "answers HTTP 403: this user or token may not do that, or a proxy refuses"
    if error.code == HTTPStatus.UNAUTHORIZED:
        return "answers HTTP 401: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
    return f"answers HTTP {error.code}"


def _request(uri: str) -> tuple[str, dict[str, str]]:
    """Return a cheap question to the server and the headers that MLflow's client would send."""
    parts = urllib.parse.urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    url = f"{parts.scheme}://{host}{parts.path.rstrip('/')}/api/2.0/mlflow/experiments/search?max_results=1"
    user = urllib.parse.unquote(parts.username or "") or os.environ.get("MLFLOW_TRACKING_USERNAME", "")
    password = urllib.parse.unquote(parts.password or "") or os.environ.get("MLFLOW_TRACKING_PASSWORD", "")
    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    if user:
        return url, {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
    return url, {"Authorization": f"Bearer {token}"} if token else {}


def _check_database(uri: str, kind: str) -> str | None:
    import sqlalchemy  # noqa: PLC0415 (slow to import, and MLflow's: only those who use it wait)

    try:
        url = sqlalchemy.make_url(uri)
        url.get_dialect().import_dbapi()
    except ModuleNotFoundError as error:
        raise MmptError(f"tracking URI {redact(uri)} needs the Python package {error.name!r}; install it") from None
    except sqlalchemy.exc.SQLAlchemyError:
        raise InvalidValueError("tracking URI", redact(uri), f"{kind}://user:password@host:port/database") from None
    if url.host is None:
        return None
    try:
        socket.create_connection((url.host, url.port or _PORTS[kind]), timeout=_PROBE_SECONDS).close()
    except OSError as error:
        return f"MLflow's database at {redact(uri)} cannot be reached ({error}); {_LATER}"
    return None
