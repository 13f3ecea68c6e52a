"""Cards of data sets, the page that is made of them, and what `mmpt show` finds on this machine."""

from pathlib import Path

import pytest
import raw_mm_imdb

from orchestrator.cli import main
from orchestrator.dataset_cards import dataset_card, datasets_page, found_lines
from trainables.dataset_catalog import DATASETS
from trainables.preparing.roots import remember_root

PAGE = Path(__file__).parents[2] / "docs" / "datasets.md"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MMPT_DATA", raising=False)


def test_the_page_of_data_sets_is_up_to_date() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == datasets_page(), "write it anew: python -m orchestrator.dataset_cards docs/datasets.md"


def test_a_card_says_what_it_is_where_it_is_from_and_what_can_be_set() -> None:
    card = dataset_card("mm_imdb")
    for line in (
        "mm_imdb: MM-IMDb",
        "classes, of which a sample has any number: Drama, Comedy",
        "official train / val / test: 15,552 / 2,608 / 7,799",
        "licence: plots and posters",
        "source: mmimdb.tar.gz",
        "default encoders: image vit:google/vit-base-patch16-224, text bert:bert-base-uncased",
        "presets: tiny (tokenizer=words, tokens=32, image_size=32)",
        "    split.json               {",
        "  image_size = 224: 4 to 1024",
        "  plot = longest: longest or first or concat",
    ):
        assert line in card
    assert "classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9" in dataset_card("av_digits")


@pytest.mark.parametrize("name", DATASETS.shipped())
def test_every_data_set_has_a_card(name: str) -> None:
    assert len(dataset_card(name).splitlines()) > 8
    assert f"## `{name}`" in datasets_page()


def test_show_prints_the_card_and_the_sizes_found_against_the_official(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert found_lines("mm_imdb") == ["not on this machine yet: mmpt prepare mm_imdb --root DIR"]
    raw_mm_imdb.make_raw(tmp_path / "raw")
    remember_root("mm_imdb", tmp_path / "raw")
    with pytest.raises(SystemExit) as ended:
        main(["show", "mm_imdb"])
    assert ended.value.code == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert " ".join(dataset_card("mm_imdb").split()) in printed
    assert "train 6 of 15,552, val 3 of 2,608, test 3 of 7,799" in printed
    (tmp_path / "raw" / "split.json").write_text("no json")
    (line,) = found_lines("mm_imdb")
    assert "split.json is no JSON" in line
    assert found_lines("av_digits") == []
