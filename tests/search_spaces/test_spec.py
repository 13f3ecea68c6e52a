import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import InvalidValueError, MissingRates, TrialSpec, UnknownNameError

NAMES = st.sampled_from(["audio", "image", "text"])
SPECS = st.builds(
    TrialSpec,
    dataset=st.sampled_from(["a", "b"]),
    method=st.sampled_from(["naive", "mtl"]),
    learning_rate=st.floats(1e-6, 1.0),
    batch_size=st.integers(1, 512),
    epochs=st.integers(1, 50),
    seed=st.integers(0, 2**31),
    method_params=st.dictionaries(
        st.sampled_from(["p", "weight"]), st.floats(0, 1) | st.integers(0, 9) | st.booleans()
    ),
    p_train=st.dictionaries(NAMES, st.floats(0, 1)).map(MissingRates),
    encoders=st.dictionaries(NAMES, st.sampled_from(["conv_tiny", "vit:folder/x"])),
)


@given(SPECS)
def test_a_spec_survives_json_and_pickle_unchanged(spec: TrialSpec) -> None:
    through_json = TrialSpec.from_config(json.loads(json.dumps(spec.to_config())))
    assert through_json == spec
    assert through_json.hash == spec.hash
    assert pickle.loads(pickle.dumps(spec)) == spec


@given(SPECS, SPECS)
def test_equal_specs_are_those_with_equal_hashes(one: TrialSpec, other: TrialSpec) -> None:
    assert (one == other) == (one.hash == other.hash)


def test_order_of_params_and_integer_floats_do_not_change_identity() -> None:
    one = TrialSpec(dataset="d", method="m", method_params={"a": 1, "b": 2}, learning_rate=1)
    other = TrialSpec(dataset="d", method="m", method_params={"b": 2, "a": 1}, learning_rate=1.0)
    assert one.hash == other.hash
    assert {one, other} == {one}


def test_the_hash_is_stable_across_releases() -> None:
    """Stores outlive releases: a change here orphans every stored trial and needs a schema migration."""
    assert TrialSpec(dataset="av_digits", method="naive").hash == "8acc8f5a1b854cff"


def test_specs_cannot_be_changed() -> None:
    spec = TrialSpec(dataset="d", method="m", method_params={"a": 1})
    with pytest.raises(AttributeError):
        spec.seed = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        spec.method_params["a"] = 2  # type: ignore[index]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("learning_rate", "abc"),
        ("learning_rate", 0.0),
        ("learning_rate", float("inf")),
        ("batch_size", 0),
        ("batch_size", 1.5),
        ("epochs", True),
        ("seed", -1),
        ("weight_decay", -0.1),
        ("warmup", 1.0),
        ("schedule", "cosine"),
        ("method_params", {"a": None}),
        ("method_params", {"a": float("nan")}),
        ("method", ""),
        ("p_train", 1.5),
        ("p_train", -0.1),
        ("encoders", {"Image": "vit_tiny"}),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(field: str, value: object) -> None:
    with pytest.raises(InvalidValueError, match="is not allowed; expected"):
        TrialSpec.from_config({"dataset": "d", "method": "m", field: value})


def test_an_unknown_axis_gets_the_nearest_match() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'learning_rate'"):
        TrialSpec.from_config({"dataset": "d", "method": "m", "learning_rte": 1})


def test_dataset_and_method_are_required() -> None:
    with pytest.raises(InvalidValueError, match="method"):
        TrialSpec.from_config({"dataset": "d"})
