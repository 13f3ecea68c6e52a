"""A store in a bucket of a real S3-compatible server: the same answers as on a disk, few requests, helpful errors."""

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import made_up
import pytest
from s3_server import REFUSED_KEY, S3Server, serving

from results.compact import compact
from results.data import load
from results.file_system import StoreRefusedError, StoreUnreachableError
from results.files import Files, StoreError
from results.store import Failure, Store

pytestmark = pytest.mark.slow

SAMPLES = made_up.make_samples()


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with serving() as running:
        yield running


@pytest.fixture
def bucket(server: S3Server, tmp_path: Path) -> Store:
    """A store in a folder of its own in the server's bucket."""
    return Store(f"s3://bucket/{tmp_path.name}")


def everything(store: Store) -> dict[str, Any]:
    data = load(store)
    scores = data.scores().sort_values(["trial_id", "split", "route", "pattern", "metric"], ignore_index=True)
    return {"done": store.done_ids(), "verified": store.done_ids(verify=True), "scores": scores.to_dict()}


def requests(server: S3Server, call: Callable[[], object]) -> dict[str, int]:
    server.requests.clear()
    call()
    return dict(server.requests)


def test_it_answers_as_a_store_on_a_disk_does(bucket: Store, store: Store) -> None:
    for one in (bucket, store):
        made_up.fill(one, SAMPLES)
        one.write_failure(Failure(trial_id="bad", error="E: x", traceback="...", spec={}))
        one.write_checkpoint("half", b"weights")
        one.write_model("whole", b"weights")
    assert everything(bucket) == everything(store)
    assert bucket.failures() == store.failures()
    assert (bucket.checkpoint_ids(), bucket.model_ids()) == ({"half"}, {"whole"})
    assert (bucket.read_model("whole"), bucket.read_model("none")) == (b"weights", None)


def test_a_compaction_is_the_same_and_can_be_repeated(bucket: Store, server: S3Server) -> None:
    made_up.fill(bucket, SAMPLES)
    before = everything(bucket)
    done = compact(bucket, most_trials=8)
    assert (done.removed, bucket.folder_ids()) == (len(before["done"]), [])
    again = Store(bucket.root)
    assert everything(again) == before
    assert compact(again).trials == 0
    again = Store(bucket.root)
    asked = requests(server, again.done_ids)
    assert asked.pop("GET list") + asked.pop("HEAD object") <= 7  # no trials, the parts, the files of each
    assert asked == {"GET object": len(again.parts())}  # `DONE` of each part


def test_what_is_missing_shows_without_opening_a_file(bucket: Store) -> None:
    ids = sorted(record.trial_id for record in made_up.fill(bucket, SAMPLES))
    bucket.files.remove_file("trials", ids[0], "DONE")
    bucket.files.remove_file("trials", ids[1], "logits.parquet")
    bucket.files.write(b"", "trials", ids[2], "history.parquet")
    assert bucket.done_ids() == set(ids[3:])
    assert sorted(bucket.corrupt(verify=False)) == ids[:3]


def test_what_was_changed_is_found_when_it_is_read(bucket: Store) -> None:
    ids = sorted(record.trial_id for record in made_up.fill(bucket, SAMPLES))
    bucket.files.write(b"changed", "trials", ids[0], "scores.parquet")
    assert bucket.done_ids() == set(ids)
    assert bucket.done_ids(verify=True) == set(ids[1:])
    assert list(bucket.corrupt()) == list(load(bucket).corrupt) == ids[:1]


def test_requests_do_not_grow_with_the_trials(bucket: Store, server: S3Server) -> None:
    records = made_up.fill(bucket, SAMPLES, num_seeds=4)
    fresh = Store(bucket.root)
    seen = requests(server, fresh.done_ids)
    assert fresh.done_ids() == {record.trial_id for record in records}
    assert seen == {"GET list": 3}  # trials, and compacted with its parent since there is none
    written = requests(server, lambda: bucket.write_trial(records[0]))
    assert written == {"HEAD object": 1, "GET object": 1, "PUT object": 5, "DELETE object": 3}


