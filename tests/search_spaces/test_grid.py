import pytest

from search_spaces import (
    Grid,
    InvalidValueError,
    MissingRates,
    MmptError,
    UnknownNameError,
    When,
    choice,
    log_space,
    mtl_lattice,
    mtl_tied,
    simplex,
    zipped,
)
from search_spaces.axes import Axis
from search_spaces.learning_rates import MMPT_BATCH_SIZES, MMPT_LADDER

BASE = {"dataset": "d", "method": "naive"}


def test_a_product_spans_all_combinations() -> None:
    grid = Grid({**BASE, "learning_rate": choice(1e-4, 1e-3), "seed": choice(0, 1, 2)})
    assert len(grid) == 6
    assert len(set(grid)) == 6


def test_a_union_counts_equal_trials_once() -> None:
    grid = Grid({**BASE, "seed": choice(0, 1)}) + Grid({**BASE, "seed": choice(1, 2)})
    assert [spec.seed for spec in grid] == [0, 1, 2]


def test_parameters_of_a_method_exist_only_where_it_is_chosen() -> None:
    grid = Grid({"dataset": "d", "method": choice("naive", "mtl")}, mtl_lattice(["audio", "image"]))
    by_method = [spec.method for spec in grid]
    assert by_method.count("naive") == 1
    assert by_method.count("mtl") == 9
    assert {tuple(spec.method_params.values()) for spec in grid if spec.method == "mtl"} >= {(0.1, 1.0), (1.0, 0.1)}


def test_when_adds_axes_under_a_condition() -> None:
    slow = When({"dataset": "big"}, (Axis(("epochs",), ({"epochs": 5}, {"epochs": 10})),))
    grid = Grid({"dataset": choice("big", "small"), "method": "naive"}, slow)
    assert sorted((spec.dataset, spec.epochs) for spec in grid) == [("big", 5), ("big", 10), ("small", 20)]


def test_dataset_parameters_and_encoders_reach_their_fields() -> None:
    spec = next(iter(Grid({**BASE, "d.noise": 0.5, "encoder.image": "vit_tiny"})))
    assert dict(spec.dataset_params) == {"noise": 0.5}
    assert dict(spec.encoders) == {"image": "vit_tiny"}


def test_with_axis_replaces_or_adds() -> None:
    grid = Grid({**BASE, "seed": choice(0, 1, 2)})
    assert [spec.seed for spec in grid.with_axis("seed", [7])] == [7]
    assert {spec.epochs for spec in grid.with_axis("epochs", [3])} == {3}
    assert len(grid.with_seeds(5)) == 5
    narrowed = Grid({"dataset": "d", "method": choice("naive", "mtl")}).with_axis("mtl.weight", [0.1, 1.0])
    assert len(narrowed) == 3


def test_with_axis_changes_every_member_of_a_union() -> None:
    grid = Grid({**BASE, "seed": 0}) + Grid({"dataset": "d", "method": "mtl", "seed": 1})
    assert {spec.learning_rate for spec in grid.with_axis("learning_rate", [0.5])} == {0.5}


def test_an_axis_that_varies_together_with_another_is_not_replaced_silently() -> None:
    grid = Grid(BASE, zipped({"batch_size": [16, 32], "learning_rate": [1e-4, 2e-4]}))
    assert [(spec.batch_size, spec.learning_rate) for spec in grid] == [(16, 1e-4), (32, 2e-4)]
    with pytest.raises(MmptError, match="varies together with"):
        grid.with_axis("batch_size", [64])


def test_unknown_axes_and_empty_choices_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'learning_rate'"):
        Grid({**BASE, "learning_rat": 1})
    with pytest.raises(UnknownNameError):
        Grid(BASE).with_axis("sed", [1])
    with pytest.raises(InvalidValueError):
        choice()
    with pytest.raises(InvalidValueError):
        Grid(BASE).with_axis("seed", [])
    with pytest.raises(InvalidValueError):
        Grid(BASE).with_seeds(0)


def test_a_wrong_value_surfaces_when_the_grid_is_walked() -> None:
    with pytest.raises(InvalidValueError, match="learning_rate: 'abc'"):
        list(Grid({**BASE, "learning_rate": choice("abc")}))


def test_axis_builders() -> None:
    assert log_space(1e-5, 1e-1, 5).values == (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
    assert log_space(3.0, 3.0, 1).values == (3.0,)
    lattice = simplex(["a", "b", "c"], 4).points
    assert len(lattice) == 15
    assert all(sum(point.values()) == 1.0 for point in lattice)
    assert len(mtl_tied(["a", "b", "c"]).points) == 3
    assert MMPT_LADDER.values == (1e-4, 3e-5, 1e-5)
    assert MMPT_BATCH_SIZES.values == (16, 32, 64)
    for wrong in (lambda: log_space(0, 1, 2), lambda: simplex([], 1), lambda: zipped({"a": [1], "b": []})):
        with pytest.raises(InvalidValueError):
            wrong()


def test_missing_rates_are_values_like_any_other() -> None:
    rates = (MissingRates(), MissingRates({"audio": 0.5}))
    assert [spec.p_train for spec in Grid({**BASE, "p_train": choice(*rates)})] == list(rates)
