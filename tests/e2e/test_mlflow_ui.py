"""What a user sees in MLflow's own interface of a sweep: nested trials, two methods compared, p_test curves."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
import synthetic_store

from orchestrator.mlflow_connect import connect
from orchestrator.tracking import track, tracking_uri

pytestmark = pytest.mark.slow
if importlib.util.find_spec("selenium") is None:
    pytest.skip("needs the Python package selenium", allow_module_level=True)

import mlflow_browser  # noqa: E402 (imports selenium)


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[mlflow_browser.Browser, mlflow_browser.Pages]]:
    """A browser on a server over a database that `track` wrote."""
    missing = mlflow_browser.missing_programs()
    if missing:
        pytest.skip(f"needs {' and '.join(missing)} (Debian: apt-get install chromium chromium-driver)")
    root = str(tmp_path_factory.mktemp("ui") / "seen")
    trial_ids = synthetic_store.fill(root)
    uri = tracking_uri(None, root)
    assert track(root, uri).written == len(trial_ids)
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


def test_pictures_for_the_documentation(tmp_path: Path) -> None:
    if mlflow_browser.missing_programs():
        pytest.skip("needs chromium and chromedriver")
    root = str(tmp_path / "pictures")
    synthetic_store.fill(root, seeds=1, epochs=2)
    saved = mlflow_browser.save_screenshots(root, str(tmp_path / "images"))
    assert [path.name for path in saved] == ["mlflow-sweep.png", "mlflow-compare.png", "mlflow-curves.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in saved)
