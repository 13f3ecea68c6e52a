"""Lists of clips with splits and labels: repeated ones, and a validation part where a list has none."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from trainables.api_files import Audit, stratified_split

__all__ = ["ListedClip", "with_validation", "without_repeats"]

_FIRST = ("test", "val", "train")
_VALIDATION = 0.1


class ListedClip(NamedTuple):
    """One entry of a list."""

    name: str
    split: str
    label: str


def without_repeats(listed: Iterable[ListedClip], audit: Audit) -> Iterator[ListedClip]:
    """Yield every clip once: of several entries the first of the test part, else of validation, else of training."""
    seen: dict[str, str] = {}
    for clip in sorted(listed, key=lambda clip: _FIRST.index(clip.split)):
        if clip.name in seen:
            audit.add("dup_id" if seen[clip.name] == clip.split else "cross_split_dup", clip.name)
        else:
            seen[clip.name] = clip.split
            yield clip


def with_validation(listed: list[ListedClip]) -> list[ListedClip]:
    """Return the list with a tenth of the training part, of every class, as validation, if it has none."""
    if any(clip.split == "val" for clip in listed):
        return listed
    labels = {clip.name: clip.label for clip in listed if clip.split == "train"}
    parts = stratified_split(labels, {"train": 1 - _VALIDATION, "val": _VALIDATION}, key="validation")
    return [clip._replace(split=parts.get(clip.name, clip.split)) for clip in listed]
