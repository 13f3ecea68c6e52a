"""What is wrong with raw data: one code per kind of defect, every occurrence with its file, and what was done."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

__all__ = ["CODES", "Audit"]

_ABSENT = "kept; the modality counts as absent"
CODES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "apple_double": ("a file that a Mac left behind", "ignored"),
        "bad_mode": ("an image that is not plain RGB", "converted; first frame, transparency on white"),
        "bad_row": ("a line of an index file that cannot be understood", "left out"),
        "cross_split_dup": ("one sample in two splits", "reported; refused beyond the limit"),
        "cross_split_group": ("a speaker or the like in two splits, by the data set's own split", "reported"),
        "cut_audio": ("a clip that is shorter than its label says", "kept, padded"),
        "decompression_bomb": ("an image of more than 89 million pixels", "read at a smaller scale, else absent"),
        "dup_id": ("an id that is listed twice", "the first counts, unless the data set has a rule of its own"),
        "dup_path": ("a file that two samples name", "kept"),
        "empty_event": ("an event that ends when it begins", "kept; the clip's label counts"),
        "empty_text": ("a text of nothing but spaces", _ABSENT),
        "html_instead": ("a web page saved under the file's name", _ABSENT),
        "incomplete_class": ("a class of which listed clips are not there", "reported"),
        "lfs_pointer": ("a Git LFS pointer instead of the file (run git lfs pull)", _ABSENT),
        "missing_file": ("a file that is listed but not there", _ABSENT),
        "mojibake": ("text that was decoded with a wrong codec before it was published", "kept as it is"),
        "near_duplicate": (
            "a text that another split has, too, but for retweet marks, links and punctuation",
            "reported",
        ),
        "no_audio_stream": ("a clip without sound", _ABSENT),
        "no_face": ("a clip in which no face was found", _ABSENT),
        "non_utf8": ("text that is not UTF-8", "read as GB 18030, CP 1252 or Latin 1"),
        "nothing_left": ("a sample of which no modality can be read", "left out"),
        "short_audio": ("a clip of less than 0.1 s", "kept, padded"),
        "silent_audio": ("a clip without any signal", _ABSENT),
        "too_few_frames": ("a clip with fewer frames than asked for", "the last frame is repeated"),
        "truncated_image": ("an image that ends too early", "kept if at least half can be read, else absent"),
        "truncated_video": ("a video that ends too early", "the last frame that can be read is repeated"),
        "unknown_label": ("a label that is none of the classes", "left out"),
        "unlisted_file": ("a file that no sample names", "ignored"),
        "unreadable_array": ("a file of numbers that cannot be read", _ABSENT),
        "unreadable_audio": ("a clip that cannot be read", _ABSENT),
        "unreadable_video": ("a video that cannot be read", _ABSENT),
        "zero_audio": ("a clip without a single sample", _ABSENT),
        "zero_bytes": ("an empty file", _ABSENT),
    }
)
"""code -> (what it means, what is done about it)."""

_SHOWN = 3


class Audit:
    """Findings in the order in which they were made.

    Attributes:
        findings: code -> the files or ids concerned.
    """

    def __init__(self, findings: Iterable[tuple[str, str]] = ()) -> None:
        self.findings: dict[str, list[str]] = {}
        self.extend(findings)

    def add(self, code: str, where: str) -> None:
        """Record that `where`, a file or a sample's id, has the defect `code`, one of `CODES`."""
        assert code in CODES, f"{code} is no audit code"
        self.findings.setdefault(code, []).append(where)

    def extend(self, findings: Iterable[tuple[str, str]]) -> None:
        """Record several (code, where)."""
        for code, where in findings:
            self.add(code, where)

    def copy(self) -> "Audit":
        """Return an audit with the same findings, to which others can be added."""
        return Audit((code, where) for code, places in self.findings.items() for where in places)

    def to_json(self) -> dict[str, Any]:
        """Return code -> meaning, action, count and every place, codes in alphabetical order."""
        return {
            code: {
                "meaning": CODES[code][0],
                "action": CODES[code][1],
                "count": len(self.findings[code]),
                "where": sorted(self.findings[code]),
            }
            for code in sorted(self.findings)
        }