def test_writes_are_seen_by_everybody_at_once(bucket: Store) -> None:
    other = Store(bucket.root)
    assert (other.files.names("trials"), other.files.exists("a", "file")) == ([], False)
    bucket.files.write(b"1", "a", "file")
    assert (other.files.names("a"), other.files.exists("a", "file"), other.files.size("a", "file")) == (
        ["file"],
        True,
        1,
    )
    bucket.files.write(b"22", "a", "file")
    assert (other.files.read("a", "file"), other.files.sizes("a")) == (b"22", {"file": 2})
    bucket.files.remove("a")
    assert (other.files.names("a"), other.files.exists("a", "file")) == ([], False)


def test_only_one_of_many_creates_a_file(bucket: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda number: bucket.files.create(str(number).encode(), "lease"), range(8)))
    winner = told.index(True)
    assert told.count(True) == 1
    assert bucket.files.read("lease") == str(winner).encode()


def test_big_files_go_through_the_disk(bucket: Store, tmp_path: Path) -> None:
    content = os.urandom(3 * 1024**2)
    (tmp_path / "source").write_bytes(content)
    bucket.files.upload(tmp_path / "source", "deep", "file")
    bucket.files.download(tmp_path / "copy", "deep", "file")
    assert (tmp_path / "copy").read_bytes() == content == bucket.files.read("deep", "file")
    assert bucket.files.read_range(10, 20, "deep", "file") == content[10:20]
    with pytest.raises(FileNotFoundError):
        bucket.files.download(tmp_path / "copy", "deep", "other")


def _write_in_child(files: Files, number: int) -> None:
    files.write(b"from a child", "children", str(number))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_child_process_writes_with_what_it_was_given(bucket: Store, method: str) -> None:
    bucket.files.write(b"from the parent", "children", "0")  # the connection and its thread are there before the fork
    children = [get_context(method).Process(target=_write_in_child, args=(bucket.files, number)) for number in (1, 2)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0]
    assert bucket.files.names("children") == ["0", "1", "2"]
    assert bucket.files.read("children", "0") == b"from the parent"


def fresh(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> None:
    """Change variables, and forget connections that were made with others."""
    import s3fs  # noqa: PLC0415

    s3fs.S3FileSystem.clear_instance_cache()
    for name, value in changes.items():
        monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("root", "changes", "error", "said"),
    [
        ("s3://other/store", {}, StoreRefusedError, "s3://other/store: there is no such bucket; create it"),
        ("s3://bucket/s", {"AWS_ACCESS_KEY_ID": REFUSED_KEY}, StoreRefusedError, "was refused .*AWS_ACCESS_KEY_ID"),
        (
            "s3://bucket/s",
            {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "HOME": "/nowhere"},
            StoreRefusedError,
            "there are no credentials",
        ),
        ("s3://bucket/s", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, StoreUnreachableError, "check AWS_ENDPOINT_URL"),
    ],
    ids=["bucket", "key", "no-key", "endpoint"],
)
def test_what_is_wrong_is_said_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, root: str, changes: dict[str, str | None], error: type[Exception], said: str
) -> None:
    fresh(monkeypatch, **changes)
    with pytest.raises(error, match=said) as caught:
        Store(root)
    assert "not-a-secret" not in str(caught.value)
    fresh(monkeypatch)


def test_an_outage_is_no_damage(bucket: Store, server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    made_up.fill(bucket, SAMPLES)
    fresh(monkeypatch, AWS_ACCESS_KEY_ID=REFUSED_KEY)
    bucket.files._fs._opened = (0, None)
    for ask in (bucket.done_ids, bucket.corrupt, bucket.stored_failures, bucket.planned, lambda: load(bucket)):
        with pytest.raises(StoreRefusedError):
            ask()
    fresh(monkeypatch)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(StoreError, match=r"pip install 'mmpt-sweep\[s3\]'"):
        Store("s3://bucket/store")
