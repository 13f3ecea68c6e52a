"""Compaction: readers see no difference, killing it loses and doubles nothing, damage is named, tables read little."""

import dataclasses
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyarrow.parquet import ParquetFile

from orchestrator.cli import main
from results.compact import Compaction, compact
from results.counts import Metric
from results.data import load
from results.files import Files, StoreError
from results.metrics import METRICS
from results.options import Options
from results.schema import LogitsKey, Samples, TrialRecord
from results.selection import select
from results.store import CorruptTrialError, Store
from results.trial_folders import TrialFolders
from search_spaces.modality import patterns

Make = Callable[..., TrialRecord]
MakeSamples = Callable[..., Samples]
SORT = ["trial_id", "split", "route", "pattern", "metric"]


@pytest.fixture
def mixed(store: Store, build_samples: MakeSamples, build_record: Make) -> Store:
    """Two and three modalities, single- and multi-label, four and six classes, two configurations with two seeds."""
    kinds = [
        build_samples(),
        build_samples(("audio", "image", "text"), multi_label=True),
        dataclasses.replace(build_samples(num_classes=6), fingerprint="data-of-six"),
    ]
    for kind in kinds:
        store.write_samples(kind)
        for seed in range(2):
            for rate in (1e-3, 1e-4):
                first = build_record(kind, seed=seed, learning_rate=rate, dataset_params={"kind": kind.fingerprint})
                store.write_trial(first)
    return store


def everything(store: Store) -> dict[str, Any]:
    """Every answer that a store's readers give, in a form that can be compared."""
    data = load(store)
    ids = store.trial_ids()
    return {
        "ids": (ids, store.done_ids(), store.corrupt(), dict(data.corrupt), [store.is_done(key) for key in ids]),
        "records": [plain(record) for record in store.records()],
        "again": [plain(data.record(key)) for key in data.trials.index],
        "trials": data.trials.to_dict(),
        "scores": data.scores().sort_values(SORT, ignore_index=True).to_dict(),
        "some": data.scores("test", "head", "accuracy").sort_values(SORT, ignore_index=True).to_dict(),
        "facts": data.facts(ids[1:4]),
        "picks": [dict(select(data, Options(route=route))) for route in ("probe", "head")],
        "samples": sorted(data.samples),
    }


def plain(record: TrialRecord) -> dict[str, Any]:
    logits = {key: values.tolist() for key, values in record.logits.items()}
    history = record.history.astype(object).where(record.history.notna(), None).to_dict("list")
    types = record.history.dtypes.astype(str).to_dict()
    return {**vars(record), "logits": logits, "history": history, "types": types}


def part_file(store: Store, name: str) -> Path:
    (found,) = Path(store.root, "compacted").glob(f"*/{name}")
    return found


def flip(path: Path, place: float) -> None:
    data = bytearray(path.read_bytes())
    data[int(place * (len(data) - 1))] ^= 4
    path.write_bytes(bytes(data))


# -- no difference -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep_folders", [False, True])
@pytest.mark.parametrize("most_trials", [5, 1000])
def test_readers_see_no_difference(mixed: Store, keep_folders: bool, most_trials: int) -> None:
    before = everything(mixed)
    done = compact(mixed, keep_folders=keep_folders, most_trials=most_trials)
    assert (done.trials, done.removed, done.left_alone) == (12, 0 if keep_folders else 12, {})
    assert len(done.parts) == (3 if most_trials == 5 else 1)
    assert mixed.folder_ids() == (mixed.trial_ids() if keep_folders else [])
    assert everything(mixed) == everything(Store(mixed.root)) == before
    assert compact(mixed, keep_folders=keep_folders) == Compaction((), 0, 0, {})
    if keep_folders:  # and later without
        assert compact(mixed) == Compaction((), 0, 12, {})
        assert everything(mixed) == before


