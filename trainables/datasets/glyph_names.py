"""GlyphNames: letters as pictures and by their official names, text-image pairs small enough to ship."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from trainables.api import DataInfo, Dataset, DatasetCard, InputInfo, RawData
from trainables.datasets._glyph_names_texts import (
    GLYPHS,
    LONGEST,
    SCRIPTS,
    TRAITS,
    Letter,
    letters,
    tokens,
    vocabulary,
)
from trainables.params import number, one_of

__all__ = ["GlyphNames"]

_SIDE = 24


@dataclass(frozen=True, kw_only=True)
class GlyphNamesParams:
    """How much there is, and what is asked.

    Attributes:
        cap: most characters per script.
        fonts: in how many fonts a train character occurs, if they have it; in the others it is in DejaVu Sans.
        labels: `single` asks for the script; `multi` also whether the letter is upper or lower case or has a diacritic.
        bare: with `multi`, share of texts that do not say what they are asked: no case, nothing after "with".
        split_seed: of which base names go to which split.
    """

    cap: int = number(400, 20, 400)
    fonts: int = number(3, 1, 3)
    labels: str = one_of("single", "multi")
    bare: float = number(0.5, 0.0, 1.0)
    split_seed: int = number(0, 0, 2**31 - 1)


class GlyphNames(Dataset):
    """Which script does a letter belong to? Its picture, and its Unicode name without the script.

    Both are ambiguous on their own: Latin A, Greek alpha and Cyrillic a look alike, and "small letter a" is in several
    scripts. 60 / 15 / 25 percent of the base names, so that no base letter is in two splits. Words that fewer than
    two train letters have are token 1, "unknown".
    """

    card = DatasetCard(
        title="GlyphNames",
        task="which of eight scripts a letter belongs to (accuracy); `labels=multi` adds case and diacritics",
        licence="glyphs: DejaVu fonts, free licence after Bitstream Vera; names: Unicode licence",
        source="DejaVu fonts as shipped with matplotlib; Unicode character names",
        notes="Test accuracy, tiny networks, 25 epochs at 2e-3, mean of 12 split seeds: experts 0.61 (image), 0.73 "
        "(text), their average 0.76; naive training 0.74; multi-task 0.77. Probes of the naive model: 0.53, 0.66. A "
        "split seed changes a score by about 0.04, so compare methods on the same one.",
    )
    Params = GlyphNamesParams
    presets = MappingProxyType({"tiny": {"cap": 40, "fonts": 1}})
    default_encoders = MappingProxyType({"image": "conv_tiny", "text": "words_tiny"})

    @classmethod
    def modalities(cls) -> tuple[str, ...]:
        """Image and text."""
        return ("image", "text")

    def info(self) -> DataInfo:
        """Images (1, 24, 24) and texts of up to 10 words."""
        known = len(vocabulary(letters(self.params)))
        inputs = {
            "image": InputInfo(kind="image", shape=(1, _SIDE, _SIDE)),
            "text": InputInfo(kind="text", shape=(LONGEST,), vocabulary_size=2 + known),
        }
        names = (*SCRIPTS, *TRAITS) if self._multi else SCRIPTS
        return DataInfo(dataset="glyph_names", inputs=inputs, class_names=names, multi_label=self._multi)

    def content(self) -> Mapping[str, str]:
        """Hash of the stored glyphs and names."""
        return {"glyphs": _glyphs_sha256()}

    def load(self) -> RawData:
        """Look up pictures and words: a fraction of a second."""
        found = letters(self.params)
        ids = vocabulary(found)
        pictures = _pictures()
        shown = [
            (letter, font)
            for letter in found
            for font in list(pictures[letter.code_point])[: self.params.fonts if letter.split == "train" else 1]
        ]
        images = np.stack([pictures[letter.code_point][font] for letter, font in shown]).astype(np.float32)
        train = images[[letter.split == "train" for letter, _ in shown]]
        return RawData(
            sample_ids=[f"U+{letter.code_point:04X}-{font}" for letter, font in shown],
            splits=[letter.split for letter, _ in shown],
            groups=[letter.base for letter, _ in shown],
            targets=np.array([self._target(letter) for letter, _ in shown], dtype=np.int64),
            inputs={
                "image": (images - train.mean()) / train.std(),
                "text": np.array([tokens(letter, ids) for letter, _ in shown], dtype=np.int64),
            },
        )

    @property
    def _multi(self) -> bool:
        return bool(self.params.labels == "multi")

    def _target(self, letter: Letter) -> int | list[int]:
        if not self._multi:
            return letter.script
        return [int(place == letter.script) for place in range(len(SCRIPTS))] + list(letter.traits)


def _pictures() -> dict[int, dict[str, npt.NDArray[np.uint8]]]:
    """Return code point -> font -> (1, 24, 24) grey values; of a code point's fonts DejaVu Sans is the first."""
    found: dict[int, dict[str, npt.NDArray[np.uint8]]] = {}
    for row in pq.read_table(GLYPHS, columns=["code_point", "font", "pixels"]).to_pylist():
        pixels = np.frombuffer(row["pixels"], np.uint8).reshape(1, _SIDE, _SIDE)
        found.setdefault(row["code_point"], {})[row["font"]] = pixels
    return found


@cache
def _glyphs_sha256() -> str:
    return hashlib.sha256(GLYPHS.read_bytes()).hexdigest()
