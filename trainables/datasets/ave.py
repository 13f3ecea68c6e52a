"""AVE: events of daily life that can be seen and heard (Tian et al., 2018)."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import h5py

from trainables.api_files import Audit, DatasetCard, FileDataset, RawDataError, Reader, Sample, Tree, index_text
from trainables.datasets._clips import CLIP_ENCODERS, TINY_CLIPS, ClipParams, Clips, clip_readers
from trainables.decoding.hdf5 import array_at
from trainables.params import one_of

__all__ = ["Ave"]

_SPLITS = ("train", "val", "test")
_FIELDS = 5
_RECORDS = "Annotations.txt"


class _Record(NamedTuple):
    category: str
    video: str
    quality: str
    start: str
    end: str


@dataclass(frozen=True, kw_only=True)
class AveParams(ClipParams):
    """What happens to videos that are listed twice, with two categories.

    Attributes:
        dedup: `keep` every record, as the papers do; `drop_test_twin` leaves out train records, and validation records,
            of a video that is also in a later split.
    """

    dedup: str = one_of("keep", "drop_test_twin")


class Ave(FileDataset):
    """3,339 / 402 / 402 records of 4,097 videos; a record is a video with one of its categories.

    The official split puts 8 videos into train and test and 10 into train and validation, each with two categories.
    """

    card = DatasetCard(
        title="AVE",
        task="event in a clip of 10 s from sound and frames (28 classes, accuracy)",
        licence="videos belong to those who uploaded them; for research",
        source="AVE_Dataset.zip of https://github.com/YapengTian/AVE-ECCV18, about 5.7 GB",
        notes="The official split puts 18 videos, listed with "
        "two categories, into two splits (ave.dedup=drop_test_twin). Accuracy in U2A: OGM-GE 76.9, MLA 64.7, "
        "MBT 77.8, MMLoRA 96.2, U2A 96.8.",
    )
    Params = AveParams
    default_encoders = CLIP_ENCODERS
    default_backbone = "tvlt:ZinengTang/tvlt-base"
    presets = MappingProxyType({"tiny": TINY_CLIPS})
    classes = (
        *("Church bell", "Male speech, man speaking", "Bark", "Fixed-wing aircraft, airplane"),
        *("Race car, auto racing", "Female speech, woman speaking", "Helicopter", "Violin, fiddle", "Flute", "Ukulele"),
        *("Frying (food)", "Truck", "Shofar", "Motorcycle", "Acoustic guitar", "Train horn", "Clock", "Banjo", "Goat"),
        *("Baby cry, infant cry", "Bus", "Chainsaw", "Cat", "Horse", "Toilet flush", "Rodents, rats, mice"),
        *("Accordion", "Mandolin"),
    )
    layout = """
    AVE_Dataset/
      trainSet.txt, valSet.txt, testSet.txt    Category&VideoID&Quality&StartTime&EndTime
                                               or Annotations.txt and train_order.h5, ...
      AVE/<VideoID>.mp4                        needs PyAV: pip install 'mmpt-sweep[video]'
    or, instead of a video, what was extracted from it (ffmpeg -vf fps=1 and ffmpeg -vn -ac 1 -ar 16000):
      audio/<VideoID>.wav and Image-01-FPS/<VideoID>/00001.jpg, ... in any folder
    """
    markers = ("trainSet.txt", _RECORDS)
    official_sizes = MappingProxyType({"train": 3_339, "val": 402, "test": 402})
    max_duplicates = 0.05  # 18 of 804 are known
    groups_may_cross = True

    def readers(self) -> Mapping[str, Reader]:
        """Sound and frames."""
        return clip_readers(self.params)

    def index(self, tree: Tree, audit: Audit) -> Iterator[Sample]:
        """Follow the records; a video is a group."""
        clips = Clips(tree)
        records = {split: list(_records_of(tree, split, audit)) for split in _SPLITS}
        times = Counter(record.video for split in _SPLITS for record in records[split])
        clips.require(times)
        audit.extend(("dup_id", video) for video in times if times[video] > 1)
        media = {video: clips.media(video, audit) for video in times}
        later: set[str] = set()
        seen: set[str] = set()
        for split in reversed(_SPLITS):
            dropped = later.copy() if self.params.dedup == "drop_test_twin" else set()
            for record in records[split]:
                name = f"{record.video} {record.category}"
                if record.video not in dropped and name not in seen:
                    if record.start == record.end:
                        audit.add("empty_event", name)
                    yield Sample(name, split, record.category, media[record.video], record.video)
                seen.add(name)
                later.add(record.video)


def _records_of(tree: Tree, split: str, audit: Audit) -> Iterator[_Record]:
    path = f"{split}Set.txt"
    if tree.has(path):
        for row in _parsed(tree, path):
            yield from _usable(row, audit)
        return
    order = tree.first(f"{split}_order.h5", f"data/{split}_order.h5")
    if order is None:
        raise RawDataError(f"{tree.root} has neither {path} nor {split}_order.h5")
    rows = list(_parsed(tree, _RECORDS))
    try:
        with h5py.File(tree.root / order) as file:
            numbers = [int(number) for number in array_at(file, "order")[()]]
    except (OSError, LookupError, ValueError, TypeError) as error:
        raise RawDataError(f"{tree.root / order} has no row numbers that can be read: {error}") from error
    outside = [number for number in numbers if not 0 <= number < len(rows)]
    if outside:
        raise RawDataError(f"{tree.root / order} names record {outside[0]}; {_RECORDS} has {len(rows)}")
    for number in numbers:
        yield from _usable(rows[number], audit)


def _usable(row: "_Record | str", audit: Audit) -> Iterator[_Record]:
    if isinstance(row, _Record):
        yield row
    else:
        audit.add("unknown_label", row)


def _parsed(tree: Tree, path: str) -> Iterator["_Record | str"]:
    """Yield a record, or where it should be, for every line but a header and empty ones."""
    for number, line in enumerate(index_text(tree, path, Audit()).splitlines(), start=1):
        fields = line.strip().split("&")
        if fields[0] not in {"", "Category"}:
            yield _Record(*fields) if len(fields) == _FIELDS else f"{path}:{number}"