def test_a_bucket_is_compacted_too(tmp_path: Path, build_samples: MakeSamples, build_record: Make) -> None:
    store = Store(f"memory://{tmp_path.name}")
    store.prepare()
    samples = build_samples()
    store.write_samples(samples)
    for seed in range(3):
        store.write_trial(build_record(samples, seed=seed))
    before = everything(store)
    assert compact(store).removed == 3
    assert store.folder_ids() == []
    assert everything(Store(store.root)) == before


def test_trials_that_cannot_be_scored_or_read_stay_where_they_are(
    mixed: Store, build_samples: Any, build_record: Any
) -> None:
    stranger = build_record(dataclasses.replace(build_samples(), fingerprint="nowhere"), "mtl")
    mixed.write_trial(stranger)
    damaged = mixed.folder_ids()[0]
    flip(Path(mixed.root, "trials", damaged, "history.parquet"), 0.5)
    before = everything_but_damaged(mixed)
    done = compact(mixed)
    assert done.left_alone.keys() == {damaged, stranger.trial_id} == set(mixed.folder_ids())
    assert "not what was written" in done.left_alone[damaged]
    assert everything_but_damaged(mixed) == before
    assert mixed.corrupt().keys() == {damaged}


def everything_but_damaged(store: Store) -> Any:
    return (
        store.trial_ids(),
        store.done_ids(),
        store.corrupt(),
        dict(load(store).corrupt),
        set(load(store).trials.index),
    )


def test_two_stores_of_the_same_trials_count_them_once(mixed: Store, tmp_path: Path) -> None:
    before = everything(mixed)
    shutil.copytree(mixed.root, tmp_path / "copy")
    compact(mixed)
    data = load(mixed, Store(str(tmp_path / "copy")))
    assert data.scores().sort_values(SORT, ignore_index=True).to_dict() == before["scores"]


# -- killed, repeated, overtaken ---------------------------------------------------------------------------------------


class Killed(BaseException):
    """What a signal does."""


