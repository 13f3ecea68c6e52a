"""Where MLflow writes: reads and resolves tracking URIs, and keeps passwords out of everything that is shown."""

import re
from pathlib import Path

from results.files import Files
from search_spaces.errors import InvalidValueError, nearest

__all__ = ["DATABASES", "DISABLED", "SERVERS", "artifact_location", "redact", "tracking_uri", "uri_kind"]

DISABLED = "none"
"""The word that turns tracking off."""
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
SERVERS = ("http", "https")

_USER = re.compile(r"(?<=://)\S*@")  # up to the last @, since passwords may hold one
_SECRET = re.compile(r"(?i)\b(\w*(?:password|passwd|pwd|token|secret|odbc_connect))=[^&\s'\"]+")
_SQLITE_FILE = "sqlite:///"


def redact(text: str) -> str:
    """Return `text` without the credentials of the URIs in it.

    >>> redact("postgresql://ann:secret@db/mlflow")
    'postgresql://***@db/mlflow'
    """
    return _SECRET.sub(r"\1=***", _USER.sub("***@", text))


def uri_kind(uri: str) -> str:
    """Return a URI's kind without its driver: `postgresql` of `postgresql+psycopg2://...`."""
    scheme = uri.partition("://")[0]
    base = scheme.partition("+")[0]
    return base if base in DATABASES else scheme


def tracking_uri(text: str | None, store_root: str) -> str:
    """Return the absolute tracking URI of a sweep.

    Args:
        text: what the user asked for: a database or server URI, "none" to track nothing, or None for the
            default, an SQLite database in the store.
        store_root: absolute path or bucket URL of the store.

    Returns:
        A URI that means the same in every directory, or "none".

    Raises:
        InvalidValueError: the URI is of no kind that MLflow can use here, or none was given for a bucket store.
    """
    if text is None:
        return _default(store_root)
    uri = text.strip()
    if uri == DISABLED:
        return DISABLED
    if "://" not in uri or uri_kind(uri) not in (*DATABASES, *SERVERS):
        raise InvalidValueError("tracking URI", redact(text), _allowed(uri))
    return _absolute_sqlite(uri) if uri_kind(uri) == "sqlite" else uri


def artifact_location(uri: str, store_root: str) -> str | None:
    """Return where a new MLflow experiment keeps files: under the store, or None to let a server decide."""
    if uri_kind(uri) in SERVERS:
        return None
    if "://" in store_root:
        return f"{store_root.rstrip('/')}/mlflow-artifacts"
    return (Path(store_root) / "mlflow-artifacts").as_uri()


def _default(store_root: str) -> str:
    files = Files(store_root)
    if not files.is_local:
        allowed = f"a database or server URI for a store in a bucket, or {DISABLED!r} to track nothing"
        raise InvalidValueError("tracking URI", None, allowed)
    path = files.path("mlflow.db")
    if "?" in path:
        raise InvalidValueError("tracking URI", f"{_SQLITE_FILE}{path}", "a path without '?'; give a tracking URI")
    return _SQLITE_FILE + path


def _absolute_sqlite(uri: str) -> str:
    scheme, _, rest = uri.partition("://")
    path, question, options = rest.partition("?")
    name = path.removeprefix("/")
    if not path.startswith("/") or not name or name.endswith("/") or name.startswith((":memory:", "file:")):
        raise InvalidValueError("tracking URI", redact(uri), f"a database file, such as {_SQLITE_FILE}mlflow.db")
    return f"{scheme}:///{Path(name).expanduser().absolute()}{question}{options}"


def _allowed(uri: str) -> str:
    kinds = ", ".join(f"{kind}://..." for kind in (*DATABASES, *SERVERS))
    scheme = re.split(r"[:+]", uri, maxsplit=1)[0]
    match = nearest(scheme.lower(), (*DATABASES, *SERVERS)) if ":" in uri else None
    hint = f"; did you mean '{match}://'?" if match else f"; a file would be {_SQLITE_FILE}{Path(redact(uri)).name}.db"
    return f"one of {kinds} or {DISABLED!r}{hint if match or '://' not in uri else ''}"
