"""Texts: words or word pieces as token ids, cut and padded to one length."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from trainables.api_data import InputInfo, Storage
from trainables.decoding.decoded import Decoded
from trainables.decoding.texts import text_issues
from trainables.decoding.tokens import Tokenizer, Words, open_tokenizer
from trainables.params import number
from trainables.preparing.manifest import Media
from trainables.preparing.reader import Reader
from trainables.preparing.tree import Tree

__all__ = ["WORDS", "TextParams", "TextReader"]

WORDS = "words"
_VOCABULARY = 8192


@dataclass(frozen=True, kw_only=True)
class TextParams:
    """How texts are stored.

    Attributes:
        tokenizer: a hub name or local folder of a transformers tokenizer; `words` for the commonest words of the
            training texts, which needs nothing from a network.
        tokens: the most that are kept of a text.
    """

    tokenizer: str = "bert-base-uncased"
    tokens: int = number(512, 1, 8192)


@dataclass(frozen=True)
class TextReader(Reader):
    """Media are the texts themselves."""

    params: TextParams
    words: Words | None = field(default=None, repr=False)

    def info(self) -> InputInfo:
        """Token ids."""
        size = _VOCABULARY if self.params.tokenizer == WORDS else self._tokenizer.vocabulary_size
        shape = (self.params.tokens,)
        return InputInfo(kind="text", shape=shape, vocabulary_size=size, storage=Storage(dtype="int32", shape=shape))

    def identity(self, media: Media, tree: Tree) -> Any:
        """The text itself."""
        del tree
        return media

    def where(self, media: Media) -> str | None:
        """No file: the sample's id says it."""
        del media
        return None

    def fitted(self, train: Iterable[Media]) -> "TextReader":
        """Learn the vocabulary, if it is `words`."""
        if self.params.tokenizer != WORDS:
            return self
        return replace(self, words=Words.fit([_encodable(text) for text in train if text], _VOCABULARY))

    def content(self) -> Mapping[str, str]:
        """What identifies the tokenizer."""
        return {} if self.params.tokenizer == WORDS else {"tokenizer": self._tokenizer.identity()}

    def read(self, media: Sequence[Media], root: Path) -> list[Decoded]:
        """Tokenise; a text without any character but spaces is absent."""
        del root
        texts = [_encodable(text) for text in media]
        tokenizer = self.words if self.words is not None else self._tokenizer
        issues = [text_issues(text) for text in texts]
        rows = tokenizer.encode(texts, self.params.tokens)
        return [Decoded(None if "empty_text" in found else row, found) for row, found in zip(rows, issues, strict=True)]

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return open_tokenizer(self.params.tokenizer)


def _encodable(text: Media) -> str:
    """Replace halves of surrogate pairs, which JSON may hold and no tokenizer takes, by question marks."""
    return str(text).encode("utf-8", "replace").decode("utf-8")
