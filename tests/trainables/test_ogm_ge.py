"""OGM-GE against golden gradients and coefficients, its two kinds of modulation, its noise, window and traces."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import toys
from torch import Tensor, nn

from results.store import Store
from search_spaces import TrialSpec
from search_spaces.errors import InvalidValueError
from trainables.api import Batch, DataInfo, Encoder, Features, InputInfo
from trainables.build import build_method, load_splits, open_prepared
from trainables.devices import set_up_compute
from trainables.fusion.late import Late
from trainables.loop import TrainingLoop
from trainables.methods._modulation import add_noise
from trainables.methods._ogm_ge_scores import coefficients, scores
from trainables.methods.ogm_ge import OgmGe, OgmGeHyperparameters
from trainables.optim import make_optimizer, set_learning_rate
from trainables.resolve import resolve
from trainables.task import TrialTask
from trainables.trial import Trial

GOLDEN = Path(__file__).parent.parent / "golden"
EPOCHS = 100


def golden(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((GOLDEN / f"{name}.json").read_text())["cases"]
    return cases


def tensor(values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


class GivenGradients(Encoder):
    """z is the input, and depends on the parameters so that the gradient of each is `gradients`, whatever the loss.

    z = x + u sum_p <p - p_0, g_p> with u = dL/dz / |dL/dz|^2, so that dL/dp = <dL/dz, u> g_p = g_p.
    """

    accepts = ("vector",)

    def __init__(self, gradients: Mapping[str, Tensor], of_z: Tensor) -> None:
        super().__init__(InputInfo(kind="vector", shape=(of_z.shape[1],)))
        self.width = of_z.shape[1]
        self.gradients = gradients
        self.direction = of_z / (of_z**2).sum()
        self.values = nn.ParameterDict({name: torch.ones_like(g) for name, g in gradients.items()})

    def forward(self, inputs: Tensor) -> Tensor:
        moved = sum(((self.values[name] - 1) * g).sum() for name, g in self.gradients.items())
        return inputs + self.direction * moved


class OwnBiases(Late):
    """Sum fusion: one head per modality, each with a bias of its own."""

    biases: Mapping[str, Tensor]

    def split_logits(self, features: Features) -> dict[str, Tensor]:
        split, share = super().split_logits(features), self.head.bias / len(self.widths)
        return {name: logits - share + self.biases[name] for name, logits in split.items()}


def head_of(case: Mapping[str, Any]) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Weight and bias of the head on concatenated features, and each modality's share of the bias."""
    names, head = sorted(case["features"]), {name: tensor(value) for name, value in case["head"].items()}
    if case["fusion_method"] == "sum":
        biases = dict(zip(names, (head["fc_x.bias"], head["fc_y.bias"]), strict=True))
        return (
            torch.cat([head["fc_x.weight"], head["fc_y.weight"]], dim=1),
            sum(biases.values(), torch.zeros(4)),
            biases,
        )
    return head["fc_out.weight"], head["fc_out.bias"], dict.fromkeys(names, head["fc_out.bias"] / len(names))


def before(case: Mapping[str, Any], modality: str) -> dict[str, Tensor]:
    start = f"module.{modality}_net."
    return {
        name.removeprefix(start).replace(".", "_"): tensor(found["before"])
        for name, found in case["grads"].items()
        if name.startswith(start)
    }


def method_of(case: Mapping[str, Any], **hyperparameters: Any) -> tuple[OgmGe, Batch]:
    """The method with a golden case's features, head and window; epochs here count from one, there from zero."""
    features = {name: tensor(z) for name, z in sorted(case["features"].items())}
    weight, bias, biases = head_of(case)
    targets = torch.tensor(case["labels"])
    z = torch.cat(list(features.values()), dim=1).requires_grad_()
    nn.functional.cross_entropy(z @ weight.T + bias, targets).backward()  # type: ignore[no-untyped-call]
    assert z.grad is not None
    widths = [part.shape[1] for part in features.values()]
    encoders = {
        name: GivenGradients(before(case, name), of_z)
        for name, of_z in zip(features, z.grad.split(widths, dim=1), strict=True)  # type: ignore[no-untyped-call]
    }
    fusion = OwnBiases(encoders, len(bias)).double()
    fusion.biases = biases
    with torch.no_grad():
        fusion.head.weight.copy_(weight)
        fusion.head.bias.copy_(bias)
    chosen = OgmGeHyperparameters(
        alpha=case["alpha"],
        window_start=case["modulation_starts"] / EPOCHS,
        window_end=(case["modulation_ends"] + 1) / EPOCHS,
        **{"noise": False, **hyperparameters},
    )
    inputs = {name: InputInfo(kind="vector", shape=part.shape[1:]) for name, part in features.items()}
    info = DataInfo(dataset="d", inputs=inputs, class_names=[str(c) for c in range(len(bias))])
    method = OgmGe(TrialSpec(dataset="d", method="ogm_ge", epochs=EPOCHS), info, fusion, chosen).double()
    method.begin_epoch(case["epoch"] + 1)
    available = np.ones((len(targets), len(features)), dtype=bool)
    return method, Batch(inputs=features, available=available, modalities=tuple(features), targets=targets)