def test_killing_it_anywhere_loses_and_doubles_nothing(mixed: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything(mixed)
    whole = shutil.copytree(mixed.root, Path(mixed.root).with_name("whole"))
    last = 0
    for deadly in [*range(1, 8), *range(8, 1000, 5)]:  # around the first part's publication, then here and there
        steps = 0

        def step(deadly: int = deadly) -> None:
            nonlocal steps
            steps += 1
            if steps == deadly:
                raise Killed

        with monkeypatch.context() as patch:
            for name in ("publish_staged", "remove", "remove_file", "staging"):
                patch.setattr(Files, name, between(getattr(Files, name), step))
            try:
                compact(mixed, most_trials=7)
            except Killed:
                pass
            else:
                break
        assert everything(mixed) == before
        compact(mixed)
        assert mixed.folder_ids() == []
        assert everything(Store(mixed.root)) == before
        shutil.rmtree(mixed.root)
        shutil.copytree(whole, mixed.root)
        last = deadly
    assert last > 20


def between(function: Callable[..., Any], step: Callable[[], None]) -> Callable[..., Any]:
    def stepped(*arguments: Any, **named: Any) -> Any:
        step()
        return function(*arguments, **named)

    return stepped


def test_a_removal_cut_short_is_finished(mixed: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything(mixed)
    with monkeypatch.context() as patch:
        patch.setattr(TrialFolders, "remove_folder", half_removed)
        with pytest.raises(Killed):
            compact(mixed)
    assert len(mixed.folder_ids()) == 12
    assert everything(mixed) == before
    assert compact(mixed) == Compaction((), 0, 12, {})
    assert everything(mixed) == before


def half_removed(store: Store, trial_id: str) -> None:
    store.files.remove("trials", trial_id, "DONE")
    raise Killed


def test_a_write_that_fails_leaves_no_part(mixed: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything(mixed)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("results.files.replace_folder", full)
    with pytest.raises(OSError, match="No space left"):
        compact(mixed)
    assert list(Path(mixed.root, "compacted").iterdir()) == []
    assert everything(mixed) == before


def test_a_trial_trained_again_wins(mixed: Store) -> None:
    old = next(mixed.records())
    key = LogitsKey("probe", "audio-image", "test")
    compact(mixed)
    for number in (1, 2):  # again and again
        logits = {
            **old.logits,
            key: old.logits[key] + number * np.eye(len(old.logits[key][0]), dtype=np.float32)[number],
        }
        new = dataclasses.replace(old, logits=logits)
        mixed.write_trial(new)
        for _ in range(2):  # in its folder, then compacted
            assert plain(mixed.read_trial(old.trial_id)) == plain(new)
            assert plain(load(mixed).record(old.trial_id)) == plain(new)
            rows = load(mixed).scores("test", "probe", "accuracy")
            own = rows[rows["trial_id"] == old.trial_id]
            assert sorted(own["pattern"]) == sorted(p.key for p in patterns(old.facts["modalities"]))
            expected = load(mixed).profile(old.trial_id).score(patterns(["audio", "image"])[0], "accuracy")
            assert list(own.loc[own["pattern"] == "audio-image", "value"]) == [expected]
            assert len(mixed.trial_ids()) == len(mixed.done_ids()) == len(load(mixed).trials) == 12
            compact(mixed)
        assert mixed.folder_ids() == []


def test_a_folder_written_while_it_is_compacted_is_kept(mixed: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    old = next(mixed.records())
    new = dataclasses.replace(old, facts={**old.facts, "device": "cuda"})
    publish = Files.publish_staged

    def meanwhile(files: Files, staging: Path, folder: tuple[str, ...], last: str) -> None:
        publish(files, staging, folder, last)
        if folder[0] == "compacted":
            monkeypatch.undo()
            mixed.write_trial(new)

    monkeypatch.setattr(Files, "publish_staged", meanwhile)
    assert compact(mixed).removed == 11
    assert mixed.folder_ids() == [old.trial_id]
    assert mixed.read_trial(old.trial_id).facts["device"] == "cuda"


def test_two_compactions_at_once(mixed: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything(mixed)
    publish = Files.publish_staged

    def meanwhile(files: Files, *rest: Any, **named: Any) -> None:
        monkeypatch.undo()
        compact(Store(mixed.root), most_trials=5)
        publish(files, *rest, **named)

    monkeypatch.setattr(Files, "publish_staged", meanwhile)
    done = compact(mixed, most_trials=7)
    assert done.left_alone == {}
    assert mixed.folder_ids() == []
    assert everything(mixed) == before


# -- damage ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["DONE", "trials.parquet", "scores.parquet", "facts.parquet"])
@pytest.mark.parametrize("place", [0.0, 0.3, 0.7, 0.999])
def test_any_damage_to_what_tables_read_concerns_every_trial(mixed: Store, name: str, place: float) -> None:
    ids = mixed.trial_ids()
    compact(mixed)
    path = part_file(mixed, name)
    flip(path, place)
    again = Store(mixed.root)
    for found in (again.corrupt(), dict(load(again).corrupt)):
        assert list(found) == ids
        assert str(path) in found[ids[0]]
        assert f"delete the folder {path.parent}" in found[ids[0]]
    assert load(again).trials.empty


@pytest.mark.parametrize(
    "name", ["DONE", "trials.parquet", "scores.parquet", "facts.parquet", "history.parquet", "logits-4-0.parquet"]
)
@pytest.mark.parametrize(
    "damage", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-7])], ids=["missing", "cut"]
)
def test_a_missing_or_short_file_is_found_without_reading(
    mixed: Store, name: str, damage: Callable[[Path], Any]
) -> None:
    ids = mixed.trial_ids()
    compact(mixed)
    damage(part_file(mixed, name))
    again = Store(mixed.root)
    assert again.done_ids() == set()
    assert list(again.corrupt()) == list(load(again).corrupt) == again.trial_ids() == ids
    with pytest.raises(CorruptTrialError, match=name) as raised:
        list(again.records(ids))
    assert raised.value.trial_id in ids


@pytest.mark.parametrize("name", ["history.parquet", "logits-4-0.parquet"])
def test_any_flipped_byte_of_logits_and_history_is_found(mixed: Store, name: str) -> None:
    ids = mixed.trial_ids()
    records = {record.trial_id: plain(record) for record in mixed.records()}
    compact(mixed)
    path = part_file(mixed, name)
    intact = path.read_bytes()
    for place in np.linspace(0, 1, 11):
        flip(path, float(place))
        again = Store(mixed.root)
        bad = again.corrupt()
        assert bad, place
        for key in ids:
            if key not in bad:
                assert plain(again.read_trial(key)) == records[key]
                continue
            with pytest.raises(CorruptTrialError, match=f"{name}.*not what was written.*restore it") as raised:
                load(again).record(key)
            assert raised.value.trial_id == key
            assert not again.is_done(key)
        path.write_bytes(intact)
    assert Store(mixed.root).corrupt() == {}


def test_one_trial_s_damage_is_its_own_and_training_it_again_heals(mixed: Store) -> None:
    records = list(mixed.records())
    compact(mixed)
    flip(part_file(mixed, "logits-6-0.parquet"), 0.1)
    (bad,) = mixed.corrupt()
    mixed.write_trial(next(record for record in records if record.trial_id == bad))
    assert mixed.corrupt() == {}
    assert compact(mixed).trials == 1
    assert mixed.folder_ids() == []
    assert mixed.corrupt() == {}
    assert [plain(record) for record in mixed.records()] == list(map(plain, records))


def test_with_its_folders_kept_a_damaged_part_is_written_anew(mixed: Store) -> None:
    before = everything(mixed)
    compact(mixed, keep_folders=True)
    flip(part_file(mixed, "scores.parquet"), 0.5)
    assert everything(mixed) == before
    assert compact(mixed).trials == 12
    assert everything(mixed) == before


def test_a_part_without_a_readable_name_of_a_trial_is_reported(mixed: Store) -> None:
    compact(mixed)
    flip(part_file(mixed, "DONE"), 0.5)
    path = part_file(mixed, "trials.parquet")
    path.write_bytes(b"PAR1")
    (name,) = Store(mixed.root).corrupt()
    assert name == f"compacted/{path.parent.name}"


def test_newer_parts_are_refused(mixed: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = mixed.trial_ids()
    monkeypatch.setattr("results.part_writer.SCHEMA_VERSION", 99)
    compact(mixed)
    assert mixed.done_ids() == set()
    assert "schema version 99" in mixed.corrupt()[ids[0]]
    assert "schema version 99" in load(mixed).corrupt[ids[0]]
    with pytest.raises(StoreError, match="update mmpt-sweep"):
        mixed.read_trial(ids[0])


# -- metrics -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def exact_share() -> Iterator[str]:
    METRICS.add(Metric("exact share", lambda counts: np.asarray(counts.exact / counts.samples)), "exact_share")
    yield "exact_share"
    METRICS._added.pop("exact_share")


def test_a_metric_of_the_users_own_is_computed_from_logits(mixed: Store, request: pytest.FixtureRequest) -> None:
    folders = Store(str(shutil.copytree(mixed.root, Path(mixed.root).with_name("folders"))))
    compact(mixed)
    name = request.getfixturevalue("exact_share")
    for asked in (None, name, "macro_f1"):
        first, second = (
            load(one).scores("val", None, asked).sort_values(SORT, ignore_index=True) for one in (mixed, folders)
        )
        pd.testing.assert_frame_equal(first, second)
        assert (asked or name) in set(first["metric"])


def test_a_metric_of_a_newer_version_is_computed_anew(mixed: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    compact(mixed)
    newer = dataclasses.replace(METRICS.get("accuracy"), of=lambda counts: np.zeros(()), version=2)
    monkeypatch.setitem(METRICS._added, "accuracy", newer)
    data = load(mixed)
    assert set(data.scores(None, None, "accuracy")["value"]) == {0.0}
    assert set(data.scores(None, None, "macro_f1")["value"]) != {0.0}


def test_damage_met_while_computing_is_raised_once(mixed: Store, request: pytest.FixtureRequest) -> None:
    compact(mixed)
    request.getfixturevalue("exact_share")
    flip(part_file(mixed, "logits-6-0.parquet"), 0.1)
    data = load(mixed)
    with pytest.raises(CorruptTrialError, match=r"logits-6-0\.parquet") as raised:
        data.scores("val", "probe", "exact_share")
    left = data.without(raised.value.trial_id, str(raised.value))
    assert set(left.scores("val", "probe", "exact_share")["trial_id"]) == set(left.trials.index)


# -- reading little ----------------------------------------------------------------------------------------------------


@pytest.fixture
def read_bytes(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """File name -> bytes read of it."""
    found: dict[str, int] = {}

    def counted(function: Callable[..., bytes], first: int) -> Callable[..., bytes]:
        def read(files: Files, *arguments: Any) -> bytes:
            data = function(files, *arguments)
            name = "/".join(arguments[first:]).rpartition("/")[2]
            found[name] = found.get(name, 0) + len(data)
            return data

        return read

    monkeypatch.setattr(Files, "read", counted(Files.read, 0))
    monkeypatch.setattr(Files, "read_range", counted(Files.read_range, 2))
    return found


def test_tables_read_no_logits_and_a_record_reads_its_own(mixed: Store, read_bytes: dict[str, int]) -> None:
    compact(mixed)
    read_bytes.clear()
    done = mixed.done_ids()
    assert read_bytes == {}  # `DONE` was read by compact
    data = load(mixed)
    select(data, Options())
    data.facts(done)
    assert read_bytes.keys() == {"samples.parquet", "trials.parquet", "scores.parquet", "facts.parquet"}
    data.record(data.trials.index[0])
    (logits,) = (name for name in read_bytes if name.startswith("logits"))
    assert read_bytes[logits] < part_file(mixed, logits).stat().st_size / 2
    before = read_bytes[logits]
    data.record(data.trials.index[0])
    assert read_bytes[logits] - before < part_file(mixed, logits).stat().st_size / 3


def test_scores_decode_only_the_row_groups_asked_for(mixed: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    compact(mixed)
    data = load(mixed)
    decoded: list[int] = []
    original = ParquetFile.read_row_groups

    def counted(file: Any, groups: list[int], **named: Any) -> Any:
        decoded.extend(groups)
        return original(file, groups, **named)

    monkeypatch.setattr(ParquetFile, "read_row_groups", counted)
    rows = data.scores("test", "probe", "macro_f1")
    assert len(decoded) == 1
    assert set(zip(rows["split"], rows["route"], rows["metric"], strict=True)) == {("test", "probe", "macro_f1")}
    decoded.clear()
    data.scores("test")
    assert len(decoded) == 2 * len(list(METRICS))


# -- the command -------------------------------------------------------------------------------------------------------


def mmpt(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_the_command(mixed: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert mmpt("compact", "--store", mixed.root, "--keep-folders") == 0
    assert capsys.readouterr().out == "12 trials compacted into 1 parts, 0 folders removed\n"
    assert mmpt("compact", "--store", mixed.root) == 0
    assert capsys.readouterr().out == "0 trials compacted into 0 parts, 12 folders removed\n"
    Path(mixed.root, "trials", "abc").mkdir()
    assert mmpt("compact", "--store", mixed.root) == 1
    assert "mmpt: left alone: abc: trial abc:" in capsys.readouterr().err
    assert mmpt("compact", "--store", str(Path(mixed.root, "nowhere"))) == 2
    assert "there is no store at" in capsys.readouterr().err
