"""`mmpt register`: the winner of a real sweep, loaded by MLflow in a fresh process, predicts what the store has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli import main
from orchestrator.mlflow_connect import connect
from orchestrator.sweep import Sweep
from results.store import Store
from search_spaces import Grid, choice

pytestmark = pytest.mark.slow

PREDICT = """
import sys
from pathlib import Path
import mlflow
import numpy as np
import pandas as pd
from results.store import Store
from trainables.prepared import open_prepared

root, cache, name = sys.argv[1:]
mlflow.set_tracking_uri(f"sqlite:///{root}/mlflow.db")
model = mlflow.pyfunc.load_model(f"models:/{name}@best_validation")
version = mlflow.MlflowClient().get_model_version_by_alias(name, "best_validation")
record = Store(root).read_trial(version.tags["mmpt.trial_id"])
prepared = open_prepared(record.facts["fingerprint"], Path(cache))
inputs = {name: list(values[prepared.rows("test")]) for name, values in prepared.inputs.items()}
compared = 0
for key, logits in record.logits.items():
    if (key.route, key.split) == (version.tags["mmpt.route"], "test"):
        own = key.pattern.split("-")
        absent = pd.DataFrame({name: inputs[name] for name in own})
        null = pd.DataFrame({name: inputs[name] if name in own else [None] * len(logits) for name in inputs})
        arrays = {name: np.stack(inputs[name]) for name in own}
        for given in (absent, null, arrays):
            np.testing.assert_allclose(model.predict(given), logits, rtol=1e-5, atol=1e-5)
            compared += 1
print(compared, model.metadata.get_input_schema().input_names(), "torch" in sys.modules)
"""


def mmpt(*arguments: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return ended.value.code


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two methods, whose weights were not kept."""
    grid = Grid(
        {
            "dataset": "av_digits",
            "dataset.preset": "tiny",
            "encoder.default": "tiny",
            "method": choice("naive", "mtl"),
            "epochs": 2,
        }
    )
    sweep = Sweep(grid, store=tmp_path_factory.mktemp("registry") / "store")
    assert not sweep.run(inline=True).failed
    return sweep.store


def test_weights_that_were_not_kept_are_said_to_be_missing(swept: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert mmpt("register", "--store", swept.root) == 2
    assert "`mmpt register --train` trains it again" in capsys.readouterr().err


def test_a_registered_model_predicts_the_stored_logits_in_a_fresh_process(
    swept: Store, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {trial_id: swept.read_trial(trial_id) for trial_id in swept.done_ids()}
    assert mmpt("register", "--store", swept.root, "--train") == 0
    said = capsys.readouterr().out
    assert "mmpt-av-digits version 1" in said
    (kept,) = swept.model_ids()
    for key, logits in swept.read_trial(kept).logits.items():
        assert (logits == before[kept].logits[key]).all(), "training again gives the same numbers"
    command = [sys.executable, "-c", PREDICT, swept.root, str(cache), "mmpt-av-digits"]
    found = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert found.returncode == 0, found.stderr
    assert found.stdout.split(maxsplit=1) == ["9", "['audio', 'image'] True\n"]


def test_a_trial_is_registered_once_and_its_version_says_why(swept: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert mmpt("register", "--store", swept.root, "--train") == 0
    assert mmpt("register", "--store", swept.root, "--route", "head", "--where", "method=mtl", "--train") == 0
    capsys.readouterr()
    assert mmpt("register", "--store", swept.root, "--route", "head", "--where", "method=mtl") == 0
    assert "version 2, which it was already" in capsys.readouterr().out
    client = connect(f"sqlite:///{swept.root}/mlflow.db")
    version = client.get_model_version("mmpt-av-digits", "2")
    tags = {"mmpt.rule": "best_validation", "mmpt.route": "head", "mmpt.method": "mtl", "mmpt.store": swept.root}
    assert tags.items() <= version.tags.items()
    assert 0 < float(version.tags["mmpt.validation_score"]) <= 1
    run = client.get_run(version.run_id)
    assert run.data.tags["mmpt.trial_id"] == version.tags["mmpt.trial_id"]
    assert "`audio` (audio): float32 array of shape" in version.description
    files = {str(path) for path in Path(swept.root).rglob("mlflow-artifacts/**/models/*/artifacts/**/*")}
    assert any(path.endswith("model.safetensors") for path in files)
    assert not any(path.endswith(".pkl") for path in files)
