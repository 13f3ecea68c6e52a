"""A real MLflow server and a headless Chromium looking at it; also makes the documentation's screenshots."""

import contextlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from shutil import which

from database_server import without_jobs
from mlflow import MlflowClient
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from orchestrator.mlflow_connect import connect
from orchestrator.tracking import tracking_uri

WAIT_SECONDS = 90
_FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1600,1100",
]


def missing_programs() -> list[str]:
    """Return which of the programs that are needed are not installed."""
    return [name for name in ("chromium", "chromedriver") if which(name) is None]


@contextlib.contextmanager
def server(uri: str) -> Iterator[str]:
    """Run `mlflow server` on a free port of this machine over a database; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri, "--workers", "1"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=without_jobs())
        try:
            _wait_for(f"http://127.0.0.1:{port}", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(address: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    pause = socket.socketpair()  # a wait that ends when the deadline does, without a fixed sleep
    try:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                urllib.request.urlopen(f"{address}/health", timeout=5).close()
            except OSError:
                pause[0].settimeout(0.2)
                with contextlib.suppress(TimeoutError):
                    pause[0].recv(1)
            else:
                return
    finally:
        for end in pause:
            end.close()
    raise RuntimeError(f"mlflow server at {address} did not start (exit code {process.returncode})")


class Browser:
    """Chromium with the few questions that are asked of a page."""

    def __init__(self, profile: Path) -> None:
        options = ChromeOptions()
        options.binary_location = str(which("chromium"))
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        self.driver = Chrome(options=options, service=ChromeService(which("chromedriver")))
        self.wait = WebDriverWait(self.driver, WAIT_SECONDS)

    def text(self) -> str:
        """Return all text of the page."""
        return str(self.driver.execute_script("return document.body ? document.body.innerText : ''"))

    def open(self, url: str, *words: str) -> str:
        """Load a page and wait until it shows all words; return its text."""
        self.driver.get(url)
        return self.expect(*words)

    def expect(self, *words: str) -> str:
        """Wait until the page shows all words; return its text."""
        try:
            self.wait.until(lambda _: all(word in self.text() for word in words))
        except Exception as error:
            raise AssertionError(f"{words} never appeared at {self.driver.current_url}:\n{self.text()}") from error
        return self.text()

    def prepare(self, address: str) -> None:
        """Set MLflow's own view options: no assistant in the way, the pages of model training."""
        self.open(address, "MLflow")
        for key, value in (
            ("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true"),
            ("mlflow.assistant.panelOpen_v1", "false"),
            ("mlflow.workflowType_v1", '"machine_learning"'),
        ):
            self.driver.execute_script("localStorage.setItem(arguments[0], arguments[1])", key, value)
        self.driver.get("about:blank")  # a page that is open does not look again

    def unfold(self, run_id: str) -> None:
        """Open the children of a row of the table: click the first button of its name's cell."""
        query = f"[row-id='{run_id}'] [col-id*='Name'] button"
        self.wait.until(lambda driver: driver.find_elements(By.CSS_SELECTOR, query))[0].click()

    def find(self, query: str) -> "WebElement":
        """Wait for an element by its CSS selector."""
        found: list[WebElement] = self.wait.until(lambda driver: driver.find_elements(By.CSS_SELECTOR, query))
        return found[0]

    def draw_parallel_coordinates(self, metric: str) -> None:
        """On the page that compares runs, put a metric in place of the one that MLflow chose."""
        self.find(".js-plotly-plot .parcoords")
        field = self.driver.find_elements(By.CSS_SELECTOR, "[class*='select-multiple']")[-1]
        field.find_element(By.CSS_SELECTOR, "[class*='item-remove']").click()
        field.find_element(By.CSS_SELECTOR, "[class*='select-selector']").click()
        self.find("[class*='item-option']")
        field.find_element(By.CSS_SELECTOR, "input").send_keys(metric)  # only those in view are on the page
        self.find(f"[class*='item-option'][title='{metric}']").click()
        self.expect("Run details", metric)
        self.wait.until(lambda _: self.axes()[-1:] == [metric])
        field.find_element(By.CSS_SELECTOR, "input").send_keys(Keys.ESCAPE)  # closes the list

    def draw_scatter(self, **metrics: str) -> list[tuple[float, float]]:
        """On the page that compares runs, plot metrics `x` and `y` and return the points."""
        tabs = self.wait.until(lambda driver: driver.find_elements(By.CSS_SELECTOR, "[role='tab']"))
        next(tab for tab in tabs if tab.text == "Scatter Plot").click()
        for axis, metric in metrics.items():
            self.find(f"#{axis}-axis-selector").click()
            options = self.wait.until(lambda driver: driver.find_elements(By.CSS_SELECTOR, "[role='option']"))
            chosen = next(option for option in options if option.text == metric)
            self.driver.execute_script("arguments[0].scrollIntoView()", chosen)
            chosen.click()
        titles = [f".js-plotly-plot .{axis}title" for axis in metrics]
        self.wait.until(lambda _: [self.find(title).text for title in titles] == list(metrics.values()))
        shown = "return document.querySelector('.js-plotly-plot').data.flatMap(t => t.x.map((x, i) => [x, t.y[i]]))"
        return [(float(x), float(y)) for x, y in self.driver.execute_script(shown)]

    def picture_width(self) -> int:
        """Wait until a picture among the artifacts is shown and return its own width in pixels."""
        shown = self.find("img[src*='artifact'], img[src^='blob:']")
        self.wait.until(lambda driver: driver.execute_script("return arguments[0].naturalWidth", shown) > 0)
        return int(self.driver.execute_script("return arguments[0].naturalWidth", shown))

    def axes(self) -> list[str]:
        """Return the names of the axes of parallel coordinates, from left to right."""
        return [one.text for one in self.driver.find_elements(By.CSS_SELECTOR, ".parcoords .axis-title")]

    def search_charts(self, word: str) -> None:
        """Show only the charts of metrics whose names contain a word."""
        query = "input[placeholder='Search metric charts']"
        self.wait.until(lambda driver: driver.find_elements(By.CSS_SELECTOR, query))[0].send_keys(word)

    def plots(self) -> int:
        """Wait for drawn curves and return how many lines there are."""
        query = ".js-plotly-plot path.js-line"
        self.wait.until(lambda driver: driver.find_elements(By.CSS_SELECTOR, query))
        return len(self.driver.find_elements(By.CSS_SELECTOR, query))


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Run a headless Chromium with a profile of its own."""
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        made = Browser(Path(profile))
        try:
            yield made
        finally:
            made.driver.quit()


class Pages:
    """The addresses of a sweep's pages in MLflow's own interface."""

    def __init__(self, address: str, client: MlflowClient, name: str) -> None:
        found = client.get_experiment_by_name(name)
        if found is None:
            raise ValueError(f"MLflow has no {name!r}")
        self.folder = found.experiment_id
        runs = client.search_runs([self.folder])
        self.parent = next(run for run in runs if "mmpt.trial_id" not in run.data.tags)
        self.children = [run for run in runs if "mmpt.trial_id" in run.data.tags]
        self._start, self._client = f"{address}/#", client

    def table(self) -> str:
        """All of the sweep's trials."""
        return f"{self._start}/experiments/{self.folder}/runs"

    def compare(self) -> str:
        """One trial of each method, side by side."""
        of_method = {run.data.tags["method"]: run.info.run_id for run in reversed(self.children)}
        return self._comparison(of_method.values())

    def _comparison(self, run_ids: Iterable[str]) -> str:
        ids = ",".join(f'"{run_id}"' for run_id in sorted(run_ids))
        return f'{self._start}/compare-runs?runs=[{ids}]&experiments=["{self.folder}"]'

    def parallel(self, method: str) -> str:
        """All trials of a method, side by side: their learning rates, weights and scores."""
        return self._comparison(run.info.run_id for run in self.children if run.data.tags["method"] == method)

    def model(self, name: str) -> str:
        """The newest version of a registered model."""
        newest = max(int(found.version) for found in self._client.search_model_versions(f"name = '{name}'"))
        return f"{self._start}/models/{name}/versions/{newest}"

    def artifact(self, path: str) -> str:
        """A file that was put under the sweep."""
        return f"{self._start}/experiments/{self.folder}/runs/{self.parent.info.run_id}/artifacts/{path}"

    def curves(self) -> str:
        """All metric charts of one trial."""
        return f"{self._start}/experiments/{self.folder}/runs/{self.children[0].info.run_id}/model-metrics"


