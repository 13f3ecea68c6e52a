"""Which recording of speech and which noise belong to which handwritten digit of AV-MNIST."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import NamedTuple

from results.draws import uniform_draws
from trainables.api_files import Audit, RawDataError, Tree, index_text
from trainables.datasets._av_mnist_audio import MIXING_RATE_HZ
from trainables.decoding.audio import decode_wav

__all__ = ["Bank", "read_noises", "read_recordings"]

_NAME = re.compile(r"(\d)_([a-z]+)_(\d+)\.wav")
_FIRST_SPEAKERS = {"jackson", "nicolas", "theo", "yweweler"}
_FIRST_TEST_RECORDING, _FIRST_TEST_NOISE = 40, 40
_DIGITS = 10


class Bank(NamedTuple):
    """Recordings of one part, train or test, that are given out in turn.

    Attributes:
        speech: digit -> wav files.
        noises: wav files.
    """

    speech: Mapping[str, Sequence[str]]
    noises: Sequence[str]

    def pairs(self, digits: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield for every digit in turn its next recording, and the next noise."""
        turns = {digit: count() for digit in self.speech}
        for place, digit in enumerate(digits):
            files = self.speech[digit]
            yield files[next(turns[digit]) % len(files)], self.noises[place % len(self.noises)]


def read_recordings(
    tree: Tree, *, first_speakers: bool, seed: int
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return digit -> recordings with numbers 0-39, and those from 40 on, each in an order drawn by name and seed.

    Raises:
        RawDataError: there is none of a digit.
    """
    train: dict[str, list[str]] = {str(digit): [] for digit in range(_DIGITS)}
    test: dict[str, list[str]] = {str(digit): [] for digit in range(_DIGITS)}
    for path in tree.sizes:
        match = _NAME.fullmatch(path.rpartition("/")[2])
        if match and (match[2] in _FIRST_SPEAKERS or not first_speakers):
            (train if int(match[3]) < _FIRST_TEST_RECORDING else test)[match[1]].append(path)
    for part, numbers in ((train, "0 to 39"), (test, "40 to 49")):
        for digit, paths in part.items():
            if not paths:
                raise RawDataError(
                    f"{tree.root} has no recording {numbers} of the digit {digit}; expected recordings/"
                    f"{digit}_jackson_0.wav and so on, of the Free Spoken Digit Dataset"
                )
            part[digit] = _in_drawn_order(paths, seed)
    return train, test


def read_noises(tree: Tree, audit: Audit, seed: int) -> tuple[list[str], list[str]]:
    """Return one recording of each of ESC-50's classes 0-39, and of the other ten.

    A recording that is not there or not readable is recorded, and the next of its class in the drawn order is taken.

    Raises:
        RawDataError: there is no index, or no recording of a class.
    """
    index = next((path for path in tree.sizes if f"/{path}".endswith("/esc50.csv")), None)
    if index is None:
        raise RawDataError(f"{tree.root} has no meta/esc50.csv; expected ESC-50 with its audio/ beside meta/")
    folder = index.removesuffix("esc50.csv").removesuffix("meta/") + "audio"
    rows = csv.DictReader(index_text(tree, index, audit).splitlines())
    if not {"filename", "target"} <= set(rows.fieldnames or ()):
        raise RawDataError(f"{tree.root / index} has no columns filename and target")
    classes: dict[int, list[str]] = {}
    for row in rows:
        if row["target"].isdecimal():
            classes.setdefault(int(row["target"]), []).append(f"{folder}/{row['filename']}")
    chosen = {target: _first_readable(_in_drawn_order(paths, seed), tree, audit) for target, paths in classes.items()}
    for target, path in chosen.items():
        if path is None:
            raise RawDataError(f"{tree.root / folder} has no readable recording of ESC-50's class {target}")
    ordered = [(target, path) for target, path in sorted(chosen.items()) if path]
    train = [path for target, path in ordered if target < _FIRST_TEST_NOISE]
    test = [path for target, path in ordered if target >= _FIRST_TEST_NOISE]
    if not train or not test:
        raise RawDataError(f"{tree.root / index} has no classes {'0-39' if not train else '40-49'}")
    return train, test


def _in_drawn_order(paths: Sequence[str], seed: int) -> list[str]:
    """Sort by a draw of every file's own, so that neither folders nor other files matter."""
    names = [path.rpartition("/")[2] for path in paths]
    draws = uniform_draws(names, "recording", [seed], "pairing")[0]
    return [path for _, _, path in sorted(zip(draws, names, paths, strict=True))]


def _first_readable(paths: Sequence[str], tree: Tree, audit: Audit) -> str | None:
    for path in paths:
        if not tree.has(path):
            audit.add("missing_file", path)
            continue
        decoded = decode_wav(tree.read(path), MIXING_RATE_HZ)
        if decoded.values is not None:
            return path
        audit.extend((code, path) for code in decoded.issues)
    return None
