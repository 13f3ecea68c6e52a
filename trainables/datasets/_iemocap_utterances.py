"""IEMOCAP's utterances with labels and texts: from the release, GCNet's pickle, MLA's lists or MMIN's folds."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from trainables.decoding.arrays import RefusedPickleError, decode_npy, load_restricted
from trainables.decoding.texts import decode_text
from trainables.preparing.audit import Audit
from trainables.preparing.tree import RawDataError, Tree

__all__ = [
    "CLASSES",
    "MMIN",
    "PICKLE",
    "RELEASE",
    "Utterance",
    "from_mla",
    "from_mmin",
    "from_pickle",
    "from_release",
    "is_name",
]

CLASSES = ("happy", "sad", "neutral", "angry")
PICKLE = "IEMOCAP_features_raw_4way.pkl"
RELEASE = ("", "IEMOCAP_full_release/")
"""Where the sessions may be below the root."""
MMIN = ("", "IEMOCAP_features_2021/")
"""Where MMIN's folders may be below the root."""

_FOUR = {"hap": "happy", "exc": "happy", "sad": "sad", "neu": "neutral", "ang": "angry"}
_OTHERS = {"fru", "xxx", "sur", "fea", "oth", "dis"}  # not of the four-class protocol
_EVALUATION = re.compile(r"\[(\d+\.\d+) - (\d+\.\d+)\]\t(\S+)\t(\w{3})\t\[[\d., ]+\]\s*")
_NAME = re.compile(r"Ses0[1-5][FM]_\w+_[FM]\w+")
_LISTS = {"train": ("train",), "val": ("val", "dev"), "test": ("test",)}
_SEPARATOR = " [split|sign] "
_PARTS = 6
_MMIN_PARTS = {"trn": "train", "val": "val", "tst": "test"}
_MMIN_CLASSES = ("angry", "happy", "neutral", "sad")  # in the order of its columns
_MMIN_COUNTS = {"angry": 1103, "happy": 1636, "neutral": 1708, "sad": 1084}


class Utterance(NamedTuple):
    """One line that somebody said: its id, class, text ("" if it has none), length, and the split if a list says it."""

    name: str
    label: str
    text: str
    seconds: float = 0.0
    split: str = ""


def is_name(name: str) -> bool:
    """Tell whether it is an utterance's id, such as Ses01F_impro01_F000."""
    return bool(_NAME.fullmatch(name))


def from_release(tree: Tree, base: str, audit: Audit, *, with_texts: bool) -> Iterator[Utterance]:
    """Read `dialog/EmoEvaluation` and `dialog/transcriptions`; stage comments and other emotions are left out."""
    for session in (name for name in tree.folders(base.rstrip("/")) if name.startswith("Session")):
        for dialog in tree.names(f"{base}{session}/dialog/EmoEvaluation"):
            if dialog.endswith(".txt"):
                path = f"{base}{session}/dialog/transcriptions/{dialog}"
                said = _transcription(tree, path, audit) if with_texts else {}
                yield from _evaluated(tree, f"{base}{session}/dialog/EmoEvaluation/{dialog}", said, audit)


def from_pickle(tree: Tree, path: str) -> Iterator[Utterance]:
    """Read GCNet's pickle: dialog -> ids, labels, speakers, sentences; its two sets of dialogs are not used.

    Raises:
        RawDataError: it asks for more than plain data, or is something else.
    """
    try:
        parts = load_restricted(tree.read(path), encoding="latin1")
    except RefusedPickleError as error:
        raise RawDataError(f"{tree.root / path}: {error}") from error
    if not _is_gcnet(parts):
        raise RawDataError(
            f"{tree.root / path} is not GCNet's pickle of six: ids, labels, speakers, sentences, two sets"
        )
    ids, labels, _, sentences = parts[:4]
    for dialog in sorted(ids):
        for name, label, text in zip(ids[dialog], labels[dialog], sentences[dialog], strict=False):
            known = str(label).isdecimal() and int(label) < len(CLASSES)
            yield Utterance(str(name), CLASSES[int(label)] if known else str(label), str(text))


def from_mla(tree: Tree, audit: Audit) -> Iterator[Utterance]:
    """Read MLA's three lists, `name.mp4 [split|sign] text [split|sign] Label`.

    Raises:
        RawDataError: they are not there.
    """
    for split, names in _LISTS.items():
        wanted = [f"{place}{name}.txt" for name in names for place in ("", "mla/", "my_", "mla/my_")]
        path = tree.first(*wanted)
        if path is None:
            raise RawDataError(f"split=mla_random needs MLA's lists, one of {', '.join(wanted)} below {tree.root}")
        for number, line in enumerate(_lines(tree, path, audit), 1):
            parts = line.split(_SEPARATOR)
            if len(parts) >= 3:  # noqa: PLR2004 (name, text, label)
                text = _SEPARATOR.join(parts[1:-1])
                yield Utterance(parts[0].removesuffix(".mp4"), parts[-1].strip().lower(), text, split=split)
            elif line.strip():
                audit.add("unknown_label", f"{path}:{number}")


