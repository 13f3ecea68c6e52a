"""The report's page as a reader has it: opened from disk in Chromium, at a desk and on a phone."""

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import made_up
import pytest

from results.report import write_report
from results.store import Store

pytestmark = pytest.mark.slow
if importlib.util.find_spec("selenium") is None:
    pytest.skip("needs the Python package selenium", allow_module_level=True)

import report_browser  # noqa: E402 (imports selenium)
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

VISIBLE = "const box = arguments[0].getBoundingClientRect(); return box.width > 200 && box.height > 50"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two data sets, of two and of three modalities."""
    folder = tmp_path_factory.mktemp("report")
    store = Store(str(folder / "store"))
    made_up.fill(store, made_up.make_samples())
    three = made_up.make_samples(("audio", "image", "text"), multi_label=True)
    made_up.fill(store, replace(three, dataset="other"))
    return write_report(store.root, folder / "report", num_draws=5, num_resamples=50)


@pytest.fixture(scope="module")
def chromium() -> Iterator[report_browser.ReportBrowser]:
    missing = report_browser.missing_programs()
    if missing:
        pytest.skip(f"needs {' and '.join(missing)} (Debian: apt-get install chromium chromium-driver)")
    with report_browser.browser() as made:
        yield made


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", ["desk", "phone"])
def test_it_opens_from_disk_and_fits(
    chromium: report_browser.ReportBrowser, page: Path, view: str, scheme: str
) -> None:
    chromium.open(page, view, scheme=scheme)
    assert chromium.ask("return [innerWidth, document.readyState]") == [report_browser.WIDTHS[view][0], "complete"]
    assert chromium.ask("return document.documentElement.scrollWidth <= innerWidth")
    assert chromium.complaints() == []
    assert chromium.requests() == []
    chromium.ask("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert chromium.ask("return document.documentElement.scrollWidth <= innerWidth")


def test_it_is_readable_in_both_schemes(chromium: report_browser.ReportBrowser, page: Path) -> None:
    colours = {}
    for scheme in ("light", "dark"):
        chromium.open(page, scheme=scheme)
        colours[scheme] = chromium.ask("const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]")
    assert colours["light"] == ["rgb(27, 31, 36)", "rgb(255, 255, 255)"]
    assert colours["dark"] == ["rgb(230, 233, 237)", "rgb(21, 24, 28)"]


@pytest.mark.parametrize("view", ["desk", "phone"])
def test_every_table_and_figure_has_a_name_and_a_caption(
    chromium: report_browser.ReportBrowser, page: Path, view: str
) -> None:
    chromium.open(page, view)
    driver = chromium.driver
    figures = driver.find_elements(By.CSS_SELECTOR, "main figure")
    assert len(figures) > 4
    for figure in figures:
        shown = figure.find_element(By.CSS_SELECTOR, "table, svg")
        assert shown.accessible_name
        assert chromium.ask(VISIBLE, shown) or shown.tag_name == "table"
        assert len(figure.find_element(By.TAG_NAME, "figcaption").text) > 20
        assert figure.find_element(By.TAG_NAME, "h3").is_displayed()
    assert {figure.get_attribute("id") for figure in figures} == {
        str(link.get_attribute("href")).partition("#")[2]
        for link in driver.find_elements(By.CSS_SELECTOR, "nav.contents a")
    }
    for link in driver.find_elements(By.CSS_SELECTOR, ".files a"):
        assert Path(str(link.get_attribute("href")).removeprefix("file://")).is_file()


def numbers(chromium: report_browser.ReportBrowser) -> list[float | None]:
    """Return the first column of the first table, top to bottom."""
    script = """
      const rows = document.querySelector("table").tBodies[0].rows;
      return [...rows].map(row => "value" in row.cells[1].dataset ? Number(row.cells[1].dataset.value) : null)
    """
    return list(chromium.ask(script))


def test_sorting_goes_down_up_and_back(chromium: report_browser.ReportBrowser, page: Path) -> None:
    chromium.open(page)
    before = numbers(chromium)
    known = sorted(value for value in before if value is not None)
    empty = [None] * (len(before) - len(known))
    assert len(known) > 2
    button = chromium.driver.find_elements(By.CSS_SELECTOR, "table .names button")[1]
    head = button.find_element(By.XPATH, "..")
    for wanted, way in (
        (known[::-1] + empty, "descending"),
        (known + empty, "ascending"),
        (before, None),
        (known[::-1] + empty, "descending"),
    ):
        button.click()
        assert numbers(chromium) == wanted
        assert head.get_attribute("aria-sort") == way


def test_a_tap_shows_where_a_number_comes_from(chromium: report_browser.ReportBrowser, page: Path) -> None:
    chromium.open(page, "phone")
    cell = chromium.driver.find_element(By.CSS_SELECTOR, "td[data-value][title*='interval']")
    assert chromium.panel() == ""
    chromium.ask("arguments[0].scrollIntoView({block: 'center'})", cell)
    cell.click()
    shown = chromium.panel()
    origin = str(cell.get_attribute("title"))
    for line in origin.splitlines():
        assert line in shown
    for word in ("interval", "seeds: 0, 1", "best_validation", "60 test samples", "trials: "):
        assert word in shown
    assert cell.text.split()[0] in shown
    assert chromium.ask("return document.documentElement.scrollWidth <= innerWidth")
    chromium.driver.find_element(By.CSS_SELECTOR, "#cell-origin button").click()
    assert chromium.panel() == ""


def test_the_keyboard_reaches_every_number(chromium: report_browser.ReportBrowser, page: Path) -> None:
    chromium.open(page)
    driver = chromium.driver
    assert (
        chromium.ask(
            "return document.querySelectorAll('table:first-of-type')[0].querySelectorAll('[tabindex=\"0\"]').length"
        )
        == 1
    )
    buttons = driver.find_elements(By.CSS_SELECTOR, "figure:first-of-type .names button")
    chromium.ask("arguments[0].focus()", buttons[-1])
    seen = set()
    for key in (Keys.TAB, Keys.ARROW_RIGHT, Keys.ARROW_DOWN, Keys.ARROW_LEFT, Keys.ARROW_UP):
        ActionChains(driver).send_keys(key).perform()
        cell = driver.switch_to.active_element
        assert cell.tag_name == "td"
        assert str(cell.get_attribute("title")).splitlines()[-1] in chromium.panel()
        seen.add(cell.id)
    assert len(seen) == 4
    ActionChains(driver).send_keys(Keys.ESCAPE).perform()
    assert chromium.panel() == ""


def test_paper_shows_whole_captions(chromium: report_browser.ReportBrowser, page: Path) -> None:
    chromium.open(page)
    folded = "return document.querySelectorAll('main details:not([open])').length"
    before = chromium.ask(folded)
    assert before > 0
    chromium.ask("dispatchEvent(new Event('beforeprint'))")
    assert chromium.ask(folded) == 0
    chromium.ask("dispatchEvent(new Event('afterprint'))")
    assert chromium.ask(folded) == before


def test_pictures_for_the_documentation(page: Path, tmp_path: Path) -> None:
    if report_browser.missing_programs():
        pytest.skip("needs chromium and chromedriver")
    saved = report_browser.save_screenshots(page, tmp_path / "images")
    assert [path.name for path in saved] == ["report-desk.png", "report-phone.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in saved)