def make_loop(spec: TrialSpec, cache: Path) -> TrainingLoop:
    resolved, compute = resolve(spec), set_up_compute(1, 0)
    splits = load_splits(open_prepared(resolved, str(cache)), resolved, compute)
    return TrainingLoop(build_method(resolved, compute), splits["train"], splits["val"], resolved.reports[0], compute)


def backward(method: OgmGe, batch: Batch) -> None:
    method.losses(method.encode(batch), batch)["joint"].mean.backward()  # type: ignore[no-untyped-call]
    method.before_step()


def expected_kappa(case: Mapping[str, Any]) -> dict[str, float]:
    """What the official loop logged, or ones outside of the window."""
    inside = case["modulation_starts"] <= case["epoch"] <= case["modulation_ends"]
    logged = case["scalars_logged_by_official_loop"]
    return {name: logged[f"data/coefficient {name[0]}"] if inside else 1.0 for name in case["features"]}


@pytest.mark.parametrize("case", golden("ogm_ge"), ids=lambda case: str(case["case"]))
def test_gradients_are_scaled_as_in_the_official_loop(case: dict[str, Any]) -> None:
    method, batch = method_of(case, modulation="gradient")
    backward(method, batch)
    changed = 0
    for modality, kappa in expected_kappa(case).items():
        for name, own in before(case, modality).items():
            found = method.fusion.encoders[modality].values[name].grad  # type: ignore[union-attr, index]
            torch.testing.assert_close(found, own * kappa, rtol=1e-6, atol=1e-12)
            official = case["grads"][f"module.{modality}_net.{name.replace('_', '.', 1)}"]
            if own.ndim == 4:  # all that the official loop modulates
                torch.testing.assert_close(found, tensor(official["after_OGM"]), rtol=1e-6, atol=1e-12)
                changed += official["changed"]
    assert changed == any(kappa != 1 for kappa in expected_kappa(case).values())
    for name, found in case["grads"].items():
        if "fusion_module.fc_out" in name:
            own = method.fusion.head.get_parameter(name.rpartition(".")[2]).grad
            torch.testing.assert_close(own, tensor(found["after_OGM"]), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("case", golden("ogm_ge"), ids=lambda case: str(case["case"]))
def test_learning_rates_get_the_same_coefficients(case: dict[str, Any]) -> None:
    method, batch = method_of(case)
    backward(method, batch)
    paces = {name: float(kappa) for name, kappa in method.paces().items()}
    for modality, kappa in expected_kappa(case).items():
        assert paces.get(modality, 1.0) == pytest.approx(kappa, rel=1e-6)
        for name, own in before(case, modality).items():
            found = method.fusion.encoders[modality].values[name].grad  # type: ignore[union-attr, index]
            torch.testing.assert_close(found, own, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("number", "ratio"), [(0, "pairwise"), (1, "weakest"), (2, "pairwise")])
def test_the_toolkits_rules(number: int, ratio: str) -> None:
    case = golden("ogm_ge_multi")[number]
    split = {name: tensor(logits) for name, logits in case["unimodal_logits"].items()}
    found = scores(split, torch.tensor(case["labels"]), ratio)
    kappa = dict(zip(split, coefficients(found, case["alpha"], ratio).tolist(), strict=True))
    if "scores" in case:
        assert dict(zip(split, found.tolist(), strict=True)) == pytest.approx(case["scores"], rel=1e-9)
    expected = case["coefficient_recovered_from_gradients"]
    # The last case's public loop divides only the last modality's sum of ratios by their number.
    checked = ["text"] if number == 2 else list(expected)
    assert {name: kappa[name] for name in checked} == pytest.approx(
        {name: expected[name] for name in checked}, rel=1e-9
    )


def test_three_modalities_are_compared_with_the_mean_of_the_others() -> None:
    found = tensor([3.0, 1.0, 1.5])
    expected = [1 - np.tanh(0.3 * 3.0 / 1.25), 1.0, 1.0]
    assert coefficients(found, 0.3).tolist() == pytest.approx(expected, rel=1e-12)
    assert coefficients(tensor([2.0, 2.0, 2.0]), 0.3).tolist() == [1.0, 1.0, 1.0]
    assert coefficients(tensor([2.0]), 0.3).tolist() == [1.0]


def test_several_labels_score_on_their_positive_classes() -> None:
    logits = tensor([[2.0, -1.0, 0.5], [0.0, 1.0, -3.0], [9.0, 9.0, 9.0]])
    targets = torch.tensor([[1, 0, 1], [0, 1, 0], [0, 0, 0]])
    sigmoid = 1 / (1 + np.exp(-logits.numpy()))
    expected = np.mean([(sigmoid[0, 0] + sigmoid[0, 2]) / 2, sigmoid[1, 1]])
    assert scores({"m": logits}, targets).tolist() == pytest.approx([expected], rel=1e-12)


def test_noise_has_the_unbiased_deviation_of_the_unscaled_gradient() -> None:
    torch.manual_seed(0)
    own = torch.randn(200, 200) * 3
    for scale in (None, torch.tensor(0.25)):
        parameter = nn.Parameter(torch.zeros(200, 200))
        parameter.grad = own.clone() if scale is None else own * scale
        unmoved = parameter.grad.clone()
        add_noise([parameter], scale)
        noise = parameter.grad - unmoved
        assert float(noise.std()) == pytest.approx(float(own.std()), rel=0.02)
        assert float(noise.mean()) == pytest.approx(0, abs=0.05)


def test_noise_reaches_every_encoder_in_the_window_and_never_the_head() -> None:
    case = golden("ogm_ge")[0]
    for epoch, noisy in ((case["epoch"], True), (60, False)):
        method, batch = method_of({**case, "epoch": epoch}, noise=True, modulation="gradient")
        quiet, _ = method_of({**case, "epoch": epoch}, modulation="gradient")
        for made in (method, quiet):
            torch.manual_seed(0)
            backward(made, batch)
        pairs = zip(method.named_parameters(), quiet.parameters(), strict=True)
        differs = {name: not torch.equal(one.grad, other.grad) for (name, one), other in pairs}  # type: ignore[arg-type]
        assert {name for name, moved in differs.items() if moved} == {
            name for name in differs if noisy and "encoders" in name
        }


def test_a_pace_multiplies_adamws_step_but_not_its_weight_decay() -> None:
    method, batch = method_of(golden("ogm_ge")[0])
    spec = TrialSpec(dataset="d", method="ogm_ge", weight_decay=0.1)
    start = {name: value.detach().clone() for name, value in method.named_parameters()}
    moved: list[dict[str, Tensor]] = []
    for paces in ({}, {"visual": tensor(0.25)}):
        method.load_state_dict(start)
        optimizer = make_optimizer(method, spec)
        method.zero_grad()
        backward(method, batch)
        set_learning_rate(optimizer, spec, 0.01, paces)
        optimizer.step()
        moved.append({n: v.detach() - (1 - 0.01 * 0.1) * start[n] for n, v in method.named_parameters()})
    for name, full in moved[0].items():
        factor = 0.25 if "visual" in name else 1.0
        torch.testing.assert_close(moved[1][name], factor * full, rtol=1e-9, atol=1e-12)


def test_groups_of_parameters_change_no_number() -> None:
    after = []
    for modulation in ("learning_rate", "gradient"):
        method, batch = method_of({**golden("ogm_ge")[0], "epoch": 60}, modulation=modulation)
        optimizer = make_optimizer(method, method.spec)
        assert len(optimizer.param_groups) == (3 if modulation == "learning_rate" else 1)
        for _ in range(3):
            optimizer.zero_grad()
            backward(method, batch)
            set_learning_rate(optimizer, method.spec, 0.01, method.paces())
            optimizer.step()
        after.append(method.state_dict())
    assert all(torch.equal(after[0][name], after[1][name]) for name in after[0])


def test_what_auto_means_is_in_the_spec_and_refused_where_it_cannot_be() -> None:
    late = resolve(toys.spec("ogm_ge"))
    assert late.spec.method_params["modulation"] == "learning_rate"
    assert late.trial_id == resolve(toys.spec("ogm_ge", method_params={"modulation": "learning_rate"})).trial_id
    assert resolve(toys.spec("ogm_ge", fusion="early")).spec.method_params["modulation"] == "gradient"
    with pytest.raises(InvalidValueError, match="learning_rate"):
        resolve(toys.spec("ogm_ge", fusion="early", method_params={"modulation": "learning_rate"}))
    with pytest.raises(
        InvalidValueError, match=r"'gradient' is not allowed; expected learning_rate or auto.*AdamW undoes"
    ):
        resolve(toys.spec("ogm_ge", method_params={"modulation": "gradient"}))


def test_an_empty_window_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"window_end: 0\.2 is not allowed"):
        resolve(toys.spec("ogm_ge", method_params={"window_start": 0.3, "window_end": 0.2}))


