"""A report's page in a headless Chromium, opened from disk; also makes the documentation's pictures of it."""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import which
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions, ChromeService

WIDTHS = {"desk": (1280, 900), "phone": (390, 844)}
"""Name -> width and height of the page's view in CSS pixels."""
_FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
]


def missing_programs() -> list[str]:
    """Return which of the programs that are needed are not installed."""
    return [name for name in ("chromium", "chromedriver") if which(name) is None]


class ReportBrowser:
    """Chromium with the questions that are asked of a report's page."""

    def __init__(self, profile: Path) -> None:
        options = ChromeOptions()
        options.binary_location = str(which("chromium"))
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        self.driver = Chrome(options=options, service=ChromeService(which("chromedriver")))

    def open(self, page: Path, view: str = "desk", *, scheme: str = "light", scale: int = 1) -> None:
        """Load a page from disk as it looks on a desk or a phone, in the light or dark scheme."""
        width, height = WIDTHS[view]
        metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": view == "phone"}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        self.driver.get(page.as_uri())

    def ask(self, script: str, *given: Any) -> Any:
        """Return what JavaScript says; `given` is its `arguments`."""
        return self.driver.execute_script(script, *given)

    def complaints(self) -> list[str]:
        """Return what the console has logged since it was last asked."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Return the addresses of everything that the page has loaded beside itself."""
        return list(self.ask("return performance.getEntriesByType('resource').map(one => one.name)"))

    def panel(self) -> str:
        """Return the text of the panel with a number's origin; empty while it is closed."""
        shown = self.ask("const one = document.getElementById('cell-origin'); return one.hidden ? '' : one.innerText")
        return str(shown)

    def save(self, path: Path) -> Path:
        """Save a picture of what is in view."""
        self.driver.save_screenshot(str(path))
        return path


@contextlib.contextmanager
def browser() -> Iterator[ReportBrowser]:
    """Run a headless Chromium with a profile of its own."""
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        made = ReportBrowser(Path(profile))
        try:
            yield made
        finally:
            made.driver.quit()


def save_screenshots(page_path: str | Path, out_dir: str | Path) -> Sequence[Path]:
    """Save a report's page as seen on a desk and on a phone, there with the origin of the first number.

    Returns:
        The paths: `report-desk.png`, `report-phone.png`.
    """
    folder = Path(out_dir)
    folder.mkdir(parents=True, exist_ok=True)
    with browser() as chromium:
        chromium.open(Path(page_path).absolute(), "desk")
        desk = chromium.save(folder / "report-desk.png")
        chromium.open(Path(page_path).absolute(), "phone", scale=2)
        chromium.ask(
            "document.querySelector('figure').scrollIntoView(); document.querySelector('td[data-value]').click()"
        )
        return [desk, chromium.save(folder / "report-phone.png")]
