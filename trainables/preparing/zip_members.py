"""One file out of a zip archive inside the raw data, read without extracting anything."""

import zipfile
from pathlib import PurePosixPath, PureWindowsPath

from trainables.decoding.bad_bytes import UNREADABLE
from trainables.preparing.tree import RawDataError, Tree

__all__ = ["read_member"]

_LARGEST_BYTES = 64 * 2**20


def read_member(tree: Tree, archive: str, name: str, largest_bytes: int = _LARGEST_BYTES) -> bytes | None:
    """Return the first member, in alphabetical order, with this name in any folder of the archive; None if none has it.

    Args:
        tree: the raw data.
        archive: relative path of the zip archive.
        name: without folders.
        largest_bytes: what the member may have once it is unpacked, whatever the archive says that it has.

    Raises:
        RawDataError: the archive is damaged or encrypted, any member's name is absolute or leads upward, or the member
            is too large.
    """
    path = tree.root / archive
    try:
        with zipfile.ZipFile(path) as opened:
            members = sorted(opened.namelist())
            if unsafe := next((member for member in members if _is_unsafe(member)), None):
                raise RawDataError(f"{path} is not to be trusted: its member {unsafe!r} lies outside of it")
            found = next((member for member in members if PurePosixPath(member).name == name), None)
            data = None if found is None else _at_most(opened, found, largest_bytes + 1)
    except (zipfile.BadZipFile, *UNREADABLE) as error:
        raise RawDataError(f"{path} cannot be read: {error}") from error
    if data is not None and len(data) > largest_bytes:
        raise RawDataError(f"{path} is not to be trusted: its member {found!r} has more than {largest_bytes:,} bytes")
    return data


def _at_most(archive: zipfile.ZipFile, member: str, size_bytes: int) -> bytes:
    with archive.open(member) as file:
        return file.read(size_bytes)


def _is_unsafe(member: str) -> bool:
    path = PureWindowsPath(member)  # takes both slashes, drives and network names
    return bool(path.anchor) or ".." in path.parts
