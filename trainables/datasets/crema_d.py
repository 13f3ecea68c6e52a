"""CREMA-D: emotions in acted speech, heard and seen (Cao et al., 2014)."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
    stratified_split,
)
from trainables.datasets._clips import CLIP_ENCODERS, TINY_CLIPS, ClipParams, Clips, clip_readers
from trainables.datasets._listed_clips import ListedClip, with_validation, without_repeats
from trainables.params import one_of

__all__ = ["CremaD"]

_NAME = re.compile(r"(\d{4})_([A-Z]{3})_([A-Z]{3})_([A-Z]{1,2})")
_EMOTIONS = {"NEU": "neutral", "HAP": "happy", "SAD": "sad", "FEA": "fear", "DIS": "disgust", "ANG": "anger"}
_VOTES = {name[0]: label for name, label in _EMOTIONS.items()}
_TEST = 0.1
_LAST_TRAIN_ACTOR, _LAST_VAL_ACTOR = 1072, 1082
_POINTER_BYTES = 1024


@dataclass(frozen=True, kw_only=True)
class CremaDParams(ClipParams):
    """Which clip is in which split, and what it is said to express.

    Attributes:
        split: `by_clip` follows train.csv and test.csv, else the documented draw, so actors are in several splits;
            `speaker_disjoint` trains on actors 1001-1072, validates on 1073-1082 and tests on 1083-1091.
        label_source: `name` is the emotion that was to be acted; `votes` the one that most raters saw and heard, which
            leaves out ties.
    """

    split: str = one_of("by_clip", "speaker_disjoint")
    label_source: str = one_of("name", "votes")


class CremaD(FileDataset):
    """7,442 clips of 91 actors; the papers train on 6,698 and test on 744, and nobody has a validation part.

    Without OGM-GE's two lists, a tenth of every class is drawn as test. A tenth of every class of what is left is drawn
    as validation. Both draws depend on nothing but the clips' names.
    """

    card = DatasetCard(
        title="CREMA-D",
        task="emotion of an acted sentence from sound and frames (6 classes, accuracy)",
        licence="Open Database License 1.0; contents: Database Contents License 1.0",
        source="https://github.com/CheyneyComputerScience/CREMA-D, Git LFS: 606 MB of wav files, 2.4 GB of videos",
        notes="Sound is taken from AudioWAV. Actors are in several splits unless "
        "crema_d.split=speaker_disjoint, which the papers do not use. Accuracy in U2A, table 2: OGM-GE 68.1, MLA 79.7, "
        "MMLoRA 88.6, U2A 88.8.",
    )
    Params = CremaDParams
    default_encoders = CLIP_ENCODERS
    default_backbone = "tvlt:ZinengTang/tvlt-base"
    presets = MappingProxyType({"tiny": TINY_CLIPS})
    classes = tuple(_EMOTIONS.values())
    layout = """
    CREMA-D/
      AudioWAV/1001_DFA_ANG_XX.wav
      VideoFlash/1001_DFA_ANG_XX.flv                needs PyAV: pip install 'mmpt-sweep[video]'
      Image-01-FPS/1001_DFA_ANG_XX/00001.jpg, ...   or frames that ffmpeg -vf fps=1 extracted
      train.csv, test.csv                           OGM-GE's lists of clips, if you have them
      processedResults/summaryTable.csv             for crema_d.label_source=votes
    """
    markers = ("AudioWAV", "VideoFlash", "processedResults")
    groups_may_cross = True

    def readers(self) -> Mapping[str, Reader]:
        """Sound and frames."""
        return clip_readers(self.params)

    def index(self, tree: Tree, audit: Audit) -> Iterator[Sample]:
        """Follow the lists, or the names of the files."""
        clips = Clips(tree)
        _refuse_pointers(clips, tree)
        listed = list(without_repeats(self._listed(clips, tree, audit), audit))
        clips.require([clip.name for clip in listed])
        names = {clip.name for clip in listed}
        audit.extend(("unlisted_file", path) for name, path in clips.sounds.items() if name not in names)
        votes = _votes(tree, audit) if self.params.label_source == "votes" else None
        for name, split, emotion in listed if self.params.split == "speaker_disjoint" else with_validation(listed):
            label = _EMOTIONS.get(emotion, emotion) if votes is None else votes.get(name, "no vote")
            yield Sample(name, split, label, clips.media(name, audit, "AudioWAV"), f"actor {name[:4]}")

    def _listed(self, clips: Clips, tree: Tree, audit: Audit) -> Iterator[ListedClip]:
        known = {name: match[3] for name in {*clips.sounds, *clips.frames} if (match := _NAME.fullmatch(name))}
        if self.params.split == "speaker_disjoint":
            yield from (ListedClip(name, _split_of_actor(int(name[:4])), known[name]) for name in sorted(known))
            return
        lists = {split: tree.first(f"{split}.csv", f"data/{split}.csv") for split in ("train", "test")}
        if not any(lists.values()):
            parts = stratified_split(known, {"train": 1 - _TEST, "test": _TEST}, key="test")
            yield from (ListedClip(name, parts[name], known[name]) for name in sorted(known))
            return
        for split, path in lists.items():
            if path is None:
                raise RawDataError(f"{tree.root} has only one of train.csv and test.csv; expected both or none")
            for line in index_text(tree, path, audit).splitlines():
                name = re.split(r"[,\s.]", line.strip(), maxsplit=1)[0]
                if match := _NAME.fullmatch(name):
                    yield ListedClip(name, split, match[3])
                elif name:
                    audit.add("unknown_label", name)


def _split_of_actor(actor: int) -> str:
    return "train" if actor <= _LAST_TRAIN_ACTOR else "val" if actor <= _LAST_VAL_ACTOR else "test"


def _refuse_pointers(clips: Clips, tree: Tree) -> None:
    if clips.sounds and max(tree.sizes[path] for path in clips.sounds.values()) < _POINTER_BYTES:
        raise RawDataError(
            f"the wav files in {tree.root / 'AudioWAV'} are Git LFS pointers, not sounds, as a zip of the repository "
            "has them; in a clone: git lfs pull"
        )


def _votes(tree: Tree, audit: Audit) -> dict[str, str]:
    """Return clip -> class that most raters chose; a tie stays as it is written, which is no class."""
    path = tree.first("processedResults/summaryTable.csv", "summaryTable.csv")
    if path is None:
        raise RawDataError(
            f"{tree.root / 'processedResults/summaryTable.csv'} is not there; label_source=votes reads it"
        )
    rows = csv.DictReader(index_text(tree, path, audit).splitlines())
    if not {"FileName", "MultiModalVote"} <= set(rows.fieldnames or ()):
        raise RawDataError(f"{tree.root / path} has no columns FileName and MultiModalVote")
    return {row["FileName"]: _VOTES.get(row["MultiModalVote"], row["MultiModalVote"]) for row in rows}
