"""The command line as a user types it: the whole pipeline in this process, and every way to get it wrong."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli import main
from results.store import Store


def mmpt(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    code = ended.value.code
    assert isinstance(code, int)
    return code


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the smoke sweep has been run."""
    folder = tmp_path_factory.mktemp("swept")
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert mmpt("run", "smoke", "--inline") == 0
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def here(swept: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(swept)
    return swept


def test_a_second_sweep_trains_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mmpt("run", "smoke") == 0
    said = capsys.readouterr().out
    assert "3 trials, 3 cached, 0 to train" in said
    assert "MLflow has all 3 trials" in said
    assert str(here / "mmpt-store") in said


def test_status_and_exit_codes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mmpt("status", "smoke") == 0
    assert mmpt("status", "smoke", "--seeds", "2") == 3
    said = capsys.readouterr().out
    assert "3 done, 0 failed, 0 corrupt, 3 missing" in said
    assert "naive seed=1" in said
    assert mmpt("status", "smoke", "--json") == 0
    assert json.loads(capsys.readouterr().out)["complete"] is True


def test_a_plan_is_shown_and_nothing_is_written(here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mmpt("plan", "quickstart", "--store", str(tmp_path / "none")) == 0
    assert not (tmp_path / "none").exists()
    assert "no estimate yet" in capsys.readouterr().out
    assert mmpt("plan", "smoke", "--seeds", "3") == 0
    assert "6 to train; about" in capsys.readouterr().out
    assert mmpt("plan", "smoke", "--json") == 0
    assert {trial["state"] for trial in json.loads(capsys.readouterr().out)["trials"]} == {"done"}
    assert (here / "mmpt-store").exists()


def test_the_report_has_every_table_and_figure(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mmpt("report", "--out", "out", "--show") == 0
    assert "| Naive |" in capsys.readouterr().out
    suffixes = {path.suffix for path in (here / "out").iterdir()}
    assert {".html", ".md", ".tex", ".csv", ".json", ".parquet", ".svg", ".png"} <= suffixes
    page = (here / "out" / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"""(?:src|href)\s*=\s*["']https?:|url\(\s*["']?https?:|@import""", page)
    assert "AVDigits" in page


@pytest.mark.parametrize(
    "kind",
    ["presets", "methods", "datasets", "encoders", "backbones", "fusions", "tables", "figures", "metrics", "rules"],
)
def test_lists(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert mmpt("list", kind) == 0
    known = {"presets": "quickstart", "methods": "mtl", "datasets": "av_digits", "encoders": "vit_tiny"}
    known |= {
        "backbones": "vilt_tiny",
        "fusions": "early",
        "tables": "robustness",
        "figures": "surface",
        "metrics": "macro_f1",
        "rules": "best_full",
    }
    assert known[kind] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "says"),
    [("smoke", "3 trials"), ("mtl", "alpha_m l("), ("dropout", "0 to 1"), ("av_digits", "competition (components=3)")],
)
def test_show_explains(name: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert mmpt("show", name) == 0
    assert says in capsys.readouterr().out


def test_show_finds_a_trial_by_the_start_of_its_id(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trial_id = min(Store(str(here / "mmpt-store")).done_ids())
    assert mmpt("show", trial_id[:8]) == 0
    assert "seconds/total" in capsys.readouterr().out


def test_help_lists_every_command_without_heavy_imports(capsys: pytest.CaptureFixture[str]) -> None:
    assert mmpt("--help") == 0
    said = capsys.readouterr().out
    for command in ("list", "plan", "report", "run", "show", "status", "track"):
        assert f"\n  {command} " in said
        assert mmpt(command, "--help") == 0
    assert "130" in said


BAD_INPUT = [
    (["run", "quikstart"], "unknown preset 'quikstart'; did you mean 'quickstart'"),
    (["rum", "quickstart"], "unknown command 'rum'; did you mean 'run'"),
    (["run", "smoke", "--set", "method=naiv"], "unknown method 'naiv'; did you mean 'naive'"),
    (["run", "smoke", "--set", "dataset=av_digit"], "unknown data set 'av_digit'; did you mean 'av_digits'"),
    (["run", "smoke", "--set", "learning_rat=1"], "unknown axis 'learning_rat'; did you mean 'learning_rate'"),
    (["run", "smoke", "--set", "learning_rate=abc"], "learning_rate: 'abc' is not allowed"),
    (["run", "smoke", "--set", "learning_rate=-1"], "learning_rate: -1 is not allowed"),
    (["run", "smoke", "--set", "p_train=1.5"], "1.5 is not allowed; expected a number in [0, 1]"),
    (["run", "smoke", "--set", "p_train=-0.1"], "-0.1 is not allowed"),
    (["run", "smoke", "--set", "p_train=text:0.5"], "unknown modality 'text'"),
    (["run", "smoke", "--set", "encoder.image=vit_tine"], "unknown encoder 'vit_tine'; did you mean 'vit_tiny'"),
    (["run", "smoke", "--set", "encoder.image=bert_tiny"], "one for image inputs"),
    (["run", "smoke", "--set", "av_digits.preset=hard"], "unknown preset of av_digits 'hard'"),
    (["run", "smoke", "--set", "method="], "--set: 'method=' is not allowed"),
    (["run", "smoke", "--set", "nonsense"], "--set: 'nonsense' is not allowed"),
    (["run", "smoke", "--set", "mtl.wait=1", "--set", "method=mtl"], "unknown parameter of mtl 'wait'; did you mean"),
    (["run", "smoke", "--set", "mlt.weight=1"], "unknown method or data set of this sweep (--set mlt.weight) 'mlt'"),
    (["run", "smoke", "--set", "dropout.p=0.3"], "unknown method or data set of this sweep (--set dropout.p)"),
    (["run", "smoke", "--set", "epochs=inf"], "epochs: inf is not allowed"),
    (["run", "smoke", "--set", "p_train=audio:0.3+audio:0.9"], "expected each modality once"),
    (["run", "smoke", "--set", "seed=3", "--seeds", "2"], "not both"),
    (["run", "smoke", "--cpus", "1000"], "one trial needs 1000 CPU, this machine has"),
    (["run", "smoke", "--gpus", "0.4"], "gpus: '0.4' is not allowed"),
    (["run", "smoke", "--inline", "--address", "127.0.0.1:1"], "no address together with --inline"),
    (["track", "--tracking-uri", "none"], "nothing to do without one"),
    (["track", "--store", "nowhere"], "there is no store at"),
    (["run", "smoke", "--seeds", "0"], "seeds: 0 is not allowed"),
    (["run", "smoke", "--tracking-uri", "redis://x"], "redis"),
    (["run", "smoke", "--tracking-uri", "./mlruns"], "./mlruns"),
    (["run", "smoke", "--address", "nowhere"], "address: 'nowhere' is not allowed"),
    (["run", "smoke", "--address", "127.0.0.1:1"], "no Ray cluster answers at '127.0.0.1:1'"),
    (["run", "smoke", "--only", "everything"], "everything"),
    (["run", "smoke", "--store", "nope://bucket"], "nope://bucket"),
    (["report", "--metric", "f1"], "unknown metric 'f1'"),
    (["report", "--table", "mmpt_profil"], "unknown table 'mmpt_profil'; did you mean 'mmpt_profile'"),
    (["report", "--route", "prob"], "unknown route 'prob'; did you mean 'probe'"),
    (["show", "naiv"], "did you mean 'naive'"),
    (["list", "planets"], "planets"),
]


@pytest.mark.parametrize(("arguments", "says"), BAD_INPUT, ids=[" ".join(arguments) for arguments, _ in BAD_INPUT])
def test_a_mistake_is_one_message_and_exit_code_2(
    arguments: list[str], says: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(path for path in here.rglob("*"))
    assert mmpt(*arguments) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert "Traceback" not in said.err + said.out
    assert sorted(path for path in here.rglob("*")) == before


def test_a_reader_that_leaves_does_not_end_the_sweep(tmp_path: Path) -> None:
    command = f"{sys.executable} -m orchestrator run smoke --inline --tracking-uri none --set epochs=1"
    pipe = f"set -o pipefail; {command} --store {tmp_path}/store | head -n 1"
    ended = subprocess.run(["bash", "-c", pipe], capture_output=True, text=True, check=False, timeout=120)
    assert "3 to train" in ended.stdout
    assert ended.returncode == 0, ended.stderr
    assert len(Store(f"{tmp_path}/store").done_ids()) == 3


def test_asking_for_one_figure_writes_only_that(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mmpt("report", "--out", "one", "--figure", "p_test_curve") == 0
    assert {path.suffix for path in (here / "one").iterdir()} == {".html", ".svg", ".png", ".json"}
    assert mmpt("report", "--out", "none", "--figure", "surface") == 0
    assert "surface: no finished trial with p_train > 0" in capsys.readouterr().err


def test_a_store_without_its_samples_is_mended(here: Path, tmp_path: Path) -> None:
    shutil.copytree(here / "mmpt-store", tmp_path / "store")
    shutil.rmtree(tmp_path / "store" / "datasets")
    assert mmpt("run", "smoke", "--inline", "--tracking-uri", "none", "--store", str(tmp_path / "store")) == 0
    assert mmpt("report", "--store", str(tmp_path / "store"), "--out", str(tmp_path / "out")) == 0


def test_a_store_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("not a folder")
    store = str(tmp_path / "file" / "store")
    assert mmpt("run", "smoke", "--inline", "--tracking-uri", "none", "--store", store) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_store_of_a_newer_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "store.json").write_text('{"schema_version": 99}')
    assert mmpt("run", "smoke", "--inline", "--store", str(tmp_path)) == 2
    assert "schema version 99" in capsys.readouterr().err


def test_a_damaged_cache_stops_the_sweep_before_the_first_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MMPT_CACHE", str(tmp_path / "cache"))
    assert mmpt("run", "smoke", "--inline", "--store", str(tmp_path / "one"), "--set", "epochs=1") == 0
    data = next((tmp_path / "cache").rglob("data.arrow"))
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 0xFF
    data.write_bytes(bytes(content))
    assert mmpt("run", "smoke", "--inline", "--store", str(tmp_path / "two")) == 2
    said = capsys.readouterr().err
    assert str(data.parent) in said
    assert "delete that folder" in said
    assert not (tmp_path / "two" / "trials").exists()


def test_failed_trials_give_exit_code_1_and_can_be_run_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["smoke", "--inline", "--tracking-uri", "none", "--store", str(tmp_path), "--set", "dataset=toy_pair"]
    mixed = [*arguments, "--set", "method=raising,naive,orphan"]
    assert mmpt("run", *mixed) == 1
    said = capsys.readouterr().out
    assert "FAILED: ValueError: the method raised on purpose" in said
    assert "1 trained, 0 cached, 1 failed, 1 skipped" in said
    assert mmpt("status", *[word for word in mixed if word not in ("--inline", "--tracking-uri", "none")]) == 3
    assert "1 done, 1 failed, 0 corrupt, 1 missing" in capsys.readouterr().out
    assert mmpt("run", *mixed, "--only", "failed") == 1
    assert "0 trained, 1 cached, 1 failed" in capsys.readouterr().out
    assert mmpt("run", *arguments, "--set", "method=naive", "--only", "missing") == 0