def save_screenshots(store: str, out_dir: str) -> list[Path]:
    """Save pictures of a store's newest sweep in MLflow, for the documentation; return their paths.

    The sweep has mtl trials, its report was put under it, and one of its trials is registered.
    """
    uri = tracking_uri(None, store)
    client = connect(uri)
    name = next(e.name for e in client.search_experiments() if "/" in e.name)
    Path(out_dir).mkdir(parents=True, exist_ok=True)
    with server(uri) as address, browser() as chromium:
        pages = Pages(address, client, name)
        chromium.prepare(address)
        shots: dict[str, Callable[[], object]] = {
            "sweep": lambda: _show_sweep(chromium, pages),
            "compare": lambda: _show_comparison(chromium, pages.compare()),
            "curves": lambda: _show_curves(chromium, pages),
            "parallel": lambda: _show_parallel(chromium, pages),
            "model": lambda: chromium.open(pages.model(f"mmpt-{name.rpartition('/')[2].replace('_', '-')}"), "Schema"),
            "report": lambda: _show_figure(chromium, pages, client),
        }
        return [save_picture(chromium, show, Path(out_dir) / f"mlflow-{key}.png") for key, show in shots.items()]


def save_picture(chromium: Browser, show: Callable[[], object], path: Path) -> Path:
    """Save what is seen once `show` returns."""
    show()
    chromium.driver.save_screenshot(str(path))
    return path


def _show_sweep(chromium: Browser, pages: Pages) -> None:
    chromium.open(pages.table(), str(pages.parent.info.run_name))
    chromium.unfold(pages.parent.info.run_id)
    chromium.expect(*(str(run.info.run_name) for run in pages.children[:3]))


def _show_comparison(chromium: Browser, url: str) -> None:
    chromium.open(url, "method")
    chromium.find(".js-plotly-plot .main-svg")


def _show_curves(chromium: Browser, pages: Pages) -> None:
    chromium.open(pages.curves(), "p_test")
    chromium.search_charts("p_test")
    chromium.plots()


def _show_parallel(chromium: Browser, pages: Pages) -> None:
    _show_comparison(chromium, pages.parallel("mtl"))
    chromium.draw_parallel_coordinates("all/macro_f1")


def _show_figure(chromium: Browser, pages: Pages, client: MlflowClient) -> None:
    files = [one.path for one in client.list_artifacts(pages.parent.info.run_id, "report")]
    figure = next(path for path in files if "p_test_curve" in path and path.endswith(".png"))
    chromium.open(pages.artifact(figure), figure.rpartition("/")[2])
    chromium.picture_width()


if __name__ == "__main__":
    save_screenshots(str(Path(sys.argv[1]).absolute()), sys.argv[2])
