"""The MMPT testbed: a score per availability pattern, and stochastic logit fusion for any test-time missing rates."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from results.counts import Counts, contributions
from results.draws import available
from results.metrics import metric_named
from results.missing_masks import Doubles, pattern_masks
from results.missing_protocols import protocol_named
from results.pattern_shares import possible_patterns
from results.schema import Ints, Logits, Samples, TrialRecord
from search_spaces.errors import InvalidValueError, MmptError
from search_spaces.missing_rates import INDEPENDENT, MissingRates
from search_spaces.modality import Pattern

__all__ = ["SEEDS", "MissingLogitsError", "Profile", "simulate"]

SEEDS = range(100)
"""Seeds of the test-time draws; MMPT averages over 100."""

_CHUNK_DRAWS = 4_000_000  # draws held at a time per modality: 32 MB
_EXACT_FLOAT32 = 2**24  # float32 counts every integer below this exactly


class MissingLogitsError(MmptError):
    """A missing rate asks for a pattern whose logits nothing has stored."""


def _order(own: Sequence[str], ids: Sequence[str]) -> npt.NDArray[np.int64] | None:
    """Return the rows of `own` in the order of `ids`, or None unless each id is in both exactly once."""
    if own == ids and len(set(ids)) == len(ids):
        return np.arange(len(ids))
    rows = {sample_id: row for row, sample_id in enumerate(own)}
    if not len(own) == len(rows) == len(ids) or rows.keys() != set(ids):
        return None
    return np.array([rows[sample_id] for sample_id in ids], dtype=np.int64)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Predictions on one split under several patterns, of one trial or put together from several.

    Attributes:
        modalities: of the data set, sorted.
        sample_ids: (N,) of the split.
        targets: (N,) or (N, C).
        parts: pattern -> (N, 2 C + 1) contributions of each sample to the counts.
    """

    modalities: tuple[str, ...]
    sample_ids: tuple[str, ...]
    targets: Ints
    parts: Mapping[Pattern, npt.NDArray[np.bool_]]

    @classmethod
    def of(cls, record: TrialRecord, samples: Samples, *, split: str = "test", route: str = "probe") -> Self:
        """Read a trial, its rows put in the data set's order.

        Raises:
            MmptError: the trial's samples are not exactly those of the split, or a logit is not finite.
        """
        return cls.read(record.trial_id, (record.logits, record.sample_ids), samples, split=split, route=route)

    @classmethod
    def read(
        cls, trial_id: str, logits: Logits, samples: Samples, *, split: str = "test", route: str = "probe"
    ) -> Self:
        """Do the same with the logits alone."""
        values, sample_ids = logits
        ids, targets = samples.split(split)
        order = _order(sample_ids.get(split, []), ids)
        if order is None:
            raise MmptError(f"trial {trial_id}: its {split} samples are not those of {samples.fingerprint}")
        parts = {}
        for key, own in values.items():
            if (key.route, key.split) == (route, split):
                if not np.isfinite(own).all():
                    raise MmptError(f"trial {trial_id}: logits of {key} are not all finite")
                parts[Pattern.from_key(key.pattern)] = contributions(own[order], targets)
        return cls(modalities=tuple(sorted(samples.modalities)), sample_ids=tuple(ids), targets=targets, parts=parts)

    @classmethod
    def put_together(cls, sources: Mapping[Pattern, "Profile"]) -> Self:
        """Take each pattern from a profile of its own; all must be on the same samples in the same order.

        Raises:
            MmptError: they are not, or a profile lacks the pattern it is to give.
        """
        first = next(iter(sources.values()))
        if any(source.sample_ids != first.sample_ids for source in sources.values()):
            raise MmptError("profiles on different samples cannot be put together")
        parts = {pattern: source.part(pattern) for pattern, source in sources.items()}
        return cls(modalities=first.modalities, sample_ids=first.sample_ids, targets=first.targets, parts=parts)

    def part(self, pattern: Pattern) -> npt.NDArray[np.bool_]:
        """Return a pattern's contributions.

        Raises:
            MissingLogitsError: it has none.
        """
        if pattern not in self.parts:
            stored = ", ".join(sorted(known.key for known in self.parts)) or "none"
            raise MissingLogitsError(f"no logits for the pattern {pattern.key}; stored: {stored}")
        return self.parts[pattern]

    def score(self, pattern: Pattern, metric: str = "macro_f1") -> float:
        """Return a metric when exactly this pattern is available: one column of MMPT's tables."""
        return float(metric_named(metric).of(Counts.of(self.part(pattern).sum(axis=0), self.targets)))

    def simulate(
        self,
        rates: Sequence[MissingRates],
        seeds: Sequence[int] = SEEDS,
        metric: str = "macro_f1",
        missing: str = INDEPENDENT,
    ) -> Doubles:
        """Return a metric under test-time missing rates, (len(rates), len(seeds)); see `simulate`."""
        values: Doubles = simulate([self], rates, seeds, metric, missing)[0]
        return values

    def expected(self, rates: Sequence[MissingRates], metric: str, missing: str = INDEPENDENT) -> Doubles:
        """Return the exact expectation of a metric under test-time missing rates, (len(rates),).

        Raises:
            InvalidValueError: the metric is not linear in the samples, so that its expectation has to be simulated,
                or the protocol has no such rate.
            MissingLogitsError: a rate needs a pattern that has no logits.
        """
        protocol = protocol_named(missing)
        if not (metric_named(metric).linear or protocol.averages_patterns):
            raise InvalidValueError("metric", metric, "one that is a mean over samples, such as 'accuracy'")
        values = []
        for rate in rates:
            shares = protocol.shares(self.modalities, protocol.settle(rate, self.modalities), len(self.sample_ids))
            values.append(sum(share * self.score(pattern, metric) for pattern, share in shares.items()))
        return np.array(values)

    def simulate_with(self, draws: Mapping[str, Doubles], rates: MissingRates, metric: str = "macro_f1") -> Doubles:
        """Return a metric, (S,), for given uniform draws: modality -> (S, N); a modality goes missing independently."""
        settled = rates.resolve(self.modalities)
        possible = possible_patterns(self.modalities, settled)
        kept = available({name: draws[name] for name in self.modalities}, settled)
        sums = _sums([self], pattern_masks(kept, self.modalities, settled, possible))[:, 0]
        return metric_named(metric).of(Counts.of(sums, self.targets))


