"""Groups that are scored as one: their logits are means, their ids and targets stand once in the store."""

import json
from pathlib import Path

import numpy as np
import pytest
import raw_mm_imdb as raw
from file_datasets import opened, samples_of

from orchestrator.sweep import Sweep
from search_spaces import TrialSpec
from trainables.dataset_identity import compute_fingerprint
from trainables.prepared import prepare
from trainables.preparing.building import BuildOptions
from trainables.scored_units import ScoredUnits


def test_logits_are_averaged_per_group_in_the_order_of_first_samples() -> None:
    ids = np.array(["s0", "s1", "s2", "s3"])
    units = ScoredUnits.of(np.array([4, 5, 7, 9]), ids, np.array(["b", "a", "b", ""]))
    assert units.ids == ["b", "a", "s3"]
    assert units.first_rows.tolist() == [4, 5, 9]
    pooled = units.pooled(np.array([[0, 4], [1, 1], [2, 0], [7, 8]], np.float32))
    assert pooled.tolist() == [[1, 2], [1, 1], [7, 8]]
    assert pooled.dtype == np.float32


def test_without_groups_nothing_changes() -> None:
    units = ScoredUnits.of(np.array([1, 2]), np.array(["a", "b"]), None)
    logits = np.ones((2, 3), np.float32)
    assert units.pooled(logits) is logits
    assert units.ids == ["a", "b"]


def test_every_plot_trains_and_films_are_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "data" / "mm_imdb"
    raw.make_raw(root)
    for film in ("0000001", "0000007", "0000009"):
        path = root / "dataset" / f"{film}.json"
        about = {**json.loads(path.read_text()), "plot": ["a dog", " ", "another dog", "dogs"]}
        path.write_text(json.dumps(about))
    monkeypatch.setenv("MMPT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MMPT_CACHE", str(tmp_path / "cache"))
    dataset = opened("mm_imdb", raw, root, plot="all")
    prepare(dataset, compute_fingerprint(dataset), tmp_path / "cache", BuildOptions(max_missing=1.0))
    samples = samples_of(dataset)
    assert {f"0000001-{number}" for number in range(3)} < set(samples), "empty plots are left out"

    spec = TrialSpec(
        dataset="mm_imdb",
        dataset_params={**raw.PARAMS, "plot": "all"},
        method="naive",
        encoders={"image": "conv_tiny", "text": "words_tiny"},
        epochs=1,
        batch_size=4,
    )
    sweep = Sweep([spec], store=tmp_path / "store", tracking="none")
    outcome = sweep.run(inline=True)
    assert not outcome.failed, outcome.failed
    (record,) = sweep.store.records()
    assert record.sample_ids == {"val": ["0000006", "0000007", "0000008"], "test": ["0000009", "0000010", "0000011"]}
    assert all(len(values) == 3 for values in record.logits.values())
    stored = sweep.store.read_samples(str(record.facts["fingerprint"]))
    assert stored.split("val")[0] == record.sample_ids["val"]
    assert stored.count("train") == 8, "six films, one of them three times"
    assert not sweep.results().empty
