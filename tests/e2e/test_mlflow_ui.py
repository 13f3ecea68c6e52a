"""What a user sees in MLflow's own interface: trials below their sweep, comparisons, curves, figures, a model."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
import synthetic_store
import toys

from orchestrator.mlflow_connect import connect
from orchestrator.mlflow_parents import show_in_mlflow
from orchestrator.registration import register
from orchestrator.sweep import Sweep
from orchestrator.tracking import track, tracking_uri
from results.options import Options
from results.report import Report
from results.winner import winner

pytestmark = pytest.mark.slow
if importlib.util.find_spec("selenium") is None:
    pytest.skip("needs the Python package selenium", allow_module_level=True)

import mlflow_browser  # noqa: E402 (imports selenium)


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[mlflow_browser.Browser, mlflow_browser.Pages]]:
    """A browser on a server over a database that `track` wrote, with a report and a registered model."""
    missing = mlflow_browser.missing_programs()
    if missing:
        pytest.skip(f"needs {' and '.join(missing)} (Debian: apt-get install chromium chromium-driver)")
    root = str(tmp_path_factory.mktemp("ui") / "seen")
    winners = Sweep([toys.spec("naive")], store=root, name="winners", keep_models=True)
    assert not winners.run(inline=True).failed
    trial_ids = synthetic_store.fill(root, rates=(1e-3, 3e-4))
    uri = tracking_uri(None, root)
    assert track(root, uri).written == len(trial_ids)
    report = Report(root, Options(num_draws=2, num_resamples=0))
    folder = tmp_path_factory.mktemp("report")
    show_in_mlflow(report, report.write(folder, ["missing_protocol"], ["surface"]).parent, uri)
    best = winner(report.data, report.options, {"dataset": "toy_pair"})
    register(winners.store, uri, best, rule="best_validation", route="probe")
    with mlflow_browser.server(uri) as address, mlflow_browser.browser() as chromium:
        pages = mlflow_browser.Pages(address, connect(uri), "seen/made_up")
        chromium.prepare(address)
        yield chromium, pages


def test_the_parent_row_shows_with_its_children_below(
    view: tuple[mlflow_browser.Browser, mlflow_browser.Pages],
) -> None:
    chromium, pages = view
    names = [f"{method} p_train=audio:0.3 lr=0.001 seed {seed}" for method in ("mtl", "naive") for seed in (0, 1)]
    assert not set(names) & set(chromium.open(pages.table(), "seen on made_up").splitlines())
    chromium.unfold(pages.parent.info.run_id)
    text = chromium.expect("seen on made_up", *names)
    assert text.index("seen on made_up") < min(text.index(name) for name in names)


def test_two_trials_compare_by_method(view: tuple[mlflow_browser.Browser, mlflow_browser.Pages]) -> None:
    chromium, pages = view
    text = chromium.open(pages.compare(), "Comparing 2 Runs", "mtl p_train", "naive p_train", "all/macro_f1")
    rows = [set(line.split()) for line in text.splitlines()]
    assert {"method", "mtl", "naive"} in rows


def test_the_p_test_curve_is_drawn(view: tuple[mlflow_browser.Browser, mlflow_browser.Pages]) -> None:
    chromium, pages = view
    chromium.open(pages.curves(), "Model metrics")
    chromium.search_charts("p_test")
    chromium.expect("p_test/missing_all/macro_f1")
    assert chromium.plots() >= 1


def test_parallel_coordinates_lead_from_the_learning_rate_to_the_score(
    view: tuple[mlflow_browser.Browser, mlflow_browser.Pages],
) -> None:
    chromium, pages = view
    chromium.open(pages.parallel("mtl"), "Comparing 4 Runs", "learning_rate")
    chromium.draw_parallel_coordinates("all/macro_f1")
    assert chromium.axes() == ["learning_rate", "seed", "all/macro_f1"]


def test_a_scatter_plot_sets_one_modality_against_all(
    view: tuple[mlflow_browser.Browser, mlflow_browser.Pages],
) -> None:
    chromium, pages = view
    chromium.open(pages.parallel("mtl"), "Comparing 4 Runs")
    points = chromium.draw_scatter(x="all/macro_f1", y="only_image/macro_f1")
    scores = [run.data.metrics for run in pages.children if run.data.tags["method"] == "mtl"]
    assert sorted(points) == sorted((one["all/macro_f1"], one["only_image/macro_f1"]) for one in scores)
    assert len(points) == 4


def test_figures_and_tables_are_below_the_sweep(view: tuple[mlflow_browser.Browser, mlflow_browser.Pages]) -> None:
    chromium, pages = view
    name = "surface_made_up_55555555_late_mtl.png"
    chromium.open(pages.artifact(f"report/{name}"), "report", "tables", name)
    assert chromium.picture_width() > 200


def test_a_registered_model_says_what_it_is_and_takes(
    view: tuple[mlflow_browser.Browser, mlflow_browser.Pages], tmp_path: Path
) -> None:
    chromium, pages = view
    text = chromium.open(pages.model("mmpt-toy-pair"), "Schema", "mmpt.trial_id", "best_validation")
    assert "left (vector): float32 array of shape (6,)" in text
    assert "naive lr=" in text
    picture = mlflow_browser.save_picture(chromium, lambda: chromium.expect("Schema"), tmp_path / "model.png")
    assert picture.read_bytes().startswith(b"\x89PNG")