def simulate(
    profiles: Sequence[Profile],
    rates: Sequence[MissingRates],
    seeds: Sequence[int] = SEEDS,
    metric: str = "macro_f1",
    missing: str = INDEPENDENT,
) -> Doubles:
    """Return a metric under test-time missing rates, (len(profiles), len(rates), len(seeds)).

    Stochastic logit fusion (MMPT section 2.2 and appendix B): each sample loses modalities as the protocol `missing`
    says, by default independently of each other, and is predicted by the logits stored for what it is left with. The
    profiles are on the same samples in the same order.

    Raises:
        MmptError: the profiles are on different samples.
        MissingLogitsError: a rate needs a pattern that has no logits.
        UnknownNameError: no such metric or protocol, or a rate names a modality that the data set lacks.
        InvalidValueError: the protocol has no such rate.
    """
    scored, protocol, first = metric_named(metric), protocol_named(missing), profiles[0]
    if any(profile.sample_ids != first.sample_ids for profile in profiles):
        raise MmptError("profiles on different samples cannot be simulated together")
    if protocol.averages_patterns:
        exact = np.array([profile.expected(rates, metric, missing) for profile in profiles])
        return np.repeat(exact[..., None], len(seeds), axis=2)
    settled = [protocol.settle(rate, first.modalities) for rate in rates]
    among = [sorted(protocol.shares(first.modalities, rate, len(first.sample_ids))) for rate in settled]
    values = np.empty((len(profiles), len(rates), len(seeds)))
    step = max(1, _CHUNK_DRAWS // max(1, len(first.sample_ids)))
    for start in range(0, len(seeds), step):
        chunk = seeds[start : start + step]
        for row, (rate, possible) in enumerate(zip(settled, among, strict=True)):
            kept = protocol.kept(first.sample_ids, first.modalities, rate, chunk, "test")
            sums = _sums(profiles, pattern_masks(kept, first.modalities, rate, possible))
            values[:, row, start : start + len(chunk)] = scored.of(Counts.of(sums, first.targets)).T
    return values


def _sums(
    profiles: Sequence[Profile], masks: Iterable[tuple[Pattern, npt.NDArray[np.bool_]]]
) -> npt.NDArray[np.floating]:
    """Sum what each sample contributes under the pattern it is left with, (S, K, 2 C + 1), by one matmul a pattern."""
    dtype = np.float32 if len(profiles[0].sample_ids) < _EXACT_FLOAT32 else np.float64
    sums: npt.NDArray[np.floating] = np.zeros(1, dtype=dtype)
    for pattern, mask in masks:
        parts = np.hstack([profile.part(pattern) for profile in profiles])
        sums = sums + mask.astype(dtype) @ parts.astype(dtype)
    return sums.reshape(len(sums), len(profiles), -1)
