"""Small data sets with a known answer and methods that misbehave on purpose, for every test that trains."""

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from search_spaces import TrialSpec
from trainables.api import (
    Batch,
    DataInfo,
    Dataset,
    DatasetCard,
    Encoder,
    Features,
    InputInfo,
    Method,
    MethodCard,
    RawData,
    Term,
)
from trainables.methods.naive import Naive
from trainables.params import number

WIDTH = 6
QUICK = {"epochs": 2, "batch_size": 32, "patience": 0, "warmup": 0.0}


class NormalisingToy(Encoder):
    """Batch normalisation and drop-out: an encoder that differs between training and evaluation."""

    accepts = ("vector",)
    width = 5

    def __init__(self, info: InputInfo, source: str | None = None) -> None:
        super().__init__(info, source)
        layers = (
            nn.Linear(info.shape[0], 16, bias=False),
            nn.BatchNorm1d(16),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(16, 5),
        )
        self.layers = nn.Sequential(*layers)

    def forward(self, inputs: Tensor) -> Tensor:
        z: Tensor = self.layers(inputs)
        return z


@dataclass(frozen=True)
class ToyParams:
    noise: float = number(0.5, 0.0, 10.0)


class ToyPair(Dataset):
    """Four classes: `left` tells the upper bit, `right` the lower one, so only both together tell the class."""

    card = DatasetCard(title="ToyPair", task="two bits", licence="none", source="made here")
    Params = ToyParams
    default_encoders = MappingProxyType({"left": "mlp_tiny", "right": "mlp_tiny"})
    num_classes = 4
    multi_label = False

    @classmethod
    def modalities(cls) -> tuple[str, ...]:
        return ("left", "right")

    def info(self) -> DataInfo:
        inputs = {name: InputInfo(kind="vector", shape=(WIDTH,)) for name in self.modalities()}
        names = [f"class{index}" for index in range(self.num_classes)]
        return DataInfo(dataset="toy", inputs=inputs, class_names=names, multi_label=self.multi_label)

    def content(self) -> Mapping[str, str]:
        return {}

    def load(self) -> RawData:
        generator = np.random.default_rng(7)
        bits = generator.integers(0, 2, size=(280, len(self.modalities())))
        signs = 2.0 * bits - 1.0
        inputs = {
            name: (signs[:, [column]] + self.params.noise * generator.normal(size=(280, WIDTH))).astype(np.float32)
            for column, name in enumerate(self.modalities())
        }
        return RawData(
            sample_ids=[f"toy{index}" for index in range(280)],
            splits=["train"] * 160 + ["val"] * 60 + ["test"] * 60,
            groups=[""] * 280,
            targets=self._targets(bits),
            inputs=inputs,
        )

    def _targets(self, bits: Any) -> Any:
        return bits @ np.array([2, 1])


class ToyTriple(ToyPair):
    """Three modalities, three labels: each modality tells one of them."""

    card = DatasetCard(title="ToyTriple", task="three bits", licence="none", source="made here")
    default_encoders = MappingProxyType(dict.fromkeys(("left", "middle", "right"), "mlp_tiny"))
    num_classes = 3
    multi_label = True

    @classmethod
    def modalities(cls) -> tuple[str, ...]:
        return ("left", "middle", "right")

    def _targets(self, bits: Any) -> Any:
        return bits.astype(np.int64)


class ToyPairMulti(ToyPair):
    """Two modalities, two labels: each modality tells one of them."""

    card = DatasetCard(title="ToyPairMulti", task="two bits", licence="none", source="made here")
    num_classes = 2
    multi_label = True

    def _targets(self, bits: Any) -> Any:
        return bits.astype(np.int64)


class ToyTripleSingle(ToyTriple):
    """Three modalities, eight classes: only all together tell the class."""

    card = DatasetCard(title="ToyTripleSingle", task="three bits", licence="none", source="made here")
    num_classes = 8
    multi_label = False

    def _targets(self, bits: Any) -> Any:
        return bits @ np.array([4, 2, 1])


class ToySolo(ToyPair):
    """A single modality."""

    card = DatasetCard(title="ToySolo", task="a bit", licence="none", source="made here")
    default_encoders = MappingProxyType({"left": "mlp_tiny"})
    num_classes = 2

    @classmethod
    def modalities(cls) -> tuple[str, ...]:
        return ("left",)

    def _targets(self, bits: Any) -> Any:
        return bits[:, 0]


