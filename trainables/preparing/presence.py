"""Which of the files that an index names are there, and which it names twice."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from trainables.preparing.audit import Audit
from trainables.preparing.manifest import Sample
from trainables.preparing.reader import Reader
from trainables.preparing.tree import Tree

__all__ = ["named_twice", "what_is_there"]


def what_is_there(
    sample: Sample, readers: Mapping[str, Reader], tree: Tree, audit: Audit
) -> tuple[Sample, dict[str, Any]]:
    """Return the sample without what is not there, which is recorded, and what identifies its content."""
    media: dict[str, Any] = {}
    identities: dict[str, Any] = {}
    for name, reader in sorted(readers.items()):
        value = sample.media.get(name)
        if value is None:
            continue  # the sample never had it; a listed file that is not there stays in the listing, as None
        identity = reader.identity(value, tree)
        if identity is None:
            audit.add("missing_file", reader.where(value) or sample.sample_id)
        media[name], identities[name] = (None if identity is None else value), identity
    return sample._replace(media=media), identities


def named_twice(samples: Sequence[Sample], readers: Mapping[str, Reader]) -> set[str]:
    """Return the files that are the same modality of several samples."""
    found: set[str] = set()
    for name, reader in readers.items():
        media = [value for sample in samples if (value := sample.media.get(name)) is not None]
        named = [(where, repr(value)) for value in media if (where := reader.where(value))]
        times = Counter(value for _, value in named)
        found |= {where for where, value in named if times[value] > 1}
    return found
