"""Kinetics-Sounds: human actions that can be seen and heard (Arandjelovic and Zisserman, 2017)."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from trainables.api_files import (
    Audit,
    DatasetCard,
    FileDataset,
    RawDataError,
    Reader,
    Sample,
    Tree,
    index_text,
    json_index,
)
from trainables.datasets._clips import CLIP_ENCODERS, TINY_CLIPS, ClipParams, Clips, clip_readers
from trainables.datasets._listed_clips import ListedClip, with_validation, without_repeats

__all__ = ["KineticsSounds"]

_SUBSETS = {"training": "train", "validation": "val", "testing": "test"}
_ID_LETTERS = 11
_FIELDS = 3


class KineticsSounds(FileDataset):
    """31 of the 34 classes are left in Kinetics-400, and these are the ones that every paper uses.

    A clip is known by the first 11 letters of its names, its id on YouTube. Where a list has no validation part, a
    tenth of every class of the training part is drawn, by nothing but the clips' ids.
    """

    card = DatasetCard(
        title="Kinetics-Sounds",
        task="action in a clip from sound and frames (31 classes, accuracy)",
        licence="lists: CC BY 4.0; videos belong to those who uploaded them",
        source="https://github.com/cvdfoundation/kinetics-dataset, about 25 GB for these classes",
        notes="Copies differ, since clips vanish from YouTube: "
        "the audit has the clips found per class. Lists have 14,799 / 1,320 / 2,597 clips. Accuracy in U2A: sum 64.7, "
        "OGM-GE 65.7, MLA 71.4, MMLoRA 91.4, U2A 91.2.",
    )
    Params = ClipParams
    default_encoders = CLIP_ENCODERS
    default_backbone = "tvlt:ZinengTang/tvlt-base"
    presets = MappingProxyType({"tiny": TINY_CLIPS})
    classes = (
        *("blowing nose", "blowing out candles", "bowling", "chopping wood", "dribbling basketball", "laughing"),
        *("mowing lawn", "playing accordion", "playing bagpipes", "playing bass guitar", "playing clarinet"),
        *("playing drums", "playing guitar", "playing harmonica", "playing keyboard", "playing organ"),
        *("playing piano", "playing saxophone", "playing trombone", "playing trumpet", "playing violin"),
        *("playing xylophone", "ripping paper", "shoveling snow", "shuffling cards", "singing", "stomping grapes"),
        *("tap dancing", "tapping guitar", "tapping pen", "tickling"),
    )
    layout = """
    kinetics_sounds/
      KS_train_val.json                        or my_train.txt and my_test.txt
                                               or annotations/train.csv, val.csv, test.csv of Kinetics-400
      k400/train/<id>_000058_000068.mp4        any folder; files in a folder named replacement... win;
                                               needs PyAV: pip install 'mmpt-sweep[video]'
    or, instead of a video, what was extracted from it (ffmpeg -vf fps=1 and ffmpeg -vn -ac 1 -ar 16000):
      audio/<id>_000058_000068.wav and Image-01-FPS/<id>_000058_000068/00001.jpg, ... in any folder
    """
    markers = ("KS_train_val.json", "my_train.txt", "annotations/train.csv", "k400/annotations/train.csv")
    official_sizes = MappingProxyType({"train": 14_799, "val": 1_320, "test": 2_597})

    def readers(self) -> Mapping[str, Reader]:
        """Sound and frames."""
        return clip_readers(self.params)

    def index(self, tree: Tree, audit: Audit) -> Iterator[Sample]:
        """Follow the list; a clip of which nothing is there is left out and counted."""
        clips = Clips(tree, name_of=lambda name: name[:_ID_LETTERS], preferred="replacement")
        listed = list(without_repeats(self._listed(tree, audit), audit))
        clips.require([clip.name for clip in listed])
        wanted = Counter(clip.label for clip in listed)
        found = Counter(clip.label for clip in listed if clips.there(clip.name))
        for label in self.classes:
            if found[label] < wanted[label]:
                audit.add("incomplete_class", f"{label}: {found[label]} of {wanted[label]}")
        for name, split, label in with_validation(listed):
            audit.extend(("dup_id", path) for path in clips.passed_over(name))
            yield Sample(name, split, label, clips.media(name, audit))

    def _listed(self, tree: Tree, audit: Audit) -> Iterator[ListedClip]:
        if tree.has("KS_train_val.json"):
            return _of_json(tree, audit)
        if tree.has("my_train.txt"):
            return self._of_lines(tree, audit)
        return self._of_kinetics_400(tree, audit)

    def _of_lines(self, tree: Tree, audit: Audit) -> Iterator[ListedClip]:
        """`name,10,number of the class`, of OGM-GE."""
        for split in ("train", "test"):
            for line in index_text(tree, f"my_{split}.txt", audit).splitlines():
                name, *rest = line.strip().rsplit(",", _FIELDS - 1)
                number = int(rest[-1]) if rest and rest[-1].strip().isdecimal() else len(self.classes)
                if number < len(self.classes):
                    yield ListedClip(name[:_ID_LETTERS], split, self.classes[number])
                elif name:
                    audit.add("unknown_label", name[:_ID_LETTERS])

    def _of_kinetics_400(self, tree: Tree, audit: Audit) -> Iterator[ListedClip]:
        """Keep the clips of the 31 classes."""
        for split in ("train", "val", "test"):
            path = tree.first(f"k400/annotations/{split}.csv") or f"annotations/{split}.csv"
            rows = csv.DictReader(index_text(tree, path, audit).splitlines())
            if not {"label", "youtube_id"} <= set(rows.fieldnames or ()):
                raise RawDataError(f"{tree.root / path} has no columns label and youtube_id")
            for row in rows:
                if row["label"] in self.classes:
                    yield ListedClip(row["youtube_id"][:_ID_LETTERS], split, row["label"])


def _of_json(tree: Tree, audit: Audit) -> Iterator[ListedClip]:
    listed = json_index(tree, "KS_train_val.json", dict, audit)
    database = listed.get("database")
    if not isinstance(database, dict):
        raise RawDataError(f"{tree.root / 'KS_train_val.json'} has no object database")
    for name, about in database.items():
        label = about.get("label") or about.get("annotations", {}).get("label", "")
        subset = str(about.get("subset"))
        if subset not in _SUBSETS:
            raise RawDataError(f"{tree.root / 'KS_train_val.json'}: {name} is in subset {subset!r}")
        yield ListedClip(name[:_ID_LETTERS], _SUBSETS[subset], str(label).replace("_", " "))
