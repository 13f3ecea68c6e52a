"""`mmpt ui`: MLflow's server over a store's database, whom it answers, and that it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import synthetic_store

from orchestrator.cli import main
from orchestrator.export import export
from orchestrator.mlflow_connect import connect
from orchestrator.mlflow_server import Server, serving
from orchestrator.tracking import track, tracking_uri
from results.files import StoreError
from results.store import Store
from search_spaces.errors import InvalidValueError


def said_by(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    """Return the exit code and the message of a command that fails."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code, capsys.readouterr().err


def test_a_store_that_mlflow_has_not_seen_names_the_cure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    synthetic_store.fill(str(tmp_path / "store"), seeds=1)
    code, said = said_by(["ui", "--store", str(tmp_path / "store")], capsys)
    assert code == 2
    assert f"`mmpt track --store {tmp_path / 'store'}`" in said
    assert said_by(["ui", "--store", str(tmp_path / "no")], capsys)[1].startswith("mmpt: there is no store at")


def test_a_port_that_is_taken_is_named_with_the_cure(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InvalidValueError, match=f"127.0.0.1:{port}.*--port 0"), serving(tmp_path, port=port):
            pytest.fail("the port is taken")


def test_an_export_into_something_else_is_refused(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store"))
    store.prepare()
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").touch()
    with pytest.raises(StoreError, match="holds something else"):
        export(store, tmp_path / "thesis")
    with pytest.raises(StoreError, match="the store itself"):
        export(store, tmp_path / "store")


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export that was moved to another folder; the store that it came from is gone."""
    folder = tmp_path_factory.mktemp("carried")
    root = folder / "seen"
    synthetic_store.fill(str(root), seeds=1, epochs=2)
    uri = tracking_uri(None, str(root))
    assert track(str(root), uri).written == 2
    first = export(Store(str(root)), folder / "out", report=True)
    assert (first.copied, first.damaged, first.tracked.written) == (2, {}, 2)
    (folder / "out").rename(folder / "moved")
    return folder


@pytest.mark.slow
class TestServed:
    """With a real server."""

    @pytest.fixture(scope="class")
    @staticmethod
    def server(carried: Path) -> Iterator[Server]:
        with serving(carried / "moved") as running:
            yield running

    def test_a_carried_export_shows_what_the_store_showed(self, carried: Path, server: Server) -> None:
        there, here = connect(f"sqlite:///{carried}/seen/mlflow.db"), connect(server.address)
        shown = []
        for client, sweep in ((there, "seen"), (here, "out")):
            found = client.get_experiment_by_name(f"{sweep}/made_up")
            assert found is not None
            runs = client.search_runs([found.experiment_id])
            children = {run.data.tags["mmpt.trial_id"]: run for run in runs if "mmpt.trial_id" in run.data.tags}
            shown.append({key: (run.data.metrics, run.data.params, run.info.status) for key, run in children.items()})
        assert len(shown[0]) == 2
        assert shown[0] == shown[1]
        parent = next(run for run in runs if "mmpt.trial_id" not in run.data.tags)
        (data,) = parent.inputs.dataset_inputs
        assert (data.dataset.name, data.dataset.digest) == ("made_up", synthetic_store.FINGERPRINT)
        names = {Path(entry.path).name for entry in here.list_artifacts(parent.info.run_id, "report")}
        assert {"index.html", "missing_protocol_made_up_55555555_late.csv"} <= names

    def test_it_answers_its_own_names_alone(self, server: Server) -> None:
        port = server.address.rpartition(":")[2]
        asked = f"{server.address}/api/2.0/mlflow/experiments/search?max_results=1"
        for host in (f"localhost:{port}", "127.0.0.1", f"127.0.0.1:{port}"):
            with urllib.request.urlopen(urllib.request.Request(asked, headers={"Host": host})) as answer:
                assert json.load(answer)["experiments"]
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(urllib.request.Request(asked, headers={"Host": f"evil.example:{port}"}))

    def test_ctrl_c_ends_the_command_and_everything_it_started(self, carried: Path) -> None:
        command = [sys.executable, "-m", "orchestrator", "ui", "--store", str(carried / "moved"), "--port", "0"]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True)
        assert process.stdout is not None
        link = process.stdout.readline().split()[1]
        urllib.request.urlopen(f"{link}/health").close()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        with pytest.raises(urllib.error.URLError, match="refused"):
            urllib.request.urlopen(f"{link}/health")
