"""The file system behind a URL, safe for many processes: nothing cached, reopened after a fork, errors with cures."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

from search_spaces.errors import MmptError

__all__ = ["FileSystem", "StoreAccessError", "StoreRefusedError", "StoreUnreachableError", "open_file_system"]

FileSystem = Any
"""What `Files` calls: fsspec's local file system, or a `RemoteFileSystem`."""

M = TypeVar("M", bound=Callable[..., Any])

_S3 = frozenset({"s3", "s3a"})
_CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, on every machine"


class StoreAccessError(MmptError, OSError):
    """A bucket that does not let itself be used; says nothing about what is in it."""


class StoreRefusedError(StoreAccessError, PermissionError):
    """It answers, and will answer the same again: no such bucket, no credentials, or wrong ones."""


class StoreUnreachableError(StoreAccessError, ConnectionError):
    """It does not answer, or with an error that may pass."""


def open_file_system(root: str) -> tuple[FileSystem, str]:
    """Return the file system of an absolute path or URL, and the path in it.

    Raises:
        ValueError, ImportError: none answers to the URL, or its package is not installed; the message says which.
    """
    try:
        found, path = _url_to_fs(root)
    except ImportError as error:
        if root.partition("://")[0] in _S3:
            raise ImportError("it needs the package s3fs; pip install 'mmpt-sweep[s3]'") from error
        raise
    return (found if found.protocol in ("file", ("file", "local")) else RemoteFileSystem(root)), path


def _url_to_fs(root: str, **options: Any) -> tuple[Any, str]:
    from fsspec.core import url_to_fs  # noqa: PLC0415 (half a tenth of a second, of no use to who opens no store)

    opened: tuple[Any, str] = url_to_fs(root, **options)
    return opened


def _told(method: M) -> M:
    """Turn whatever the file system's own package raises into errors that a user understands."""

    @wraps(method)
    def call(self: "RemoteFileSystem", *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except Exception as error:
            found = self.explained(error) if isinstance(error, (OSError, *_foreign_errors())) else error
            if found is error:
                raise
            raise found from error

    return cast("M", call)


def _foreign_errors() -> tuple[type[Exception], ...]:
    """Errors of packages that are imported only with a URL that needs them, and that are no `OSError`s."""
    names = {"botocore.exceptions": ("BotoCoreError", "ClientError"), "aiohttp": ("ClientError",)}
    return tuple(
        getattr(sys.modules[module], name) for module in names if module in sys.modules for name in names[module]
    )


class RemoteFileSystem:
    """The few operations of an fsspec file system that `Files` needs.

    Listings are never cached: other processes write, too. A forked process opens its own connection, since fsspec's
    event loop does not survive a fork.

    Args:
        root: its URL.
    """

    protocol = "remote"

    def __init__(self, root: str) -> None:
        self.root = root
        self._scheme = root.partition("://")[0]
        self._read_options = {"max_concurrency": 1} if self._scheme in _S3 else {}  # else it asks for the size first
        self._opened: tuple[int, Any] = (0, None)

    @property
    def _own(self) -> Any:
        if self._opened[0] != os.getpid():
            self._opened = os.getpid(), _url_to_fs(self.root, use_listings_cache=False)[0]
        return self._opened[1]

    def __reduce__(self) -> tuple[type["RemoteFileSystem"], tuple[str]]:
        return RemoteFileSystem, (self.root,)

    def invalidate_cache(self) -> None:
        """Do nothing: there is no cache."""

    @_told
    def cat_file(self, path: str, start: int | None = None, end: int | None = None) -> bytes:
        """Return a file's bytes, or some of them."""
        limits = {} if start is None and end is None else {"start": start, "end": end}
        data: bytes = self._own.cat_file(path, **(limits or self._read_options))
        return data

    @_told
    def cat(self, paths: Sequence[str]) -> dict[str, bytes]:
        """Return many files' bytes, read at once; those that are not there are left out."""
        found: Mapping[str, Any] = self._own.cat(list(paths), on_error="return", **self._read_options) if paths else {}
        for answer in found.values():
            if isinstance(answer, Exception) and not isinstance(answer, FileNotFoundError):
                raise answer
        return {path: data for path, data in found.items() if isinstance(data, bytes)}

    @_told
    def pipe_file(self, path: str, data: bytes, mode: str = "overwrite") -> None:
        """Write a file; with mode `create` only if there is none, else FileExistsError."""
        self._own.pipe_file(path, data, mode=mode)

    @_told
    def put_file(self, local: str, path: str) -> None:
        """Upload a file."""
        self._own.put_file(local, path)

    @_told
    def get_file(self, path: str, local: str) -> None:
        """Download a file."""
        self._own.get_file(path, local)

    @_told
    def ls(self, path: str, *, detail: bool) -> list[Any]:
        """List a folder."""
        found: list[Any] = self._own.ls(path, detail=detail)
        return found

    @_told
    def find(self, path: str) -> dict[str, int]:
        """Return the files below a folder, at any depth, with their sizes."""
        found = self._own.find(path, detail=True)
        return {name: int(about["size"]) for name, about in found.items()}

    @_told
    def exists(self, path: str) -> bool:
        """Tell whether a file or folder is there."""
        try:
            self._own.info(path)
        except FileNotFoundError as error:
            if self.explained(error) is not error:
                raise
            return False
        return True

    @_told
    def size(self, path: str) -> int:
        """Return a file's length in bytes."""
        return int(self._own.size(path))

    @_told
    def rm(self, path: str, *, recursive: bool) -> None:
        """Delete a file or folder."""
        self._own.rm(path, recursive=recursive)

    @_told
    def rm_file(self, path: str) -> None:
        """Delete a file."""
        self._own.rm_file(path)

    def explained(self, error: Exception) -> Exception:
        """Return the error as a user is told it; the same one if it says that a file is or is not there."""
        cause = error.__cause__ if hasattr(error.__cause__, "response") else error
        code = getattr(cause, "response", {}).get("Error", {}).get("Code", "")
        if code == "NoSuchBucket":
            return StoreRefusedError(f"{self.root}: there is no such bucket; create it, or correct the URL")
        if isinstance(
            error, FileNotFoundError | FileExistsError | IsADirectoryError | NotADirectoryError | StoreAccessError
        ):
            return error
        if "Credentials" in type(error).__name__:
            return StoreRefusedError(f"{self.root}: there are no credentials for it; {self._credentials}")
        if isinstance(error, PermissionError):
            return StoreRefusedError(f"{self.root}: access was refused ({error}); {self._credentials}")
        where = "; check AWS_ENDPOINT_URL and the network" if self._scheme in _S3 else "; check the network"
        return StoreUnreachableError(f"{self.root} does not answer ({type(error).__name__}: {error}){where}")

    @property
    def _credentials(self) -> str:
        return _CREDENTIALS if self._scheme in _S3 else "see its fsspec package for how to give them"
