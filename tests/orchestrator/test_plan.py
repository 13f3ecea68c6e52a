import pytest
import toys
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.estimate import cost_of
from orchestrator.plan import make_plan
from search_spaces import InvalidValueError, MissingRates, MmptError, UnknownNameError
from trainables import resolve as resolving
from trainables.resolve import resolve


def test_requirements_join_the_plan_before_what_needs_them() -> None:
    plan = make_plan("p", [toys.spec("student", seed=seed) for seed in (0, 1)])
    assert [trial.spec.method for trial in plan.trials] == ["naive", "naive", "student", "student"]
    assert [trial.state for trial in plan.trials] == ["new", "new", "waiting", "waiting"]
    teacher, student = plan.trials[0], plan.trials[2]
    assert student.requires["teacher"] in {trial.trial_id for trial in plan.trials[:2]}
    assert teacher.keep_model
    assert not teacher.requested
    assert student.requested
    assert not student.keep_model


def test_equal_trials_count_once_however_they_are_written() -> None:
    spelled_out = toys.spec("naive", encoders={"left": "mlp_tiny"}, dataset_params={"noise": 0.5}, p_train=0.0)
    assert len(make_plan("p", [toys.spec(), spelled_out, toys.spec(schedule="linear")]).trials) == 1


def test_a_protocol_without_anything_missing_is_the_default_one() -> None:
    specs = [toys.spec(missing=name) for name in ("independent", "gcnet", "map_u2a")]
    (trial,) = make_plan("p", specs).trials
    assert trial.spec.missing == "independent"
    expert = toys.spec("unimodal", method_params={"modality": "right"})
    loses_left = expert.replace(p_train={"left": 0.3}, missing="map_u2a")
    assert len(make_plan("p", [expert, loses_left]).trials) == 1


def test_mmin_has_its_rates_by_itself() -> None:
    plan = make_plan("p", [toys.spec(missing="mmin"), toys.spec(missing="mmin", p_train=0.5), toys.spec(p_train=0.5)])
    one, other = plan.trials
    assert {one.spec.missing, other.spec.missing} == {"mmin", "independent"}
    assert one.spec.p_train == other.spec.p_train == MissingRates({"left": 0.5, "right": 0.5})


def test_rates_beyond_gcnet_s_highest_are_one_trial() -> None:
    specs = [toys.spec(dataset="toy_triple", missing="gcnet", p_train=rate) for rate in (2 / 3, 0.7, 0.9)]
    (trial,) = make_plan("p", specs).trials
    assert set(trial.spec.p_train.rates.values()) == {0.666666667}


def test_done_trials_are_not_planned_again() -> None:
    done = resolve(toys.spec(seed=1)).trial_id
    plan = make_plan("p", [toys.spec(seed=0), toys.spec(seed=1)], done_ids=[done])
    assert [trial.trial_id for trial in plan.done] == [done]
    assert len(plan.todo) == 1


def test_a_done_trial_whose_weights_are_needed_but_gone_runs_again() -> None:
    teacher = resolve(toys.spec("naive")).trial_id
    without = make_plan("p", [toys.spec("student")], done_ids=[teacher])
    assert len(without.todo) == 2
    kept = make_plan("p", [toys.spec("student")], done_ids=[teacher], model_ids=[teacher])
    assert [trial.spec.method for trial in kept.todo] == ["student"]
    assert kept.todo[0].state == "new"


def test_a_finished_student_needs_no_teacher_weights() -> None:
    ids = [resolve(toys.spec(method)).trial_id for method in ("naive", "student")]
    assert not make_plan("p", [toys.spec("student")], done_ids=ids).todo


def test_a_trial_is_another_one_when_what_it_requires_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    before = resolve(toys.spec("student")).trial_id
    monkeypatch.setattr(toys.Naive, "version", "2")
    resolving._KNOWN.clear()
    assert resolve(toys.spec("student")).trial_id != before
    monkeypatch.undo()
    resolving._KNOWN.clear()
    assert resolve(toys.spec("student")).trial_id == before


