"""Every table and figure, on every kind of store a user can have: defined numbers, reasons, origins, never a crash."""

import dataclasses
import json
import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from made_up import make_record, make_samples, trial_ids_in

from results.cells import Cell
from results.data import StoreData, load
from results.drawing import Drawing, to_json, to_svg
from results.figures import FIGURES
from results.options import Options
from results.render import to_csv, to_markdown
from results.render import to_json as table_json
from results.render_html import to_html
from results.render_latex import to_latex
from results.schema import Samples
from results.store import Store
from results.table import Nothing, Table
from results.tables import TABLES
from search_spaces.modality import Pattern

OPTIONS = Options(num_draws=3, num_resamples=20)


def fill(store: Store, samples: Samples, *, methods: tuple[str, ...] = ("naive", "mtl"), seeds: int = 2) -> None:
    """Write methods with two configurations each, experts, and two p_train."""
    store.write_samples(samples)
    for seed in range(seeds):
        for method in methods:
            for rate in (1e-3, 1e-4):
                store.write_trial(make_record(samples, method, seed=seed, learning_rate=rate))
            store.write_trial(make_record(samples, method, seed=seed, p_train={samples.modalities[0]: 0.5}))
        for name in samples.modalities:
            own = make_record(samples, "unimodal", seed=seed, has=[Pattern([name])], method_params={"modality": name})
            store.write_trial(own)


def one_seed(store: Store) -> None:
    fill(store, make_samples(), seeds=1)


def three_modalities_multi_label(store: Store) -> None:
    fill(store, make_samples(("audio", "image", "text"), multi_label=True))


def two_and_three_modalities(store: Store) -> None:
    fill(store, make_samples())
    fill(store, dataclasses.replace(make_samples(("audio", "text", "video")), dataset="other"))


def a_method_missing_on_some_data_sets(store: Store) -> None:
    for number, methods in enumerate([("naive", "mtl", "umt"), ("naive", "mtl"), ("naive", "umt")]):
        samples = dataclasses.replace(make_samples(), dataset=f"set_{number}", fingerprint=f"{number:016d}")
        fill(store, samples, methods=methods)


def one_class_predicted(store: Store) -> None:
    samples = make_samples()
    fill(store, samples, methods=("naive",))
    flat = make_record(samples, "mtl")
    for logits in flat.logits.values():
        logits[:] = np.eye(len(samples.class_names))[0]
    store.write_trial(flat)


def a_class_absent_from_test(store: Store) -> None:
    samples = make_samples()
    targets = samples.targets.copy()
    targets[(samples.frame["split"] == "test").to_numpy() & (targets == 3)] = 0
    fill(store, dataclasses.replace(samples, targets=targets))


def two_versions_of_the_data(store: Store) -> None:
    samples = make_samples()
    fill(store, samples)
    other = dataclasses.replace(samples, fingerprint="f" * 16)
    store.write_samples(other)
    store.write_trial(dataclasses.replace(make_record(other, "naive", seed=7), trial_id="other-version"))


def two_fusions(store: Store) -> None:
    samples = make_samples()
    fill(store, samples)
    for method in ("naive", "mtl"):
        store.write_trial(make_record(samples, method, fusion="early"))


STORES: dict[str, Callable[[Store], None]] = {
    function.__name__: function
    for function in (
        one_seed,
        three_modalities_multi_label,
        two_and_three_modalities,
        a_method_missing_on_some_data_sets,
        one_class_predicted,
        a_class_absent_from_test,
        two_versions_of_the_data,
        two_fusions,
    )
}


@pytest.fixture(scope="module", params=STORES)
def data(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> StoreData:
    store = Store(str(tmp_path_factory.mktemp("stores") / str(request.param)))
    store.prepare()
    STORES[request.param](store)
    return load(store)


def cells_of(table: Table) -> Iterator[Cell]:
    for row in table.rows:
        yield from row.cells


@pytest.mark.parametrize("key", list(TABLES))
@pytest.mark.parametrize("options", [OPTIONS, dataclasses.replace(OPTIONS, metric="accuracy", route="head")], ids=str)
def test_every_table_is_defined(data: StoreData, key: str, options: Options) -> None:
    built = TABLES.get(key)(data, options)
    if isinstance(built, Nothing):
        assert built.reason
        return
    assert built
    for table in built:
        check_table(table, data, options)


def check_table(table: Table, data: StoreData, options: Options) -> None:
    assert table.title
    assert len(table.caption) > 50
    assert table.rows
    for cell in cells_of(table):
        if cell.value is None:
            assert cell.reason or cell.text
            continue
        assert math.isfinite(cell.value)
        assert cell.spread is None or cell.spread >= 0
        assert set(cell.origin.trial_ids) <= set(data.trials.index)
        if cell.origin.trial_ids:
            own = data.trials.loc[list(cell.origin.trial_ids)]
            assert set(cell.origin.seeds) == set(own["seed"])
            assert set(cell.origin.fingerprint.split("+")) == set(own["fingerprint"])
            assert cell.origin.route == options.route
        if cell.interval is not None:
            assert cell.interval.low <= cell.value <= cell.interval.high
    assert json.loads(table_json(table))["caption"] == table.caption
    for text in (to_csv(table), to_markdown(table), to_html(table), to_latex(table)):
        assert "nan" not in text.replace("finan", "")


@pytest.mark.parametrize("key", list(FIGURES))
def test_every_figure_is_defined(data: StoreData, key: str) -> None:
    built = FIGURES.get(key)(data, OPTIONS)
    if isinstance(built, Nothing):
        assert built.reason
        return
    assert built
    for drawing in built:
        check_drawing(drawing, data)


def check_drawing(drawing: Drawing, data: StoreData) -> None:
    assert drawing.title
    assert len(drawing.caption) > 50
    assert drawing.points
    content = json.loads(to_json(drawing))
    named = set(trial_ids_in(content["points"]))
    assert named
    assert named <= set(data.trials.index)
    assert b"</svg>" in to_svg(drawing)


@pytest.mark.parametrize("key", [*TABLES, *FIGURES])
def test_names_are_unique_over_data_sets_and_versions(data: StoreData, key: str) -> None:
    built = (TABLES.get(key) if key in TABLES else FIGURES.get(key))(data, OPTIONS)
    names = [] if isinstance(built, Nothing) else [one.name for one in built]
    assert len(names) == len(set(names))
