"""N24News: pictures of New York Times articles with one of four views of their texts (Wang et al., 2022)."""

import html
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, ClassVar

from trainables.api_data import DatasetCard
from trainables.api_files import Audit, ImageTextDataset, RawDataError, Sample, Tree, json_index

__all__ = ["N24News", "card_of"]

_SPLITS = {"train": "train", "dev": "val", "test": "test"}


def card_of(view: str, notes: str = "") -> DatasetCard:
    """Return the card of one view."""
    return replace(
        _CARD,
        title=f"N24News, {view}",
        task=f"section of a news article from its picture and its {view} (24 classes, macro F1)",
        notes=f"{notes} {_CARD.notes}".strip(),
    )


class N24News(ImageTextDataset):
    """48,988 / 6,123 / 6,124 articles.

    An article is its `article_id`, with its `image_id` where that is another one; neither need be a UUID. HTML
    entities in texts are resolved.
    """

    keys: ClassVar[tuple[str, ...]]
    """Keys of a record; the first that has a text is the view."""
    classes = (
        *("Health", "Books", "Science", "Art & Design", "Television", "Style", "Travel", "Media", "Movies", "Food"),
        *("Dance", "Well", "Real Estate", "Fashion & Style", "Economy", "Technology", "Sports", "Your Money"),
        *("Theater", "Education", "Opinion", "Automobiles", "Music", "Global Business"),
    )
    layout = """
    N24News/
      news/nytimes_train.json, nytimes_dev.json, nytimes_test.json     each one list of articles
      imgs/<image_id>.jpg
    or the three lists beside imgs/ instead of in news/
    """
    markers = ("news/nytimes_train.json", "nytimes_train.json")
    official_sizes = MappingProxyType({"train": 48_988, "val": 6_123, "test": 6_124})
    max_duplicates = 0.001
    """Columns of every day repeat their headline and their picture."""

    def index(self, tree: Tree, audit: Audit) -> Iterator[Sample]:
        """Follow the three lists."""
        for name, split in _SPLITS.items():
            path = tree.first(f"news/nytimes_{name}.json", f"nytimes_{name}.json")
            if path is None:
                raise RawDataError(f"{tree.root} has neither news/nytimes_{name}.json nor nytimes_{name}.json")
            for place, record in enumerate(json_index(tree, path, list, audit)):
                if sample := self._article(record, split):
                    yield sample
                else:
                    audit.add("bad_row", f"{path}[{place}]")

    def _article(self, record: Any, split: str) -> Sample | None:
        about: Mapping[str, Any] = record if isinstance(record, dict) else {}
        article, image = (_text(about, key) for key in ("article_id", "image_id"))
        if not article and not image:
            return None
        name = "_".join(dict.fromkeys(part for part in (article, image) if part))
        text = next(filter(None, (_text(about, key) for key in self.keys)), "")
        media = {"image": f"imgs/{image or article}.jpg", "text": text}
        return Sample(name, split, _text(about, "section"), media, article or image)


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    return "" if value is None else html.unescape(str(value)).strip()


_CARD = DatasetCard(
    title="N24News",
    task="",
    licence="texts and pictures are the New York Times'; for research only",
    source="the archive that https://github.com/billywzh717/N24News links to",
    notes="The release has 61,235 articles; the paper and MMPT say 61,218. The body may begin with the caption.",
)
