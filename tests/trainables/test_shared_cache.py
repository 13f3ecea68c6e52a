"""Prepared data that machines share: whoever lacks it downloads it whole, or prepares it and uploads it."""

import json
import shutil
from pathlib import Path

import pytest
import toys

from results.files import Files
from search_spaces.errors import MmptError
from trainables.build import prepare_data
from trainables.dataset_identity import open_dataset
from trainables.prepared import PreparedError, open_prepared, verify
from trainables.shared_cache import SharedCache

SPEC = toys.spec(dataset="toy_triple")


@pytest.fixture
def fingerprint() -> str:
    return open_dataset(SPEC)[1]


@pytest.fixture
def shared(tmp_path: Path, fingerprint: str) -> Path:
    """A shared folder with what a first machine has prepared."""
    prepare_data(SPEC, fingerprint, str(tmp_path / "first"), "", str(tmp_path / "shared"))
    return tmp_path / "shared"


def uploaded(shared: Path, fingerprint: str, name: str) -> Path:
    (path,) = shared.glob(f"{fingerprint}/*/{name}")
    return path


def test_a_machine_that_lacks_it_downloads_it(
    shared: Path, fingerprint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object) -> None:
        raise AssertionError("it was prepared again")

    monkeypatch.setattr(toys.ToyTriple, "load", refuse)
    prepared = prepare_data(SPEC, fingerprint, str(tmp_path / "second"), "", str(shared))
    verify(fingerprint, tmp_path / "second")
    first = open_prepared(fingerprint, tmp_path / "first")
    assert (prepared.inputs["left"] == first.inputs["left"]).all()
    assert sorted(path.name for path in (tmp_path / "second").iterdir()) == [fingerprint, f"{fingerprint}.lock"]


def test_without_a_shared_cache_nothing_is_shared(fingerprint: str, tmp_path: Path) -> None:
    prepare_data(SPEC, fingerprint, str(tmp_path / "first"))
    assert [path.name for path in tmp_path.iterdir()] == ["first"]


def test_what_is_shared_is_not_uploaded_again(shared: Path, fingerprint: str, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in shared.rglob("*")}
    assert not SharedCache(str(shared)).offer(fingerprint, tmp_path / "first")
    assert {path: path.stat().st_mtime_ns for path in shared.rglob("*")} == before


def test_an_upload_that_was_cut_off_counts_for_nothing(
    fingerprint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_data(SPEC, fingerprint, str(tmp_path / "first"))
    shared, upload = SharedCache(str(tmp_path / "shared")), Files.upload

    def cut(files: Files, local: Path, *parts: str) -> None:
        if local.name == "data.arrow":
            raise OSError(28, "No space left on device")
        upload(files, local, *parts)

    with monkeypatch.context() as patch:
        patch.setattr(Files, "upload", cut)
        with pytest.raises(OSError, match="No space"):
            shared.offer(fingerprint, tmp_path / "first")
    assert not shared.fetch(fingerprint, tmp_path / "second")
    assert shared.offer(fingerprint, tmp_path / "first")
    assert shared.fetch(fingerprint, tmp_path / "second")


@pytest.mark.parametrize("damage", ["flipped", "cut", "missing", "list"])
def test_damage_is_named_and_leaves_nothing(shared: Path, fingerprint: str, tmp_path: Path, damage: str) -> None:
    path = uploaded(shared, fingerprint, "data.arrow")
    content = bytearray(path.read_bytes())
    if damage == "list":
        (shared / f"{fingerprint}.json").write_text("[]")
    elif damage == "missing":
        path.unlink()
    else:
        content[len(content) // 2] ^= 1
        path.write_bytes(content if damage == "flipped" else content[:-8])
    with pytest.raises(PreparedError, match=rf"damaged .*; delete .*{fingerprint}\.json"):
        prepare_data(SPEC, fingerprint, str(tmp_path / "second"), "", str(shared))
    assert not (tmp_path / "second" / fingerprint).exists()
    (shared / f"{fingerprint}.json").unlink()  # the cure
    prepare_data(SPEC, fingerprint, str(tmp_path / "second"), "", str(shared))
    shutil.rmtree(tmp_path / "second")
    assert SharedCache(str(shared)).fetch(fingerprint, tmp_path / "second")


def test_two_machines_that_upload_at_once_do_not_mix(shared: Path, fingerprint: str, tmp_path: Path) -> None:
    """Another machine's files differ in a byte; both had found nothing shared."""
    other = shutil.copytree(tmp_path / "first", tmp_path / "other") / fingerprint / "card.json"
    other.write_text(json.dumps(json.loads(other.read_text()), indent=2))
    theirs = (shared / f"{fingerprint}.json").read_bytes()
    (shared / f"{fingerprint}.json").unlink()
    assert SharedCache(str(shared)).offer(fingerprint, tmp_path / "other")
    for content in ((shared / f"{fingerprint}.json").read_bytes(), theirs):
        (shared / f"{fingerprint}.json").write_bytes(content)
        shutil.rmtree(tmp_path / "second", ignore_errors=True)
        assert SharedCache(str(shared)).fetch(fingerprint, tmp_path / "second")
        verify(fingerprint, tmp_path / "second")


def test_a_shared_cache_that_cannot_be_written_is_an_error_of_the_user(fingerprint: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MmptError, match="cannot be written"):
        prepare_data(SPEC, fingerprint, str(tmp_path / "first"), "", str(tmp_path / "file"))
