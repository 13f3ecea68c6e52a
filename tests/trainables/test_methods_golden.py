"""The methods' arithmetic against golden numbers, in float64 to 1e-9."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from search_spaces import Pattern, TrialSpec
from trainables.api import Batch, DataInfo, Encoder, InputInfo
from trainables.fusion.late import Late
from trainables.methods.dropout import drop_features
from trainables.methods.mtl import Mtl, MtlHyperparameters
from trainables.methods.naive import Naive
from trainables.methods.umt import Umt, UmtHyperparameters

GOLDEN = Path(__file__).parent.parent / "golden"
TOLERANCE = {"rtol": 1e-9, "atol": 1e-12}


def golden(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text())
    return content


def tensor(values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


class Identity(Encoder):
    """Features are the inputs."""

    accepts = ("vector",)

    def __init__(self, info: InputInfo, source: str | None = None) -> None:
        super().__init__(info, source)
        self.width = info.shape[0]

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs


def late(features: Mapping[str, Tensor], weight: Any, bias: Any) -> Late:
    encoders = {name: Identity(InputInfo(kind="vector", shape=(z.shape[1],))) for name, z in features.items()}
    fusion = Late(encoders, len(bias)).double()
    fill(fusion.head, weight, bias)
    return fusion


def fill(layer: nn.Linear, weight: Any, bias: Any) -> None:
    with torch.no_grad():
        layer.weight.copy_(tensor(weight))
        layer.bias.copy_(tensor(bias))


def batch(features: Mapping[str, Tensor], targets: Any) -> Batch:
    names = tuple(sorted(features))
    rows = len(next(iter(features.values())))
    return Batch(
        inputs=features,
        available=np.ones((rows, len(names)), dtype=bool),
        modalities=names,
        targets=torch.tensor(targets).long(),
    )


def info(features: Mapping[str, Tensor], num_classes: int, *, multi_label: bool = False) -> DataInfo:
    inputs = {name: InputInfo(kind="vector", shape=(z.shape[1],)) for name, z in features.items()}
    return DataInfo(
        dataset="d", inputs=inputs, class_names=[str(c) for c in range(num_classes)], multi_label=multi_label
    )


def mtl_method(case: Mapping[str, Any], *, multi_label: bool) -> tuple[Mtl, dict[str, Tensor]]:
    features = {"m1": tensor(case["h1"]), "m2": tensor(case["h2"])}
    method = Mtl(
        TrialSpec(dataset="d", method="mtl"),
        info(features, 2, multi_label=multi_label),
        late(features, case["W"], case["b"]),
        MtlHyperparameters(weight={"m1": 0.5, "m2": 0.1}),
    ).double()
    for name, suffix in (("m1", "1"), ("m2", "2")):
        fill(method.heads[name], case[f"W{suffix}"], case[f"b{suffix}"])  # type: ignore[arg-type]
    return method, features


@pytest.mark.parametrize(
    ("multi_label", "targets", "key", "total"),
    [
        (False, "labels", "ce", "total_alpha0.5_beta0.1_ce"),
        (True, "multilabel_targets", "bce_mean_over_samples_and_classes", "total_alpha0.5_beta0.1_bce"),
    ],
)
def test_mtl(multi_label: bool, targets: str, key: str, total: str) -> None:
    case = golden("mtl")
    method, features = mtl_method(case, multi_label=multi_label)
    terms = method.losses(features, batch(features, case[targets]))
    for name, golden_name in (("joint", "multi"), ("m1", "m1"), ("m2", "m2")):
        np.testing.assert_allclose(terms[name].mean.item(), case[key][golden_name], **TOLERANCE)
    weighted = sum(term.weight * term.mean.item() for term in terms.values())
    np.testing.assert_allclose(weighted, case[total], **TOLERANCE)


def test_mtl_predicts_alone_with_the_auxiliary_head_and_together_with_the_joint_one() -> None:
    case = golden("mtl")
    method, features = mtl_method(case, multi_label=False)
    expected = {Pattern(["m1"]): "m1", Pattern(["m2"]): "m2", Pattern(["m1", "m2"]): "multi"}
    for pattern, name in expected.items():
        logits = method.predict({m: features[m] for m in pattern}, pattern)
        assert logits is not None
        np.testing.assert_allclose(logits.detach().numpy(), case["logits"][name], **TOLERANCE)


def test_modality_dropout_zeroes_features_without_rescaling() -> None:
    case = golden("modality_dropout")
    h1, h2 = tensor(case["h1"]), tensor(case["h2"])
    dropped = drop_features(h2, tensor(case["uniform_draws"]), case["p"])
    np.testing.assert_array_equal((dropped != 0).any(dim=1).double().numpy(), case["keep_mask"])
    fusion = late({"m1": h1, "m2": h2}, case["W"], case["b"])
    logits = fusion.fused_logits({"m1": h1, "m2": dropped})
    np.testing.assert_allclose(logits.detach().numpy(), case["logits_feature_zeroing"], **TOLERANCE)


def test_the_split_of_a_concat_head() -> None:
    case = golden("linear_probe_head")
    features = {name: tensor(z) for name, z in case["features"].items()}
    fusion = late(features, case["weight"], case["bias"])
    np.testing.assert_allclose(fusion.fused_logits(features).detach().numpy(), case["fused_logits"], **TOLERANCE)
    split = fusion.split_logits(features)
    for name, expected in case["unimodal_logits"].items():
        np.testing.assert_allclose(split[name].detach().numpy(), expected, **TOLERANCE)
    torch.testing.assert_close(sum(split.values()), fusion.fused_logits(features))


def test_concat_fusion() -> None:
    case = golden("fusion_heads")
    features = {"x": tensor(case["inputs"]["x"]), "y": tensor(case["inputs"]["y"])}
    module = case["modules"]["ConcatFusion"][0]
    fusion = late(features, module["state"]["fc_out.weight"], module["state"]["fc_out.bias"])
    np.testing.assert_allclose(fusion.fused_logits(features).detach().numpy(), module["logits"], **TOLERANCE)
    for name, expected in module["unimodal_logits_split_head_half_bias"].items():
        np.testing.assert_allclose(fusion.split_logits(features)[name].detach().numpy(), expected, **TOLERANCE)


@pytest.mark.parametrize("number", [0, 1])
def test_umt_by_the_mean_over_elements(number: int) -> None:
    case = golden("umt")
    expected = case["toolkit_mean_over_all_elements"][number]
    student = {name: tensor(z).requires_grad_() for name, z in case["inputs"]["student_features"].items()}
    teachers = {name: tensor(z) for name, z in case["inputs"]["teacher_features"].items()}
    fusion = late(student, np.zeros((3, 6)), np.zeros(3))
    method = Umt(
        TrialSpec(dataset="d", method="umt"), info(student, 3), fusion, UmtHyperparameters(weight=expected["scaling"])
    )
    method.receive({name: {} for name in student})
    # The teachers' encoders here are the identity, so their features are the batch's inputs.
    terms = method.losses(student, batch(teachers, case["inputs"]["labels"]))
    cross_entropy = method.criterion(tensor(case["inputs"]["fused_logits"]), torch.tensor(case["inputs"]["labels"]))
    np.testing.assert_allclose(cross_entropy.item(), case["cross_entropy"], **TOLERANCE)
    distilled = sum((t.weight * t.mean for name, t in terms.items() if name != "joint"), start=torch.zeros(()))
    np.testing.assert_allclose(cross_entropy.item() + distilled.item(), expected["loss"], **TOLERANCE)
    distilled.backward()  # type: ignore[no-untyped-call]
    for name, gradient in expected["grad_features"].items():
        np.testing.assert_allclose(student[name].grad, gradient, **TOLERANCE)


def test_a_modality_that_is_not_there_counts_as_a_zero_feature() -> None:
    case = golden("mtl")
    features = {"m1": tensor(case["h1"]), "m2": tensor(case["h2"])}
    fusion = late(features, case["W"], case["b"])
    method = Naive(TrialSpec(dataset="d", method="naive"), info(features, 2), fusion, None)
    alone = method.predict({"m1": features["m1"]}, Pattern(["m1"]))
    zeroed = fusion.fused_logits({"m1": features["m1"], "m2": torch.zeros_like(features["m2"])})
    assert alone is not None
    torch.testing.assert_close(alone, zeroed, rtol=0, atol=0)