def from_mmin(tree: Tree, fold: int) -> Iterator[Utterance]:
    """Read one of MMIN's folds, `target/<fold>/{trn,val,tst}_{label,int2name}.npy`: rows with a single one, and ids.

    Raises:
        RawDataError: a file is not there or something else, or the columns are not in the order that is assumed.
    """
    base = next((base for base in MMIN if tree.has_folder(f"{base}target")), "")
    folder = f"{base}target/{fold}"
    found = [one for part, split in _MMIN_PARTS.items() for one in _mmin_part(tree, f"{folder}/{part}", split)]
    counts = Counter(one.label for one in found)
    # Nothing in the files names the columns; that the whole corpus has these numbers of each proves their order.
    if len(found) == sum(_MMIN_COUNTS.values()) and counts != _MMIN_COUNTS:
        raise RawDataError(
            f"the columns of {tree.root / folder} are not {', '.join(_MMIN_CLASSES)}: "
            f"they have {dict(sorted(counts.items()))}, IEMOCAP has {_MMIN_COUNTS}"
        )
    return iter(found)


def _mmin_part(tree: Tree, path: str, split: str) -> Iterator[Utterance]:
    labels, ids = _array(tree, f"{path}_label.npy", "biuf"), _array(tree, f"{path}_int2name.npy", "SU")
    if labels.shape != (ids.size, len(_MMIN_CLASSES)):
        raise RawDataError(
            f"{tree.root / path}_label.npy has shape {labels.shape}; expected one row of {len(_MMIN_CLASSES)} for each "
            f"of the {ids.size} ids in {path.rpartition('/')[2]}_int2name.npy"
        )
    for name, row in zip(ids.reshape(-1).tolist(), labels.astype(float).tolist(), strict=True):
        known = sorted(row) == [0, 0, 0, 1]
        label = _MMIN_CLASSES[row.index(1)] if known else str(row)
        yield Utterance(name if isinstance(name, str) else name.decode("ascii", "replace"), label, "", split=split)


def _array(tree: Tree, path: str, kinds: str) -> Any:
    """Return an array whose type is one of these kinds; Python objects, which would be a pickle, are none of them."""
    decoded = decode_npy(tree.read(path))
    if decoded.values is None:
        raise RawDataError(
            f"{tree.root / path} is no plain array ({decoded.issues[0]}): it is damaged or holds Python objects, "
            "which are not read"
        )
    if decoded.values.dtype.kind not in kinds:
        wanted = "ids" if "S" in kinds else "numbers"
        raise RawDataError(f"{tree.root / path} holds {decoded.values.dtype}; expected {wanted}")
    return decoded.values


def _evaluated(tree: Tree, path: str, said: dict[str, str], audit: Audit) -> Iterator[Utterance]:
    for number, line in enumerate(_lines(tree, path, audit), 1):
        found = _EVALUATION.fullmatch(line)
        if found:
            start, end, name, code = found.groups()
            if code not in _OTHERS:
                yield Utterance(name, _FOUR.get(code, code), said.get(name, ""), float(end) - float(start))
        elif line.startswith("["):
            audit.add("unknown_label", f"{path}:{number}")


def _transcription(tree: Tree, path: str, audit: Audit) -> dict[str, str]:
    """Return utterance -> text; of an id that occurs twice, the first."""
    said: dict[str, str] = {}
    if not tree.has(path):
        audit.add("missing_file", path)
        return said
    for line in _lines(tree, path, audit):
        head, bracket, text = line.partition("]:")
        name = head.partition(" ")[0]
        if not bracket or not name.startswith("Ses"):
            continue
        if name in said:
            audit.add("dup_id", f"{path}: {name}")
        said.setdefault(name, text.strip())
    return said


def _lines(tree: Tree, path: str, audit: Audit) -> list[str]:
    text, issues = decode_text(tree.read(path))
    audit.extend((code, path) for code in issues if code != "mojibake")  # those of texts are found when they are read
    return text.splitlines()


def _is_gcnet(parts: Any) -> bool:
    return (
        isinstance(parts, list | tuple) and len(parts) == _PARTS and all(isinstance(part, dict) for part in parts[:4])
    )
