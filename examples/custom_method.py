"""A method and a data set of your own, in one file, swept and tabulated in under a minute.

Run it with `python examples/custom_method.py [folder for the results]`.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from orchestrator.sweep import Sweep
from search_spaces import Grid, choice
from trainables.api import Batch, DataInfo, Dataset, DatasetCard, Features, InputInfo, MethodCard, RawData, Term
from trainables.methods.naive import Naive
from trainables.params import number


class TwoMoons(Dataset):
    """Three classes; a clear `map` and a noisy `sound` of the same thing."""

    card = DatasetCard(title="TwoMoons", task="3 classes", licence="CC0", source="generated")
    default_encoders = {"map": "mlp_tiny", "sound": "mlp_tiny"}  # noqa: RUF012 (read only)

    @classmethod
    def modalities(cls) -> tuple[str, ...]:
        """Its two modalities."""
        return ("map", "sound")

    def info(self) -> DataInfo:
        """Eight numbers per modality."""
        inputs = {name: InputInfo(kind="vector", shape=(8,)) for name in self.modalities()}
        return DataInfo(dataset="two_moons", inputs=inputs, class_names=["new", "half", "full"])

    def content(self) -> Mapping[str, str]:
        """Nothing is read from disk."""
        return {}

    def load(self) -> RawData:
        """Draw 600 samples."""
        generator = np.random.default_rng(0)
        targets = generator.integers(0, 3, 600)
        centres = generator.normal(size=(3, 8))
        noise = {"map": 1.0, "sound": 3.0}
        inputs = {
            name: (centres[targets] + scale * generator.normal(size=(600, 8))).astype(np.float32)
            for name, scale in noise.items()
        }
        return RawData(
            sample_ids=[f"night{index}" for index in range(600)],
            splits=["train"] * 300 + ["val"] * 100 + ["test"] * 200,
            groups=[""] * 600,
            targets=targets,
            inputs=inputs,
        )


@dataclass(frozen=True)
class FeaturePenaltyHyperparameters:
    """Attributes: strength: of the penalty."""

    strength: float = number(0.01, 0.0, 10.0)


class FeaturePenalty(Naive):
    """L = l(s, y) + strength * sum_m mean(z^m ** 2): naive training that keeps representations small."""

    card = MethodCard(title="Feature penalty", paper="this example", idea="Naive training with small features.")
    Hyperparameters = FeaturePenaltyHyperparameters

    def losses(self, features: Features, batch: Batch) -> dict[str, Term]:
        """Add one term per modality to the joint one."""
        strength = self.hyperparameters.strength
        penalties = {f"size_{name}": Term(z.square().mean(), len(batch), strength) for name, z in features.items()}
        return {**super().losses(features, batch), **penalties}


def main(store: str) -> None:
    """Compare the method with naive training at two missing rates and print the profile."""
    grid = Grid(
        {
            "dataset": "two_moons",
            "method": choice("naive", "feature_penalty"),
            "feature_penalty.strength": choice(0.001, 0.1),
            "p_train": choice(0.0, 0.3),
            "seed": choice(0, 1),
            "epochs": 5,
        }
    )
    sweep = Sweep(grid, store=store, tracking="none", methods=[FeaturePenalty], datasets=[TwoMoons])
    print(f"{len(sweep.plan().todo)} trials to train")
    sweep.run(inline=True)
    print(sweep.results().groupby(["method", "p_train", "label", "metric"])["value"].mean().unstack().round(3))
    print(sweep.table("mmpt_profile"))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "mmpt-example-store")