def test_circles_are_refused_by_name() -> None:
    with pytest.raises(MmptError, match=r"in a circle: .*circle_one.*circle_two|in a circle: .*circle_two.*circle_one"):
        make_plan("p", [toys.spec("circle_one")])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"method": "naiv"}, "unknown method 'naiv'; did you mean 'naive'"),
        ({"dataset": "toy_pear"}, "unknown data set 'toy_pear'; did you mean 'toy_pair'"),
        ({"fusion": "lat"}, "unknown fusion 'lat'; did you mean 'late'"),
        ({"encoders": {"left": "mlp_tinny"}}, "unknown encoder 'mlp_tinny'; did you mean 'mlp_tiny'"),
        ({"encoders": {"centre": "mlp_tiny"}}, "unknown modality 'centre'"),
        ({"p_train": {"lft": 0.5}}, "unknown modality 'lft'; did you mean 'left'"),
        ({"missing": "gcent"}, "unknown missing protocol 'gcent'; did you mean 'gcnet'"),
        ({"missing": "gcnet", "p_train": {"left": 0.5}}, "missing rates of gcnet: 'left:0.5' is not allowed"),
        ({"missing": "mmin", "p_train": 0.3}, "missing rates of mmin: '0.3' is not allowed; expected 0.5"),
        (
            {"method": "mtl", "method_params": {"weight_lef": 1.0}},
            "unknown parameter of mtl 'weight_lef'; did you mean",
        ),
        ({"dataset_params": {"noise": "loud"}}, "toy_pair.noise: 'loud' is not allowed; expected a number in"),
    ],
)
def test_names_that_do_not_exist_get_the_nearest_match(wrong: dict[str, object], message: str) -> None:
    spec = toys.spec().replace(**wrong)
    with pytest.raises((UnknownNameError, InvalidValueError), match=message.replace("[", r"\[")):
        make_plan("p", [spec])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"fusion": "early"}, "fusion: 'early' is not allowed; expected late for limited"),
        ({"dataset": "toy_pair_multi"}, "expected a single-label data set for limited; this one is multi-label"),
        (
            {"dataset": "toy_triple_single"},
            "expected a data set with exactly 2 modalities for limited; this one has left",
        ),
        ({"dataset": "toy_solo"}, "expected a data set with exactly 2 modalities for limited; this one has left"),
    ],
)
def test_what_a_method_does_not_support_is_refused_and_what_it_does_is_named(
    asked: dict[str, object], message: str
) -> None:
    assert make_plan("p", [toys.spec("limited")]).todo
    with pytest.raises(InvalidValueError, match=message):
        make_plan("p", [toys.spec("limited").replace(**asked)])


def test_parameters_outside_their_bounds_are_refused() -> None:
    for method, params in (
        ("unimodal", {"modality": "centre"}),
        ("unimodal", {}),
        ("dropout", {"modality": "left", "p": 1.5}),
        ("mtl", {"weight": -1.0}),
    ):
        with pytest.raises(InvalidValueError):
            make_plan("p", [toys.spec(method, method_params=params)])


def test_an_empty_grid_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="at least one trial"):
        make_plan("empty", [])


@given(st.lists(st.sampled_from(["naive", "student", "unimodal", "mtl"]), min_size=1, max_size=6), st.integers(0, 3))
def test_order_respects_requirements_and_prefers_long_trials(methods: list[str], num_seeds: int) -> None:
    specs = [
        toys.spec(method, seed=seed, method_params={"modality": "left"} if method == "unimodal" else {})
        for method in methods
        for seed in range(num_seeds + 1)
    ]
    seconds = {"naive": 5.0, "student": 1.0, "unimodal": 20.0, "mtl": 3.0}
    plan = make_plan("p", specs, estimate=lambda spec: seconds[spec.method])
    place = {trial.trial_id: index for index, trial in enumerate(plan.trials)}
    for trial in plan.trials:
        assert all(place[need] < place[trial.trial_id] for need in trial.requires.values())
    free = [seconds[trial.spec.method] for trial in plan.trials if not trial.requires and not trial.keep_model]
    assert free == sorted(free, reverse=True)


def test_costs_add_up_or_say_what_is_unknown() -> None:
    plan = make_plan("p", [toys.spec(seed=seed) for seed in range(4)], estimate=lambda spec: 900.0)
    assert cost_of(plan).hours == pytest.approx(1.0)
    unknown = cost_of(make_plan("p", [toys.spec()]))
    assert unknown.hours is None
    assert unknown.unknown == ("naive on toy_pair",)


def test_only_some_trials_bring_what_they_require() -> None:
    plan = make_plan("p", [toys.spec("student"), toys.spec("mtl")])
    student = next(trial for trial in plan.trials if trial.spec.method == "student")
    assert [trial.spec.method for trial in plan.with_only({student.trial_id}).trials] == ["naive", "student"]
