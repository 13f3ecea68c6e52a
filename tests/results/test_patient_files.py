"""A store that fails for a while is waited for, one that is full is not, and neither is left half-written."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from results.files import Files
from results.patient_files import PatientFiles, StoreFullError, StoreUnavailableError
from results.store import Store


class Disk:
    """Makes a local disk's flushes fail, a number of times, with an error number."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left, self.number, self.asked = 0, 0, 0
        flush = os.fsync

        def fail_sometimes(handle: int) -> None:
            self.asked += 1
            if self.left:
                self.left -= 1
                raise OSError(self.number, os.strerror(self.number))
            flush(handle)

        monkeypatch.setattr(os, "fsync", fail_sometimes)

    def fail(self, times: int, number: int) -> None:
        self.left, self.number, self.asked = times, number, 0


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    monkeypatch.setattr("results.patient_files._FIRST_WAIT_SECONDS", 0.001)
    return Disk(monkeypatch)


def test_errors_that_pass_are_waited_for(tmp_path: Path, disk: Disk) -> None:
    files = PatientFiles(str(tmp_path), patience_seconds=60)
    disk.fail(3, errno.EIO)
    files.write(b"whole", "name")
    assert files.read("name") == b"whole"
    disk.fail(3, errno.EIO)
    files.publish(("folder",), {"one": b"1", "DONE": b""}, last="DONE")
    assert files.names("folder") == ["DONE", "one"]
    assert files.create(b"once", "new")
    assert not files.create(b"twice", "new")


def test_patience_ends(tmp_path: Path, disk: Disk) -> None:
    files = PatientFiles(str(tmp_path), patience_seconds=0.01)
    disk.fail(10**9, errno.EIO)
    with pytest.raises(StoreUnavailableError, match=r"failed for 0\.01 s: .*Input/output error"):
        files.write(b"never", "name")
    assert disk.asked > 1
    assert not list(tmp_path.iterdir())


def test_what_does_not_pass_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        PatientFiles(str(tmp_path), patience_seconds=60).read("nothing")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_at_once_and_leaves_nothing_half_written(number: int, tmp_path: Path, disk: Disk) -> None:
    files = PatientFiles(str(tmp_path), patience_seconds=60)
    files.publish(("folder",), {"one": b"old", "DONE": b""}, last="DONE")
    disk.fail(10**9, number)
    with pytest.raises(StoreFullError, match="has no room left"):
        files.write(b"new", "name")
    with pytest.raises(StoreFullError):
        files.publish(("folder",), {"one": b"new", "DONE": b""}, last="DONE")
    with pytest.raises(StoreFullError):
        files.create(b"new", "name")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    assert files.read("folder", "one") == b"old"


def test_every_operation_is_patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of `Files` that touches the store fails once."""
    monkeypatch.setattr("results.patient_files._FIRST_WAIT_SECONDS", 0.001)
    store = Store(str(tmp_path), patience_seconds=60)
    calls: dict[str, tuple[Any, ...]] = {
        "write": (b"1", "a"),
        "create": (b"1", "b"),
        "read": ("a",),
        "names": (),
        "exists": ("a",),
        "size": ("a",),
        "sizes": (),
        "folder_sizes": (),
        "read_range": (0, 1, "a"),
        "read_many": ([("a",)],),
        "download": (tmp_path / "copy", "a"),
        "upload": (tmp_path / "copy", "d"),
        "remove_file": ("d",),
        "publish": (("c",), {"DONE": b""}, "DONE"),
        "remove": ("a",),
    }
    for name, arguments in calls.items():
        failures = [OSError(errno.EIO, "flaky")]
        original = getattr(Files, name)

        def flaky(*given: Any, _original: Any = original, _failures: list[OSError] = failures) -> Any:
            if _failures:
                raise _failures.pop()
            return _original(*given)

        with monkeypatch.context() as patched:
            patched.setattr(Files, name, flaky)
            getattr(store.files, name)(*arguments)
        assert not failures, name
