"""MVSA-Single: how two labels become one, whose split is followed, and texts of unknown encoding."""

import json
from collections import Counter
from pathlib import Path

import pytest
import raw_mvsa_single as raw
from file_datasets import opened, samples_of

from orchestrator.cli import main
from trainables.dataset_identity import compute_fingerprint
from trainables.prepared import prepare
from trainables.preparing.building import AUDIT, BuildOptions
from trainables.preparing.tree import RawDataError
from trainables.raw_data_checks import InvalidDataError

KEY = "mvsa_single"
AGREED = {name for name, (text, image) in raw.OF.items() if text == image}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    raw.make_raw(tmp_path / "raw")
    return tmp_path / "raw"


def test_agreement_keeps_equal_labels_alone(root: Path) -> None:
    samples = samples_of(opened(KEY, raw, root))
    assert {name: sample.label for name, sample in samples.items()} == {name: raw.OF[name][0] for name in AGREED}


def test_consensus_lets_neutral_give_way_and_drops_contradictions(root: Path) -> None:
    samples = samples_of(opened(KEY, raw, root, labels="consensus"))
    expected = {
        ("negative", "neutral"): "negative",
        ("neutral", "negative"): "negative",
        ("neutral", "positive"): "positive",
        ("positive", "neutral"): "positive",
        ("negative", "positive"): None,
        ("positive", "negative"): None,
    }
    found = {pair: samples[name].label if name in samples else None for name, pair in raw.OF.items()}
    assert found == {**{(label, label): label for label in raw.LABELS}, **expected}


def test_a_seeded_split_has_its_shares_of_every_label(root: Path) -> None:
    parts = Counter((sample.label, sample.split) for sample in samples_of(opened(KEY, raw, root)).values())
    assert parts == {(label, split): size for label in raw.LABELS for split, size in raw.SHARES.items()}


def test_qmfs_files_are_followed_where_they_are(root: Path) -> None:
    (root / "data" / f"{raw.NO_TEXT}.txt").write_text("there after all")
    (root / "data" / f"{raw.STUB}.txt").write_text("there after all")
    seeded = opened(KEY, raw, root)
    same = {name: sample.split for name, sample in samples_of(seeded).items()}
    fingerprint = compute_fingerprint(seeded)
    raw.make_jsonl(root, same)
    assert compute_fingerprint(opened(KEY, raw, root)) == fingerprint
    other = dict(zip(same, reversed(same.values()), strict=True))
    raw.make_jsonl(root, other)
    assert {name: sample.split for name, sample in samples_of(opened(KEY, raw, root)).items()} == other
    for params in ({"split": "seeded"}, {"split": "qmf"}):
        found = {name: sample.split for name, sample in samples_of(opened(KEY, raw, root, **params)).items()}
        assert found == (same if params["split"] == "seeded" else other)


def test_qmfs_files_alone_are_enough(root: Path) -> None:
    splits = {name: sample.split for name, sample in samples_of(opened(KEY, raw, root)).items()}
    raw.make_jsonl(root, splits)
    (root / "labelResultAll.txt").unlink()
    for path in (root / "data").glob("*.txt"):
        path.unlink()
    samples = samples_of(opened(KEY, raw, root))
    assert set(samples) == AGREED
    assert samples[raw.GBK].media["text"] == "wait for it¡\xad"  # as QMF publishes it


def test_consensus_never_takes_qmfs_split(root: Path) -> None:
    consensus = opened(KEY, raw, root, labels="consensus")
    before = samples_of(consensus)
    raw.make_jsonl(root, {name: sample.split for name, sample in samples_of(opened(KEY, raw, root)).items()})
    assert samples_of(consensus) == before
    assert consensus.sizes(consensus.manifest()[0])["train"][1] is None
    with pytest.raises(RawDataError, match="labels=agree only"):
        opened(KEY, raw, root, labels="consensus", split="qmf").manifest()


def test_texts_that_are_not_utf8_are_read(root: Path) -> None:
    samples = samples_of(opened(KEY, raw, root))
    assert samples[raw.GBK].media["text"] == "wait for it…"
    assert samples[raw.LATIN].media["text"] == "at the café again"
    assert samples[raw.IDS[7]].media["text"] == "tweet again rain"


def test_what_lacks_leaves_the_rest_of_the_sample(root: Path) -> None:
    samples = samples_of(opened(KEY, raw, root))
    for name in (raw.NO_TEXT, raw.STUB):
        assert samples[name].media == {"image": f"data/{name}.jpg", "text": ""}


def test_a_retweet_in_another_split_is_reported_and_refused(root: Path, tmp_path: Path) -> None:
    again = _retweet(root)
    dataset = opened(KEY, raw, root)
    fingerprint = compute_fingerprint(dataset)
    with pytest.raises(InvalidDataError, match=rf"equal one of another split.*for instance {again};"):
        prepare(dataset, fingerprint, tmp_path / "cache", BuildOptions(max_missing=1.0))
    found = [json.loads(path.read_text()) for path in (tmp_path / "cache").rglob(AUDIT)]
    assert found[0]["findings"]["cross_split_dup"]["where"] == [again]


def test_retweets_are_accepted_up_to_what_the_command_line_says(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MMPT_CACHE", str(tmp_path / "cache"))
    _retweet(root)
    words = [word for name, value in raw.PARAMS.items() for word in ("--set", f"{name}={value}")]
    arguments = ["prepare", KEY, "--root", str(root), "--max-missing", "1", *words]
    assert _exit_code(arguments) == 2
    accepted = capsys.readouterr().err.split("--max-duplicates ")[1].strip()
    assert _exit_code([*arguments, "--max-duplicates", accepted]) == 0
    assert "cross_split_dup" in capsys.readouterr().out


def _exit_code(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(str(ended.value.code))


def _retweet(root: Path) -> str:
    """Give a test tweet the text and the picture of a train tweet, and return its id."""
    samples = samples_of(opened(KEY, raw, root))
    clean = [name for name in samples if name not in {raw.GBK, raw.LATIN, raw.EMPTY, raw.NO_TEXT, raw.HALF, raw.STUB}]
    known = next(name for name in clean if samples[name].split == "train")
    again = next(name for name in clean if samples[name].split == "test")
    for form in ("jpg", "txt"):
        (root / "data" / f"{again}.{form}").write_bytes((root / "data" / f"{known}.{form}").read_bytes())
    return again


def test_labels_that_are_none_are_named(root: Path) -> None:
    (root / "labelResultAll.txt").write_text("<!DOCTYPE html>")
    with pytest.raises(RawDataError, match=r"labelResultAll\.txt is not the index file"):
        opened(KEY, raw, root).manifest()
    (root / "labelResultAll.txt").write_text("ID\ttext,image\n")
    with pytest.raises(RawDataError, match=r"no labelResultAll\.txt with labels"):
        opened(KEY, raw, root).manifest()
