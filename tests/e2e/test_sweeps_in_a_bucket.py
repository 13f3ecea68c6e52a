"""Whole sweeps whose store and shared prepared data are in a bucket: in process, on Ray, and by the command line."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import toys
from s3_server import REFUSED_KEY, S3Server, serving

from orchestrator.cli import main
from orchestrator.sweep import Sweep
from results.compact import compact
from results.data import load
from results.store import Store

pytestmark = pytest.mark.slow

SPECS = [toys.spec("naive"), toys.spec("student"), toys.spec("mtl", seed=1, p_train=0.3)]
SMOKE = ["smoke", "--set", "epochs=1", "--store", "s3://bucket/smoke"]


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with serving() as running:
        yield running


def sweep(store: str, cache: Path, **options: str) -> Sweep:
    return Sweep(
        SPECS,
        store=store,
        name="test",
        tracking="none",
        cache=cache,
        methods=[toys.Student],
        datasets=toys.DATASETS,
        **options,
    )


@pytest.mark.parametrize("inline", [True, False], ids=["in-process", "ray"])
@pytest.mark.usefixtures("server")
def test_a_sweep_gives_the_same_in_a_bucket_as_on_a_disk(tmp_path: Path, inline: bool) -> None:
    shared = f"s3://bucket/{tmp_path.name}/prepared"
    in_bucket = sweep(f"s3://bucket/{tmp_path.name}/store", tmp_path / "first", shared_cache=shared)
    on_disk = sweep(str(tmp_path / "store"), tmp_path / "second", shared_cache=shared)
    assert in_bucket.run(inline=inline).done == on_disk.run(inline=True).done
    for mine, theirs in zip(in_bucket.store.records(), on_disk.store.records(), strict=True):
        for key, logits in mine.logits.items():
            np.testing.assert_array_equal(logits, theirs.logits[key])
    (first,), (second,) = ((tmp_path / name).glob("*/data.arrow") for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


def test_a_sweep_is_resumed_and_compacted(server: S3Server, tmp_path: Path) -> None:
    root = f"s3://bucket/{tmp_path.name}"
    made = sweep(root, tmp_path)
    done = made.run(inline=True).done
    made.store.remove_folder(min(done))
    again = sweep(root, tmp_path).run(inline=True)
    assert (again.trained, again.done) == ({min(done)}, done)
    assert compact(Store(root)).trials == len(done)
    server.requests.clear()
    assert not sweep(root, tmp_path).plan().todo
    assert sum(server.requests.values()) < 15
    assert set(load(Store(root)).trials.index) == done


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    shown = capsys.readouterr()
    return int(str(ended.value.code)), shown.out, shown.err


@pytest.mark.usefixtures("server")
def test_every_command_works_on_a_bucket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    tracking = f"sqlite:///{tmp_path}/mlflow.db"
    store = SMOKE[-2:]
    assert said(capsys, "status", *SMOKE)[0] == 3
    assert (
        said(capsys, "run", *SMOKE, "--inline", "--tracking-uri", "none", "--shared-cache", "s3://bucket/prepared")[0]
        == 0
    )
    code, out, _ = said(capsys, "status", *SMOKE, "--verify", "--json")
    assert (code, json.loads(out)["complete"]) == (0, True)
    assert said(capsys, "plan", *SMOKE)[0] == 0
    assert said(capsys, "compact", *store)[0] == 0
    assert said(capsys, "report", *store, "--out", "report")[0] == 0
    assert said(capsys, "track", *store, "--tracking-uri", tracking)[0] == 0
    assert (tmp_path / "report" / "index.html").exists()
    trial_id = min(Store(store[1]).done_ids())
    assert said(capsys, "show", trial_id, *store)[0] == 0


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("url", "key", "words"),
    [
        ("s3://nowhere/store", "testing", "there is no such bucket"),
        ("s3://bucket/store", REFUSED_KEY, "set AWS_ACCESS_KEY_ID"),
        ("s3q://bucket/store", "testing", "s3q"),
    ],
)
def test_a_store_that_cannot_be_used_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, url: str, key: str, words: str
) -> None:
    import s3fs  # noqa: PLC0415

    s3fs.S3FileSystem.clear_instance_cache()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    code, _, err = said(capsys, "run", "smoke", "--store", url, "--tracking-uri", "none", "--inline")
    assert code == 2
    assert err.startswith("mmpt: ")
    assert words in err
    assert "Traceback" not in err
    assert err.count("\n") == 1
    s3fs.S3FileSystem.clear_instance_cache()
