"""What a user's own table says: samples, modalities, classes; and a validation split where the table has none."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from search_spaces.errors import InvalidValueError, UnknownNameError
from search_spaces.modality import Modality
from trainables.api_data import Kind
from trainables.preparing.manifest import Sample
from trainables.preparing.splitting import stratified_split
from trainables.preparing.tree import RawDataError

__all__ = ["KINDS", "Listing", "check_modality", "classes_of", "read_split", "with_validation"]

KINDS: tuple[Kind, ...] = ("audio", "image", "text", "vector")
_SPLITS = MappingProxyType(
    {"train": "train", "val": "val", "validation": "val", "valid": "val", "dev": "val", "test": "test"}
)
_SHARES = MappingProxyType({"train": 0.9, "val": 0.1})
_FEWEST_OF_A_CLASS = 10  # below, a tenth of a class is nobody
_RESERVED = "joint"  # a spec's `encoders` has the backbone under this name


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A table that was read, without anything that it points to.

    Attributes:
        kinds: modality -> what it is.
        classes: in their order.
        multi_label: whether a sample may have any number of them.
        samples: in the table's order.
    """

    kinds: Mapping[str, Kind]
    classes: tuple[str, ...]
    multi_label: bool
    samples: Sequence[Sample]


def check_modality(name: str, where: str) -> str:
    """Return a modality's name.

    Raises:
        InvalidValueError: it cannot be one.
    """
    try:
        Modality(name)
    except InvalidValueError as error:
        raise InvalidValueError(where, name, "a modality in snake_case, such as image:poster") from error
    if name == _RESERVED:
        raise InvalidValueError(where, name, "another name for the modality")
    return name


def read_split(text: str, sample_id: str) -> str:
    """Return train, val or test for any usual spelling.

    Raises:
        UnknownNameError: it is none.
    """
    if text.strip().lower() not in _SPLITS:
        raise UnknownNameError(f"split of sample {sample_id}", text, _SPLITS)
    return _SPLITS[text.strip().lower()]


def classes_of(labels: Iterable[str], where: str) -> tuple[str, ...]:
    """Return the labels that occur, numbers in their order and names in alphabetical order.

    Raises:
        RawDataError: there are fewer than two.
    """
    found = sorted(set(labels))
    if found and all(label.isdecimal() for label in found):
        found = sorted(found, key=int)
    if len(found) < 2:  # noqa: PLR2004 (one class is no task)
        raise RawDataError(f"{where} has {len(found)} classes; a data set needs at least two")
    return tuple(found)


def with_validation(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Return the samples, a tenth of train as val if there is no val.

    It is drawn by group, or by sample id where there are no groups, evenly over the classes if each has ten samples.
    """
    if any(sample.split == "val" for sample in samples):
        return samples
    train = [sample for sample in samples if sample.split == "train"]
    counts = Counter(sample.label for sample in train if isinstance(sample.label, str))
    grouped = any(sample.group for sample in train)
    by_class = not grouped and min(counts.values(), default=0) >= _FEWEST_OF_A_CLASS
    strata = {sample.group or sample.sample_id: str(sample.label) if by_class else "" for sample in train}
    parts = stratified_split(strata, _SHARES, key="validation")
    drawn = {name for name, part in parts.items() if part == "val"}
    return [
        sample._replace(split="val")
        if sample.split == "train" and (sample.group or sample.sample_id) in drawn
        else sample
        for sample in samples
    ]
