"""What every data set of files promises, checked on its official layout as `tests/support/raw_<key>.py` makes it.

A module's `OTHER_LAYOUTS` are checked as the module itself is: name -> what has the same attributes.
"""

import json
import shutil
import subprocess
import sys
from importlib import import_module
from itertools import combinations
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from orchestrator.sweep import Sweep
from search_spaces.presets import PRESETS
from trainables.catalogs import DATASETS
from trainables.dataset_identity import build_dataset, compute_fingerprint
from trainables.params import read_params
from trainables.prepared import PreparedError, prepare, verify
from trainables.preparing.building import AUDIT, BuildOptions
from trainables.preparing.file_dataset import FileDataset
from trainables.preparing.tree import RawDataError
from trainables.raw_data_checks import InvalidDataError

Raw = ModuleType | SimpleNamespace
SPLITS = ("train", "val", "test")
KEYS = [key for key in DATASETS.shipped() if issubclass(DATASETS.get(key), FileDataset)]
LAYOUTS = [(key, name) for key in KEYS for name in ("", *getattr(import_module(f"raw_{key}"), "OTHER_LAYOUTS", ()))]
TOLERANT = BuildOptions(max_missing=1.0)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMPT_CACHE", str(tmp_path / "cache"))


@pytest.fixture(params=LAYOUTS, ids=lambda layout: "-".join(filter(None, layout)))
def layout(request: pytest.FixtureRequest) -> tuple[str, str]:
    return request.param


@pytest.fixture
def key(layout: tuple[str, str]) -> str:
    return layout[0]


@pytest.fixture
def raw(layout: tuple[str, str]) -> Raw:
    key, name = layout
    module = import_module(f"raw_{key}")
    return module.OTHER_LAYOUTS[name] if name else module


@pytest.fixture
def dataset(key: str, raw: Raw, tmp_path: Path) -> FileDataset:
    raw.make_raw(tmp_path / "raw")
    return _opened(key, raw, tmp_path / "raw")


def _opened(key: str, raw: Raw, root: Path) -> FileDataset:
    cls = DATASETS.get(key)
    dataset = cls(read_params(cls.Params, raw.PARAMS, key, cls.modalities()))
    assert isinstance(dataset, FileDataset)
    dataset.root = root
    return dataset


def test_the_splits_are_as_planted_and_disjoint(dataset: FileDataset, raw: Raw) -> None:
    manifest, _ = dataset.manifest()
    assert {split: size for split, (size, _) in dataset.sizes(manifest).items()} == raw.SIZES
    ids = {split: {s.sample_id for s in manifest.samples if s.split == split} for split in SPLITS}
    groups = {split: {s.group for s in manifest.samples if s.split == split and s.group} for split in SPLITS}
    for one, other in combinations(SPLITS, 2):
        assert not ids[one] & ids[other]
        assert dataset.groups_may_cross or not groups[one] & groups[other]


def test_every_modality_decodes_into_the_cache_as_in_memory(dataset: FileDataset, tmp_path: Path) -> None:
    fingerprint = compute_fingerprint(dataset)
    prepared = prepare(dataset, fingerprint, tmp_path / "cache", TOLERANT)
    verify(fingerprint, tmp_path / "cache")
    loaded = dataset.load()
    assert list(prepared.sample_ids) == list(loaded.sample_ids)
    np.testing.assert_array_equal(prepared.targets, loaded.targets)
    for name in dataset.modalities():
        values, present = prepared.inputs[name], prepared.present[name]
        np.testing.assert_array_equal(present, loaded.present[name])
        np.testing.assert_array_equal(values, loaded.inputs[name])
        assert present.mean() > 0.5
        assert len(np.unique(values[present].reshape(present.sum(), -1), axis=0)) > present.sum() // 2


def test_every_audit_code_is_where_it_was_planted_and_nowhere_else(
    dataset: FileDataset, raw: Raw, tmp_path: Path
) -> None:
    fingerprint = compute_fingerprint(dataset)
    prepare(dataset, fingerprint, tmp_path / "cache", TOLERANT)
    audit = json.loads((tmp_path / "cache" / fingerprint / AUDIT).read_text())["findings"]
    assert {code: set(about["where"]) for code, about in audit.items()} == raw.PLANTED
    assert all(about["count"] == len(about["where"]) for about in audit.values())


