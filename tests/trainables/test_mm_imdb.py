"""MM-IMDb: two layouts, the choice of plots, genres outside the list, records that cannot be read."""

import json
from pathlib import Path

import pytest
import raw_mm_imdb as raw
from file_datasets import opened, samples_of

from trainables.dataset_identity import compute_fingerprint
from trainables.preparing.tree import RawDataError

KEY = "mm_imdb"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMPT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    raw.make_raw(tmp_path / "raw")
    return tmp_path / "raw"


def test_both_layouts_are_the_same_data(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for folder in ("images", "labels"):
        (other / folder).mkdir(parents=True)
    (other / "split.json").write_bytes((root / "split.json").read_bytes())
    for path in (root / "dataset").iterdir():
        folder = "labels" if path.suffix == ".json" else "images"
        (other / folder / path.name).write_bytes(path.read_bytes())
    assert compute_fingerprint(opened(KEY, raw, other)) == compute_fingerprint(opened(KEY, raw, root))


@pytest.mark.parametrize(
    ("rule", "start"), [("longest", "the longest of three"), ("first", "short"), ("concat", "short the longest of")]
)
def test_one_plot_is_chosen_or_all_are_joined(root: Path, rule: str, start: str) -> None:
    dataset = opened(KEY, raw, root, plot=rule)
    assert str(samples_of(dataset)["0000001"].media["text"]).startswith(start)


def test_genres_outside_the_list_are_ignored_and_news_left_out_only_if_asked(root: Path) -> None:
    samples = samples_of(opened(KEY, raw, root))
    assert samples["0000001"].label == ["Drama"]
    assert samples["0000004"].label == ["Comedy", "Horror"]
    filtered = samples_of(opened(KEY, raw, root, mmbt_filter=True))
    assert set(samples) - set(filtered) == {film for film in samples if int(film) % 2}


def test_a_film_without_any_of_the_genres_keeps_a_target_of_zeros(root: Path) -> None:
    path = root / "dataset" / "0000000.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "genres": ["Adult"]}))
    dataset = opened(KEY, raw, root)
    manifest, _ = dataset.manifest()
    assert manifest.samples[0].sample_id == "0000000"
    assert not dataset.targets(manifest)[0].any()


def test_a_record_that_is_no_json_is_one_film_less(root: Path) -> None:
    (root / "dataset" / "0000000.json").write_text("{")
    manifest, audit = opened(KEY, raw, root).manifest()
    assert audit.findings["bad_row"] == ["dataset/0000000.json"]
    assert "0000000" not in {sample.sample_id for sample in manifest.samples}


def test_a_split_file_without_its_lists_is_said(root: Path) -> None:
    (root / "split.json").write_text('{"train": []}')
    with pytest.raises(RawDataError, match=r"split\.json has no lists"):
        opened(KEY, raw, root).manifest()
