"""Which trials become one number: configurations, seeds, spellings, and figures against the slow way."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from math import fsum
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from results.cells import Cell, Origin
from results.curves import curve, families
from results.data import StoreData, load
from results.draws import uniform_draws
from results.figures import FIGURES
from results.layout import differing_seeds
from results.long_form import frame
from results.metrics import score
from results.mixtures import mix_logits
from results.options import Options
from results.render import to_json, to_markdown
from results.render_html import to_html
from results.render_latex import to_latex
from results.report import build_table
from results.rules import rule_named
from results.schema import LogitsKey, Samples, TrialRecord
from results.selection import select
from results.statistics import mean
from results.store import Failure, Store
from results.systems import systems_of
from results.table import Column, Row, Table, mark_best
from results.tables import TABLES
from results.testbed import Profile
from search_spaces.errors import MmptError
from search_spaces.missing_rates import TENTHS, MissingRates
from search_spaces.modality import Pattern

Make = Callable[..., TrialRecord]
FULL = "audio-image"


def put(store: Store, samples: Samples, *records: TrialRecord) -> None:
    store.write_samples(samples)
    for record in records:
        store.write_trial(record)


def with_versions(record: TrialRecord, trial_id: str, **versions: str) -> TrialRecord:
    return dataclasses.replace(record, trial_id=trial_id, facts={**record.facts, "versions": versions})


def picks_of(store: Store) -> dict[str, tuple[str, ...]]:
    picks = select(load(store), Options())
    return {pattern: pick.trial_ids for (_, pattern), pick in picks.items()}


def test_versions_of_a_method_are_not_seeds_of_each_other(store: Store, samples: Samples, build_record: Make) -> None:
    one = [with_versions(build_record(samples, seed=seed, skill=1.0), f"a{seed}", method="1") for seed in range(2)]
    two = [with_versions(build_record(samples, seed=seed, skill=9.0), f"b{seed}", method="2") for seed in range(2)]
    put(store, samples, *one, *two)
    assert frame(store)["config"].nunique() == 2
    assert set(picks_of(store).values()) == {("b0", "b1")}


def test_one_seed_twice_is_refused_by_name(store: Store, samples: Samples, build_record: Make) -> None:
    put(store, samples, *(build_record(samples, trial_id=name) for name in ("first", "second")))
    with pytest.raises(MmptError, match="first and second are of one configuration and seed"):
        picks_of(store)


def test_a_single_lucky_seed_wins_nothing(store: Store, samples: Samples, build_record: Make) -> None:
    lucky = build_record(samples, learning_rate=0.5, skill=9.0, trial_id="lucky")
    whole = [build_record(samples, seed=seed, learning_rate=0.1, skill=1.0, trial_id=f"s{seed}") for seed in range(3)]
    put(store, samples, lucky, *whole)
    assert set(picks_of(store).values()) == {("s0", "s1", "s2")}
    assert "most seeds" in rule_named("best_validation").sentence


def test_ties_do_not_depend_on_the_order() -> None:
    values = [0.1, 0.2, 0.3, 1e16, -1e16]
    assert mean(values) == mean(values[::-1]) == fsum(values) / 5


def test_cells_with_other_seeds_say_so() -> None:
    cells = tuple(Cell(value=0.5, origin=Origin(seeds=tuple(range(seeds)))) for seeds in (3, 1))
    columns = (Column("", "a"), Column("", "b"))
    table = Table(name="t", title="t", caption="c", columns=columns, rows=(Row("r", cells),), num_seeds=3)
    for text in (to_markdown(table), to_latex(table), to_html(table)):
        assert text.count("(n=1)") == 1
        assert "(n=3)" not in text
    assert "(n=" not in to_markdown(dataclasses.replace(table, num_seeds=0))


def test_the_profile_counts_the_seeds_of_its_caption(store: Store, samples: Samples, build_record: Make) -> None:
    put(store, samples, *(build_record(samples, seed=seed) for seed in range(2)), build_record(samples, "mtl", seed=0))
    (table,) = build_table(store, "mmpt_profile")
    shown = {row.key: [table.fewer_seeds(cell) for cell in row.cells] for row in table.rows}
    assert shown == {"naive": [""] * 3, "mtl": [" (n=1)"] * 3}


def test_two_spellings_of_one_rate_are_one_group(store: Store, samples: Samples, build_record: Make) -> None:
    spellings = (MissingRates.shared(0.3), MissingRates({"audio": 0.3, "image": 0.3}))
    put(store, samples, *(build_record(samples, p_train=rate, seed=seed) for seed, rate in enumerate(spellings)))
    assert set(frame(store)["p_train"]) == {"audio:0.3+image:0.3"}
    assert len(systems_of(load(store), Options()).groups) == 1


def test_rates_that_differ_in_the_seventh_digit_are_two_groups(
    store: Store, samples: Samples, build_record: Make
) -> None:
    put(store, samples, *(build_record(samples, p_train={"audio": rate}) for rate in (0.1234567, 0.1234568)))
    assert len(systems_of(load(store), Options()).groups) == 2


def test_only_failures_of_the_same_rate_are_in_a_table(store: Store, samples: Samples, build_record: Make) -> None:
    put(store, samples, build_record(samples))
    for method, rate in (("umt", {"*": 0.3}), ("mtl", {}), ("kd", {"audio": 0.0})):
        spec = {"method": method, "dataset": "toy", "fusion": "late", "p_train": rate}
        store.write_failure(Failure(trial_id=method, error="E", traceback="t", spec=spec))
    store.write_failure(Failure(trial_id="odd", error="E", traceback="t", spec={"p_train": 7}))
    (table,) = build_table(store, "mmpt_profile")
    assert [row.key for row in table.rows] == ["naive", "mtl", "kd"]
    assert "failed (E)" in table.rows[1].cells[0].reason


def test_stars_compare_with_the_expert_whatever_its_title() -> None:
    rows = [
        Row(label, (Cell(value=value),), key=key)
        for key, label, value in (
            ("unimodal", "Same", 0.5),
            ("other", "Same", 0.1),
            ("good", "G", 0.5000001),
            ("best", "B", 0.504),
        )
    ]
    marked = [row.cells[0] for row in mark_best(rows, "unimodal")]
    assert [cell.better for cell in marked] == [False, False, True, True]
    assert [cell.best for cell in marked] == [False, False, False, True]
    assert [row.key for row in mark_best(rows, "unimodal")] == ["unimodal", "other", "good", "best"]


def missing_seed(store: Store, samples: Samples, build_record: Make) -> None:
    """Dropout: the model for audio has seeds 0 and 1, the one for image seed 1 alone."""
    for name, other, seeds in (("audio", "image", (0, 1)), ("image", "audio", (1,))):
        for seed in seeds:
            reports = [FULL, name] if name == "audio" else [name]
            record = build_record(samples, "dropout", seed=seed, reports=reports, method_params={"drop": other})
            put(store, samples, record)


def test_a_curve_uses_the_same_seeds_at_every_rate(store: Store, samples: Samples, build_record: Make) -> None:
    missing_seed(store, samples, build_record)
    systems = systems_of(load(store), Options(num_draws=2))
    (group,) = systems.groups
    found = {name: curve(systems, systems.of(group), rates) for name, rates in families(["audio", "image"]).items()}
    assert list(map(len, found["audio"].values)) == [1] * 11
    assert found["audio"].seeds == (1,)
    assert found["image"].seeds == (0, 1)
    (table,) = build_table(store, "robustness", num_draws=2)
    assert {table.fewer_seeds(cell) for cell in table.rows[0].cells} == {" (n=1)"}
    (drawing,) = FIGURES.get("p_test_curve")(load(store), Options(num_draws=2))
    assert "With fewer seeds: Dropout, audio missing: 1; " in drawing.caption


def test_every_trial_is_read_once_for_all_curves(
    store: Store, samples: Samples, build_record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, samples, *(build_record(samples, f"method_{letter}") for letter in "abcdefghijk"))
    data = load(store)
    read: list[str] = []
    profile = type(data).profile

    def watched(self: StoreData, trial_id: str, **named: str) -> Profile:
        read.append(trial_id)
        return profile(self, trial_id, **named)

    monkeypatch.setattr(type(data), "profile", watched)
    options = Options(num_draws=1)
    assert TABLES.get("robustness")(data, options)
    assert sorted(read) == sorted(data.trials.index)


def slow_score(
    record: TrialRecord, samples: Samples, rates: MissingRates, num_draws: int, image_from: TrialRecord | None = None
) -> float:
    ids, targets = samples.split("test")
    sources = {FULL: record, "audio": record, "image": image_from or record}
    logits = {Pattern.from_key(key): own.logits[LogitsKey("probe", key, "test")] for key, own in sources.items()}
    scores = []
    for seed in range(num_draws):
        draws = {name: uniform_draws(ids, name, [seed], "test")[0] for name in samples.modalities}
        scores.append(score(mix_logits(logits, draws, rates), targets))
    return float(np.mean(scores))


@pytest.mark.parametrize("missing", ["audio", "image"])
def test_surfaces_follow_appendix_b_row_by_row(
    store: Store, samples: Samples, build_record: Make, missing: str
) -> None:
    """Audio is missing in training: whatever has audio comes from p_train, images alone from all of the data."""
    by_rate = {rate: build_record(samples, p_train={"audio": rate}, skill=2 - 2 * rate) for rate in (0.0, 0.3, 0.6)}
    put(store, samples, *by_rate.values())
    (drawing,) = FIGURES.get("surface")(load(store), Options(num_draws=3))
    panel = next(axes for axes in drawing.figure.axes if axes.get_title() == f"training: audio, test: {missing}")
    shown = {text.get_position(): text.get_text() for text in panel.texts}
    expected = {
        (column, row): f"{100 * slow_score(record, samples, MissingRates({missing: p_test}), 3, by_rate[0.0]):.1f}"
        for row, (_, record) in enumerate(sorted(by_rate.items()))
        for column, p_test in enumerate(TENTHS)
    }
    assert shown == expected
    assert "appendix B" in drawing.caption
    assert "fewer seeds" not in drawing.caption


def test_a_surface_names_rows_with_fewer_seeds(store: Store, samples: Samples, build_record: Make) -> None:
    some = [build_record(samples, p_train={"audio": 0.3}, seed=seed) for seed in range(2)]
    put(store, samples, *some, build_record(samples, p_train={"audio": 0.6}, seed=1))
    (drawing,) = FIGURES.get("surface")(load(store), Options(num_draws=2))
    assert "With fewer seeds: audio missing in training at 0.6, audio in testing: 1; " in drawing.caption


def test_the_number_of_draws_counts(store: Store, samples: Samples, build_record: Make) -> None:
    record = build_record(samples)
    put(store, samples, record)
    for num_draws in (1, 4):
        (table,) = build_table(store, "robustness", num_draws=num_draws)
        assert table.rows[0].cells[4].value == pytest.approx(
            slow_score(record, samples, MissingRates({"audio": 0.4}), num_draws), abs=1e-12
        )


def with_losses(record: TrialRecord, audio: float, image: float) -> TrialRecord:
    rows = [(None, f"probe/{name}/train_loss", value, None) for name, value in (("audio", audio), ("image", image))]
    return dataclasses.replace(record, history=pd.DataFrame(rows, columns=["epoch", "name", "value", "samples"]))


def test_weakness_has_both_columns_and_its_seeds(store: Store, samples: Samples, build_record: Make) -> None:
    put(store, samples, *(with_losses(build_record(samples, seed=seed), 0.5, 1.0) for seed in (3, 5)))
    (table,) = build_table(store, "weakness")
    assert [(cell.value, cell.spread, cell.origin.seeds) for cell in table.rows[0].cells[:2]] == [
        (0.5, 0.0, (3, 5)),
        (2.0, 0.0, (3, 5)),
    ]
    assert "no other method predicts from audio" in table.rows[0].cells[2].reason
    assert "Seeds: 3, 5." in table.caption
    assert "Route probe" in table.caption
    assert samples.fingerprint[:8] in table.caption


def test_weakness_follows_the_full_pattern_s_pick(store: Store, samples: Samples, build_record: Make) -> None:
    good = with_losses(build_record(samples, learning_rate=0.1, skill=9.0), 0.5, 1.0)
    bad = with_losses(build_record(samples, learning_rate=0.2, skill=0.1), 4.0, 1.0)
    put(store, samples, good, bad)
    (table,) = build_table(store, "weakness")
    assert [cell.origin.trial_ids for cell in table.rows[0].cells[:2]] == [(good.trial_id,)] * 2
    assert table.rows[0].cells[0].value == 0.5


@pytest.mark.parametrize("loss", [1.0, np.inf])
def test_weakness_that_is_no_number_has_a_reason(
    store: Store, samples: Samples, build_record: Make, loss: float
) -> None:
    put(store, samples, with_losses(build_record(samples), np.inf, loss))
    (table,) = build_table(store, "weakness")
    assert json.loads(to_json(table))["name"] == "weakness"
    assert table.rows[0].cells[0].value is None
    assert table.rows[0].cells[0].reason


def test_a_copied_trial_does_not_count_twice(store: Store, samples: Samples, build_record: Make) -> None:
    record = build_record(samples)
    put(store, samples, record)
    folder = Path(store.root, "trials")
    shutil.copytree(folder / record.trial_id, folder / "backup")
    (table,) = build_table(store, "mmpt_profile")
    assert table.rows[0].cells[0].origin.trial_ids == (record.trial_id,)


def test_a_caption_counts_what_is_too_much_to_list() -> None:
    seeds_of = {f"curve {number}": [0] for number in range(7)} | {"whole": [0, 1]}
    assert differing_seeds(seeds_of) == "With fewer seeds: 7 of 8; the JSON file names the seeds of each. "
