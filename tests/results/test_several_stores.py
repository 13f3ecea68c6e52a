"""Several stores at once, damage that shows late, and why cells are empty."""

import dataclasses
import json
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from results.data import load
from results.options import Options
from results.report import Report, build_table
from results.schema import LogitsKey, Samples, TrialRecord
from results.store import Store
from results.table import Table
from results.trial_rows import trial_row
from search_spaces.errors import MmptError
from search_spaces.modality import Pattern

Make = Callable[..., TrialRecord]


def store_at(folder: Path, samples: Samples, *records: TrialRecord) -> Store:
    store = Store(str(folder))
    store.prepare()
    store.write_samples(samples)
    for record in records:
        store.write_trial(record)
    return store


def profile(*stores: Store) -> Table:
    (table,) = build_table(stores, "mmpt_profile", num_resamples=0)
    return table


def test_stores_are_put_together(tmp_path: Path, samples: Samples, build_record: Make) -> None:
    one = store_at(tmp_path / "one", samples, build_record(samples, seed=0))
    two = store_at(tmp_path / "two", samples, build_record(samples, seed=1), build_record(samples, "mtl"))
    table = profile(one, two)
    assert [row.key for row in table.rows] == ["naive", "mtl"]
    assert table.rows[0].cells[0].origin.seeds == (0, 1)


def test_a_trial_in_two_stores_counts_once(tmp_path: Path, samples: Samples, build_record: Make) -> None:
    record = build_record(samples)
    stores = [store_at(tmp_path / name, samples, record) for name in ("one", "two")]
    assert profile(*stores).rows == profile(stores[0]).rows


def test_two_stores_that_disagree_are_refused(tmp_path: Path, samples: Samples, build_record: Make) -> None:
    record = build_record(samples)
    key = LogitsKey("probe", "audio", "test")
    other = dataclasses.replace(record, logits={**record.logits, key: -record.logits[key]})
    one, two = store_at(tmp_path / "one", samples, record), store_at(tmp_path / "two", samples, other)
    with pytest.raises(MmptError, match=f"trial {record.trial_id} has other scores in {one.root} than in {two.root}"):
        load(one, two)


def test_damage_of_logits_shows_when_they_are_needed_and_stops_nothing(
    tmp_path: Path, samples: Samples, build_record: Make
) -> None:
    records = [build_record(samples, seed=seed) for seed in range(2)]
    store = store_at(tmp_path / "store", samples, *records)
    path = Path(store.root, "trials", records[0].trial_id, "logits.parquet")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1  # as long as before: only its checksum tells
    path.write_bytes(bytes(content))
    report = Report(store, Options(num_draws=2))
    assert set(report.data.corrupt) == set()
    index = report.write(tmp_path / "report")
    assert set(report.data.corrupt) == {records[0].trial_id}
    assert f"trial {records[0].trial_id} is damaged: trial {records[0].trial_id}: logits.parquet" in index.read_text()
    written = json.loads((tmp_path / "report" / "mmpt_profile_late.json").read_text())
    assert {tuple(cell["origin"]["seeds"]) for row in written["rows"] for cell in row["cells"]} == {(1,)}


def test_a_last_trial_that_is_damaged_leaves_nothing_to_show(
    tmp_path: Path, samples: Samples, build_record: Make
) -> None:
    record = build_record(samples)
    store = store_at(tmp_path / "store", samples, record)
    folder = Path(store.root, "trials", record.trial_id)
    done = json.loads((folder / "DONE").read_text())
    done["crc32"]["logits.parquet"] = zlib.crc32(b"other")
    (folder / "DONE").write_text(json.dumps(done))
    report = Report(store, Options(num_draws=2))
    assert report.build() == ([], [])
    assert set(report.data.corrupt) == {record.trial_id}


def test_empty_cells_say_why(tmp_path: Path, samples: Samples, build_record: Make) -> None:
    done = build_record(samples)
    store = store_at(tmp_path / "store", samples, done, build_record(samples, "expert", has=[Pattern(["audio"])]))
    planned = build_record(samples, "mtl")
    rows = [trial_row(one.trial_id, one.spec, one.facts) for one in (done, planned)]
    store.write_plan("a sweep", rows)
    other = dataclasses.replace(samples, fingerprint="e" * 16)
    store.write_samples(other)
    store.write_trial(dataclasses.replace(build_record(other, "umt"), trial_id="other-data"))
    cells = {row.key: row.cells for row in profile(store).rows}
    assert cells["mtl"][0].reason == "mtl on toy: 1 planned trial not finished"
    assert cells["expert"][0].reason == "Expert on toy: none of its trials predicts from audio and image"
    assert cells["umt"][0].reason == "Umt on toy: finished only on other data (eeeeeeee)"
    assert cells["naive"][3].reason == "Naive on toy: finished only on other data (data2s00)"
    store.write_checkpoint(planned.trial_id, b"epoch 3")
    cells = {row.key: row.cells for row in profile(store).rows}
    assert cells["mtl"][0].reason == "mtl on toy: 1 planned trial not finished, 1 of them begun"
    store.write_trial(planned)
    assert load(store).planned.empty


def test_logits_that_became_nan_on_disk_never_give_a_number(
    tmp_path: Path, samples: Samples, build_record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = build_record(samples)
    bad = dataclasses.replace(record, logits={key: np.full_like(value, np.nan) for key, value in record.logits.items()})
    monkeypatch.setattr(np, "isfinite", lambda values: np.ones(np.shape(values), dtype=bool))
    store = Store(str(tmp_path / "store"))
    store.write_trial(bad)  # a writer without the check
    monkeypatch.undo()
    store.write_samples(samples)
    with pytest.raises(MmptError, match="no finished trial to report; 1 damaged"):
        Report(store)
    assert "not all finite" in load(store).corrupt[record.trial_id]


def test_a_store_in_a_bucket_is_read_like_a_folder(tmp_path: Path, samples: Samples, build_record: Make) -> None:
    records = [build_record(samples, seed=seed) for seed in range(2)]
    here = store_at(tmp_path / "store", samples, *records)
    bucket = Store(f"memory://{tmp_path.name}")
    bucket.prepare()
    bucket.write_samples(samples)
    for record in records:
        bucket.write_trial(record)
    assert profile(bucket).rows == profile(here).rows
    assert Report(bucket, Options(num_draws=2)).write(tmp_path / "report").exists()


def test_a_store_that_is_not_there_is_named(tmp_path: Path, samples: Samples, build_record: Make) -> None:
    here = store_at(tmp_path / "store", samples, build_record(samples))
    with pytest.raises(MmptError, match=r"there is no store at '.*nowhere'"):
        Report([here.root, str(tmp_path / "nowhere")])


def test_a_gain_is_over_common_seeds_and_says_which(tmp_path: Path, samples: Samples, build_record: Make) -> None:
    naive = [build_record(samples, seed=seed) for seed in (0, 1)]
    better = [build_record(samples, "mtl", seed=seed, skill=3.0) for seed in (1, 2)]
    store = store_at(tmp_path / "store", samples, *naive, *better)
    (table,) = build_table(store, "weakness", num_resamples=0)
    gain = table.rows[0].cells[2]
    assert gain.origin.seeds == (1,)
    assert set(gain.origin.trial_ids) == {naive[1].trial_id, better[0].trial_id}
    apart = store_at(tmp_path / "apart", samples, naive[0], better[1])
    (table,) = build_table(apart, "weakness", num_resamples=0)
    assert table.rows[0].cells[2].reason == "no training seed in common"
