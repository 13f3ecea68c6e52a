"""MVSA-Single: the sentiment of tweets with one picture each (Niu et al., 2016)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType

from trainables.api_data import DatasetCard
from trainables.api_files import (
    MMBT_FILES,
    Audit,
    ImageTextDataset,
    ImageTextParams,
    Media,
    RawDataError,
    Sample,
    Tree,
    index_text,
    mmbt_rows,
    stratified_split,
    text_file,
)
from trainables.params import number, one_of

__all__ = ["MvsaSingle"]

_LABELS = "labelResultAll.txt"
_NEUTRAL = "neutral"
_SIZES = {"agree": {"train": 1_555, "val": 518, "test": 519}, "consensus": {}}
_SHARES = {
    "agree": {"train": 0.6, "val": 0.2, "test": 0.2},
    "consensus": {"train": 0.8, "val": 0.1, "test": 0.1},
}


@dataclass(frozen=True, kw_only=True)
class MvsaSingleParams(ImageTextParams):
    """Which tweets, and how they are divided.

    Attributes:
        tokens: the most that are kept of a tweet.
        labels: `agree` keeps the 2,592 tweets whose text and picture have the same label, as QMF and MLA; `consensus`
            also lets a neutral label give way to the other and leaves out positive against negative: 4,511 tweets.
        split: `qmf` for the train, dev and test.jsonl of QMF and MLA, which hold the tweets of `agree`; `seeded` for a
            draw per label, 60/20/20 (`agree`) or 80/10/10 (`consensus`, as its literature); `auto` for the files of
            QMF if they are there and hold the tweets asked for.
    """

    tokens: int = number(256, 1, 8192)
    labels: str = one_of(*_SHARES)
    split: str = one_of("auto", "qmf", "seeded")


class MvsaSingle(ImageTextDataset):
    """1,555 / 518 / 519 tweets; no split is official, and these are QMF's.

    Texts are those of the txt files, some of which are not UTF-8; QMF's copies of them, partly decoded with a wrong
    codec, only stand in for files that are not there.
    """

    card = DatasetCard(
        title="MVSA-Single",
        task="sentiment of a tweet and its picture (3 classes, accuracy)",
        licence="none stated; for academic use",
        source="MCRLab, or https://www.kaggle.com/datasets/vincemarcs/mvsasingle; the jsonl files come with QMF",
        notes="MLA, accuracy: concatenation both 76.3, text 75.2, image 27.3; MLA 79.9, 75.7 and 55.0. Retweets may "
        "be in several splits.",
    )
    Params = MvsaSingleParams
    classes = ("negative", _NEUTRAL, "positive")
    layout = """
    MVSA_Single/
      labelResultAll.txt            ID, then text and picture label: 1<tab>neutral,positive
      data/<id>.jpg, data/<id>.txt
    and, or instead of labelResultAll.txt, train.jsonl, dev.jsonl and test.jsonl of QMF
    """
    markers = (_LABELS, MMBT_FILES[0])
    max_duplicates = 0.02
    """Retweets with the same picture."""

    def expected_sizes(self) -> Mapping[str, int]:
        """Those of QMF."""
        return MappingProxyType(_SIZES[self.params.labels])

    def index(self, tree: Tree, audit: Audit) -> Iterator[Sample]:
        """Follow the files of QMF or the labels; files of ids that have no labels are reported."""
        pairs = _pairs(tree, audit) if tree.has(_LABELS) else {}
        if pairs:
            unlisted = (path for path in tree.sizes if path.startswith("data/") and _stem(path) not in pairs)
            audit.extend(("unlisted_file", path) for path in unlisted)
        if self._follows_qmf(tree):
            for row in mmbt_rows(tree, audit):
                name = _stem(row.image)
                yield Sample(name, row.split, row.label, _media(name, tree, audit, row.text))
            return
        if not pairs:
            raise RawDataError(f"{tree.root} has no {_LABELS} with labels")
        merge = _agreed if self.params.labels == "agree" else _consensus
        labels = {name: label for name, pair in pairs.items() if (label := merge(*pair))}
        splits = stratified_split(labels, _SHARES[self.params.labels])
        for name, label in labels.items():
            yield Sample(name, splits[name], label, _media(name, tree, audit))

    def _follows_qmf(self, tree: Tree) -> bool:
        if self.params.split == "auto":
            return self.params.labels == "agree" and all(map(tree.has, MMBT_FILES))
        if self.params.split == "qmf" and self.params.labels != "agree":
            raise RawDataError("QMF's files hold the tweets of mvsa_single.labels=agree only; take split=seeded")
        return bool(self.params.split == "qmf")


def _pairs(tree: Tree, audit: Audit) -> dict[str, tuple[str, str]]:
    """Return id -> (label of the text, label of the picture)."""
    pairs: dict[str, tuple[str, str]] = {}
    for line_number, line in enumerate(index_text(tree, _LABELS, audit).split("\n"), start=1):
        name, _, labels = line.strip().partition("\t")
        text, comma, image = labels.partition(",")
        if name in pairs:
            audit.add("dup_id", name)
        elif name.isdigit() and comma:
            pairs[name] = (text.strip(), image.strip())
        elif name not in {"", "ID"}:
            audit.add("bad_row", f"{_LABELS}:{line_number}")
    return pairs


def _agreed(text: str, image: str) -> str | None:
    return text if text == image else None


def _consensus(text: str, image: str) -> str | None:
    if _NEUTRAL in {text, image}:
        return image if text == _NEUTRAL else text
    return _agreed(text, image)


def _media(name: str, tree: Tree, audit: Audit, copied: str | None = None) -> dict[str, Media]:
    """Return picture and text of a tweet; `copied` is the text where its file is not there."""
    path = f"data/{name}.txt"
    text = copied if copied is not None and not tree.has(path) else text_file(tree, path, audit)
    # A text that cannot be had is an empty one, so that it counts towards the limit.
    return {"image": f"data/{name}.jpg", "text": (text or "").strip()}


def _stem(path: str) -> str:
    return PurePosixPath(path).stem
