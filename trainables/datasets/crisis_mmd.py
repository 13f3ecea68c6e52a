"""CrisisMMD v2.0, humanitarian task: tweets of seven disasters with their pictures (Alam et al., 2018)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from trainables.api_data import DatasetCard
from trainables.api_files import (
    Audit,
    ImageTextDataset,
    ImageTextParams,
    RawDataError,
    Sample,
    Tree,
    index_text,
    read_member,
    tab_rows,
    to_text,
)
from trainables.decoding.texts import repair_mojibake
from trainables.params import number, one_of, switch

__all__ = ["CrisisMmd"]

_SPLITS = {"train": "train", "dev": "val", "test": "test"}
_MERGED = {"injured_or_dead_people", "missing_or_found_people", "vehicle_damage"}
"""Classes that the merge to five puts into others."""


class _Variant(NamedTuple):
    """Which tables, in which inner archive, which column of them, and how many rows train, dev and test have."""

    table: str
    archive: str
    label: str
    sizes: tuple[int, int, int]


_ALL = ("task_humanitarian_text_img_{}.tsv", "crisismmd_datasplit_all.zip")
_AGREED = ("task_humanitarian_text_img_agreed_lab_{}.tsv", "crisismmd_datasplit_agreed_label.zip")
_VARIANTS = {
    "all": _Variant(*_ALL, "label", (13_608, 2_237, 2_237)),
    "agreed8": _Variant(*_AGREED, "label", (6_126, 998, 955)),
    "agreed5": _Variant(*_AGREED, "label_text", (6_126, 998, 955)),
}


@dataclass(frozen=True, kw_only=True)
class CrisisMmdParams(ImageTextParams):
    """Which tweets and classes.

    Attributes:
        tokens: the most that are kept of a tweet.
        variant: `all` tweets with eight classes, as MMPT; those whose text and picture got the same label, with eight
            classes (`agreed8`) or merged to five (`agreed5`).
        repair: undo the double encoding of the tweets that have it; by default they stay as they were published.
    """

    tokens: int = number(40, 1, 8192)
    variant: str = one_of(*_VARIANTS)
    repair: bool = switch(default=False)


class CrisisMmd(ImageTextDataset):
    """13,608 / 2,237 / 2,237 pictures with the tweets that they came with; a tweet may have several, in one split.

    The tables are read where they lie: unpacked in any folder, or still in the archive inside the archive.
    """

    card = DatasetCard(
        title="CrisisMMD v2.0",
        task="humanitarian category of a tweet and its picture (8 classes, or 5 in agreed5; macro F1)",
        licence="CC BY-NC-SA 4.0, and Twitter's terms",
        source="CrisisMMD_v2.0.tar.gz of https://crisisnlp.qcri.org, 1.8 GB",
        notes="MMPT, late fusion, macro F1: naive both 42.0, text 36.1, image 34.2; experts 37.8 and 33.9. Of "
        "missing_or_found_people the test split has 5 samples. The splits of the other tasks hold other pictures.",
    )
    Params = CrisisMmdParams
    classes = (
        *("affected_individuals", "infrastructure_and_utility_damage", "injured_or_dead_people"),
        *("missing_or_found_people", "not_humanitarian", "other_relevant_information"),
        *("rescue_volunteering_or_donation_effort", "vehicle_damage"),
    )
    layout = """
    CrisisMMD_v2.0/
      data_image/<event>/<d_m_yyyy>/<tweet>_<k>.jpg
      crisismmd_datasplit_all.zip              with task_humanitarian_text_img_train.tsv, ..._dev.tsv, ..._test.tsv
      crisismmd_datasplit_agreed_label.zip     with task_humanitarian_text_img_agreed_lab_train.tsv, ...
    the zip files may be unpacked, into any folder
    """
    markers = ("data_image",)
    max_duplicates = 0.005
    """Retweets of which only the cut-off end differs."""

    def class_names(self) -> tuple[str, ...]:
        """All eight, or the five to which they are merged."""
        merged = _MERGED if self.params.variant == "agreed5" else set()
        return tuple(name for name in self.classes if name not in merged)

    def expected_sizes(self) -> Mapping[str, int]:
        """Those of the variant."""
        return MappingProxyType(dict(zip(_SPLITS.values(), _VARIANTS[self.params.variant].sizes, strict=True)))

    def index(self, tree: Tree, audit: Audit) -> Iterator[Sample]:
        """Follow the three tables."""
        variant = _VARIANTS[self.params.variant]
        columns = ("tweet_id", "image_id", "tweet_text", "image", variant.label)
        for name, split in _SPLITS.items():
            where, text = _table(tree, variant.table.format(name), variant.archive, audit)
            for row in tab_rows(text, where, columns, audit):
                tweet = repair_mojibake(row["tweet_text"]) if self.params.repair else row["tweet_text"]
                media = {"image": row["image"], "text": tweet}
                yield Sample(row["image_id"], split, row[variant.label], media, row["tweet_id"])


def _table(tree: Tree, name: str, archive: str, audit: Audit) -> tuple[str, str]:
    """Return where a table is, and its text: the first of its name in the tree, or else in the inner archive."""
    places = {path.rpartition("/")[2]: path for path in reversed(list(tree.sizes))}
    if name in places:
        return places[name], index_text(tree, places[name], audit)
    data = read_member(tree, places[archive], name) if archive in places else None
    if data is None:
        raise RawDataError(f"{tree.root} has no {name}, neither unpacked nor in {archive}")
    where = f"{places[archive]}/{name}"
    return where, to_text(data, where, audit) or ""
