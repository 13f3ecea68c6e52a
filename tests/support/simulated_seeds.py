"""A made-up population of trained models and test samples whose true scores are known."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from results.counts import contributions
from results.metrics import score

METRICS = ("macro_f1", "accuracy")
SHARES = np.array([0.5, 0.27, 0.15, 0.08])
NUM_CLASSES = len(SHARES)
Bools = npt.NDArray[np.bool_]
Logits = npt.NDArray[np.float32]


class Population:
    """Trained models with a skill and a bias to each class of their own.

    A logit is skill * [class is right] + bias + what is hard about the sample for all models (standard deviation 0.7)
    + for all seeds of a method (0.4) + for this model (0.6). The models are a finite set from which seeds are drawn
    with replacement, so that the expected score over seeds is the mean over the set, without error of its own.
    """

    def __init__(self, skill_spread: float, bias_spread: float, models: int = 50, large: int = 100_000) -> None:
        random = np.random.default_rng(5)
        self.skills = 1.3 + skill_spread * random.standard_normal(models)
        self.biases = bias_spread * random.standard_normal((models, NUM_CLASSES))
        self.truth = {metric: np.empty(models) for metric in METRICS}
        for model in range(models):
            targets, difficulty = self.samples(random, large)
            logits = self.logits(random, targets, self.as_seen(random, difficulty), model)
            for metric in METRICS:
                self.truth[metric][model] = score(logits, targets, metric)

    def samples(self, random: np.random.Generator, number: int) -> tuple[npt.NDArray[np.int64], Logits]:
        difficulty = np.float32(0.7) * random.standard_normal((number, NUM_CLASSES), dtype=np.float32)
        return random.choice(NUM_CLASSES, number, p=SHARES), difficulty

    def as_seen(self, random: np.random.Generator, difficulty: Logits) -> Logits:
        """Add what is hard for one method."""
        return difficulty + np.float32(0.4) * random.standard_normal(difficulty.shape, dtype=np.float32)

    def logits(
        self, random: np.random.Generator, targets: npt.NDArray[np.int64], difficulty: Logits, model: int
    ) -> Logits:
        own = self.biases[model] + 0.6 * random.standard_normal(difficulty.shape, dtype=np.float32)
        logits: Logits = (self.skills[model] * np.eye(NUM_CLASSES)[targets] + difficulty + own).astype(np.float32)
        return logits

    def method(
        self,
        random: np.random.Generator,
        targets: npt.NDArray[np.int64],
        difficulty: Logits,
        models: npt.NDArray[np.int64],
    ) -> list[Bools]:
        """Contributions of each seed of a method, given which model each seed has become."""
        seen = self.as_seen(random, difficulty)
        return [contributions(self.logits(random, targets, seen, int(model)), targets) for model in models]

    def draw(self, random: np.random.Generator, seeds: int) -> npt.NDArray[np.int64]:
        return random.integers(0, len(self.skills), seeds)


@lru_cache(maxsize=4)
def population(skill_spread: float = 0.12, bias_spread: float = 0.15) -> Population:
    """The default's macro F1 differs between seeds by a standard deviation of 0.03."""
    return Population(skill_spread, bias_spread)