@pytest.mark.parametrize(("fusion", "modulation"), [("late", "learning_rate"), ("early", "gradient")])
@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_training_goes_on_from_any_epoch_with_the_same_numbers(
    fusion: str, modulation: str, after: int, cache: Path
) -> None:
    spec = toys.spec("ogm_ge", "toy_triple", epochs=4, fusion=fusion, method_params={"modulation": modulation})
    whole, broken, resumed = (make_loop(spec, cache) for _ in range(3))
    rows = list(whole.epochs())
    steps = broken.epochs()
    for _ in range(after):
        next(steps)
    resumed.restore(broken.checkpoint())
    assert list(resumed.epochs()) == rows[after:]
    final = whole.method.state_dict()
    assert all(torch.equal(value, final[name]) for name, value in resumed.method.state_dict().items())


@pytest.mark.parametrize("fusion", ["late", "early"])
def test_hooks_scale_what_flows_back_into_each_modality(fusion: str, cache: Path) -> None:
    """Without noise, the gradient of the encoders is that of the fused loss with z^m's gradient times kappa_m."""
    loop = make_loop(toys.spec("ogm_ge", fusion=fusion, method_params={"noise": False, "alpha": 0.8}), cache)
    loop.method.paced = False  # planning refuses it in late fusion, where AdamW would undo it
    method, batch = loop.method, loop.train.batch(np.arange(32))
    assert isinstance(method, OgmGe)
    method.begin_epoch(1)
    backward(method, batch)
    kappa = [method.kappa[name] for name in ("left", "right")]
    assert min(kappa) < 1
    found = {name: p.grad.clone() for name, p in method.fusion.encoders.named_parameters() if p.grad is not None}
    method.zero_grad()
    features = method.encode(batch)
    loss = method.criterion(method.fusion.fused_logits(features), batch.targets)
    flows = torch.autograd.grad(loss, list(features.values()), retain_graph=True)
    scaled = [factor * flow for factor, flow in zip(kappa, flows, strict=True)]
    torch.autograd.backward(list(features.values()), scaled)
    for name, parameter in method.fusion.encoders.named_parameters():
        if name in found:
            torch.testing.assert_close(found[name], parameter.grad, rtol=1e-4, atol=1e-7)


def test_the_history_has_the_coefficients_of_the_window(store: Store, cache: Path) -> None:
    resolved = resolve(toys.spec("ogm_ge", epochs=4, dataset_params={"noise": 2.0}, learning_rate=0.01))
    task = TrialTask(trial_id=resolved.trial_id, spec=resolved.spec.to_config(), store=store.root, cache=str(cache))
    rows = [row for epoch in Trial(task).epochs() for row in epoch]
    for name in ("left", "right"):
        traced = {row.epoch: row.value for row in rows if row.name == f"kappa/{name}"}
        assert set(traced) == {1, 2}
        assert all(0 < kappa <= 1 for kappa in traced.values())
