"""Reports with a paper's own missing protocol at test time, and trials of different protocols kept apart."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from results.data import load
from results.figures import FIGURES
from results.long_form import frame
from results.metrics import metric_named
from results.missing_protocols import MISSING_PROTOCOLS, protocol_named
from results.options import Options
from results.report_origin import origin_section
from results.schema import Samples, TrialRecord
from results.store import Store
from results.table import Nothing, Table
from results.tables import TABLES
from results.testbed import Profile
from search_spaces.errors import InvalidValueError, UnknownNameError
from search_spaces.missing_rates import MissingRates
from search_spaces.modality import Pattern, patterns

HALF = {"map_u2a": MissingRates.shared(0.25), "mmin": MissingRates.shared(0.5)}


def options(**more: Any) -> Options:
    return Options(**{"num_draws": 8, "num_resamples": 0, "metric": "accuracy", **more})


def tables(store: Store, name: str, **more: Any) -> list[Table]:
    built = TABLES.get(name)(load(store), options(**more))
    assert not isinstance(built, Nothing)
    return built


@pytest.mark.parametrize("missing", MISSING_PROTOCOLS.names())
@pytest.mark.parametrize("modalities", [("audio", "image"), ("audio", "image", "text")])
class TestProfile:
    def test_the_expectation_is_what_draws_come_to(
        self,
        build_samples: Callable[..., Samples],
        build_record: Callable[..., TrialRecord],
        missing: str,
        modalities: tuple[str, ...],
    ) -> None:
        samples = build_samples(modalities)
        profile = Profile.of(build_record(samples), samples)
        rates = [MissingRates(), HALF.get(missing, MissingRates.shared(0.4))]
        exact = profile.expected(rates, "accuracy", missing)
        drawn = profile.simulate(rates, range(2000), "accuracy", missing)
        assert exact[0] == profile.score(Pattern(modalities), "accuracy")
        assert (drawn[0] == exact[0]).all()
        error = drawn[1].std(ddof=1) / np.sqrt(2000)
        assert drawn[1].mean() == pytest.approx(exact[1], abs=4 * error + 1e-12)

    def test_a_draw_is_the_score_of_its_mask(
        self,
        build_samples: Callable[..., Samples],
        build_record: Callable[..., TrialRecord],
        missing: str,
        modalities: tuple[str, ...],
    ) -> None:
        samples = build_samples(modalities)
        record, rates = build_record(samples), HALF.get(missing, MissingRates.shared(0.4))
        profile, protocol = Profile.of(record, samples), protocol_named(missing)
        fast = profile.simulate([rates], range(3), "accuracy", missing)[0]
        if protocol.averages_patterns:
            each = [profile.score(pattern, "accuracy") for pattern in patterns(modalities)[1:]]
            assert fast == pytest.approx([np.mean(each)] * 3, abs=1e-12)
            return
        present = {name: np.ones(len(profile.sample_ids), dtype=bool) for name in modalities}
        logits = {key.pattern: v for key, v in record.logits.items() if (key.route, key.split) == ("probe", "test")}
        settled = protocol.settle(rates, modalities)
        for seed in range(3):
            mask = protocol.availability(profile.sample_ids, present, settled, seed, "test")
            left = [Pattern(np.array(modalities)[row].tolist()).key for row in mask]
            right = [logits[key][row].argmax() == profile.targets[row] for row, key in enumerate(left)]
            assert fast[seed] == pytest.approx(np.mean(right), abs=1e-12)


def test_mmin_averages_any_metric_over_the_patterns(
    build_samples: Callable[..., Samples], build_record: Callable[..., TrialRecord]
) -> None:
    samples = build_samples(("audio", "image", "text"))
    profile = Profile.of(build_record(samples), samples)
    assert not metric_named("macro_f1").linear
    each = [profile.score(pattern) for pattern in patterns(profile.modalities)[1:]]
    found = profile.simulate([MissingRates.shared(0.5)], range(4), missing="mmin")
    assert found == pytest.approx(np.full((1, 4), np.mean(each)), abs=1e-12)


def test_a_profile_refuses_rates_that_the_protocol_lacks(
    samples: Samples, build_record: Callable[..., TrialRecord]
) -> None:
    with pytest.raises(InvalidValueError, match="one rate for every modality"):
        Profile.of(build_record(samples), samples).simulate([MissingRates({"image": 0.3})], missing="gcnet")


def test_robustness_as_mla_draws_it(
    build_samples: Callable[..., Samples], build_record: Callable[..., TrialRecord], store: Store
) -> None:
    samples = build_samples(("audio", "image", "text"))
    store.write_samples(samples)
    record = build_record(samples)
    store.write_trial(record)
    (table,) = tables(store, "robustness", missing="gcnet")
    (row,) = table.rows
    assert row.label == "Naive, any (one rate) missing"
    profile = Profile.of(record, samples)
    for tenth, cell in enumerate(row.cells):
        (value,) = profile.expected([MissingRates.shared(min(tenth / 10, 2 / 3))], "accuracy", "gcnet")
        assert cell.value == pytest.approx(value, abs=1e-12)
    assert len({cell.value for cell in row.cells[7:]}) == 1
    assert "Missing protocol at test time: gcnet. Every sample keeps one modality at random" in table.caption


def test_a_rate_that_a_protocol_lacks_is_an_empty_cell_that_says_so(
    samples: Samples, build_record: Callable[..., TrialRecord], store: Store
) -> None:
    store.write_samples(samples)
    store.write_trial(build_record(samples))
    (table,) = tables(store, "robustness", missing="map_u2a")
    assert len(table.rows) == 3
    filled = [cell.value is not None for cell in table.rows[-1].cells]
    assert filled == [True] * 6 + [False] * 5
    assert "sum to 1 at most" in table.rows[-1].cells[6].reason
    (mmin,) = tables(store, "robustness", missing="mmin")
    assert [cell.value is not None for cell in mmin.rows[0].cells] == [tenth in (0, 5) for tenth in range(11)]
    assert "Means over the patterns" in mmin.caption


@pytest.fixture
def both(samples: Samples, build_record: Callable[..., TrialRecord], store: Store) -> dict[str, TrialRecord]:
    """Naive and mtl on complete data, and naive at 35 % of both as two protocols draw it."""
    rates = {"audio": 0.35, "image": 0.35}
    records = {
        "complete": build_record(samples),
        "mtl": build_record(samples, "mtl"),
        "independent": build_record(samples, p_train=rates),
        "map_u2a": build_record(samples, p_train=rates, missing="map_u2a", skill=3.0),
    }
    store.write_samples(samples)
    for record in records.values():
        store.write_trial(record)
    return records


def test_trials_of_different_protocols_never_compete(both: dict[str, TrialRecord], store: Store) -> None:
    own, paper = tables(store, "missing_protocol", missing="map_u2a")
    assert paper.name == f"{own.name}_map_u2a"
    for table, missing in ((own, "independent"), (paper, "map_u2a")):
        cells = {row.label.partition(";")[0]: row.cells[0] for row in table.rows}
        assert cells["train audio 65 %, image 65 %"].origin.trial_ids == (both[missing].trial_id,)
        assert cells["train complete"].origin.trial_ids == (both["complete"].trial_id,)
    assert "In training" not in paper.caption
    assert "In training (independent): Modalities go missing independently" in own.caption
    assert "Missing protocol at test time: map_u2a. Of the samples an exact share" in own.caption


def test_partly_missing_data_is_tested_as_the_paper_tests_it(
    both: dict[str, TrialRecord], samples: Samples, store: Store
) -> None:
    (_, paper) = tables(store, "missing_protocol", missing="map_u2a")
    (cell,) = [
        row.cells[0] for row in paper.rows if row.label == "train audio 65 %, image 65 %; test audio 65 %, image 65 %"
    ]
    profile, number = Profile.of(both["map_u2a"], samples), len(samples.split("test")[0])
    hit = number * 7 // 10
    counts = {"audio-image": number - hit, "image": hit // 2, "audio": hit - hit // 2}
    value = sum(count * profile.score(Pattern.from_key(key), "accuracy") for key, count in counts.items()) / number
    assert cell.value == pytest.approx(value, abs=1e-12)


def test_surfaces_of_different_protocols_are_different_figures(both: dict[str, TrialRecord], store: Store) -> None:
    drawings = FIGURES.get("surface")(load(store), options())
    assert not isinstance(drawings, Nothing)
    names = [drawing.name for drawing in drawings]
    assert len(names) == 2
    assert names[1] == f"{names[0]}_map_u2a"
    assert drawings[1].title.endswith("trained with masks of map_u2a")


def test_the_long_form_has_protocol_and_fingerprint(both: dict[str, TrialRecord], store: Store) -> None:
    table = frame(store).drop_duplicates("trial_id").set_index("trial_id")
    assert table.loc[both["map_u2a"].trial_id, "missing"] == "map_u2a"
    assert (table["mask_fingerprint"] == "").all(), "made-up trials have none"


def test_a_report_names_its_protocol_in_the_command_that_repeats_it(
    both: dict[str, TrialRecord], store: Store, tmp_path: Any
) -> None:
    text = origin_section(load(store), options(missing="gcnet"), roots=["s"], folder=tmp_path, chosen=[])
    assert "--missing gcnet" in text
    with pytest.raises(UnknownNameError, match="did you mean 'map_u2a'"):
        Options(missing="map_u2")
