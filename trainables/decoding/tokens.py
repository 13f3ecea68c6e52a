"""Texts to rows of token ids: by a vocabulary of words counted in the data, or by a pre-trained tokenizer."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from search_spaces.errors import MmptError

__all__ = ["PretrainedTokenizer", "Tokenizer", "TokenizerError", "Words", "open_tokenizer"]

Ids = npt.NDArray[np.int32]

_PADDING, _UNKNOWN, _RESERVED = 0, 1, 2
_WORD = re.compile(r"\w+|[^\w\s]")
_MODEL_SUFFIXES = {".safetensors", ".bin", ".pt", ".h5", ".msgpack", ".onnx"}


class TokenizerError(MmptError):
    """A tokenizer that cannot be loaded, or that does not pad with 0."""


class Tokenizer(Protocol):
    """What turns texts into token ids; picklable, without state that changes."""

    @property
    def vocabulary_size(self) -> int:
        """How many ids there are; every id is below."""

    def encode(self, texts: Sequence[str], tokens: int) -> Ids:
        """Return int32 (texts, tokens): each text's ids, cut at `tokens` and padded with 0."""

    def identity(self) -> str:
        """Return what stands for the tokenizer where prepared data is named by its content."""


@dataclass(frozen=True)
class Words:
    r"""Lower-cased words and single punctuation marks, `\w+|[^\w\s]`; id 0 is padding, 1 any word that is not listed.

    Attributes:
        vocabulary: the words of the ids 2, 3, ...

    >>> Words.fit(["To be, or not to be."], size=5).vocabulary
    ('be', 'to', ',')
    """

    vocabulary: tuple[str, ...]

    @classmethod
    def fit(cls, texts: Iterable[str], size: int) -> "Words":
        """Take the most frequent words, ties in alphabetical order, of texts that should be those of training alone.

        Args:
            texts: any number.
            size: the largest `vocabulary_size` allowed, padding and unknown included.
        """
        counts = Counter(word for text in texts for word in _words(text))
        ordered = sorted(counts, key=lambda word: (-counts[word], word))
        return cls(tuple(ordered[: max(0, size - _RESERVED)]))

    @property
    def vocabulary_size(self) -> int:
        """The words, padding and unknown."""
        return len(self.vocabulary) + _RESERVED

    def encode(self, texts: Sequence[str], tokens: int) -> Ids:
        """Return int32 (texts, tokens): each text's ids, cut at `tokens` and padded with 0."""
        ids = np.full((len(texts), tokens), _PADDING, dtype=np.int32)
        for row, text in enumerate(texts):
            found = [self._ids.get(word, _UNKNOWN) for word in _words(text)[:tokens]]
            ids[row, : len(found)] = found
        return ids

    def identity(self) -> str:
        """Return `words:` and the SHA-256 of the vocabulary."""
        return f"words:{hashlib.sha256(chr(0).join(self.vocabulary).encode()).hexdigest()}"

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {word: _RESERVED + place for place, word in enumerate(self.vocabulary)}


@dataclass(frozen=True)
class PretrainedTokenizer:
    """A tokenizer of transformers, loaded when it is first used, once per process.

    Attributes:
        name: on the Hugging Face hub or in its cache, or a local folder.
    """

    name: str

    @property
    def vocabulary_size(self) -> int:
        """All ids, added ones included."""
        return len(self._tokenizer)

    def encode(self, texts: Sequence[str], tokens: int) -> Ids:
        """Return int32 (texts, tokens): each text's ids with special tokens, cut at `tokens` and padded with 0.

        Raises:
            TokenizerError: there is no such tokenizer, or it does not pad with 0.
        """
        if not texts:
            return np.zeros((0, tokens), dtype=np.int32)
        encoded = self._tokenizer(
            list(texts), max_length=tokens, padding="max_length", truncation=True, return_attention_mask=False
        )
        return np.asarray(encoded["input_ids"], dtype=np.int32)

    def identity(self) -> str:
        """Return the SHA-256 of a local folder's files except weights; for a hub name the name."""
        folder = Path(self.name)
        if not folder.is_dir():
            return self.name
        digest = hashlib.sha256()
        for path in sorted(path for path in folder.iterdir() if path.is_file()):
            if path.suffix not in _MODEL_SUFFIXES:
                content = path.read_bytes()
                digest.update(f"{path.name}:{len(content)}:".encode())
                digest.update(content)
        return digest.hexdigest()

    def __getstate__(self) -> dict[str, Any]:
        return {"name": self.name}

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer  # noqa: PLC0415 (seconds of import that other data sets are spared)

        allowed = "a name on the Hugging Face hub (or in its cache), or a folder with tokenizer.json or vocab.txt"
        try:
            try:  # without a network, or when many processes ask at once, the hub's own cache is enough
                tokenizer = AutoTokenizer.from_pretrained(self.name, local_files_only=True)
            except OSError:
                tokenizer = AutoTokenizer.from_pretrained(self.name)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError) as error:
            first_line = next(iter(str(error).splitlines()), type(error).__name__)
            raise TokenizerError(
                f"tokenizer {self.name!r} cannot be loaded: {first_line}; expected {allowed}"
            ) from error
        if tokenizer.pad_token_id != _PADDING:
            pad = tokenizer.pad_token_id
            raise TokenizerError(f"tokenizer {self.name!r} pads with id {pad}; expected one that pads with {_PADDING}")
        return tokenizer


def open_tokenizer(name: str) -> PretrainedTokenizer:
    """Load a pre-trained tokenizer now, so that a wrong name is told before anything is prepared.

    Raises:
        TokenizerError: there is no such tokenizer, it does not pad with 0, or it has no words.
    """
    tokenizer = PretrainedTokenizer(name)
    if not tokenizer.vocabulary_size:
        raise TokenizerError(f"tokenizer {name!r} has an empty vocabulary; expected at least one word")
    return tokenizer


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
