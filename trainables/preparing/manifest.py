"""The index of a raw data set: which samples there are, in which split, with which label, made of which files."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from search_spaces.spec import canonical_json
from search_spaces.splits import SPLITS

__all__ = ["Manifest", "Media", "Sample"]

Media = str | Sequence[Any] | None
"""What a modality of a sample is read from: a text, a relative path, a tuple of those; None if there is nothing."""


class Sample(NamedTuple):
    """One sample before anything of it is decoded.

    Attributes:
        sample_id: unique in the data set and stable, since missing masks are drawn from it.
        split: `train`, `val` or `test`.
        label: name of its class, or of all its classes in a multi-label data set.
        media: modality -> what it is read from. One that the sample never had is left out or None; in a `Manifest`
            None stands for a listed file that is not there.
        group: what must not be shared between splits (speaker, film, tweet), or "".
    """

    sample_id: str
    split: str
    label: str | Sequence[str]
    media: Mapping[str, Media]
    group: str = ""


@dataclass(frozen=True)
class Manifest:
    """Samples in the order of their splits and ids, whatever order the files had.

    Attributes:
        samples: sorted.
        identities: per sample and modality what identifies its content (a text itself, a file's size), or None.
    """

    samples: tuple[Sample, ...]
    identities: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, found: Iterable[tuple[Sample, Mapping[str, Any]]]) -> "Manifest":
        """Sort pairs of a sample and its identities."""
        places = {split: place for place, split in enumerate(SPLITS)}
        ordered = sorted(found, key=lambda pair: (places.get(pair[0].split, len(places)), pair[0].sample_id))
        return cls(tuple(sample for sample, _ in ordered), tuple(identities for _, identities in ordered))

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of everything in it; paths do not count, so equal data in another tree is equal."""
        digest = hashlib.sha256()
        for sample, identities in zip(self.samples, self.identities, strict=True):
            label = sample.label if isinstance(sample.label, str) else list(sample.label)
            row = [sample.sample_id, sample.split, label, sample.group, dict(identities)]
            digest.update(canonical_json(row).encode() + b"\n")
        return digest.hexdigest()
