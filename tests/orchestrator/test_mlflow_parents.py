"""What parents show beside their children, twice over; and several stores in one MLflow."""

import json
from pathlib import Path

import pytest
import synthetic_store
from mlflow import MlflowClient

from orchestrator.cli import main
from orchestrator.mlflow_connect import connect
from orchestrator.mlflow_parents import parents, show_data_sets, show_in_mlflow
from orchestrator.tracking import track, tracking_uri
from results.options import Options
from results.report import Report
from results.store import Failure, Store
from search_spaces.errors import MmptError

TABLE = "tables/missing_protocol_made_up_55555555_late.json"
QUICK = Options(num_draws=2, num_resamples=0)


def children(client: MlflowClient, name: str) -> dict[str, str]:
    """Trial id -> status."""
    folder = client.get_experiment_by_name(name)
    assert folder is not None
    runs = client.search_runs([folder.experiment_id], "tags.`mmpt.trial_id` != ''")
    return {run.data.tags["mmpt.trial_id"]: run.info.status for run in runs}


def test_data_sets_tables_and_figures_are_there_once(tmp_path: Path) -> None:
    root = str(tmp_path / "seen")
    synthetic_store.fill(root, seeds=1, epochs=2)
    store, uri = Store(root), tracking_uri(None, root)
    report = Report(root, QUICK)
    page = report.write(tmp_path / "report", ["missing_protocol"], ["surface"])
    with pytest.raises(MmptError, match=r"has no sweep of .*`mmpt track` writes it"):
        show_in_mlflow(report, page.parent, uri)
    assert track(root, uri).missing == 0
    client = connect(uri)
    for _ in range(2):
        show_data_sets(store, uri)
        assert show_in_mlflow(report, page.parent, uri) == ["seen on made_up"]
        (parent,) = parents(client, store)
        (data,) = parent.inputs.dataset_inputs
        assert len(data.dataset.digest) <= 36
        assert parent.data.tags["mmpt.fingerprint"] == synthetic_store.FINGERPRINT
        assert json.loads(data.dataset.profile)["test"] == 60
        files = {Path(entry.path).suffix for entry in client.list_artifacts(parent.info.run_id, "report")}
        assert files == {".html", ".png", ".csv"}
        table = json.loads(Path(client.download_artifacts(parent.info.run_id, TABLE, str(tmp_path))).read_text())
        assert table["columns"] == ["row", "Method naive", "Method mtl"]
        assert len({row[0] for row in table["data"]}) == len(table["data"]) == 2, "replaced, not appended to"


def test_several_stores_become_one_sweep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "a" / "sweep", tmp_path / "b" / "sweep"
    ids = synthetic_store.fill(str(first), seeds=2, epochs=2)
    whole = Store(str(first))
    half = Store(str(second))
    half.prepare()
    half.write_samples(whole.read_samples(synthetic_store.FINGERPRINT))
    half.write_trial(whole.read_trial(ids[0]))
    spec = whole.read_trial(ids[1]).spec
    half.write_failure(Failure(trial_id=ids[1], error="lost its GPU", traceback="", spec=spec.to_config()))
    uri = f"sqlite:///{tmp_path}/all.db"
    stores = ["--store", str(first), "--store", str(second)]
    with pytest.raises(SystemExit):
        main(["track", *stores])
    assert "give --tracking-uri" in capsys.readouterr().err
    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            main(["track", *stores, "--tracking-uri", uri])
        assert ended.value.code == 0
        assert children(connect(uri), "sweep/made_up") == dict.fromkeys(ids, "FINISHED")
    (parent,) = parents(connect(uri), whole)
    assert parent.info.status == "FINISHED"