def test_the_fingerprint_is_of_the_content_alone(dataset: FileDataset, key: str, raw: Raw, tmp_path: Path) -> None:
    first = compute_fingerprint(dataset)
    files = [path for path in (tmp_path / "raw").rglob("*") if path.is_file()]
    for path in sorted(files, reverse=True):
        copy = tmp_path / "deep" / "copied" / path.relative_to(tmp_path / "raw")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    assert compute_fingerprint(_opened(key, raw, tmp_path / "deep")) == first
    assert compute_fingerprint(_opened(key, raw, tmp_path / "deep" / "copied")) == first


def test_a_wrong_root_shows_the_expected_tree_and_what_is_there(dataset: FileDataset, tmp_path: Path) -> None:
    (tmp_path / "other" / "holiday").mkdir(parents=True)
    (tmp_path / "other" / "holiday" / "beach.jpg").write_bytes(b"")
    (tmp_path / "other" / "data.tar.gz").write_bytes(b"")
    dataset.root = tmp_path / "other"
    with pytest.raises(RawDataError) as wrong:
        dataset.tree()
    message = str(wrong.value)
    assert dataset.layout.strip().splitlines()[0].strip() in message
    assert "holiday/" in message
    assert "not unpacked: data.tar.gz" in message


def test_too_much_missing_is_refused_with_the_figure_that_would_accept_it(
    dataset: FileDataset, raw: Raw, tmp_path: Path
) -> None:
    if not getattr(raw, "REFUSED", True):
        pytest.skip("this data set expects clips to be missing")
    with pytest.raises(InvalidDataError, match=r"lack .*--max-missing 0\.\d+"):
        prepare(dataset, compute_fingerprint(dataset), tmp_path / "cache", BuildOptions(max_missing=0.0))


def test_a_damaged_cache_is_named(dataset: FileDataset, tmp_path: Path) -> None:
    fingerprint = compute_fingerprint(dataset)
    prepare(dataset, fingerprint, tmp_path / "cache", TOLERANT)
    data = tmp_path / "cache" / fingerprint / "data.arrow"
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)
    with pytest.raises(PreparedError, match="checksum"):
        verify(fingerprint, tmp_path / "cache")


def test_classes_are_a_constant(key: str) -> None:
    cls = DATASETS.get(key)
    assert issubclass(cls, FileDataset)
    assert len(set(cls.classes)) == len(cls.classes) > 1


def test_every_data_set_names_licence_source_and_layout(key: str) -> None:
    cls = DATASETS.get(key)
    assert issubclass(cls, FileDataset)
    assert cls.card.licence
    assert cls.card.source
    assert cls.markers
    assert len(cls.layout.strip().splitlines()) >= 2
    assert "tiny" in cls.presets


@pytest.mark.parametrize("fusion", ["late", "early"])
def test_the_smoke_sweep_trains_and_reports(
    key: str, raw: Raw, fusion: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw.make_raw(tmp_path / "data" / key)
    monkeypatch.setenv("MMPT_DATA", str(tmp_path / "data"))
    chosen = raw.PARAMS if isinstance(raw, SimpleNamespace) else {}
    tiny = build_dataset(key, {"preset": "tiny", **chosen})
    prepare(tiny, compute_fingerprint(tiny), tmp_path / "cache", TOLERANT)
    grid = PRESETS.get("smoke").grid.with_axis("dataset", [key]).with_axis("fusion", [fusion])
    for name, value in chosen.items():
        grid = grid.with_axis(f"{key}.{name}", [value])
    sweep = Sweep(grid, store=tmp_path / "store", tracking="none", name="smoke")
    outcome = sweep.run(inline=True)
    assert not outcome.failed, outcome.failed
    assert len(outcome.trained) == 1 + len(tiny.modalities())
    assert all("_" in name for trial in sweep.plan().trials for name in trial.spec.encoders.values()), "tiny encoders"
    page = sweep.table("mmpt_profile")
    assert type(tiny).card.title in page
    assert "Naive" in page


def test_preparing_needs_no_torch() -> None:
    modules = ["trainables.preparing.building", *{DATASETS.get(key).__module__ for key in KEYS}]
    code = f"import sys; [__import__(name) for name in {modules}]; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
