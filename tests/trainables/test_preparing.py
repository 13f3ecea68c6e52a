"""Preparing files: going on after a kill, damaged and full caches, what is remembered, what leaks, what is refused."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
import torch
from raw_toys import Loose, loose, make_loose

from search_spaces.errors import InvalidValueError
from trainables.api_files import Audit, Sample
from trainables.data import load_split
from trainables.dataset_identity import compute_fingerprint
from trainables.decoding.decoded import Decoded
from trainables.devices import set_up_compute
from trainables.prepared import PreparedError, prepare, verify
from trainables.preparing import crew
from trainables.preparing.building import BuildOptions, audit_files, start_early
from trainables.preparing.crew import CrewError
from trainables.preparing.manifest import Media
from trainables.preparing.reader import Reader
from trainables.preparing.roots import known_root, remember_root
from trainables.preparing.tree import RawDataError, Tree
from trainables.preparing.vector_reader import VectorReader
from trainables.raw_data_checks import InvalidDataError

SUPPORT = Path(__file__).parents[1] / "support"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMPT_CACHE", str(tmp_path / "remembered"))
    monkeypatch.delenv("MMPT_DATA", raising=False)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return make_loose(tmp_path / "raw")


class Steps:
    """Notes what `progress` is told."""

    def __init__(self) -> None:
        self.done: list[int] = []

    def __call__(self, done: int, total: int) -> None:
        assert total == 200
        self.done.append(done)


KILLED = dedent(
    """
    import os, sys
    from pathlib import Path
    from raw_toys import loose
    from trainables.prepared import prepare
    from trainables.dataset_identity import compute_fingerprint
    from trainables.preparing.building import BuildOptions
    dataset = loose(Path(sys.argv[1]))
    def progress(done, total):
        if done > 64:  # two chunks are in the journal, the third not yet
            os.kill(os.getpid(), 9)
    prepare(dataset, compute_fingerprint(dataset), Path(sys.argv[2]), BuildOptions(progress=progress))
    """
)


def _start(code: str, *arguments: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(SUPPORT)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def test_a_killed_attempt_is_gone_on_with_and_gives_the_same_bytes(raw: Path, tmp_path: Path) -> None:
    killed = _start(KILLED, raw, tmp_path / "cache")
    killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL
    dataset = loose(raw)
    fingerprint = compute_fingerprint(dataset)
    assert not (tmp_path / "cache" / fingerprint).exists()
    steps = Steps()
    prepare(dataset, fingerprint, tmp_path / "cache", BuildOptions(progress=steps))
    assert steps.done == [96, 128, 160, 192, 200]
    prepare(dataset, fingerprint, tmp_path / "whole")
    data = [(tmp_path / name / fingerprint / "data.arrow").read_bytes() for name in ("cache", "whole")]
    assert data[0] == data[1]
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == [fingerprint, f"{fingerprint}.lock"]


IMPORTED = dedent(
    """
    import sys
    from pathlib import Path
    from raw_toys import loose
    from trainables.prepared import prepare
    from trainables.dataset_identity import compute_fingerprint
    dataset = loose(Path(sys.argv[1]))
    rows = len(prepare(dataset, compute_fingerprint(dataset), Path(sys.argv[2])).sample_ids)
    print(rows, {"pandas", "torch"} & set(sys.modules))
    """
)


def test_preparing_imports_neither_pandas_nor_torch(raw: Path, tmp_path: Path) -> None:
    output, errors = _start(IMPORTED, raw, tmp_path / "cache").communicate(timeout=120)
    assert output.strip() == "200 set()", errors


@pytest.fixture
def damaged(raw: Path, tmp_path: Path) -> Path:
    """What a killed attempt left, with a wrong bit in a sample of the second chunk."""
    _start(KILLED, raw, tmp_path / "cache").communicate(timeout=120)
    dataset = loose(raw)
    partial = tmp_path / "cache" / f".{compute_fingerprint(dataset)}.partial"
    content = np.memmap(partial / "data.arrow", np.uint8, "r+")
    content[content.tobytes().index(dataset.load().inputs["vector"][40].tobytes())] ^= 1
    content.flush()
    return partial


@pytest.mark.parametrize("boot", ["another", None])
def test_what_is_damaged_when_the_machine_starts_again_is_read_again(
    raw: Path, tmp_path: Path, damaged: Path, boot: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if boot:
        (tmp_path / "boot").write_text(boot)
    monkeypatch.setattr("trainables.preparing.journal._BOOT", tmp_path / "boot")
    dataset, steps = loose(raw), Steps()
    prepared = prepare(dataset, compute_fingerprint(dataset), tmp_path / "cache", BuildOptions(progress=steps))
    assert steps.done[0] == 64  # the first chunk was kept, the second is done again
    np.testing.assert_array_equal(prepared.inputs["vector"], dataset.load().inputs["vector"])
    assert not damaged.exists()


def test_what_somebody_damaged_meanwhile_is_found_before_a_sweep(raw: Path, tmp_path: Path, damaged: Path) -> None:
    dataset, steps = loose(raw), Steps()
    fingerprint = compute_fingerprint(dataset)
    prepare(dataset, fingerprint, tmp_path / "cache", BuildOptions(progress=steps))
    assert steps.done[0] == 96  # chunks that a killed process wrote are certain
    assert not damaged.exists()
    with pytest.raises(PreparedError, match="checksum of 1 samples"):
        verify(fingerprint, tmp_path / "cache")


def test_several_processes_read_what_one_reads(tmp_path: Path) -> None:
    dataset = loose(make_loose(tmp_path / "many", 2048))
    fingerprint = compute_fingerprint(dataset)
    prepare(dataset, fingerprint, tmp_path / "one", BuildOptions(workers=1))
    prepare(dataset, fingerprint, tmp_path / "two", BuildOptions(workers=2))
    data = [(tmp_path / name / fingerprint / "data.arrow").read_bytes() for name in ("one", "two")]
    assert data[0] == data[1]


def test_after_a_kill_workers_start_before_anything_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spares: list[tuple[Any, subprocess.Popen[bytes]]] = []
    monkeypatch.setattr(crew, "_SPARES", spares)
    cache, options = tmp_path / "cache", BuildOptions(workers=2)
    start_early(cache, options)
    assert not spares
    raw = make_loose(tmp_path / "many", 2048)
    _start(KILLED, raw, cache).communicate(timeout=120)
    start_early(cache, options)
    start_early(cache, options)
    early = [process for _, process in spares]
    assert len(early) == 2
    monkeypatch.setattr(crew, "_start", lambda: pytest.fail("two were there"))
    dataset = loose(raw)
    prepared = prepare(dataset, compute_fingerprint(dataset), cache, options)
    assert [process.wait(60) for process in early] == [0, 0]
    np.testing.assert_array_equal(prepared.inputs["vector"], dataset.load().inputs["vector"])


def test_workers_that_are_not_needed_are_ended(raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spares: list[tuple[Any, subprocess.Popen[bytes]]] = []
    monkeypatch.setattr(crew, "_SPARES", spares)
    crew.start_spares(1)
    assert not spares, "one would only do what this process can"
    crew.start_spares(2)
    started = [process for _, process in spares]
    prepare(loose(raw), compute_fingerprint(loose(raw)), tmp_path / "cache")
    assert [process.wait(60) for process in started] == [0, 0]
    assert not spares


class Failing(Loose):
    """Has a reader whose process ends, or that fails."""

    def readers(self) -> Mapping[str, Reader]:
        return {**super().readers(), "vector": FailingReader(4)}


class FailingReader(VectorReader):
    """Fails as the last file says; everything else is read."""

    def read(self, media: Sequence[Media], root: Path) -> list[Decoded]:
        for path in media:
            words = (root / str(path)).read_bytes()
            if words == b"killed":
                os.kill(os.getpid(), signal.SIGKILL)
            if words == b"failed":
                raise ValueError(f"cannot read {path}")
        return super().read(media, root)


@pytest.mark.parametrize(
    ("how", "said"), [("killed", r"code -9: .*--workers 1"), ("failed", r"cannot read vectors/s0")]
)
def test_a_worker_that_ends_or_fails_is_said(tmp_path: Path, how: str, said: str) -> None:
    raw = make_loose(tmp_path / "many", 2048)
    (raw / "vectors" / "s01500.npy").write_text(how)
    failing = Failing(Failing.Params())
    failing.root = raw
    with pytest.raises(CrewError, match=said):
        prepare(failing, compute_fingerprint(failing), tmp_path / "cache", BuildOptions(workers=2))


def test_a_disk_that_is_full_is_said_before_anything_is_read(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, offset: int, length: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    dataset = loose(raw)
    steps = Steps()
    with pytest.raises(PreparedError, match=r"No space left.*MMPT_CACHE"):
        prepare(dataset, compute_fingerprint(dataset), tmp_path / "cache", BuildOptions(progress=steps))
    assert not steps.done


LIMITED = dedent(
    """
    import resource, sys
    from pathlib import Path
    from raw_toys import loose
    from trainables.prepared import PreparedError, prepare
    from trainables.dataset_identity import compute_fingerprint
    dataset = loose(Path(sys.argv[1]))
    fingerprint = compute_fingerprint(dataset)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    try:
        prepare(dataset, fingerprint, Path(sys.argv[2]))
    except PreparedError as error:
        print(error)
    """
)


def test_a_file_that_may_not_grow_ends_in_a_message_and_the_next_call_succeeds(raw: Path, tmp_path: Path) -> None:
    limited = _start(LIMITED, raw, tmp_path / "cache")
    output, errors = limited.communicate(timeout=120)
    assert "cannot be written" in output, errors
    dataset = loose(raw)
    fingerprint = compute_fingerprint(dataset)
    prepare(dataset, fingerprint, tmp_path / "cache")
    verify(fingerprint, tmp_path / "cache")


# -- identity --------------------------------------------------------------------------------------------------------


def test_the_index_is_read_once_as_long_as_nothing_changes(raw: Path) -> None:
    before = Loose.indexed
    first = compute_fingerprint(loose(raw))
    assert compute_fingerprint(loose(raw)) == first
    assert Loose.indexed == before + 1
    text = (raw / "index.csv").read_text()
    (raw / "index.csv").write_text(text.replace("number 7", "number 8"))
    changed = compute_fingerprint(loose(raw))
    assert Loose.indexed == before + 2
    assert changed != first
    (raw / "index.csv").write_text(text)
    assert compute_fingerprint(loose(raw)) == first


def test_a_file_of_another_size_is_another_data_set(raw: Path) -> None:
    first = compute_fingerprint(loose(raw))
    np.save(raw / "vectors" / "s00003.npy", np.zeros((2, 4), np.float32))
    assert compute_fingerprint(loose(raw)) != first


# -- roots -----------------------------------------------------------------------------------------------------------


def test_the_root_is_found_where_it_was_said_or_in_mmpt_data(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RawDataError, match=r"(?s)mmpt prepare loose --root DIR.*index\.csv"):
        Loose(Loose.Params()).tree()
    remember_root("loose", raw)
    assert known_root("loose", "Loose", "") == raw
    elsewhere = make_loose(tmp_path / "data" / "loose", 8)
    monkeypatch.setenv("MMPT_DATA", str(tmp_path / "data"))
    assert Loose(Loose.Params()).tree().root == elsewhere
    monkeypatch.setenv("MMPT_DATA", "data")
    with pytest.raises(InvalidValueError, match="absolute"):
        known_root("loose", "Loose", "")


def test_a_root_that_is_a_file_or_absent_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(RawDataError, match="not a folder"):
        Tree(tmp_path / "file")
    with pytest.raises(RawDataError, match="not there"):
        Tree(tmp_path / "absent")


def test_links_in_a_circle_are_walked_once(raw: Path) -> None:
    (raw / "vectors" / "again").symlink_to(raw)
    (raw / "self").symlink_to(raw / "self")
    assert len(Tree(raw).sizes) == 201


def test_nothing_outside_the_folder_is_read(raw: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "secret.npy", np.zeros(4, np.float32))
    with (raw / "index.csv").open("a") as index:
        index.write("\n../../secret,train,yes,a text\n/etc/passwd,train,yes,a text")
    manifest, audit = loose(raw).manifest()
    assert audit.findings == {"missing_file": ["vectors/../../secret.npy", "vectors//etc/passwd.npy"]}
    assert [s.media["vector"] for s in manifest.samples if "secret" in s.sample_id] == [None]
    with pytest.raises(RawDataError, match="not there"):
        loose(raw).tree().read("../secret.npy")


@pytest.mark.slow
def test_a_hundred_thousand_files_are_listed(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"{number:02d}").mkdir()
        for other in range(1000):
            (tmp_path / f"{number:02d}" / f"{other:03d}.npy").touch()
    tree = Tree(tmp_path)
    assert len(tree.sizes) == 100_000
    assert tree.folders() == [f"{number:02d}" for number in range(100)]


# -- leaks and absence -----------------------------------------------------------------------------------------------


def test_a_sample_of_two_splits_is_refused_by_its_content(raw: Path, tmp_path: Path) -> None:
    lines = (raw / "index.csv").read_text().splitlines()
    twin = lines[0].replace("s00000,train", "twin,test")
    (raw / "index.csv").write_text("\n".join([*lines, twin]))
    np.save(raw / "vectors" / "twin.npy", np.load(raw / "vectors" / "s00000.npy"))
    wrong = r"1 validation and test samples \(0\.99 %\) .* for instance twin; allowed are 0 %.*--max-duplicates 0\.01$"
    fingerprint = compute_fingerprint(loose(raw))
    for options in (None, BuildOptions(max_missing=1.0, max_duplicates=0.009)):
        with pytest.raises(InvalidDataError, match=wrong.replace("are 0 %", "are 0.9 %") if options else wrong):
            prepare(loose(raw), fingerprint, tmp_path / "cache", options)
    accepted = prepare(loose(raw), fingerprint, tmp_path / "cache", BuildOptions(max_duplicates=0.01))
    assert {"s00000", "twin"} <= set(accepted.sample_ids)


def test_a_group_of_two_splits_is_refused(raw: Path) -> None:
    class Shared(Loose):
        def index(self, tree: Tree, audit: Audit) -> Iterator[Sample]:
            for sample in super().index(tree, audit):
                yield sample._replace(group="one")

    shared = Shared(Loose.Params())
    shared.root = raw
    with pytest.raises(InvalidDataError, match="groups are in both train and val"):
        shared.manifest()


def test_a_sample_of_which_nothing_can_be_read_is_in_no_split(raw: Path, tmp_path: Path) -> None:
    text = (raw / "index.csv").read_text()
    (raw / "index.csv").write_text(text.replace("a no text of number 0\n", "\n"))
    (raw / "vectors" / "s00000.npy").write_bytes(b"\x93NUMPY damaged")
    dataset = loose(raw)
    prepared = prepare(dataset, compute_fingerprint(dataset), tmp_path / "cache", BuildOptions(max_missing=0.1))
    assert len(prepared.rows("train")) == 99
    samples = prepared.to_samples("loose")
    assert len(samples.frame) == len(samples.targets) == 199
    assert "s00000" not in set(samples.frame["sample_id"])


def test_a_dry_run_finds_the_same_and_writes_nothing(raw: Path, tmp_path: Path) -> None:
    (raw / "vectors" / "s00001.npy").write_bytes(b"")
    found = audit_files(loose(raw), BuildOptions())
    assert found["findings"]["zero_bytes"]["where"] == ["vectors/s00001.npy"]
    assert found["samples"] == {"train": [100, None], "val": [50, None], "test": [50, None]}
    assert not (tmp_path / "cache").exists()


def test_a_batch_of_texts_is_as_long_as_its_longest(raw: Path, tmp_path: Path) -> None:
    text = (raw / "index.csv").read_text()
    (raw / "index.csv").write_text(text.replace("a no text of number 0\n", "two words\n"))
    dataset = loose(raw)
    prepared = prepare(dataset, compute_fingerprint(dataset), tmp_path / "cache")
    train = load_split(prepared, "train", ("text",), set_up_compute(1, 0))
    assert train.batch(np.array([0])).inputs["text"].shape == (1, 2)
    both = train.batch(np.array([0, 1])).inputs["text"]
    assert both.shape == (2, 6)
    assert both.dtype == torch.int64
    assert (both[0, 2:] == 0).all()