class ToyAbsentClass(ToyPair):
    """No training sample is of the last class; validation and test have it."""

    card = DatasetCard(title="ToyAbsentClass", task="two bits", licence="none", source="made here")

    def load(self) -> RawData:
        raw = super().load()
        is_train = np.array([split == "train" for split in raw.splits])
        return replace(raw, targets=np.where(is_train & (raw.targets == 3), 2, raw.targets))


class Raising(Naive):
    """Fails in its first step."""

    card = MethodCard(title="Raising", paper="none", idea="fail")

    def losses(self, features: Features, batch: Batch) -> dict[str, Term]:
        raise ValueError("the method raised on purpose")


class Diverging(Naive):
    """Its loss is NaN."""

    card = MethodCard(title="Diverging", paper="none", idea="yield NaN")

    def losses(self, features: Features, batch: Batch) -> dict[str, Term]:
        terms = super().losses(features, batch)
        return {name: Term(term.mean * float("nan"), term.count) for name, term in terms.items()}


class Student(Naive):
    """Starts from the weights of a finished naive trial."""

    card = MethodCard(title="Student", paper="none", idea="start from naive")
    teacher = "naive"

    @classmethod
    def requires(cls, spec: TrialSpec, hyperparameters: Any, modalities: tuple[str, ...]) -> Mapping[str, TrialSpec]:
        return {"teacher": spec.replace(method=cls.teacher, method_params={})}

    def receive(self, weights: Mapping[str, Mapping[str, Tensor]]) -> None:
        self.load_state_dict(weights["teacher"])


class Orphan(Student):
    """Requires a trial that fails."""

    card = MethodCard(title="Orphan", paper="none", idea="require a failure")
    teacher = "raising"


class GrandOrphan(Student):
    """Requires a trial that is skipped."""

    card = MethodCard(title="GrandOrphan", paper="none", idea="require a skipped trial")
    teacher = "orphan"


class CircleOne(Student):
    card = MethodCard(title="CircleOne", paper="none", idea="require circle_two")
    teacher = "circle_two"


class CircleTwo(Student):
    card = MethodCard(title="CircleTwo", paper="none", idea="require circle_one")
    teacher = "circle_one"


class Suicidal(Naive):
    """Kills its own process, as the kernel does when memory runs out."""

    card = MethodCard(title="Suicidal", paper="none", idea="die")

    def losses(self, features: Features, batch: Batch) -> dict[str, Term]:
        os.kill(os.getpid(), signal.SIGKILL)
        return super().losses(features, batch)


def following(method: Method) -> bool:
    """Tell whether this process is a worker of a trial that another one leads."""
    workers = getattr(method.fusion.spread, "__self__", None)
    return workers is not None and workers.rank > 0


class FailingFollower(Naive):
    """Fails on every worker but the leading one."""

    card = MethodCard(title="FailingFollower", paper="none", idea="fail on one worker")

    def losses(self, features: Features, batch: Batch) -> dict[str, Term]:
        if following(self):
            raise ValueError("this worker raised on purpose")
        return super().losses(features, batch)


class DyingFollower(Naive):
    """Kills a worker that does not lead, once: where the file that `TOY_MARK` names does not exist."""

    card = MethodCard(title="DyingFollower", paper="none", idea="kill one worker")

    def losses(self, features: Features, batch: Batch) -> dict[str, Term]:
        mark = Path(os.environ["TOY_MARK"])
        if following(self) and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().losses(features, batch)


class Limited(Naive):
    """Supports little: one fusion, one task type, two modalities."""

    card = MethodCard(title="Limited", paper="none", idea="refuse")
    fusions = ("late",)
    task_types = ("single-label",)
    fewest_modalities = 2
    most_modalities = 2


DATASETS = (ToyPair, ToyTriple, ToyPairMulti, ToyTripleSingle, ToySolo, ToyAbsentClass)
METHODS: tuple[type[Method], ...] = (
    Raising,
    Diverging,
    Student,
    Orphan,
    GrandOrphan,
    CircleOne,
    CircleTwo,
    Suicidal,
    FailingFollower,
    DyingFollower,
    Limited,
)


def spec(method: str = "naive", dataset: str = "toy_pair", **changes: Any) -> TrialSpec:
    """A trial on a toy that takes a fraction of a second."""
    return TrialSpec(dataset=dataset, method=method, **{**QUICK, **changes})


def random_features(rows: int, widths: Mapping[str, int]) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(rows, width, generator=generator, dtype=torch.float64) for name, width in widths.items()}
