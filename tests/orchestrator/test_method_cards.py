"""Cards of methods and the page that is made of them."""

from pathlib import Path

import pytest

from orchestrator.cli import main
from orchestrator.method_cards import card_text, methods_page

PAGE = Path(__file__).parents[2] / "docs" / "methods.md"


def test_the_page_of_methods_is_up_to_date() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == methods_page(), "write it anew: python -m orchestrator.method_cards docs/methods.md"


def test_show_prints_the_card(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["show", "umt"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert printed.split() == card_text("umt").split()


def test_a_card_says_what_a_trial_needs_costs_and_does_with_missing_data() -> None:
    card = card_text("umt")
    for line in (
        "umt: UMT (Du et al. 2021, as used by MMPT)",
        "L = l(s, y) + lambda sum_m",
        "requires: unimodal m1, unimodal m2",
        "cost relative to naive: 1.35 in late fusion, 2.35 in early fusion",
        "incomplete training samples: used by the loss terms of the modalities it has",
        "missing at test time (probe; head): probe of what is available; joint head with zero features",
        "weight = 10: 0 to 1e+06; usually searched over 1, 10, 50, 768",
    ):
        assert line in card
    assert "weight = 0.5 for every modality: 0 to 100" in card_text("mtl")
    assert "modality = required: one of the data set's modalities" in card_text("unimodal")
    assert "no parameters" in card_text("naive")
